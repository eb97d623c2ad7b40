"""A witness's signature counts as an anchor where his key came from outside, and fails where it is false."""

from __future__ import annotations

import base64
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from daemon.record import export, verify
from daemon.record.export import Profile
from tests.record.outside import MATE, MORNING_S, SHORE, Witness
from tests.record.ship import VKEY
from tests.record.voyage import FAIL, INCONCLUSIVE, PASS, Voyage

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.checkpoint import Checkpoint

SEEN = ("--witness", SHORE.vkey)


@pytest.fixture
def voyage(tmp_path: Path) -> Voyage:
    return Voyage(tmp_path)


@pytest.fixture
def head(voyage: Voyage) -> Checkpoint:
    """The head of a segment that the shore has signed."""
    made = voyage.sail()
    assert made is not None
    voyage.cosign(made, SHORE.name, SHORE.line(made.note, time_s=MORNING_S))
    return made


def test_a_cosigned_checkpoint_is_an_outside_anchor_with_its_time(
    voyage: Voyage, head: Checkpoint, capsys: pytest.CaptureFixture[str]
):
    assert voyage.verify() == INCONCLUSIVE
    said = capsys.readouterr().out
    assert "no outside anchor was given" in said
    assert "signatures of shore.example/ships were not looked at" in said
    assert voyage.verify(*SEEN) == PASS
    assert capsys.readouterr().out == (
        "PASS\n"
        "demo/9999993/1: entries 1 to 3\n"
        "unaltered since 2026-11-22 08:30:00 UTC (seen by shore.example/ships); "
        "the last 0 entries have no outside witness yet\n"
        "sealed: 3 entries; unsealed tail: 0\n"
    )


def test_what_a_witness_has_not_seen_is_counted(
    voyage: Voyage, head: Checkpoint, capsys: pytest.CaptureFixture[str]
):
    voyage.sail()
    assert voyage.verify("--json", *SEEN) == PASS
    found = json.loads(capsys.readouterr().out)
    assert (found["witness"], found["without_witness"]) == (SHORE.name, 3)
    assert found["unaltered_since"] == "2026-11-22T08:30:00Z"


def test_a_line_with_or_without_its_newline_counts(voyage: Voyage):
    made = voyage.sail()
    assert made is not None
    voyage.cosign(made, SHORE.name, SHORE.line(made.note, time_s=MORNING_S).rstrip("\n"))
    assert voyage.verify(*SEEN) == PASS


@pytest.mark.parametrize("where", ["file", "two", "more"])
def test_the_keys_of_witnesses_may_stand_in_a_file(
    voyage: Voyage, head: Checkpoint, tmp_path: Path, where: str
):
    keys = {"file": [SHORE.vkey], "two": [MATE.vkey, SHORE.vkey], "more": ["", SHORE.vkey, ""]}
    (tmp_path / "witnesses").write_text("\n".join(keys[where]) + "\n")
    assert voyage.verify("--witness", str(tmp_path / "witnesses")) == PASS


def test_a_false_signature_of_a_known_witness_fails(voyage: Voyage):
    made = voyage.sail()
    assert made is not None
    other = made.note.replace("\n3\n", "\n2\n")
    voyage.cosign(made, SHORE.name, SHORE.line(other, time_s=MORNING_S))
    assert voyage.verify(anchor=made) == PASS, "nobody asked for this witness"
    assert voyage.verify(*SEEN, anchor=made) == FAIL


def test_a_time_moved_by_a_second_fails(voyage: Voyage):
    made = voyage.sail()
    assert made is not None
    name, _, encoded = SHORE.line(made.note, time_s=MORNING_S)[2:].rpartition(" ")
    raw = bytearray(base64.b64decode(encoded))
    raw[11] ^= 1
    voyage.cosign(made, SHORE.name, f"— {name} {base64.b64encode(raw).decode()}\n")
    assert voyage.verify(*SEEN, anchor=made) == FAIL


@pytest.mark.parametrize("time_s", [0, 1_577_836_799, MORNING_S * 1000, 2**62, 2**64 - 1])
def test_a_time_that_cannot_be_is_doubted_and_its_signature_counts_for_nothing(
    voyage: Voyage, time_s: int, capsys: pytest.CaptureFixture[str]
):
    """One witness with a broken clock does not condemn the record."""
    made = voyage.sail()
    assert made is not None
    voyage.cosign(made, SHORE.name, SHORE.line(made.note, time_s=time_s))
    assert voyage.verify(*SEEN, anchor=made) == INCONCLUSIVE
    said = capsys.readouterr().out
    assert f"at a time that cannot be ({time_s} seconds since 1970)" in said
    assert "oldest outside anchor" in said, "the anchor stands, the witness does not"
    assert voyage.verify(*SEEN) == INCONCLUSIVE
    assert "no outside anchor was given" in capsys.readouterr().out


def test_the_first_moment_at_which_a_witness_can_have_signed_counts(voyage: Voyage):
    made = voyage.sail()
    assert made is not None
    voyage.cosign(made, SHORE.name, SHORE.line(made.note, time_s=1_577_836_800))
    assert voyage.verify(*SEEN) == PASS


def test_an_anchor_with_a_time_that_cannot_be_is_doubted_once(
    voyage: Voyage, capsys: pytest.CaptureFixture[str]
):
    made = voyage.sail()
    assert made is not None
    noted = made.note + SHORE.line(made.note, time_s=2**62)
    assert voyage.verify(*SEEN, anchor=noted) == INCONCLUSIVE
    assert capsys.readouterr().out.count("a time that cannot be") == 1


