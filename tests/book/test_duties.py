"""Drills, exercises, papers and the room for evidence are work to do: when, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from daemon.book import duties
from daemon.book.standing import Standing
from daemon.console.line import line as in_line
from daemon.errors import RefusedError
from daemon.record import fold
from daemon.record.codec import prepare
from daemon.testing.worklist import ItemState
from tests.book.desk import DEFECT, DRILL, SHIP_TIME, Clock, open_book
from tests.record.ship import alert

MB = 1024 * 1024
DUE, OVERDUE = ItemState.DUE, ItemState.OVERDUE


def standing(*held: tuple[str, str], papers: tuple[dict, ...] = ()) -> Standing:
    made = Standing()
    made.is_known = True
    for what, ended in held:
        made._state[fold.HELD][f"{what}/{ended}"] = {"ended": ended}
    for paper in papers:
        made._state[fold.CERTIFICATE][paper["name"].lower()] = paper
    return made


def line(name: str, made: Standing, now: str, *, evidence: tuple[int, int] = (0, 100)):
    found = duties.items(
        made, evidence=evidence, now_utc=datetime.fromisoformat(now), ship_time=SHIP_TIME
    )
    return next(((item.state, item.what) for item in found if item.test == name), None)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-10-21T23:59:59.999Z", None),
        ("2026-10-22T00:00:00Z", DUE),
        ("2026-11-12T00:00:00Z", DUE),
        ("2026-11-12T00:00:00.001Z", OVERDUE),
    ],
)
def test_a_drill_is_due_three_months_after_the_last(now, state):
    made = standing(
        ("drill", "2026-08-12T00:00:00.000Z"),
        ("drill", "2026-05-12T00:00:00.000Z"),
        ("exercise", "2026-10-30T00:00:00.000Z"),
    )
    what = "DRILL: the last was on 12 Aug 2026, the next is due by 12 Nov 2026"
    assert line("drill", made, now) == (None if state is None else (state, what))


@pytest.mark.parametrize(
    ("last", "now", "state", "by"),
    [
        # 18 months decide
        ("2026-03-10T04:00:00.000Z", "2027-06-12T03:59:59Z", None, None),
        ("2026-03-10T04:00:00.000Z", "2027-06-12T04:00:00Z", DUE, "10 Sep 2027"),
        ("2026-03-10T04:00:00.000Z", "2027-09-10T04:00:00Z", DUE, "10 Sep 2027"),
        ("2026-03-10T04:00:00.000Z", "2027-09-10T04:00:01Z", OVERDUE, "10 Sep 2027"),
        # the end of the next calendar year, in ship's time, decides
        ("2026-12-20T00:00:00.000Z", "2027-12-31T15:59:59Z", DUE, "31 Dec 2027"),
        ("2026-12-20T00:00:00.000Z", "2027-12-31T16:00:00Z", OVERDUE, "31 Dec 2027"),
        # 2359Z on 31 December is the next year on board
        ("2025-12-31T16:00:00.000Z", "2027-06-29T15:59:00Z", DUE, "01 Jul 2027"),
    ],
)
def test_an_exercise_is_due_each_calendar_year_and_within_18_months(last, now, state, by):
    found = line("exercise", standing(("exercise", last)), now)
    if state is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] is state
        assert found[1].endswith(f"the next is due by {by}")


def test_a_record_without_any_asks_for_the_last_one():
    made = standing()
    now = "2026-11-22T00:00Z"
    assert line("drill", made, now) == (DUE, "DRILL: none in this record: enter the last one")
    assert line("exercise", made, now) == (DUE, "EXERCISE: none in this record: enter the last one")


@pytest.mark.parametrize(
    ("names", "asked_for"),
    [
        ((), ["ISSC", "CoP of the SSO"]),
        (("Interim ISSC",), ["CoP of the SSO"]),
        (("International Ship Security Certificate", "SSO certificate"), []),
        (("CoP of the SSO",), ["ISSC"]),
        (("Copper survey", "Issue of locks"), ["ISSC", "CoP of the SSO"]),
    ],
)
def test_the_papers_that_every_ship_has_are_asked_for_until_they_are_entered(names, asked_for):
    made = standing(papers=tuple({"name": name, "number": "1"} for name in names))
    found = [line(f"paper-{id_}", made, "2026-11-22T00:00Z") for id_ in ("issc", "cop-sso")]
    assert [each for each in found if each] == [
        (DUE, f"PAPER: no {name} in this record: enter it") for name in asked_for
    ]


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ("2026-09-02T15:00:00Z", None),
        ("2026-09-03T00:00:00Z", (DUE, "PAPER: ISSC no. 12 expires on 01 Dec 2026")),
        ("2026-12-01T15:59:00Z", (DUE, "PAPER: ISSC no. 12 expires on 01 Dec 2026")),
        ("2026-12-01T16:00:00Z", (OVERDUE, "PAPER: ISSC no. 12 expired on 01 Dec 2026")),
    ],
)
def test_a_paper_is_good_to_the_end_of_the_day_that_is_printed_on_it(now, found):
    paper = {"name": "ISSC", "number": "12", "expires": "2026-12-01"}
    assert line("certificate-issc", standing(papers=(paper,)), now) == found
    undated = {**paper, "expires": None}
    assert line("certificate-issc", standing(papers=(undated,)), "2099-01-01T00:00Z") is None


def test_a_day_on_a_paper_is_the_day_of_the_ship_wherever_she_is():
    paper = {"name": "ISSC", "number": "12", "expires": "2026-12-01"}
    west = timezone(timedelta(hours=-5))
    for day, words in ((20, "expires on 01 Dec 2026"), (32, "expired on 01 Dec 2026")):
        now_utc = datetime(2026, 11, 1, 12, tzinfo=UTC) + timedelta(days=day)
        (item, *_) = duties._certificates(standing(papers=(paper,)), now_utc, west)
        assert item.what.endswith(words)


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (79 * MB, None),
        (80 * MB - 1, None),
        (80 * MB, "80 of 100 MB are used (80 %): archive, or give it more room"),
        (100 * MB - 1, "99 of 100 MB are used (99 %): archive"),
        (100 * MB, "100 of 100 MB are used (100 %): no file can be attached"),
    ],
)
def test_room_for_evidence_is_asked_for_before_it_is_gone(used, said):
    found = line("evidence", Standing(), "2026-11-22T00:00Z", evidence=(used, 100 * MB))
    assert found is None if said is None else (found is not None and said in found[1])


@pytest.mark.parametrize(
    ("begin", "months", "end"),
    [
        ("2026-11-30", 3, "2027-02-28"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2026-12-31", 18, "2028-06-30"),
        ("2026-09-15", 3, "2026-12-15"),
    ],
)
def test_months_end_where_the_calendar_ends_them(begin, months, end):
    moment = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    assert f"{duties.months_after(moment, months):%Y-%m-%d}" == end


async def test_without_a_calendar_only_what_needs_none_is_on_the_list(tmp_path):
    clock = Clock()
    async with open_book(tmp_path, clock=clock) as rig:
        await rig.enter("defect", DEFECT)
        assert [*rig.items()] == ["def-001", "drill", "exercise", "paper-issc", "paper-cop-sso"]
        clock.is_set = False
        assert [*rig.items()] == ["def-001"]


async def test_a_line_is_gone_as_soon_as_the_entry_is_on_disk(tmp_path):
    async with open_book(tmp_path) as rig:
        assert {"drill", "exercise"} <= rig.items().keys()
        before = len(rig.changes)
        await rig.enter("drill", DRILL)
        await rig.enter("exercise", DRILL)
        assert not {"drill", "exercise"} & rig.items().keys()
        assert len(rig.changes) == before + 2
        await rig.record.submit(alert("d12"))
        assert len(rig.changes) == before + 2, "an alert is no work for the list"


async def test_a_late_entry_of_an_old_drill_is_not_the_last_one(tmp_path):
    old = {**DRILL, "began": "2026-01-01T00:00Z", "ended": "2026-01-01T01:00Z"}
    async with open_book(tmp_path) as rig:
        await rig.enter("drill", DRILL)
        await rig.enter("drill", old)
        assert "drill" not in rig.items()


async def test_a_renewed_paper_replaces_the_old_one(tmp_path):
    paper = {"name": "ISSC", "number": "12", "expires": "2026-11-30"}
    async with open_book(tmp_path) as rig:
        await rig.enter("certificate", paper)
        assert rig.items()["certificate-issc"].state is DUE
        await rig.enter("certificate", {**paper, "number": "13", "expires": "2031-11-30"})
        assert "certificate-issc" not in rig.items()


async def test_a_long_text_is_cut_to_what_the_list_takes(tmp_path):
    async with open_book(tmp_path) as rig:
        await rig.enter("defect", {**DEFECT, "found": "x" * 2000})
        assert len(rig.items()["def-001"].what) == 300


async def test_what_stands_is_the_same_after_the_state_was_folded_again(tmp_path):
    """The copy that is kept in memory, the table and the fold over all entries say the same."""
    async with open_book(tmp_path) as rig:
        await rig.enter("drill", DRILL)
        await rig.enter("defect", {**DEFECT, "defect": "def-7"})
        paper = await rig.enter("certificate", {"name": "CoP", "number": "1"})
        await rig.ask("amend", seq=paper["seq"], reason="x", fields={"expires": "2026-12-01"})
        await rig.ask("review", up_to=3)
        kept = {kind: await rig.record.state(kind) for kind in rig.book._standing._state}
        assert kept == rig.book._standing._state
        assert kept[fold.CERTIFICATE]["cop"]["expires"] == "2026-12-01"
        assert kept[fold.HIGHEST]["defect"] == {"value": 7}
        await rig.record.rotate("full")
        assert {kind: await rig.record.state(kind) for kind in kept} == kept


def test_a_draft_that_lacks_what_stands_for_it_is_refused_before_it_is_written():
    from dataclasses import replace

    from daemon.record.entry import EntryError

    for type_, said in (
        ("drill.held", {}),
        ("defect.opened", {"defect": 7}),
        ("period.reviewed", {"up_to": 1}),
        ("entry.amended", {"type": "drill.held", "was": 1, "said": {}}),
    ):
        draft = prepare(replace(alert("d1"), type=type_, open=said))
        with pytest.raises(EntryError):
            fold.project(draft)


@pytest.mark.parametrize(
    ("damage", "offset_min"),
    [(b"", None), (b"not a database at all" * 400, 480)],  # the next segment says what it took over
)
async def test_an_old_segment_that_is_damaged_stops_neither_entries_nor_the_list(
    tmp_path, damage, offset_min
):
    async with open_book(tmp_path) as rig:
        await rig.enter("defect", DEFECT)
        await rig.record.rotate("full")
    (tmp_path / "record" / "segment-0001.db").write_bytes(damage)
    async with open_book(tmp_path) as rig:
        assert "def-001" in rig.items()
        entry = await rig.enter("drill", DRILL)
        assert "drill" not in rig.items()
        page = await rig.ask("log", after=entry["seq"] - 1)
        assert (page["newest"], page["offset_min"]) == (entry["seq"], [offset_min])
        given = {"amended_by": {}, "attached": {}, "colour": False}
        assert "?? ??:?? ?" in in_line(entry, offset_min=None, **given)
        with pytest.raises(RefusedError, match=r"cannot be read now: .*segment-0001\.db"):
            await rig.ask("log")
