"""What is an open link to the one who reads it, and how is a port read without waiting for it?"""

from __future__ import annotations

import asyncio
import os
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.drivers.gathering import Gathering

READ_BYTES = 16 * 1024
"""Most that is taken at one go: some 5 ms of decoding, so that a flood starves nobody."""
GATHERED_DATAGRAMS = 128
"""Most that are returned together: of sentences, more than ``gathering.FULL_BYTES``, so that a flood is seen as one."""
DISCARD_READS = 64
DISCARD_DATAGRAMS = 4096
"""A device that never stops talking is not waited for while its old bytes are thrown away."""
LOW_SEVEN_BITS = bytes(code & 0x7F for code in range(256))
"""Translates characters of seven bits and a parity bit into characters."""


class ByteSource(Protocol):
    """An open link, to be read by one task. Made by ``links.opened``."""

    async def read(self) -> bytes:
        """Wait for bytes and return them: at least one, at most ``READ_BYTES`` and a datagram.

        Raises:
            LinkError: The other side has gone.
        """
        ...

    async def connected(self) -> None:
        """Wait until there is another side."""
        ...

    def discard(self) -> None:
        """Throw away what has come and was not read yet."""
        ...

    def silence(self) -> str | None:
        """Return what may be the reason that nothing has come, in plain words; None where something has."""
        ...

    def stop(self) -> None:
        """Watch the link no longer."""
        ...


class _Port(Protocol):
    def fileno(self) -> int: ...

    def close(self) -> None: ...


class PortSource:
    """An open port: serial, a connection, or one that datagrams come to."""

    def __init__(
        self,
        name: str,
        port: _Port,
        *,
        seven_bits: bool = False,
        receive: Callable[[], bytes | None] | None = None,
        silence: Callable[[], str | None] = lambda: None,
        gathering: Gathering | None = None,
    ) -> None:
        """Take an open port.

        Args:
            name: What it is called in messages.
            port: Kept open by the caller.
            seven_bits: The eighth bit is parity.
            receive: Returns one datagram, None for one that is not for us; a stream is read without it.
            silence: Says why nothing may have come.
            gathering: The pace at which it is read; without it, at once.
        """
        self._name = name
        self._descriptor = port.fileno()
        self._seven_bits = seven_bits
        self._receive = receive or self._read_stream
        self._gathered_reads = GATHERED_DATAGRAMS if receive else 1
        self._discard_reads = DISCARD_DATAGRAMS if receive else DISCARD_READS
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[bytes] | None = None
        self._is_watched = False
        self._silence = silence
        self._gathering = gathering
        self._is_busy = False
        self._lost: LinkError | None = None

    async def read(self) -> bytes:
        """Wait for bytes and return them: at least one, at most ``READ_BYTES`` and a datagram.

        Raises:
            LinkError: The other side has gone: end of stream, reset, or a port that hung up.
        """
        data = b""
        if self._gathering is not None and self._is_busy:
            await self._gathering.rest()
            data = self._gathered()
        data = data or await self._next()
        if self._gathering is not None:
            self._is_busy = self._gathering.is_busy_after(len(data))
            if self._is_busy:
                self.stop()  # or each sentence that comes during the rest would wake us
        # A parity bit that a converter passed on as the eighth bit is no part of the character.
        return data.translate(LOW_SEVEN_BITS) if self._seven_bits else data

    async def connected(self) -> None:
        """Return at once: an open port has whoever is wired to it."""

    def discard(self) -> None:
        """Throw away what has come and was not read yet."""
        if os.isatty(self._descriptor):
            with suppress(termios.error):  # a port that hung up: the next read says so
                termios.tcflush(self._descriptor, termios.TCIFLUSH)
            return
        with suppress(OSError):  # nothing more to read, or gone: the next read says so
            for _ in range(self._discard_reads):
                os.read(self._descriptor, READ_BYTES)

    def silence(self) -> str | None:
        return self._silence()

    def give_up(self, reason: LinkError) -> None:
        """Let whoever reads, or reads next, be told that the other side has gone."""
        self._lost = reason
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(reason)

    def stop(self) -> None:
        if self._is_watched:
            self._loop.remove_reader(self._descriptor)
            self._is_watched = False

    async def _next(self) -> bytes:
        if self._lost is not None:
            raise self._lost
        self._waiter = self._loop.create_future()
        if not self._is_watched:
            self._loop.add_reader(self._descriptor, self._on_readable)
            self._is_watched = True
        return await self._waiter

    def _on_readable(self) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            # Nobody waits at this moment; the loop would call again and again.
            self.stop()
            return
        try:
            data = self._received()
        except (BlockingIOError, InterruptedError):
            return
        except LinkError as err:
            waiter.set_exception(err)
            return
        if data is not None:
            waiter.set_result(data)

    def _gathered(self) -> bytes:
        """Return what has come by now, of datagrams several; nothing where nothing has, or somebody has gone."""
        parts: list[bytes] = []
        size = 0
        try:
            for _ in range(self._gathered_reads):
                part = self._received() or b""
                parts.append(part)
                size += len(part)
                if size >= READ_BYTES:
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except LinkError as err:
            self._lost = self._lost or err  # said by the next read, after what came before
        return b"".join(parts)

    def _received(self) -> bytes | None:
        """Return what comes next, None for a datagram that is not for us.

        Raises:
            BlockingIOError: Nothing has come.
            LinkError: The other side has gone.
        """
        try:
            data = self._receive()
        except (BlockingIOError, InterruptedError):
            raise
        except OSError as err:
            raise LinkError(f"{self._name}: {err.strerror}") from err
        if data == b"":
            raise LinkError(f"{self._name}: closed by the other side")
        return data

    def _read_stream(self) -> bytes:
        return os.read(self._descriptor, READ_BYTES)
