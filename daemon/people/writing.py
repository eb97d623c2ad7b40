"""How does what people do about people become an entry? Of class ``sso``; submitted at once, waited for a moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon.model import Classification
from daemon.record.entry import Draft
from daemon.record.waiting import let_go, on_disk

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from daemon.computer.clock import Clock
    from daemon.model import Json
    from daemon.people.claims import By
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal

DUTIES: Final = ".14"
"""The kind of entries about who is on board and on duty: the SSO's or the Master's."""


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
        let_go(written)
        return written

    async def on_disk(self, written: asyncio.Future[Entry]) -> int | None:
        """Return the entry's number once it is on disk; None when that takes too long."""
        return await on_disk(written, self._clock)
