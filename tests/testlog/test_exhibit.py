"""One test with its evidence: read from the running record, drawn, listed, and bound to the head that covers it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from daemon.checks.api import Gathered
from daemon.errors import RefusedError
from daemon.model import ContactState, Provenance, Quality, Reading
from daemon.record import checkpoint
from daemon.record.entry import Evidence
from daemon.record.merkle import leaf_hash
from daemon.record.proofs import Leaves, check_inclusion
from daemon.record.reader import Query
from daemon.testing import evidence
from daemon.testing.evidence import Basis
from daemon.testlog import exhibit
from tests.exhibits.test_tapes import tape
from tests.papers.rig import KEY, MATE, ORIGIN, at, exported, iso, result, said, writing
from tests.testlog.rig import Ship, log_of


def contact(value, when, up_s):
    return Reading(
        point="d10",
        value=value,
        quality=Quality.GOOD,
        provenance=Provenance.LIVE,
        received_utc=when,
        received_s=up_s,
        source="io2",
    )


def kept():
    """The evidence of a door that a person opened and closed, as the daemon keeps it."""
    readings = tuple(
        contact(value, at(2, 1, 59, second), 4000.0 + second)
        for second, value in enumerate(
            (ContactState.CLOSED, ContactState.OPEN, ContactState.CLOSED)
        )
    )
    answer = {"person": "M. Petrov", "text": "yes", "station": "gangway", "proof": "pin"}
    basis = Basis(
        "door_contacts",
        {"kind": "door_contacts"},
        Gathered(readings, {"told": answer}, "d10"),
        simulated=True,
        software="26.1",
    )
    return evidence.pieces(basis, salt=bytes(16))


def with_evidence(made, *pieces):
    return replace(made, draft=replace(made.draft, evidence=pieces))


DOOR = result("t-door", at(2, 2), equipment="d10", name="ER ESC TRUNK", person="M. Petrov", witness="L. Tupou",
              items=[{"item": "d10", "outcome": "passed", "reason": "open 0.4 s"}])  # fmt: skip


@asynccontextmanager
async def asking(tmp_path, *entries, seal=True):
    async with writing(tmp_path / "record", [exported(at(1)), *entries]) as (record, seqs, clock):
        if seal:
            await record.seal()
        log = log_of(record, Ship())

        async def ask(seq=seqs[-1]):
            return json.loads(json.dumps(await log.one({"seq": seq}), allow_nan=False))

        yield ask, seqs, record, clock


async def test_a_test_is_shown_with_steps_figure_and_evidence(tmp_path):
    async with asking(tmp_path, with_evidence(DOOR, *kept())) as (ask, seqs, _, _):
        shown = await ask()
    assert (shown["seq"], shown["name"], shown["result"]) == (seqs[1], "ER ESC TRUNK", "SAT")
    facts = {label: " ".join(each["t"] for each in cell) for label, cell in shown["facts"]}
    assert facts["Tested by"] == "3/O M. Petrov"
    [step] = shown["steps"]
    assert (step["name"], step["said"], step["who"]) == ("told", "yes", "M. Petrov (pin)")
    [figure] = shown["figures"]
    assert figure["title"] == "Contacts and lamps over time, UTC"
    assert [row[2] for row in figure["rows"]] == ["closed", "open", "closed"]
    lines, basis = shown["evidence"]
    assert (lines["media"], len(lines["lines"])) == ("application/jsonl", 3)
    assert basis["media"] == "application/json"
    assert [row[0][0]["t"] for row in shown["items"][0]["rows"]] == ["D10"]


async def test_the_entry_says_by_which_head_it_is_covered_and_that_head_proves_it(tmp_path):
    async with asking(tmp_path, DOOR) as (ask, seqs, record, _):
        shown = (await ask())["entry"]
        [entry] = await record.entries(Query(after=seqs[1] - 1, before=seqs[1] + 1))
        others = await record.entries(Query(limit=1000))
    leaf = leaf_hash(entry.body.encode())
    assert shown["leaf"] == leaf.hex()
    head = shown["head"]
    signed = checkpoint.opened(head["note"], KEY.public_key(), origin=f"{ORIGIN}/1")
    assert (signed.size, signed.root.hex()) == (head["size"], head["root"])
    assert others[head["place"]].seq == seqs[1]
    assert head["place"] < head["size"]
    leaves = Leaves(each.body.encode() for each in others[: head["size"]])
    path = leaves.inclusion(head["place"], head["size"])
    assert check_inclusion(leaf, head["place"], head["size"], path, signed.root)


async def test_what_no_head_covers_yet_says_so(tmp_path):
    async with asking(tmp_path) as (ask, _, record, clock):
        clock.move_to(at(3))
        later = await record.submit(DOOR.draft)
        assert (await ask(later.seq))["entry"]["head"] is None


async def test_files_amendments_and_the_defect_it_opened_stand_beside_it(tmp_path):
    async with asking(tmp_path, result("t-cctv", at(4), "failed", equipment="c03")) as (
        ask,
        seqs,
        record,
        clock,
    ):
        seq = seqs[1]
        clock.move_to(at(4, 1))
        await record.submit(said("defect.opened", at(4, 1), subject="def-014", defect="def-014", test="t-cctv",
                                 equipment="c03", result={"seq": seq}).draft)  # fmt: skip
        await record.submit(
            said(
                "attachment.added",
                at(4, 2),
                subject=f"entry-{seq}",
                person=MATE,
                what="mail",
                name="m.eml",
                sha256="ab" * 32,
                to={"seq": seq},
                evidence=[b"From: x"],
            ).draft
        )
        await record.submit(
            said(
                "entry.amended",
                at(4, 3),
                subject=f"entry-{seq}",
                person=MATE,
                original=seq,
                type="test.result",
                reason="why",
                was={"reason": "a"},
                now={"reason": "b"},
            ).draft
        )
        shown = await ask()
    [defect] = shown["defects"]
    assert (defect["id"], defect["open"], defect["opened"]) == ("DEF-014", True, True)
    [file] = shown["files"]
    assert (file["name"], file["what"], file["size"]) == ("m.eml", "mail", 7)
    [[by, *_]] = shown["amended"]
    assert by[0]["t"] == str(seq + 3)


def deep(depth):
    return b"[" * depth + b"]" * depth


READING = json.dumps(evidence.line(contact(ContactState.OPEN, at(2), 5.0))).encode()


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", b""),
        ("application/json", b"not json"),
        ("application/json", deep(100_000)),
        ("application/json", b'{"v": 99}'),
        ("application/json", b'{"v":1,"check":"x","config":[1],"facts":7,"item":null,"simulated":1,"software":"1"}'),
        ("application/jsonl", b"\n" * 1000),
        ("application/jsonl", deep(100_000) + b"\n" + READING),
        ("application/jsonl", b"[]\n3\nnull\n" + READING.replace(b"open", b"<b>")),
        ("application/jsonl", READING.replace(b'"up": 5.0', b'"up": NaN')),
        ("application/jsonl", READING.replace(b'"up": 5.0', b'"up": 1e999')),
        ("application/jsonl", READING.replace(b"2026-", b"9999-")),
        ("application/jsonl", b"\xff\xfe\x00" * 1000),
        ("image/jpeg", b"\xff\xd8not a picture"),
        ("application/x-odd", b"<script>" * 100),
        ("text/html", b"<script>alert(1)</script>"),
    ],
)  # fmt: skip
async def test_hostile_evidence_is_shown_as_what_it_is_and_stops_nothing(tmp_path, media, body):
    async with asking(tmp_path, with_evidence(DOOR, Evidence(media, body))) as (ask, _, _, _):
        shown = await ask()
    assert shown["figures"] == []
    [piece] = shown["evidence"]
    assert piece["media"] == media
    assert len(json.dumps(shown)) < 300_000


async def test_a_piece_that_is_too_large_is_named_and_left_to_be_fetched(tmp_path):
    large = Evidence(
        "application/jsonl", (READING + b"\n") * (exhibit.LARGEST_PIECE // len(READING))
    )
    assert len(large.body) > exhibit.LARGEST_PIECE - len(READING)
    larger = Evidence("text/plain", b"x" * (exhibit.LARGEST_PIECE + 1))
    async with asking(tmp_path, with_evidence(DOOR, larger)) as (ask, _, _, _):
        [piece] = (await ask())["evidence"]
    assert (piece["note"], piece["lines"], piece["size"]) == (
        exhibit.TOO_LARGE,
        [],
        len(larger.body),
    )


async def test_many_pieces_are_all_named_and_few_opened(tmp_path):
    many = [Evidence("text/plain", f"piece {n}".encode()) for n in range(60)]
    async with asking(tmp_path, with_evidence(DOOR, *many)) as (ask, _, _, _):
        found = (await ask())["evidence"]
    assert len(found) == 60
    assert sum(bool(each["lines"]) for each in found) == exhibit.MOST_PIECES


async def test_only_tests_are_shown_as_tests(tmp_path):
    missed = said("test.missed", at(9), test="t-seal", equipment="seals", name="SEAL ROUND", outcome="skipped",
                  reason="not done", period_begins=str(at(2)), period_ends=str(at(9)))  # fmt: skip
    async with asking(tmp_path, missed) as (ask, seqs, _, _):
        assert (await ask())["result"] == "NOT DONE"
        for wrong in (seqs[0], 0, 999):
            with pytest.raises(RefusedError, match="is no test"):
                await ask(wrong)


def suspect(day, hour, **more):
    """What is kept of an episode: an entry ten minutes after the onset, with each receiver's lines."""
    began = at(day, hour)
    kept_ = [{"receiver": "g1", "lines": 30}, {"receiver": "g2", "lines": 0}]
    made = said("gnss.recorded", at(day, hour, 10), kind="system", subject="gnss", began=iso(began), kept=kept_,
                indications=[{"seen": "812 m apart", "after_s": 3}], causes=["apart"], **more)  # fmt: skip
    return with_evidence(made, Evidence("text/plain", tape(10)))


