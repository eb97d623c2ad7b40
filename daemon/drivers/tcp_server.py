"""How does a device connect to us, who may, and what when a second one does?

One at a time: whoever of the senders connected last is read. What was sent while nobody listened is
old and is thrown away.
"""

from __future__ import annotations

import asyncio
import socket
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from daemon.drivers.byte_source import PortSource
from daemon.drivers.ports import keep_alive
from daemon.drivers.tally import Noticed, Refused
from daemon.errors import LinkError

if TYPE_CHECKING:
    from daemon.drivers.gathering import Gathering
    from daemon.drivers.links import TcpServerLink
    from daemon.drivers.tally import Tally

BACKLOG = 8
"""Connections that wait to be accepted."""
PAUSE_S = 0.1
"""After one that was refused: whoever knocks again and again gets no more of our time than this allows."""


class Listener:
    """A listening port. It may stay open while nobody reads: a device that comes back finds it."""

    def __init__(self, link: TcpServerLink) -> None:
        """Open nothing yet."""
        self.name = link.name
        self._address = str(link.host), link.port
        self._senders = frozenset(map(str, link.senders))
        self._port: socket.socket | None = None
        self._next: socket.socket | None = None
        self._open: list[socket.socket] = []
        weakref.finalize(self, _close_all, self._open)

    def open(self, tally: Tally, gathering: Gathering | None = None) -> ServedSource:
        """Return whoever is connected, or connects, to be read at this pace.

        Raises:
            LinkError: The port cannot be opened.
        """
        if self._port is None:
            try:
                self._port = socket.create_server(self._address, backlog=BACKLOG)
            except OSError as err:
                raise LinkError(f"{self.name}: {err.strerror}") from err
            self._port.setblocking(False)  # noqa: FBT003 (the socket module's own)
            self._open.append(self._port)
        return ServedSource(self, self._port, tally, gathering)

    def close(self) -> None:
        """Close the port, and whoever waits at it."""
        _close_all(self._open)
        self._port = self._next = None

    def admits(self, address: str) -> bool:
        """Return whether somebody of that address may connect."""
        return not self._senders or address in self._senders

    def keep(self, client: socket.socket) -> None:
        """Keep somebody who has connected for whoever reads next."""
        if self._next is not None:
            self.let_go(self._next)
        self._next = client

    def take(self) -> socket.socket | None:
        """Return the one who was kept."""
        client, self._next = self._next, None
        return client

    def accept(self, port: socket.socket) -> tuple[socket.socket, str]:
        """Return the next who has connected, and his address.

        Raises:
            OSError: There is none, or he cannot be taken.
        """
        client, (address, _) = port.accept()
        client.setblocking(False)  # noqa: FBT003 (the socket module's own)
        self._open.append(client)
        keep_alive(client)
        return client, address

    def let_go(self, client: socket.socket) -> None:
        """Close a connection."""
        with suppress(ValueError):  # closed with the port
            self._open.remove(client)
        client.close()


def _close_all(sockets: list[socket.socket]) -> None:
    while sockets:
        sockets.pop().close()


class ServedSource:
    """Whoever is connected to a listening port, to be read by one task."""

    def __init__(
        self,
        listener: Listener,
        port: socket.socket,
        tally: Tally,
        gathering: Gathering | None = None,
    ) -> None:
        self._listener = listener
        self._port = port
        self._tally = tally
        self._gathering = gathering
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[PortSource] = self._loop.create_future()
        self._client: socket.socket | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(port, self._on_knock)
        if (kept := listener.take()) is not None:
            self._welcome(kept)
        self._on_knock()
        self.discard()

    async def read(self) -> bytes:
        """Wait for somebody to connect, and for bytes.

        Raises:
            LinkError: He has gone, or another took his place.
        """
        await self.connected()
        return await self._connected.result().read()

    async def connected(self) -> None:
        """Wait for somebody to connect."""
        if not self._connected.done():
            await asyncio.shield(self._connected)

    def discard(self) -> None:
        if self._connected.done():
            self._connected.result().discard()

    def silence(self) -> str | None:
        return None if self._connected.done() else f"nobody has connected to {self._listener.name}"

    def stop(self) -> None:
        """Watch the port no longer, and let go of whoever is read."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._port)
        if self._connected.done():
            self._connected.result().stop()
        if self._client is not None:
            self._listener.let_go(self._client)

    def _on_knock(self) -> None:
        """Take everybody who has connected; the last one is read."""
        for _ in range(BACKLOG):
            try:
                client, address = self._listener.accept(self._port)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # gone again, or no descriptor is free
                self._rest()
                return
            if self._listener.admits(address):
                self._welcome(client)
            else:
                self._listener.let_go(client)
                self._tally.drop(Refused.CLIENT)
                self._rest()

    def _rest(self) -> None:
        if self._pause is None:
            self._loop.remove_reader(self._port)
            self._pause = self._loop.call_later(PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._port, self._on_knock)

    def _welcome(self, client: socket.socket) -> None:
        if self._connected.done():
            self._tally.notice(Noticed.REPLACED)
            self._listener.keep(client)
            reason = f"{self._listener.name}: another connection took its place"
            self._connected.result().give_up(LinkError(reason))
            return
        self._client = client
        source = PortSource(self._listener.name, client, gathering=self._gathering)
        self._connected.set_result(source)
