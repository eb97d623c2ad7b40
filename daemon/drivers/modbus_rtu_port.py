"""How do questions go out on a bus and bytes come back? A serial port, or TCP to a serial server.

Unlike the links that only listen, this port is written to: the read requests of Modbus, and nothing
else (invariant 10). A serial port is opened exclusive, without flow control, DTR and RTS low.
"""

from __future__ import annotations

import asyncio
import os
import socket
import termios
from typing import TYPE_CHECKING

import serial

from daemon.drivers.links import SerialLink, TcpLink
from daemon.drivers.modbus_rtu_frames import LONGEST_FRAME_BYTES
from daemon.drivers.ports import connect, open_serial
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from daemon.computer.clock import Clock

    BusLink: TypeAlias = SerialLink | TcpLink

READ_BYTES = 4096
DISCARD_READS = 64
"""A line that never stops talking is not waited for while its old bytes are thrown away."""


class Port:
    """An open line; made by ``open_port``, used by one task at a time."""

    def __init__(self, name: str, device: serial.Serial | socket.socket) -> None:
        self._name = name
        self._device = device
        self._descriptor = device.fileno()
        self._received = b""
        self._lost: LinkError | None = None
        self._news = asyncio.Event()

    async def ask(
        self, frame: bytes, *, is_whole: Callable[[bytes], bool], timeout_s: float, clock: Clock
    ) -> bytes:
        """Send a frame; return what has come when it is whole, or when the time is over.

        Raises:
            LinkError: The line is gone.
        """
        self._received = b""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._descriptor, self._on_readable)
        try:
            self._send(frame)
            until_s = clock.now_s() + timeout_s
            while not is_whole(self._received) and self._lost is None:
                self._news.clear()
                left_s = until_s - clock.now_s()
                if left_s <= 0 or not await clock.wait(self._news, left_s):
                    break
        finally:
            loop.remove_reader(self._descriptor)
        if self._lost is not None:
            raise self._lost
        return self._received

    def discard(self) -> bytes:
        """Throw away what has come unasked; return the last of it, nothing where there was none.

        Raises:
            LinkError: The line is gone.
        """
        last = b""
        for _ in range(DISCARD_READS):
            data = self._read()
            if self._lost is not None:
                raise self._lost
            if not data:
                break
            last = data
        return last

    def close(self) -> None:
        """Close the line; what it still holds is lost."""
        if isinstance(self._device, serial.Serial):
            # Without this a port that cannot send waits in close() for up to 30 s.
            _flush(self._descriptor)
        self._device.close()

    def _send(self, frame: bytes) -> None:
        try:
            sent = os.write(self._descriptor, frame)
        except OSError as err:
            raise LinkError(f"{self._name}: {err.strerror}") from err
        if sent < len(frame):
            raise LinkError(f"{self._name}: does not send")

    def _read(self) -> bytes:
        """Return what is there, nothing where there is nothing; note the end of the line."""
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as err:
            self._lost = LinkError(f"{self._name}: {err.strerror}")
            return b""
        if not data:
            self._lost = LinkError(f"{self._name}: closed by the other side")
        return data

    def _on_readable(self) -> None:
        self._received += self._read()
        if self._lost is not None or len(self._received) > LONGEST_FRAME_BYTES:
            # Gone, or no frame any more: the loop would call again and again for nothing.
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self._news.set()


async def open_port(link: BusLink) -> Port:
    """Open a line.

    Raises:
        LinkError: It cannot be opened; the message names the line and the reason.
    """
    if isinstance(link, TcpLink):
        connection = await connect(link)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Port(link.name, connection)
    port = await open_serial(link)
    _flush(port.fileno())
    return Port(link.name, port)


def _flush(descriptor: int) -> None:
    try:
        termios.tcflush(descriptor, termios.TCIOFLUSH)
    except termios.error:
        return  # it hung up: the next read says so
