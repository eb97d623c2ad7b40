"""A snapshot: the record as it is at one moment, whole, while it goes on being written; and what a power cut left."""

from __future__ import annotations

import shutil
import sqlite3
import stat

import pytest

from daemon.errors import RecordError
from daemon.record import snapshot
from daemon.record.reader import Query, Reader
from tests.record.ship import alert, record


def numbers(folder):
    reader = Reader(folder)
    try:
        return [entry.seq for entry in reader.entries(Query(limit=1000))]
    finally:
        reader.close()


async def test_it_holds_what_was_on_disk_and_nothing_that_came_later(tmp_path):
    ours = record(tmp_path / "record")
    await ours.start()
    await ours.submit(alert("d1"))
    await ours.rotate("a test")
    await ours.submit(alert("d2"))
    snapshot.take(tmp_path / "record", tmp_path / "exports" / "1")
    await ours.submit(alert("d3"))
    assert numbers(tmp_path / "exports" / "1") == [1, 2, 3, 4]
    await ours.stop()
    assert numbers(tmp_path / "record") == [1, 2, 3, 4, 5]
    assert numbers(tmp_path / "exports" / "1") == [1, 2, 3, 4]


async def test_nobody_else_may_read_it_and_closed_segments_take_no_room(tmp_path):
    ours = record(tmp_path / "record")
    await ours.start()
    await ours.rotate("a test")
    snapshot.take(tmp_path / "record", tmp_path / "s")
    await ours.stop()
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700
    assert (tmp_path / "s" / "segment-0001.db").samefile(tmp_path / "record" / "segment-0001.db")
    assert stat.S_IMODE((tmp_path / "s" / "segment-0002.db").stat().st_mode) == 0o600


async def test_what_a_power_cut_left_in_the_log_is_in_the_copy_and_the_record_is_not_touched(
    tmp_path,
):
    ours = record(tmp_path / "record")
    await ours.start()
    await ours.submit(alert("d1"))
    cut = tmp_path / "cut"
    shutil.copytree(
        tmp_path / "record", cut
    )  # as a disk has it when the power goes: the log is not moved in yet
    await ours.stop()
    (cut / "segment-0001.db-shm").unlink(missing_ok=True)
    assert (cut / "segment-0001.db-wal").stat().st_size > 0
    before = {each.name: each.read_bytes() for each in cut.iterdir()}
    with snapshot.at_rest(cut):
        snapshot.take(cut, tmp_path / "s", resting=True)
    assert {each.name: each.read_bytes() for each in cut.iterdir()} == before
    assert [each.name for each in (tmp_path / "s").iterdir()] == ["segment-0001.db"]
    assert numbers(tmp_path / "s") == [1, 2]


async def test_a_record_that_is_being_written_is_not_at_rest(tmp_path):
    ours = record(tmp_path / "record")
    await ours.start()
    with (
        pytest.raises(RecordError, match="ispsd is writing this record"),
        snapshot.at_rest(tmp_path / "record"),
    ):
        pass
    await ours.stop()
    other = record(tmp_path / "record")
    with snapshot.at_rest(tmp_path / "record"), pytest.raises(RecordError):
        await other.start()
    await other.stop()


async def test_no_room_makes_no_folder(tmp_path, monkeypatch):
    ours = record(tmp_path / "record")
    await ours.start()
    monkeypatch.setattr(snapshot, "ROOM_BYTES", 2**62)
    with pytest.raises(RecordError, match="the record needs the room itself"):
        snapshot.take(tmp_path / "record", tmp_path / "s")
    await ours.stop()
    assert not (tmp_path / "s").exists()


def test_what_is_no_record_is_said(tmp_path):
    with pytest.raises(RecordError, match="there is no segment"):
        snapshot.take(tmp_path, tmp_path / "s")
    with pytest.raises(RecordError, match="No such file"), snapshot.at_rest(tmp_path / "x"):
        pass


async def test_the_segment_that_holds_an_entry_is_found(tmp_path):
    ours = record(tmp_path / "record")
    await ours.start()
    await ours.submit(alert("d1"))
    await ours.rotate("a test")
    snapshot.take(tmp_path / "record", tmp_path / "s")
    await ours.stop()
    segments = sorted((tmp_path / "s").iterdir())
    assert [snapshot.holding(segments, seq) for seq in (1, 2, 3)] == [
        segments[0],
        segments[0],
        segments[1],
    ]
    with pytest.raises(RecordError, match="entry 4 is not in this record"):
        snapshot.holding(segments, 4)


async def test_the_head_is_the_newest_checkpoint_of_the_newest_segment_that_has_one(tmp_path):
    ours = record(tmp_path / "record")
    await ours.start()
    await ours.submit(alert("d1"))
    await ours.rotate("a test")
    await ours.submit(alert("d2"))
    head = await ours.seal()
    snapshot.take(tmp_path / "record", tmp_path / "s")
    await ours.stop()
    found = snapshot.head(tmp_path / "s")
    assert (found.origin, found.size, found.first_seq, found.note) == (
        "demo/9999993/2",
        2,
        3,
        head.note,
    )
    with sqlite3.connect(tmp_path / "s" / "segment-0002.db") as db:
        triggers = [
            name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        ]
        for name in triggers:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("DELETE FROM checkpoint")
    assert snapshot.head(tmp_path / "s").origin == "demo/9999993/1"
