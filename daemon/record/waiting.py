"""Is what was just submitted on disk? For whoever answers a person, who waits a moment and no longer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from daemon.computer.clock import Clock
    from daemon.record.entry import Entry

WAIT_FOR_DISK_S: Final = 1.0
"""How long an answer waits for the disk before it says *not yet recorded*."""


async def on_disk(written: asyncio.Future[Entry] | None, clock: Clock) -> int | None:
    """Return the entry's number once it is on disk; None when that takes too long, or nothing was written."""
    if written is None:
        return None
    await settled(written, clock)
    return number_of(written)


async def settled(written: asyncio.Future[Entry], clock: Clock) -> bool:
    """Wait for an entry, or for its loss, at most so long; return whether either came."""
    done = asyncio.Event()
    written.add_done_callback(lambda _: done.set())
    return await clock.wait(done, WAIT_FOR_DISK_S)


def number_of(written: asyncio.Future[Entry] | None) -> int | None:
    """Return the number of an entry that is on disk now; None for one that is not, or was lost."""
    if written is None or not written.done() or written.cancelled() or written.exception():
        return None
    return written.result().seq


def let_go(written: asyncio.Future[Entry]) -> None:
    """Wait for an entry no longer: one that is lost is counted by the record, and nobody is told twice."""
    written.add_done_callback(lambda future: future.cancelled() or future.exception())
