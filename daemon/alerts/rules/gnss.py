"""Can the position be believed? Every receiver against its own past, the others, log, compass, AIS, clock and sea.

One finding alone is kept and told to whoever asks; two that are independent of each other raise GNSS SUSPECT
(``gnss_fusion``). The thresholds are in ``gnss_limits``. While a receiver's feed is lost it gives no indication: that
is said by the feed's own alert.
"""

from __future__ import annotations

from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said
from daemon.alerts.rules.gnss_against import AisUnit, LogAndCompass, Pair
from daemon.alerts.rules.gnss_fusion import Finding, Fusion, Suspicion, Witness
from daemon.alerts.rules.gnss_limits import Antennas
from daemon.alerts.rules.gnss_receiver import Receiver
from daemon.alerts.rules.gnss_signal import Signals
from daemon.alerts.rules.gnss_time import GnssTime
from daemon.model import Fix, Motion, Quality, Sky

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from daemon.alerts.rules.api import Moment
    from daemon.model import Reading
    from daemon.points.points import Change

SUSPECT = "gnss.suspect"
SOURCE = "gnss"
"""All receivers together are what the alert is about."""
LONGEST_DETAIL = 400
LOOK_AGAIN_S = 0.1
"""A receiver says a dozen sentences at once, and a broken one floods: all is weighed so often at most."""
OF_RECEIVER = ("fix", "motion", "time", "sky")
OF_LOG, OF_COMPASS = "water_speed", "heading"
OF_AIS = ("own_report", "alerts")


class GnssRule:
    """All GNSS receivers of the ship, and all that can be held against them."""

    says = frozenset({(SUSPECT, SOURCE)})

    def __init__(
        self,
        devices: Sequence[str],
        *,
        antennas: Antennas | None = None,
        ais: Sequence[str] = (),
        others: Iterable[str] = (),
    ) -> None:
        """Watch receivers.

        Args:
            devices: The receivers.
            antennas: Where theirs stand, and what streams there are.
            ais: The AIS units.
            others: The points of log and compass.
        """
        self._antennas = antennas or Antennas()
        self._receivers = {device: Receiver(device) for device in devices}
        self._signals = {device: Signals() for device in devices}
        self._times = {device: GnssTime() for device in devices}
        self._pairs = [Pair(*two, self._antennas) for two in combinations(devices, 2)]
        self._log = LogAndCompass(devices, self._antennas)
        self._ais = {device: AisUnit(device, self._antennas) for device in ais}
        self._fusion = Fusion()
        self._source = Source(SOURCE, SOURCE.upper(), SOURCE)
        self._said: Said | None = None
        self._looked_s = float("-inf")
        self._in_area = False
        self.suspicion = Suspicion()
        """How things stood at the last look."""
        self.devices = frozenset((*devices, *ais))
        self.points = frozenset(
            (
                *(f"{device}.{name}" for device in devices for name in OF_RECEIVER),
                *(f"{device}.{name}" for device in ais for name in OF_AIS),
                *others,
            )
        )

    def recall(self, causes: Iterable[str], *, alarmed_s: float) -> None:
        """Take up what sounded before the daemon started, so that it does not sound again too soon."""
        self._fusion.recall(causes, alarmed_s=alarmed_s)

    def resume(self, *, now_s: float) -> None:
        """Take up the alert that sounded before the daemon started and stands still; after ``recall``."""
        self._fusion.resume(now_s=now_s)

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        if device in self._ais:
            self._ais[device].lose()
        elif up:
            self._receivers[device].is_up = True
        else:
            # Where she is when the feed comes back is no jump, and its clock may have started anew.
            self._receivers[device] = Receiver(device)
            self._signals[device], self._times[device] = Signals(), GnssTime()

    def take(self, reading: Reading, change: Change | None) -> None:
        device = reading.point.rpartition(".")[0]
        if device in self._receivers:
            is_current = reading.quality is not Quality.STALE
            if self._receivers[device].is_up and (is_current or _is_motion(reading)):
                self._take_from_receiver(device, reading)
        elif device in self._ais:
            self._ais[device].take(reading.value, self._receivers, reading.received_s)
        elif reading.quality is Quality.GOOD:  # a compass that estimates is no witness
            self._log.take(reading.value, reading.received_s)

    def look(self, moment: Moment) -> Iterator[Said]:
        if not any(receiver.is_up for receiver in self._receivers.values()):
            self._said = None
            return  # what stood goes on standing
        is_recent = 0.0 <= moment.now_s - self._looked_s < LOOK_AGAIN_S
        same_area = moment.interference_area is self._in_area
        if self._said is None or not is_recent or not same_area:
            self._looked_s, self._in_area = moment.now_s, moment.interference_area
            self._said = self._weigh(moment)
        yield self._said

    def _weigh(self, moment: Moment) -> Said:
        self.suspicion = said = self._fusion.judge(
            self._findings(moment), now_s=moment.now_s, known_area=moment.interference_area
        )
        again = f" (time {said.times} since it last sounded)" if said.times > 1 else ""
        return Said(
            SUSPECT,
            self._source,
            said.suspect,
            said.words[:LONGEST_DETAIL] + again,
            at_most=said.at_most,
        )

    def _take_from_receiver(self, device: str, reading: Reading) -> None:
        receiver, value = self._receivers[device], reading.value
        name = reading.point.rpartition(".")[2]
        if name == "fix":
            # Its quality is not asked: while the position is suspect every fix is marked so.
            receiver.take_fix(value if isinstance(value, Fix) else None, reading.received_s)
        elif isinstance(value, Motion):
            receiver.sog_kn, receiver.cog_deg = value.sog_kn, value.cog_deg
        elif _is_motion(reading):
            # How fast she was says nothing against the log any more.
            receiver.sog_kn = receiver.cog_deg = None
        elif isinstance(value, Sky):
            self._signals[device].take(value, reading.received_s)
        elif isinstance(value, str) and receiver.fix is not None:
            # A receiver that has no fix has yet to learn the time.
            self._times[device].take(
                datetime.fromisoformat(value),
                now_utc=reading.received_utc,
                now_s=reading.received_s,
            )

    def _findings(self, moment: Moment) -> Iterator[Finding]:
        now_s = moment.now_s
        for device, receiver in self._receivers.items():
            if receiver.is_up:
                yield from self._of_receiver(device, moment)
        for pair in self._pairs:
            if (words := pair.look(self._receivers, now_s)) is not None:
                yield Finding(Witness.RECEIVER, words)
        for unit in self._ais.values():
            for words in unit.odd(now_s):
                yield Finding(Witness.AIS, words)
            if (words := unit.without_receiver()) is not None:
                yield Finding(Witness.SIGNAL, words)

    def _of_receiver(self, device: str, moment: Moment) -> Iterator[Finding]:
        receiver, name = self._receivers[device], device.upper()
        height_m = self._antennas.height_m
        told: tuple[tuple[Witness, str | None], ...] = (
            (Witness.SIGNAL, receiver.weak()),
            (Witness.SIGNAL, self._signals[device].words(moment.now_s)),
            (Witness.PATH, receiver.jumped()),
            (Witness.HEIGHT, receiver.height(height_m)),
            (Witness.CLOCK, self._times[device].words(clock_is_synced=moment.clock_is_synced)),
        )
        own = {Witness.SIGNAL, Witness.PATH}
        for witness, words in told:
            if words is not None:
                yield Finding(witness, f"{name} {words}", device if witness in own else "")
        for words in self._log.look(receiver, moment.now_s):
            yield Finding(Witness.LOG, words)


def _is_motion(reading: Reading) -> bool:
    return reading.point.endswith(".motion")
