"""Who is who on paper follows from the record's entries about people, not from what an old export said."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from daemon.model import Role
from daemon.papers import making, pack, source
from daemon.papers.aboard import TYPES, Aboard
from daemon.papers.layout import plain
from daemon.papers.moments import Period
from daemon.papers.source import Found
from daemon.papers.testlog import rows
from daemon.papers.view import View
from daemon.record.reader import Query, Reader
from tests.papers.rig import (
    BEGINS,
    MASTER,
    MATE,
    NOVEMBER,
    PARTICULARS,
    at,
    exported,
    made,
    result,
    said,
    writing,
)

SECOND = "L. Okoye"


def body(name, rank, *roles):
    return {"name": name, "rank": rank, "roles": list(roles), "joined": None, "drilled": None}


LISTED = said(
    "crew.listed",
    at(1),
    sso=True,
    kind="system",
    persons=[
        body(MATE, "C/O", "officer", "sso"),
        body(MASTER, "Master", "master"),
        body(SECOND, "2/O", "officer"),
    ],
)
HANDED = said(
    "duty.handed_over",
    at(20, 8),
    sso=True,
    person=MATE,
    role="sso",
    **{"from": MATE, "to": SECOND},
    persons=[body(MATE, "C/O", "officer"), body(SECOND, "2/O", "officer", "sso")],
)
HAND_OVER = (LISTED, HANDED)


def cover(read):
    [facts] = [b for b in pack.sheets("x", making.around(read.source, View.PSC), read.proof, most_rows=0)[0].blocks
               if hasattr(b, "facts")]  # fmt: skip
    return dict(facts.facts)


def test_the_sso_on_paper_is_who_took_over_last_and_since_when(tmp_path):
    read, seqs = made(tmp_path, [exported(at(6)), *HAND_OVER])
    shown = cover(read)
    assert shown["Ship security officer"] == f"2/O {SECOND}"
    assert shown["    since"] == f"20 Nov 2026 0800Z (entry no. {seqs[-1]})"
    assert shown["Master"] == f"Master {MASTER}"


def test_who_is_only_listed_has_no_date_since_when(tmp_path):
    read, _ = made(tmp_path, [exported(at(6)), LISTED])
    shown = cover(read)
    assert (shown["Ship security officer"], shown["    since"]) == (f"C/O {MATE}", None)


def test_a_paper_of_an_earlier_period_names_who_was_sso_then(tmp_path):
    until = Period(BEGINS, at(20, 8))
    read, _ = made(tmp_path, [exported(at(6)), *HAND_OVER], period=until)
    assert cover(read)["Ship security officer"] == f"C/O {MATE}"
    assert read.source.particulars.may_release(SECOND, Role.SSO), "she releases it today"
    assert not read.source.particulars.may_release(MATE, Role.SSO, Role.MASTER)


def test_a_record_without_entries_about_people_goes_by_its_last_export(tmp_path):
    read, _ = made(tmp_path, [exported(at(6))])
    assert cover(read)["Ship security officer"] == f"C/O {MATE}"


def test_a_segment_alone_knows_who_is_aboard_by_what_it_took_over(tmp_path):
    async def two_segments():
        async with writing(tmp_path / "record", [LISTED, HANDED]) as (record, _, clock):
            clock.move_to(at(25))
            await record.rotate("a test")
            await record.seal()

    asyncio.run(two_segments())
    first, _ = sorted((tmp_path / "record").glob("segment-*.db"))
    first.unlink()
    assert source.people(tmp_path / "record").may_release(SECOND, Role.SSO)
    particulars = source.read(tmp_path / "record", NOVEMBER).particulars
    assert particulars.with_role(Role.SSO) == [f"2/O {SECOND}"]
    assert particulars.since(Role.SSO) == [], "the entry is not here"


def test_an_older_export_says_in_the_open_who_is_on_board(tmp_path):
    entry = {"what": "psc", "format": "pdf", "to_whom": "J. Doe", "particulars": PARTICULARS}
    read, _ = made(tmp_path, [said("record.exported", at(6), sso=True, person=MATE, **entry)])
    particulars = read.source.particulars
    assert (particulars.ship, particulars.ranked(MATE)) == ("KESTREL STRAIT", f"C/O {MATE}")


def test_everybody_keeps_the_rank_he_had_when_the_row_was_written(tmp_path):
    entries = [
        LISTED,
        result("t-door", at(2), person=SECOND),
        said("crew.changed", at(3), sso=True, **body(SECOND, "C/O", "officer")),
        result("t-door", at(4), person=SECOND),
        result("t-door", at(5), person=MATE),
        said("crew.left", at(6), sso=True, name=MATE, rank="C/O", left="2026-11-06", drilled=None),
        exported(at(7), particulars={"ranks": [], "roles": []}),
    ]
    read, _ = made(tmp_path, entries)
    by = [row.by for row in rows(making.around(read.source, View.FULL))]
    assert by == [f"C/O {MATE}", f"C/O {SECOND}", f"2/O {SECOND}"]
    assert MATE not in read.source.particulars.roles


def test_a_clock_that_ran_ahead_for_a_while_hides_no_hand_over(tmp_path):
    """The hand-over carries a time behind the period, but stands in front of an entry of the period."""
    read, _ = made(tmp_path, [LISTED, HANDED, exported(at(25))])
    stood = [*read.source.by_type["record.exported"]]
    people = _people(tmp_path / "snapshot")
    before = Aboard.of(people, at(20, 8))
    assert before.roles()[MATE] == "officer sso"
    with_later = Aboard.of([*people, *(replace(each, entry=replace(each.entry, stamp=people[0].entry.stamp))
                                       for each in stood)], at(20, 8))  # fmt: skip
    assert with_later.roles()[SECOND] == "officer sso"


def _people(folder):
    reader = Reader(folder)
    try:
        return [Found(each) for type_ in TYPES for each in reader.entries(Query(type=type_))]
    finally:
        reader.close()


def test_an_auditor_reads_who_stated_the_masters_consent(tmp_path):
    entries = [exported(at(5), consent=MASTER), exported(at(6), consent=None)]
    read, _ = made(tmp_path, entries)
    blocks = pack.sheets("x", making.around(read.source, View.RSO), read.proof, most_rows=None)
    [table] = [
        b
        for sheet in blocks
        for b in sheet.blocks
        if getattr(b, "title", "") == "Exports and disclosures"
    ]
    assert [plain(row[-1]) for row in table.rows] == ["–", f"{MASTER}, as stated by {MATE}"]
