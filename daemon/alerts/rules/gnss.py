"""Can the position be believed? Fix lost, a jump that no ship makes, two receivers that disagree.

Source: the indicators and starting thresholds of MSC.1/Circ.1644 practice; no IMO figures exist. While a receiver's
feed is lost it gives no indication: that is said by the feed's own alert.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said
from daemon.geodesy import distance_m
from daemon.model import Fix, Motion, Quality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.alerts.rules.api import Moment
    from daemon.model import Position, Reading
    from daemon.points import Change

SUSPECT = "gnss.suspect"
SOURCE = "gnss"
"""All receivers together are what the alert is about."""
JUMP_M = 100.0
JUMP_TIMES = 3.0
"""A fix further off than so many times what the speed allows, and 100 m, is a jump."""
JUMP_REMEMBERED_S = 600.0
"""How long a position is held against the place that it jumped from."""
UNKNOWN_SPEED_KN = 30.0
"""A ship whose speed is not known may make so much."""
APART_M = 50.0
KNOT_M_S = 1852.0 / 3600.0
FRESH_S = 10.0
CLOCKS_APART_S = 5.0
"""Two fixes are compared when they came within so long of each other."""


@dataclass(frozen=True, slots=True)
class _Seen:
    position: Position
    at_s: float
    speed_kn: float

    def allows_m(self, now_s: float) -> float:
        """Return how far off a ship that was here may be now, in metres."""
        return JUMP_M + JUMP_TIMES * self.speed_kn * KNOT_M_S * max(0.0, now_s - self.at_s)


class _Receiver:
    """One GNSS receiver."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.is_up = False
        self.has_fix: bool | None = None
        self.newest: _Seen | None = None
        self._speed_kn: float | None = None
        self._jumped_from: _Seen | None = None

    def take_motion(self, motion: Motion) -> None:
        self._speed_kn = motion.sog_kn

    def take_fix(self, fix: Fix | None, quality: Quality, now_s: float) -> None:
        self.has_fix = fix is not None and quality is Quality.GOOD
        if fix is None or not self.has_fix:
            return
        speed_kn = UNKNOWN_SPEED_KN if self._speed_kn is None else self._speed_kn
        seen = _Seen(fix.position, now_s, speed_kn)
        origin = self._jumped_from or self.newest
        if origin is not None:
            is_off = distance_m(origin.position, seen.position) > origin.allows_m(now_s)
            is_old = now_s - origin.at_s > JUMP_REMEMBERED_S
            self._jumped_from = origin if is_off and not is_old else None
        self.newest = seen

    def lose(self) -> None:
        self.is_up, self.has_fix, self.newest, self._jumped_from = False, None, None, None

    def indications(self) -> Iterator[str]:
        if not self.is_up:
            return
        if self.has_fix is False:
            yield f"{self.device.upper()} has no fix"
        if self._jumped_from is not None and self.newest is not None:
            off_m = distance_m(self._jumped_from.position, self.newest.position)
            yield f"{self.device.upper()} jumped {off_m:.0f} m"

    def fresh(self, now_s: float) -> _Seen | None:
        """Return the newest fix, where it is new enough to be compared."""
        if not self.is_up or self.newest is None or now_s - self.newest.at_s > FRESH_S:
            return None
        return self.newest


class GnssRule:
    """All GNSS receivers of the ship."""

    def __init__(self, devices: Sequence[str], *, antennas_apart_m: float) -> None:
        """Watch receivers whose antennas stand at most so far from each other, in metres."""
        self._receivers = {device: _Receiver(device) for device in devices}
        self._apart_m = APART_M + antennas_apart_m
        self._source = Source(SOURCE, SOURCE.upper(), SOURCE)
        self.devices = frozenset(devices)
        self.points = frozenset(f"{d}.{name}" for d in devices for name in ("fix", "motion"))

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        if up:
            self._receivers[device].is_up = True
        else:
            self._receivers[device].lose()

    def take(self, reading: Reading, change: Change | None) -> None:
        device, _, name = reading.point.rpartition(".")
        receiver = self._receivers[device]
        if isinstance(reading.value, Motion):
            receiver.take_motion(reading.value)
        elif name == "fix" and reading.quality is not Quality.STALE and receiver.is_up:
            fix = reading.value if isinstance(reading.value, Fix) else None
            receiver.take_fix(fix, reading.quality, reading.received_s)

    def look(self, moment: Moment) -> Iterator[Said]:
        if any(receiver.is_up for receiver in self._receivers.values()):
            found = [word for r in self._receivers.values() for word in r.indications()]
            found += self._disagreements(moment.now_s)
            yield Said(SUSPECT, self._source, bool(found), "; ".join(found))

    def _disagreements(self, now_s: float) -> Iterator[str]:
        for one, other in combinations(self._receivers.values(), 2):
            here, there = one.fresh(now_s), other.fresh(now_s)
            if here is None or there is None or abs(here.at_s - there.at_s) > CLOCKS_APART_S:
                continue
            apart_m = distance_m(here.position, there.position)
            fastest_kn = max(here.speed_kn, there.speed_kn)
            moved_m = fastest_kn * KNOT_M_S * abs(here.at_s - there.at_s)
            if apart_m > self._apart_m + moved_m:
                names = f"{one.device.upper()} and {other.device.upper()}"
                yield f"{names} are {apart_m:.0f} m apart"
