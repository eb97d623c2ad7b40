"""Does a UPS run on its battery, and is that battery low?

By the UPS's own relays. Its loss of mains explains nothing but its own device: a cut cable at the UPS says *on battery*
for good, and must not keep the loss of other units from being told. Decision 0034.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Deaf, Said
from daemon.model import ContactState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.alerts.rules.api import Moment
    from daemon.model import Opening, Reading
    from daemon.points.points import Change

ON_BATTERY: Final = "power.battery"
LOW: Final = "power.low"


class PowerRule(Deaf):
    """One UPS."""

    def __init__(
        self, ups: Opening, *, battery: str | None, bus: str | None, rated_min: int | None
    ) -> None:
        """Watch a UPS.

        Args:
            ups: Its mains contact.
            battery: The point of its battery contact; None where it has none.
            bus: The bus on which its device hangs.
            rated_min: How long it holds, in minutes; None where nobody says.
        """
        self._source = Source(ups.id, ups.name, ups.device, bus)
        self._keys = {ups.id: ON_BATTERY} if battery is None else {ups.id: ON_BATTERY, battery: LOW}
        self.says = frozenset((key, ups.id) for key in self._keys.values())
        self._holds = "" if rated_min is None else f"holds {rated_min} min by its sheet"
        self._states: dict[str, ContactState] = {}
        self.points = frozenset(self._keys)

    def take(self, reading: Reading, change: Change | None) -> None:
        self._states.pop(reading.point, None)
        if isinstance(reading.value, ContactState):
            self._states[reading.point] = reading.value

    def look(self, moment: Moment) -> Iterator[Said]:
        for point, key in self._keys.items():
            state = self._states.get(point)
            if state in {ContactState.CLOSED, ContactState.OPEN}:
                is_on = state is ContactState.OPEN
                yield Said(key, self._source, is_on, self._holds if key == ON_BATTERY else "")
