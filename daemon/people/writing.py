"""How does what people do about people become an entry? Of class ``sso``; submitted at once, waited for a moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon.model import Classification
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.clock import Clock
    from daemon.model import Json
    from daemon.people.claims import By
    from daemon.people.people import Journal
    from daemon.record.entry import Entry

DUTIES: Final = ".14"
"""The kind of entries about who is on board and on duty: the SSO's or the Master's."""
WAIT_FOR_DISK_S: Final = 1.0
"""How long an answer waits for the disk before it says *not yet recorded*."""


class Writing:
    """Writes of people."""

    def __init__(self, *, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def draft(
        self,
        type_: str,
        subject: str,
        by: By | None,
        said: Mapping[str, Json],
        *,
        kind: str = "system",
    ) -> Draft:
        """Return what will be written."""
        draft = Draft(
            kind=kind,
            type=type_,
            subject=subject,
            classification=Classification.SSO,
            open=said,
        )
        return draft if by is None else replace(draft, actor=by.actor())

    def submit(
        self,
        type_: str,
        subject: str,
        by: By | None,
        said: Mapping[str, Json],
        *,
        kind: str = "system",
    ) -> asyncio.Future[Entry]:
        """Write it."""
        return self.take(self.draft(type_, subject, by, said, kind=kind))

    def take(self, draft: Draft) -> asyncio.Future[Entry]:
        """Write a draft; one that is lost is counted by the record, and nobody is told twice."""
        written = self._journal.submit(draft)
        written.add_done_callback(lambda future: future.cancelled() or future.exception())
        return written

    async def on_disk(self, written: asyncio.Future[Entry]) -> int | None:
        """Return the entry's number once it is on disk; None when that takes too long."""
        done = asyncio.Event()
        written.add_done_callback(lambda _: done.set())
        await self._clock.wait(done, WAIT_FOR_DISK_S)
        if not written.done() or written.cancelled() or written.exception():
            return None
        return written.result().seq
