"""Does what a receiver says fit what others say: the other receiver, log and compass, the AIS unit?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from daemon.alerts.rules.gnss_limits import (
    AIS_ALERTS,
    APART_M,
    CLOCKS_APART_S,
    COURSE_FROM_KN,
    COURSE_OFF_DEG,
    DISAGREES_S,
    EXTERNAL_LOST,
    FRESH_S,
    FROZEN_S,
    FROZEN_STW_KN,
    ONE_POINT_FROM_M,
    ONE_POINT_S,
    ONE_POINT_SHARE,
    REPORT_FRESH_S,
    VDO_APART_M,
)
from daemon.alerts.rules.gnss_receiver import Lasting
from daemon.model import AisReport, EquipmentReport, Heading
from daemon.navigation.geodesy import KNOT_M_S, distance_m, turn_deg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.alerts.rules.gnss_limits import Antennas
    from daemon.alerts.rules.gnss_receiver import Receiver, Seen
    from daemon.model import Value

REPORTS_WANTED = 2
"""One own report off its place may be the one that was on its way while she turned."""


def moved_m(here: Seen, there: Seen) -> float:
    """Return how far she may have gone between two fixes, in metres."""
    return max(here.speed_kn, there.speed_kn) * KNOT_M_S * abs(here.at_s - there.at_s)


class Pair:
    """Two receivers."""

    def __init__(self, one: str, other: str, antennas: Antennas) -> None:
        self._devices = one, other
        self._names = f"{one.upper()} and {other.upper()}"
        self._apart_m = antennas.apart_m
        self._one_point = Lasting(ONE_POINT_S)
        self._of_one_moment_s = float("-inf")
        """When two fixes of one moment were last held together."""

    def look(self, receivers: dict[str, Receiver], now_s: float) -> str | None:
        """Say that they part, or that they are at one point though their antennas are not."""
        here, there = (receivers[device].fresh(now_s) for device in self._devices)
        if here is None or there is None or abs(here.at_s - there.at_s) > CLOCKS_APART_S:
            self._one_point.see(now_s, is_so=False)
            return None
        distance = distance_m(here.position, there.position)
        self._look_for_one_point(here, there, distance, now_s)
        if distance > APART_M + self._apart_m + moved_m(here, there):
            return f"{self._names} are {distance:.0f} m apart"
        if self._one_point.holds(now_s):
            return f"{self._names} are at one point, their antennas {self._apart_m:.0f} m apart"
        return None

    def _look_for_one_point(self, here: Seen, there: Seen, distance: float, now_s: float) -> None:
        """Hold fixes of one moment together: under way one second makes more than the antennas' distance.

        Where the receivers name no moment, or never the same one, what she made between the two counts against it.
        """
        is_of_one_moment = here.of_day_s is not None and here.of_day_s == there.of_day_s
        if is_of_one_moment:
            self._of_one_moment_s = now_s
        elif now_s - self._of_one_moment_s <= CLOCKS_APART_S:
            return
        between_m = 0.0 if is_of_one_moment else moved_m(here, there)
        known = self._apart_m >= ONE_POINT_FROM_M
        close = known and distance + between_m < ONE_POINT_SHARE * self._apart_m
        self._one_point.see(now_s, is_so=close)


class LogAndCompass:
    """Log and compass, if there are any, against each receiver."""

    def __init__(self, devices: Sequence[str], antennas: Antennas) -> None:
        self._most_off_kn = antennas.current_kn
        self._speed = {device: Lasting(DISAGREES_S) for device in devices}
        self._course = {device: Lasting(DISAGREES_S) for device in devices}
        self._under_way = Lasting(FROZEN_S)
        self._water_kn: tuple[float, float] | None = None
        self._heading_deg: tuple[float, float] | None = None

    def take(self, value: Value | None, now_s: float) -> None:
        """Take what log (knots) or compass says; None is nothing."""
        if isinstance(value, Heading):
            self._heading_deg = value.true_deg, now_s
        elif isinstance(value, float):
            self._water_kn = value, now_s

    def look(self, receiver: Receiver, now_s: float) -> Iterator[str]:
        device, water_kn = receiver.device, _fresh(self._water_kn, now_s)
        heading_deg = _fresh(self._heading_deg, now_s)
        is_heard = receiver.fresh(now_s) is not None
        sog_kn = receiver.sog_kn if is_heard else None
        under_way = water_kn is not None and abs(water_kn) > FROZEN_STW_KN
        self._under_way.see(now_s, is_so=under_way)
        unmoved_s = 0.0 if receiver.unmoved_s is None else now_s - receiver.unmoved_s
        is_frozen = is_heard and unmoved_s >= FROZEN_S and self._under_way.holds(now_s)
        off_kn = None if water_kn is None or sog_kn is None else abs(sog_kn - abs(water_kn))
        self._speed[device].see(now_s, is_so=off_kn is not None and off_kn > self._most_off_kn)
        off_deg = None
        if water_kn is not None and sog_kn is not None and min(water_kn, sog_kn) > COURSE_FROM_KN:
            off_deg = _between_deg(receiver.cog_deg, heading_deg)
        most_deg = COURSE_OFF_DEG if water_kn is None else self._set_deg(water_kn)
        self._course[device].see(now_s, is_so=off_deg is not None and off_deg > most_deg)
        if is_frozen and water_kn is not None:
            yield f"{receiver.name} stands still, log says {abs(water_kn):.1f} kn"
        elif self._speed[device].holds(now_s) and sog_kn is not None and water_kn is not None:
            yield f"{receiver.name} says {sog_kn:.1f} kn, log says {abs(water_kn):.1f} kn"
        if self._course[device].holds(now_s) and off_deg is not None:
            yield f"{receiver.name} course is {off_deg:.0f} deg off the heading"

    def _set_deg(self, water_kn: float) -> float:
        """Return how far the stream of the voyage can set a ship of this speed off her heading, in degrees."""
        share = self._most_off_kn / max(abs(water_kn), self._most_off_kn)
        return max(COURSE_OFF_DEG, math.degrees(math.asin(share)))


class AisUnit:
    """One AIS unit: where it says own ship is, and what it says of its own position."""

    def __init__(self, device: str, antennas: Antennas) -> None:
        self._name = device.upper()
        self._apart_m = VDO_APART_M + antennas.apart_m
        self._off: dict[str, int] = {}
        self._off_m = 0.0
        self._heard_s = float("-inf")
        self._said: tuple[int, ...] = ()

    def lose(self) -> None:
        self._off.clear()
        self._said = ()

    def take(self, value: Value | None, receivers: dict[str, Receiver], now_s: float) -> None:
        """Take own report or the unit's alerts; None is nothing."""
        if isinstance(value, EquipmentReport):
            standing = {each.number for each in value.alerts if each.active}
            self._said = tuple(number for number in AIS_ALERTS if number in standing)
        elif isinstance(value, AisReport) and value.position is not None:
            self._heard_s = now_s
            for device, receiver in receivers.items():
                fix = receiver.fresh(now_s)
                if fix is None:
                    self._off.pop(device, None)
                    continue
                distance = distance_m(fix.position, value.position)
                if distance <= self._apart_m + fix.speed_kn * KNOT_M_S * (now_s - fix.at_s):
                    self._off.pop(device, None)
                    continue
                self._off[device] = self._off.get(device, 0) + 1
                self._off_m = distance

    def odd(self, now_s: float) -> Iterator[str]:
        """Say what its own position or its own receiver speaks of."""
        off = [device for device, times in self._off.items() if times >= REPORTS_WANTED]
        if off and now_s - self._heard_s <= REPORT_FRESH_S:
            yield f"{self._name} is {self._off_m:.0f} m from {', '.join(off).upper()}"
        for number in self._said:
            if number != EXTERNAL_LOST:
                yield f"{self._name} alert {number:03d}: {AIS_ALERTS[number]}"

    def without_receiver(self) -> str | None:
        """Say that the ship's own receiver fell silent to it: a consequence, not a witness of its own."""
        if EXTERNAL_LOST in self._said:
            return f"{self._name} alert {EXTERNAL_LOST:03d}: {AIS_ALERTS[EXTERNAL_LOST]}"
        return None


def _fresh(seen: tuple[float, float] | None, now_s: float) -> float | None:
    return seen[0] if seen is not None and now_s - seen[1] <= FRESH_S else None


def _between_deg(one_deg: float | None, other_deg: float | None) -> float | None:
    return None if one_deg is None or other_deg is None else abs(turn_deg(one_deg, other_deg))
