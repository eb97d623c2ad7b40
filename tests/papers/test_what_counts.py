"""What a paper counts, dates and calls *now* is what the record says of it now, not what was entered last or first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from daemon.papers import books, interfaces, logtable, making, matrix, pack, ssas
from daemon.papers.layout import plain
from daemon.papers.testlog import rows
from daemon.papers.view import View
from tests.papers.rig import MATE, at, exported, iso, made, result, said


def around(tmp_path, entries, view=View.PSC):
    read, seqs = made(tmp_path, [*entries, exported(at(29))])
    return making.around(read.source, view), seqs


def cells(table):
    names = [column.name for column in table.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in table.rows]


def test_a_test_that_was_amended_counts_as_it_was_amended(tmp_path):
    tested = result("t-ssas-e-p1", at(20), sso=True, equipment="ssas", person=MATE)
    _, (seq, *_) = around(tmp_path / "first", [tested])
    amended = said(
        "entry.amended",
        at(21),
        sso=True,
        person=MATE,
        original=seq,
        amends={"seq": seq},
        type="test.result",
        reason="was not done",
        was={"outcome": "passed"},
        now={"outcome": "failed"},
        said={"outcome": "failed"},
    )
    here, _ = around(tmp_path / "then", [tested, amended])
    found = rows(here)
    assert logtable.first_line(found, here).startswith("0 SAT · 1 UNSAT")
    (row,) = cells(ssas.tests(found, here))
    assert "UNSAT (no. " in row["Result"]
    assert "●" not in "".join(plain(cell) for cell in matrix.table(found, here).rows[0])


def test_of_a_day_that_was_watched_in_part_no_paper_says_24_hours(tmp_path):
    reasons = (
        "24 h, 100.0 %, no gap",
        "since 22:30, 99.9 %, no gap",
        "24 h (watched 01:10:00), no gap",
        "silent",
    )
    days = [
        result(
            "t-ais", at(5 + day, 16), mode="automatic", day=f"2026-11-{5 + day:02}", reason=reason
        )
        for day, reason in enumerate(reasons)
    ]
    here, _ = around(tmp_path, days)
    found = rows(here)
    told = {row.found.open["reason"]: row.evidence for row in found}
    assert [told[reason].partition("; ")[0] for reason in reasons] == [
        "24 h",
        "since 22:30",
        "24 h (watched 01:10:00)",
        "supervision",
    ]
    (together,) = logtable.together(found)
    assert together.evidence == "supervision on each of 4 days"


def test_the_newest_drills_are_those_that_were_held_last(tmp_path):
    def drill(entered, ended):
        form = {"began": iso(ended), "ended": iso(ended), "scenario": "stowaway", "crew": 20}
        return said("drill.held", entered, kind=".1", sso=True, person=MATE, **form)

    old = [
        drill(at(21) + timedelta(minutes=n), at(1) - timedelta(days=90 * n)) for n in range(1, 13)
    ]
    here, _ = around(tmp_path, [drill(at(20), at(19)), *old])
    table = books.drills(here)
    assert "19 Nov 2026" in cells(table)[0]["UTC / ship's time"]
    assert len(table.rows) == books.NEWEST
    assert table.notes == ("1 older one not shown here.",)


def ordered(type_, when, **told):
    return said(type_, when, kind=".4", person=MATE, **told)


def test_the_ports_level_is_the_one_that_was_told_last(tmp_path):
    call = ordered(
        "port.arrived", at(10), port="SGSIN", arrived=iso(at(10)), ship_level=1, port_level=1
    )
    raised = ordered("port_level.changed", at(12), **{"from": 1, "to": 2}, ship=2, told_by="PFSO")
    here, _ = around(tmp_path / "raised", [call, raised])
    assert str(pack._port_level(here)).startswith("2 at ")
    alongside = ordered("situation.changed", at(9), **{"from": "sea", "to": "port"})
    here, _ = around(tmp_path / "no call", [alongside])
    assert pack._port_level(here) is None, "in port, and nobody has said it"
    here, _ = around(tmp_path / "no call told", [alongside, raised])
    assert str(pack._port_level(here)).startswith("2 (entry")
    left = ordered("situation.changed", at(13), **{"from": "port", "to": "sea"})
    here, _ = around(tmp_path / "left", [alongside, raised, left])
    assert pack._port_level(here) == "not in port"


@pytest.mark.parametrize("again", [False, True])
def test_a_level_that_was_ordered_says_when_it_was_told_acknowledged_and_in_force(tmp_path, again):
    steps = {"notified": iso(at(11, 23)), "acknowledged": iso(at(12))}
    level = ordered("level.changed", at(12), **{"from": 1, "to": 2}, told_by="PFSO", **steps)
    other = ordered(
        "level.changed", at(12, 0) + timedelta(minutes=30), **{"from": 2, "to": 3}, told_by="PFSO"
    )
    force = ordered("level.in_force", at(12, 1), level=2, in_force=iso(at(12, 1)))
    here, _ = around(tmp_path, [level, *([other] if again else []), force])
    row = cells(interfaces.levels(here))[-1]["Told, acknowledged, in force"]
    assert row.startswith("told 2300Z, ack. 0000Z")
    assert ("in force 0100Z" in row) is not again, "of another level it is said"
