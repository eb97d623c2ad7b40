"""What witnesses signed is kept under its checkpoint for ever, by the one writer, and found again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import apsw
import pytest

from daemon.errors import RecordError
from daemon.record import cosigned
from tests.clocks import ManualClock
from tests.record.ship import alert, record
from tests.soon import soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from daemon.record.log import Record
    from tests.record.conftest import Disk


@pytest.fixture
async def ship(tmp_path: Path) -> AsyncIterator[Record]:
    made = record(tmp_path, ManualClock())
    await made.start()
    yield made
    await made.stop()


async def grown(ship: Record) -> int:
    await ship.submit(alert("d1"))
    return (await ship.seal()).size


async def test_the_first_line_of_a_witness_under_a_head_stays(ship: Record):
    size = await grown(ship)
    for name, line in (("b", "b1"), ("a", "a1"), ("b", "b2")):
        assert await ship.cosigned(1, size, name, line)
    assert await ship.ask(partial(cosigned.lines, 1, size)) == ["a1", "b1"]
    assert await ship.ask(partial(cosigned.lines, 1, size + 1)) == []
    assert await ship.ask(partial(cosigned.lines, 2, size)) == []


async def test_the_newest_is_that_of_the_last_segment_that_has_any(ship: Record):
    sizes = [await grown(ship) for _ in range(3)]
    for size in sizes:
        await ship.cosigned(1, size, "w", f"line {size}")
    await ship.rotate("for a test")
    await grown(ship)
    newest = await ship.ask(partial(cosigned.newest, "w"))
    assert newest is not None
    assert (newest.segment, newest.size, newest.line) == (1, sizes[-1], f"line {sizes[-1]}")
    assert newest.note.startswith(f"demo/9999993/1\n{sizes[-1]}\n")
    assert await ship.ask(partial(cosigned.newest, "other")) is None


async def test_a_closed_segment_is_not_written(ship: Record, tmp_path: Path):
    size = await grown(ship)
    await ship.rotate("for a test")
    before = (tmp_path / "segment-0001.db").read_bytes()
    assert await ship.cosigned(1, size, "w", "late") is False
    assert (tmp_path / "segment-0001.db").read_bytes() == before


async def test_a_line_cannot_be_changed_or_removed(ship: Record, tmp_path: Path):
    size = await grown(ship)
    await ship.cosigned(1, size, "w", "line")
    await ship.stop()
    db = apsw.Connection(str(tmp_path / "segment-0001.db"))
    for act in ("UPDATE cosignature SET line = 'x'", "DELETE FROM cosignature"):
        with pytest.raises(apsw.ConstraintError, match="append-only"):
            db.execute(act)
    db.close()


async def test_a_broken_disk_refuses_and_loses_no_cursor(ship: Record, tmp_path: Path, disk: Disk):
    other = record(tmp_path / "other", clock := ManualClock())
    await other.start()
    size = await grown(other)
    disk.broken = True
    other.set_cursor("event", 7)
    with pytest.raises(RecordError):
        await other.cosigned(1, size, "w", "line")
    await soon(lambda: not other.health().writable)
    disk.broken = False
    await clock.advance(1)
    await soon(lambda: other.health().writable)
    assert await other.cosigned(1, size, "w", "line")
    await other.stop()
    again = record(tmp_path / "other", ManualClock())
    await again.start()
    assert await again.cursor("event") == 7
    assert await again.ask(partial(cosigned.lines, 1, size)) == ["line"]
    await again.stop()


async def test_nothing_is_kept_after_the_end(tmp_path: Path):
    ship = record(tmp_path, ManualClock())
    await ship.start()
    size = await grown(ship)
    await ship.stop()
    with pytest.raises(RecordError, match="closed"):
        await ship.cosigned(1, size, "w", "line")
