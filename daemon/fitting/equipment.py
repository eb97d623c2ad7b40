"""What of this ship can be out of service, what can an alert be about, and how is a piece of equipment just now?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.alerts.rules import areas
from daemon.alerts.rules.gnss import SOURCE as GNSS
from daemon.model import (
    Classification,
    ContactState,
    DoorClass,
    LinkState,
    Outcome,
    Quality,
)
from daemon.orders.equipment import Equipment, Found
from daemon.stations.gangwayprompt import SOURCE as GANGWAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from daemon.alerts.rules.api import Rule
    from daemon.config import Config
    from daemon.config.shape import Device
    from daemon.supervision.supervise import Supervisor
    from daemon.testing.readiness import Test
    from daemon.watch.watch import Watch

OURSELVES = "ispsd"
WITHOUT_RULES = frozenset({OURSELVES, GANGWAY.id})
"""Of these ispsd itself says what holds, on every ship."""
CONTACTS = frozenset({ContactState.CLOSED, ContactState.OPEN})


def device_name(device: Device) -> str:
    """Return the short name of a device: its own, as a camera has, or its id."""
    return str(getattr(device.config, "name", device.id.upper()))


def behind(config: Config) -> frozenset[str]:
    """Return what cameras and their recorder hang on together, such as a switch."""
    named = (getattr(device.config, "behind", None) for device in config.devices)
    return frozenset(each for each in named if each is not None)


def names(config: Config) -> dict[str, str]:
    """Return the short name of everything that an alert of this ship can be about; alerts of others end at a start."""
    found = {
        **{d.id: device_name(d) for d in config.devices if not d.spec.covert},
        **{each: each.upper() for each in behind(config)},
        **{bus: bus.upper() for bus in config.buses},
        **{opening.id: opening.name for opening in config.openings},
        GNSS: GNSS.upper(),
        OURSELVES: OURSELVES.upper(),
    }
    for device in config.devices:
        found |= {source.id: source.name for source in areas.sources(device.id)}
    if any(station.gangway for station in config.stations):
        found[GANGWAY.id] = GANGWAY.name
    return found


def gives(rules: Iterable[Rule]) -> Callable[[str, str], bool]:
    """Return what tells whether anything of this ship can still say that an alert of a key, about a source, is over.

    A door of another class, a lock that was taken away, a switch with one camera left: nobody would ever say so.
    """
    said = frozenset(place for rule in rules for place in rule.says)
    return lambda key, source: source in WITHOUT_RULES or (key, source) in said


def equipment(config: Config, tests: Iterable[Test]) -> dict[str, Equipment]:
    """Return everything that can be taken out of service, by its id: openings, devices, and what has tests."""
    classes = {opening.id: opening.door_class for opening in config.openings}
    found: dict[str, Equipment] = {}
    for test in tests:
        id_ = test.config.equipment
        known = found.get(id_)
        covert = test.classification is Classification.SSO or (known is not None and known.covert)
        found[id_] = Equipment(id_, test.config.name, covert=covert)
    vital = {
        opening.id
        for opening in config.openings
        if DoorClass.VITAL in {classes[opening.id], classes.get(opening.of or "")}
    }
    # Who silences the loss of a unit silences that of every door on it.
    vital |= {opening.device for opening in config.openings if opening.id in vital}
    for device in config.devices:
        id_, covert = device.id, device.spec.covert
        name = found[id_].name if id_ in found and not covert else device_name(device)
        covert = covert or (id_ in found and found[id_].covert)
        found[id_] = Equipment(id_, name, vital=id_ in vital, covert=covert)
    for opening in config.openings:
        found[opening.id] = Equipment(opening.id, opening.name, vital=opening.id in vital)
    return found


class Condition:
    """Looks at a piece of equipment."""

    def __init__(
        self, *, watch: Watch, supervisors: Iterable[Supervisor], tests: Mapping[str, Test]
    ) -> None:
        self._watch = watch
        self._supervisors = {each.device: each for each in supervisors}
        self._tests = tests

    def of(self, item: Equipment) -> Found:
        """Return how it is now: what its sensor says, or its link, or its newest test."""
        if item.covert:
            return Found("is not looked at outside a test window: test it first", is_healthy=False)
        if item.id in self._watch.points.ids():
            return self._sensor(item.id)
        if (supervisor := self._supervisors.get(item.id)) is not None:
            is_up = supervisor.status.link is LinkState.UP
            words = "its link is up" if is_up else f"its link is down: {supervisor.status.reason}"
            return Found(words[:200], is_healthy=is_up)
        results = [t.last for t in self._tests.values() if t.config.equipment == item.id]
        last = max((r for r in results if r is not None), key=lambda r: r.ended_utc, default=None)
        if last is None:
            return Found("was never tested", is_healthy=False)
        is_proven = last.outcome is Outcome.PASSED
        words = "passed its newest test" if is_proven else f"did not pass: {last.reason}"
        return Found(words[:200], is_healthy=is_proven)

    def _sensor(self, point: str) -> Found:
        reading = self._watch.newest(point)
        if self._watch.proving.is_proved(point) is False:
            return Found("is not proved", is_healthy=False)
        if reading is None or reading.value is None:
            return Found("is not seen", is_healthy=False)
        if reading.quality is not Quality.GOOD:
            return Found(f"is {reading.quality.value}", is_healthy=False)
        if isinstance(reading.value, ContactState) and reading.value not in CONTACTS:
            return Found("has a line fault", is_healthy=False)
        return Found(f"is seen {reading.value}", is_healthy=True)
