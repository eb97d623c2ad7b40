"""What other verifiers of logs have passed over: the corpus of complaints about them, as tests of ours.

Items 23 and 24 of the list that we keep of our peers' failures (systemd-journald FSS, immudb, Rekor and its monitor).
Nothing here may pass, but for the mixed formats, see also ``test_verify_histories.py``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

import pytest

from daemon.record import checkpoint, export, verify
from daemon.record.export import Profile
from daemon.record.schema import STATEMENTS
from tests.record.old_layouts import make_layout_2
from tests.record.sample import (
    FAIL,
    INCONCLUSIVE,
    OTHER_VKEY,
    PASS,
    RAW,
    Sample,
    flip_evidence,
    flip_on_disk,
    reseal,
    swap,
    tail,
    tail_entry,
)
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, record
from tests.record.voyage import Voyage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_peers_23_one_bit_in_a_payload(sample: Sample):
    flip_on_disk(b'"subject":"d3')(sample)
    assert sample.verify() == FAIL


def test_peers_23_one_bit_in_a_part(sample: Sample):
    flip_on_disk(b'"millivolts":24600', 2)(sample)
    assert sample.verify() == FAIL


def test_peers_23_one_bit_in_an_attachment(sample: Sample):
    """immudb #2091: only roots were compared, what they stand for was not hashed again."""
    flip_evidence(sample)
    assert sample.verify() == FAIL


def test_peers_23_one_bit_in_a_checkpoint(sample: Sample):
    for old, new in (("\n4\n", "\n5\n"), ("demo", "dema"), ("— ", "– ")):
        altered = sample.notes[4].replace(old, new, 1)
        assert altered != sample.notes[4]
        sample.alter(f"UPDATE checkpoint SET note = '{altered}' WHERE size = 4")
        assert sample.verify() == FAIL


def test_peers_23_one_bit_in_the_hash_or_signature_of_a_checkpoint(sample: Sample):
    text, _, line = sample.notes[4].partition("\n\n")
    root = base64.b64decode(text.splitlines()[2])
    name, _, encoded = line.strip().rpartition(" ")
    signature = base64.b64decode(encoded)
    for at in (0, 31):
        wrong = bytes([*root[:at], root[at] ^ 1, *root[at + 1 :]])
        altered = sample.notes[4].replace(text.splitlines()[2], base64.b64encode(wrong).decode())
        sample.alter(f"UPDATE checkpoint SET note = '{altered}' WHERE size = 4")
        assert sample.verify() == FAIL
    for at in (0, 4, 67):
        wrong = bytes([*signature[:at], signature[at] ^ 1, *signature[at + 1 :]])
        altered = f"{text}\n\n{name} {base64.b64encode(wrong).decode()}\n"
        sample.alter(f"UPDATE checkpoint SET note = '{altered}' WHERE size = 4")
        assert sample.verify() == FAIL


def test_peers_23_one_bit_in_a_proof(sample: Sample, tmp_path: Path):
    """Where others keep tiles, ours is in the proofs of an excerpt."""
    lines = list(export.lines(sample.file, profile=Profile.EXCERPT, entries=[6]))
    line = json.loads(lines[2])
    for at in range(len(line["proof"]["hashes"])):
        wrong = json.loads(lines[2])
        node = bytearray(base64.b64decode(wrong["proof"]["hashes"][at]))
        node[5] ^= 1
        wrong["proof"]["hashes"][at] = base64.b64encode(node).decode()
        text = json.dumps(wrong, sort_keys=True, separators=(",", ":"))
        path = tmp_path / "excerpt"
        path.write_bytes(b"".join([*lines[:2], text.encode() + b"\n", *lines[3:]]))
        words = [str(path), "--key", VKEY, "--anchor", sample.anchor(10)]
        assert verify.main(words) == FAIL


def test_peers_23_the_middle_deleted(sample: Sample):
    sample.alter("DELETE FROM entry WHERE seq = 6")
    assert sample.verify() == FAIL


def test_peers_23_the_tail_deleted_with_an_anchor(sample: Sample):
    sample.alter("DELETE FROM entry WHERE seq > 7", "DELETE FROM checkpoint WHERE size > 7")
    sample.alter("DELETE FROM part WHERE seq > 7")
    assert sample.verify(anchor=10) == FAIL
    assert sample.verify(anchor=None) == INCONCLUSIVE


def test_peers_23_two_swapped(sample: Sample):
    swap(6, 7)(sample)
    assert sample.verify() == FAIL


