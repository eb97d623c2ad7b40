"""What is the ship doing? Situation, threat area and ship's time, as a person says.

Who may is the table of ``daemon.people.authority``; a name is a claim here, as a station's is, since none of these
asks for a PIN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError
from daemon.orders.ordering import HOUR_MIN, OFFICERS
from daemon.orders.relaxing import ask_twice
from daemon.people import authority
from daemon.people.authority import Act
from daemon.ship.state import ship_time

if TYPE_CHECKING:
    import asyncio

    from daemon.model import Situation
    from daemon.orders.ordering import Ordering
    from daemon.people.claims import By
    from daemon.record.entry import Entry

SHIP_TIMES_MIN: Final = range(-12 * HOUR_MIN, 14 * HOUR_MIN + 1, 15)


class ShipOrders:
    """Carries out what is ordered about the ship herself."""

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering
        self._ship = ordering.ship

    def situation(
        self, situation: Situation, by: By, *, confirmed: bool = False
    ) -> asyncio.Future[Entry]:
        """Say what the ship is doing now.

        Raises:
            RefusedError: The person may not, or it relaxes the watch and was not asked twice.
        """
        by.must_be(OFFICERS, "set the situation")
        if not confirmed:
            ask_twice(self._ordering, Act.SITUATION, by, situation=situation)
        before = self._ship.situation
        self._ship.take_situation(situation)
        said = {"from": before, "to": situation}
        return self._ordering.ordered("situation.changed", by, said)

    def threat(self, by: By, *, on: bool, confirmed: bool = False) -> asyncio.Future[Entry]:
        """Enter or leave a threat area as assessed for the voyage.

        Raises:
            RefusedError: The person may not, or it relaxes the watch and was not asked twice.
        """
        by.must_be(authority.roles(Act.THREAT), "enter or leave a threat area")
        if not confirmed:
            ask_twice(self._ordering, Act.THREAT, by, threat=on)
        self._ship.threat = on
        return self._ordering.ordered("threat.changed", by, {"on": on})

    def ship_time(self, offset_min: int, by: By) -> asyncio.Future[Entry]:
        """Change ship's time.

        Raises:
            RefusedError: The person may not, or there is no such time.
        """
        by.must_be(authority.roles(Act.SHIP_TIME), "change ship's time")
        if offset_min not in SHIP_TIMES_MIN:
            raise RefusedError("ship's time is UTC -12 h to +14 h, in quarters of an hour")
        self._ship.ship_time = ship_time(offset_min)
        return self._ordering.ordered("ship_time.changed", by, {"offset_min": offset_min})