async def test_a_day_of_the_receivers_shows_the_times_in_which_they_were_suspect(tmp_path):
    whole_day = result("t-gnss", at(3), began=iso(at(2)), day="2026-11-02", mode="automatic")
    async with asking(tmp_path, suspect(2, 6), suspect(1, 20), whole_day) as (ask, seqs, _, _):
        [episode] = (await ask())["episodes"]
    assert episode["seq"] == seqs[2], "that of the day before is another day's"
    assert episode["indications"] == ["812 m apart, after 3 s"]
    assert [each["title"].split(",")[0] for each in episode["figures"]] == ["Positions", "C/N0"]
    assert episode["evidence"][0]["lines"][0].startswith("2026-11-22T02:00:00.000Z $GPGGA")


async def test_other_tests_and_lost_lines_draw_no_track(tmp_path):
    lost = said("gnss.recorded", at(2, 7), kind="system", subject="gnss", began=iso(at(2, 6)),
                indications="none", kept=3, lost="the raw sentences were lost")  # fmt: skip
    other = result("t-door", at(3), began=iso(at(2)))
    whole_day = result("t-gnss", at(3, 1), began=iso(at(2)), day="2026-11-02", mode="automatic")
    async with asking(tmp_path, lost, other, whole_day) as (ask, seqs, _, _):
        assert (await ask(seqs[2]))["episodes"] == []
        [episode] = (await ask())["episodes"]
    assert (episode["why_less"], episode["figures"]) == ("the raw sentences were lost", [])