def test_peers_23_the_wrong_key(sample: Sample):
    """systemd #11524: a wrong key passed at times."""
    for _ in range(5):
        assert sample.verify(key=OTHER_VKEY) == FAIL
        assert sample.verify(key=OTHER_VKEY, anchor=None) == FAIL


def test_peers_23_an_unsigned_file_offered_with_a_key(sample: Sample):
    """systemd #15425: a file that was never sealed passed."""
    sample.alter("DELETE FROM checkpoint")
    assert sample.verify(anchor=None) == INCONCLUSIVE
    assert sample.verify(anchor=7) == INCONCLUSIVE


def test_peers_23_old_entries_resealed_with_a_newer_key(tmp_path: Path):
    """CVE-2023-31439: whoever has the newest key wrote the past again. Ours was endorsed, and still may not."""
    voyage = Voyage(tmp_path)
    voyage.sail()
    second = voyage.sail(key=OTHER_KEY, endorsed_by=KEY)
    assert voyage.verify(anchor=second) == PASS
    voyage.alter(1, "UPDATE entry SET body = replace(body, 'd2', 'd9') WHERE seq = 3")
    voyage.reseal(1, OTHER_KEY)
    assert voyage.verify(anchor=second) == FAIL
    changed = "UPDATE entry SET body = replace(body, ?, ?) WHERE seq = 1"
    voyage.alter(1, changed, VKEY, OTHER_VKEY)
    voyage.reseal(1, OTHER_KEY)
    assert voyage.verify(anchor=second) == FAIL
    assert voyage.verify("--key", OTHER_VKEY, anchor=second) == FAIL


def test_peers_23_old_entries_resealed_with_the_same_key(sample: Sample):
    sample.alter("UPDATE entry SET body = replace(body, 'd3', 'd9') WHERE seq = 6")
    reseal(sample, KEY)
    assert sample.verify(anchor=7) == FAIL
    assert sample.verify(anchor=None) == INCONCLUSIVE


def test_peers_23_truncated_and_continued(sample: Sample):
    """CVE-2023-31438: cut, and gone on as if nothing had been there."""
    sample.alter("DELETE FROM entry WHERE seq > 4", "DELETE FROM checkpoint WHERE size > 4")
    sample.alter("DELETE FROM part WHERE seq > 4")

    async def go_on() -> None:
        ship = record(sample.folder)
        await ship.start()
        for number in range(8):
            await ship.submit(alert(f"d{number}"))
        await ship.stop()

    asyncio.run(go_on())
    assert sample.verify(anchor=7) == FAIL
    assert sample.verify(anchor=None) == INCONCLUSIVE


def empty_tables(path: Path) -> None:
    path.unlink()
    db = sqlite3.connect(path)
    for statement in STATEMENTS:
        db.execute(statement)
    db.commit()
    db.close()


EMPTY: dict[str, Callable[[Path], object]] = {
    "no bytes": lambda path: path.write_bytes(b""),
    "no entries": empty_tables,
    "no entries exported": lambda path: path.write_bytes(
        b'{"first_seq":1,"format":"ispsd-record-export","origin":"demo/9999993/1","profile":"full",'
        b'"segment":1,"size":0,"v":2}\n'
    ),
    "no file": lambda path: path.unlink(),
}


@pytest.mark.parametrize("act", EMPTY.values(), ids=EMPTY)
def test_peers_23_an_empty_log(sample: Sample, act: Callable[[Path], object]):
    """rekor-monitor #702: a log without entries was called consistent."""
    act(sample.file)
    assert sample.verify() in (FAIL, INCONCLUSIVE)
    assert sample.verify(anchor=None) in (FAIL, INCONCLUSIVE)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_peers_23_a_rotated_segment_missing(voyages: Sample, missing: int):
    (voyages.folder / f"segment-000{missing}.db").unlink()
    assert voyages.verify(anchor=3) in (FAIL, INCONCLUSIVE)
    assert voyages.verify(anchor=None) in (FAIL, INCONCLUSIVE)


@pytest.mark.parametrize("day", [21, 23])
def test_peers_23_the_clock_stepped_by_a_day(sample: Sample, day: int):
    tail(sample, tail_entry(11, at=f"2026-11-{day}T02:12:00.000Z"))
    assert sample.verify() == INCONCLUSIVE


# ---------------------------------------------------------------- beyond the list


