"""The rows of the equipment test log: one an occurrence, one a day, NOT DONE, LATE, amended, whose defect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.model import ClockStatus
from daemon.papers import logtable, making, matrix, nexttime, source
from daemon.papers.layout import Span, plain
from daemon.papers.testlog import rows
from daemon.papers.view import View
from daemon.record import snapshot
from tests.papers.rig import (
    MATE,
    NOVEMBER,
    at,
    day_of,
    exported,
    iso,
    made,
    planned,
    result,
    said,
    signed_off,
    writing,
)


def around(tmp_path, entries, view=View.FULL):
    read, seqs = made(tmp_path, [*entries, exported(at(29))])
    return making.around(read.source, view), seqs


def cells(table):
    names = [column.name for column in table.columns]
    return [dict(zip(names, (plain(cell) for cell in row), strict=True)) for row in table.rows]


def log(tmp_path, entries, view=View.FULL):
    here, seqs = around(tmp_path, entries, view)
    return cells(logtable.table(rows(here), here)), seqs


def test_a_row_has_every_column_of_the_form(tmp_path):
    calls = said(
        "port.call", at(1), kind=".11", person=MATE, port="SGSIN", arrived=iso(at(1)), departed=None
    )
    plan = planned(
        at(1), {"test": "t-door", "every": "month", "since": iso(at(1)), "ssp_paragraph": "7.3.2"}
    )
    one = result(
        "t-door",
        at(22, 2),
        equipment="d10",
        name="ER ESC TRUNK",
        person="M. Petrov",
        witness="L. Tupou",
        reason="open 0.4 s, closed 0.3 s, heard",
    )
    [row], seqs = log(tmp_path, [calls, plan, one])
    assert row == {
        "No.": str(seqs[2]),
        "UTC / ship's time": "22 Nov 0200 1000 +8",
        "Equipment": "ER ESC TRUNK",
        "Test, SSP para": "T-DOOR  7.3.2",
        "How": "P",
        "Port or posn, lvl": "SGSIN L1",
        "Result": "SAT",
        "Evidence": "open 0.4 s, closed 0.3 s, heard; 4 values kept",
        "By / witness": "3/O M. Petrov / L. Tupou",
        "Defect / remarks": "–",
        "Next": "Dec",
    }


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        ("passed", "SAT"),
        ("failed", "UNSAT"),
        ("inconclusive", "NOT PROVEN"),
        ("skipped", "NOT DONE"),
        ("odd", "NOT PROVEN"),
    ],
)
def test_results_are_words_and_bold_unless_sat(tmp_path, outcome, word):
    here, _ = around(tmp_path, [result("t-door", at(5), outcome)])
    [row] = logtable.table(rows(here), here).rows
    assert row[6] == ("SAT" if word == "SAT" else (Span(word, "bold"),))


@pytest.mark.parametrize(
    ("mode", "letter"),
    [("automatic", "A"), ("in_service", "S"), ("assisted", "P"), ("manual", "M")],
)
def test_how_is_one_letter(tmp_path, mode, letter):
    [row], _ = log(tmp_path, [result("t-door", at(5), mode=mode)])
    assert row["How"] == letter


def test_at_sea_a_row_says_the_position(tmp_path):
    position = "01°15.8'N 103°50.4'E"
    one = result("t-uhf", at(22, 2), situation="sea", position=position)
    other = result("t-uhf", at(21, 2), situation="sea")
    found, _ = log(tmp_path, [one, other])
    assert [row["Port or posn, lvl"] for row in found] == [f"{position} L1", "at sea L1"]


def test_rows_are_of_the_period_newest_first_and_a_late_entry_stands_where_it_was_entered(tmp_path):
    october = result("t-door", at(1) - timedelta(seconds=2))
    typed_later = result("t-seal", at(1) - timedelta(days=3), entered=at(7), person=MATE)
    found, _ = log(tmp_path, [october, result("t-a", at(3)), result("t-b", at(4)), typed_later])
    assert [row["Equipment"] for row in found] == ["SEAL", "B", "A"]


@pytest.mark.parametrize(("late_s", "is_late"), [(24 * 3600, False), (24 * 3600 + 1, True)])
def test_late_begins_behind_24_hours_and_says_when_it_was_entered(tmp_path, late_s, is_late):
    [row], _ = log(
        tmp_path, [result("t-hhmd", at(5), entered=at(5) + timedelta(seconds=late_s), person=MATE)]
    )
    assert ("LATE, entered 6 Nov 2026 0000Z" in row["UTC / ship's time"]) is is_late


@pytest.mark.parametrize(
    "wrong", [datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)]
)
async def test_a_test_that_was_written_by_a_wrong_clock_stands_where_it_was_written_and_says_so(
    tmp_path, wrong
):
    async with writing(tmp_path / "record", [result("t-a", at(3))]) as (record, _, clock):
        right, up_s = clock.status, clock.now_s()
        clock.move_to(wrong)
        clock.status, clock.now_s = lambda: ClockStatus.UNSET, lambda: up_s + 60
        stray = await record.submit(result("t-b", wrong).draft)
        clock.move_to(at(5))
        clock.status, clock.now_s = right, lambda: up_s + 120
        for each in (result("t-c", at(5)), exported(at(5))):
            await record.submit(each.draft)
        await record.seal()
    snapshot.take(tmp_path / "record", tmp_path / "s")
    here = making.around(source.read(tmp_path / "s", NOVEMBER), View.FULL)
    found = cells(logtable.table(rows(here), here))
    assert [row["Equipment"] for row in found] == ["C", "B", "A"]
    assert found[1]["No."] == str(stray.seq)
    assert "the computer's clock was not set" in found[1]["UTC / ship's time"]
    assert "clock" not in found[0]["UTC / ship's time"] + found[2]["UTC / ship's time"]


def test_a_missed_period_is_not_done_with_its_reason_and_never_late(tmp_path):
    missed = said(
        "test.missed",
        at(9),
        test="t-seal",
        equipment="seals",
        name="SEAL ROUND",
        outcome="skipped",
        reason="no result was entered",
        period_begins=iso(at(1) + timedelta(hours=16)),
        period_ends=iso(at(7) + timedelta(hours=16)),
        ssp_paragraph="7.3.3",
        items_missed=3,
    )
    [row], _ = log(tmp_path, [missed])
    assert row["Result"] == "NOT DONE"
    assert row["Defect / remarks"] == "period 2 Nov to 7 Nov; no result was entered"
    assert row["Evidence"] == "3 items not tested"
    assert "LATE" not in row["UTC / ship's time"]


def test_ships_time_is_that_of_the_moment(tmp_path):
    changes = [
        said("ship_time.changed", at(4), kind="system", person=MATE, offset_min=-210),
        said("ship_time.changed", at(6), kind="system", person=MATE, offset_min=0),
    ]
    tests = [result("t-a", at(3, 20)), result("t-b", at(4, 0, 1)), result("t-c", at(7, 1))]
    found, _ = log(tmp_path, [*changes, *tests])
    assert [row["UTC / ship's time"] for row in found] == [
        "7 Nov 0100 0100 +0",
        "4 Nov 0001 3 Nov 2031 -3:30",
        "3 Nov 2000 4 Nov 0400 +8",
    ]


def test_a_defect_that_a_test_found_stands_in_its_row_with_who_was_told(tmp_path):
    opened = said(
        "defect.opened",
        at(6),
        sso=True,
        person=MATE,
        defect="def-014",
        test="t-cctv",
        equipment="c03",
        name="POOP CAMERA",
        found="no picture",
        measure="patrol every hour",
        told=[{"who": "CSO P. Okafor", "at": iso(at(6, 0, 30))}],
    )
    entries = [result("t-cctv", at(5, 23), "failed"), opened, result("t-cctv", at(12), "failed")]
    found, _ = log(tmp_path, entries)
    assert [row["Defect / remarks"] for row in found] == [
        "–",
        "DEF-014, patrol every hour, CSO P. Okafor 0030Z 6 Nov",
    ]


def test_an_amendment_strikes_the_old_through_and_names_the_new_entry(tmp_path):
    first = result("t-hhmd", at(5), person=MATE, mode="manual", reason="found 3 of 3")
    here, seqs = around(tmp_path, [first])
    assert here.amendments == {}
    amended = said(
        "entry.amended",
        at(6),
        person=MATE,
        subject=f"entry-{seqs[0]}",
        amends={"seq": seqs[0], "leaf": "00", "type": "test.result"},
        original=seqs[0],
        type="test.result",
        reason="typed for the wrong set",
        was={"outcome": "passed", "reason": "found 3 of 3"},
        now={"outcome": "inconclusive", "reason": "set not in use"},
    )
    again = said(
        "entry.amended",
        at(7),
        person=MATE,
        amends={"seq": seqs[0] + 1},
        original=seqs[0],
        type="test.result",
        reason="once more",
        was={"outcome": "inconclusive"},
        now={"outcome": "failed"},
    )
    here, seqs = around(tmp_path / "2", [first, amended, again])
    [row] = logtable.table(rows(here), here).rows
    assert row[6] == (
        Span("SAT", "strike"),
        Span(f" NOT PROVEN (no. {seqs[1]})", "bold"),
        Span(f" UNSAT (no. {seqs[2]})", "bold"),
    )
    assert row[7] == (
        Span("found 3 of 3; 4 values kept", "strike"),
        Span(f" set not in use (no. {seqs[1]})"),
    )


def test_days_of_supervision_are_drawn_together_only_while_nothing_happened(tmp_path):
    outcomes = ["passed", "passed", "inconclusive", "passed", "passed", "passed"]
    days = [day_of("t-ais", number, outcome) for number, outcome in enumerate(outcomes, start=2)]
    here, seqs = around(tmp_path, days)
    together = logtable.together(rows(here))
    assert [(r.seq, r.last_seq, r.days, r.result) for r in together] == [
        (seqs[3], seqs[5], 3, "SAT"),
        (seqs[2], None, 1, "NOT PROVEN"),
        (seqs[0], seqs[1], 2, "SAT"),
    ]
    assert [row["UTC / ship's time"] for row in cells(logtable.table(together, here))] == [
        "5–7 Nov ship's days",
        "4 Nov ship's day",
        "2–3 Nov ship's days",
    ]


def test_the_first_line_counts_and_says_who_reviewed_and_verified(tmp_path):
    entries = [
        planned(
            at(1),
            {"test": "t-a", "every": "day", "since": iso(at(1)), "limit_days": 2},
            {"test": "t-b", "every": "month", "since": iso(at(1)), "limit_days": 92},
        ),
        result("t-a", at(2)),
        result("t-a", at(3)),
        result("t-b", at(4), "failed"),
        result("t-c", at(5), "skipped"),
        said(
            "defect.opened",
            at(6),
            sso=True,
            person=MATE,
            defect="def-1",
            test="t-b",
            equipment="b",
            told=[],
        ),
        signed_off("reviewed", at(14), 4, MATE, up_to_at=iso(at(13))),
        signed_off("verified", at(15), 4, "A. Lindqvist", up_to_at=iso(at(13))),
    ]
    here, _ = around(tmp_path, entries)
    line = logtable.first_line(rows(here), here)
    assert line == (
        "2 SAT · 1 UNSAT · 1 NOT DONE · 1 overdue · 1 open defect · "
        "reviewed to no. 4 (14 Nov, Menon), verified (Lindqvist)"
    )


def test_an_unreviewed_record_says_so(tmp_path):
    here, _ = around(tmp_path, [result("t-a", at(2))])
    assert logtable.first_line(rows(here), here).endswith("0 open defects · not reviewed")


@pytest.mark.parametrize(
    ("every", "mode", "words"),
    [
        ("day", "automatic", "cont."),
        ("day", "assisted", "31 Dec"),
        ("week", "assisted", "wk 4 Jan"),
        ("month", "assisted", "Jan 27"),
        ("quarter", "assisted", "Jan 27"),
        ("year", "assisted", "2027"),
        ("", "", "–"),
    ],
)
def test_next_is_the_period_behind_this_one(every, mode, words):
    done = at(30) + timedelta(days=30)  # Wednesday 30 Dec 2026
    assert nexttime.words(every, done, "SAT", mode) == words
    assert nexttime.words(every, done, "UNSAT", mode) == "–"


@pytest.mark.parametrize(
    ("results", "sign"),
    [
        ([], ""),
        (["SAT"], "●"),
        (["NOT DONE"], "○"),
        (["UNSAT"], "✕"),
        (["NOT PROVEN"], "△"),
        (["UNSAT", "SAT"], "▲"),
        (["SAT", "UNSAT"], "✕"),
        (["UNSAT", "SAT", "UNSAT"], "✕"),
        (["NOT DONE", "SAT"], "●"),
        (["NOT PROVEN", "NOT DONE"], "△"),
        (["REPAIRED"], "▲"),
        (["SAT", "REPAIRED"], "▲"),
        (["UNSAT", "REPAIRED"], "✕▲"),
        (["REPAIRED", "UNSAT"], "✕"),
        (["UNSAT", "REPAIRED", "SAT"], "▲"),
        (["UNSAT", "REPAIRED", "SAT", "UNSAT"], "✕"),
        (["NOT PROVEN", "REPAIRED"], "△▲"),
        (["NOT DONE", "REPAIRED"], "○▲"),
    ],
)
def test_the_sign_of_a_month(results, sign):
    assert matrix.sign(results) == sign


def repaired(when, equipment, /, **more):
    fields = {"why": "worn", "work": "new contact", "done_by": "D. Kovac", "done_at": iso(when)}
    return said("unit.repaired", when, sso=True, person=MATE, equipment=equipment, **fields, **more)


def months(here):
    """Return the signs of October and November, by equipment."""
    table = matrix.table(rows(here), here)
    return {plain(row[0]): (plain(row[-2]), plain(row[-1])) for row in table.rows}


@pytest.mark.parametrize("view", [View.FULL, View.RSO])
def test_the_matrix_shows_what_was_repaired_where_it_is_tested_else_in_a_row_of_its_own(
    tmp_path, view
):
    defect = said(
        "defect.opened", at(4), sso=True, defect="def-001", test="t-b", equipment="b9", name="B9"
    )
    entries = [
        result("t-a", at(3), "failed", equipment="d10", name="ER ESC TRUNK"),
        result("t-b", at(3), equipment="doors", name="Door contacts"),
        defect,
        repaired(at(5), "D10"),
        repaired(at(6), "b9", defect="def-001"),
        repaired(at(7), "search light"),
        repaired(at(1) - timedelta(days=3), "er esc trunk"),
        repaired(at(1) - timedelta(days=500), "of old"),
    ]
    here, _ = around(tmp_path, entries, view)
    assert months(here) == {
        "ER ESC TRUNK": ("▲", "✕▲"),
        "Door contacts": ("", "▲"),
        "SEARCH LIGHT": ("", "▲"),
    }


def test_the_matrix_of_a_psc_pack_shows_repairs_without_what_was_repaired(tmp_path):
    entries = [
        result("t-ssas-e-p1", at(3), equipment="ssas", sso=True, name="SSAS P1"),
        repaired(at(5), "ssas"),
        repaired(at(6), "lamp behind the bookcase"),
    ]
    here, _ = around(tmp_path, entries, View.PSC)
    assert months(here) == {"SSAS": ("", "▲"), "Equipment 0": ("", "▲")}


def test_a_defect_is_mended_by_the_form_of_a_repair_as_by_its_own_words(tmp_path):
    defect = said("defect.opened", at(4), sso=True, defect="def-001", equipment="d10", name="D10")
    changed = said("defect.changed", at(5), sso=True, defect="def-001", repair="new lock")
    here, _ = around(tmp_path, [defect, changed, repaired(at(6), "d10", defect="def-001")])
    [one] = here.defects.defects
    assert one.mending() == "new contact by D. Kovac 6 Nov 2026 0000Z"


def test_the_matrix_shows_twelve_months_to_the_end_of_the_record(tmp_path):
    old = result("t-a", at(1) - timedelta(days=300))
    here, _ = around(tmp_path, [old, result("t-a", at(20), "failed")])
    table = matrix.table(rows(here), here)
    assert [column.name for column in table.columns][3:] == [
        "Dec 25",
        "Jan 26",
        "Feb 26",
        "Mar 26",
        "Apr 26",
        "May 26",
        "Jun 26",
        "Jul 26",
        "Aug 26",
        "Sep 26",
        "Oct 26",
        "Nov 26",
    ]
