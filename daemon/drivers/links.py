"""How do bytes come from a device: over a serial port, from a TCP serial server, or by UDP?

Any driver that listens takes any of these links. They are read only: a port is never written to.
Serial ports are opened exclusive, without flow control, DTR and RTS low before the port is opened;
Linux may still pulse both for a moment, which is why a two-wire lead is asked for.
``LineSplitter`` cuts bytes into lines and does no I/O.
"""

from __future__ import annotations

import asyncio
import os
import termios
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from daemon.drivers.datagrams import Datagrams, bound
from daemon.drivers.ports import connect, open_serial
from daemon.errors import LinkError

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable

    import serial

READ_BYTES = 16 * 1024
"""Most that is taken at one go: some 5 ms of decoding, so that a flood starves nobody."""
DISCARD_READS = 64
DISCARD_DATAGRAMS = 4096
"""A device that never stops talking is not waited for while its old bytes are thrown away."""
LONGEST_LINE_BYTES = 1024


class _LinkConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TcpLink(_LinkConfig):
    """A TCP serial server, or a device with a network port; ispsd is the client."""

    kind: Literal["tcp"]
    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)]
    connect_timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0

    @property
    def name(self) -> str:
        return f"tcp {self.host}:{self.port}"


class SerialLink(_LinkConfig):
    """A serial port of this computer."""

    kind: Literal["serial"]
    port: Annotated[str, Field(pattern=r"^/", max_length=1024)]
    """The device file; one under ``/dev/serial/by-path`` stays the same when cables move."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 4800
    data_bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1

    @property
    def name(self) -> str:
        return f"serial {self.port}"

    @property
    def setting(self) -> str:
        """Return how it is set, as people say it: "4800 8N1"."""
        return f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


def _multicast(address: IPv4Address) -> IPv4Address:
    if not address.is_multicast:
        raise ValueError("a multicast group is 224.0.0.0 to 239.255.255.255")
    return address


class UdpLink(_LinkConfig):
    """A UDP port of this computer to which a device, or a serial server, sends."""

    kind: Literal["udp"]
    port: Annotated[int, Field(ge=1, le=65535)]
    host: IPv4Address = IPv4Address("0.0.0.0")  # noqa: S104 (what it hears is read, never obeyed)
    """The address of this computer that is listened on; all of them unless told otherwise."""
    sender: IPv4Address | None = None
    """Only datagrams of this address are read; without it, anybody's on that network."""
    group: Annotated[IPv4Address, AfterValidator(_multicast)] | None = None
    """The multicast group to listen to (IEC 61162-450: 239.192.0.1 to .16), on the network of ``host``."""

    @property
    def name(self) -> str:
        return f"udp {self.group or self.host}:{self.port}"


Link: TypeAlias = Annotated[TcpLink | SerialLink | UdpLink, Field(discriminator="kind")]
"""Where a listening driver gets its bytes from."""


class _Port(Protocol):
    def fileno(self) -> int: ...

    def close(self) -> None: ...


