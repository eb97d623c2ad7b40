"""Tell systemd what is true: ready, the status line, still making progress, stopping (sd_notify(3)); who reads us?"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def notify(*lines: str) -> bool:
    """Send lines such as ``READY=1`` to systemd; return False where no systemd listens.

    Raises:
        OSError: systemd gave a socket that cannot be written.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.sendto("\n".join(lines).encode(), address)
    return True


def is_journal(stream: TextIO) -> bool:
    """Return whether what is written to a stream goes to the journal, which others read (systemd.exec(5))."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # it is closed, or no file
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))
