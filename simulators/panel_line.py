"""The cable of a central alert panel: a pty, or a multicast group of IEC 61162-450; both can be pulled."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from simulators.api import whole
from simulators.panel_sentences import HEADER, checksum
from simulators.pty_ports import opened, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from simulators.pty_ports import Pty

    Take = Callable[[bytes], None]
    """Takes one line with its end, TAG block included."""

LINE_SETTINGS: Final = ("link", "group", "udp_port", "interface", "sfi")
LONGEST_LINE: Final = 512
MOST_DATAGRAM: Final = 2048
MOST_KEPT: Final = 65_536


class PanelLine(Protocol):
    """A cable between ``plug`` and ``unplug``."""

    received: bytes
    """The last bytes that came, for whoever looks at them."""

    @property
    def endpoint(self) -> str: ...

    def plug(self) -> None: ...

    def unplug(self) -> None: ...

    def send(self, sentence: bytes) -> None:
        """Send a sentence with its end; where no cable is, nothing of it is left."""
        ...


def line_of(settings: Mapping[str, object], take: Take) -> PanelLine:
    """Return the cable that the settings ask for.

    Raises:
        ValueError: Names what is wrong.
    """
    if "group" not in settings:
        return SerialLine(path_of(settings), take)
    return NetworkLine(
        _address(settings, "group"),
        whole(settings, "udp_port", low=1, high=65535, default=60001),
        _address({"interface": "127.0.0.1", **settings}, "interface"),
        str(settings.get("sfi", "CA0001")),
        take,
    )


class SerialLine:
    """A pty without a speed."""

    def __init__(self, link: Path | None, take: Take) -> None:
        self._link = link
        self._take = take
        self._path = ""
        self._held = b""
        self.pty: Pty | None = None
        self.received = b""

    @property
    def endpoint(self) -> str:
        if not self._path:
            raise RuntimeError("a serial line has a name once it is started")
        return self._path

    def plug(self) -> None:
        if self.pty is None:
            self.pty = opened(self._link)
            self._path = self.pty.endpoint
            asyncio.get_running_loop().add_reader(self.pty.unit, self.read)

    def unplug(self) -> None:
        self._held = b""
        if self.pty is not None:
            asyncio.get_running_loop().remove_reader(self.pty.unit)
            self.pty.close()
            self.pty = None

    def send(self, sentence: bytes) -> None:
        if self.pty is not None:
            with suppress(BlockingIOError):
                os.write(self.pty.unit, sentence)

    def read(self) -> None:
        """Take what has come."""
        assert self.pty is not None
        try:
            data = os.read(self.pty.unit, 4096)
        except OSError:
            return
        self.received = (self.received + data)[-MOST_KEPT:]
        *lines, self._held = (self._held + data).split(b"\n")
        self._held = self._held[-LONGEST_LINE:]
        for line in lines:
            self._take(line + b"\n")


class NetworkLine:
    """A multicast group that is sent to and listened to."""

    def __init__(self, group: str, port: int, interface: str, sfi: str, take: Take) -> None:
        self._to = group, port
        self._interface = socket.inet_aton(interface)
        self._own = f"s:{sfi}".encode("ascii")
        self._take = take
        self._count = 0
        self._socket: socket.socket | None = None
        self.received = b""

    @property
    def endpoint(self) -> str:
        return f"udp://{self._to[0]}:{self._to[1]}"

    def plug(self) -> None:
        if self._socket is not None:
            return
        port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind(self._to)
        member = socket.inet_aton(self._to[0]) + self._interface
        port.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        port.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, self._interface)
        port.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        self._socket = port
        asyncio.get_running_loop().add_reader(port.fileno(), self._read)

    def unplug(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def send(self, sentence: bytes) -> None:
        if self._socket is None:
            return
        self._count = self._count % 999 + 1
        block = b"%b,n:%d" % (self._own, self._count)
        with suppress(OSError):
            datagram = b"%b\\%b*%02X\\%b" % (HEADER, block, checksum(block), sentence)
            self._socket.sendto(datagram, self._to)

    def _read(self) -> None:
        assert self._socket is not None
        with suppress(OSError):
            datagram, _ = self._socket.recvfrom(MOST_DATAGRAM)
            if self._own in datagram:
                return  # its own, come back
            self.received = (self.received + datagram)[-MOST_KEPT:]
            if not datagram.startswith(HEADER):
                self._take(datagram)  # no sentence, and counted as that
                return
            for line in datagram[len(HEADER) :].splitlines(keepends=True):
                self._take(line)


def _address(settings: Mapping[str, object], name: str) -> str:
    given = settings[name]
    if isinstance(given, str):
        with suppress(OSError):
            socket.inet_aton(given)
            return given
    raise ValueError(f"{name} is an address, not {given!r}")
