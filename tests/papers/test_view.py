"""A PSC paper holds nothing that ISPS A/9.8.1 protects, out of a record that is full of it."""

from __future__ import annotations

import pytest

from daemon.papers import comma, making, ssas
from daemon.papers.testlog import rows
from daemon.papers.view import LONGEST_NAME, View, names
from tests.papers.rig import (
    MASTER,
    MATE,
    PARTICULARS,
    at,
    day_of,
    exported,
    flat,
    iso,
    made,
    planned,
    result,
    said,
    signed_off,
    text_of,
)

MARK = "ZQX"
"""No word of ours has it, so whatever holds it was copied from the record."""
POINT = "P7"


def secret(what):
    return f"{MARK}{what}"


def full_of_secrets():
    """A month in which every free text is a secret, each of its own."""
    common = {"person": "M. Petrov"}
    return [
        planned(
            at(1),
            {
                "test": "t-door",
                "every": "month",
                "since": iso(at(1)),
                "ssp_paragraph": secret("PARA"),
            },
        ),
        result(
            "t-door",
            at(3),
            "failed",
            name=secret("STORENAME"),
            reason=secret("WEAKCONTACT"),
            ssp_paragraph=secret("PARAGRAPH"),
            remarks=secret("REMARK"),
            equipment=secret("locker").lower(),
            private={"place": secret("PLACE"), "steps": secret("STEP")},
            items=[
                {"item": secret("ITEM").lower(), "outcome": "failed", "reason": secret("ITEMWHY")}
            ],
            **common,
        ),
        result(
            f"t-{secret('custom').lower()}",
            at(4),
            "skipped",
            reason=secret("NOTDONEWHY"),
            name=secret("NAME2"),
            **common,
        ),
        day_of("t-ais", 5, name=secret("AISNAME"), reason=secret("DAYREASON")),
        result(
            "t-ssas-e-p1",
            at(6),
            equipment="ssas",
            name=f"SSAS {POINT}",
            sso=True,
            person=MATE,
            reason=secret("SSASREASON"),
            private={
                "activation": secret("BUTTONPLACE"),
                "shore": secret("SHOREMAIL"),
                "text_set_back": secret("SETBACK"),
                "performer": MATE,
            },
        ),
        result(
            f"t-ssas-e-{POINT.lower()}",
            at(7),
            equipment=f"ssas-{POINT.lower()}",
            name=secret("SSASNAME"),
            sso=True,
        ),
        said(
            "test.missed",
            at(8),
            subject="seals",
            test="t-seal",
            equipment="seals",
            name=secret("SEALNAME"),
            reason=secret("MISSEDWHY"),
            period_begins=iso(at(1)),
            period_ends=iso(at(8)),
            ssp_paragraph=secret("P"),
            private={"items": [secret("SEALITEM")]},
        ),
        said(
            "defect.opened",
            at(3, 1),
            sso=True,
            person=MATE,
            defect=secret("def").lower(),
            test="t-door",
            equipment=secret("locker").lower(),
            name=secret("DEFECTNAME"),
            found=secret("FOUND"),
            measure=secret("MEASURE"),
            told=[{"who": "CSO P. Okafor", "at": iso(at(3, 2))}],
        ),
        said(
            "defect.opened",
            at(9),
            sso=True,
            person=MATE,
            defect="def-2",
            test="t-x",
            equipment="d10",
            name=secret("DEFECTNAME2"),
            found=secret("FOUND2"),
            measure=secret("MEASURE2"),
            told=[],
        ),
        said(
            "defect.told",
            at(9, 1),
            sso=True,
            person=MATE,
            defect="def-2",
            who="Agent",
            at=iso(at(9)),
            measure=secret("NEWMEASURE"),
        ),
        said(
            "drill.held",
            at(10),
            kind=".1",
            person=MATE,
            scenario=f"stowaway search in {secret('HOLD')}",
            began=iso(at(10)),
            ended=iso(at(10, 1)),
            crew=22,
            crew_took_part=20,
            led_by=secret("LEDBY"),
            private={"lessons": secret("LESSON")},
        ),
        said(
            "drill.held",
            at(11),
            kind=".1",
            person=MATE,
            scenario=secret("UNKNOWNKIND"),
            ended=iso(at(11)),
        ),
        said(
            "port.call",
            at(12),
            kind=".11",
            person=MATE,
            port="SGSIN",
            facility="SGSIN-0001",
            arrived=iso(at(12)),
            departed=None,
            ship_level=1,
            port_level=2,
            private={"special_measures": secret("SPECIAL")},
        ),
        said(
            "ship_to_ship.done",
            at(13),
            kind=".13",
            person=MATE,
            other_ship=secret("OTHER"),
            place=secret("STSPLACE"),
            activity=secret("STSWHAT"),
            began=iso(at(13)),
            ended=iso(at(13, 1)),
            ship_level=1,
            private={"procedures": secret("STSPROC")},
        ),
        said(
            "notice.given",
            at(5),
            sso=True,
            person=MATE,
            flag="singapore",
            sent=iso(at(5)),
            to=secret("NOTICETO"),
            reference=secret("NOTICEREF"),
            entered_by=MATE,
        ),
        said(
            "level.changed",
            at(14),
            kind=".4",
            person=MATE,
            told_by="MPA Singapore",
            **{"from": 1, "to": 2},
        ),
        said(
            "equipment.out_of_service",
            at(15),
            sso=True,
            person=MATE,
            what=secret("OOS"),
            until=secret("OOSEND"),
        ),
        said(
            "window.opened",
            at(6),
            sso=True,
            person=MATE,
            minutes=20,
            private={"opened_by": [secret("OPENER"), MASTER]},
        ),
        said(
            "entry.amended",
            at(16),
            person=MATE,
            amends={"seq": 3},
            original=3,
            type="test.result",
            reason=secret("AMENDWHY"),
            was={"reason": secret("OLD"), "outcome": "failed"},
            now={"reason": secret("NEW"), "outcome": "inconclusive"},
            private={"was": {"place": secret("OLDPLACE")}, "now": {"place": secret("NEWPLACE")}},
        ),
        said(
            "entry.amended",
            at(17),
            kind=".1",
            person=MATE,
            amends={"seq": 15},
            original=15,
            type="drill.held",
            said={"ended": iso(at(11))},
            reason=secret("AMENDWHY2"),
            was={"scenario": secret("OLDSCENE")},
            now={"scenario": f"bomb threat {secret('NEWSCENE')}"},
        ),
        said(
            "maintenance.done",
            at(18),
            sso=True,
            person=MATE,
            equipment="D10",
            work=secret("WORK"),
            done_by="ETO D. Kovac",
            procedure=secret("PROC"),
            result=secret("MRESULT"),
            done_at=iso(at(18)),
            late=False,
        ),
        said(
            "unit.repaired",
            at(18, 1),
            sso=True,
            person=MATE,
            equipment=secret("SHELF"),
            why=secret("RWHY"),
            work=secret("RWORK"),
            done_by="maker",
        ),
        said(
            "special_measures.taken",
            at(18, 2),
            kind=".12",
            sso=True,
            person=MATE,
            began=iso(at(18)),
            ended=iso(at(19)),
            where=secret("SWHERE"),
            measures=secret("SMEASURES"),
            why=secret("SWHY"),
        ),
        said(
            "training.held",
            at(18, 3),
            kind=".1",
            person=MATE,
            topic=secret("TOPIC"),
            ended=iso(at(18)),
            crew_took_part=9,
        ),
        said(
            "level.communicated",
            at(18, 4),
            kind=".4",
            person=MATE,
            level=2,
            told_by="MPA Singapore",
            told_at=iso(at(14, 1)),
            acknowledged_at=iso(at(14, 1, 5)),
            in_force_at=iso(at(14, 2)),
            done_at=iso(at(14, 2)),
            late=True,
        ),
        said("company.score", at(18), kind="system", score=secret("SCORE")),
        said(
            "certificate.entered",
            at(19),
            kind=".14",
            sso=True,
            person=MATE,
            name="ISSC",
            number="4711",
            issued_by="MPA",
            expires="2028-01-01",
        ),
        signed_off(
            "reviewed",
            at(20),
            12,
            MATE,
            up_to_at=iso(at(19)),
            remarks=secret("REVIEW"),
        ),
        exported(
            at(29),
            to_whom="J. Doe",
            particulars={
                **PARTICULARS,
                "kinds": [*PARTICULARS["kinds"], [f"t-{secret('custom').lower()}", "manual"]],
            },
        ),
    ]


