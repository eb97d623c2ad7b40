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
from daemon.record.waiting import let_go

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

        One of another worker ends with that.

        Raises:
            RefusedError: The person may not, or not this door, or not for so long, or not end the permit that runs.
        """
        opening = self._ordering.door(door)
        longest_min = _longest_min(by.person, opening, worker)
        if not 1 <= minutes <= longest_min:
            raise RefusedError(f"{by.person.name} may permit 1 to {longest_min} min, not {minutes}")
        if not worker or not work:
            raise RefusedError("who works there and what the work is are wanted")
        running = self._ship.permits.get(door)
        if running is not None and running.person != worker:
            # Not judged again before the new one counts: an open door is under a permit all the while.
            let_go(self._end(running, by))
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
        written = self._end(permit, by)
        self._ordering.watch.reconsider()
        return written

    def _end(self, permit: Permit, by: By) -> asyncio.Future[Entry]:
        opening = self._ordering.door(permit.door)
        if not _limits_min(by.person, opening, permit.person):
            raise RefusedError(
                f"{by.person.name} may not end the permit of {permit.person} for {opening.name}"
            )
        return self._ordering.watch.end_permit(permit, by.actor())


def _longest_min(person: Person, door: Opening, worker: str) -> int:
    """Return how long a permit of this person for that door may run; the ETO's is for his own work only.

    Raises:
        RefusedError: The person may give none.
    """
    minutes = _limits_min(person, door, worker)
    if not minutes:
        raise RefusedError(f"{person.name} may not give {worker} a permit for {door.name}")
    return max(minutes)


def _limits_min(person: Person, door: Opening, worker: str) -> list[int]:
    """Return how long permits of this person for that door may run by each of his roles; empty where he gives none."""
    return [
        cell.limit_min
        for cell in authority.cells(Act.PERMIT, person.roles)
        if cell.limit_min is not None
        and (cell.only is not Only.ENGINE_SPACES or door.door_class in ENGINE_DOORS)
        and (cell.only is not Only.OWN_WORK or worker == person.name)
    ]
