"""How does the rest of the daemon write and read the security record, and never wait for a disk?

What is submitted stands in a queue in memory until it is on disk; only then is its future resolved,
and only then may anybody call it recorded (invariant 4). A disk that is full, read-only or gone
stops nothing but that: the queue keeps its order and is tried again each second, what no longer
fits in it is counted, and the count becomes an entry in the place where the lost ones would have
stood (invariant 5).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from daemon.errors import RecordError
from daemon.record import aftermath, checkpoint, codec, comparison, fold, keys
from daemon.record.cosignature import Verifier
from daemon.record.directory import Directory
from daemon.record.entry import Draft, Entry, SealedPart, Stamp
from daemon.record.heads import segment_of
from daemon.record.pending import Pending
from daemon.record.reading import Reading
from daemon.record.scribe import Cosignature, Limits, Scribe
from daemon.record.trust import Identity
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Classification, Json
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.reader import Page, Query, Reader

PENDING_LIMIT = 10_000
"""Entries that may wait in memory for a disk."""
PENDING_LIMIT_BYTES = 64 * 1024 * 1024
"""Bytes of evidence among them."""
EVIDENCE_QUOTA_BYTES = 2048 * 1024 * 1024
"""Bytes of evidence in all segments together."""

MOST_UNPROVEN = 3
"""Heads by unknown keys that become entries, in one run."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RecordHealth:
    """How the record stands.

    Attributes:
        pending: Entries that are not on disk yet.
        oldest_pending_s: Since when the oldest of them waits, in seconds since boot.
        last_commit_s: When the disk last took entries, in seconds since boot; None: not since
            start.
        lost: Entries that found no room to wait in, since start.
        writable: False from a failure until all that waited is written. A disk that merely hangs
            shows in the age of the oldest that waits.
        reason: Why it is not writable.
        unsealable: Why nothing is sealed any more, though it is written; None: it is sealed.
    """

    pending: int
    oldest_pending_s: float | None
    last_commit_s: float | None
    lost: int
    writable: bool
    reason: str | None
    unsealable: str | None = None


