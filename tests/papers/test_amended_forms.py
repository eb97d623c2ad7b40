"""What a form said at first stays on paper, struck through, and what it says now stands beside it."""

from __future__ import annotations

import pytest

from daemon.papers import books, interfaces, making
from daemon.papers.layout import Span, plain
from daemon.papers.view import View
from tests.papers.rig import MATE, at, exported, iso, made, said


def amended(seq, entry, name, was, now):
    draft = entry.draft
    return said(
        "entry.amended",
        at(20),
        person=MATE,
        original=seq,
        amends={"seq": seq},
        type=draft.type,
        reason="typed wrong",
        was={name: was},
        now={name: now},
        said={**draft.open, name: now},
    )


def drawn(tmp_path, entry, name, was, now, view, table):
    """Draw the table with the entry and its amendment; return its only row and the amendment's number."""
    first, seqs = made(tmp_path / "1", [entry, exported(at(29))])
    read, numbers = made(
        tmp_path / "2", [entry, amended(seqs[0], entry, name, was, now), exported(at(29))]
    )
    here = making.around(read.source, view)
    [row] = table(here).rows
    assert first.source.last_seq < read.source.last_seq
    return row, numbers[1], here


DRILL = said(
    "drill.held",
    at(10),
    person=MATE,
    kind=".1",
    scenario="stowaway search",
    began=iso(at(9, 1)),
    ended=iso(at(9, 2)),
    crew_took_part=18,
    crew=22,
    crew_changed_by_more_than_a_quarter=False,
    led_by="R. Menon",
    rank="C/O",
)
CALL = said(
    "port.call",
    at(11),
    person=MATE,
    kind=".11",
    port="SGSIN",
    facility="SGSIN-0001",
    arrived=iso(at(10)),
    departed=iso(at(11)),
    ship_level=1,
    port_level=1,
    declaration_of_security=False,
    stowaway_search=True,
)
STS = said(
    "ship_to_ship.done",
    at(11),
    person=MATE,
    kind=".13",
    began=iso(at(10)),
    ended=iso(at(11)),
    ship_level=1,
    declaration_of_security=False,
)
TOLD = said(
    "level.communicated",
    at(11),
    person=MATE,
    kind=".4",
    level=1,
    told_by="MPA",
    told_at=iso(at(10)),
    in_force_at=iso(at(10, 2)),
)
REPAIR = said(
    "unit.repaired",
    at(11),
    person=MATE,
    sso=True,
    equipment="d10",
    why="worn",
    work="new contact",
    done_by="D. Kovac",
    tested_again=True,
)
DEFECT = said(
    "defect.opened",
    at(11),
    person=MATE,
    sso=True,
    defect="def-1",
    equipment="d10",
    name="side door",
    found="bent",
    measure="guard",
)


@pytest.mark.parametrize("view", [View.PSC, View.RSO, View.FULL])
@pytest.mark.parametrize(
    ("entry", "table", "column", "name", "was", "now", "old", "new"),
    [
        (DRILL, books.drills, 5, "crew_took_part", 18, 19, "18", "19"),
        (DRILL, books.drills, 5, "crew", 22, 21, "22", "21"),
        (
            DRILL,
            books.drills,
            1,
            "ended",
            iso(at(9, 2)),
            iso(at(9, 3)),
            "9 Nov 2026 0200Z",
            "9 Nov 2026 0300Z",
        ),
        (
            CALL,
            interfaces.calls,
            3,
            "arrived",
            iso(at(10)),
            iso(at(10, 1)),
            "10 Nov 2026 0000Z",
            "10 Nov 2026 0100Z",
        ),
        (
            CALL,
            interfaces.calls,
            4,
            "departed",
            iso(at(11)),
            iso(at(11, 1)),
            "11 Nov 2026 0000Z",
            "11 Nov 2026 0100Z",
        ),
        (CALL, interfaces.calls, 6, "port_level", 1, 2, "1", "2"),
        (CALL, interfaces.calls, 7, "declaration_of_security", False, True, "no", "yes"),
        (
            STS,
            interfaces.ship_to_ship,
            2,
            "ended",
            iso(at(11)),
            iso(at(11, 1)),
            "2026 0000Z",
            "2026 0100Z",
        ),
        (STS, interfaces.ship_to_ship, 3, "ship_level", 1, 2, "1", "2"),
        (STS, interfaces.ship_to_ship, 4, "declaration_of_security", False, True, "no", "yes"),
        (TOLD, interfaces.levels, 3, "level", 1, 2, "1", "2"),
        (
            TOLD,
            interfaces.levels,
            5,
            "in_force_at",
            iso(at(10, 2)),
            iso(at(10, 3)),
            "0200Z",
            "0300Z",
        ),
        (REPAIR, books.upkeep, 4, "done_by", "D. Kovac", "J. Santos", "D. Kovac", "J. Santos"),
        (DEFECT, books.defects, 2, "equipment", "d10", "d11", "D10", "D11"),
    ],
)
def test_the_old_is_struck_through_and_the_new_beside_it(
    tmp_path, view, entry, table, column, name, was, now, old, new
):
    row, number, _ = drawn(tmp_path, entry, name, was, now, view, table)
    cell = row[column]
    struck = [span.text for span in cell if span.style == "strike"]
    assert [old in each for each in struck] == [True]
    assert f"{new} (no. {number})" in plain(cell).split("]")[-1]
    assert Span(f"amended, no. {number}", "small") in row[0]


