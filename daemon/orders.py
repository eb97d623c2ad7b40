"""What may be ordered about the ship herself: situation, level, threat, ship's time, permits, AIS off, known areas.

Who may do what is the table of ``daemon.people.authority``; a name is a claim here, as a station's is, since none of
these asks for a PIN. What relaxes the watch is asked twice of an officer. Every order is an entry and survives a
restart.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from daemon import forms
from daemon.alerts.policy import Must
from daemon.errors import RefusedError
from daemon.model import (
    Classification,
    DoorClass,
    InterferenceArea,
    OpeningKind,
    Permit,
)
from daemon.people import authority
from daemon.people.authority import COMMAND, ENGINE_DOORS, Act, Only
from daemon.record.entry import Draft
from daemon.shipstate import ship_time

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping

    from daemon.alerts.policy import DoorRule, Policy
    from daemon.clock import Clock
    from daemon.model import (
        Json,
        Opening,
        Person,
        Regime,
        SecurityLevel,
        Situation,
    )
    from daemon.people.claims import By
    from daemon.record.entry import Entry
    from daemon.watch import Journal, Watch

OFFICERS = authority.roles(Act.SITUATION)
MINUTE_S = 60.0
HOUR_MIN = 60
HOUR_S = 3600.0
LONGEST_AREA_H = 72
"""For so long a known interference area is entered at most."""
PERMITTED = frozenset({OpeningKind.DOOR, OpeningKind.SIDE_DOOR})
"""What is opened under a permit: a side door too, though its own system watches it."""
MOST_NAMED = 6
"""Doors that a refusal names; the rest is counted."""
SHIP_TIMES_MIN = range(-12 * HOUR_MIN, 14 * HOUR_MIN + 1, 15)


class Orders:
    """Carries out orders about the ship."""

    def __init__(
        self,
        *,
        watch: Watch,
        openings: Iterable[Opening],
        clock: Clock,
        journal: Journal,
        policy: Policy | None = None,
    ) -> None:
        """Put the parts together; without a ``policy`` nobody can tell what an order relaxes."""
        self._watch = watch
        self._ship = watch.ship
        self._openings = {o.id: o for o in openings}
        self._doors = {o.id: o for o in self._openings.values() if o.kind in PERMITTED}
        self._policy = policy
        self._clock = clock
        self._journal = journal

    def situation(
        self, situation: Situation, by: By, *, confirmed: bool = False
    ) -> asyncio.Future[Entry]:
        """Say what the ship is doing now.

        Raises:
            RefusedError: The person may not, or it relaxes the watch and was not asked twice.
        """
        by.must_be(OFFICERS, "set the situation")
        if not confirmed:
            self._ask_twice(Act.SITUATION, by, situation=situation)
        before, self._ship.situation = self._ship.situation, situation
        return self._ordered("situation.changed", by, {"from": before, "to": situation})

    def level(self, level: SecurityLevel, by: By, *, told_by: str) -> asyncio.Future[Entry]:
        """Set the security level; an officer may raise it at once, only SSO and Master lower it.

        Raises:
            RefusedError: The person may not, or nobody is named who told.
        """
        by.must_be(authority.roles(Act.LEVEL), "set the security level")
        if level < self._ship.level:
            by.must_be(COMMAND, "lower the security level")
        if not told_by:
            raise RefusedError("who told the ship is wanted: flag, port facility, company")
        before, self._ship.level = self._ship.level, level
        said: Mapping[str, Json] = {"from": int(before), "to": int(level), "told_by": told_by}
        kind = ".4" if by.person.roles & COMMAND else "system"
        return self._ordered("level.changed", by, said, kind=kind)

    def threat(self, by: By, *, on: bool, confirmed: bool = False) -> asyncio.Future[Entry]:
        """Enter or leave a threat area as assessed for the voyage.

        Raises:
            RefusedError: The person may not, or it relaxes the watch and was not asked twice.
        """
        by.must_be(authority.roles(Act.THREAT), "set the threat overlay")
        if not confirmed:
            self._ask_twice(Act.THREAT, by, threat=on)
        self._ship.threat = on
        return self._ordered("threat.changed", by, {"on": on})

    def ship_time(self, offset_min: int, by: By) -> asyncio.Future[Entry]:
        """Change ship's time.

        Raises:
            RefusedError: The person may not, or there is no such time.
        """
        by.must_be(authority.roles(Act.SHIP_TIME), "change ship's time")
        if offset_min not in SHIP_TIMES_MIN:
            raise RefusedError("ship's time is UTC -12 h to +14 h, in quarters of an hour")
        self._ship.ship_time = ship_time(offset_min)
        return self._ordered("ship_time.changed", by, {"offset_min": offset_min})

    def ais_off(self, by: By, *, on: bool, master: str) -> asyncio.Future[Entry]:
        """Enter the Master's order that AIS is switched off, or its end.

        Raises:
            RefusedError: The person may not, or the Master is not named.
        """
        by.must_be(authority.roles(Act.AIS_OFF), "enter the Master's order")
        if on and not master:
            raise RefusedError("the Master who ordered it is wanted, by name")
        self._ship.order_ais_off(master if on else None, self._clock.utc())
        return self._ordered("ais.order", by, {"off": on, "by_order_of": master or None})

    def interference_area(self, area: str, by: By, *, hours: int) -> asyncio.Future[Entry]:
        """Enter a known GNSS interference area for a time; 0 hours end it.

        Raises:
            RefusedError: The person may not, it is unnamed, too long, or there is none to end.
        """
        by.must_be(authority.roles(Act.INTERFERENCE), Act.INTERFERENCE.value)
        if not 0 <= hours <= LONGEST_AREA_H:
            raise RefusedError(f"an area is entered for 1 to {LONGEST_AREA_H} h, not {hours}")
        if hours and not area:
            raise RefusedError("the area is wanted, as the navigational warning names it")
        if not hours and self._ship.interference is None:
            raise RefusedError("there is no interference area to end")
        known = self._ship.interference
        ends_utc = self._clock.utc() + timedelta(hours=hours)
        ends_s = self._clock.now_s() + hours * HOUR_S
        self._ship.interference = (
            InterferenceArea(area, ends_utc, ends_s, by.person.name) if hours else None
        )
        said: Mapping[str, Json] = {
            "area": area if hours or known is None else known.name,
            "hours": hours,
            "ends": forms.utc(ends_utc),
            "by": by.person.name,
        }
        return self._ordered("interference_area.changed", by, said)

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

    def door_class(self, id_: str) -> DoorClass | None:
        """Return the class of a door, by its id or by that of its lock; None for what is none."""
        opening = self._openings.get(id_)
        if opening is not None and opening.of is not None:
            opening = self._openings.get(opening.of)
        return None if opening is None else opening.door_class

    def _ask_twice(self, act: Act, by: By, **changed: Any) -> None:
        """Refuse an officer once what relaxes the watch, and say what that is.

        Raises:
            RefusedError: With what would be relaxed; ``wants`` is the word that confirms it.
        """
        cell = authority.cell(act, by.person.roles)
        if self._policy is None or cell is None or cell.only is not Only.ASKED_TWICE:
            return
        now = self._watch.engine.regime
        relaxed = relaxes(self._policy, self._doors.values(), now, replace(now, **changed))
        if relaxed:
            named = relaxed[:MOST_NAMED]
            if len(relaxed) > len(named):
                named.append(f"{len(relaxed) - len(named)} more")
            raise RefusedError(
                f"this relaxes the watch on {', '.join(named)}; if it is meant, say so once more (confirm)",
                wants={"confirm": True},
            )

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


def relaxes(policy: Policy, doors: Iterable[Opening], before: Regime, after: Regime) -> list[str]:
    """Return the doors that may stand open longer than before, by their short names.

    Side doors are not among them: their own system watches them, whatever the policy asks of people.
    """
    return [
        door.name
        for door in doors
        if door.door_class is not None
        and door.door_class is not DoorClass.SIDE
        and _may_stand_open_s(policy.rule(door.door_class, after))
        > _may_stand_open_s(policy.rule(door.door_class, before))
    ]


def _may_stand_open_s(rule: DoorRule) -> float:
    match rule.must:
        case Must.FREE | Must.MIRROR:
            return math.inf
        case Must.SHUT:
            return math.inf if rule.held_open_s is None else rule.held_open_s
        case _:
            return 0.0


def _longest_permit_min(person: Person, door: Opening, worker: str) -> int:
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
