"""Which door may be opened for which work, and until when? Permits to open, which end by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from daemon import forms
from daemon.errors import RefusedError
from daemon.model import Permit
from daemon.orders.ordering import MINUTE_S
from daemon.people import authority
from daemon.people.authority import ENGINE_DOORS, Act, Only

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from daemon.model import Json, Opening, Person
    from daemon.orders.ordering import Ordering
    from daemon.people.claims import By
    from daemon.record.entry import Entry


class Permits:
    """Gives and ends permits."""

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering
        self._ship = ordering.ship

    def give(
        self, door: str, by: By, *, worker: str, work: str, minutes: int
    ) -> asyncio.Future[Entry]:
        """Permit a door to be opened for a time; a permit that runs is replaced: so it is extended.

        Raises:
            RefusedError: The person may not, or not this door, or not for so long.
        """
        opening = self._ordering.door(door)
        longest_min = _longest_min(by.person, opening, worker)
        if not 1 <= minutes <= longest_min:
            raise RefusedError(f"{by.person.name} may permit 1 to {longest_min} min, not {minutes}")
        if not worker or not work:
            raise RefusedError("who works there and what the work is are wanted")
        seconds = minutes * MINUTE_S
        ends_utc = self._ordering.clock.utc() + timedelta(seconds=seconds)
        ends_s = self._ordering.clock.now_s() + seconds
        self._ship.permits[door] = Permit(door, worker, work, ends_utc, ends_s, by.person.name)
        said: Mapping[str, Json] = {
            "door": door,
            "name": opening.name,
            "person": worker,
            "work": work,
            "ends": forms.utc(ends_utc),
            "minutes": minutes,
        }
        return self._ordering.ordered("permit.given", by, said, subject=door)

    def end(self, door: str, by: By) -> asyncio.Future[Entry]:
        """End a permit before its time.

        Raises:
            RefusedError: There is none, or the person could not have given it.
        """
        permit = self._ship.permits.get(door)
        if permit is None:
            raise RefusedError(f"there is no permit for {door}")
        _longest_min(by.person, self._ordering.door(door), permit.person)
        written = self._ordering.watch.end_permit(permit, by.actor())
        self._ordering.watch.reconsider()
        return written


def _longest_min(person: Person, door: Opening, worker: str) -> int:
    """Return how long a permit of this person for that door may run; the ETO's is for his own work only.

    Raises:
        RefusedError: The person may give none.
    """
    minutes = [
        cell.limit_min
        for cell in authority.cells(Act.PERMIT, person.roles)
        if cell.limit_min is not None
        and (cell.only is not Only.ENGINE_SPACES or door.door_class in ENGINE_DOORS)
        and (cell.only is not Only.OWN_WORK or worker == person.name)
    ]
    if not minutes:
        raise RefusedError(f"{person.name} may not give {worker} a permit for {door.name}")
    return max(minutes)