@pytest.mark.parametrize(
    ("entry", "table", "column", "name", "was", "now"),
    [
        (DRILL, books.drills, 7, "led_by", "R. Menon", "M. Petrov"),
        (REPAIR, books.upkeep, 5, "work", "new contact", "new lock"),
    ],
)
def test_so_is_what_port_state_control_does_not_read(
    tmp_path, entry, table, column, name, was, now
):
    row, number, _ = drawn(tmp_path, entry, name, was, now, View.FULL, table)
    assert [was in span.text for span in row[column] if span.style == "strike"] == [True]
    assert f"{now} (no. {number})" in plain(row[column])


def test_an_amended_call_says_where_a_drill_was(tmp_path):
    """She arrived after the drill, as the amended entry has it."""
    call = said(
        "port.call",
        at(11),
        person=MATE,
        kind=".11",
        port="SGSIN",
        facility="x",
        arrived=iso(at(9)),
        departed=iso(at(11)),
    )
    _, seqs = made(tmp_path / "1", [DRILL, call, exported(at(29))])
    for folder, more, where in (
        ("2", (), "SGSIN"),
        ("3", (amended(seqs[1], call, "arrived", iso(at(9)), iso(at(9, 3))),), "not in port"),
    ):
        read, _ = made(tmp_path / folder, [DRILL, call, *more, exported(at(29))])
        [row] = books.drills(making.around(read.source, View.PSC)).rows
        assert row[3] == where


def test_the_line_above_the_drills_counts_from_when_the_last_was_held_as_amended(tmp_path):
    _, number, here = drawn(
        tmp_path, DRILL, "ended", iso(at(9, 2)), iso(at(12, 2)), View.PSC, books.drills
    )
    assert number
    assert "Last drill 12 Nov 2026 0200Z" in plain(books.drills(here).lead[0])


def test_a_call_of_an_arrival_and_a_departure_is_one_row(tmp_path):
    def arrived(port, day):
        return said(
            "port.arrived",
            at(day),
            person=MATE,
            kind=".11",
            port=port,
            facility=f"{port}-1",
            arrived=iso(at(day)),
            ship_level=1,
            port_level=2,
            declaration_of_security=True,
        )

    def departed(port, day):
        return said(
            "port.departed",
            at(day),
            person=MATE,
            kind=".11",
            port=port,
            departed=iso(at(day)),
            stowaway_search=True,
        )

    entries = [
        arrived("SGSIN", 9),
        departed("sgsin", 11),
        departed("SGSIN", 12),
        arrived("LKCMB", 20),
        arrived("SGSIN", 25),
        exported(at(29)),
    ]
    read, _ = made(tmp_path / "1", entries)
    here = making.around(read.source, View.FULL)
    assert [(c.port, c.arrived, c.departed) for c in here.calls.calls] == [
        ("SGSIN", at(9), at(11)),
        ("LKCMB", at(20), None),
        ("SGSIN", at(25), None),
    ]
    rows = interfaces.calls(here).rows
    assert [row[4] for row in rows] == ["still there", "still there", "11 Nov 2026 0000Z"]
    assert here.calls.port_at(at(10)) == "SGSIN"
    assert not here.calls.port_at(at(12))
