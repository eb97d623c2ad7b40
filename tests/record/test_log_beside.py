"""A segment that is closed while somebody reads it keeps all that was told as recorded."""

from __future__ import annotations

import asyncio
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import apsw
import pytest

from daemon.errors import RecordError
from daemon.record import archive, copying, logbeside, selfcheck, snapshot, verify
from daemon.record.directory import Directory
from daemon.record.reader import Query, Reader
from daemon.record.segment import Segment
from tests.clocks import FixedEntropy, ManualClock
from tests.record.ship import VKEY, alert, record
from tests.record.test_format_2 import IDENTITY, STAMP, create

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def being_read(path: Path) -> Iterator[None]:
    """Read as one does who copies the segment."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM entry").fetchall()
        yield


async def test_a_turn_waits_for_whoever_reads_the_segment_and_loses_nothing(tmp_path: Path):
    clock, folder = ManualClock(), tmp_path / "record"
    ship = record(folder, clock)
    await ship.start()
    await ship.submit(alert("d1"))
    with being_read(folder / "segment-0001.db"):
        later = await ship.submit(alert("d2"))
        turning = asyncio.ensure_future(ship.rotate("new voyage"))
        await clock.advance(3.0)
        assert not turning.done()
        assert (await ship.submit(alert("d3"))).segment == 1, "and entries go on meanwhile"
        read = [entry.seq for entry in await ship.entries(Query(limit=100))]
        assert read == [1, 2, later.seq, 4], "and so does who reads the record"
    await clock.advance(3.0)
    await turning
    assert not logbeside.stands_beside(folder / "segment-0001.db")
    found = [entry.seq for entry in await ship.entries(Query(limit=100))]
    assert found == [1, 2, later.seq, 4, 5]
    await ship.stop()


def closed_while_read(folder: Path) -> Path:
    """Close a segment as one that is being read was closed once: what came last stands in its log alone."""
    folder.mkdir(exist_ok=True)
    first = create(folder)
    first.append([(alert("d1"), STAMP)], {})
    first.seal({})
    first.moves_log()
    with being_read(first.path):
        first.append([(alert("d2"), STAMP)], {})
        first.seal({})
        carried = first.carried()
        first._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        first.close()
    second = Segment.create(
        folder, IDENTITY, FixedEntropy(), stamp=STAMP, reason="rotated", carried=carried
    )
    second.close(finish=True)
    assert logbeside.stands_beside(first.path)
    return first.path


def test_what_was_left_in_a_log_is_taken_in_at_the_next_start(tmp_path: Path):
    path = closed_while_read(tmp_path / "record")
    directory = Directory(path.parent, IDENTITY, FixedEntropy())
    directory.open(STAMP).close()
    directory.release()
    assert not logbeside.stands_beside(path)
    assert directory.findings == []
    copy = tmp_path / path.name
    assert copying.copy(path, copy, [VKEY])["entries"] == 3
    assert verify.verify(path.parent, verify.read_keys(VKEY), []).failure == ""


def test_until_then_everybody_reads_it_with_its_log_or_not_at_all(tmp_path: Path):
    path = closed_while_read(tmp_path / "record")
    reader = Reader(path.parent)
    assert [entry.seq for entry in reader.entries(Query(limit=10))] == [1, 2, 3, 4]
    reader.close()
    said = copying.copy(path, tmp_path / path.name, [VKEY])
    assert said["became"] == copying.FAILED
    assert "a log stands beside it" in said["reason"]
    with pytest.raises(RecordError, match="a log stands beside it"):
        archive.closed_before(path.parent, 2)
    for resting in (False, True):
        place = tmp_path / f"paper-{resting}"
        snapshot.take(path.parent, place, resting=resting)
        assert verify.verify(place, verify.read_keys(VKEY), []).failure == ""
    with selfcheck._copies(path.parent, (), newest_only=False) as (place, _):
        assert verify.verify(place, verify.read_keys(VKEY), []).failure == ""


def test_a_log_that_is_another_files_is_left_beside_it(tmp_path: Path):
    path = closed_while_read(tmp_path / "record")
    others = closed_while_read(tmp_path / "other")
    with closing(apsw.Connection(str(others))) as db:  # of its own history
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        db.execute("INSERT INTO entry (seq, body) VALUES (4, '{}')")
    log = path.with_name(f"{path.name}-wal")
    log.write_bytes(others.with_name(f"{others.name}-wal").read_bytes())
    before = path.read_bytes(), log.read_bytes()
    with pytest.raises(RecordError, match=r"not what segment-0002\.db says"):
        logbeside.take_in(path, path.with_name("segment-0002.db"))
    assert (path.read_bytes(), log.read_bytes()) == before