@pytest.fixture
def month(tmp_path):
    read, _ = made(tmp_path, full_of_secrets())
    return read


def leaks(text):
    whole = flat(text).upper()
    return sorted(
        {whole[place : place + 20] for place in range(len(whole)) if whole.startswith(MARK, place)}
    )


def test_the_record_is_full_of_secrets_and_the_ships_own_papers_show_them(month):
    """So that the test below could fail: the RSO's pack of the same record shows nearly all."""
    content, _ = month.pdf("rso")
    assert len(leaks(text_of(content))) > 20
    assert f"SSAS{POINT}" in flat(text_of(content))


def test_a_psc_pack_shows_none_of_them(month):
    content, pages = month.pdf("psc")
    words = text_of(content)
    assert leaks(words) == []
    assert POINT not in words.replace("page ", "")
    assert "SSAS P" not in words
    assert pages <= 8


@pytest.mark.parametrize("what", ["rso", "test-log", "drills"])
def test_a_paper_that_says_more_says_for_whom_it_is(month, what):
    wanted = flat("PROTECTED, ISPS A/9.7: for SSO, Master, company and auditor only")
    content, pages = month.pdf(what)
    assert flat(text_of(content)).count(wanted) == pages
    assert wanted not in flat(text_of(month.pdf("psc")[0]))


