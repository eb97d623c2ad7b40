"""What does the port of a class A unit say: own ship's reports, her identity, who else is heard, the unit's own alerts?

Source: IEC 61162-1 VDO, VDM, ALR, ALF, TRL; the messages themselves are read in ``ais``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.drivers.ais import AisFeed
from daemon.drivers.ais_off_log import OffLog
from daemon.drivers.ais_targets import TargetTable
from daemon.drivers.api import PointSpec
from daemon.model import AisReport, Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from daemon.drivers.ais import OwnShip
    from daemon.drivers.nmea_reader import Read, Reader, Seen
    from daemon.drivers.sentences import Sentence

OWN_REPORT_VALID_S = 540.0
"""Three reports of a moored class A unit, one in 3 min (ITU-R M.1371-5 annex 1 table 1)."""
IDENTITY_VALID_S = 900.0
"""Static data come every 6 min."""
TRAFFIC_EVERY_S = 5.0
"""How often the table of targets is looked at."""
TRAFFIC_VALID_S = 240.0
"""A unit at anchor that hears nobody speaks itself each 3 min."""
OFF_LOG_VALID_S = 86_400.0
"""It says what was; it comes when somebody asks the unit."""


class AisReader:
    """A class A unit."""

    def __init__(
        self,
        device: str,
        *,
        own_report_valid_s: float,
        alerts: Reader,
        give_up: Callable[[], None],
    ) -> None:
        """Know no part of a message yet; ``give_up`` is called for each that never becomes whole."""
        self._report = f"{device}.own_report"
        self._identity = f"{device}.own_identity"
        self._traffic = f"{device}.traffic"
        self._off = f"{device}.off_log"
        self._targets = TargetTable()
        self._feed = AisFeed(give_up, self._targets)
        self._off_log = OffLog()
        self._looked_s: float | None = None
        self.points = (
            PointSpec(self._report, own_report_valid_s),
            PointSpec(self._identity, IDENTITY_VALID_S),
            PointSpec(self._traffic, TRAFFIC_VALID_S),
            PointSpec(self._off, OFF_LOG_VALID_S),
            *alerts.points,
        )
        self.reads: Mapping[str, Read] = {
            "VDM": self._read,
            "VDO": self._read,
            "TRL": self._read_off_log,
            **alerts.reads,
        }

    def _read(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        own_ship = self._feed.take(sentence, now_s)
        if self._looked_s is None:
            self._looked_s = now_s
        if own_ship is None and now_s - self._looked_s < TRAFFIC_EVERY_S:
            return ()
        return tuple(self._seen(own_ship, now_s, self._looked_s))

    def _seen(self, own_ship: OwnShip | None, now_s: float, looked_s: float) -> Iterator[Seen]:
        if own_ship is not None:
            point = self._report if isinstance(own_ship, AisReport) else self._identity
            yield point, own_ship, Quality.GOOD
        if now_s - looked_s >= TRAFFIC_EVERY_S:
            self._looked_s = now_s
            yield self._traffic, self._targets.look(now_s), Quality.GOOD

    def _read_off_log(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        log = self._off_log.take(sentence, now_s)
        return () if log is None else ((self._off, log, Quality.GOOD),)