class ByteSource:
    """An open link, to be read by one task. Made by ``opened``."""

    def __init__(
        self,
        name: str,
        port: _Port,
        *,
        seven_bits: bool = False,
        receive: Callable[[], bytes | None] | None = None,
    ) -> None:
        """Take an open port.

        Args:
            name: What it is called in messages.
            port: Kept open by the caller.
            seven_bits: The eighth bit is parity.
            receive: Returns one datagram, None for one that is not for us; a stream is read without it.
        """
        self._name = name
        self._descriptor = port.fileno()
        self._seven_bits = seven_bits
        self._receive = receive or self._read_stream
        self._discard_reads = DISCARD_DATAGRAMS if receive else DISCARD_READS
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[bytes] | None = None
        self._is_watched = False

    async def read(self) -> bytes:
        """Wait for bytes and return them: at least one, at most ``READ_BYTES``.

        Raises:
            LinkError: The other side has gone: end of stream, reset, or a port that hung up.
        """
        self._waiter = self._loop.create_future()
        if not self._is_watched:
            self._loop.add_reader(self._descriptor, self._on_readable)
            self._is_watched = True
        data = await self._waiter
        # A parity bit that a converter passed on as the eighth bit is no part of the character.
        return data.translate(_LOW_SEVEN_BITS) if self._seven_bits else data

    def discard(self) -> None:
        """Throw away what has come and was not read yet."""
        if os.isatty(self._descriptor):
            with suppress(termios.error):  # a port that hung up: the next read says so
                termios.tcflush(self._descriptor, termios.TCIFLUSH)
            return
        with suppress(OSError):  # nothing more to read, or gone: the next read says so
            for _ in range(self._discard_reads):
                os.read(self._descriptor, READ_BYTES)

    def stop(self) -> None:
        """Watch the port no longer."""
        if self._is_watched:
            self._loop.remove_reader(self._descriptor)
            self._is_watched = False

    def _on_readable(self) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            # Nobody waits at this moment; the loop would call again and again.
            self.stop()
            return
        try:
            data = self._receive()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as err:
            waiter.set_exception(LinkError(f"{self._name}: {err.strerror}"))
            return
        if data:
            waiter.set_result(data)
        elif data is not None:
            waiter.set_exception(LinkError(f"{self._name}: closed by the other side"))

    def _read_stream(self) -> bytes:
        return os.read(self._descriptor, READ_BYTES)


_LOW_SEVEN_BITS = bytes(code & 0x7F for code in range(256))


@asynccontextmanager
async def opened(link: Link) -> AsyncIterator[ByteSource]:
    """Open a link; it is closed on leaving.

    Raises:
        LinkError: It cannot be opened; the message names the link and the reason.
    """
    port: socket.socket | serial.Serial
    if isinstance(link, UdpLink):
        try:
            port = bound(link.host, link.port, link.group)
        except OSError as err:
            raise LinkError(f"{link.name}: {err.strerror}") from err
        datagrams = Datagrams(port, longest=READ_BYTES, sender=link.sender)
        source = ByteSource(link.name, port, receive=datagrams.receive)
    elif isinstance(link, TcpLink):
        port = await connect(link)
        source = ByteSource(link.name, port)
    else:
        port = await open_serial(link)
        source = ByteSource(link.name, port, seven_bits=link.data_bits == 7)  # noqa: PLR2004 (7 is 7)
    try:
        yield source
    finally:
        source.stop()
        port.close()


OVERLONG = b""
"""Stands in the place of a line that was longer than the bound."""


class LineSplitter:
    """Bytes in, complete lines out, without their ends; CR, LF and CRLF all end a line.

    Never holds more than one line of the longest length. A line that is longer is skipped to its
    end, and ``OVERLONG`` comes out in its place; empty lines do not come out.
    """

    def __init__(self, longest_bytes: int = LONGEST_LINE_BYTES) -> None:
        self._longest_bytes = longest_bytes
        self._pending = b""
        self._is_skipping = False

    @property
    def is_within_line(self) -> bool:
        """Whether a line has begun that has not ended yet."""
        return bool(self._pending) or self._is_skipping

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that these bytes complete."""
        if self._is_skipping:
            end = _first_line_end(data)
            if end < 0:
                return []
            self._is_skipping = False
            data = data[end:]
        data = self._pending + data
        complete = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        self._pending = data[complete:]
        longest = self._longest_bytes
        lines = [
            line if len(line) <= longest else OVERLONG
            for line in data[:complete].splitlines()
            if line
        ]
        if len(self._pending) > longest:
            self._pending = b""
            self._is_skipping = True
            lines.append(OVERLONG)
        return lines


def _first_line_end(data: bytes) -> int:
    """Return where the first line end stands, -1 where there is none."""
    ends = [at for at in (data.find(b"\n"), data.find(b"\r")) if at >= 0]
    return min(ends, default=-1)