def test_query_columns_cannot_be_edited(sample: Sample):
    db = sqlite3.connect(sample.file)
    db.execute("DROP TRIGGER entry_no_update")
    for column in ("bseq", "at", "kind", "type", "subject", "class"):
        with pytest.raises(sqlite3.OperationalError, match="generated"):
            db.execute(f"UPDATE entry SET {column} = 'x'")
    db.close()


def test_query_columns_that_became_plain_columns_never_pass(sample: Sample):
    """The text of the table is as ever; what SQLite has made of it is not."""
    db = sqlite3.connect(sample.file)
    plain = STATEMENTS[2].partition(", bseq")[0] + ", bseq INTEGER, at TEXT, kind TEXT, type TEXT, "
    plain += "subject TEXT, class TEXT) STRICT"
    rows = db.execute("SELECT seq, body, bseq, at, kind, 'edited', subject, class FROM entry")
    entries = rows.fetchall()
    db.execute("DROP TABLE entry")
    db.execute(plain)
    db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entries)
    for statement in STATEMENTS:
        if " ON entry " in statement:
            db.execute(statement)
    db.commit()
    db.close()
    assert sample.verify() == INCONCLUSIVE


def test_an_index_that_says_something_else_than_the_entries_never_passes(
    sample: Sample, capsys: pytest.CaptureFixture[str]
):
    """A list by type would leave entries out, though each entry is there and the schema is as ever."""
    make_layout_2(sample.file)
    db = sqlite3.connect(sample.file)
    [(wanted,)] = db.execute("SELECT sql FROM sqlite_master WHERE name = 'entry_by_type'")
    db.execute("DROP INDEX entry_by_type")
    db.execute("CREATE INDEX entry_by_type ON entry (subject, seq)")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'entry_by_type'", (wanted,))
    db.commit()
    db.close()
    db = sqlite3.connect(sample.file)
    query = "SELECT count(*) FROM entry WHERE type = 'test.result'"
    assert db.execute(query).fetchone() == (0,), "this is what a reader would see"
    db.close()
    assert sample.verify() == INCONCLUSIVE
    assert "the file's indexes do not fit them" in capsys.readouterr().out


@pytest.mark.parametrize(
    "added",
    [
        "CREATE TABLE extra (x)",
        "CREATE VIEW extra AS SELECT * FROM entry WHERE type != 'breach.reported'",
        "CREATE INDEX extra ON entry (seq, at)",
        "CREATE TRIGGER extra AFTER INSERT ON entry BEGIN DELETE FROM state; END",
    ],
)
def test_added_schema_objects_never_pass(sample: Sample, added: str):
    db = sqlite3.connect(sample.file)
    db.execute(added)
    db.commit()
    db.close()
    assert sample.verify() == INCONCLUSIVE


def test_evidence_replaced_by_other_evidence_fails(sample: Sample):
    other = RAW.replace(b"021000", b"031000")
    packed, digest = zlib.compress(other).hex(), hashlib.sha256(other).hexdigest()
    sample.alter(f"UPDATE evidence SET body = x'{packed}'")
    assert sample.verify() == FAIL
    sample.alter(f"UPDATE evidence SET sha256 = '{digest}'")
    assert sample.verify() == FAIL


def test_evidence_with_something_behind_it_fails(sample: Sample):
    packed = zlib.compress(RAW).hex()
    sample.alter(f"UPDATE evidence SET body = x'{packed}00'")
    assert sample.verify() == FAIL


def test_peers_24_a_verifier_that_was_killed_skips_nothing_the_next_time(
    sample: Sample, tmp_path: Path
):
    """rekor-monitor #740 stored its place before it had looked. Ours keeps no place at all."""
    flip_on_disk(b'"subject":"d3')(sample)
    before = {path.name: path.read_bytes() for path in sample.folder.iterdir()}
    words = [str(sample.folder), "--key", VKEY, "--anchor", sample.anchor(7)]
    program = shutil.copyfile(verify.__file__, tmp_path / "verify.py")
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-I", str(program), *words], stdout=subprocess.DEVNULL
        ) as running:
            running.kill()
    assert {path.name: path.read_bytes() for path in sample.folder.iterdir()} == before
    assert verify.main(words) == FAIL


def test_a_note_of_another_ship_with_the_same_key_is_no_anchor(sample: Sample, tmp_path: Path):
    head = checkpoint.sign(KEY, origin="demo/9999994/1", size=7, root=b"r" * 32)
    (tmp_path / "other").write_text(head.note, "utf-8")
    assert ORIGIN not in head.note
    assert sample.verify("--anchor", str(tmp_path / "other")) == FAIL
