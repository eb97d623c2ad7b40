"""How is a port opened, serial or TCP, so that nothing else waits for it and a failure names itself?"""

from __future__ import annotations

import asyncio
import errno
import socket
import termios
from typing import TYPE_CHECKING

import serial

from daemon.drivers.port_faults import in_words
from daemon.drivers.system_words import reason
from daemon.errors import LinkError

if TYPE_CHECKING:
    from daemon.drivers.links import SerialLink, TcpLink

ABSENT = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO})
BACK_WITHIN_S = 3.0
"""An adapter that was out is looked for so often, however long it was out."""


KEEPALIVE_AFTER_S = 10
KEEPALIVE_EVERY_S = 5
KEEPALIVE_TRIES = 3


async def connect(link: TcpLink) -> socket.socket:
    """Connect to a serial server or a device with a network port.

    Raises:
        LinkError: It cannot be reached; the message names the link and the reason.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(link.connect_timeout_s):
            found = await loop.getaddrinfo(link.host, link.port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            connection = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
            keep_alive(connection)
            try:
                await loop.sock_connect(connection, address)
            except BaseException:
                connection.close()
                raise
    except TimeoutError as err:
        raise LinkError(f"{link.name}: no answer within {link.connect_timeout_s:g} s") from err
    except (OSError, UnicodeError) as err:  # UnicodeError: a host name that DNS cannot carry
        raise LinkError(f"{link.name}: {reason(err)}") from err
    return connection


def keep_alive(connection: socket.socket) -> None:
    """Let the system ask a silent other side whether it is still there: one that vanished is found within 25 s."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_AFTER_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_TRIES)


async def open_serial(link: SerialLink) -> serial.Serial:
    """Open a serial port: exclusive, no flow control, DTR and RTS low before it is opened.

    Raises:
        LinkError: It cannot be opened; the message names the link and the reason.
    """
    # In a thread: a wedged USB adapter takes seconds to answer, and no other device waits for it.
    opening = asyncio.ensure_future(asyncio.to_thread(_open_serial_now, link))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise
    except (OSError, ValueError, termios.error) as err:
        code = err.errno if isinstance(err, OSError) else None
        if code is None or code <= 0:
            raise LinkError(f"{link.name}: {reason(err)}") from err
        words = await asyncio.to_thread(in_words, link.port, code)
        # To look for a device file costs nothing, and a cable that is put back is heard within seconds.
        within_s = BACK_WITHIN_S if code in ABSENT else None
        raise LinkError(f"{link.name}: {words}", retry_within_s=within_s) from err


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
    return port


def _close_late(opening: asyncio.Future[serial.Serial]) -> None:
    """Close a port whose opener did not wait for it."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
