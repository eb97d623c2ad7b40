"""Annunciation never waits for the store: a bad disk costs neither time nor order, and what it costs is counted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import apsw
import pytest
from blockbuster import blockbuster_ctx

from daemon.errors import RecordError
from daemon.model import ClockStatus
from daemon.record import verify
from daemon.record.entry import Evidence, Stamp
from daemon.record.pending import Pending
from daemon.record.reader import Query
from tests.clocks import ManualClock
from tests.record.ship import KEY, VKEY, alert, record
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from daemon.record.log import Record
    from tests.record.conftest import Disk

BIG = "x" * 3000
"""So long that each entry needs a page of its own."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def ship(tmp_path: Path, clock: ManualClock, disk: Disk) -> AsyncIterator[Record]:
    made = record(tmp_path, clock, pending_limit=5)
    await made.start()
    yield made
    await made.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Let the writer's thread work until something shows; it tells the loop, not us."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (the health is a plain value; there is nothing to wait on)
            await asyncio.sleep(0)


async def retried(ship: Record, clock: ManualClock) -> None:
    """Let the second pass after which the disk is tried again, and wait for what comes of it."""
    await clock.advance(1.0)
    await until(lambda: ship.health().writable)


async def failing(ship: Record) -> None:
    await until(lambda: not ship.health().writable)


async def test_a_full_disk_keeps_the_order_and_the_gap_is_an_entry(
    ship: Record, clock: ManualClock, disk: Disk
):
    disk.fill(True)
    kept = [ship.submit(alert(f"d{number}", text=BIG)) for number in range(5)]
    await failing(ship)
    lost = [ship.submit(alert(f"lost{number}", text=BIG)) for number in range(3)]
    await ship.drained()
    health = ship.health()
    assert (health.pending, health.lost, health.writable) == (5, 3, False)
    assert "FullError" in (health.reason or "")
    assert health.oldest_pending_s == 1000.0
    for future in lost:
        with pytest.raises(RecordError, match="no room to wait"):
            await future
    await clock.advance(10.0)
    assert ship.health().pending == 5
    disk.fill(False)
    await retried(ship, clock)
    assert [(await future).seq for future in kept] == [2, 3, 4, 5, 6]
    after = await ship.submit(alert("after"))
    gap = (await ship.entries(Query(after=6, limit=1)))[0]
    assert (gap.type, gap.kind, gap.seq, after.seq) == ("record.gap", "system", 7, 8)
    assert gap.open == {
        "lost": 3,
        "first_at": "2026-11-22T02:10:00.000Z",
        "last_at": "2026-11-22T02:10:00.000Z",
    }
    assert ship.health().lost == 3
    assert ship.health().reason is None


async def test_the_gap_stands_where_the_lost_ones_would_have_stood(
    ship: Record, clock: ManualClock, disk: Disk
):
    disk.free.clear()
    waiting = [ship.submit(alert(f"d{number}")) for number in range(5)]
    ship.submit(alert("lost"))
    disk.free.set()
    async with asyncio.timeout(PATIENCE_S):
        await waiting[0]
    later = await ship.submit(alert("later"))
    types = [(entry.seq, entry.type, entry.subject) for entry in await ship.entries(Query(after=1))]
    assert types[5] == (7, "record.gap", "record")
    assert types[6] == (8, "alert.changed", "later")
    assert later.seq == 8


async def test_a_commit_that_fails_is_tried_each_second(
    ship: Record, clock: ManualClock, disk: Disk
):
    disk.broken = True
    future = ship.submit(alert("d1"))
    await failing(ship)
    tries = disk.tries
    await clock.advance(0.9)
    for _ in range(5):
        await ship.entries(Query())  # time for the threads
    assert disk.tries == tries
    disk.broken = False
    await clock.advance(0.1)
    await retried(ship, clock)
    assert (await future).seq == 2
    assert disk.tries > tries


async def test_a_commit_waits_until_the_disk_has_it(ship: Record, disk: Disk):
    await ship.submit(alert("d1"))
    assert disk.synchronous() == {2}


async def test_what_is_lost_while_others_wait_is_counted_between_them():
    stamp = Stamp(at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1, boot="b")
    pending = Pending(limit=2, limit_bytes=0)
    for subject in ("d1", "d2", "lost", "lost"):
        pending.put(alert(subject), stamp, now_s=1.0)
    assert pending.take().draft.subject == "d1"
    pending.put(alert("d3"), stamp, now_s=2.0)
    assert [each.draft.subject for each in pending.first(9)] == ["d2", "record", "d3"]
    assert pending.first(2)[1].draft.open["lost"] == 2
    pending.give_up("the end")


