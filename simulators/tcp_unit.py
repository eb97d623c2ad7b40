"""A unit on a TCP port of loopback: who visits it, and when a visit ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import TypeAlias

    from daemon.computer.clock import Clock

    Exchange: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]

LOOPBACK = "127.0.0.1"


class TcpUnit:
    """Takes every visitor; what is said to each is the unit's own."""

    def __init__(
        self, port: int, clock: Clock, exchange: Exchange, *, idle_close_s: float | None
    ) -> None:
        """Take nothing yet; port 0 is any free one.

        Args:
            port: Of loopback.
            clock: By which silence is measured.
            exchange: Takes one request and answers it; returns whether the connection goes on.
            idle_close_s: After how long without a question it hangs up, as many gateways do.
        """
        self._port = port
        self._clock = clock
        self._exchange_once = exchange
        self._beside: set[asyncio.Task[None]] = set()
        """What goes on beside the visits, and ends with them."""
        self._idle_close_s = idle_close_s
        self._forgets_all = False
        self._forgotten: set[asyncio.Task[None]] = set()
        """Visits of which the unit knows nothing any more: as if it had been switched off and on."""
        self._server: asyncio.Server | None = None
        self._visits: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def port(self) -> int:
        """Return the port; the one that was given, or found at the first start."""
        return self._port

    @property
    def endpoint(self) -> str:
        return f"tcp://{LOOPBACK}:{self._port}"

    @property
    def visitors(self) -> int:
        """Return how many connections there are."""
        return len(self._visits)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._visit, LOOPBACK, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self.drop()
            await self._server.wait_closed()
            self._server = None

    async def drop(self) -> None:
        """Close every connection; new ones are taken."""
        visits = dict(self._visits)
        for task, writer in visits.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)

    def _start_beside(self, doing: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(doing)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._visits[task] = writer
        if self._forgets_all:
            self._forgotten.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while await self._exchange_once(reader, writer):
                    pass
        finally:
            del self._visits[task]
            self._forgotten.discard(task)
            writer.transport.abort()

    async def _head(self, reader: asyncio.StreamReader, size: int) -> bytes:
        """Return the first bytes of the next request; it is not waited for longer than ``idle_close_s``.

        Raises:
            IncompleteReadError: None came.
        """
        reading = asyncio.ensure_future(reader.readexactly(size))
        if self._idle_close_s is None:
            return await reading
        patience = asyncio.ensure_future(self._clock.sleep(self._idle_close_s))
        try:
            await asyncio.wait({reading, patience}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                raise asyncio.IncompleteReadError(b"", size)
            return reading.result()
        finally:
            for waiting in (reading, patience):
                waiting.cancel()
