"""The wire to the panel: a serial port, or a multicast group of the shipboard network. The only place that sends."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol

from daemon.bam.datagram import Wrapping
from daemon.drivers.byte_source import READ_BYTES, PortSource
from daemon.drivers.datagrams import bound, unwrap
from daemon.drivers.ports import open_serial
from daemon.drivers.tally import Refused
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator, Sequence

    from daemon.bam.outbox import Line
    from daemon.bam.settings import BamSection
    from daemon.computer.clock import Clock

STUCK_S: Final = 5.0
"""A line that takes nothing for so long is opened anew; what it was to carry is sent as it stands then."""
TTL: Final = 1
"""No router passes it on."""
STRANGER: Final = "stranger"
"""A datagram from somebody who is not the panel."""


class Wire(Protocol):
    """An open line to the panel."""

    async def send(self, lines: Sequence[Line]) -> None:
        """Send sentences that belong together.

        Raises:
            LinkError: They cannot be sent.
        """
        ...

    async def read(self) -> bytes:
        """Wait for bytes and return them.

        Raises:
            LinkError: The line is gone.
        """
        ...


@asynccontextmanager
async def opened(
    section: BamSection, *, clock: Clock, dropped: Counter[str]
) -> AsyncIterator[Wire]:
    """Open the port; it is closed on leaving.

    Raises:
        LinkError: It cannot be opened; the message names it and the reason.
    """
    wire: SerialWire | GroupWire
    wire = await SerialWire.open(section, clock) if section.port else GroupWire(section, dropped)
    try:
        yield wire
    finally:
        wire.close()


class SerialWire:
    """A serial port, which nobody else has open."""

    def __init__(self, name: str, port: _Serial, clock: Clock) -> None:
        self._name = name
        self._port = port
        self._clock = clock
        self._source = PortSource(name, port)

    @classmethod
    async def open(cls, section: BamSection, clock: Clock) -> SerialWire:
        """Open the port."""
        link = section.serial
        assert link is not None  # noqa: S101 (for the type checker)
        return cls(section.name, await open_serial(link), clock)

    def close(self) -> None:
        self._source.stop()
        self._port.close()

    async def read(self) -> bytes:
        return await self._source.read()

    async def send(self, lines: Sequence[Line]) -> None:
        unsent = b"".join(line.text.encode("ascii") + b"\r\n" for line in lines)
        while unsent:
            try:
                unsent = unsent[os.write(self._port.fileno(), unsent) :]
            except BlockingIOError:
                await self._room()
            except OSError as err:
                raise LinkError(f"{self._name}: {err.strerror}") from err

    async def _room(self) -> None:
        """Wait until the line takes something again."""
        loop, writable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_writer(self._port.fileno(), writable.set)
        try:
            if not await self._clock.wait(writable, STUCK_S):
                raise LinkError(f"{self._name}: takes nothing for {STUCK_S:g} s")
        finally:
            loop.remove_writer(self._port.fileno())


class GroupWire:
    """A multicast group: sent from a port of our own, by which we know our own datagrams when they come back."""

    def __init__(self, section: BamSection, dropped: Counter[str]) -> None:
        """Join the group.

        Raises:
            LinkError: It cannot be.
        """
        assert section.group is not None  # noqa: S101 (for the type checker)
        assert section.interface is not None  # noqa: S101
        self._name = section.name
        self._to = str(section.group), section.group_port
        self._panel = str(section.panel_address)
        self._dropped = dropped
        self._wrapping = Wrapping(section.own_sfi)
        try:
            self._in = bound(section.interface, section.group_port, section.group)
        except OSError as err:
            raise LinkError(f"{self._name}: {err.strerror}") from err
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            own = str(section.interface)
            self._out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, TTL)
            self._out.setsockopt(
                socket.IPPROTO_IP, socket.IP_MULTICAST_IF, section.interface.packed
            )
            self._out.bind((own, 0))
        except OSError as err:
            self._in.close()
            self._out.close()
            raise LinkError(f"{self._name}: {err.strerror}") from err
        self._own = self._out.getsockname()
        self._source = PortSource(self._name, self._in, receive=self._receive)

    def close(self) -> None:
        self._source.stop()
        self._in.close()
        self._out.close()

    async def read(self) -> bytes:
        return await self._source.read()

    async def send(self, lines: Sequence[Line]) -> None:
        try:
            self._out.sendto(self._wrapping.datagram(lines), self._to)
        except BlockingIOError:
            """Lost, as on any network; the list says what was missed."""
        except OSError as err:
            raise LinkError(f"{self._name}: {err.strerror}") from err

    def _receive(self) -> bytes | None:
        """Return the lines of a datagram of the panel; None for any other."""
        datagram, sender = self._in.recvfrom(READ_BYTES - 1)
        if sender == self._own:
            return None
        if sender[0] != self._panel:
            self._dropped[STRANGER] += 1
            return None
        lines = unwrap(datagram, header_required=True)
        if isinstance(lines, Refused):
            self._dropped[lines.value] += 1
            return None
        return lines + b"\n" if lines else None


class _Serial(Protocol):
    def fileno(self) -> int: ...

    def close(self) -> None: ...
