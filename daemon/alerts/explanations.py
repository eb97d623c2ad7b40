"""Which condition explains which? A dead bus is one alert, not one for each door on it.

A key is explained by the keys of its ``depends_on`` and by what these depend on in turn, where the other condition is
about the same device, about the bus that this hangs on, or about the whole ship.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from daemon.alerts.alert import WHOLE_SHIP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.alerts.alert import Source
    from daemon.alerts.catalogue import AlertKind
    from daemon.alerts.conditions import Condition

Place: TypeAlias = tuple[str, str]
"""Key and source of a condition."""


class Explanations:
    """The conditions that hold and may explain others, and those that wait for one of them to end."""

    def __init__(self, catalogue: Mapping[str, AlertKind]) -> None:
        self._causes = {key: frozenset(causes(key, catalogue)) - {key} for key in catalogue}
        self._explaining = frozenset[str]().union(*self._causes.values())
        self._holding: defaultdict[tuple[str, str], set[Place]] = defaultdict(set)
        """By key and device: the conditions that hold now."""
        self._device_of: dict[Place, str] = {}
        self._waiting: defaultdict[str, dict[Place, None]] = defaultdict(dict)
        """By device or bus: what is explained there. In order: what waits longest is told first."""
        self._all_waiting: dict[Place, None] = {}

    def note(self, condition: Condition) -> list[Place]:
        """Take how a condition is now; return what waited for it to end and is to be looked at again."""
        if condition.key not in self._explaining:
            return []
        place, device = condition.place, condition.source.device
        holds, was = condition.wanted or condition.standing, self._device_of.get(place)
        if holds and was == device:
            return []
        freed: list[Place] = []
        if was is not None:
            freed = self._ends(condition.key, place, was)
        if holds:
            self._device_of[place] = device
            self._holding[condition.key, device].add(place)
        return freed

    def explains(self, key: str, source: Source) -> bool:
        """Return whether something that holds now explains this key there."""
        causes = self._causes[key]
        if not causes or not self._holding:
            return False
        return any(
            (cause, device) in self._holding
            for device in (*_devices(source), *WHOLE_SHIP)
            for cause in causes
        )

    def wait(self, place: Place, source: Source) -> None:
        """Let a condition wait until it is explained no more."""
        self._all_waiting[place] = None
        for device in _devices(source):
            self._waiting[device][place] = None

    def forget(self, place: Place, source: Source) -> None:
        """Let a condition wait no more."""
        if place in self._all_waiting:
            del self._all_waiting[place]
            for device in _devices(source):
                del self._waiting[device][place]

    def _ends(self, key: str, place: Place, device: str) -> list[Place]:
        del self._device_of[place]
        holding = self._holding[key, device]
        holding.discard(place)
        if holding:
            return []
        del self._holding[key, device]
        return list(self._all_waiting if device in WHOLE_SHIP else self._waiting[device])


def causes(key: str, catalogue: Mapping[str, AlertKind]) -> list[str]:
    """Return everything that a key depends on, the nearest first: itself too, where that goes round in a ring."""
    found: dict[str, None] = {}
    nearest = [key]
    while nearest:
        further = [cause for each in nearest for cause in catalogue[each].depends_on]
        nearest = [c for c in dict.fromkeys(further) if c in catalogue and c not in found]
        found |= dict.fromkeys(nearest)
    return list(found)


def _devices(source: Source) -> tuple[str, ...]:
    """Return the device and the bus of a source."""
    return (source.device,) if source.bus in {None, source.device} else (source.device, source.bus)
