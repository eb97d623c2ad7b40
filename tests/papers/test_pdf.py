"""A paper is PDF/A, the same each time, within its pages, with the checkpoint on each; strings are never markup."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from daemon import assets, config
from daemon.demo import history
from daemon.papers import layout, pdf
from daemon.papers.layout import Column, Facts, Paper, Sheet, Table, Title
from daemon.papers.moments import Period
from daemon.papers.release import Release
from daemon.record import keys, snapshot
from daemon.record.log import Record
from tests.clocks import FixedEntropy, ManualClock
from tests.papers.rig import (
    MASTER,
    MATE,
    PARTICULARS,
    at,
    codes_of,
    day_of,
    exported,
    flat,
    made,
    result,
    said,
    text_of,
    tool,
)

NOW = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
MONTH = Period(NOW - timedelta(days=30), NOW)
HOSTILE = [
    '#panic("x")',
    "$x^2$ \\ *bold* _it_ `raw` = head",
    '#read("/etc/passwd")',
    "]#{]]}//<label> @ref",
    "ümläut Ø ß Żółć Ελλάδα Россия",
    "\U0001f6a2 ship \u202egnp.exe\u202c \u05e9\u05dc\u05d5\u05dd \u4e0a\u6d77",
    "x" * 400,
    "\u200b\ufeff\u2028",
]


def sheet(*rows, **more):
    table = Table(title="T", columns=(Column("A"), Column("B")), rows=rows, **more)
    return Paper(
        ship="KESTREL STRAIT",
        imo="9999993",
        title="Test",
        period="Nov 2026",
        date=(2026, 11, 22, 2, 10, 0),
        sheets=(Sheet((table,), landscape=True),),
    )


@pytest.fixture(scope="module")
def ship(tmp_path_factory):
    """The sample ship with her fourteen months, and an export that has begun."""
    return tmp_path_factory.mktemp("ship")


@pytest.fixture
async def fourteen_months(ship):
    if not (ship / "note").exists():
        text = assets.asset("ispsd.toml").read_text("utf-8").replace("/var/lib/ispsd", str(ship))
        path = ship / "ispsd.toml"
        path.write_text(text.replace("[record]", '[record]\norigin = "demo"', 1), "utf-8")
        await history.write_history(config.load(path), until_utc=NOW, software="26.1")
        record = Record(
            ship / "record",
            origin="demo/9999993",
            key=keys.load(ship / "record-key.pem"),
            clock=ManualClock(utc=NOW + timedelta(seconds=5)),
            entropy=FixedEntropy(),
            software="26.1",
            configuration="c0" * 32,
        )
        await record.start()
        await record.submit(exported(NOW, consent=MASTER).draft)
        head = await record.seal()
        await record.stop()
        (ship / "note").write_text(head.note, "utf-8")
        snapshot.take(ship / "record", ship / "snapshot")
    return ship


def sample(folder):
    from daemon.papers import proof, source
    from tests.papers.rig import Read

    found = source.read(folder / "snapshot", MONTH)
    public = folder / "key.pub"
    key = keys.load(folder / "record-key.pem")
    public.unlink(missing_ok=True)
    keys.write_public(public, name="demo/9999993", key=key.public_key())
    proven = proof.prove(
        folder / "snapshot",
        keys=[str(public)],
        anchors=[(folder / "note").read_text("utf-8")],
        first_seq=1,
        newest_seq=found.last_seq,
        checked=NOW,
    )
    return Read(folder / "snapshot", found, proven)


# ---------------------------------------------------------------- the form


def test_it_says_in_its_metadata_that_it_is_pdf_a_2b(tmp_path):
    content, _ = pdf.rendered(sheet(("a", "b")))
    assert content.startswith(b"%PDF-1.7")
    metadata = content.decode("latin-1")
    assert re.search(r"<pdfaid:part>2</pdfaid:part>", metadata)
    assert re.search(r"<pdfaid:conformance>B</pdfaid:conformance>", metadata)
    assert "/URI" not in metadata
    assert "/JavaScript" not in metadata


def test_every_font_is_inside(tmp_path):
    content, _ = pdf.rendered(sheet(("● ○ ✕ ▲ △", "Ω Ж ł €")))
    (tmp_path / "p.pdf").write_bytes(content)
    words = [tool("pdffonts"), str(tmp_path / "p.pdf")]
    found = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    fonts = found.stdout.decode().splitlines()[2:]
    assert fonts
    assert all(re.search(r" yes +yes ", line) for line in fonts), fonts


def test_the_fonts_have_every_character_that_is_let_through():
    """Typst refuses PDF/A with a character that no font has."""
    every = [chr(code) for low, high in layout.SHOWN for code in range(low, high + 1)]
    rows = [
        ("".join(every[begin : begin + 16]), layout.bold("".join(every[begin : begin + 16])))
        for begin in range(0, len(every), 16)
    ]
    _, pages = pdf.rendered(sheet(*rows))
    assert pages >= 1


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_text(text):
    paper = sheet(
        (text, layout.bold(text)), (((layout.Span(text, "strike")),), (layout.Span(text, "small"),))
    )
    named = replace(
        paper,
        ship=text,
        title=text,
        period=text,
        foot=(text,),
        banner=text,
        is_demo=True,
        sheets=(*paper.sheets, Sheet((Title(text), Facts(((text, text), (text, None)))))),
    )
    content, pages = pdf.rendered(named)
    assert pages >= 2
    assert flat(layout.printable(text)) in flat(text_of(content))


def test_what_turns_or_hides_text_is_written_by_its_number():
    assert layout.printable("a\u202eb\U0001f6a2\x00\u05d0") == "a[U+202E]b[U+1F6A2][U+0000][U+05D0]"
    assert layout.printable("e\u0301") == "é"


def test_a_text_of_400_characters_stays_in_its_column(tmp_path):
    content, _ = pdf.rendered(sheet(("x" * 400, "SECOND")))
    words = [tool("pdftotext"), "-bbox", "-", "-"]
    found = subprocess.run(
        words, input=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    boxes = re.findall(
        r'xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)" yMax="[\d.]+">([^<]*)<',
        found.stdout.decode(),
    )
    second = min(float(left) for left, _, word in boxes if word == "SECOND")
    ends = [float(right) for _, right, word in boxes if set(word) <= {"x", "\u200b"}]
    assert ends
    assert max(ends) <= second


def test_the_same_paper_gives_the_same_bytes_and_its_date_is_the_records():
    first, _ = pdf.rendered(sheet(("a", "b")))
    again, _ = pdf.rendered(sheet(("a", "b")))
    assert first == again
    assert b"D:20261122021000" in first


async def test_the_same_record_gives_the_same_bytes(fourteen_months):
    ours = sample(fourteen_months)
    assert ours.pdf("psc") == ours.pdf("psc")


def test_an_empty_table_says_so():
    content, _ = pdf.rendered(sheet())
    assert "none in this period" in text_of(content)


# ---------------------------------------------------------------- the papers


async def test_the_sample_ships_pack_has_eight_pages_at_most_each_with_the_checkpoint(
    fourteen_months, tmp_path
):
    ours = sample(fourteen_months)
    content, pages = ours.pdf("psc")
    assert pages == 8
    note = (fourteen_months / "note").read_text("utf-8")
    assert [each.strip() for each in codes_of(content, tmp_path)] == [note.strip()] * pages
    words = text_of(content)
    for number in range(1, pages + 1):
        assert f"page {number} of {pages}" in words
    assert words.count(f"fingerprint {ours.proof.fingerprint}") >= pages
    assert (
        flat(words).count(
            flat(
                "Released to J. Doe, PSC by C/O R. Menon · "
                "consent of the Master A. Lindqvist, as stated by C/O R. Menon"
            )
        )
        == pages
    )
    assert words.count("DEMO · simulated data · not a ship's record") == pages


async def test_the_whole_record_in_one_pack_still_keeps_to_its_pages_and_says_what_is_left_out(
    fourteen_months,
):
    ours = sample(fourteen_months)
    from daemon.papers import source

    everything = source.read(ours.folder, Period(NOW - timedelta(days=430), NOW))
    content, pages = replace(ours, source=everything).pdf("psc")
    assert pages <= 8
    assert re.search(r"\d+ older rows of the period not shown here", text_of(content))


@pytest.mark.parametrize("what", ["test-log", "rso", "drills", "gnss"])
async def test_every_paper_of_the_sample_ship_has_the_code_on_its_first_and_last_page(
    fourteen_months, tmp_path, what
):
    content, pages = sample(fourteen_months).pdf(what)
    codes = codes_of(content, tmp_path)
    assert len(codes) == pages
    note = (fourteen_months / "note").read_text("utf-8").strip()
    assert {code.strip() for code in codes} == {note}


async def test_the_statement_of_integrity_is_the_fixed_one_with_real_figures(fourteen_months):
    ours = sample(fourteen_months)
    content, _ = ours.pdf("psc")
    last = ours.source.last_seq
    wanted = (
        f"Entries 1–{last} of this record verified unaltered since they were written (last check 22 Nov 2026 0210Z, "
        f"fingerprint {ours.proof.fingerprint}). The record shows what sensors and the named persons reported; "
        "it does not by itself prove that a report was true."
    )
    assert flat(wanted) in flat(text_of(content))


async def test_the_test_log_of_a_month_has_every_test_of_it(fourteen_months):
    ours = sample(fourteen_months)
    content, _ = ours.pdf("test-log")
    words = flat(text_of(content))
    found = ours.source.in_period("test.result")
    assert len(found) > 100
    assert all(str(each.seq) in words for each in found)
    assert "241SAT·1UNSAT·0NOTDONE" in words


def test_one_test_is_printed_with_its_evidence_line_by_line(tmp_path):
    line = b'{"point":"d10","value":"open","received":"2026-11-05T00:00:00.000Z"}\n{"point":"d10","value":"closed"}\n'
    ours, seqs = made(
        tmp_path,
        [result("t-door", at(5), evidence=[line], private={"place": "trunk"}), exported(at(29))],
    )
    content, _ = ours.pdf("test", seq=seqs[0])
    words = flat(text_of(content, layout=True))
    assert flat('{"point":"d10","value":"closed"}') in words
    assert ours.source.of("test.result")[0].entry.evidence[0].sha256 in words
    assert "FortheSSOonly:placetrunk" in words
    assert flat("Clock of the computer plausible, not synchronised") in words


def test_the_sheet_of_an_ssas_test_tells_its_legs_in_their_order_and_in_words(tmp_path):
    legs = {
        "acceptance": "seen by ispsd on ssas.message",
        "activation": "said by R. Menon: lamp seen",
        "shore": "said by R. Menon: MPA by mail 0001Z",
        "text_set_back": "not seen",
    }
    entry = result("t-ssas-e-p1", at(5), person=MATE, sso=True, private=legs)
    ours, seqs = made(tmp_path, [entry, exported(at(29))])
    words = flat(text_of(ours.pdf("test", seq=seqs[0])[0], layout=True))
    wanted = (
        "1 Activation said by R. Menon: lamp seen 2 Test message sent seen by ispsd itself "
        "3 Confirmed ashore said by R. Menon: MPA by mail 0001Z Message text set back not seen"
    )
    assert flat(wanted) in words
    assert "ssas.message" not in words


def test_a_gnss_report_says_what_is_recorded_and_leaves_the_rest_blank(tmp_path):
    at_ = {"position": {"lat_deg": 1.25, "lon_deg": -103.5}}
    line = {"value": at_, "source": "g1", "received": "2026-11-05T02:10:00.000Z"}
    fix = json.dumps(line).encode() + b"\n"
    common = {
        "subject": "gnss",
        "kind": "system",
        "key": "gnss.suspect",
        "instance": 7,
        "raised": iso_of(5, 2, 10),
    }
    entries = [
        said(
            "alert.changed",
            at(5, 2, 10),
            detail="G1 has no fix",
            state="V",
            id="gnss.suspect.gnss",
            evidence=[fix],
            **common,
        ),
        said(
            "alert.changed",
            at(5, 2, 30),
            detail="G1 has no fix; G1 and G2 are 800 m apart",
            state="A",
            id="gnss.suspect.gnss",
            **common,
        ),
        said("alert.changed", at(5, 3), detail="", state="N", id="gnss.suspect.gnss", **common),
        exported(at(29)),
    ]
    ours, seqs = made(tmp_path, entries)
    content, pages = ours.pdf("gnss")
    words = text_of(content)
    assert pages == 1
    for wanted in (
        "050210Z NOV 26",
        "01°15.000'N 103°30.000'W (G1, 2026-11-05T02:10:00Z)",
        "G1 has no fix; G1 and G2 are 800 m apart",
        ", ".join(map(str, seqs[:3])),
        "Assessed direction, area of the source",
        "5 Nov 2026 0300",
    ):
        assert flat(wanted) in flat(words)
    assert "jamming" not in words.lower()
    assert "spoofing" not in words.lower()


def test_a_gnss_report_cites_the_raw_sentences_of_its_episode(tmp_path):
    common = {"subject": "gnss", "kind": "system"}
    alert = {"id": "gnss.suspect.gnss", "key": "gnss.suspect", "raised": iso_of(5, 2, 11)}
    seen = [{"seen": "GPS1 jumped 812 m", "after_s": 0}, {"seen": "AIS alert 009", "after_s": 65}]
    place = {"receiver": "gps1", "lat_microdeg": 1_250_000, "lon_microdeg": -103_500_000}
    episode = {
        "began": iso_of(5, 2, 10),
        "indications": seen,
        "first": [place | {"at": iso_of(5, 2, 10)}],
        "last": [place | {"lat_microdeg": -1_500_000, "at": iso_of(5, 2, 20)}],
        "kept": [{"receiver": "gps1", "lines": 1201}, {"receiver": "gps2", "lines": 1190}],
    }
    raw = b"2026-11-05T02:10:00.000Z $GPGGA"
    entries = [
        said("alert.changed", at(5, 2, 11), detail="GPS1", state="V", instance=7, **alert, **common),
        said("gnss.recorded", at(5, 2, 20), instance=7, evidence=[raw], **episode, **common),
        said("alert.changed", at(5, 3), detail="", state="N", instance=7, **alert, **common),
        said("alert.changed", at(6), detail="GPS2", state="V", instance=9, **alert, **common),
        said("gnss.recorded", at(6, 1), instance=9, lost="the raw sentences were lost", **(
            {"began": iso_of(6)} | common
        )),
        exported(at(29)),
    ]  # fmt: skip
    ours, seqs = made(tmp_path, entries)
    content, pages = ours.pdf("gnss")
    words = flat(text_of(content))
    assert pages == 2
    for wanted in (
        "050210Z NOV 26",
        "01°15.000'N 103°30.000'W (GPS1, 2026-11-05T02:10:00Z)",
        "01°30.000'S 103°30.000'W (GPS1, 2026-11-05T02:20:00Z)",
        "GPS1 jumped 812 m (after 0 s); AIS alert 009 (after 65 s)",
        f"entry {seqs[1]}: 2391 lines of ±10 min, SHA-256 {hashlib.sha256(raw).hexdigest()[:16]}",
        f"entry {seqs[4]}: the raw sentences were lost",
    ):
        assert flat(wanted) in words, wanted


def test_no_interference_is_said(tmp_path):
    ours, _ = made(tmp_path, [result("t-a", at(2)), exported(at(29))])
    content, _ = ours.pdf("gnss")
    words = text_of(content)
    assert "none in this period" in words
    assert "no day of supervision of the receivers is entered" in words


def test_no_interference_is_said_beside_what_was_watched(tmp_path):
    days = [day_of("t-gnss", 2), day_of("t-gnss", 3), day_of("t-gnss", 4, "inconclusive")]
    kinds = PARTICULARS | {"kinds": [["t-gnss", "gnss"]]}
    ours, _ = made(tmp_path, [*days, day_of("t-ais", 3), exported(at(29), particulars=kinds)])
    words = flat(text_of(ours.pdf("gnss")[0]))
    assert flat("GNSS 3 days 2 SAT, 1 NOT PROVEN") in words
    assert flat("Suspect positions: none in this period.") in words
    assert "AIS1day" not in words


def test_names_of_a_hostile_crew_list_break_no_pack(tmp_path):
    names = [[name[:128], "C/O"] for name in HOSTILE if name.isprintable()]
    particulars = {**PARTICULARS, "ranks": names, "roles": [[name, "sso"] for name, _ in names]}
    entries = [
        *(
            result("t-door", at(day, hour), person=name, mode="manual")
            for day in range(2, 28)
            for hour, (name, _) in enumerate(names)
        ),
        *(
            said(
                "port.call",
                at(day),
                kind=".11",
                person=MATE,
                port="#x" * 100,
                facility="$" * 200,
                arrived=iso_of(day),
                departed=iso_of(day, 2),
            )
            for day in range(2, 14)
        ),
        *(
            said(
                "level.changed",
                at(day),
                kind=".4",
                person=MATE,
                told_by="=" * 300,
                **{"from": 1, "to": 2},
            )
            for day in range(2, 14)
        ),
        exported(at(29), particulars=particulars),
    ]
    ours, _ = made(tmp_path, entries)
    _, pages = ours.pdf("psc", release=Release("#" * 400, "x" * 400, "y" * 400, None))
    assert pages <= 8


def iso_of(day, hour=0, minute=0):
    return f"2026-11-{day:02d}T{hour:02d}:{minute:02d}:00.000Z"


def test_a_ship_with_much_equipment_and_many_defects_keeps_to_eight_pages_and_says_what_is_more(
    tmp_path,
):
    entries = [
        *(
            result(f"t-d{number}", at(2 + number % 20, number % 24), equipment=f"d{number}")
            for number in range(1, 81)
        ),
        *(
            said(
                "defect.opened",
                at(3, number % 24),
                sso=True,
                person=MATE,
                defect=f"def-{number}",
                test="t-x",
                equipment=f"d{number}",
                measure="guard",
                told=[{"who": "Master", "at": iso_of(3)}] * 3,
            )
            for number in range(1, 41)
        ),
        *(
            said("unit.repaired", at(4), sso=True, person=MATE, equipment=f"d{n}", done_by="x")
            for n in range(30)
        ),
        *(
            result("t-ssas-e-p1", at(5, n), equipment="ssas", sso=True, person=MATE)
            for n in range(20)
        ),
        exported(at(29)),
    ]
    ours, _ = made(tmp_path, entries)
    content, pages = ours.pdf("psc")
    assert pages <= 8
    words = text_of(content)
    assert "35 more rows in the record" in words
    assert "older rows of the period not shown here" in words


def test_a_record_that_does_not_verify_says_so_on_every_page(tmp_path):
    ours, _ = made(tmp_path, [result("t-a", at(2)), exported(at(29))], anchored=False)
    content, pages = ours.pdf("psc")
    words = text_of(content)
    assert words.count("NOT VERIFIED (INCONCLUSIVE)") == pages
    assert "verified unaltered" not in words
    assert flat("no outside anchor was given") in flat(words)
