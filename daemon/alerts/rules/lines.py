"""Is the line of a contact whole that no rule of doors and seals watches: a light's, a UPS's, a lock's?

A line in fault says neither lit nor out, neither mains nor battery: what stood goes on standing, and somebody has to
know that nothing more will be heard of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Deaf, Said
from daemon.alerts.rules.openings import LINE_FAULT
from daemon.model import ContactState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.alerts.rules.api import Moment
    from daemon.model import Opening, Reading
    from daemon.points.points import Change


class LineRule(Deaf):
    """The line of one contact."""

    def __init__(self, opening: Opening, *, bus: str | None) -> None:
        """Watch it; ``bus`` is what its device hangs on."""
        self._source = Source(opening.id, opening.name, opening.device, bus)
        self._state: ContactState | None = None
        self.points = frozenset({opening.id})
        self.says = frozenset({(LINE_FAULT, opening.id)})

    def take(self, reading: Reading, change: Change | None) -> None:
        self._state = reading.value if isinstance(reading.value, ContactState) else None

    def look(self, moment: Moment) -> Iterator[Said]:
        if self._state is not None:
            yield Said(LINE_FAULT, self._source, self._state is ContactState.LINE_FAULT)
