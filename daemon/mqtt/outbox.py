"""Which events has the broker not got yet?

The record is the outbox: one number, the highest ``bseq`` below which the broker acknowledged
everything, says where to go on after any outage. At least once, in order. The store may hang or
fail; then events wait, and nothing else does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from daemon.computer import logs
from daemon.errors import RecordError
from daemon.mqtt.mirror import sealed
from daemon.mqtt.wire import PublishRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.computer.clock import Clock
    from daemon.mqtt.connection import Connection

IN_FLIGHT = 10
"""Half of the connection's window: a long backlog of events never delays an alert."""
CHUNK = 50
"""Events asked of the record at once; an entry has up to 64 KiB."""
RETRY_S = 5.0
LOG = logs.get("mqtt.outbox")


class EventSource(Protocol):
    """What the record offers; events are JSON objects as bytes, without session and up."""

    wake: asyncio.Event
    """Set after every commit that made an event."""

    async def events(self, after_bseq: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """Return the next events after one, in order."""
        ...

    async def load_cursor(self) -> int:
        """Return the stored cursor; 0 where none was stored."""
        ...

    async def store_cursor(self, bseq: int) -> None:
        """Store the cursor; returns when it is on disk."""
        ...


class Outbox:
    """Publishes the record's events and remembers how far the broker has them."""

    def __init__(
        self,
        source: EventSource,
        *,
        topic: Callable[[], str],
        clock: Clock,
        progress: Callable[[], None],
    ) -> None:
        """Publish what a source has under a topic, which is asked for each time: a curtain may have moved."""
        self._source = source
        self._progress = progress
        self._topic = topic
        self._clock = clock
        self._cursor: int | None = None
        self._advanced = asyncio.Event()
        self._idle = False
        self._behind_since_s: float | None = None
        self._held = False

    @property
    def cursor(self) -> int:
        """Return the highest bseq up to which the broker has acknowledged every event."""
        return self._cursor or 0

    def is_clear(self) -> bool:
        """Return whether the broker has every event that the record told of."""
        return self._idle and not self._source.wake.is_set()

    def oldest_waiting_s(self) -> float:
        """Return for how long events have waited without one being acknowledged."""
        if self._behind_since_s is None:
            return 0.0
        return max(self._clock.now_s() - self._behind_since_s, 0.0)

    async def run(self, connection: Connection, session: str) -> None:
        """Publish events over one connection until it ends."""
        while True:
            try:
                if self._cursor is None:
                    self._cursor = await self._source.load_cursor()
                await self._pump(connection, session)
            except (PublishRefusedError, RecordError, OSError) as err:
                log = LOG.debug if self._held else LOG.warning
                log("events.held", reason=str(err), cursor=self.cursor)
                self._held = True
            self._idle = False
            await self._clock.sleep(RETRY_S)

    async def keep_cursor(self) -> None:
        """Store the cursor whenever it has advanced; runs beside the connections, for ever."""
        while True:
            await self._advanced.wait()
            self._advanced.clear()
            try:
                await self._source.store_cursor(self.cursor)
            except (RecordError, OSError) as err:
                LOG.warning("cursor.not_stored", reason=str(err))
                await self._clock.sleep(RETRY_S)
                self._advanced.set()

    async def replay(self, connection: Connection, session: str, from_bseq: int, limit: int) -> int:
        """Publish older events again; return how many.

        Raises:
            LinkError: The connection ended first.
        """
        after, left = max(from_bseq - 1, 0), limit
        flights: deque[asyncio.Future[None]] = deque()
        while left > 0:
            batch = await self._source.events(after, min(left, CHUNK))
            past = [(bseq, payload) for bseq, payload in batch if bseq <= self.cursor]
            for bseq, payload in past:
                if len(flights) >= IN_FLIGHT:
                    await flights.popleft()
                flights.append(await self._publish(connection, session, payload))
                after = bseq
            left -= len(past)
            if not past or len(past) < len(batch):
                break
        for done in flights:
            await done
        return limit - left

    async def _pump(self, connection: Connection, session: str) -> None:
        """Send everything after the cursor, then whatever comes."""
        sent = self.cursor
        flights: deque[tuple[int, asyncio.Future[None]]] = deque()
        while True:
            self._source.wake.clear()
            self._idle = False
            batch = await self._source.events(sent, CHUNK)
            self._held = False
            if batch and self._behind_since_s is None:
                self._behind_since_s = self._clock.now_s()
            for bseq, payload in batch:
                if len(flights) >= IN_FLIGHT:
                    await self._land(flights)
                flights.append((bseq, await self._publish(connection, session, payload)))
                sent = bseq
            if batch:
                continue
            while flights:
                await self._land(flights)
            self._behind_since_s = None
            self._idle = True
            self._progress()
            await self._source.wake.wait()

    async def _land(self, flights: deque[tuple[int, asyncio.Future[None]]]) -> None:
        """Wait for the oldest event in flight; only then is everything up to it acknowledged."""
        bseq, done = flights[0]
        await done
        flights.popleft()
        self._cursor = bseq
        self._behind_since_s = self._clock.now_s()
        self._advanced.set()
        self._progress()

    async def _publish(
        self, connection: Connection, session: str, payload: bytes
    ) -> asyncio.Future[None]:
        await connection.room()
        whole = sealed(payload, session=session, up_s=self._clock.now_s())
        return connection.publish(self._topic(), whole, qos=1, retain=False)
