"""Disks that fail, for the tests of the record."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import apsw
import pytest

from tests.record.sample import original, sample, voyages

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["original", "sample", "voyages"]


class Disk:
    """What every connection that is opened meets; the rules can be changed while it is open."""

    def __init__(self) -> None:
        self.full = False
        self.broken = False
        self.free = threading.Event()
        self.free.set()
        self.tries = 0
        """Transactions that came to their end, well or not."""
        self._connections: list[apsw.Connection] = []

    def attach(self, connection: apsw.Connection) -> None:
        self._connections.append(connection)
        connection.set_commit_hook(self._commit)
        self._limit(connection)

    def fill(self, full: bool) -> None:
        """From now on no file grows by a single page; SQLite itself says SQLITE_FULL."""
        self.full = full
        for connection in self._connections:
            self._limit(connection)

    def synchronous(self) -> set[int]:
        """Return how the open connections that write wait for the disk (2: FULL)."""
        found = set()
        for connection in self._connections:
            with contextlib.suppress(apsw.ConnectionClosedError):
                if not connection.readonly("main"):
                    found.add(int(connection.pragma("synchronous")))
        return found

    def detach(self) -> None:
        self.free.set()

    def _limit(self, connection: apsw.Connection) -> None:
        with contextlib.suppress(apsw.ConnectionClosedError):
            connection.pragma("max_page_count", 1 if self.full else 2**31)

    def _commit(self) -> bool:
        self.tries += 1
        self.free.wait()  # as fsync on a disk that hangs
        if self.broken:
            raise apsw.IOError("disk I/O error")
        return False


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    apsw.connection_hooks.append(made.attach)
    yield made
    apsw.connection_hooks.remove(made.attach)
    made.detach()
