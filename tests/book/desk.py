"""A book over a real record, with a clock that stands still until it is moved."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from daemon.assets import asset
from daemon.book import defects, forms
from daemon.book.book import Book
from daemon.book.defects import Relied
from daemon.model import Classification, ClockStatus, Person, Role
from daemon.people.people import People
from daemon.people.proofs import Proofs
from tests.clocks import FixedEntropy, ManualClock
from tests.pins import FAST, PIN, give_pins
from tests.record import ship

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from daemon.record.log import Record
    from daemon.testing.worklist import Item

MASTER = Person("A. Lindqvist", "Master", frozenset({Role.MASTER}))
SSO = Person("R. Menon", "C/O", frozenset({Role.OFFICER, Role.SSO}))
OFFICER = Person("J. Santos", "2/O", frozenset({Role.OFFICER, Role.DEPUTY_SSO}))
ETO = Person("D. Kovac", "ETO", frozenset({Role.ETO}))
GANGWAY = Person("L. Tupou", "AB", frozenset({Role.GANGWAY}))
BOTH = Person("Q. Both", "Master", frozenset({Role.MASTER, Role.SSO}))
SHIP_TIME = timezone(timedelta(hours=8))
FORMS = forms.load(asset("book.toml"))
RELIED = Relied(by_kind=defects.load(asset("defects.toml")), kinds={}, by_test={})
DRILL = {
    "scenario": "stowaway search",
    "began": "2026-11-22T00:10Z",
    "ended": "2026-11-22T01:00Z",
    "crew_took_part": "20",
    "crew": "22",
    "crew_changed_by_more_than_a_quarter": "no",
    "led_by": "R. Menon",
    "rank": "C/O",
    "lessons": "search cards renewed",
}
DEFECT = {
    "equipment": "c03",
    "name": "POOP CAMERA",
    "found": "no picture",
    "measure": "patrol of the poop every hour",
}


class Clock(ManualClock):
    """A clock that may have lost its time."""

    is_set = True

    def status(self) -> ClockStatus:
        return ClockStatus.HOLDOVER if self.is_set else ClockStatus.UNSET


@dataclass
class Rig:
    """A book, its record and its clock."""

    book: Book
    record: Record
    clock: Clock
    changes: list[int]

    async def ask(self, do: str, *, by: str | Person = SSO, **said: Any) -> dict[str, Any]:
        """Send a request as the console does."""
        name = by if isinstance(by, str) else by.name
        return dict(await self.book.requests[do]({"do": do, "by": name, "pin": PIN, **said}))

    async def enter(self, form: str, said: dict[str, str], **more: Any) -> dict[str, Any]:
        """Return the entry that a form made."""
        done = await self.ask("enter", form=form, fields=said, **more)
        return await self.entry(done["recorded"])

    async def entry(self, seq: int) -> dict[str, Any]:
        """Return an entry as it stands, with what it says to the SSO alone as ``part``."""
        page = await self.ask("log", after=seq - 1, before=seq + 1)
        (body,) = page["entries"]
        entry = json.loads(body)
        entry["part"] = await self.record.part(seq, Classification.SSO)
        return entry

    def items(self) -> dict[str, Item]:
        return {item.test: item for item in self.book.items()}


@asynccontextmanager
async def open_book(
    folder: Path,
    *,
    clock: Clock | None = None,
    announces: bool = False,
    relied: Relied | None = None,
    level: int = 1,
    tests: Mapping[str, Sequence[str]] | None = None,
    **options: Any,
) -> AsyncIterator[Rig]:
    """Open the record and the book over it.

    Everybody has a PIN, and who signs has a key; with ``announces`` the record is told of it at the first signature.
    """
    clock = clock or Clock()
    record = ship.record(folder / "record", clock, **options)
    changes: list[int] = []
    crew = [MASTER, SSO, OFFICER, ETO, GANGWAY, BOTH]
    give_pins(folder / "persons.json", [person.name for person in crew])
    proofs = Proofs(
        folder / "persons.json",
        clock=clock,
        entropy=FixedEntropy(),  # type: ignore[arg-type]
        hardness=FAST,
    )
    await proofs.open()
    people = People(crew, proofs=proofs, journal=record if announces else None)
    for person in (MASTER, SSO, BOTH):
        signer, _ = await proofs.signer(person.name, PIN)
        if not announces:
            people.announced[person.name] = signer.public
    book = Book(
        FORMS,
        people=people,
        record=record,
        clock=clock,
        entropy=FixedEntropy(),  # type: ignore[arg-type]
        ship_time=lambda: SHIP_TIME,
        first_ship_time=SHIP_TIME,
        relied=relied or RELIED,
        level=lambda: int(level),
        tests=tests,
        on_change=lambda: changes.append(1),
    )
    record.on_commit(book.told)
    await record.start()
    await book.take_up()
    try:
        yield Rig(book, record, clock, changes)
    finally:
        await record.stop()
