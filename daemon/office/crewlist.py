"""Who joined, who left, and how much of the crew is new? The crew list as the record has it, and as a file changes it.

The configuration's list counts at the very first start only; from then on people change it, and every change is an
entry of class ``sso``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from daemon import forms
from daemon.computer import logs
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.people import crew
from daemon.people.authority import COMMAND, Act
from daemon.people.claims import By
from daemon.people.writing import DUTIES, Writing
from daemon.record import fold
from daemon.testing.worklist import Item, ItemState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
    from datetime import date

    from daemon.computer.clock import Clock
    from daemon.model import Json, Role
    from daemon.people.crew import Change, Member, Row
    from daemon.people.people import People
    from daemon.people.proofs import Proofs
    from daemon.record.entry import Entry

    Answer = Mapping[str, Json]
    State = Callable[[str], Awaitable[Mapping[str, Mapping[str, Json]]]]


DRILLS: Final = "drill/"
"""What the record's state of a drill begins with; an exercise is none (B/13.6 speaks of drills)."""


class CrewList:
    """Keeps the list of who is on board."""

    def __init__(self, *, people: People, proofs: Proofs, clock: Clock, writing: Writing) -> None:
        self._people = people
        self._proofs = proofs
        self._clock = clock
        self._writing = writing
        self._former: dict[str, Mapping[str, Json]] = {}
        self._drills: dict[str, crew.Drill] = {}
        self._is_taken_up = False
        self._log = logs.get("people")
        self.left: list[Callable[[], None]] = []
        """Called when somebody is on board no more, whether a disk has heard of it yet or not."""

    def requests(self) -> dict[str, Callable[[Mapping[str, Any]], Awaitable[Answer]]]:
        """Return what answers each request about the crew list."""
        return {"crew": self._list, "crew.import": self._import}

    @property
    def is_taken_up(self) -> bool:
        """Whether the record's crew list counts."""
        return self._is_taken_up

    async def take_up(self, state: State) -> None:
        """Take up the crew list and the keys as the record has them; the file's list counts at the first start only.

        Raises:
            RecordError: The record cannot be read, or holds what this version does not know.
        """
        listed = await state(fold.CREW)
        self._former = dict(await state(fold.FORMER))
        self._drills = {
            id_: crew.held(body)
            for id_, body in (await state(fold.HELD)).items()
            if id_.startswith(DRILLS)
        }
        if listed:
            try:
                members = [crew.member(body) for body in listed.values()]
            except (ValueError, KeyError, TypeError) as err:
                raise RecordError(f"the crew list of the record cannot be read: {err}") from err
            in_file = set(self._people.members)
            self._people.become(members)
            if in_file != set(self._people.members):
                self._log.info("crew.not_as_in_file", aboard=len(members), in_file=len(in_file))
        elif self._people.members:
            persons: list[Json] = [each.body() for each in self._people.members.values()]
            self._writing.submit("crew.listed", "crew", None, {"persons": persons})
        self._people.had_pins = frozenset(await state(fold.PIN))
        keys = await state(fold.PERSON_KEY)
        self._people.known_keys({name: str(body["key"]) for name, body in keys.items()})
        self._is_taken_up = self._people.are_known = True

    def note(self, entry: Entry) -> None:
        """Take note of a drill that was entered, and of a segment, in which everybody's key is entered again.

        So whoever has that segment alone can tell whose signatures stand in it.
        """
        if entry.type == fold.SEGMENT_OPENED and self._is_taken_up:
            self._people.known_keys({})
        if entry.type in {"drill.held", "entry.amended"}:
            for change in fold.project(entry):
                if change.kind == fold.HELD and change.id.startswith(DRILLS):
                    self._drills.pop(change.id, None)
                    if change.body is not None:
                        self._drills[change.id] = crew.held(change.body)

    def crew_change(self) -> Change:
        """Return how much of the crew has taken part in no drill here, for worklist and papers."""
        members = self._with_drills(self._people.members.values())
        former = map(crew.gone, self._former.values())
        return crew.change(
            members, self._clock.utc(), [each for each in former if each is not None]
        )

    def _with_drills(self, members: Iterable[Member]) -> list[Member]:
        """Return members with the last drill here in which each of them took part."""
        noted = list(members)
        for drill in self._drills.values():
            noted = crew.drilled(noted, drill.held, drill.names)
        return noted

    def to_do(self) -> Iterator[Item]:
        """Yield the drill that a changed crew makes due."""
        change = self.crew_change()
        if change.drill_by is None:
            return
        overdue = self._clock.utc() > change.drill_by
        yield Item(
            "drill",
            "crew",
            f"DRILL within 7 days: {change.new} of {change.crew} on board joined lately and took part in "
            "no drill here (ISPS B/13.6)",
            ItemState.OVERDUE if overdue else ItemState.DUE,
            change.drill_by - crew.WITHIN,
            change.drill_by,
        )

    async def _list(self, _: Mapping[str, Any]) -> Answer:
        change = self.crew_change()
        return {
            "persons": [each.body() for each in self._people.members.values()],
            "new": change.new,
            "drill_by": None if change.drill_by is None else forms.utc(change.drill_by),
        }

    async def _import(self, request: Mapping[str, Any]) -> Answer:
        """Take who joined and who left from a file: all of it, or nothing."""
        text = request.get("csv")
        if not isinstance(text, str):
            raise RefusedError("csv is wanted: the text of the crew list")
        claim = fields.claim(request)
        # May he at all? His PIN is asked for when the file is right.
        By(self._people.known(claim.name)).must_be(COMMAND, Act.CREW.value)
        rows = crew.read_csv(text)
        # Ship's time may be a day ahead of UTC.
        latest = self._clock.utc().date() + timedelta(days=1)
        crew.refuse([*self._faults(rows, latest)])
        by = await self._people.prove(claim, Act.CREW)
        # Another may have changed the list while the PIN was checked.
        crew.refuse([*self._faults(rows, latest)])
        came, went = [], []
        written = None
        for row in rows:
            name, before = row.person.name, self._people.members.get(row.person.name)
            if row.has_left(latest):
                if before is not None:
                    written = await self._leave(before, row, by)
                    went.append(name)
            elif (member := self._member(row, before)) != before:
                written = self._join(member, by, is_new=before is None)
                came.append(name)
        named = {row.person.name for row in rows}
        return {
            "joined_or_changed": cast("Json", came),
            "left": cast("Json", went),
            "aboard_but_not_in_file": [n for n in self._people.members if n not in named],
            "recorded": None if written is None else await self._writing.on_disk(written),
        }

    def _faults(self, rows: list[Row], latest: date) -> Iterator[str]:
        """Yield what cannot be, though every line is well formed."""
        given: set[Role] = set()
        for row in rows:
            before = self._people.find(row.person.name)
            had = frozenset() if before is None else before.roles & COMMAND
            if row.joined > latest:
                yield f"line {row.line}: joined {row.joined}, which is still to come"
            if row.has_left(latest):
                if had:
                    yield f"line {row.line}: {row.person.name} hands over as {_words(had)} before leaving"
                continue
            if lost := had - row.person.roles:
                yield f"line {row.line}: {row.person.name} hands over as {_words(lost)} (ispsd handover)"
            for role in sorted((row.person.roles & COMMAND) - had):
                if role in given or self._people.of_role(role):
                    yield f"line {row.line}: somebody is {role.value} already; who follows takes over (ispsd handover)"
                given.add(role)

    def _member(self, row: Row, before: Member | None) -> Member:
        if before is not None:
            # Who stood on the first list joined before anybody wrote when.
            return replace(before, person=row.person, joined=row.joined)
        former = self._former.get(row.person.name)
        seen = None if former is None else former.get("drilled")
        drilled = None if seen is None else forms.from_utc(str(seen))
        return crew.Member(row.person, row.joined, drilled)

    def _join(self, member: Member, by: By, *, is_new: bool) -> asyncio.Future[Entry]:
        self._people.members[member.person.name] = member
        self._former.pop(member.person.name, None)
        type_ = "crew.joined" if is_new else "crew.changed"
        return self._writing.submit(type_, member.person.name, by, member.body(), kind=DUTIES)

    async def _leave(self, member: Member, row: Row, by: By) -> asyncio.Future[Entry]:
        """Let somebody be no more on board, and his PIN with him."""
        name = member.person.name
        (seen,) = self._with_drills([member])
        said: dict[str, Json] = {
            "name": name,
            "rank": member.person.rank,
            "joined": None if member.joined is None else str(member.joined),
            "left": str(row.left),
            "drilled": None if seen.drilled is None else forms.utc(seen.drilled),
        }
        del self._people.members[name]
        self._former[name] = said
        written = self._writing.submit("crew.left", name, by, said, kind=DUTIES)
        for left in self.left:
            left()
        if self._proofs.has(name):
            try:
                await self._proofs.forget(name)
            except RefusedError as err:
                # Who is not on the list does nothing with it; should he come back, it is his as before.
                self._log.error("pin.not_forgotten", reason=str(err))
        return written


def _words(roles: frozenset[Role]) -> str:
    return " and ".join(sorted(role.value for role in roles))
