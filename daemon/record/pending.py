"""What waits for the disk? A queue with two bounds, and the count of what no longer fitted.

The oldest stay: what came first explains the rest. What is lost is counted with its times, and the
count is written in the place where the lost entries would have stood. Evidence has a quota: what no
longer fits is left out, and its entry says so, but no entry is ever held back for it (invariant 5).
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from daemon.errors import RecordError
from daemon.model import Classification
from daemon.record.entry import Draft, Entry, Stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "record.gap"
LEFT_OUT = "evidence_left_out"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One draft on its way to the disk."""

    draft: Draft
    stamp: Stamp
    since_s: float
    future: asyncio.Future[Entry]
    goes_on: bool = False
    """Whether the next one comes on disk in the same transaction, or neither does."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries that were lost since the last one that found room."""

    count: int
    first_at: str
    last: Stamp

    def draft(self) -> Draft:
        return Draft(
            kind="system",
            type=GAP,
            subject="record",
            classification=Classification.WATCH,
            open={"lost": self.count, "first_at": self.first_at, "last_at": self.last.at},
        )


class Pending:
    """Drafts in the order in which they were submitted."""

    def __init__(self, *, limit: int, limit_bytes: int, quota_bytes: int = sys.maxsize) -> None:
        self.lost = 0
        """How many found no room, in all."""
        self.quota_bytes = quota_bytes
        self.kept_bytes = 0
        """Of evidence: on disk as far as was counted, and put here since."""
        self._closed: str | None = None
        self._gap: Gap | None = None
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._queue: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, draft: Draft, stamp: Stamp, *, now_s: float) -> asyncio.Future[Entry]:
        """Add at the end, behind the mark of a gap if there is one; without room, count it."""
        if self._closed is not None:
            return _fail(_future(), self._closed)
        size = _evidence_bytes(draft)
        if self.kept_bytes + size > self.quota_bytes or self._bytes + size > self._limit_bytes:
            draft = _without_evidence(draft)
        if len(self._queue) >= self._limit:
            first_at = self._gap.first_at if self._gap else stamp.at
            self._gap = Gap(self._gap.count + 1 if self._gap else 1, first_at, stamp)
            self.lost += 1
            return _fail(_future(), "no disk, and no room to wait")
        self.mark_gap(now_s=now_s)
        return self._add(draft, stamp, now_s)

    def put_together(
        self, drafts: Sequence[Draft], stamp: Stamp, *, now_s: float
    ) -> list[asyncio.Future[Entry]]:
        """Add several that come on disk together or not at all; without room for all of them, none is taken.

        Nobody has waited for these yet, so what finds no room is refused and leaves no gap behind.
        """
        if self._closed is not None:
            return [_fail(_future(), self._closed) for _ in drafts]
        if len(self._queue) + len(drafts) > self._limit or any(each.evidence for each in drafts):
            return [_fail(_future(), "no disk, and no room to wait") for _ in drafts]
        self.mark_gap(now_s=now_s)
        last = len(drafts) - 1
        return [
            self._add(draft, stamp, now_s, goes_on=at != last) for at, draft in enumerate(drafts)
        ]

    def mark_gap(self, *, now_s: float) -> None:
        """Add the entry that says how many were lost, where any were; it always finds room."""
        if self._gap is not None:
            self._add(self._gap.draft(), self._gap.last, now_s)
            self._gap = None

    def counted(self, on_disk_bytes: int) -> None:
        """Take how much evidence is on disk, while nothing of what waits here is."""
        self.kept_bytes = on_disk_bytes + self._bytes

    def say(self, draft: Draft, stamp: Stamp, *, now_s: float) -> asyncio.Future[Entry]:
        """Add what the record has to say of itself; it always finds room, and is written even while it closes."""
        return self._add(draft, stamp, now_s)

    def first(self, count: int) -> list[Waiting]:
        """Return the oldest, which stay until they are on disk; a few more where some belong together."""
        found = list(islice(self._queue, count))
        while found and found[-1].goes_on:
            found.append(self._queue[len(found)])
        return found

    def take(self) -> Waiting:
        """Remove the oldest."""
        waiting = self._queue.popleft()
        self._bytes -= _evidence_bytes(waiting.draft)
        return waiting

    def close(self, reason: str) -> None:
        """Take nothing more; what is queued may still be written."""
        self._closed = reason

    def give_up(self, reason: str) -> None:
        """Tell everybody who waits that it will not come."""
        while self._queue:
            _fail(self.take().future, reason)

    def oldest_s(self) -> float | None:
        """Return since when the oldest waits, in seconds since boot."""
        return self._queue[0].since_s if self._queue else None

    def newest(self) -> asyncio.Future[Entry] | None:
        """Return what the newest waits for."""
        return self._queue[-1].future if self._queue else None

    def _add(
        self, draft: Draft, stamp: Stamp, now_s: float, *, goes_on: bool = False
    ) -> asyncio.Future[Entry]:
        waiting = Waiting(draft, stamp, now_s, _future(), goes_on)
        self._queue.append(waiting)
        self._bytes += _evidence_bytes(draft)
        self.kept_bytes += _evidence_bytes(draft)
        return waiting.future


def _future() -> asyncio.Future[Entry]:
    return asyncio.get_running_loop().create_future()


def _fail(future: asyncio.Future[Entry], reason: str) -> asyncio.Future[Entry]:
    if not future.done():
        future.set_exception(RecordError(f"not recorded: {reason}"))
        future.exception()  # asked for once: nobody has to, a loss also shows in the health
    return future


def _evidence_bytes(draft: Draft) -> int:
    return sum(len(each.body) for each in draft.evidence) if draft.evidence else 0


def _without_evidence(draft: Draft) -> Draft:
    """Return the entry alone, which says what was left out of it."""
    if not draft.evidence:
        return draft
    left_out = {"pieces": len(draft.evidence), "bytes": _evidence_bytes(draft)}
    return replace(draft, open={**draft.open, LEFT_OUT: left_out}, open_text=None, evidence=())
