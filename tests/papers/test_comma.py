"""CSV that a spreadsheet opens and does not run."""

from __future__ import annotations

import csv
import io

import pytest

from daemon.papers import books, comma, making, outcome
from daemon.papers.release import Release
from daemon.papers.testlog import rows
from daemon.papers.view import View
from tests.papers.rig import MATE, at, exported, iso, made, result, said


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_like_a_formula_is_defused(begin):
    assert comma.defused(f"{begin}1+1") == f"'{begin}1+1"


@pytest.mark.parametrize("text", ["", "–", "1+1", " =1", "a@b", "'=1"])
def test_any_other_cell_is_left_alone(text):
    assert comma.defused(text) == text


def test_it_is_rfc_4180_in_utf_8():
    written = comma.written(["a", "b"], [["x, y", 'say "é"'], ["line\nbreak", ""]])
    assert written == 'a,b\r\n"x, y","say ""é"""\r\n"line\nbreak",\r\n'.encode()


def test_the_log_has_the_columns_of_test_records(tmp_path):
    entries = [
        said("notice.given", at(5), sso=True, person=MATE, flag="singapore", sent=iso(at(4)), to="MPA", reference="m"),
        said("notice.given", at(7), sso=True, person=MATE, flag="singapore", sent=iso(at(7)), to="MPA", reference="m"),
        result(
            "t-ssas-e-p1", at(6), equipment="ssas", name="SSAS P1", sso=True, person=MATE, witness="A. Lindqvist",
            private={
                "activation": "seen by ispsd on ssas.lamp",
                "shore": "said by R. Menon: MPA by mail 0224Z",
                "text_set_back": "said by R. Menon",
            },
        ),
        result("t-door", at(8), name="=cmd|' /C calc'!A0", person=MATE),
        exported(at(29)),
    ]  # fmt: skip
    read, seqs = made(tmp_path, entries)
    around = making.around(read.source, View.FULL)
    door, ssas = csv.DictReader(io.StringIO(comma.log(rows(around), around).decode(), newline=""))
    assert tuple(ssas) == comma.COLUMNS
    assert ssas["no"] == str(seqs[1])
    assert ssas["notice_sent_utc"] == "2026-11-04T00:00:00Z"
    assert (ssas["test_start_utc"], ssas["test_end_utc"]) == (
        "2026-11-05T23:55:00Z",
        "2026-11-06T00:00:00Z",
    )
    assert ssas["ship_time_of_end"] == "2026-11-06T08:00 UTC+8"
    assert ssas["message_received_by"] == "said by R. Menon: MPA by mail 0224Z"
    assert (ssas["text_reset"], ssas["tested_by"], ssas["witnessed_by"]) == (
        "y",
        "C/O R. Menon",
        "Master A. Lindqvist",
    )
    assert door["equipment"] == "'=cmd|' /C calc'!A0"
    assert (door["notice_sent_utc"], door["text_reset"]) == ("", "")


@pytest.mark.parametrize("what", ["test-log", "psc"])
def test_the_log_has_repair_and_maintenance_between_the_tests(tmp_path, what):
    repair = said(
        "unit.repaired", at(9), sso=True, person=MATE, equipment="d10", defect="def-001", why="worn",
        work="new contact", done_by="D. Kovac", old_serial="1", new_serial="2", done_at=iso(at(9)),
    )  # fmt: skip
    upkeep = said(
        "maintenance.done", at(7), sso=True, person=MATE, equipment="d10", work="greased", done_by=MATE
    )  # fmt: skip
    entries = [upkeep, result("t-door", at(8), "failed"), repair, exported(at(29))]
    read, _ = made(tmp_path, entries)
    asked = making.Asked(what, Release("J. Doe", MATE, None, None))
    found = list(
        csv.DictReader(io.StringIO(outcome._comma(asked, read.source).decode(), newline=""))
    )
    assert [row["result"] for row in found] == ["REPAIRED", "UNSAT", "MAINTAINED"]
    assert found[0]["remarks"] == "DEF-001"
    work = "work: new contact; why: worn; old serial: 1; new serial: 2"
    assert found[0]["evidence"] == (work if what == "test-log" else "–")
    assert found[0]["equipment"] == ("D10" if what == "test-log" else "Door D10")
    assert found[0]["tested_by"] == "D. Kovac"


def test_drills_are_a_table_of_their_own(tmp_path):
    drill = said(
        "drill.held",
        at(3),
        kind=".1",
        person=MATE,
        scenario="bomb threat",
        ended=iso(at(3)),
        private={"lessons": "+1 card"},
    )
    read, seqs = made(tmp_path, [drill, exported(at(29))])
    [row] = csv.DictReader(
        io.StringIO(
            comma.table(books.drills(making.around(read.source, View.FULL))).decode(), newline=""
        )
    )
    assert (row["No."], row["Scenario"], row["Lessons, open actions"]) == (
        str(seqs[0]),
        "bomb threat",
        "'+1 card",
    )
