"""Why is the log of the segment that is written as long as it gets, before anything stands in it?

A file that grows makes its file system note each time how long it is: one more write and flush for every commit, on
ext4 more than the commit itself takes. SQLite writes over its log from the beginning whenever what stands in it has
been moved into the file (https://www.sqlite.org/walformat.html), so once it has its length nothing grows but every
thousandth page. What is behind its last valid frame is never read, so zeros may stand there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PAGES: Final = 1024
"""SQLite moves them into the file as soon as there are 1000 (``wal_autocheckpoint``)."""
FULL_BYTES: Final = 32 + PAGES * (24 + 4096)
"""A header, and for each page its frame."""


def lengthen(path: Path) -> None:
    """Give the log of a segment, which nobody writes at this moment, its full length.

    Where the disk refuses, the log stays as short as it was: that is slower, and what else is wrong shows in the
    commits.
    """
    with suppress(OSError):
        descriptor = os.open(path.with_name(path.name + "-wal"), os.O_WRONLY | os.O_CLOEXEC)
        try:
            _fill(descriptor)
        finally:
            os.close(descriptor)


def _fill(descriptor: int) -> None:
    length = os.fstat(descriptor).st_size
    missing = FULL_BYTES - length
    if missing <= 0:
        return
    try:
        written = 0
        while written < missing:
            written += os.pwrite(descriptor, bytes(missing - written), length + written)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, length)  # a disk that is full needs the room for entries
        raise
