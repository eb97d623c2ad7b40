"""How does what a person writes come into the record? Known, allowed, proven, signed where he has a key, on disk.

Nothing here happens before it is written, so a record that cannot take it is a refusal, not *not yet recorded*; only a
disk that is slow leaves the answer open.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Final, Protocol

from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import ClockStatus
from daemon.record.entry import EntryError
from daemon.record.merkle import leaf_hash
from daemon.record.reader import Query
from daemon.record.waiting import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from daemon.computer.clock import Clock
    from daemon.model import Classification, Json
    from daemon.people.authority import Act
    from daemon.people.claims import By, Claim
    from daemon.people.people import People
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Draft, Entry
    from daemon.record.reader import Page

WAIT_FOR_SEAL_S: Final = 5.0


class Records(Protocol):
    """The record, as far as people write and read it here (``daemon.record.log``)."""

    def submit(self, draft: Draft) -> asyncio.Future[Entry]: ...
    def submit_together(self, drafts: Sequence[Draft]) -> list[asyncio.Future[Entry]]: ...
    def evidence_used(self) -> tuple[int, int]: ...
    async def entries(self, query: Query) -> list[Entry]: ...
    async def page(self, query: Query) -> Page: ...
    async def study(self) -> bool: ...
    async def about(self, subjects: Sequence[str], *, after: int) -> list[tuple[int, str, str]]: ...
    async def counts(self, first: int, last: int) -> tuple[dict[str, int], dict[str, int]]: ...
    async def state(self, kind: str) -> dict[str, Mapping[str, Json]]: ...
    async def seal(self) -> Checkpoint: ...
    async def part(self, seq: int, classification: Classification) -> dict[str, Json] | None: ...
    async def evidence(self, sha256: str) -> bytes | None: ...


class Desk:
    """Where people's entries are taken."""

    def __init__(self, *, people: People, record: Records, clock: Clock) -> None:
        self.record = record
        self.clock = clock
        self.turn = asyncio.Lock()
        """Whoever writes what hangs on what stands already takes his turn: two amendments, two reviews."""
        self._people = people

    async def who(self, request: Mapping[str, Any], act: Act) -> By:
        """Return who acts.

        Raises:
            RefusedError: Unknown, may not, or not proven.
        """
        return await self._people.prove(fields.claim(request), act)

    async def two(self, claims: Sequence[Claim], act: Act) -> tuple[By, By]:
        """Return the two persons of an act that takes both, each with his PIN.

        Raises:
            RefusedError: One of them is unknown, or not proven.
        """
        first, second = await self._people.prove_all(claims, act)
        return first, second

    def must_still_be(self, by: By) -> None:
        """Refuse who has left, or has other duties than when he began.

        Raises:
            RefusedError: The crew list says otherwise by now.
        """
        if self._people.find(by.person.name) != by.person:
            raise RefusedError(f"the crew list has been changed for {by.person.name}; begin again")

    def now_utc(self) -> datetime | None:
        """Return now; None where the computer's clock cannot be right."""
        return None if self.clock.status() is ClockStatus.UNSET else self.clock.utc()

    async def write(
        self, draft: Draft, by: By, *, check: Callable[[], None] = lambda: None
    ) -> int | None:
        """Write it and return its number once it is on disk; None when the disk takes long.

        Args:
            draft: What is said.
            by: Who says it.
            check: Refuses at the last moment, when nothing more can come between.

        Raises:
            RefusedError: It is no entry, or the record cannot take it.
        """
        try:
            prepared = await signed(draft, by)
        except EntryError as err:
            raise RefusedError(f"this cannot stand in the record: {err}") from err
        check()
        written = self.submit(prepared)
        if not await settled(written, self.clock):
            return None
        try:
            return written.result().seq
        except RecordError as err:
            raise RefusedError(str(err)) from err

    async def write_together(self, drafts: Sequence[Draft], by: By) -> list[int | None]:
        """Write several entries in one transaction, all or none, and return their numbers as ``write`` does.

        Raises:
            RefusedError: One is no entry, or the record cannot take them; then none of them is in it.
        """
        try:
            written = self.record.submit_together([await signed(draft, by) for draft in drafts])
        except EntryError as err:
            raise RefusedError(f"this cannot stand in the record: {err}") from err
        if not await settled(written[-1], self.clock):
            return [None] * len(written)
        try:
            return [each.result().seq for each in written]
        except RecordError as err:
            raise RefusedError(str(err)) from err

    def submit(self, draft: Draft) -> asyncio.Future[Entry]:
        """Give it to the record.

        Raises:
            RefusedError: It cannot become an entry.
        """
        try:
            return self.record.submit(draft)
        except EntryError as err:
            raise RefusedError(f"this cannot stand in the record: {err}") from err

    async def seal(self) -> Checkpoint:
        """Return a head over all that is on disk.

        Raises:
            RefusedError: The disk refuses, or takes too long.
        """
        sealing = asyncio.ensure_future(self.record.seal())
        done = asyncio.Event()
        sealing.add_done_callback(lambda _: done.set())
        try:
            if not await self.clock.wait(done, WAIT_FOR_SEAL_S):
                raise RefusedError("the record cannot be sealed now: the disk takes long")
            return sealing.result()
        except RecordError as err:
            raise RefusedError(f"the record cannot be sealed now: {err}") from err
        finally:
            sealing.cancel()

    async def entry(self, seq: int) -> Entry:
        """Return the entry of a number.

        Raises:
            RefusedError: There is none, or the record cannot be read.
        """
        found = await self.entries(Query(after=seq - 1, before=seq + 1, limit=1))
        if not found:
            raise RefusedError(f"there is no entry {seq}")
        return found[0]

    async def entries(self, query: Query) -> list[Entry]:
        """Return entries.

        Raises:
            RefusedError: The record cannot be read.
        """
        try:
            return await self.record.entries(query)
        except RecordError as err:
            raise RefusedError(f"the record cannot be read now: {err}") from err


async def signed(draft: Draft, by: By) -> Draft:
    """Return the draft as its person signs it, where he has a key."""
    sign = getattr(by, "sign", None)
    if sign is None:
        return draft
    made = sign(draft)
    return await made if inspect.isawaitable(made) else made  # type: ignore[no-any-return]


def naming(entry: Entry) -> dict[str, Json]:
    """Return how one entry names another: by its number and the hash of its leaf."""
    return {"seq": entry.seq, "leaf": leaf_hash(entry.body.encode()).hex(), "type": entry.type}