async def test_what_belongs_together_is_never_parted_between_two_transactions():
    stamp = Stamp(at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1, boot="b")
    pending = Pending(limit=5, limit_bytes=0)
    pending.put(alert("d1"), stamp, now_s=1.0)
    pending.put_together([alert("d2"), alert("d3"), alert("d4")], stamp, now_s=1.0)
    pending.put(alert("d5"), stamp, now_s=1.0)
    assert [len(pending.first(count)) for count in (1, 2, 3, 4, 5)] == [1, 4, 4, 4, 5]
    pending.give_up("the end")


async def test_what_belongs_together_is_taken_whole_or_not_at_all(ship: Record, disk: Disk):
    disk.broken = True
    held = ship.submit(alert("d1"))
    await failing(ship)
    refused = ship.submit_together([alert(f"d{number}") for number in range(5)])
    for each in refused:
        with pytest.raises(RecordError, match="no room to wait"):
            await each
    taken = ship.submit_together([alert("d2"), alert("d3")])
    assert ship.health().pending == 3
    await ship.stop()
    for each in (held, *taken):
        with pytest.raises(RecordError):
            await each


async def test_a_hung_disk_stops_nobody(ship: Record, clock: ManualClock, disk: Disk):
    disk.free.clear()
    futures = [ship.submit(alert("d1"))]
    await clock.advance(5.0)
    with blockbuster_ctx():
        futures += [ship.submit(alert(f"d{number}")) for number in range(2, 5)]
        assert not any(future.done() for future in futures)
        assert ship.health().pending == 4
        assert ship.health().oldest_pending_s == 1000.0
        assert [entry.seq for entry in await ship.entries(Query())] == [1], "reading goes on"
    disk.free.set()
    async with asyncio.timeout(PATIENCE_S):
        assert [(await future).seq for future in futures] == [2, 3, 4, 5]


async def test_the_loop_is_never_blocked(tmp_path: Path):
    with blockbuster_ctx():
        ship = record(tmp_path / "record")
        await ship.start()
        await asyncio.gather(*(ship.submit(alert(f"d{number}")) for number in range(50)))
        await ship.seal()
        ship.set_cursor("event", 1)
        await ship.events(0, 10)
        await ship.rotate("test")
        await ship.stop()


async def test_a_seal_that_cannot_be_made_is_said_and_made_later(
    ship: Record, clock: ManualClock, disk: Disk
):
    await ship.submit(alert("d1"))
    disk.broken = True
    with pytest.raises(RecordError, match="disk I/O error"):
        await ship.seal()
    rotating = asyncio.ensure_future(ship.rotate("test"))
    await clock.advance(1.0)
    with pytest.raises(RecordError, match="I/O error"):
        await rotating
    disk.broken = False
    await retried(ship, clock)
    assert (await ship.seal()).size == 2
    assert (await ship.submit(alert("d2"))).segment == 1


async def test_a_rotation_that_fails_half_way_is_found_finished_or_not(
    ship: Record, clock: ManualClock, disk: Disk
):
    await ship.submit(alert("d1"))
    await ship.seal()

    def fill_for_new(connection: apsw.Connection) -> None:
        if "segment-0002" in connection.filename:
            disk.fill(True)

    apsw.connection_hooks.append(fill_for_new)
    with pytest.raises(RecordError, match="FullError"):
        await ship.rotate("test")
    apsw.connection_hooks.remove(fill_for_new)
    future = ship.submit(alert("d2"))
    disk.fill(False)
    await retried(ship, clock)
    entry = await future
    assert (entry.segment, entry.seq) == (1, 3), "it is not there, so the one before goes on"
    await ship.rotate("again")
    assert (await ship.submit(alert("d3"))).segment == 2


async def test_an_entry_that_landed_though_its_commit_failed_is_not_written_twice(
    tmp_path: Path, clock: ManualClock, disk: Disk, monkeypatch: pytest.MonkeyPatch
):
    from daemon.record.segment import Segment

    ship = record(tmp_path, clock)
    await ship.start()
    real, failures = Segment.append, iter([True])

    def append(self: Segment, *arguments: object) -> object:
        written = real(self, *arguments)  # type: ignore[arg-type]
        if next(failures, False):
            raise RecordError("the fsync failed, and the bytes were there all the same")
        return written

    monkeypatch.setattr(Segment, "append", append)
    heard: list[int] = []
    ship.on_commit(lambda entry: heard.append(entry.seq))
    futures = [ship.submit(alert("d1")), ship.submit(alert("d2"))]
    await failing(ship)
    futures.append(ship.submit(alert("d3")))
    await retried(ship, clock)
    assert [(await future).subject for future in futures] == ["d1", "d2", "d3"]
    assert [entry.subject for entry in await ship.entries(Query(after=1))] == ["d1", "d2", "d3"]
    await ship.stop()
    assert heard == [2, 3, 4]


