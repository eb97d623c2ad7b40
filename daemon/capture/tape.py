"""How do bytes get on a tape? A talker's port is read; a unit is asked by its own driver, through a relay.

The recorder asks nothing by itself: what goes to a unit are the read requests that the driver makes of the profile
(invariant 10). Everything is bounded in time and size, and kept in memory until it has been masked.
"""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

from daemon.capture.case import Moment
from daemon.drivers.links import LONGEST_LINE_BYTES, SerialLink, opened
from daemon.drivers.ports import connect, open_serial
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import TypeAlias

    from daemon.computer.clock import Clock
    from daemon.drivers.links import Link, TcpLink

    Visit: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_LINES: Final = 200_000
"""Twice what fits where lines are sentences; noise may be nothing but line ends, each with its moment."""
LOOPBACK: Final = "127.0.0.1"
READ_BYTES: Final = 4096
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)")


async def listened(link: Link, for_s: float, clock: Clock) -> list[Moment]:
    """Return the lines that come over a link, with their ends, each at the moment when it was whole.

    Raises:
        LinkError: The port cannot be opened, or went away.
    """
    began_s = clock.now_s()
    tape: list[Moment] = []
    async with opened(link) as source:
        pending, size = b"", 0
        while (
            (left_s := began_s + for_s - clock.now_s()) > 0
            and size < MOST_BYTES
            and len(tape) < MOST_LINES
        ):
            reading = asyncio.ensure_future(source.read())
            try:
                data = await asyncio.wait_for(reading, left_s)
            except TimeoutError:
                break
            at_ms = round((clock.now_s() - began_s) * 1000)
            size += len(data)
            pending += data
            end = 0
            for line in _LINE.finditer(pending):
                tape.append(Moment(at_ms, line[0]))
                end = line.end()
            pending = pending[end:][-LONGEST_LINE_BYTES:]
    return tape


@asynccontextmanager
async def serving(visit: Visit) -> AsyncIterator[int]:
    """Serve a port of loopback, whose number is yielded; on leaving nothing of it and of its visitors is left."""
    visits: set[asyncio.Task[None]] = set()

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            visits.add(task)
        try:
            with suppress(asyncio.CancelledError, ConnectionError):
                await visit(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(visited, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in visits:
            task.cancel()
        # Server.wait_closed does not wait for its visitors on Python 3.11.
        await asyncio.gather(*visits, return_exceptions=True)


class Relay:
    """A port of loopback that stands for the real line while its driver asks; what passes is on the tape."""

    def __init__(self, link: SerialLink | TcpLink, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._began_s = clock.now_s()
        self._exchange: tuple[int, bytes, bytes] | None = None
        self._size = 0
        self._unchanged: dict[bytes, bytes] = {}
        self.port = 0
        self.tape: list[Moment] = []
        self.left_out = {"unchanged answer": 0, "no answer": 0}
        self.fault: LinkError | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take one visitor after the other until the block ends."""
        async with serving(self._visit) as self.port:
            yield
        self._finish()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await _line(self._link)
        except LinkError as err:
            self.fault = err
            return
        self.fault = None
        loop, descriptor = asyncio.get_running_loop(), line.fileno()

        def answer() -> None:
            try:
                data = os.read(descriptor, READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                loop.remove_reader(descriptor)
                writer.transport.abort()
                return
            self._heard(data)
            writer.write(data)

        loop.add_reader(descriptor, answer)
        try:
            while data := await reader.read(READ_BYTES):
                self._asked(data)
                os.write(descriptor, data)
        except OSError:
            """One end has gone; the driver asks for another."""
        finally:
            loop.remove_reader(descriptor)
            line.close()

    def _asked(self, data: bytes) -> None:
        self._finish()
        self._exchange = round((self._clock.now_s() - self._began_s) * 1000), data, b""

    def _heard(self, data: bytes) -> None:
        if self._exchange is not None:  # what comes unasked is nobody's answer
            at_ms, asked, heard = self._exchange
            self._exchange = at_ms, asked, heard + data

    def _finish(self) -> None:
        """Keep the exchange that is over, unless it says what the one before said."""
        if self._exchange is None:
            return
        (at_ms, asked, heard), self._exchange = self._exchange, None
        if not heard:
            self.left_out["no answer"] += 1
            return
        question, said = _without_number(asked), _without_number(heard)
        if self._unchanged.get(question) == said or self._size > MOST_BYTES:
            self.left_out["unchanged answer"] += 1
            return
        self._unchanged[question] = said
        self._size += len(asked) + len(heard)
        self.tape.append(Moment(at_ms, heard, asked))


class _Port(Protocol):
    def fileno(self) -> int: ...

    def close(self) -> None: ...


async def _line(link: SerialLink | TcpLink) -> _Port:
    return await (open_serial(link) if isinstance(link, SerialLink) else connect(link))


TCP_HEADER_BYTES: Final = 8


def is_tcp(frame: bytes) -> bool:
    """Return whether a frame is one of Modbus TCP: protocol zero, and the length that it says (3.1.3)."""
    return (
        len(frame) > TCP_HEADER_BYTES
        and frame[2:4] == b"\0\0"
        and len(frame) == 6 + int.from_bytes(frame[4:6], "big")
    )


def _without_number(frame: bytes) -> bytes:
    """Return a frame without its transaction number, which is another each time."""
    return frame[2:] if is_tcp(frame) else frame
