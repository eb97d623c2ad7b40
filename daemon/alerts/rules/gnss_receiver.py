"""Is what one receiver says of position believable by itself? Fix lost or poor, a jump, a height no ship has.

Pure and small: each is told readings and the time, and says in words what is odd, or None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.alerts.rules.gnss_limits import (
    FRESH_S,
    HEIGHT_M,
    HIGHEST_ANTENNA_M,
    JUMP_M,
    JUMP_REMEMBERED_S,
    JUMP_TIMES,
    LEAST_SATELLITES,
    MOST_HDOP,
    UNKNOWN_SPEED_KN,
)
from daemon.navigation.geodesy import KNOT_M_S, distance_m

if TYPE_CHECKING:
    from daemon.model import Fix, Position

NO_SATELLITES = frozenset({6, 7, 8})
"""GGA fix quality: dead reckoning, typed in, simulator: the receiver itself says that no satellite gave it."""


class Lasting:
    """Something that counts only when it was so for a time without a break."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._since_s: float | None = None

    def see(self, now_s: float, *, is_so: bool) -> None:
        """Take what is so now; what cannot be known is not so."""
        if not is_so:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = now_s

    def holds(self, now_s: float) -> bool:
        return self._since_s is not None and now_s - self._since_s >= self._for_s


@dataclass(frozen=True, slots=True)
class Seen:
    """A fix, when it came, and how fast she was.

    Attributes:
        speed_kn: Over ground; what any ship may make where that is not known.
        of_day_s: At which second of the UTC day it was so, by the receiver.
    """

    position: Position
    at_s: float
    speed_kn: float
    of_day_s: float | None = None

    def allows_m(self, now_s: float) -> float:
        """Return how far off a ship that was here may be now, in metres."""
        return JUMP_M + JUMP_TIMES * self.speed_kn * KNOT_M_S * max(0.0, now_s - self.at_s)


def poor(fix: Fix) -> str | None:
    """Say what is wrong with a fix that the receiver gives; None where it is good enough."""
    if fix.satellites is not None and fix.satellites < LEAST_SATELLITES:
        return f"uses {fix.satellites} satellites"
    if fix.hdop is not None and fix.hdop > MOST_HDOP:
        return f"has HDOP {fix.hdop:.1f}"
    return None


def odd_height(fix: Fix, antenna_m: float | None) -> str | None:
    """Say that the antenna cannot be so high over the sea (GGA field 9 is over the geoid)."""
    lowest_m, highest_m = (0.0, HIGHEST_ANTENNA_M) if antenna_m is None else (antenna_m, antenna_m)
    if fix.altitude_m is None or lowest_m - HEIGHT_M <= fix.altitude_m <= highest_m + HEIGHT_M:
        return None
    return f"says a height of {fix.altitude_m:.0f} m"


class Jump:
    """A fix that no ship could reach from where she was."""

    def __init__(self) -> None:
        self._from: Seen | None = None
        self._newest: Seen | None = None

    def see(self, seen: Seen) -> None:
        origin = self._from or self._newest
        if origin is not None:
            is_off = distance_m(origin.position, seen.position) > origin.allows_m(seen.at_s)
            is_old = seen.at_s - origin.at_s > JUMP_REMEMBERED_S
            self._from = origin if is_off and not is_old else None
        self._newest = seen

    def words(self) -> str | None:
        if self._from is None or self._newest is None:
            return None
        return f"jumped {distance_m(self._from.position, self._newest.position):.0f} m"


class Receiver:
    """What one GNSS receiver says of where she is and how she moves."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.name = device.upper()
        self.is_up = False
        self.fix: Fix | None = None
        self.newest: Seen | None = None
        self.unmoved_s: float | None = None
        """Since when the position has not changed by a digit."""
        self.sog_kn: float | None = None
        self.cog_deg: float | None = None
        self._has_fix: bool | None = None
        self._jump = Jump()

    def take_fix(self, fix: Fix | None, now_s: float) -> None:
        self._has_fix = fix is not None and fix.fix_quality not in NO_SATELLITES
        self.fix = fix if self._has_fix else None
        if fix is None or not self._has_fix or poor(fix):
            # A poor solution jumps and is too high by itself: it is held against nothing, being said to be poor.
            self.unmoved_s = None
            return
        if self.newest is None or self.newest.position != fix.position or self.unmoved_s is None:
            self.unmoved_s = now_s
        speed_kn = UNKNOWN_SPEED_KN if self.sog_kn is None else self.sog_kn
        self.newest = Seen(fix.position, now_s, speed_kn, fix.of_day_s)
        self._jump.see(self.newest)

    def fresh(self, now_s: float) -> Seen | None:
        """Return the newest fix, where it is new enough to be compared."""
        if not self.is_up or self.newest is None or now_s - self.newest.at_s > FRESH_S:
            return None
        return self.newest

    def weak(self) -> str | None:
        """Say that it has no fix, or a poor one."""
        if self._has_fix is False:
            return "has no fix"
        return None if self.fix is None else poor(self.fix)

    def jumped(self) -> str | None:
        return self._jump.words()

    def height(self, antenna_m: float | None) -> str | None:
        if self.fix is None or poor(self.fix):
            return None
        return odd_height(self.fix, antenna_m)
