"""The record as the source of what watch stations read as events: nothing is queued that is not on disk.

What was committed lately stays in memory, so that news goes out without asking the disk for what it was just given;
everything older is read from the record.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from daemon.record.entry import Entry
    from daemon.record.log import Record

MOST_REMEMBERED: Final = 64
"""Entries, of at most 64 KiB each."""


class RecordEvents:
    """The record as the publisher's source of events (``daemon.mqtt.outbox.EventSource``)."""

    CURSOR = "event"

    def __init__(self, record: Record) -> None:
        self._record = record
        self._latest: deque[tuple[int, bytes]] = deque(maxlen=MOST_REMEMBERED)
        self.wake = asyncio.Event()

    def committed(self, entry: Entry) -> None:
        """Take an entry that is on disk; entries come in the order of their ``seq``."""
        if entry.bseq is not None:
            self._latest.append((entry.bseq, _event(entry)))
            self.wake.set()

    async def events(self, after_bseq: int, limit: int) -> list[tuple[int, bytes]]:
        """Return the next events after one, in order."""
        if self._latest and self._latest[0][0] <= after_bseq + 1:
            later = [event for event in self._latest if event[0] > after_bseq]
            return later[: max(0, limit)]
        entries = await self._record.events(after_bseq, limit)
        return [(entry.bseq, _event(entry)) for entry in entries if entry.bseq is not None]

    async def load_cursor(self) -> int:
        """Return the stored cursor; 0 where none was stored."""
        return await self._record.cursor(self.CURSOR) or 0

    async def store_cursor(self, bseq: int) -> None:
        """Store the cursor with the next transaction; an event may come twice, never not at all."""
        self._record.set_cursor(self.CURSOR, bseq)


def _event(entry: Entry) -> bytes:
    return f'{{"bseq":{entry.bseq},"seq":{entry.seq},"entry":{entry.body}}}'.encode()
