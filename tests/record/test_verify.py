"""The verifier fails closed: nothing altered, cut, exchanged or unknown ever passes (invariant 12)."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon.errors import RecordError
from daemon.record import checkpoint, export, verify
from daemon.record.entry import Stamp
from daemon.record.export import Profile
from daemon.record.merkle import Tree
from daemon.record.schema import STATEMENTS
from daemon.record.segment import Segment
from tests.clocks import FixedEntropy, ManualClock
from tests.record.old_layouts import make_layout_2, statements
from tests.record.sample import (
    FAIL,
    INCONCLUSIVE,
    OTHER_VKEY,
    PASS,
    Sample,
    body,
    flip_evidence,
    flip_on_disk,
    identity,
    note,
    reseal,
    sql,
    swap,
    tail,
    tail_entry,
)
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, record

if TYPE_CHECKING:
    from collections.abc import Callable


def words(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_sound_record_passes_in_peoples_words(sample: Sample, capsys: pytest.CaptureFixture[str]):
    assert sample.verify() == PASS
    assert words(capsys) == (
        "PASS\n"
        "demo/9999993/1: entries 1 to 10\n"
        "unaltered since 2026-11-22 02:11:00 UTC by the ship's clock (oldest outside anchor); "
        "the last 3 entries have no outside witness yet\n"
        "sealed: 10 entries; unsealed tail: 0\n"
    )


def test_a_single_file_is_a_record_too(sample: Sample):
    assert verify.main([str(sample.file), "--key", VKEY, "--anchor", sample.anchor(10)]) == PASS


def read_root(note: str) -> str:
    return base64.b64decode(note.splitlines()[2]).hex()


def test_the_oldest_and_the_newest_anchor_count(sample: Sample, capsys: pytest.CaptureFixture[str]):
    assert sample.verify("--json", "--anchor", sample.anchor(10), anchor=4) == PASS
    assert json.loads(words(capsys)) == {
        "verdict": "PASS",
        "failure": None,
        "first_bad_entry": None,
        "doubts": [],
        "remarks": [],
        "origin": "demo/9999993/1",
        "first_entry": 1,
        "entries": 10,
        "sealed": 10,
        "unsealed_tail": 0,
        "root": read_root(sample.notes[10]),
        "unaltered_since": "2026-11-22T02:10:30Z",
        "witness": None,
        "without_witness": 0,
        "withheld": 0,
        "withheld_entries": 0,
        "excerpt_of": None,
        "unchecked_witnesses": [],
        "sha256": None,
    }


def test_without_a_key_or_an_anchor_it_cannot_pass(
    sample: Sample, capsys: pytest.CaptureFixture[str]
):
    assert sample.verify(key=None) == INCONCLUSIVE
    assert "not proven: no key was given" in words(capsys)
    assert sample.verify(anchor=None) == INCONCLUSIVE
    assert "not proven: no outside anchor was given" in words(capsys)


def renumbered(sample: Sample) -> None:
    """Delete entry 6 and close the gap by hand."""
    sample.alter("DELETE FROM entry WHERE seq = 6")
    for seq, bseq in ((7, 6), (8, 0), (9, 7), (10, 8)):
        new = f"replace(body, '\"seq\":{seq}', '\"seq\":{seq - 1}')"
        new = f"replace({new}, '\"bseq\":{bseq}', '\"bseq\":{bseq - 1}')"
        sample.alter(f"UPDATE entry SET seq = {seq - 1}, body = {new} WHERE seq = {seq}")
    sample.alter("UPDATE part SET seq = 7 WHERE seq = 8", "UPDATE part SET seq = 8 WHERE seq = 9")


ALTERED = {
    "a word of an entry": (body(6, '"subject":"d3"', '"subject":"d9"'), 5),
    "a word of the first entry": (body(1, "first start", "first stort"), 1),
    "a word of the last entry": (body(10, '"subject":"d4"', '"subject":"d9"'), 8),
    "a bit of an entry on the disk": (flip_on_disk(b'"subject":"d3'), 5),
    "a bit of a brace on the disk": (flip_on_disk(b'"v":2}', 4), None),
    "the order of the names": (body(6, '"segment":1,"seq":6', '"seq":6,"segment":1'), 6),
    "a blank": (body(6, '"v":2', '"v": 2'), 6),
    "a second name": (body(6, '"v":2', '"v":2,"v":2'), 6),
    "a field too many": (body(6, '"v":2', '"v":2,"x":1'), 6),
    "a field too few": (body(6, ',"v":2', ""), 6),
    "a float": (body(6, '"instance":1', '"instance":1.0'), 6),
    "an exponent": (body(6, '"instance":1', '"instance":1e0'), 6),
    "a number too large": (body(6, '"instance":1', '"instance":9007199254740992'), 6),
    "a name that may not be": (body(6, '"instance":1', '"Instance":1'), 6),
    "a kind that is none": (body(6, '"kind":"system"', '"kind":".15"'), 6),
    "a machine that speaks as a person": (body(6, '"kind":"system"', '"kind":".3"'), 6),
    "the day": (body(6, "2026-11-22", "2026-13-22"), 6),
    "the segment": (body(6, '"segment":1', '"segment":2'), 6),
    "the number": (body(6, '"seq":6', '"seq":7'), 6),
    "the number among events": (body(6, '"bseq":5', '"bseq":9'), 6),
    "an event made secret": (body(6, '"class":"watch"', '"class":"sso"'), 6),
    "version nought": (body(6, '"v":2', '"v":0'), 6),
    "an object for a list": (body(6, '"evidence":[]', '"evidence":[1]'), 6),
    "a part without a hash": (body(6, '"parts":{}', '"parts":{"sso":"00"}'), 6),
    "the body of a part": (
        sql("UPDATE part SET body = replace(body, '24600', '24601') WHERE seq = 4"),
        4,
    ),
    "a bit of a part on the disk": (flip_on_disk(b'"millivolts":24600', 2), 4),
    "the salt of a part": (sql("UPDATE part SET salt = zeroblob(16) WHERE seq = 4"), 4),
    "a part deleted": (sql("DELETE FROM part WHERE seq = 4"), 4),
    "a part for somebody else": (sql("UPDATE part SET class = 'watch' WHERE seq = 4"), 4),
    "a part for an entry without": (sql("INSERT INTO part VALUES (6, 'sso', x'', '{}')"), 6),
    "a part for no entry": (sql("INSERT INTO part VALUES (11, 'sso', x'', '{}')"), 11),
    "a part before all entries": (sql("INSERT INTO part VALUES (0, 'sso', x'', '{}')"), 0),
    "a bit of evidence": (flip_evidence, 4),
    "evidence that does not unpack": (sql("UPDATE evidence SET body = x'00'"), 4),
    "evidence deleted": (sql("DELETE FROM evidence"), 4),
    "evidence under another hash": (sql("UPDATE evidence SET sha256 = 'x'"), 4),
    "the size of evidence": (sql("UPDATE evidence SET size = size + 1"), 4),
    "evidence of an impossible size": (sql("UPDATE evidence SET size = -1"), 4),
    "evidence of another entry": (sql("UPDATE evidence SET seq = 5"), 5),
    "evidence nobody named": (
        sql(
            "INSERT INTO evidence VALUES ('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', "
            f"5, 'text/plain', 0, x'{zlib.compress(b'').hex()}')"
        ),
        5,
    ),
    "the size of a checkpoint": (sql("UPDATE checkpoint SET size = 5 WHERE size = 4"), None),
    "the signature of a checkpoint": (
        sql(
            "UPDATE checkpoint SET note = substr(note, 1, length(note) - 12) || 'AAAAAAAAAA=' || char(10)"
        ),
        None,
    ),
    "the text of a checkpoint": (
        sql("UPDATE checkpoint SET note = 'x' || note WHERE size = 4"),
        None,
    ),
    "the number in a checkpoint": (
        sql(
            "UPDATE checkpoint SET note = replace(note, char(10) || '4' || char(10), char(10) || '5' || char(10))"
        ),
        None,
    ),
    "the peaks of a checkpoint": (
        sql("UPDATE checkpoint SET peaks = zeroblob(32) WHERE size = 4"),
        None,
    ),
    "a checkpoint exchanged for another": (
        sql(
            "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 1) WHERE size = 4"
        ),
        None,
    ),
    "an entry deleted in the middle": (sql("DELETE FROM entry WHERE seq = 6"), 6),
    "an entry deleted and the rest renumbered": (renumbered, 5),
    "the first entry deleted": (sql("DELETE FROM entry WHERE seq = 1"), 1),
    "all entries deleted": (
        sql("DELETE FROM entry", "DELETE FROM part", "DELETE FROM evidence"),
        None,
    ),
    "two entries swapped": (swap(6, 7), 6),
    "the last entry deleted": (sql("DELETE FROM entry WHERE seq = 10"), 10),
}


@pytest.mark.parametrize(("act", "first_bad"), ALTERED.values(), ids=ALTERED)
def test_whatever_is_altered_fails_and_is_named(
    sample: Sample,
    act: Callable[[Sample], None],
    first_bad: int | None,
    capsys: pytest.CaptureFixture[str],
):
    act(sample)
    assert sample.verify("--json") == FAIL
    found = json.loads(words(capsys))
    assert found["verdict"] == "FAIL"
    if first_bad is not None:
        assert found["first_bad_entry"] == first_bad


def test_the_first_bad_entry_is_said_in_words(sample: Sample, capsys: pytest.CaptureFixture[str]):
    body(6, '"subject":"d3"', '"subject":"d9"')(sample)
    sample.verify()
    assert words(capsys) == (
        "FAIL: segment-0001.db: entry 5: an entry from 5 to 7 was altered\nfirst bad entry: 5\n"
    )


@pytest.mark.parametrize("keep", [1, 4, 7])
def test_a_tail_cut_off_cleanly_needs_an_anchor_and_fails_with_one(sample: Sample, keep: int):
    sample.alter(
        f"DELETE FROM entry WHERE seq > {keep}", f"DELETE FROM checkpoint WHERE size > {keep}"
    )
    sample.alter(f"DELETE FROM part WHERE seq > {keep}")
    if keep == 1:
        sample.alter("DELETE FROM evidence")
    assert sample.verify(anchor=None) == INCONCLUSIVE
    assert sample.verify(anchor=10) == FAIL
    assert sample.verify(anchor=keep) == PASS


def test_resealed_with_another_key_it_fails_under_either(sample: Sample):
    reseal(sample, KEY)
    assert sample.verify() == PASS
    reseal(sample, OTHER_KEY)
    assert sample.verify() == FAIL
    assert sample.verify(key=OTHER_VKEY) == FAIL, "the anchor is the ship's"
    assert sample.verify(key=OTHER_VKEY, anchor=None) == FAIL, "its first entry names another key"


def test_rewritten_and_resealed_with_the_ships_own_key_only_the_anchor_tells(
    sample: Sample, capsys: pytest.CaptureFixture[str]
):
    body(6, '"subject":"d3"', '"subject":"d9"')(sample)
    reseal(sample, KEY)
    assert sample.verify(anchor=None) == INCONCLUSIVE
    assert sample.verify("--anchor", sample.anchor(4), anchor=7) == FAIL
    assert "entries 5 to 7 are not those that the anchor saw" in words(capsys)
    assert sample.verify(anchor=4) == PASS, "nobody outside saw entry 6"


def test_cut_and_continued_under_the_ships_own_key_the_anchor_tells(sample: Sample):
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
    assert sample.verify(anchor=10) == FAIL
    assert sample.verify(anchor=4) == PASS


def test_a_wrong_key_fails(sample: Sample, tmp_path: Path):
    assert sample.verify(key=OTHER_VKEY, anchor=None) == FAIL
    for name in ("ispsd/9999993", "demo/9999994"):
        assert (
            sample.verify(key=checkpoint.verifier_key(name, KEY.public_key()), anchor=None) == FAIL
        )


@pytest.mark.parametrize(
    "key", ["", "no key", VKEY[:-4], VKEY.replace("demo", "dema"), VKEY + "\n" + VKEY]
)
def test_a_key_that_is_none_does_not_pass(sample: Sample, key: str, tmp_path: Path):
    assert (
        verify.main([str(sample.folder), "--key", key, "--anchor", sample.anchor(7)])
        == INCONCLUSIVE
    )
    (tmp_path / "key").write_bytes(b"\xff" + key.encode())
    assert sample.verify(key=str(tmp_path / "key")) == INCONCLUSIVE


def test_a_key_file_may_hold_the_keys_of_more_segments(sample: Sample, tmp_path: Path):
    (tmp_path / "key").write_text(f"{OTHER_VKEY}\n\n{VKEY}\n")
    assert sample.verify(key=str(tmp_path / "key")) == PASS


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (note(), FAIL),
        (note(size=11), FAIL),
        (note(key=OTHER_KEY), FAIL),
        (note(origin=f"{ORIGIN}/2"), FAIL),
        (note(origin="demo/9999994/1"), FAIL),
        (note(origin=ORIGIN), FAIL),
        ("", INCONCLUSIVE),
        ("no note\n", INCONCLUSIVE),
        (note() + "x" * 10_000, INCONCLUSIVE),
    ],
    ids=[
        "root",
        "tail cut",
        "other key",
        "segment cut",
        "other ship",
        "no segment",
        "empty",
        "no note",
        "too long",
    ],
)
def test_a_wrong_anchor_never_passes(sample: Sample, tmp_path: Path, text: str, verdict: int):
    (tmp_path / "wrong").write_text(text, "utf-8")
    assert sample.verify("--anchor", str(tmp_path / "wrong"), anchor=7) == verdict


def test_a_checkpoint_that_the_ship_signed_for_another_segment_fails(sample: Sample):
    db = sqlite3.connect(sample.file)
    bodies = [text for (text,) in db.execute("SELECT body FROM entry ORDER BY seq")]
    db.close()
    tree = Tree()
    for text in bodies[:4]:
        tree = tree.grown(text.encode())
    sample.alter(
        f"UPDATE checkpoint SET note = '{note(f'{ORIGIN}/2', 4, tree.root())}' WHERE size = 4"
    )
    assert sample.verify(anchor=None) == FAIL


def test_an_anchor_that_cannot_be_read_is_not_left_out(sample: Sample, tmp_path: Path):
    assert sample.verify("--anchor", str(tmp_path / "missing")) == INCONCLUSIVE


SCHEMA_CHANGES = [
    "CREATE TABLE extra (x)",
    "CREATE INDEX extra ON entry (seq, at)",
    "CREATE VIEW extra AS SELECT 1",
    "CREATE TRIGGER extra AFTER INSERT ON entry BEGIN DELETE FROM state; END",
    "DROP TRIGGER entry_no_update",
    "DROP TABLE state",
    "ALTER TABLE state ADD COLUMN extra TEXT",
    "ALTER TABLE part ADD COLUMN extra TEXT",
    "PRAGMA user_version = 2",
    "PRAGMA user_version = 4",
    "PRAGMA application_id = 7",
    "ANALYZE",
]


@pytest.mark.parametrize("change", SCHEMA_CHANGES)
def test_an_unknown_schema_is_inconclusive(sample: Sample, change: str):
    db = sqlite3.connect(sample.file)
    db.execute(change)
    db.commit()
    db.close()
    assert sample.verify() == INCONCLUSIVE


@pytest.mark.parametrize(
    "change", ["DROP INDEX entry_by_at", "DROP INDEX entry_by_person", "PRAGMA user_version = 1"]
)
def test_an_unknown_schema_of_an_older_layout_is_inconclusive(sample: Sample, change: str):
    make_layout_2(sample.file)
    assert sample.verify() == PASS
    test_an_unknown_schema_is_inconclusive(sample, change)


@pytest.mark.parametrize("layout", [1, 2, 3])
def test_the_verifiers_own_copy_of_each_schema_is_the_schema(layout: int):
    made = STATEMENTS if layout == 3 else statements(STATEMENTS, layout)
    created = {statement for statement in made if statement.startswith("CREATE")}
    assert set(verify.SCHEMAS[layout].values()) == created


def test_an_unsealed_tail_is_no_failure_and_is_told(
    sample: Sample, capsys: pytest.CaptureFixture[str]
):
    tail(sample, tail_entry(11), tail_entry(12))
    assert sample.verify() == PASS
    assert "sealed: 10 entries; unsealed tail: 2" in words(capsys)


def test_a_tail_that_is_wrong_in_itself_fails(sample: Sample):
    tail(sample, tail_entry(11), tail_entry(13))
    assert sample.verify() == FAIL


@pytest.mark.parametrize(
    "shown",
    [
        '{"a":NaN}',
        '{"a":-0}',
        '{"a":01}',
        '{"a":Infinity}',
        '{"a":1,"a":1}',
        '{"b":1,"a":1}',
        '{"a":"\\u0041"}',
        '{"a":"\\/"}',
        '{"a":"\\ud800"}',
        '{"a":[1, 2]}',
        '{"a":[{"B":1}]}',
        '{"a":}',
        '{"a":1}}',
        "{" * 5000,
    ],
)
def test_what_a_json_reader_forgives_is_not_forgiven(shown: str):
    sound = tail_entry(11, open={"a": 1})
    assert verify.read_entry(sound).open == {"a": 1}
    with pytest.raises((ValueError, RecursionError)):
        verify.read_entry(sound.replace('{"a":1}', shown))


def test_an_entry_of_a_later_version_is_inconclusive(sample: Sample):
    tail(sample, tail_entry(11, v=3))
    assert sample.verify() == INCONCLUSIVE


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_clock_that_was_stepped_in_silence_does_not_pass(
    sample: Sample, hours: int, capsys: pytest.CaptureFixture[str]
):
    day = 22 + hours // 24
    tail(sample, tail_entry(11, at=f"2026-11-{day}T02:12:00.000Z"))
    assert sample.verify() == INCONCLUSIVE
    assert f"stepped by {hours * 3600} s at entry 11" in words(capsys)


def test_a_step_that_an_entry_explains_passes(sample: Sample):
    later = "2026-11-23T02:12:00.000Z"
    tail(sample, tail_entry(11, at=later), tail_entry(12, at=later, type="clock.stepped"))
    assert sample.verify() == PASS


def test_after_a_boot_the_clock_may_be_behind_only_while_it_is_not_synced(sample: Sample):
    earlier = {"at": "2026-11-22T01:00:00.000Z", "boot": "second", "up_ms": 5}
    tail(sample, tail_entry(11, **earlier, clock="unset"))
    assert sample.verify() == PASS
    sample.alter("DELETE FROM entry WHERE seq = 11")
    tail(sample, tail_entry(11, **earlier))
    assert sample.verify() == INCONCLUSIVE


def test_nothing_sealed_is_inconclusive(tmp_path: Path, sample: Sample):
    sample.alter("DELETE FROM checkpoint")
    assert sample.verify() == INCONCLUSIVE


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 4096, b"SQLite format 3\0", b"{}\n", b"{", b"text\n"]
)
def test_a_file_that_is_no_record_never_passes(sample: Sample, content: bytes):
    sample.file.write_bytes(content)
    assert sample.verify() != PASS


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_off_anywhere_fails(sample: Sample, share: float):
    content = sample.file.read_bytes()
    sample.file.write_bytes(content[: int(len(content) * share)])
    assert sample.verify() == FAIL


def test_a_missing_or_empty_folder_never_passes(sample: Sample, tmp_path: Path):
    sample.file.unlink()
    assert sample.verify() == INCONCLUSIVE
    assert verify.main([str(tmp_path / "nowhere"), "--key", VKEY]) == INCONCLUSIVE


def test_pages_overwritten_on_the_disk_never_pass_unless_nothing_signed_was_there(sample: Sample):
    content = sample.file.read_bytes()
    sound = sample.verify("--json")
    assert sound == PASS
    for page in range(len(content) // 4096):
        broken = bytearray(content)
        broken[page * 4096 : (page + 1) * 4096] = bytes(4096)
        sample.file.write_bytes(broken)
        signed = any(
            word in content[page * 4096 : (page + 1) * 4096]
            for word in (b'"seq":', b"millivolts", b"\xe2\x80\x94")
        )
        if signed or page == 0:
            assert sample.verify() != PASS, page


def test_a_log_beside_the_file_is_read_from_a_copy(sample: Sample, tmp_path: Path):
    entropy, clock = FixedEntropy(), ManualClock()
    stamp = Stamp(
        at="2026-11-22T02:12:00.000Z", clock=clock.status(), up_ms=1_120_000, boot="b00t1d00"
    )
    segment = Segment.open(sample.file, identity(), entropy)
    assert segment is not None
    segment.append([(alert("d7"), stamp)], {})
    crashed = tmp_path / "crashed"
    shutil.copytree(sample.folder, crashed)
    segment.close()
    (crashed / "segment-0001.db-shm").unlink(missing_ok=True)
    before = {path.name: path.read_bytes() for path in crashed.iterdir()}
    assert "segment-0001.db-wal" in before
    assert verify.main([str(crashed), "--key", VKEY, "--anchor", sample.anchor(7)]) == PASS
    assert verify.report(verify.verify(crashed, verify.read_keys(VKEY), []))["unsealed_tail"] == 1
    assert {path.name: path.read_bytes() for path in crashed.iterdir()} == before
    (crashed / "segment-0001.db-journal").touch()
    assert verify.main([str(crashed), "--key", VKEY, "--anchor", sample.anchor(7)]) == INCONCLUSIVE


def test_a_record_that_is_written_while_it_is_copied_is_inconclusive(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    log = sample.file.with_name("segment-0001.db-wal")
    log.write_bytes(b"begun")
    copy = shutil.copyfile

    def slow_copy(source: Path, target: Path) -> None:
        copy(source, target)
        log.write_bytes(b"begun and gone on")

    monkeypatch.setattr(verify.shutil, "copyfile", slow_copy)
    assert sample.verify() == INCONCLUSIVE
    assert "being written while it was read" in words(capsys)


def test_it_runs_alone_and_writes_nothing(sample: Sample, tmp_path: Path):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copyfile(verify.__file__, alone / "verify.py")
    (tmp_path / "key").write_text(VKEY + "\n")
    anchor = sample.anchor(7)
    before = {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sample.folder.iterdir()
    }
    sample.folder.chmod(0o555)
    alone.chmod(0o555)
    arguments = [str(sample.folder), "--key", str(tmp_path / "key"), "--anchor", anchor]
    ran = subprocess.run(
        [sys.executable, "-I", "verify.py", *arguments],
        cwd=alone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (PASS, "")
    assert ran.stdout.startswith("PASS\n")
    assert {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sample.folder.iterdir()
    } == before
    assert [path.name for path in alone.iterdir()] == ["verify.py"]


def test_it_imports_nothing_of_the_daemon():
    text = Path(verify.__file__).read_text("utf-8")
    imported = {
        line.split()[1].partition(".")[0]
        for line in text.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported <= sys.stdlib_module_names | {"cryptography", "__future__"}


def test_a_crash_of_the_verifier_is_no_pass(sample: Sample, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verify, "_judge", lambda *_: 1 / 0)
    assert sample.verify() == INCONCLUSIVE


# ---------------------------------------------------------------- exports


@pytest.fixture(params=[Profile.FULL, Profile.REDACTED, Profile.PSC])
def exported(request: pytest.FixtureRequest, sample: Sample, tmp_path: Path) -> Path:
    path = tmp_path / "export.jsonl"
    path.write_bytes(b"".join(export.lines(sample.file, profile=request.param)))
    return path


def verify_export(path: Path, sample: Sample) -> int:
    return verify.main([str(path), "--key", VKEY, "--anchor", sample.anchor(7)])


def test_an_export_verifies_whole_and_redacted(
    exported: Path, sample: Sample, capsys: pytest.CaptureFixture[str]
):
    assert verify_export(exported, sample) == PASS
    assert ("withheld" in words(capsys)) is ("millivolts" not in exported.read_text())


def test_a_redacted_export_holds_nothing_but_entries_and_checkpoints(sample: Sample):
    whole, redacted = (
        [json.loads(line) for line in export.lines(sample.file, profile=profile)]
        for profile in (Profile.FULL, Profile.REDACTED)
    )
    assert {name for line in redacted[1:] for name in line} == {"entry", "checkpoint"}
    assert {name for line in whole[1:] for name in line} == {
        "entry",
        "checkpoint",
        "parts",
        "evidence",
    }
    assert [line.get("entry") for line in whole] == [line.get("entry") for line in redacted]


def changed(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old, new, 1)


def kept(count: int | None) -> Callable[[bytes], bytes]:
    return lambda content: b"".join(content.splitlines(keepends=True)[:count])


def added(line: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content + line


EXPORT_CHANGES = {
    "an entry": (changed(b'"subject":"d3"', b'"subject":"d9"'), FAIL),
    "a blank": (changed(b'"subject":"d3"', b'"subject": "d3"'), FAIL),
    "a later entry": (changed(b'"v":2}}', b'"v":3}}'), INCONCLUSIVE),
    "an unknown field": (changed(b'"v":2}}', b'"v":2},"x":1}'), INCONCLUSIVE),
    "another format": (changed(b"ispsd-record-export", b"other-export"), INCONCLUSIVE),
    "a later format": (changed(b'"size":10,"v":2', b'"size":10,"v":3'), INCONCLUSIVE),
    "the last newline": (lambda content: content[:-1], FAIL),
    "half of it": (lambda content: content[: len(content) // 2], FAIL),
    "the last lines": (kept(-4), FAIL),
    "all lines but the first": (kept(1), FAIL),
    "a checkpoint twice": (lambda content: content + content.splitlines(keepends=True)[-1], FAIL),
    "a list": (added(b"[]\n"), FAIL),
    "no text": (added(b"\xff\n"), FAIL),
    "half an entry": (added(b'{"entry":{"seq":1}}\n'), FAIL),
    "a deep line": (added(b"[" * 100_000 + b"\n"), FAIL),
}


@pytest.mark.parametrize(("act", "verdict"), EXPORT_CHANGES.values(), ids=EXPORT_CHANGES)
def test_an_altered_export_never_passes(
    exported: Path, sample: Sample, act: Callable[[bytes], bytes], verdict: int
):
    content = exported.read_bytes()
    exported.write_bytes(act(content))
    assert exported.read_bytes() != content
    assert verify_export(exported, sample) == verdict


@pytest.mark.parametrize(
    ("old", "new"),
    [("24600", "24601"), ('"salt":"', '"salt":"00'), ("JEdQ", "JEdR"), ('"salt":"', '"salt":"x')],
)
def test_a_part_or_evidence_altered_in_an_export_fails(
    sample: Sample, tmp_path: Path, old: str, new: str
):
    content = b"".join(export.lines(sample.file, profile=Profile.FULL))
    assert old.encode() in content
    path = tmp_path / "export.jsonl"
    path.write_bytes(content.replace(old.encode(), new.encode(), 1))
    assert verify_export(path, sample) == FAIL


# ---------------------------------------------------------------- segments


def test_what_cannot_be_exported_is_an_error(sample: Sample):
    sample.alter("UPDATE evidence SET body = x'00'")
    with pytest.raises(RecordError, match="damaged"):
        list(export.lines(sample.file, profile=Profile.FULL))
    sample.alter("DELETE FROM evidence")
    with pytest.raises(RecordError, match="missing"):
        list(export.lines(sample.file, profile=Profile.FULL))
    sample.alter("DELETE FROM entry")
    with pytest.raises(RecordError, match="no entry"):
        list(export.lines(sample.file, profile=Profile.REDACTED))
    sample.file.unlink()
    with pytest.raises(RecordError, match=r"segment-0001\.db"):
        list(export.lines(sample.file, profile=Profile.REDACTED))


FIRST = {
    "of another type": ('"type":"segment.opened"', '"type":"other.thing"'),
    "of another beginning": ('"first_seq":1', '"first_seq":2'),
    "of another origin": ("demo/9999993/1", "demo/9999993/2"),
    "with something before it": ('"previous":null', '"previous":1'),
    "without a previous": (',"previous":null', ""),
}


@pytest.mark.parametrize(("old", "new"), FIRST.values(), ids=FIRST)
def test_a_first_entry_that_does_not_open_the_record_fails(sample: Sample, old: str, new: str):
    body(1, old, new)(sample)
    reseal(sample, KEY)
    assert sample.verify(anchor=None) == FAIL


EVIDENCE = [
    '{"media":"a/b","sha256":"%s"}' % ("0" * 64),
    '{"media":"a/b","sha256":"x","size":1}',
    '{"media":"a/b","sha256":"%s","size":true}' % ("0" * 64),
    '{"media":1,"sha256":"%s","size":1}' % ("0" * 64),
]


@pytest.mark.parametrize("named", EVIDENCE)
def test_evidence_that_is_not_named_in_full_is_refused(named: str):
    sound = '{"media":"a/b","sha256":"%s","size":1}' % ("0" * 64)
    empty = tail_entry(11)
    assert verify.read_entry(empty.replace('"evidence":[]', f'"evidence":[{sound}]')).evidence
    with pytest.raises(ValueError, match="evidence"):
        verify.read_entry(empty.replace('"evidence":[]', f'"evidence":[{named}]'))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("share", [2, 3, 5])
def test_a_hostile_line_costs_no_more_than_its_length(share: int):
    """It comes before any key is asked; tried in every way, one line of 64 KiB would take minutes."""
    head, _, _ = tail_entry(11).partition('"evidence":[')
    ends_list, ends_object = '],"kind":"system","open":{', '},"parts":{'
    room = (verify.LARGEST_ENTRY - len(head) - 12) // share
    hostile = f'{head}"evidence":[' + ends_list * (room // len(ends_list))
    hostile += ends_object * (room // len(ends_object))
    hostile = hostile.ljust(verify.LARGEST_ENTRY, "}")
    with pytest.raises(ValueError, match=r"Expecting|Extra|delimiter"):
        verify.read_entry(hostile)


def test_an_entry_of_thousands_of_names_is_read_and_not_remembered():
    """To learn what one of 5000 names looks like takes seconds; a stranger's file could have hundreds of types."""
    for count, is_learnt in ((64, True), (65, False), (5000, False)):
        type_ = f"x.of_{count}"
        shown = {f"n{number:04}": number for number in range(count)}
        for _ in range(2):
            assert verify.read_entry(tail_entry(11, type=type_, open=shown)).open == shown
        assert (type_ in verify._shapes) is is_learnt


