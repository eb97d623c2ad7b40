"""What comes to a UDP port, and from whom?

Source: IEC 61162-450 for the header and the multicast groups of a shipboard network; serial servers
and multiplexers send the same sentences without either.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address

IEC_61162_450_HEADER = b"UdPbC\0"
"""Stands before the sentences of a datagram on a shipboard network (7.3)."""


class Datagrams:
    """An open port. Each datagram ends its last line, so that none runs into the next."""

    def __init__(self, port: socket.socket, *, longest: int, sender: IPv4Address | None) -> None:
        self._port = port
        self._longest = longest
        self._sender = None if sender is None else str(sender)

    def receive(self) -> bytes | None:
        """Return the lines of the next datagram, None where it is not for us or holds none."""
        # One byte less than may be returned, for the line end. What is longer is cut there.
        datagram, (address, _) = self._port.recvfrom(self._longest - 1)
        if self._sender not in {None, address}:
            return None
        lines = datagram.removeprefix(IEC_61162_450_HEADER)
        return lines + b"\n" if lines else None


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
            port.bind((str(group), number))
            membership = group.packed + host.packed
            port.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError:
        port.close()
        raise
    return port
