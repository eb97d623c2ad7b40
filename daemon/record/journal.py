"""Where do entries go? What whoever writes into the record needs of it, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from daemon.record.entry import Draft, Entry


class Journal(Protocol):
    """Where entries go: the record."""

    def submit(self, draft: Draft) -> asyncio.Future[Entry]:
        """Take an entry; the future ends when it is on disk."""
        ...
