"""What may be ordered about the ship herself: situation, security level, threat, ship's time, permits, AIS off.

Who may do what is the table of the ship's own people (roles of the crew list); a name is a claim here, as a station's
is: proof by PIN comes with the persons' own credentials. Every order is an entry and survives a restart.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from daemon import forms
from daemon.errors import RefusedError
from daemon.model import (
    Classification,
    DoorClass,
    OpeningKind,
    Permit,
    Role,
    SecurityLevel,
    Situation,
)
from daemon.people.authority import COMMAND
from daemon.record.entry import Draft
from daemon.shipstate import ship_time

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping

    from daemon.clock import Clock
    from daemon.model import Json, Opening, Person
    from daemon.people.claims import By
    from daemon.record.entry import Entry
    from daemon.watch import Journal, Watch

OFFICERS = frozenset({Role.OFFICER, Role.SSO, Role.MASTER})
MINUTE_S = 60.0
HOUR_MIN = 60
LONGEST_PERMIT_MIN = {
    Role.OFFICER: 60,
    Role.ENGINEER: 60,
    Role.ETO: 60,
    Role.SSO: 12 * HOUR_MIN,
    Role.MASTER: 12 * HOUR_MIN,
}
ENGINEERS_DOORS = frozenset({DoorClass.MACHINERY, DoorClass.VITAL})
PERMITTED = frozenset({OpeningKind.DOOR, OpeningKind.SIDE_DOOR})
"""What is opened under a permit: a side door too, though its own system watches it."""
SHIP_TIMES_MIN = range(-12 * HOUR_MIN, 14 * HOUR_MIN + 1, 15)


class Orders:
    """Carries out orders about the ship."""

    def __init__(
        self, *, watch: Watch, openings: Iterable[Opening], clock: Clock, journal: Journal
    ) -> None:
        self._watch = watch
        self._ship = watch.ship
        self._doors = {o.id: o for o in openings if o.kind in PERMITTED}
        self._clock = clock
        self._journal = journal

    def situation(self, situation: Situation, by: By) -> asyncio.Future[Entry]:
        """Say what the ship is doing now.

        Raises:
            RefusedError: The person may not.
        """
        by.must_be(OFFICERS, "set the situation")
        before, self._ship.situation = self._ship.situation, situation
        return self._ordered("situation.changed", by, {"from": before, "to": situation})

    def level(self, level: SecurityLevel, by: By, *, told_by: str) -> asyncio.Future[Entry]:
        """Set the security level; an officer may raise it at once, only SSO and Master lower it.

        Raises:
            RefusedError: The person may not, or nobody is named who told.
        """
        by.must_be(OFFICERS, "set the security level")
        if level < self._ship.level:
            by.must_be(COMMAND, "lower the security level")
        if not told_by:
            raise RefusedError("who told the ship is wanted: flag, port facility, company")
        before, self._ship.level = self._ship.level, level
        said: Mapping[str, Json] = {"from": int(before), "to": int(level), "told_by": told_by}
        kind = ".4" if by.person.roles & COMMAND else "system"
        return self._ordered("level.changed", by, said, kind=kind)

    def threat(self, by: By, *, on: bool) -> asyncio.Future[Entry]:
        """Enter or leave a threat area as assessed for the voyage.

        Raises:
            RefusedError: The person may not.
        """
        by.must_be(OFFICERS, "set the threat overlay")
        self._ship.threat = on
        return self._ordered("threat.changed", by, {"on": on})

    def ship_time(self, offset_min: int, by: By) -> asyncio.Future[Entry]:
        """Change ship's time.

        Raises:
            RefusedError: The person may not, or there is no such time.
        """
        by.must_be(OFFICERS, "change ship's time")
        if offset_min not in SHIP_TIMES_MIN:
            raise RefusedError("ship's time is UTC -12 h to +14 h, in quarters of an hour")
        self._ship.ship_time = ship_time(offset_min)
        return self._ordered("ship_time.changed", by, {"offset_min": offset_min})

    def ais_off(self, by: By, *, on: bool, master: str) -> asyncio.Future[Entry]:
        """Enter the Master's order that AIS is switched off, or its end.

        Raises:
            RefusedError: The person may not, or the Master is not named.
        """
        by.must_be(OFFICERS, "enter the Master's order")
        if on and not master:
            raise RefusedError("the Master who ordered it is wanted, by name")
        self._ship.ais_off_by = master if on else None
        return self._ordered("ais.order", by, {"off": on, "by_order_of": master or None})

    def permit(
        self, door: str, by: By, *, worker: str, work: str, minutes: int
    ) -> asyncio.Future[Entry]:
        """Permit a door to be opened for a time.

        Raises:
            RefusedError: The person may not, or not this door, or not for so long.
        """
        opening = self._door(door)
        longest_min = _longest_permit_min(by.person, opening, worker)
        if not 1 <= minutes <= longest_min:
            raise RefusedError(f"{by.person.name} may permit 1 to {longest_min} min, not {minutes}")
        if not worker or not work:
            raise RefusedError("who works there and what the work is are wanted")
        seconds = minutes * MINUTE_S
        ends_utc = self._clock.utc() + timedelta(seconds=seconds)
        ends_s = self._clock.now_s() + seconds
        self._ship.permits[door] = Permit(door, worker, work, ends_utc, ends_s, by.person.name)
        said: Mapping[str, Json] = {
            "door": door,
            "name": opening.name,
            "person": worker,
            "work": work,
            "ends": forms.utc(ends_utc),
            "minutes": minutes,
        }
        return self._ordered("permit.given", by, said, subject=door)

    def end_permit(self, door: str, by: By) -> asyncio.Future[Entry]:
        """End a permit before its time.

        Raises:
            RefusedError: There is none, or the person could not have given it.
        """
        permit = self._ship.permits.get(door)
        if permit is None:
            raise RefusedError(f"there is no permit for {door}")
        _longest_permit_min(by.person, self._door(door), permit.person)
        written = self._watch.end_permit(permit, by.actor())
        self._watch.reconsider()
        return written

    def _door(self, door: str) -> Opening:
        try:
            return self._doors[door]
        except KeyError:
            raise RefusedError(f"there is no door {door!r}") from None

    def _ordered(
        self,
        type_: str,
        by: By,
        said: Mapping[str, Json],
        *,
        subject: str = "ship",
        kind: str = "system",
    ) -> asyncio.Future[Entry]:
        """Let it count at once, then write it."""
        self._watch.reconsider()
        return self._journal.submit(
            Draft(
                kind=kind,
                type=type_,
                subject=subject,
                classification=Classification.WATCH,
                actor=by.actor(),
                open=said,
            )
        )


def _longest_permit_min(person: Person, door: Opening, worker: str) -> int:
    """Return how long a permit of this person for that door may run; the ETO's is for his own work only.

    Raises:
        RefusedError: The person may give none.
    """
    minutes = [
        longest
        for role, longest in LONGEST_PERMIT_MIN.items()
        if role in person.roles
        and (role is not Role.ENGINEER or door.door_class in ENGINEERS_DOORS)
        and (role is not Role.ETO or worker == person.name)
    ]
    if not minutes:
        raise RefusedError(f"{person.name} may not give {worker} a permit for {door.name}")
    return max(minutes)
