"""How do several devices share one port: a multiplexer, a serial server with one client, one UDP port?

Whoever wants to read reads for all; each hears everything, and picks its own talkers. The port is open
while anybody listens. One who does not keep up loses his oldest bytes, and holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from daemon.drivers.links import TcpServerLink, opened
from daemon.drivers.tally import Tallies
from daemon.drivers.tcp_server import Listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from daemon.computer.clock import Clock
    from daemon.drivers.api import Shared
    from daemon.drivers.links import ByteSource, Link
    from daemon.drivers.tally import Tally

MOST_UNREAD = 64
"""Reads that wait for one listener."""


class PartyLine:
    """One port. Made by ``party_line``."""

    def __init__(self, link: Link, clock: Clock | None = None) -> None:
        self._link = link
        self._clock = clock
        self._tallies = Tallies()
        # Between two runs the port stays open, so that a device that comes back finds it.
        self._listener = Listener(link) if isinstance(link, TcpServerLink) else None
        self._turn = asyncio.Lock()
        self._open = AsyncExitStack()
        self._source: ByteSource | None = None
        self._unread: list[deque[bytes]] = []

    @asynccontextmanager
    async def listened(self, tally: Tally | None = None) -> AsyncIterator[Ear]:
        """Listen; the first one opens the port, the last one closes it.

        Args:
            tally: Where to count, while listening, what the port hands to nobody.

        Raises:
            LinkError: It cannot be opened.
        """
        unread: deque[bytes] = deque(maxlen=MOST_UNREAD)
        self._unread.append(unread)
        if tally is not None:
            self._tallies.add(tally)
        try:
            async with self._turn:
                if self._source is None:
                    opening = opened(self._link, self._tallies, self._listener, self._clock)
                    self._source = await self._open.enter_async_context(opening)
            yield Ear(self._source, self._turn, unread, self._give_all)
        finally:
            if tally is not None:
                self._tallies.remove(tally)
            # By identity: two that hold nothing are equal.
            self._unread = [each for each in self._unread if each is not unread]
            if not self._unread:
                self._source = None
                await self._open.aclose()

    def silence(self) -> str | None:
        """Return what may be the reason that nothing is heard; None where something was, or none is known."""
        return None if self._source is None else self._source.silence()

    def _give_all(self, data: bytes) -> None:
        for unread in self._unread:
            unread.append(data)


class Ear:
    """One who listens."""

    def __init__(
        self,
        source: ByteSource,
        turn: asyncio.Lock,
        unread: deque[bytes],
        give_all: Callable[[bytes], None],
    ) -> None:
        self._source = source
        self._turn = turn
        self._unread = unread
        self._give_all = give_all

    async def read(self) -> bytes:
        """Wait for bytes and return them; read for all where none wait.

        Raises:
            LinkError: The other side has gone.
        """
        while not self._unread:
            async with self._turn:
                if not self._unread:  # another may have read while the turn was waited for
                    self._give_all(await self._source.read())
        return self._unread.popleft()


def party_line(link: Link, shared: Shared, clock: Clock | None = None) -> PartyLine:
    """Return the line of a link: the same for all devices that have the same link.

    With a clock, what a busy port says is gathered (``Gathering``).
    """
    return shared.one(f"line {link!r}", lambda: PartyLine(link, clock))
