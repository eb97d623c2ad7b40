"""The ships around own ship, as her AIS unit hears them: boats that come near, and one that uses her name.

Written from ITU-R M.1371-5 (messages 1 and 18). A scenario puts each at a place, from own ship as she lies then, and
lets it go on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.api import flag, only, whole
from simulators.ships import Vessel
from simulators.vessel_ais import ais, class_b_report, position_report
from simulators.voice import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

MOST_TARGETS = 200
FARTHEST_M = 100_000.0


class Others:
    """Every ship that a scenario has put there."""

    def __init__(self) -> None:
        self._ships: dict[int, tuple[Vessel, float, bool]] = {}
        """By MMSI: the ship, when she was there, whether she has a class B unit."""

    def obey(self, command: Mapping[str, object], own_ship: Vessel, now_s: float) -> None:
        """Put a target at a place, or take it away.

        Raises:
            ValueError: Names what is wrong.
        """
        only(command, "do", "mmsi", "on", "north_m", "east_m", "kn", "cog_deg", "status", "class_b")
        mmsi = whole(command, "mmsi", low=0, high=999_999_999)
        if "on" in command and not flag(command, "on"):
            self._ships.pop(mmsi, None)
            return
        if len(self._ships) >= MOST_TARGETS and mmsi not in self._ships:
            raise ValueError(f"there are {MOST_TARGETS} targets already")
        way_m = [
            number(command, name, low=-FARTHEST_M, high=FARTHEST_M, default=0)
            for name in ("north_m", "east_m")
        ]
        ship = Vessel(
            mmsi,
            own_ship.lat_deg,
            own_ship.lon_deg,
            sog_kn=number(command, "kn", low=0, high=102, default=0),
            cog_deg=number(command, "cog_deg", low=0, high=359.9, default=0),
            navigation_status=whole(command, "status", low=0, high=15, default=0),
        )
        class_b = "class_b" in command and flag(command, "class_b")
        self._ships[mmsi] = ship.moved(*way_m), now_s, class_b

    def say(self, utc: datetime, now_s: float) -> Iterator[str]:
        """Return where each says that it is now."""
        for ship, since_s, class_b in self._ships.values():
            there = ship.moved(*ship.way_m(now_s - since_s))
            bits = class_b_report(there, utc) if class_b else position_report(there, utc)
            yield from ais("VDM", "AB"[ship.mmsi % 2], bits)
