"""Rounds, numbered seals, calls, Declarations of Security: what the registers ask for, what can be typed at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from daemon.book import registers
from daemon.console.book import rows_of
from daemon.errors import IspsdError, RefusedError
from daemon.model import Classification
from daemon.record.entry import Draft
from daemon.testing.worklist import ItemState
from tests.book.desk import DRILL, Clock, open_book

ROUND = {
    "route": "upper deck",
    "began": "2026-11-22T00:10Z",
    "ended": "2026-11-22T00:40Z",
    "done_by": "L. Tupou",
    "points": "12",
    "in_window": "12",
}
FITTED = {
    "seal": "N01",
    "number": "A4711",
    "place": "paint store",
    "fitted_by": "R. dela Cruz",
    "at": "2026-11-21T08:00Z",
}
REMOVED = {
    "seal": "n01",
    "number": "A4711",
    "place": "paint store",
    "removed_by": "R. dela Cruz",
    "at": "2026-11-21T18:00Z",
    "why": "opened for paint",
    "sealed_again": "yes",
}
ARRIVAL = {
    "port": "SGSIN",
    "facility": "SGSIN-0001",
    "arrived": "2026-11-21T06:00Z",
    "ship_level": "1",
    "port_level": "1",
    "declaration_of_security": "no",
    "gangway_attended": "yes",
    "doors_and_seals_closed": "yes",
}
DEPARTURE = {
    "port": "sgsin",
    "departed": "2026-11-22T01:00Z",
    "stowaway_search": "yes",
    "seals_intact": "yes",
    "doors_closed": "yes",
    "lights_in_order": "yes",
}
DECLARATION = {
    "with_whom": "SGSIN-0001",
    "port": "SGSIN",
    "ship_level": "1",
    "other_level": "2",
    "from": "2026-11-21T06:00Z",
    "until": "2026-11-23T06:00Z",
    "measures": "guard at the gangway by the terminal",
    "signed_by": "C/O R. Menon",
    "signed_by_other": "PFSO A. Tan",
}


def situation(to: str) -> Draft:
    said = {"from": "manoeuvring", "to": to}
    return Draft(
        kind="system",
        type="situation.changed",
        subject="ship",
        classification=Classification.WATCH,
        open=said,
    )


async def ordered(rig, to: str) -> None:
    await rig.record.submit(situation(to))
    await asyncio.sleep(0)  # who is told of entries is told after their futures


async def test_a_round_with_missed_points_stands_until_the_next_whole_one(tmp_path):
    async with open_book(tmp_path) as rig:
        await rig.enter("security-round", ROUND)
        assert "round-upper deck" not in rig.items()
        missed = {**ROUND, "in_window": "10", "passed_late": "7 at 0032Z", "missed": "9: deck wet"}
        await rig.enter("security-round", missed)
        line = rig.items()["round-upper deck"]
        assert (line.state, line.what) == (
            ItemState.NOT_DONE,
            "ROUND upper deck: 10 of 12 points in their window; missed: 9: deck wet; passed late: 7 at 0032Z",
        )
        await rig.enter("security-round", {**missed, "route": "engine"})
        await rig.enter("security-round", ROUND)
        assert "round-upper deck" not in rig.items()
        assert "round-engine" in rig.items(), "another route's round is another line"


async def test_a_round_has_no_more_points_in_their_window_than_points(tmp_path):
    async with open_book(tmp_path) as rig:
        with pytest.raises(RefusedError, match=r"in_window \(13\) is more than points \(12\)"):
            await rig.enter("security-round", {**ROUND, "in_window": "13"})


@pytest.mark.parametrize(("late_s", "is_overdue"), [(-1, False), (0, False), (1, True)])
async def test_the_next_round_is_overdue_when_its_time_is_over(tmp_path, late_s, is_overdue):
    clock = Clock()
    next_by = clock.utc().replace(microsecond=0) + timedelta(hours=1)
    async with open_book(tmp_path, clock=clock) as rig:
        await rig.enter("security-round", {**ROUND, "next_by": f"{next_by:%Y-%m-%dT%H:%M:%SZ}"})
        clock.step_utc((next_by - clock.utc()).total_seconds() + late_s)
        assert ("round-next-upper deck" in rig.items()) is is_overdue
        clock.is_set = False
        assert "round-next-upper deck" not in rig.items(), "no calendar, no line"


async def test_the_register_of_seals_says_what_is_fitted_and_what_is_not(tmp_path):
    async with open_book(tmp_path) as rig:
        assert (await rig.ask("seals"))["seals"] == []
        await rig.enter("seal-fitted", FITTED)
        await rig.enter("seal-fitted", {**FITTED, "seal": "N02", "number": "A4712"})
        assert not any(each.startswith("seal") for each in rig.items())
        await rig.enter("seal-removed", REMOVED)
        first, second = (await rig.ask("seals"))["seals"]
        assert (first["seal"], first["is_fitted"], first["why"]) == (
            "N01",
            False,
            "opened for paint",
        )
        assert (second["seal"], second["number"], second["is_fitted"]) == ("N02", "A4712", True)
        assert "no. A4711 removed, opened for paint; none is fitted again" in (
            rig.items()["seal-n01"].what
        )
        await rig.record.rotate("full")
        await rig.enter("seal-fitted", {**FITTED, "number": "A4713"})
        assert "seal-n01" not in rig.items()
    async with open_book(tmp_path) as rig:
        assert [each["number"] for each in (await rig.ask("seals"))["seals"]] == ["A4713", "A4712"]


async def test_a_place_that_needs_no_seal_any_more_is_not_asked_for(tmp_path):
    async with open_book(tmp_path) as rig:
        await rig.enter("seal-removed", {**REMOVED, "sealed_again": "no"})
        assert "seal-n01" not in rig.items()


async def test_places_of_seals_are_for_sso_and_master(tmp_path):
    async with open_book(tmp_path) as rig:
        for form, said in (("seal-fitted", FITTED), ("seal-removed", REMOVED)):
            assert (await rig.enter(form, said))["class"] == "sso"


async def test_many_places_without_a_seal_are_counted(tmp_path):
    async with open_book(tmp_path) as rig:
        for number in range(registers.MOST_SEALS + 3):
            await rig.enter("seal-removed", {**REMOVED, "seal": f"n{number:02d}"})
        assert "3 more places" in rig.items()["seals"].what


async def test_a_call_asks_for_its_arrival_and_its_departure(tmp_path):
    clock = Clock()
    async with open_book(tmp_path, clock=clock) as rig:
        await ordered(rig, "port")
        assert "call" not in rig.items(), "not at once"
        clock.step_utc(registers.CALL_NOTICE.total_seconds() + 1)
        assert "no arrival is entered" in rig.items()["call"].what
        await rig.enter("arrival", ARRIVAL)
        assert "call" not in rig.items()
        await ordered(rig, "sea")
        clock.step_utc(registers.CALL_NOTICE.total_seconds() + 1)
        assert "SGSIN: at sea since" in rig.items()["call-sgsin"].what
        await rig.enter("departure", DEPARTURE)
        assert "call-sgsin" not in rig.items()
        await rig.enter("arrival", ARRIVAL)
    async with open_book(tmp_path, clock=clock) as rig:
        assert "call-sgsin" in rig.items(), "and after a restart"


async def test_a_declaration_that_was_made_is_asked_for_and_one_that_ended_too(tmp_path):
    clock = Clock()
    async with open_book(tmp_path, clock=clock) as rig:
        await rig.enter("arrival", {**ARRIVAL, "declaration_of_security": "yes"})
        assert rig.items()["declaration-sgsin"].state is ItemState.DUE
        entry = await rig.enter("declaration-of-security", DECLARATION)
        assert (entry["kind"], entry["class"]) == (".11", "sso")
        assert "declaration-sgsin" not in rig.items()
        until = datetime(2026, 11, 23, 6, 0, 1, tzinfo=UTC)
        clock.step_utc((until - clock.utc()).total_seconds())
        assert rig.items()["declaration-sgsin"].state is ItemState.OVERDUE
        await rig.enter("departure", DEPARTURE)
        assert "declaration-sgsin" not in rig.items()


async def test_a_declaration_of_an_earlier_call_is_not_that_of_this_one(tmp_path):
    early = {**DECLARATION, "from": "2026-10-01T00:00Z", "until": "2026-10-03T00:00Z"}
    async with open_book(tmp_path) as rig:
        await rig.enter("declaration-of-security", early)
        await rig.enter("arrival", {**ARRIVAL, "declaration_of_security": "yes"})
        assert rig.items()["declaration-sgsin"].state is ItemState.DUE


CALLS = (
    "port\tfacility\tarrived\tdeparted\tship_level\tport_level\tdeclaration_of_security\tstowaway_search\n"
    "LKCMB\tLKCMB-0001\t2026-10-01T00:00Z\t2026-10-02T00:00Z\t1\t1\tno\tyes\n"
    "OMSLL\tOMSLL-0002\t2026-10-09T00:00Z\t2026-10-10T00:00Z\t1\t2\tyes\tyes\n"
)


@pytest.mark.parametrize("between", ["\t", ";", ","])
async def test_the_last_calls_are_pasted_as_one_list(tmp_path, between):
    rows = rows_of(CALLS.replace("\t", between))
    async with open_book(tmp_path) as rig:
        done = await rig.ask("enter.many", form="port-call", rows=rows)
        assert done["late"] == [True, True], (
            "typed in bulk, weeks after: whoever reads it sees that"
        )
        ports = [(await rig.entry(seq))["open"]["port"] for seq in done["recorded"]]
        assert ports == ["LKCMB", "OMSLL"]


async def test_a_list_with_one_wrong_row_enters_nothing_and_names_all_that_is_wrong(tmp_path):
    first, second = rows_of(CALLS)
    rows = [first, {**second, "ship_level": "4"}, {"port": "X"}]
    async with open_book(tmp_path) as rig:
        before = rig.book._standing.newest_seq
        with pytest.raises(RefusedError, match=r"nothing is entered: row 2: ship_level .*; row 3:"):
            await rig.ask("enter.many", form="port-call", rows=rows)
        with pytest.raises(RefusedError, match="one by one"):
            await rig.ask("enter.many", form="defect", rows=[{}])
        with pytest.raises(RefusedError, match="1 to 50"):
            await rig.ask("enter.many", form="port-call", rows=[first] * 51)
        assert rig.book._standing.newest_seq == before


async def test_a_list_is_one_transaction_so_a_disk_that_fails_leaves_no_half_of_it(tmp_path, disk):
    rows = rows_of(CALLS)
    async with open_book(tmp_path) as rig:
        await rig.record.drained()
        before = disk.tries
        done = await rig.ask("enter.many", form="port-call", rows=rows)
        assert None not in done["recorded"]
        assert disk.tries == before + 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "a first row"), ("port,facility\n", "a first row"), ("a,b\n1\n", "row 1 has 1 columns")],
)
def test_a_list_that_is_none_is_refused(text, reason):
    with pytest.raises(IspsdError, match=reason):
        rows_of(text)


ISSC = {"name": "ISSC", "number": "12", "expires": "2029-11-30"}


@pytest.mark.parametrize(
    ("more", "day", "words"),
    [
        ({}, "2026-12-01", None),
        ({"window_from": "2026-12-02", "window_until": "2027-12-01"}, "2026-12-01", None),
        (
            {"window_from": "2026-12-02", "window_until": "2027-12-01"},
            "2026-12-02",
            "is to be endorsed by 01 Dec 2027",
        ),
        (
            {"window_from": "2026-12-02", "window_until": "2027-12-01"},
            "2027-12-02",
            "was to be endorsed by 01 Dec 2027",
        ),
        (
            {
                "window_from": "2026-12-02",
                "window_until": "2027-12-01",
                "endorsed": "2027-01-05",
            },
            "2027-12-02",
            None,
        ),
        ({"window_until": "2027-12-01"}, "2027-08-01", None),
        ({"window_until": "2027-12-01"}, "2027-11-01", "is to be endorsed by 01 Dec 2027"),
    ],
)
async def test_a_paper_asks_for_its_endorsement_inside_its_window(tmp_path, more, day, words):
    clock = Clock()
    async with open_book(tmp_path, clock=clock) as rig:
        await rig.enter("certificate", {**ISSC, **more})
        clock.step_utc((datetime.fromisoformat(f"{day}T04:00Z") - clock.utc()).total_seconds())
        found = rig.items().get("certificate-window-issc")
        assert (found and found.what) == (words and f"PAPER: ISSC no. 12 {words}")


async def test_who_took_part_in_a_drill_stands_in_it_by_name(tmp_path):
    async with open_book(tmp_path) as rig:
        named = {**DRILL, "names": "R. Menon; J. Santos; R. Menon"}
        entry = await rig.enter("drill", named)
        assert entry["open"]["names"] == ["R. Menon", "J. Santos"]
        with pytest.raises(RefusedError, match="names is names"):
            await rig.enter("drill", {**DRILL, "names": "x" * 61})
