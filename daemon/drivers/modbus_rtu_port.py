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
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from daemon.clock import Clock

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

    def discard(self) -> bool:
        """Throw away what has come unasked; return whether there was any.

        Raises:
            LinkError: The line is gone.
        """
        for reads in range(DISCARD_READS):
            data = self._read()
            if self._lost is not None:
                raise self._lost
            if not data:
                return reads > 0
        return True

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
        return Port(link.name, await _connect(link))
    return Port(link.name, await _open_serial(link))


async def _connect(link: TcpLink) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(link.connect_timeout_s):
            found = await loop.getaddrinfo(link.host, link.port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            connection = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await loop.sock_connect(connection, address)
            except BaseException:
                connection.close()
                raise
    except TimeoutError as err:
        raise LinkError(f"{link.name}: no answer within {link.connect_timeout_s:g} s") from err
    except (OSError, UnicodeError) as err:  # UnicodeError: a host name that DNS cannot carry
        raise LinkError(f"{link.name}: {_reason(err)}") from err
    return connection


async def _open_serial(link: SerialLink) -> serial.Serial:
    # In a thread: a wedged USB adapter takes seconds to answer, and no other device waits for it.
    opening = asyncio.ensure_future(asyncio.to_thread(_open_serial_now, link))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise
    except (OSError, ValueError, termios.error) as err:
        raise LinkError(f"{link.name}: {_reason(err)}") from err


def _open_serial_now(link: SerialLink) -> serial.Serial:
    port = serial.Serial(
        baudrate=link.baud,
        bytesize=link.data_bits,
        parity=link.parity,
        stopbits=link.stop_bits,
        timeout=0,
        # VMIN 1: a read of nothing is "try again", so that no bytes at all can only mean a hang-up.
        inter_byte_timeout=0,
        exclusive=True,
    )
    port.port = link.port
    port.dtr = False
    port.rts = False
    port.open()
    _flush(port.fileno())
    return port


def _reason(err: Exception) -> str:
    """Return the system's own words; asyncio's and pyserial's name the address once more."""
    code = err.errno if isinstance(err, OSError) else None
    # A name that is not found has a negative number, and words of its own.
    return os.strerror(code) if code is not None and code > 0 else str(err)


def _flush(descriptor: int) -> None:
    try:
        termios.tcflush(descriptor, termios.TCIOFLUSH)
    except termios.error:
        return  # it hung up: the next read says so


def _close_late(opening: asyncio.Future[serial.Serial]) -> None:
    """Close a port whose opener did not wait for it."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
