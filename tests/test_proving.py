"""A contact is not proved until it was seen in every state that it has; till then nobody reads *closed* from it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon.drivers.api import Wiring
from daemon.model import ContactState, Provenance, Quality
from daemon.points.proving import Proving, Wired
from daemon.record import fold
from tests.checks.rig import HandJournal
from tests.makers import reading
from tests.test_orders import HATCH_ALERT, ordering

CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
SINGLE = Wired("d12", "STRG GEAR ESC", "io1", (3,), Wiring.NC, "moxa")
DOUBLE = Wired("d11", "STRG GEAR DOOR", "io1", (4, 5), Wiring.DOUBLE, "moxa")
LOOP = Wired("d20", "PAINT STORE", "io4", (0,), Wiring.LOOP_4_20_MA, "loops")
EARLIER = datetime(2026, 10, 1, tzinfo=UTC)


def proving(
    *contacts: Wired, demo: bool = False, start_proved: bool = False, take_up: bool = True
) -> tuple[Proving, HandJournal]:
    journal = HandJournal()
    made = Proving(contacts, demo=demo, start_proved=start_proved, journal=journal)
    if take_up:
        made.take_up({}, tested={}, faulted={})
    return made, journal


def see(made: Proving, point: str, *states: ContactState | None, at_s: float = 0.0) -> None:
    """Let a contact be seen in these states, one a second."""
    for second, state in enumerate(states):
        made.take(reading(point, state, at_s=at_s + second))


def kept(journal: HandJournal) -> dict[str, dict]:
    """Return what the record folds out of the entries."""
    changes = [change for draft in journal.drafts for change in fold.project(draft)]
    return {c.id: c.body for c in changes if c.kind == fold.COMMISSIONED}


def shows(made: Proving, point: str, state: ContactState) -> ContactState | None:
    return made.shown(reading(point, state)).value


async def test_unknown_is_not_closed_nor_is_a_contact_that_nobody_proved():
    made, journal = proving(SINGLE)
    see(made, "d12", CLOSED, CLOSED)
    masked = made.shown(reading("d12", CLOSED))
    assert (masked.value, masked.quality) == (None, Quality.UNKNOWN)
    assert [shows(made, "d12", state) for state in (OPEN, FAULT)] == [OPEN, FAULT]
    assert made.is_proved("d12") is False
    assert made.is_proved("gps1.fix") is None
    assert journal.drafts == [], "that a door is shut says nothing of its contact"


@pytest.mark.parametrize("states", [(CLOSED, OPEN), (OPEN, CLOSED), (OPEN, None, CLOSED)])
async def test_a_single_contact_is_proved_by_both_its_states_once(states):
    made, journal = proving(SINGLE)
    see(made, "d12", *states, OPEN, CLOSED)
    assert shows(made, "d12", CLOSED) is CLOSED
    (said,) = journal.drafts
    assert (said.type, said.subject, said.classification) == ("commissioning.proved", "d12", "sso")
    assert said.open["closed"]
    assert said.open["open"]
    assert said.open["line_fault"] is None


@pytest.mark.parametrize("wired", [DOUBLE, LOOP])
async def test_a_supervised_one_wants_its_line_fault_as_well(wired):
    made, journal = proving(wired)
    see(made, wired.point, CLOSED, OPEN, CLOSED)
    assert shows(made, wired.point, CLOSED) is None
    assert made.to_prove() == {wired.point: (FAULT,)}
    see(made, wired.point, FAULT, FAULT, CLOSED, at_s=10.0)
    assert shows(made, wired.point, CLOSED) is CLOSED
    assert made.to_prove() == {}
    assert [draft.open["proved"] for draft in journal.drafts] == [False, True]


@pytest.mark.parametrize(("stood_s", "proved"), [(1.99, False), (2.0, True)])
async def test_a_fault_in_passing_is_none(stood_s, proved):
    """A change-over contact is in neither state for a moment whenever its door moves."""
    made, _ = proving(DOUBLE)
    see(made, "d11", CLOSED, OPEN)
    made.take(reading("d11", FAULT, at_s=10.0))
    made.take(reading("d11", CLOSED, at_s=10.0 + stood_s))
    assert made.is_proved("d11") is proved


@pytest.mark.parametrize(("stood_s", "proved"), [(4.4, False), (4.5, True)])
async def test_between_two_polls_a_fault_may_have_stood_for_a_moment_only(stood_s, proved):
    made, _ = proving(DOUBLE._replace(poll_s=2.5))
    see(made, "d11", CLOSED, OPEN)
    made.take(reading("d11", FAULT, at_s=10.0))
    made.take(reading("d11", OPEN, at_s=10.0 + stood_s))
    assert made.is_proved("d11") is proved


async def test_a_fault_that_nobody_saw_standing_is_none():
    made, _ = proving(DOUBLE)
    see(made, "d11", CLOSED, OPEN)
    see(made, "d11", FAULT, None, FAULT, CLOSED, at_s=10.0)
    assert made.is_proved("d11") is False


@pytest.mark.parametrize(
    ("how", "counts"),
    [
        ({"provenance": Provenance.SIMULATED}, False),
        ({"provenance": Provenance.REPLAY}, False),
        ({"quality": Quality.SUSPECT}, False),
        ({}, True),
    ],
)
async def test_only_what_is_evidence_proves(how, counts):
    made, _ = proving(SINGLE)
    for state in (CLOSED, OPEN):
        made.take(reading("d12", state, **how))
    assert made.is_proved("d12") is counts


async def test_a_restart_takes_up_what_was_proved_and_another_wiring_nothing():
    made, journal = proving(SINGLE, DOUBLE)
    see(made, "d12", CLOSED, OPEN)
    see(made, "d11", CLOSED, OPEN, FAULT, FAULT, FAULT)
    state = kept(journal)
    moved = SINGLE._replace(inputs=(7,))
    again, after = proving(moved, DOUBLE, take_up=False)
    assert again.is_proved("d11") is False, "while the record cannot be read nothing is proved"
    again.take_up(state, tested={"d12": EARLIER}, faulted={})
    assert (again.is_proved("d11"), again.is_proved("d12")) == (True, False)
    (said,) = after.drafts
    assert (said.type, said.subject) == ("commissioning.reset", "d12")
    assert "wired another way" in again.why("d12")
    # What was reset stays so by the record, though a test before it had passed.
    third, silent = proving(moved, take_up=False)
    third.take_up({**state, **kept(after)}, tested={"d12": EARLIER}, faulted={})
    assert third.is_proved("d12") is False
    assert silent.drafts == []


@pytest.mark.parametrize(
    "other",
    [
        {"device": "io2"},
        {"inputs": (5, 4)},
        {"wiring": Wiring.LOOP_4_20_MA},
        {"profile": "advantech"},
    ],
)
def test_each_part_of_the_wiring_counts(other):
    assert DOUBLE._replace(**other).way != DOUBLE.way
    assert DOUBLE._replace(name="ANOTHER").way == DOUBLE.way


async def test_a_ship_in_service_takes_over_what_was_tested_and_still_asks_for_the_line_fault():
    made, journal = proving(SINGLE, DOUBLE, LOOP, take_up=False)
    tested = {"d12": EARLIER, "d11": EARLIER, "d20": EARLIER}
    made.take_up({}, tested=tested, faulted={"d20": EARLIER})
    assert all(made.is_proved(point) for point in tested)
    assert made.to_prove() == {"d11": (FAULT,)}
    assert {d.open["how"] for d in journal.drafts} == {"tests before"}
    never, _ = proving(SINGLE, DOUBLE, take_up=False)
    never.take_up({}, tested={"d12": EARLIER}, faulted={})
    assert never.is_proved("d11") is False, "what was never tested is to be proved"


async def test_a_demos_contacts_begin_proved_and_nothing_is_written_of_it():
    made, journal = proving(SINGLE, DOUBLE, demo=True, start_proved=True)
    see(made, "d12", CLOSED, OPEN)
    assert (shows(made, "d11", CLOSED), made.to_prove(), journal.drafts) == (CLOSED, {}, [])


async def test_what_was_seen_before_the_record_could_be_read_is_written_then():
    made, journal = proving(SINGLE, take_up=False)
    see(made, "d12", CLOSED, OPEN)
    assert journal.drafts == []
    made.take_up({}, tested={}, faulted={})
    assert [d.open["proved"] for d in journal.drafts] == [True]


# On the watch


DOOR = Wired("e", "DOOR E", "io1", (3,), Wiring.NC)


async def test_a_check_hears_unknown_and_the_watch_page_sees_grey_but_open_alerts_as_ever():
    async with ordering() as rig:
        rig.watch.proving = Proving([DOOR], demo=False, start_proved=False, journal=rig.journal)
        rig.watch.proving.take_up({}, tested={}, faulted={})
        with rig.watch._inboxes.listen(["e"]) as inbox:
            rig.sees("e", CLOSED)
            await rig.pass_time(120.0)
            heard = await inbox.next(until_s=0.0)
            assert heard is not None
            assert (heard.value, heard.quality) == (None, Quality.UNKNOWN)
        assert rig.watch.newest("e").value is None
        shown = rig.board.now["point/e"]
        assert (shown["value"], shown["quality"], shown["proved"]) == (None, "unknown", False)
        assert not any("door.unknown" in name for name in rig.board.now), "it is seen, not lost"
        rig.sees("e", OPEN)
        await rig.pass_time(1.0)
        assert HATCH_ALERT in rig.board.now, "no blind opening either: it was seen to open"
        assert (rig.board.now["point/e"]["value"], rig.board.now["point/e"]["proved"]) == (
            "open",
            True,
        )
        rig.sees("e", CLOSED)
        assert rig.board.now["point/e"]["value"] == "closed"