def test_another_who_calls_himself_the_witness_is_nobody(voyage: Voyage):
    made = voyage.sail()
    assert made is not None
    imposter = Witness(SHORE.name, MATE.seed)
    voyage.cosign(made, SHORE.name, imposter.line(made.note, time_s=MORNING_S))
    assert voyage.verify(*SEEN) == INCONCLUSIVE
    assert voyage.verify("--witness", imposter.vkey) == PASS, "given his key, he is somebody"


def test_a_line_under_another_name_than_its_own_fails(voyage: Voyage):
    made = voyage.sail()
    assert made is not None
    voyage.cosign(made, MATE.name, SHORE.line(made.note, time_s=MORNING_S))
    assert voyage.verify(*SEEN, anchor=made) == FAIL


def test_a_line_for_no_checkpoint_fails(voyage: Voyage, head: Checkpoint):
    voyage.alter(1, "UPDATE cosignature SET size = 2")
    assert voyage.verify(*SEEN) == FAIL


@pytest.mark.parametrize(
    "line", ["", "no line", "— shore.example/ships", "— shore.example/ships A"]
)
def test_a_line_that_is_none_fails(voyage: Voyage, line: str):
    made = voyage.sail()
    assert made is not None
    voyage.cosign(made, SHORE.name, line)
    assert voyage.verify(*SEEN, anchor=made) == FAIL


@pytest.mark.parametrize(
    "key", ["", "nothing", VKEY, SHORE.vkey[:-4], SHORE.vkey.replace("shore", "score")]
)
def test_a_witness_key_that_is_none_does_not_pass(voyage: Voyage, head: Checkpoint, key: str):
    assert voyage.verify("--witness", key, anchor=head) == INCONCLUSIVE


def test_a_witness_key_is_no_ships_key(voyage: Voyage, head: Checkpoint):
    assert voyage.verify(*SEEN, key=SHORE.vkey) == INCONCLUSIVE


def test_an_anchor_may_bring_its_witness_along(voyage: Voyage, capsys: pytest.CaptureFixture[str]):
    made = voyage.sail()
    assert made is not None
    cosigned = made.note + SHORE.line(made.note, time_s=MORNING_S)
    assert voyage.verify(*SEEN, anchor=cosigned) == PASS
    assert "2026-11-22 08:30:00 UTC (seen by shore.example/ships)" in capsys.readouterr().out
    false = made.note + SHORE.line(made.note.replace("\n3\n", "\n2\n"), time_s=MORNING_S)
    assert voyage.verify(*SEEN, anchor=false) == FAIL


def test_rewritten_with_the_ships_own_key_the_witness_tells(voyage: Voyage, head: Checkpoint):
    voyage.alter(1, "UPDATE entry SET body = replace(body, 'd2', 'd9') WHERE seq = 3")
    voyage.reseal(1)
    assert voyage.verify() == INCONCLUSIVE
    assert voyage.verify(*SEEN) == FAIL


@pytest.mark.parametrize("profile", [Profile.FULL, Profile.REDACTED, Profile.PSC])
def test_an_export_brings_the_witnesses_along(
    voyage: Voyage, head: Checkpoint, tmp_path: Path, profile: Profile
):
    voyage.cosign(head, MATE.name, MATE.line(head.note, time_s=MORNING_S + 5))
    path = tmp_path / "export.jsonl"
    content = b"".join(export.lines(voyage.folder / "segment-0001.db", profile=profile))
    path.write_bytes(content)
    words = [str(path), "--key", VKEY]
    assert verify.main(words) == INCONCLUSIVE
    for witness in (SHORE, MATE):
        assert verify.main([*words, "--witness", witness.vkey]) == PASS
    last = json.loads(content.splitlines()[-1])["checkpoint"]
    assert last == (
        head.note
        + MATE.line(head.note, time_s=MORNING_S + 5)
        + SHORE.line(head.note, time_s=MORNING_S)
    )


def test_the_next_segment_commits_to_the_ships_note_without_the_witnesses_lines(
    voyage: Voyage, head: Checkpoint
):
    voyage.sail()
    assert voyage.verify(*SEEN) == PASS
    db = sqlite3.connect(voyage.folder / "segment-0001.db")
    assert db.execute("SELECT count(*) FROM cosignature").fetchone() == (1,)
    db.close()


def test_more_witnesses_than_a_note_can_hold_do_not_spoil_an_export(
    voyage: Voyage, head: Checkpoint, tmp_path: Path
):
    for number in range(100):
        crowd = Witness(f"zz-{number:03d}", bytes([number]) * 32)
        voyage.cosign(head, crowd.name, crowd.line(head.note, time_s=MORNING_S))
    path = tmp_path / "export.jsonl"
    lines = export.lines(voyage.folder / "segment-0001.db", profile=Profile.REDACTED)
    path.write_bytes(b"".join(lines))
    assert verify.main([str(path), "--key", VKEY, *SEEN]) == PASS
    assert voyage.verify(*SEEN) == PASS


def test_a_line_in_the_note_itself_changes_nothing_for_the_next_segment(voyage: Voyage):
    made = voyage.sail()
    assert made is not None
    voyage.sail()
    line = SHORE.line(made.note, time_s=MORNING_S)
    voyage.alter(1, "UPDATE checkpoint SET note = note || ? WHERE size = 3", line)
    assert voyage.verify(*SEEN) == PASS
