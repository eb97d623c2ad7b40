"""The equipment test log for pages: the papers' own rows of the running record, a bounded sheet at a time."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from daemon.errors import RefusedError
from daemon.papers import logtable, making, source
from daemon.papers.layout import plain
from daemon.papers.testlog import rows as paper_rows
from daemon.papers.view import View
from daemon.record import snapshot
from daemon.testlog import sheet
from daemon.testlog.cells import told
from tests.papers.rig import (
    MASTER,
    MATE,
    NOVEMBER,
    at,
    day_of,
    exported,
    iso,
    planned,
    result,
    said,
    signed_off,
    writing,
)
from tests.testlog.rig import Ship, log_of

WHOLE = {"since": iso(NOVEMBER.begins), "until": iso(NOVEMBER.ends)}


def text(cell):
    return " ".join(each["t"] for each in cell if each["t"])


def cells(answer):
    return [
        dict(zip(answer["columns"], map(text, row["cells"]), strict=True)) for row in answer["rows"]
    ]


@asynccontextmanager
async def asking(tmp_path, entries, **ship):
    async with writing(tmp_path / "record", entries) as (record, seqs, _):
        log = log_of(record, Ship(**ship))

        async def ask(**wanted):
            return await log.sheet({**WHOLE, **wanted})

        yield ask, seqs


MONTH = [
    exported(at(1)),
    said("port.call", at(1), kind=".11", person=MATE, port="SGSIN", arrived=iso(at(1)), departed=None),
    planned(at(1), {"test": "t-door", "every": "month", "since": iso(at(1)), "ssp_paragraph": "7.3.2"}),
    said("crew.joined", at(1), kind="system", person=MASTER, name="M. Petrov", rank="3/O", roles=["officer"],
         sso=True, joined="2026-11-01"),
    result("t-door", at(2, 2), equipment="d10", name="ER ESC TRUNK", person="M. Petrov", witness="L. Tupou"),
    day_of("t-ais", 3),
    result("t-cctv", at(4), "failed", reason="no picture since 0741", equipment="c03"),
    said("defect.opened", at(4, 1), defect="def-014", test="t-cctv", equipment="c03", measure="patrol 1/h"),
    result("t-hhmd", at(5), "skipped", reason="battery on order", entered=at(7), person=MATE),
    said("test.missed", at(9), test="t-seal", equipment="seals", name="SEAL ROUND", outcome="skipped",
         reason="not done", period_begins=iso(at(2)), period_ends=iso(at(9)), ssp_paragraph="7.3.3"),
    result("t-ssas-e-p1", at(10), sso=True, equipment="ssas", name="SSAS P1",
           private={"activation": "seen by R. Menon"}),
]  # fmt: skip


async def test_the_page_has_the_same_rows_as_the_paper(tmp_path):
    async with asking(tmp_path, MONTH) as (ask, _):
        answer = await ask()
        snapshot.take(tmp_path / "record", tmp_path / "s")
    around = making.around(source.read(tmp_path / "s", NOVEMBER), View.FULL)
    table = logtable.table(paper_rows(around), around)
    assert answer["columns"] == [column.name for column in table.columns]
    assert [row["cells"] for row in answer["rows"]] == [
        [told(cell) for cell in row] for row in table.rows
    ]
    assert [row["No."] for row in cells(answer)] == [plain(row[0]) for row in table.rows]
    assert len(answer["rows"]) == 6
    assert cells(answer)[-1]["By / witness"] == "3/O M. Petrov / L. Tupou"


async def test_the_first_line_counts_the_whole_period_and_says_how_far_it_is_reviewed(tmp_path):
    reviews = [
        signed_off("reviewed", at(6), 5, MATE, up_to_at=iso(at(4))),
        signed_off("verified", at(6, 1), 5, MASTER, up_to_at=iso(at(4))),
    ]
    async with asking(tmp_path, [*MONTH, *reviews], overdue=("t-pir",), defects=1) as (ask, _):
        first = (await ask())["first_line"]
        assert (await ask(show="ssas"))["first_line"] == first.replace("3 SAT", "1 SAT").replace(
            "1 UNSAT · 2 NOT DONE", "0 UNSAT · 0 NOT DONE"
        )
    assert first == (
        "3 SAT · 1 UNSAT · 2 NOT DONE · 1 overdue · 1 open defect · "
        "reviewed to no. 5 (6 Nov, Menon), verified (Lindqvist)"
    )


async def test_filters_show_what_they_say(tmp_path):
    async with asking(tmp_path, MONTH, overdue=("t-hhmd",)) as (ask, _):

        async def equipment(**wanted):
            return [row["Equipment"] for row in cells(await ask(**wanted))]

        assert await equipment(show="unsat") == ["SEAL ROUND", "HHMD", "C03"]
        assert await equipment(show="overdue") == ["HHMD"]
        assert await equipment(show="ssas") == ["SSAS P1"]
        assert await equipment(equipment="d10") == ["ER ESC TRUNK"]
        assert await equipment(text="petrov trunk") == ["ER ESC TRUNK"]
        assert await equipment(text="DEF-014") == ["C03"], "what stands in the row is found"
        assert await equipment(text="none such") == []
        assert await equipment(since=iso(at(9)), until=iso(at(10))) == ["SEAL ROUND"]


async def test_late_struck_through_and_not_sat_stand_as_on_paper(tmp_path):
    async with writing(tmp_path / "record", MONTH) as (record, seqs, clock):
        bad = seqs[6]
        clock.move_to(at(11))
        amended = await record.submit(
            said("entry.amended", at(11), subject=f"entry-{bad}", person=MATE, original=bad, type="test.result",
                 reason="looked again",
                 was={"outcome": "failed"}, now={"outcome": "inconclusive"}).draft
        )  # fmt: skip
        answer = await log_of(record, Ship()).sheet(WHOLE)
    by_no = {row["seq"]: row["cells"] for row in answer["rows"]}
    assert by_no[bad][6] == [
        {"t": "UNSAT", "s": "strike"},
        {"t": f" NOT PROVEN (no. {amended.seq})", "s": "bold"},
    ]
    late = next(row for row in by_no.values() if text(row[2]) == "HHMD")
    assert {"t": "LATE, entered 7 Nov 2026 0000Z", "s": "bold"} in late[1]
    assert {"t": "NOT DONE", "s": "bold"} in late[6]


async def test_drills_have_their_own_columns(tmp_path):
    drill = said("drill.held", at(12), kind=".1", person=MATE, scenario="stowaway search, bosun store",
                 crew=22, crew_took_part=20, ended=iso(at(12)), led_by=MATE)  # fmt: skip
    async with asking(tmp_path, [*MONTH, drill]) as (ask, seqs):
        [row] = cells(await ask(show="drills"))
        [psc] = cells(await ask(show="drills", view="psc"))
    assert (row["No."], row["What"], row["Crew"]) == (str(seqs[-1]), "drill", "20 of 22")
    assert "bosun store" in row["Scenario"]
    assert psc["Scenario class"] == "stowaway search"
    assert "bosun" not in str(psc)


async def test_port_state_control_reads_generic_names_and_finds_nothing_behind_them(tmp_path):
    async with asking(tmp_path, MONTH) as (ask, _):
        answer = await ask(view="psc")
        assert "ESC TRUNK" not in str(answer["rows"])
        assert "7.3.2" not in str(answer["rows"])
        assert "no picture" not in str(answer["rows"])
        assert answer["equipment"] == []
        assert (await ask(view="psc", text="trunk"))["rows"] == []
        assert len((await ask(view="psc", equipment="d10"))["rows"]) == 6, "nobody tries ids out"


async def test_a_generic_name_is_the_same_thing_on_every_sheet(tmp_path):
    tests = [
        result(f"t-{name}", at(day), equipment=name)
        for day, name in enumerate(("winch", "crane", "winch"), 2)
    ]
    async with asking(tmp_path, tests, overdue=("t-crane", "t-winch")) as (ask, _):
        both = [row["Equipment"] for row in cells(await ask(view="psc"))]
        [last] = [row["Equipment"] for row in cells(await ask(view="psc", since=iso(at(4))))]
    assert both == ["Equipment 4", "Equipment 1", "Equipment 4"]
    assert last == "Equipment 4", "also where the other is not there"


async def test_a_sheet_is_bounded_and_the_next_goes_on_where_it_ends(tmp_path):
    many = [result("t-uhf", at(1) + timedelta(hours=n)) for n in range(230)]
    missed = [said("test.missed", at(1) + timedelta(hours=n, minutes=1), test="t-x", equipment="x", name="X",
                   period_begins=iso(at(1)), period_ends=iso(at(2))) for n in range(0, 230, 5)]  # fmt: skip
    seen: list[int] = []
    async with asking(tmp_path, [*many, *missed]) as (ask, seqs):
        before = None
        for _ in range(4):
            answer = await ask(before=before)
            assert len(answer["rows"]) <= sheet.MOST_SHOWN
            assert answer["first_line"].startswith("230 SAT · 0 UNSAT · 46 NOT DONE")
            seen += [row["seq"] for row in answer["rows"]]
            before = answer["next"]
            if before is None:
                break
    assert seen == sorted(seqs, reverse=True)


async def test_an_old_row_says_its_port_whatever_came_since(tmp_path):
    def call(number):
        when = at(1) + timedelta(hours=number)
        return said(
            "port.arrived", when, kind=".11", person=MATE, port=f"P{number:04d}", arrived=iso(when)
        )

    old = result("t-door", at(1, 2, 30))
    entries = [call(2), old, *(call(number) for number in range(800, 1100))]
    async with asking(tmp_path, entries) as (ask, _):
        [row] = cells(await ask(until=iso(at(2))))
    assert row["Port or posn, lvl"] == "P0002 L1"


async def test_long_entries_make_short_sheets_and_none_is_passed_over_or_shown_twice(tmp_path):
    ends = {"period_begins": iso(at(1)), "period_ends": iso(at(1, 1))}
    missed = said("test.missed", at(1, 2), test="t-x", equipment="x", name="X", **ends)
    long = [result("t-uhf", at(2) + timedelta(hours=n), reason="x" * 40_000) for n in range(60)]
    seen: list[int] = []
    async with asking(tmp_path, [missed, *long]) as (ask, seqs):
        before = None
        while True:
            answer = await ask(before=before)
            seen += [row["seq"] for row in answer["rows"]]
            if (before := answer["next"]) is None:
                break
            assert len(answer["rows"]) < 60
    assert seen == sorted(seqs, reverse=True)


async def test_what_is_sought_far_back_is_come_to(tmp_path):
    odd = result("t-door", at(1), reason="needle")
    many = [result("t-uhf", at(1, 1) + timedelta(minutes=n)) for n in range(900)]
    async with asking(tmp_path, [odd, *many]) as (ask, seqs):
        before, sheets = None, 0
        while True:
            answer = await ask(text="needle", before=before)
            sheets += 1
            if answer["rows"] or answer["next"] is None:
                break
            before = answer["next"]
    assert [row["seq"] for row in answer["rows"]] == [seqs[0]]
    assert sheets == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"show": "everything"},
        {"text": "x" * 61},
        {"since": "yesterday"},
        {"until": iso(NOVEMBER.begins)},
        {"before": "12"},
    ],
)
async def test_what_nobody_can_ask_for_is_refused(tmp_path, wrong):
    async with asking(tmp_path, MONTH) as (ask, _):
        with pytest.raises(RefusedError):
            await ask(**wrong)


async def test_hostile_words_of_the_record_stay_words(tmp_path):
    name = "<script>alert(1)</script>\u202e\x1b[2J" + "x" * 5000
    async with asking(tmp_path, [result("t-door", at(2), name="X", reason=name)]) as (ask, _):
        [row] = (await ask())["rows"]
    said_ = text(row["cells"][7])
    assert said_.startswith("<script>alert(1)</script>??[2J")
    assert len(said_) <= 600
