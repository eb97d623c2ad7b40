"""Do the deck, overside and gangway lights burn while it is dark?

Source: ISPS B/9.46. Darkness is reckoned from the ship's own position, which counts only while nothing makes it
suspect; she lies still where this rule is asked (in port, at anchor), so that the last position that could be believed
holds for hours. Where none is known, or the clock was lost, nothing is said: ``lighting``, the daily test, is then NOT
PROVEN. Decision 0034.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Deaf, Said
from daemon.computer.clock import EARLIEST_PLAUSIBLE_UTC
from daemon.model import ContactState, Fix, LightCircuit, Quality
from daemon.navigation.daylight import must_be_lit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from daemon.alerts.rules.api import Moment
    from daemon.model import Opening, Position, Reading
    from daemon.points.points import Change

KEYS: Final = {
    LightCircuit.DECK: "light.deck",
    LightCircuit.OVERSIDE: "light.deck",
    LightCircuit.GANGWAY: "light.gangway",
}
BELIEVED_FOR_S: Final = 12 * 3600.0
"""So long a position holds after it was last believed: even at 20 kn sunset moves by 16 min meanwhile."""
LOOK_S: Final = 60.0
"""The sun is looked at so often, in seconds."""


class LightsRule(Deaf):
    """All lights of the ship."""

    def __init__(
        self,
        lights: Iterable[Opening],
        *,
        circuits: Mapping[str, LightCircuit],
        buses: Mapping[str, str | None],
        fixes: Iterable[str],
    ) -> None:
        """Watch lights.

        Args:
            lights: Their contacts.
            circuits: What each lights, by its id.
            buses: The bus on which each device hangs.
            fixes: The points at which receivers tell of their fixes.
        """
        self._sources = {
            light.id: Source(light.id, light.name, light.device, buses.get(light.device))
            for light in lights
        }
        self._keys = {id_: KEYS[circuits[id_]] for id_ in self._sources}
        self.says = frozenset((key, id_) for id_, key in self._keys.items())
        self._states: dict[str, ContactState] = {}
        self._fix: tuple[Position, float] | None = None
        self._believed: tuple[Position, float] | None = None
        self._dark: bool | None = None
        self._looked_s: float | None = None
        self.points = frozenset({*self._sources, *fixes})

    def take(self, reading: Reading, change: Change | None) -> None:
        if isinstance(reading.value, Fix):
            if reading.quality is Quality.GOOD:
                self._fix = reading.value.position, reading.received_s
        elif reading.point in self._sources:
            self._states.pop(reading.point, None)
            if isinstance(reading.value, ContactState):
                self._states[reading.point] = reading.value

    def look(self, moment: Moment) -> Iterator[Said]:
        is_dark = self._is_dark(moment)
        for id_, source in self._sources.items():
            state = self._states.get(id_)
            if state is ContactState.CLOSED:
                yield Said(self._keys[id_], source, active=False)
            elif state is ContactState.OPEN and is_dark is not None:
                yield Said(self._keys[id_], source, is_dark, "no current, and the sun is down")

    def _is_dark(self, moment: Moment) -> bool | None:
        """Return whether it is dark; None where nobody knows where the ship is, or what time it is."""
        if not moment.position_is_suspect and self._fix is not None:
            self._believed = self._fix
        is_old = self._believed is None or moment.now_s - self._believed[1] > BELIEVED_FOR_S
        if self._believed is None or is_old or moment.now_utc < EARLIEST_PLAUSIBLE_UTC:
            self._dark = self._looked_s = None
        elif self._looked_s is None or not 0 <= moment.now_s - self._looked_s < LOOK_S:
            self._looked_s = moment.now_s
            self._dark = must_be_lit(self._believed[0], moment.now_utc)
        return self._dark
