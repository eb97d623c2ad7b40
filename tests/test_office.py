"""What goes wrong around the record takes neither the watch nor the rest along (invariants 5, 6)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from daemon.book.values import Field, Is, value_of
from daemon.computer import logs
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, Person, Role
from daemon.office.office import AFTER_FAULT_S, Office
from daemon.people.authority import Act
from daemon.people.claims import Claim
from daemon.people.people import People
from daemon.people.proofs import Proofs
from daemon.testing.worklist import Item, ItemState
from tests.clocks import FixedEntropy, ManualClock
from tests.pins import FAST, PIN, give_pins
from tests.ship import sailing

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.entry import Draft, Entry

MENON = Person("R. Menon", "C/O", frozenset({Role.SSO}))


async def test_a_part_that_fails_is_begun_again_and_no_other_notices():
    clock, begun = ManualClock(), []
    office = Office.__new__(Office)
    office._clock, office._log = clock, logs.get("office")

    async def run() -> None:
        begun.append(clock.now_s())
        raise KeyError("export")

    keeping = asyncio.ensure_future(office._keep("exports", run))
    for _ in range(3):
        await clock.advance(AFTER_FAULT_S)
    assert not keeping.done()
    assert len(begun) == 4
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_source_of_the_worklist_that_fails_leaves_the_other_lines(tmp_path: Path):
    async with sailing(tmp_path) as ship:
        before = ship.daemon.tests.worklist()
        line = Item("x", "y", "what is to be done", ItemState.DUE, None, None)

        def broken() -> list[Item]:
            raise OverflowError("date value out of range")

        ship.daemon.tests.also_to_do += [broken, lambda: [line]]
        texts = [each["text"] for each in ship.daemon.tests.worklist()]
        assert sorted(texts) == sorted([*(each["text"] for each in before), line.what])


@pytest.mark.parametrize("typed", ["9999-12-31", "0001-01-01", "1989-12-31", "2200-01-01"])
def test_a_date_that_means_never_is_refused_with_what_to_do(typed):
    field = Field(name="expires", is_=Is.DATE, says="when it ends")
    with pytest.raises(RefusedError, match="leave it out"):
        value_of(field, typed, now_utc=None)


@pytest.mark.parametrize("typed", ["1990-01-01", "2199-12-31"])
def test_a_date_that_can_stand_on_a_paper_is_taken(typed):
    assert value_of(Field(name="x", is_=Is.DATE, says="x"), typed, now_utc=None) == typed


class Journal:
    """Loses the first entry, as a queue without room does."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []

    def submit(self, draft: Draft) -> asyncio.Future[Entry]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not self.drafts:
            future.set_exception(RecordError("not recorded: no room"))
        else:
            future.set_result(None)
        self.drafts.append(draft)
        return future


async def people(tmp_path: Path, journal: Journal) -> People:
    give_pins(tmp_path / "persons.json", [MENON.name])
    proofs = Proofs(
        tmp_path / "persons.json", clock=ManualClock(), entropy=FixedEntropy(), hardness=FAST
    )
    await proofs.open()
    return People([MENON], proofs=proofs, journal=journal)


async def test_a_key_whose_entry_was_lost_is_entered_again_before_the_next_signature(tmp_path):
    journal = Journal()
    ours = await people(tmp_path, journal)
    for _ in range(3):
        await ours.prove(Claim(MENON.name, PIN), Act.REVIEW)
        await asyncio.sleep(0)
    assert [draft.type for draft in journal.drafts] == ["person.key", "person.key"]
    assert {draft.classification for draft in journal.drafts} == {Classification.WATCH}


async def test_until_the_records_crew_list_was_read_nobody_can_prove_a_role(tmp_path):
    ours = await people(tmp_path, Journal())
    ours.are_known = False
    with pytest.raises(RefusedError, match="has not been read from the record yet"):
        await ours.prove(Claim(MENON.name, PIN), Act.SEGMENT)
    await ours.prove(Claim(MENON.name), Act.ACKNOWLEDGE)
    ours.are_known = True
    await ours.prove(Claim(MENON.name, PIN), Act.SEGMENT)


async def test_a_crew_list_that_could_not_be_read_at_the_start_counts_as_soon_as_it_can(tmp_path):
    async with sailing(tmp_path) as ship:
        office = ship.daemon.office
        office.crew._is_taken_up = office.people.are_known = False
        waiting = asyncio.ensure_future(office._take_up_crew())
        await ship.pass_time(1.5)
        await asyncio.wait_for(waiting, 5)
        assert office.people.are_known