class Record:
    """One ship's record. It belongs to one event loop, the disk to two threads of its own."""

    def __init__(
        self,
        directory: Path,
        *,
        origin: str,
        key: Ed25519PrivateKey,
        clock: Clock,
        entropy: Entropy,
        software: str,
        configuration: str,
        pending_limit: int = PENDING_LIMIT,
        pending_limit_bytes: int = PENDING_LIMIT_BYTES,
        evidence_quota_bytes: int = EVIDENCE_QUOTA_BYTES,
        find_key: Callable[[], Ed25519PrivateKey] | None = None,
        limits: Limits | None = None,
        copy_directory: Path | None = None,
        public_key_file: Path | None = None,
    ) -> None:
        """Touch nothing yet.

        Args:
            directory: Where the segments are; made when it is missing.
            origin: ``ispsd/<IMO>`` or ``demo/<IMO>``.
            key: What signs the checkpoints.
            clock: Times, ages and the retry.
            entropy: Salts.
            software: The version that writes.
            configuration: SHA-256 of the configuration, in hex.
            pending_limit: Entries that may wait in memory.
            pending_limit_bytes: Bytes of evidence that may wait with them.
            evidence_quota_bytes: Bytes of evidence that may be kept in all; what is more is left out.
            find_key: Where ``key`` is a placeholder: reads the right one, before anything is opened.
            limits: When a segment is full, and how long the first seal waits for a witness.
            copy_directory: Where the second copy is, from which a damaged segment is restored.
            public_key_file: The keys that verifiers are given: those before this one, too, count as the ship's own.
        """
        self._origin = origin
        self._clock = clock
        self._pending = Pending(
            limit=pending_limit, limit_bytes=pending_limit_bytes, quota_bytes=evidence_quota_bytes
        )
        self._reading = Reading(directory)
        self._directory = Directory(
            directory,
            Identity(origin, key, software, configuration),
            entropy,
            find_key=find_key,
            copy=copy_directory,
            public_key=public_key_file,
            most_entries=(limits.rotate_entries if limits else 0) + PENDING_LIMIT,
        )
        self._scribe = Scribe(
            self._directory,
            self._pending,
            self._reading,
            clock=clock,
            stamp=self._stamp,
            limits=limits,
        )
        self._unproven: set[tuple[str, int]] = set()
        self._allow: Callable[[Draft], None] = lambda _: None
        self._task: asyncio.Task[None] | None = None

    def on_commit(self, callback: Callable[[Entry], None]) -> None:
        """Have every entry told, in the loop and in the order of ``seq``, once it is on disk."""
        self._scribe.committed.add(callback)

    def on_seal(self, callback: Callable[[Checkpoint], None]) -> None:
        """Have every new checkpoint told, in the loop; the newest one also at start."""
        self._scribe.sealed.add(callback)

    def guard(self, allow: Callable[[Draft], None]) -> None:
        """Have every draft judged before it is taken; ``allow`` raises RefusedError for whoever wrote it."""
        self._allow = allow

    async def start(self) -> None:
        """Open the newest segment, or begin the record.

        Raises:
            RecordError: It cannot be opened now. What is submitted is kept in memory all the same,
                and opening is tried again each second until ``stop``.
        """
        try:
            await self._scribe.open()
        finally:
            self._task = asyncio.create_task(self._scribe.run(), name="record")

    async def stop(self) -> None:
        """Write and seal what can be, and close: the file is then whole without its log."""
        self._scribe.stop()
        if self._task is None:
            self._pending.give_up("the record was never opened")
        else:
            await self._task

    def submit(self, draft: Draft) -> asyncio.Future[Entry]:
        """Queue an entry; never waits. The future has the entry once it is on disk.

        It fails with a ``RecordError`` when the entry is lost: no room left to wait in, or stopped
        without a disk.

        Raises:
            RefusedError: A kind that only the SSO or the Master may write, by somebody else.
            EntryError: Not a draft that can become an entry.
        """
        prepared = codec.prepare(draft)
        self._allow(prepared)
        fold.project(prepared)
        future = self._pending.put(prepared, self._stamp(), now_s=self._clock.now_s())
        self._scribe.wake()
        return future

    def submit_together(self, drafts: Sequence[Draft]) -> list[asyncio.Future[Entry]]:
        """Queue entries without evidence that come on disk in one transaction: all of them, or none.

        Raises:
            RefusedError: As ``submit``; then none is queued.
            EntryError: As ``submit``; then none is queued.
        """
        prepared = [codec.prepare(draft) for draft in drafts]
        for each in prepared:
            self._allow(each)
            fold.project(each)
        found = self._pending.put_together(prepared, self._stamp(), now_s=self._clock.now_s())
        self._scribe.wake()
        return found

    def health(self) -> RecordHealth:
        """Return how the record stands at this moment."""
        return RecordHealth(
            pending=len(self._pending),
            oldest_pending_s=self._pending.oldest_s(),
            last_commit_s=self._scribe.last_commit_s,
            lost=self._pending.lost,
            writable=self._scribe.failure is None,
            reason=self._scribe.failure,
            unsealable=self._scribe.unsealable,
        )

    async def drained(self) -> None:
        """Wait until all that was submitted so far is on disk, or the disk is known to fail."""
        newest = self._pending.newest()
        if newest is None or self._scribe.failed.is_set():
            return
        failed = asyncio.ensure_future(self._scribe.failed.wait())
        await asyncio.wait((newest, failed), return_when=asyncio.FIRST_COMPLETED)
        failed.cancel()

    async def seal(self) -> Checkpoint:
        """Sign the head: everything that is on disk at this moment, at least.

        Raises:
            RecordError: The disk refuses.
        """
        return await self._scribe.seal()

    async def refresh(self) -> None:
        """See which segments are there now, and count the evidence again: one was moved elsewhere.

        Raises:
            RecordError: The disk refuses.
        """
        await self._scribe.refresh()

    async def rotate(self, reason: str) -> None:
        """Seal this segment and begin the next, which commits to its head and carries the state.

        Raises:
            RecordError: The disk refuses.
        """
        await self._scribe.rotate(reason)

    async def renew_key(self, key: Ed25519PrivateKey, reason: str) -> None:
        """Begin the next segment under a new key, with the word of the old one for it.

        Raises:
            RecordError: The disk refuses.
        """
        await self._scribe.renew_key(key, reason)

    async def part_from(self, note: str, told_by: str) -> bool:
        """Compare a head that somebody else holds with what is here; return whether it is of another history.

        Where it is newer, or not of the entries that are here, nothing is sealed under this segment's origin again: the
        next segment begins and says so.

        Raises:
            RecordError: Not signed by this key, or the disk refuses.
        """
        origin = note.partition("\n")[0]
        if origin.rpartition("/")[0] != self._origin:
            raise RecordError(f"a head of {origin[:80]!r}, not of {self._origin}")
        try:
            head = checkpoint.opened(note, self._directory.public_key(), origin=origin)
        except RecordError:
            head = await self._signed_before_or_after(note, told_by, origin=origin)
        return await self._scribe.part_from(head, told_by)

    async def _signed_before_or_after(self, note: str, told_by: str, *, origin: str) -> Checkpoint:
        """Return a head that another key of this ship signed: one before or after the key of now.

        A key that was replaced counts for the segments that were signed with it, and no other.
        One of a later segment than ours, by a key that nobody here knows, may be of the ship's next key, and then this
        record is from before the change; it may be anybody's as well. It moves nothing, and is entered: once each,
        and only a few in a run, whatever a hostile broker sends.

        Raises:
            RecordError: No key that is known here signed it.
        """
        worker = Worker("record-keys")
        try:
            known = await worker.call(self._directory.known_keys)
            replaced = await worker.call(self._directory.replaced_keys)
        finally:
            worker.finish()
        head = checkpoint.unverified(note)
        for key in known:
            with suppress(RecordError):
                checkpoint.opened(note, key, origin=origin)
                raw = key.public_bytes_raw()
                asked = partial(_may_have_signed, segment_of(head) or 0, raw)
                # Who stole a key that was replaced cannot go on with it (as for a witness).
                if raw not in replaced or await self._reading.ask(asked):
                    return head
                break
        seen, ours = (head.origin, head.size), self._scribe.segment_number
        if (
            (segment_of(head) or 0) > ours > 0
            and seen not in self._unproven
            and len(self._unproven) < MOST_UNPROVEN
        ):
            self._unproven.add(seen)
            self.submit(aftermath.unproven(head, told_by=told_by, ours=ours))
        raise RecordError(
            f"the head of {origin} at {head.size} is not signed by this key, nor by another one that is known here"
        )

    def fingerprint(self) -> str:
        """Return what people compare of the key that signs now."""
        return checkpoint.fingerprint(self._directory.public_key())

    def met_witnesses(self) -> None:
        """Say that whoever may hold a newer head was asked: the first seal after the start need not wait any longer."""
        self._scribe.met_witnesses()

    def set_cursor(self, name: str, value: int) -> None:
        """Keep a number; written with the next transaction, within about a second."""
        self._scribe.set_cursor(name, value)

    async def cursor(self, name: str) -> int | None:
        """Return a number that was kept; None if it never was."""
        if (fresh := self._scribe.cursors.get(name)) is not None:
            return fresh
        return await self._reading.ask(lambda reader: reader.cursor(name))

    async def events(self, after_bseq: int, limit: int) -> list[Entry]:
        """Return entries of class ``watch`` in the order of their ``bseq``."""
        return await self._reading.ask(lambda reader: reader.events(after_bseq, limit))

    async def entries(self, query: Query) -> list[Entry]:
        """Return what a query asks for, in the order of ``seq``."""
        return await self._reading.ask(lambda reader: reader.entries(query))

    async def page(self, query: Query) -> Page:
        """Return some of what a query asks for, after a search that is bounded in work and in bytes."""
        return await self._reading.ask(lambda reader: reader.page(query))

    async def study(self) -> bool:
        """Make searches by time fast, in a step of some milliseconds; return whether there is more to do."""
        return await self._reading.ask(lambda reader: reader.study())

    async def about(self, subjects: Sequence[str], *, after: int) -> list[tuple[int, str, str]]:
        """Return number, type and subject of later entries about one of these, in the order of ``seq``; the newest."""
        return await self._reading.ask(lambda reader: reader.about(subjects, after=after))

    async def counts(self, first: int, last: int) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many entries of each kind, and results of each outcome, stand between two numbers."""
        return await self._reading.ask(lambda reader: reader.counts(first, last))

    def evidence_used(self) -> tuple[int, int]:
        """Return the bytes of evidence that are kept, and how many there may be."""
        return self._pending.kept_bytes, self._pending.quota_bytes

    async def state(self, kind: str) -> dict[str, Mapping[str, Json]]:
        """Return what is true now of one kind of thing, by its id, as far as it is on disk."""
        return await self._reading.ask(lambda reader: reader.state(kind))

    async def part(self, seq: int, classification: Classification) -> dict[str, Json] | None:
        """Return what an entry says to one class only."""
        return await self._reading.ask(lambda reader: reader.part(seq, classification))

    async def sealed_part(self, seq: int, classification: Classification) -> SealedPart | None:
        """Return the same with its salt."""
        return await self._reading.ask(lambda reader: reader.sealed_part(seq, classification))

    async def evidence(self, sha256: str) -> bytes | None:
        """Return a piece of evidence."""
        return await self._reading.ask(lambda reader: reader.evidence(sha256))

    def ship(self) -> Verifier:
        """Return our prefix and the key that signs now."""
        identity = self._scribe.identity
        return Verifier(identity.origin, identity.key.public_key(), checkpoint.ED25519)

    async def cosigned(self, segment: int, size: int, name: str, line: str) -> bool:
        """Keep a witness's line under a checkpoint; return False where that segment is closed already.

        Raises:
            RecordError: The disk refuses.
        """
        return await self._scribe.cosigned(Cosignature(segment, size, name, line))

    async def ask(self, question: Callable[[Reader], _T]) -> _T:
        """Return the reader's answer to a question that takes less than a second.

        Raises:
            RecordError: The record cannot be read now.
        """
        return await self._reading.ask(question)

    def _stamp(self) -> Stamp:
        return Stamp(
            at=codec.utc_text(self._clock.utc()),
            clock=self._clock.status(),
            up_ms=int(self._clock.now_s() * 1000),
            boot=self._clock.boot_id(),
        )


def _may_have_signed(segment: int, key: bytes, reader: Reader) -> bool:
    """Return whether a key that was replaced may have signed heads of a segment.

    A segment that is here names its key; one from before all that are here may have had any of the ship's.
    """
    first = comparison.opening(segment, reader)
    if first is not None:
        return keys.public_bytes(str(first.open.get("key"))) == key
    oldest = reader.following(0)
    return oldest is not None and segment < oldest