def test_a_strangers_words_move_no_cursor_and_make_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Else a FAIL could be made to look like a PASS on the screen."""
    lie = "x\n\x1b[1A\x1b[2K\rPASS\nsealed: 3540 entries\u202e\x1b[8m/1"
    told = {"first_seq": 1, "first_bseq": 1, "origin": lie, "previous": None}
    header = {"format": "ispsd-record-export", "v": 2, "profile": "full", "origin": lie}
    header |= {"segment": 1, "first_seq": 1, "size": 1}
    entry = json.loads(tail_entry(1, type="segment.opened", open={})) | {"open": told, "bseq": 1}
    path = tmp_path / "x.jsonl"
    lines = (header, {"entry": entry})
    path.write_text("".join(f"{verify._canonical(line)}\n" for line in lines), "utf-8")
    assert verify.main([str(path), "--key", VKEY]) == FAIL
    said = words(capsys)
    assert "PASS" in said, "it is told what stands there"
    assert said.startswith("FAIL: ")
    assert all(line.isprintable() for line in said.split("\n"))
    assert not any(line.startswith(("PASS", "sealed")) for line in said.split("\n"))


@pytest.mark.parametrize("text", [None, b"{}", "[]", "x" * 70_000])
def test_what_is_no_entry_at_all_is_refused(text: object):
    with pytest.raises(ValueError, match=r"not|value"):
        verify.read_entry(text)


def test_segments_verify_as_one_record(voyages: Sample, capsys: pytest.CaptureFixture[str]):
    assert voyages.verify(anchor=2) == PASS
    assert words(capsys) == (
        "PASS\n"
        "demo/9999993/3: entries 1 to 12\n"
        "unaltered since 2026-11-22 02:10:00 UTC by the ship's clock (oldest outside anchor); "
        "the last 4 entries have no outside witness yet\n"
        "sealed: 12 entries; unsealed tail: 0\n"
    )
    one = str(voyages.folder / "segment-0002.db")
    assert verify.main([one, "--key", VKEY, "--anchor", voyages.anchor(2)]) == PASS


@pytest.mark.parametrize(
    ("missing", "verdict"),
    [("segment-0001.db", INCONCLUSIVE), ("segment-0002.db", FAIL), ("segment-0003.db", FAIL)],
)
def test_a_missing_segment_never_passes(voyages: Sample, missing: str, verdict: int):
    (voyages.folder / missing).unlink()
    assert voyages.verify(anchor=3) == verdict


def test_a_segment_that_was_rewritten_does_not_fit_the_next(voyages: Sample):
    body(3, "forced", "closed")(voyages)
    assert voyages.verify(anchor=None) == FAIL
    db = sqlite3.connect(voyages.file)
    bodies = [text for (text,) in db.execute("SELECT body FROM entry ORDER BY seq")]
    db.close()
    rewritten = Sample(voyages.folder, {len(bodies): ""})
    reseal(rewritten, KEY)
    assert verify.main([str(rewritten.file), "--key", VKEY]) == INCONCLUSIVE, "sound in itself"
    assert voyages.verify(anchor=3) == FAIL


def test_a_segment_exchanged_for_another_ships_fails(voyages: Sample, sample: Sample):
    shutil.copyfile(sample.file, voyages.file)
    assert voyages.verify(anchor=3) == FAIL


def test_somebody_who_waits_at_a_terminal_sees_that_it_goes_on(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(verify, "TELL_EVERY", 2)
    assert sample.verify() == 0
    assert capsys.readouterr().err == "", "no terminal, no such lines"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert sample.verify() == 0
    said = capsys.readouterr().err
    assert "segment 1: 4 entries read" in said
    assert said.endswith("\r"), "and the line is taken away"
