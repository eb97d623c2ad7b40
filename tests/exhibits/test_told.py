"""Steps, answers and pieces of evidence as a page shows them: bounded, with nothing in it that acts."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from daemon.checks.api import Gathered
from daemon.exhibits import pieces, told
from daemon.exhibits.told import Clocked
from daemon.record.entry import EvidenceReference
from daemon.testing.evidence import Basis

CLOCKED = Clocked(datetime(2026, 11, 22, 2, 10, tzinfo=UTC), 5000.0)


def answer(text="yes", *, person="M. Petrov", station="gangway", proof="none"):
    return {"person": person, "text": text, "station": station, "proof": proof}


def steps(facts, config=None):
    basis = Basis("manual", config or {}, Gathered(facts=facts), simulated=False, software="26.1")
    return told.steps(basis, CLOCKED)


def test_a_guided_test_says_what_was_asked_who_answered_what_and_when():
    config = {"steps": [{"text": "Pull the plug."}, {"text": "Alert told?"}]}
    facts = {"steps": [{"step": 1, "answer": answer("", proof="pin"), "at_s": 4940.0},
                       {"step": 2, "at_s": 4950.5, "known": True}]}  # fmt: skip
    first, second = (each.told() for each in steps(facts, config))
    assert first == {
        "name": "step 1",
        "asked": "Pull the plug.",
        "said": "done",
        "who": "M. Petrov (pin)",
        "where": "station gangway",
        "at": "2026-11-22 02:09:00.0Z",
    }
    assert (second["said"], second["at"]) == ("seen by ispsd", "2026-11-22 02:09:10.5Z")


def test_answers_are_found_wherever_a_check_keeps_them():
    facts = {
        "result": answer("SAT", station=None),
        "groups": [{"group": "BOND STORE", "answer": answer("4711 4712")}, {"group": "LIFT", "answer": None}],
        "said_open": {"answer": answer(""), "at_s": 4999.0},
        "moved": {"d10": {"cycles": 4}},
    }  # fmt: skip
    found = steps(facts)
    assert [each.name for each in found] == ["result", "BOND STORE", "said open"]
    assert found[0].where == "ship's computer"
    assert found[1].said == "4711 4712"
    assert found[2].at == "2026-11-22 02:09:59.0Z"


def test_a_step_that_nobody_answered_says_so():
    [step] = steps({"steps": [{"step": 3, "answer": None}]})
    assert (step.name, step.said, step.at) == ("step 3", "not seen", "")


def deep(depth):
    facts = {"answer": answer()}
    for _ in range(depth):
        facts = {"in": [facts]}
    return facts


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {
            "steps": [
                {"step": 1, "at_s": float("nan")},
                {"step": 2, "at_s": 1e300},
                {"step": 3, "at_s": True},
            ]
        },
        {"steps": "none"},
        deep(50),
        {"steps": [{"step": n, "answer": answer("x" * 10_000)} for n in range(5000)]},
    ],
)
def test_hostile_facts_make_a_bounded_list(facts):
    found = [each.told() for each in steps(facts, {"steps": [None, {"text": 3}]})]
    assert len(found) <= told.MOST_STEPS
    assert all(len(each["said"]) <= 400 and each["at"] == "" for each in found)


def piece(media, body):
    reference = EvidenceReference(sha256(body or b"").hexdigest(), len(body or b""), media)
    return pieces.told(reference, body)


def test_raw_sentences_are_shown_line_by_line_as_they_came():
    said = piece("text/plain", b"$GPGGA,021000,0115.8,N*47\r\n!AIVDO,1,1,,A,1*22\r\n")
    assert said["lines"] == ["$GPGGA,021000,0115.8,N*47", "!AIVDO,1,1,,A,1*22"]
    assert said["left"] == 0


def test_what_no_eye_sees_is_written_by_its_number():
    said = piece("text/plain", "a\u202eb\x1b[2J<b>\xff".encode() + b"\xff\x00")
    assert said["lines"] == ["a[U+202E]b[U+001B][2J<b>ÿ\\xff[U+0000]"]


def test_other_bytes_are_shown_as_registers_are_read():
    said = piece("application/octet-stream", bytes(range(256)) * 4)
    assert said["lines"][1] == "000010  10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f"
    assert (said["left"], said["of"]) == (512, "bytes")


def test_a_huge_piece_is_shown_in_part_and_says_what_is_left():
    said = piece("application/jsonl", b'{"point":"d10"}\n' * 50_000)
    assert (len(said["lines"]), said["left"]) == (200, 49_800)
    one_line = piece("text/plain", b"x" * 16_000_000)
    assert [len(line) for line in one_line["lines"]] == [300]
    assert (
        sum(map(len, piece("text/plain", ("\u202e" * 300 + "\n").encode() * 300)["lines"]))
        < 1_000_000
    )


@pytest.mark.parametrize(
    ("media", "body", "note"),
    [
        ("text/plain", None, "it is not in this record"),
        ("text/plain", b"", "it is empty"),
        ("image/jpeg", b"\xff\xd8", "a picture: fetch it to look at it"),
    ],
)
def test_what_has_no_lines_says_why(media, body, note):
    said = piece(media, body)
    assert (said["lines"], said["note"]) == ([], note)
    assert said["here"] is (body is not None)