@pytest.mark.parametrize(
    ("private", "shown"),
    [
        ({}, "–"),
        ({"shore": "not seen"}, "no"),
        ({"shore": "said by R. Menon: MPA, ssas-p7.eml"}, "yes"),
        ({"shore": "said by R. Menon", "confirmed": 2, "recipients": 3}, "2 of 3"),
    ],
)
def test_the_confirmation_from_ashore_is_what_was_recorded_never_concluded(
    tmp_path, private, shown
):
    entries = [
        result(
            "t-ssas-e-p1",
            at(6),
            equipment="ssas",
            sso=True,
            person=MATE,
            private={"performer": MATE, **private},
        ),
        exported(at(29)),
    ]
    read, seqs = made(tmp_path, entries)
    around = making.around(read.source, View.PSC)
    [row] = ssas.tests(rows(around), around).rows
    assert (row[0], row[2], row[3]) == (str(seqs[0]), "SAT", shown)


def test_a_psc_pack_shows_what_an_inspector_asks_for(month):
    words = flat(text_of(month.pdf("psc")[0]))
    for wanted in (
        "stowaway search",
        "bomb threat",
        "20 of 22",
        "SGSIN-0001",
        "MPA Singapore",
        "CSO P. Okafor 3 Nov 2026 0200Z",
        "in force",
        "DEF-2",
        "Door D10",
        "no. 4711 issued by MPA expires 2028-01-01",
        "Door contacts",
        "AIS own report",
        "reviewed to no. 12",
        "ETO D. Kovac",
        "told 0100Z, ack. 0105Z, in force 0200Z",
        "LATE",
        "training",
    ):
        assert flat(wanted) in words, wanted


def test_a_psc_log_as_csv_shows_none_of_them_either(month):
    around = making.around(month.source, View.PSC)
    assert leaks(comma.log(rows(around), around).decode()) == []
    full = making.around(month.source, View.FULL)
    assert len(leaks(comma.log(rows(full), full).decode())) > 10


@pytest.mark.parametrize(
    ("id_", "shown"),
    [
        ("d10", "Door D10"),
        ("c03", "Camera C03"),
        ("x01", "Search equipment X01"),
        ("lt2", "Lights LT2"),
        ("p1", "SSAS"),
        ("ais", "AIS own report"),
        ("bosun-store", "Equipment 1"),
        ("zz9", "Equipment ZZ9"),
        ("under-deck", "Equipment 2"),
        ("d1000", "Equipment 0"),
    ],
)
def test_generic_names_go_by_id_and_a_speaking_id_by_a_number(id_, shown):
    labels = names(View.PSC, {}, {"bosun-store", "under-deck", "d10"})
    assert labels.thing(id_) == shown


@pytest.mark.parametrize(
    ("said_", "shown"),
    [
        ("Piracy approach, muster inside", "armed attack"),
        ("change to security level 2", "change of security level"),
        ("UNAUTHORIZED person", "unauthorized access"),
        ("something of the ship's own", "security drill"),
    ],
)
def test_a_scenario_goes_by_its_class(said_, shown):
    assert names(View.PSC, {}, set()).scenario(said_) == shown
    assert names(View.FULL, {}, set()).scenario(said_) == said_


def test_a_name_in_a_pack_fits_its_column():
    labels = names(View.PSC, {}, set())
    assert labels.short("x" * LONGEST_NAME) == "x" * LONGEST_NAME
    assert labels.short("x" * (LONGEST_NAME + 1)) == "x" * (LONGEST_NAME - 1) + "…"


def test_the_ssos_table_of_ssas_tests_has_the_columns_of_a_test_record(tmp_path):
    failed = result(
        "t-ssas-e-p1",
        at(6),
        equipment="ssas",
        outcome="failed",
        sso=True,
        person=MATE,
        private={"performer": MATE, "witness": "A. Lindqvist", "text_set_back": "yes"},
    )
    read, _ = made(tmp_path, [failed, exported(at(29))])
    around = making.around(read.source, View.FULL)
    table = ssas.tests(rows(around), around)
    [row] = table.rows
    shown = dict(zip([column.name for column in table.columns], row, strict=True))
    assert shown["Witness"].endswith("Lindqvist")
    assert " Nov 2026 " in shown["Began"]
    assert shown["Port or posn, level"].endswith("L1")
    assert {"Confirmed ashore", "By", "Point", "Defect / remarks", "Next"} <= shown.keys()
    psc = making.around(read.source, View.PSC)
    told = {column.name for column in ssas.tests(rows(psc), psc).columns}
    assert not told & {"Point", "Legs, text set back", "Defect / remarks", "Witness"}
