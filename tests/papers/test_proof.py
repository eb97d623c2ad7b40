"""A paper says of its record what the verifier said a moment before, and not a word more."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from daemon.errors import RecordError
from daemon.papers import proof
from daemon.record import snapshot
from tests.papers.rig import CHECKED, VKEY, at, exported, made, read, result, written

ENTRIES = (result("t-a", at(2)), result("t-b", at(3)), exported(at(29)))
FIXED = (
    "Entries 1–4 of this record verified unaltered since they were written (last check 30 Nov 2026 0600Z, fingerprint "
    "{}). The record shows what sensors and the named persons reported; "
    "it does not by itself prove that a report was true."
)


def test_pass_gives_the_fixed_sentence(tmp_path):
    ours, _ = made(tmp_path, ENTRIES)
    assert ours.proof.verdict == "PASS"
    assert re.fullmatch(r"([0-9A-F]{4} ){4}[0-9A-F]{4}", ours.proof.fingerprint)
    assert ours.proof.sentence() == FIXED.format(ours.proof.fingerprint)
    assert ours.proof.short() == "Verified PASS 30 Nov 2026 0600Z"


def test_without_an_outside_anchor_it_says_what_was_not_proven(tmp_path):
    ours, _ = made(tmp_path, ENTRIES, anchored=False)
    words = ours.proof.sentence()
    assert words.startswith(
        "This record could NOT be verified when this paper was made (30 Nov 2026 0600Z, entries 1–4"
    )
    assert "INCONCLUSIVE: no outside anchor was given" in words
    assert words.endswith("it does not by itself prove that a report was true.")
    assert "verified unaltered" not in words


def test_beside_the_statement_stand_the_witnesses_and_what_nothing_seals_yet(tmp_path):
    ours, _ = made(tmp_path, ENTRIES)
    assert "have no outside witness yet" in ours.proof.beside()
    tail = replace(ours.proof, newest_seq=6)
    assert tail.beside().endswith(
        "Entries 5–6 are not covered: no checkpoint stands behind them yet."
    )
    assert replace(ours.proof, verdict="INCONCLUSIVE").beside() == ""


def test_without_a_key_it_says_so(tmp_path):
    ours, _ = made(tmp_path, ENTRIES, anchored=False)
    found = proof.prove(
        ours.folder, keys=[], anchors=[], first_seq=1, newest_seq=4, checked=CHECKED
    )
    assert found.verdict == "INCONCLUSIVE"
    assert "no key was given" in found.sentence()


def test_an_altered_record_does_not_verify_and_the_first_bad_entry_is_named(tmp_path):
    note, seqs = written(tmp_path / "record", ENTRIES)
    [path] = (tmp_path / "record").glob("segment-*.db")
    body = path.read_bytes()
    assert b'"equipment":"a"' in body
    path.write_bytes(body.replace(b'"equipment":"a"', b'"equipment":"z"'))
    ours = read(tmp_path / "record", note, tmp_path / "snapshot")
    assert ours.proof.verdict == "FAIL"
    assert ours.proof.sentence().startswith("This record does NOT verify")
    assert f"entry {seqs[0]}" in ours.proof.sentence() or "first bad entry" in ours.proof.sentence()
    assert ours.proof.short().startswith("NOT VERIFIED (FAIL)")


def test_a_record_without_a_checkpoint_makes_no_paper(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match="nothing in it is sealed"):
        snapshot.head(tmp_path / "empty")


def test_the_anchor_must_be_of_this_record(tmp_path):
    ours, _ = made(tmp_path, ENTRIES)
    other, _ = written(tmp_path / "other", [result("t-c", at(2))])
    found = proof.prove(
        ours.folder, keys=[VKEY], anchors=[other], first_seq=1, newest_seq=4, checked=CHECKED
    )
    assert found.verdict == "FAIL"
