"""The record as the source of what watch stations read as events: nothing is queued that is not on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daemon.record.log import Record


class RecordEvents:
    """The record as the publisher's source of events (``daemon.mqtt.outbox.EventSource``)."""

    CURSOR = "event"

    def __init__(self, record: Record) -> None:
        self._record = record
        self.wake = asyncio.Event()

    async def events(self, after_bseq: int, limit: int) -> list[tuple[int, bytes]]:
        """Return the next events after one, in order."""
        entries = await self._record.events(after_bseq, limit)
        return [
            (
                entry.bseq,
                f'{{"bseq":{entry.bseq},"seq":{entry.seq},"entry":{entry.body}}}'.encode(),
            )
            for entry in entries
            if entry.bseq is not None
        ]

    async def load_cursor(self) -> int:
        """Return the stored cursor; 0 where none was stored."""
        return await self._record.cursor(self.CURSOR) or 0

    async def store_cursor(self, bseq: int) -> None:
        """Store the cursor with the next transaction; an event may come twice, never not at all."""
        self._record.set_cursor(self.CURSOR, bseq)
