"""Is another ship in the guard zone, does one loiter, do many come at once?

Off until the ship's file says otherwise (users.md 2a: in a strait these are the ECDIS's alarms once more).
Distances are from own position only while that is trusted: any fix that is not good, or none, and the rules say
that they cannot judge; what stood before goes on standing. Who says that she is anchored or moored and does not
move is no target, nor is what is no ship. What a target says of itself nobody has checked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said, duration
from daemon.alerts.rules.areas import LEAVES_TIMES, AisRules, Area, Inside, Near, Slots, sources
from daemon.model import AisKind, AisTraffic, Fix, Quality
from daemon.navigation.ais_rates import AT_REST
from daemon.navigation.geodesy import bearing_deg, distance_m

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.alerts.rules.api import Holds, Moment
    from daemon.model import AisTarget, Position, Reading, Regime, Ship
    from daemon.points.points import Change

GUARD_ZONE = "ais.guard_zone"
LOITERING = "ais.loitering"
SWARM = "ais.swarm"
BLIND = "ais.rules_blind"

FIX_VALID_S: Final = 30.0
"""An older fix is none: at 20 kn she is 300 m further."""
SHIPS: Final = frozenset({AisKind.CLASS_A, AisKind.CLASS_B})
AT_REST_KN: Final = 1.0
WARM_UP_S: Final = 120.0
"""A class B under way reports each 30 s, and is a target with her second; who is found until then was there before."""
RETURNS_WITHIN_S: Final = 420.0
"""A class B below 2 kn reports each 3 min, and is a target with her second: until then who was there has not left."""
NAMED: Final = 3
"""Of a swarm so many are named, the nearest."""
METRES_PER_DEGREE: Final = 111_000.0


class OtherShipsRule:
    """The ships that one AIS unit hears, around own ship."""

    def __init__(
        self, device: str, *, receivers: Sequence[str], ship: Ship, rules: AisRules, holds: Holds
    ) -> None:
        """Judge what is on; ``receivers`` are the GNSS devices, the first with a good fix is believed."""
        self._rules = rules
        self._own_mmsi = ship.mmsi
        self._source = Source(device, device.upper(), device)
        self._traffic_point = f"{device}.traffic"
        self._fixes: dict[str, tuple[Position, float] | None] = {
            f"{receiver}.fix": None for receiver in receivers
        }
        self.points = frozenset({self._traffic_point, *self._fixes})
        self.devices = frozenset({device})
        self.says = frozenset(
            {
                *((key, device) for key in (BLIND, SWARM)),
                *((key, each.id) for key in (GUARD_ZONE, LOITERING) for each in sources(device)),
            }
        )
        self._traffic: AisTraffic | None = None
        self._warm_s = float("inf")
        self._counts_swarm = False
        self._is_new = False
        self._regime: Regime | None = None
        self._is_blind: bool | None = None
        self._in_zone, self._near, self._in_swarm = Inside(), Inside(), Inside()
        self._awaited: set[int] = set()
        """Who was there when the feed was lost and has not been heard since."""
        self._awaited_until_s = 0.0
        self._intruders = Slots(GUARD_ZONE, device, holds=holds)
        self._loiterers = Slots(LOITERING, device, holds=holds)
        self._swarm_is_restored = holds(SWARM, device)
        self._swarm: tuple[bool, str] = self._swarm_is_restored, ""
        self._is_judged = False
        self._is_off = not _areas(rules)
        self._said_that_it_is_off = False

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        self._warm_s = now_s + WARM_UP_S
        self._awaited_until_s = now_s + RETURNS_WITHIN_S
        if not up:
            self._traffic, self._is_judged = None, False
            for inside in (self._in_zone, self._near, self._in_swarm):
                self._awaited |= inside.since_s.keys()

    def take(self, reading: Reading, change: Change | None) -> None:
        said = reading.value
        if reading.point == self._traffic_point:
            self._traffic = said if isinstance(said, AisTraffic) else None
            self._is_new = self._traffic is not None
        elif reading.quality is Quality.GOOD and isinstance(said, Fix):
            self._fixes[reading.point] = said.position, reading.received_s
        else:
            self._fixes[reading.point] = None

    def look(self, moment: Moment) -> Iterator[Said]:
        if self._said_that_it_is_off:
            return  # what stood under another ship's file has ended, and nothing can begin
        if self._traffic is not None and (self._is_new or moment.regime != self._regime):
            self._is_new, self._regime = False, moment.regime
            self._judge(self._traffic, moment)
        if self._is_blind is not None:
            yield Said(BLIND, self._source, self._is_blind, "own position is not to be trusted")
        if self._is_judged and self._traffic is not None and not self._is_blind:
            yield from self._intruders.said()
            yield from self._loiterers.said()
            yield Said(SWARM, self._source, *self._swarm)
            self._said_that_it_is_off = self._is_off

    def _judge(self, traffic: AisTraffic, moment: Moment) -> None:
        rules, now_s = self._rules, moment.now_s
        on = [area for area in _areas(rules) if area.is_on(moment.regime)]
        own = self._own_position(now_s)
        self._is_blind = bool(on) and own is None
        if self._is_blind:
            return
        if self._awaited:  # a strait has a thousand targets, and seldom is anybody awaited
            self._awaited -= {t.mmsi for t in traffic.targets if t.position is not None}
        if now_s >= self._awaited_until_s:
            self._awaited.clear()
        reach_m = max((area.radius_m for area in on), default=0.0) * LEAVES_TIMES
        nears = [] if own is None or not on else self._nears(traffic, own, reach_m)
        self._guard(nears, moment)
        self._loiter(nears, moment)
        self._count(nears, moment)
        self._is_judged = True

    def _own_position(self, now_s: float) -> Position | None:
        for fix in self._fixes.values():
            if fix is not None and now_s - fix[1] <= FIX_VALID_S:
                return fix[0]
        return None

    def _nears(self, traffic: AisTraffic, own: Position, reach_m: float) -> list[Near]:
        """Return the ships that are not further off and not at rest, the nearest first."""
        reach_deg = reach_m / METRES_PER_DEGREE
        found = []
        for target in traffic.targets:
            place = target.position
            # Most are further off by latitude alone, which costs next to nothing.
            if place is None or abs(place.lat_deg - own.lat_deg) > reach_deg:
                continue
            if self._is_ship_under_way(target) and (off_m := distance_m(own, place)) <= reach_m:
                found.append(Near(target, off_m, bearing_deg(own, place)))
        return sorted(found, key=lambda near: near.off_m)

    def _is_ship_under_way(self, target: AisTarget) -> bool:
        if target.kind not in SHIPS or target.mmsi == self._own_mmsi:
            return False
        speed_kn = math.inf if target.sog_kn is None else target.sog_kn
        return not (target.navigation_status in AT_REST and speed_kn <= AT_REST_KN)

    def _guard(self, nears: list[Near], moment: Moment) -> None:
        zone, now_s = self._rules.guard_zone, moment.now_s
        if zone is None or not zone.is_on(moment.regime):
            self._intruders.clear(now_s)
            self._in_zone.since_s.clear()
            return
        inside = self._in_zone.update(nears, zone.radius_m, now_s, awaited=self._awaited)
        found = [(n.target.mmsi, n.words()) for n in inside]
        is_new = now_s < self._awaited_until_s
        self._intruders.update(found, now_s, awaited=self._awaited, is_new=is_new)

    def _loiter(self, nears: list[Near], moment: Moment) -> None:
        rule, now_s = self._rules.loitering, moment.now_s
        if rule is None or not rule.is_on(moment.regime):
            self._loiterers.clear(now_s)
            self._near.since_s.clear()
            return
        limit_kn, was_slow = rule.slower_than_kn, self._near.since_s
        slow = [
            n
            for n in nears
            if _is_slow(n.target, limit_kn)
            # Speeds scatter as fixes do: a little faster for a moment, and she still stays.
            or (n.target.mmsi in was_slow and _is_slow(n.target, limit_kn, LEAVES_TIMES))
        ]
        # Who stayed when the daemon last stopped has not begun to stay now.
        for near in [n for n in slow if n.off_m <= rule.radius_m][: self._loiterers.restored]:
            self._near.since_s.setdefault(near.target.mmsi, now_s - rule.for_s)
        found = []
        for near in self._near.update(slow, rule.radius_m, now_s, awaited=self._awaited):
            stayed_s = self._near.for_s(near, now_s)
            if stayed_s >= rule.for_s:
                found.append((near.target.mmsi, f"{near.words()}, for {duration(stayed_s)}"))
        is_new = now_s < self._awaited_until_s
        self._loiterers.update(found, now_s, awaited=self._awaited, is_new=is_new)

    def _count(self, nears: list[Near], moment: Moment) -> None:
        rule, now_s = self._rules.swarm, moment.now_s
        was_counted, self._counts_swarm = self._counts_swarm, False
        if rule is None or not rule.is_on(moment.regime):
            self._swarm = False, ""
            self._in_swarm.since_s.clear()
            return
        self._counts_swarm = True
        # Whom we find there at first came at a time that nobody knows.
        came_s = now_s if was_counted and now_s >= self._warm_s else float("-inf")
        inside = [
            near
            for near in self._in_swarm.update(nears, rule.radius_m, came_s, awaited=self._awaited)
            if near.target.sog_kn is None or near.target.sog_kn > rule.faster_than_kn
        ]
        came = [n for n in inside if self._in_swarm.for_s(n, now_s) <= rule.within_s]
        # While they are there it goes on, however long ago they came.
        is_new = now_s < self._awaited_until_s
        self._swarm_is_restored &= is_new and len(inside) < rule.targets
        is_awaited = bool(self._awaited & self._in_swarm.since_s.keys())
        if self._swarm[0] and (is_awaited or self._swarm_is_restored):
            return
        found = inside if self._swarm[0] else came
        named = "; ".join(near.words() for near in found[:NAMED])
        self._swarm = len(found) >= rule.targets, f"{len(found)} targets: {named}"


def _areas(rules: AisRules) -> tuple[Area, ...]:
    every = (rules.guard_zone, rules.loitering, rules.swarm)
    return tuple(area for area in every if area is not None)


def _is_slow(target: AisTarget, limit_kn: float | None, times: float = 1.0) -> bool:
    """Return whether a ship is not faster than so many times this; one that does not say is taken for slow."""
    return limit_kn is None or target.sog_kn is None or target.sog_kn <= limit_kn * times