async def test_a_disk_that_comes_back_older_is_not_written_to(
    tmp_path: Path, clock: ManualClock, disk: Disk
):
    path = tmp_path / "segment-0001.db"
    ship = record(tmp_path, clock)
    await ship.start()
    await ship.stop()
    older = path.read_bytes()
    ship = record(tmp_path, clock)
    await ship.start()
    await ship.submit(alert("d1"))
    disk.broken = True
    ship.submit(alert("d2"))
    await failing(ship)
    for beside in tmp_path.iterdir():
        beside.unlink()
    path.write_bytes(older)
    disk.broken = False
    await clock.advance(1.0)
    await until(lambda: "ends before entry 2" in (ship.health().reason or ""))
    await ship.stop()
    assert path.read_bytes() == older


async def test_evidence_that_waits_is_bounded(tmp_path: Path):
    ship = record(tmp_path, pending_limit_bytes=1000)
    from dataclasses import replace

    fits = ship.submit(replace(alert("d1"), evidence=(Evidence("text/plain", bytes(1000)),)))
    small = ship.submit(alert("d2"))
    too_much = ship.submit(replace(alert("d3"), evidence=(Evidence("text/plain", b"x"),)))
    assert not any(each.done() for each in (fits, small, too_much))
    await ship.start()
    assert (await fits).seq == 2
    alone = await too_much
    assert (alone.seq, alone.evidence) == (4, ()), "the entry comes, without what had no room"
    assert alone.open["evidence_left_out"] == {"pieces": 1, "bytes": 1}
    assert ship.health().lost == 0
    again = await ship.submit(replace(alert("d4"), evidence=(Evidence("text/plain", bytes(1000)),)))
    assert (again.seq, len(again.evidence)) == (5, 1)
    await ship.stop()


async def test_without_a_disk_at_start_entries_wait_for_it(tmp_path: Path, clock: ManualClock):
    (tmp_path / "record").write_text("a file where the folder should be")
    ship = record(tmp_path / "record", clock)
    future = ship.submit(alert("d1"))
    with pytest.raises(RecordError, match="record"):
        await ship.start()
    await ship.drained()
    assert not ship.health().writable
    (tmp_path / "record").unlink()
    await retried(ship, clock)
    assert (await future).seq == 2
    await ship.stop()


async def test_what_never_reached_a_disk_is_told_so_at_the_end(tmp_path: Path, disk: Disk):
    ship = record(tmp_path)
    await ship.start()
    disk.broken = True
    future, cancelled = ship.submit(alert("d1")), ship.submit(alert("d2"))
    cancelled.cancel()
    await ship.stop()
    with pytest.raises(RecordError, match=r"not recorded: .*disk I/O error"):
        await future
    disk.broken = False
    assert verify.main([str(tmp_path), "--key", VKEY]) == verify.EXIT["INCONCLUSIVE"]


async def test_nobody_has_to_wait_for_his_future(ship: Record, clock: ManualClock):
    ship.submit(alert("d1")).cancel()
    assert (await ship.submit(alert("d2"))).seq == 3


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("PRAGMA user_version = 4", "has layout 4, known are 1 to 3"),
        ("PRAGMA application_id = 1", "not a security record"),
    ],
)
async def test_what_people_must_decide_is_refused_with_the_reason(
    tmp_path: Path, damage: str, reason: str
):
    """What is damaged is parted from (test_damage); what another program or ship wrote is not touched."""
    ship = record(tmp_path)
    await ship.start()
    await asyncio.gather(ship.submit(alert("d1")), ship.submit(alert("d2")))
    await ship.stop()
    path = tmp_path / "segment-0001.db"
    db = apsw.Connection(str(path))
    db.execute(damage)
    db.close()
    before = path.read_bytes()
    again = record(tmp_path, key=KEY)
    with pytest.raises(RecordError, match=reason):
        await again.start()
    await again.stop()
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["segment-0001.db"]
