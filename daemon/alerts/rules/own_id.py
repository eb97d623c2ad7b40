"""Does somebody else send under our MMSI?

Source: AIS is open and unauthenticated (regulations, section 6 *AIS world odd*). What our own unit sends comes
back to it as VDO, but a base station may repeat it as VDM: so what is heard under our MMSI is held against
where our own unit says that we are, which is what a repeater would repeat, whether it is true or not. Far from
there, or while our unit says nothing, it was somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said
from daemon.alerts.rules.gnss_limits import UNKNOWN_SPEED_KN
from daemon.model import AisReport, AisTraffic
from daemon.navigation.geodesy import KNOT_M_S, distance_m, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.alerts.rules.api import Moment
    from daemon.model import AisTarget, Position, Reading, Ship
    from daemon.points.points import Change

OWN_ID = "ais.own_id_elsewhere"
WRONG_REPORTS: Final = 2
FAR_M: Final = 500.0
"""A repeated report is some seconds old, and antennas stand apart; further off is somebody else."""
QUIET_S: Final = 600.0
"""Three reports of a moored unit, and one minute: own AIS says nothing."""
REMEMBERED_S: Final = 600.0
"""Reports that lie further apart do not count together."""
CEASED_S: Final = 60.0
"""So long after the last one it counts as over; the catalogue keeps the alert half an hour more."""


class OwnIdRule:
    """What one AIS unit hears under our own MMSI."""

    def __init__(self, device: str, *, ship: Ship) -> None:
        self._mmsi = ship.mmsi
        self._source = Source(device, device.upper(), device)
        self._report_point = f"{device}.own_report"
        self._traffic_point = f"{device}.traffic"
        self.points = frozenset({self._report_point, self._traffic_point})
        self.devices = frozenset({device})
        self.says = frozenset({(OWN_ID, device)})
        self._up_s: float | None = None
        self._own: tuple[AisReport, float] | None = None
        """What our unit said last, and when; None where it said nothing since the feed came."""
        self._judged_s = float("-inf")
        """When the newest report under our MMSI that was judged came."""
        self._wrong_s: list[float] = []
        self._detail = ""

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        self._up_s, self._own = now_s if up else None, None

    def take(self, reading: Reading, change: Change | None) -> None:
        said = reading.value
        if reading.point == self._report_point:
            if isinstance(said, AisReport):
                self._own = said, reading.received_s
        elif isinstance(said, AisTraffic):
            for target in said.targets:
                if target.mmsi == self._mmsi and target.position_s > self._judged_s:
                    self._judge(target)

    def _judge(self, target: AisTarget) -> None:
        if target.position is None:
            return
        self._judged_s = target.position_s
        words = self._elsewhere(target.position, target.position_s)
        if words is None:
            return
        place = target.position
        self._detail = f"{written(place.lat_deg, place.lon_deg, decimals=2)}, {words}"
        lately = [at_s for at_s in self._wrong_s if target.position_s - at_s <= REMEMBERED_S]
        self._wrong_s = [*lately[-WRONG_REPORTS:], target.position_s]

    def _elsewhere(self, position: Position, heard_s: float) -> str | None:
        """Return how a position cannot be ours; None where a repeater may have sent it."""
        quiet_since_s = self._up_s if self._own is None else self._own[1]
        if quiet_since_s is not None and heard_s - quiet_since_s > QUIET_S:
            return "while own AIS says nothing"
        if self._own is None:
            return None  # a moored ship's repeater may be heard before she says where she is
        own, said_s = self._own
        if own.position is None:
            return "while own AIS has no position"
        speed_kn = UNKNOWN_SPEED_KN if own.sog_kn is None else own.sog_kn
        off_m = distance_m(own.position, position)
        if off_m <= FAR_M + speed_kn * KNOT_M_S * abs(heard_s - said_s):
            return None
        return f"{off_m / 1852.0:.1f} NM from own AIS position"

    def look(self, moment: Moment) -> Iterator[Said]:
        if self._up_s is None:
            return  # nothing is heard, so what stood goes on standing
        is_somebody = (
            len(self._wrong_s) >= WRONG_REPORTS and moment.now_s - self._wrong_s[-1] <= CEASED_S
        )
        yield Said(OWN_ID, self._source, is_somebody, self._detail)
