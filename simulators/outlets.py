"""Where does a unit's talk go: to whoever connects, to a UDP port, or down a serial line?

A TCP serial server takes clients at ``host`` and ``port`` (0: any free one). With ``to`` the unit sends
datagrams to that address (port 0: a free one, which the endpoint then names). With ``serial = true`` it
talks on a pty; ``link`` is the path of a symbolic link to it. With ``source`` each sentence has a TAG block that
names it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from simulators.api import whole
from simulators.pty_ports import opened, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from simulators.pty_ports import Pty

OUTLET_SETTINGS = ("host", "port", "to", "serial", "link", "source")
MOST_UNSENT_BYTES = 64 * 1024
"""A client that does not read is cut off, as a serial server does it."""
MOST_DATAGRAM_BYTES = 1400
"""What goes through an Ethernet in one piece (IEC 61162-450: 1472)."""


class Outlet(Protocol):
    """One port, open between ``start`` and ``stop``."""

    @property
    def endpoint(self) -> str: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def send(self, lines: Iterable[bytes]) -> None:
        """Send lines, which have no ends yet; nobody is waited for."""
        ...

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are, whatever they are; nobody is waited for."""
        ...

    def drop(self) -> None:
        """Cut off whoever listens."""
        ...


def outlet_of(settings: Mapping[str, object]) -> Outlet:
    """Return the outlet that the settings ask for.

    Raises:
        ValueError: Names what is wrong.
    """
    ways = [
        way for way, names in _WAYS.items() if any(settings.get(name) is not None for name in names)
    ]
    if len(ways) > 1:
        raise ValueError(f"a unit talks in one way, not by {' and '.join(ways)}")
    if ways == ["udp"]:
        return UdpOutlet(*_address(settings["to"]))
    if ways == ["serial"]:
        return SerialOutlet(_link(settings))
    host = str(settings.get("host", "127.0.0.1"))
    return TcpOutlet(host, whole(settings, "port", low=0, high=65535, default=0))


_WAYS = {"tcp": ("host", "port"), "udp": ("to",), "serial": ("serial", "link")}


class TcpOutlet:
    """A TCP serial server."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self.visits: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def endpoint(self) -> str:
        return f"tcp://{self._host}:{self._port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._visit, self._host, self._port)
        # Kept, so that a unit that was stopped comes back at the same place.
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self.drop()
        # Server.wait_closed does not wait for its visitors on Python 3.11.
        await asyncio.gather(*self.visits, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def send(self, lines: Iterable[bytes]) -> None:
        self.send_bytes(b"".join(line + b"\r\n" for line in lines))

    def send_bytes(self, data: bytes) -> None:
        for writer in self.visits.values():
            if writer.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
                writer.transport.abort()
            else:
                writer.write(data)

    def drop(self) -> None:
        for writer in self.visits.values():
            writer.transport.abort()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        self.visits[visit] = writer
        try:
            while await reader.read(1024):
                """A listener has nothing to say; whatever it says is thrown away."""
        except ConnectionError:
            """It has gone, one way or the other."""
        finally:
            del self.visits[visit]
            writer.close()


class UdpOutlet:
    """A sender of datagrams. Nobody is connected, so nobody can be cut off."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None

    @property
    def endpoint(self) -> str:
        return f"udp://{self._host}:{self._port}"

    async def start(self) -> None:
        if self._port == 0:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((self._host, 0))
                self._port = probe.getsockname()[1]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    async def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, lines: Iterable[bytes]) -> None:
        datagram = b""
        for line in lines:
            if datagram and len(datagram) + len(line) > MOST_DATAGRAM_BYTES:
                self._send(datagram)
                datagram = b""
            datagram += line + b"\r\n"
        self._send(datagram)

    def send_bytes(self, data: bytes) -> None:
        self._send(data[:MOST_DATAGRAM_BYTES])

    def drop(self) -> None:
        """Do nothing."""

    def _send(self, datagram: bytes) -> None:
        # What cannot go at this moment is lost, as on any network.
        if self._socket is not None and datagram:
            with suppress(OSError):
                self._socket.sendto(datagram, (self._host, self._port))


class SerialOutlet:
    """A serial line: a pty without a speed. What nobody reads is lost when the line is full."""

    def __init__(self, link: Path | None) -> None:
        self._link = link
        self._pty: Pty | None = None

    @property
    def endpoint(self) -> str:
        if self._pty is None:
            raise RuntimeError("a serial line has a name once it is started")
        return self._pty.endpoint

    async def start(self) -> None:
        self._pty = opened(self._link)

    async def stop(self) -> None:
        if self._pty is not None:
            self._pty.close()
            self._pty = None

    def send(self, lines: Iterable[bytes]) -> None:
        self.send_bytes(b"".join(line + b"\r\n" for line in lines))

    def send_bytes(self, data: bytes) -> None:
        if self._pty is not None:
            with suppress(BlockingIOError):
                os.write(self._pty.unit, data)

    def drop(self) -> None:
        """Do nothing: a plug that is pulled looks like silence."""


def _address(given: object) -> tuple[str, int]:
    if isinstance(given, str):
        host, _, port = given.rpartition(":")
        if host and port.isascii() and port.isdecimal() and int(port) <= 65535:  # noqa: PLR2004
            return host, int(port)
    raise ValueError(f'to is an address like "127.0.0.1:10110", not {given!r}')


def _link(settings: Mapping[str, object]) -> Path | None:
    if settings.get("serial", True) is not True:
        raise ValueError("serial is true, or left out")
    return path_of(settings)
