"""What comes to a UDP port, and from whom?

Source: IEC 61162-450 for the headers, the multicast groups and the system function ids (SFI) of a
shipboard network; serial servers and multiplexers send the same sentences without any of them.
"""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING, Final

from daemon.drivers.tally import Noticed, Refused

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from daemon.drivers.tally import Tally

IEC_61162_450_HEADER: Final = b"UdPbC\0"
"""Stands before the sentences of a datagram on a shipboard network (7.3)."""
SFI_MEMORY_S = 60.0
"""An id that comes from two addresses by turns within this time has two senders; one that comes from
a new address and no more from the old one has been given another address."""
MOST_SFIS = 256
"""Of which is remembered who sent with them; a network has some tens."""

_OTHER_HEADER = re.compile(rb"[A-Za-z]{5}\x00")
"""``RaUdP``, ``RrUdP`` and whatever else is marked as this network marks it."""
_SFI = re.compile(rb"\\(?:[^\\]{0,128},)?s:([^,*\\]{1,15})")
_IP_MULTICAST_ALL = 49
"""linux/in.h; the socket module has no name for it."""


def unwrap(datagram: bytes, *, header_required: bool) -> bytes | Refused:
    """Return the lines of a datagram, or why there are none for us."""
    if datagram.startswith(IEC_61162_450_HEADER):
        return datagram[len(IEC_61162_450_HEADER) :]
    if _OTHER_HEADER.match(datagram):
        return Refused.BINARY
    return Refused.NO_HEADER if header_required and datagram else datagram


class Sfis:
    """Who sends with which system function id."""

    def __init__(self) -> None:
        self._senders: dict[bytes, dict[str, float]] = {}
        """By id, when each address sent last; the newest address stands last."""

    def duplicates(self, datagram: bytes, address: str, now_s: float) -> int:
        """Return how many ids of a datagram another address uses as well."""
        return sum(self._is_duplicate(sfi, address, now_s) for sfi in set(_SFI.findall(datagram)))

    def _is_duplicate(self, sfi: bytes, address: str, now_s: float) -> bool:
        senders = self._senders.pop(sfi, {})
        if not senders and len(self._senders) >= MOST_SFIS:
            del self._senders[next(iter(self._senders))]
        self._senders[sfi] = senders
        last_s = senders.pop(address, None)
        # Back again after another has spoken: neither has gone.
        others = [name for name, at_s in senders.items() if last_s is not None and at_s > last_s]
        is_duplicate = last_s is not None and now_s - last_s <= SFI_MEMORY_S and bool(others)
        if len(senders) > 1:
            del senders[next(iter(senders))]
        senders[address] = now_s
        return is_duplicate


class Datagrams:
    """An open port. Each datagram ends its last line, so that none runs into the next."""

    def __init__(
        self,
        port: socket.socket,
        *,
        longest: int,
        sender: IPv4Address | None,
        group: IPv4Address | None = None,
        header_required: bool = False,
        tally: Tally,
    ) -> None:
        self._port = port
        self._longest = longest
        self._sender = None if sender is None else str(sender)
        self._group = group
        self._header_required = header_required
        self._tally = tally
        self._sfis = Sfis()
        self._has_heard = self._has_heard_others = False

    def receive(self) -> bytes | None:
        """Return the lines of the next datagram, None where it is not for us or holds none."""
        # One byte less than may be returned, for the line end. What is longer is cut there.
        datagram, (address, _) = self._port.recvfrom(self._longest - 1)
        if self._sender not in {None, address}:
            self._has_heard_others = True
            return None
        self._has_heard = True
        lines = unwrap(datagram, header_required=self._header_required)
        if isinstance(lines, Refused):
            self._tally.drop(lines)
            return None
        if b"\\" in lines:
            for _ in range(self._sfis.duplicates(lines, address, time.monotonic())):
                self._tally.notice(Noticed.DUPLICATE_SFI)
        return lines + b"\n" if lines else None

    def silence(self) -> str | None:
        """Return what may be the reason that nothing was heard; None where something was."""
        if self._has_heard:
            return None
        if self._has_heard_others:
            return f"datagrams come, but none from {self._sender}"
        if self._group is not None:
            return (
                f"no traffic of group {self._group} at all: check IGMP snooping (a querier, or the port "
                "set as a multicast router's) on the switches, and that host is our address on that network"
            )
        return "no datagram has come to the port"


def bound(host: IPv4Address, number: int, group: IPv4Address | None) -> socket.socket:
    """Return a port of this computer, a member of a multicast group where one is given.

    Raises:
        OSError: It cannot be opened.
    """
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if group is None:
            port.bind((str(host), number))
        else:
            # Others on this computer may listen to the group as well: each gets every datagram.
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # What others on this computer joined on other networks is not for us.
            port.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            port.bind((str(group), number))
            membership = group.packed + host.packed
            port.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError:
        port.close()
        raise
    return port
