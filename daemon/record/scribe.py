"""Who carries the queue to the disk? One task, which gives the writer thread one thing at a time.

Whatever is queued when the disk is free goes into one transaction (group commit). After any error
the segment is closed and opened anew, since nobody knows what a failed fsync left behind: entries
of the queue that are found on disk then are recorded, the rest is written again.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from daemon.computer import logs
from daemon.errors import RecordError
from daemon.model import ClockStatus
from daemon.record import aftermath, fold, schema
from daemon.record.heads import segment_of
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from daemon.computer.clock import Clock
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.directory import Directory
    from daemon.record.entry import Entry, Stamp
    from daemon.record.pending import Pending, Waiting
    from daemon.record.reading import Reading
    from daemon.record.segment import Segment
    from daemon.record.trust import Identity

BATCH = 512
"""Most entries in one transaction: beyond some hundred, a commit only gets longer."""
RETRY_S = 1.0
SEAL_AFTER_S = 60.0
"""The longest that an entry stands without a checkpoint over it."""
CURSOR_AFTER_S = 1.0
ROTATE_ENTRIES = 250_000
"""Entries after which the next segment begins: so many are copied and verified in seconds."""
ROTATE_YEARS = 1
YEAR_DAYS = 365
MOST_AHEAD = 500
"""Segments that a record can have lost: a head of a later one would use up their numbers, of which there are 9999."""
MOST_PARTINGS = 3
"""From outside, in one run: two computers with one key must not chase each other through the segments."""

_T = TypeVar("_T")
_log = logs.get("record")


class Cosignature(NamedTuple):
    """A witness's line, and under which checkpoint it stands."""

    segment: int
    size: int
    name: str
    line: str


class Listeners(Generic[_T]):
    """Who is told. In the loop, at once, one after the other, and whoever fails, fails alone."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[_T], None]] = []

    def add(self, callback: Callable[[_T], None]) -> None:
        self._callbacks.append(callback)

    def tell(self, news: _T) -> None:
        for callback in self._callbacks:
            try:
                callback(news)
            except Exception as err:  # noqa: BLE001 (as the loop does with a callback of its own)
                context = {"message": "a listener of the record failed", "exception": err}
                asyncio.get_running_loop().call_exception_handler(context)


@dataclass(frozen=True, slots=True)
class Limits:
    """When the next segment begins by itself, and how long the first seal after a start waits for a witness.

    Attributes:
        witness_s: 0: not at all. What is asked of ``seal`` waits as long.
    """

    rotate_entries: int = ROTATE_ENTRIES
    rotate_years: int = ROTATE_YEARS
    witness_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Turn:
    """A change to another segment that somebody waits for."""

    begin: Callable[[Segment, Stamp], Segment]
    seals: bool
    done: asyncio.Future[bool]


class Scribe:
    """The one writer of a record."""

    def __init__(
        self,
        directory: Directory,
        pending: Pending,
        reading: Reading,
        *,
        clock: Clock,
        stamp: Callable[[], Stamp],
        limits: Limits | None = None,
    ) -> None:
        self.committed: Listeners[Entry] = Listeners()
        self.sealed: Listeners[Checkpoint] = Listeners()
        self.failure: str | None = "not open"
        self.failed = asyncio.Event()
        self.last_commit_s: float | None = None
        self.cursors: dict[str, int] = {}
        """Those that are not on disk yet."""
        self._directory = directory
        self._pending = pending
        self._reading = reading
        self._clock = clock
        self._stamp = stamp
        self._thread = Worker("record-writer")
        self._segment: Segment | None = None
        self._refreshes: list[asyncio.Future[None]] = []
        self.unsealable: str | None = None
        """Why nothing is sealed any more in this run: too many partings."""
        self._next_seq: int | None = None
        self._announced: Checkpoint | None = None
        self._unsealed_since_s: float | None = None
        self._cursors_since_s: float | None = None
        self._seals: list[asyncio.Future[Checkpoint]] = []
        self._turns: list[_Turn] = []
        self._turn_due_s = -math.inf
        """Before that the oldest of them is not tried again: somebody reads the segment."""
        self._limits = limits or Limits()
        self._heads: list[tuple[Checkpoint, str, asyncio.Future[bool]]] = []
        self._partings = 0
        self._age_due_s = -math.inf
        """When to look at the calendar again: not at each entry."""
        self._held_until_s = math.inf if self._limits.witness_s else -math.inf
        """Nothing is sealed before that: who may hold a newer head is asked first, from when a segment is open on."""
        self._work = asyncio.Event()
        self._stopping = asyncio.Event()
        self._cosignatures: list[tuple[Cosignature, asyncio.Future[bool]]] = []

    @property
    def identity(self) -> Identity:
        """Whose record this is, with the key that signs it now."""
        return self._directory.identity

    async def open(self) -> None:
        """Open the newest segment, or begin one; resolve what turns out to be on disk.

        Raises:
            RecordError: It cannot be written or trusted; ``run`` tries again.
        """
        try:
            await self._open()
        except RecordError as err:
            await self._fail(err)
            raise
        self._recover()

    async def run(self) -> None:
        """Write what is queued, seal what is due, until ``stop``."""
        while True:
            try:
                await self._attend()
            except Exception as err:  # noqa: BLE001 (shown in the health and tried again: never a silent end)
                await self._fail(err)
            if self._stopping.is_set() and (self.failure is not None or not self._work.is_set()):
                break
            if self.failure is None:
                await self._clock.wait(self._work, self._idle_s())
            else:
                await self._clock.wait(self._stopping, RETRY_S)
        await self._close()

    @property
    def segment_number(self) -> int:
        """The number of the segment that is written; 0 while none is."""
        return 0 if self._segment is None else self._segment.number

    def stop(self) -> None:
        """Take nothing more; have ``run`` write what can be written, seal, close and return."""
        self._pending.close("the record is closed")
        self._stopping.set()
        self._work.set()

    def wake(self) -> None:
        """Say that something was queued."""
        self._work.set()

    async def cosigned(self, given: Cosignature) -> bool:
        """Keep a witness's line; return False where its segment is no longer the one that is written.

        Raises:
            RecordError: The disk refuses.
        """
        self._refuse_when_closed()
        request: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._cosignatures.append((given, request))
        self._work.set()
        return await request

    def set_cursor(self, name: str, value: int) -> None:
        """Keep a number with the next transaction, within about a second."""
        self.cursors[name] = value
        if self._cursors_since_s is None:
            self._cursors_since_s = self._clock.now_s()
            self._work.set()

    async def seal(self) -> Checkpoint:
        """Return a checkpoint over everything that is on disk now, at least.

        Raises:
            RecordError: The disk refuses.
        """
        self._refuse_when_closed()
        if self.unsealable is not None:
            raise RecordError(self.unsealable)
        request: asyncio.Future[Checkpoint] = asyncio.get_running_loop().create_future()
        self._seals.append(request)
        self._work.set()
        return await request

    async def rotate(self, reason: str) -> None:
        """Begin the next segment.

        Raises:
            RecordError: The disk refuses.
        """
        await self._turn(lambda at, stamp: self._directory.next(at, stamp, reason=reason))

    async def refresh(self) -> None:
        """Open the segments that are there now for reading, and count their evidence.

        Raises:
            RecordError: The disk refuses.
        """
        self._refuse_when_closed()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._refreshes.append(done)
        self._work.set()
        await done

    async def renew_key(self, key: Ed25519PrivateKey, reason: str) -> None:
        """Begin the next segment under a new key.

        Raises:
            RecordError: The disk refuses.
        """
        await self._turn(lambda at, stamp: self._directory.renew_key(at, stamp, key, reason=reason))

    async def part_from(self, head: Checkpoint, told_by: str) -> bool:
        """Begin the next segment where a head, which this key signed, is of more or of other entries than are here.

        Raises:
            RecordError: The disk refuses.
        """
        self._refuse_when_closed()
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._heads.append((head, told_by, done))
        self._work.set()
        return await done

    def met_witnesses(self) -> None:
        """Let the first seal be made: whoever may hold a newer head was asked."""
        self._held_until_s = -math.inf
        self._work.set()

    async def _turn(
        self, begin: Callable[[Segment, Stamp], Segment], *, seals: bool = True
    ) -> None:
        self._refuse_when_closed()
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._turns.append(_Turn(begin, seals, done))
        self._work.set()
        await done

    def _refuse_when_closed(self) -> None:
        if self._stopping.is_set():
            raise RecordError("the record is closed")

    async def _attend(self) -> None:
        """Do all that is due; only then is the record in order."""
        self._work.clear()
        if self._segment is None:
            await self._open()
        while True:
            await self._part_where_told()
            if not len(self._pending):
                self._pending.mark_gap(now_s=self._clock.now_s())
            # An older layout is closed before anything is added to it, as soon as it may be sealed.
            batch = self._pending.first(BATCH) if self._takes_entries() else []
            if batch:
                await self._append(batch)
            if self._must_seal():
                await self._seal()
            self._rotate_when_due()
            while self._turns and await self._turn_over():
                pass
            await self._refresh()
            if not batch and not (len(self._pending) and self._takes_entries()):
                break
        if self._cursors_due_s() <= self._clock.now_s():
            await self._write(lambda at, cursors: at.write_cursors(cursors))
        await self._cosign()
        self._recover()

    async def _open(self) -> None:
        await self._adopt(await self._thread.call(partial(self._directory.open, self._stamp())))

    def _opened(self) -> Segment:
        if self._segment is None:
            raise RecordError("the record is not open")
        return self._segment

    def _takes_entries(self) -> bool:
        return self._opened().layout >= schema.SCHEMA_VERSION or self.unsealable is not None

    async def _append(self, batch: Sequence[Waiting]) -> None:
        drafts = [(waiting.draft, waiting.stamp) for waiting in batch]
        self._settle(await self._write(lambda at, cursors: at.append(drafts, cursors)))
        await asyncio.sleep(0)  # what was just told goes out before the record is put in order

    async def _write(self, act: Callable[[Segment, Mapping[str, int]], _T]) -> _T:
        """Let the thread do one transaction, which takes the cursors along."""
        segment, cursors = self._opened(), dict(self.cursors)
        result = await self._thread.call(lambda: act(segment, cursors))
        for name, value in cursors.items():
            if self.cursors[name] == value:
                del self.cursors[name]
        self._cursors_since_s = self._clock.now_s() if self.cursors else None
        return result

    def _settle(self, entries: Sequence[Entry]) -> None:
        """Tell that the oldest of the queue are on disk: first the event's way, then those who wait for their own."""
        now_s = self._clock.now_s()
        for entry in entries:
            self._next_seq = entry.seq + 1
            self.last_commit_s = now_s
            own = entry.type == fold.SEGMENT_OPENED  # the segment's own, nobody waits for it
            future = None if own else self._pending.take().future
            self.committed.tell(entry)
            if future is not None and not future.done():
                future.set_result(entry)
        if entries and self._unsealed_since_s is None:
            self._unsealed_since_s = now_s

    def _must_seal(self) -> bool:
        now_s = self._clock.now_s()
        if now_s < self._held_until_s or self.unsealable is not None:
            return False
        due = self._stopping.is_set() or self._seal_due_s() <= now_s
        return bool(self._seals) or (
            due and self._segment is not None and self._segment.unsealed > 0
        )

    async def _seal(self) -> None:
        asked = len(self._seals)
        head = await self._write(lambda at, cursors: at.seal(cursors))
        self._unsealed_since_s = None
        for request in self._seals[:asked]:
            if not request.done():
                request.set_result(head)
        del self._seals[:asked]
        await self._announce(head)

    def _rotate_when_due(self) -> None:
        """Have the next segment begin where this one is long or old enough."""
        segment, limits, now_s = self._opened(), self._limits, self._clock.now_s()
        if self._turns or self._stopping.is_set() or now_s < self._held_until_s:
            return
        if self.unsealable is not None:
            return
        if segment.tree.size >= limits.rotate_entries:
            reason = f"{segment.tree.size} entries"
        elif segment.layout < schema.SCHEMA_VERSION:
            reason = f"layout {schema.SCHEMA_VERSION}"
        elif segment.software != (now := self.identity.software):
            # What another version wrote is sealed and closed before this one adds a line.
            reason = f"ispsd {now}, after {segment.software}"
        elif (
            now_s >= self._age_due_s and self._age_days(segment) >= limits.rotate_years * YEAR_DAYS
        ):
            reason = f"begun {segment.opened_at[:10]}"
        else:
            return
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda each: each.cancelled() or each.exception())  # nobody waits
        begin = partial(self._directory.next, reason=reason)
        self._turns.append(_Turn(begin, seals=True, done=done))

    def _age_days(self, segment: Segment) -> int:
        """Return how old a segment is by the calendar; 0 where the calendar is not known."""
        self._age_due_s = self._clock.now_s() + SEAL_AFTER_S
        if self._clock.status() is ClockStatus.UNSET or not segment.opened_at:
            return 0
        return (self._clock.utc() - datetime.fromisoformat(segment.opened_at)).days

    async def _turn_over(self) -> bool:
        """Change to the segment that somebody asked for; return False where it has to wait."""
        turn, now_s = self._turns[0], self._clock.now_s()
        if now_s < self._turns_due_s():
            return False
        if turn.seals and self.unsealable is not None:
            self._turns.pop(0)
            if not turn.done.done():
                turn.done.set_exception(RecordError(self.unsealable))
            return True
        if turn.seals:
            await self._seal()
        # A copy or a paper that is being made reads it: what is closed now would be left in its log.
        if not await self._thread.call(self._opened().moves_log):
            self._turn_due_s = now_s + RETRY_S
            return False
        await self._go_on(turn.begin)
        self._turns.pop(0)
        if not turn.done.done():
            turn.done.set_result(True)
        return True

    async def _refresh(self) -> None:
        while self._refreshes:
            await self._reading.pause()
            await self._read_anew()
            done = self._refreshes.pop(0)
            if not done.done():
                done.set_result(None)

    async def _part_where_told(self) -> None:
        while self._heads:
            await self._part()

    async def _part(self) -> None:
        """Compare the oldest head that was told, and part where it is not of this history."""
        head, told_by, done = self._heads[0]
        ahead = (segment_of(head) or 0) - self._opened().number
        if ahead > MOST_AHEAD:
            self._heads.pop(0)
            if not done.done():
                reason = f"{head.origin}: {ahead} segments behind the newest here: no ship has written so many"
                done.set_exception(RecordError(reason))
            return
        parts = await self._thread.call(partial(aftermath.parts, self._opened(), head))
        if parts and self._partings < MOST_PARTINGS:
            self._partings += 1
            await self._go_on(partial(self._directory.part, head=head, told_by=told_by))
            _log.error("record.parted", head=head.origin, size=head.size, told_by=told_by)
        elif parts and self.unsealable is None:
            self.unsealable = (
                f"parted {MOST_PARTINGS} times since the start, and {told_by} is again of another history of "
                f"{head.origin}: another computer signs with this ship's key. Nothing more is sealed until it is "
                "stopped and ispsd is started again"
            )
            _log.error("record.not_sealed", reason=self.unsealable)
        if self.unsealable is not None:
            self._refuse_seals(self.unsealable)
        self._heads.pop(0)
        if not done.done():
            done.set_result(parts)

    async def _go_on(self, begin: Callable[[Segment, Stamp], Segment]) -> None:
        """Change to the segment that follows."""
        segment = self._opened()
        await self._reading.pause()
        self._segment = None  # it is closed, whatever comes of the next
        await self._adopt(await self._thread.call(partial(begin, segment, self._stamp())))

    async def _adopt(self, segment: Segment) -> None:
        """Go on with a segment that was opened; never behind what was already called recorded."""
        known = self._next_seq
        if known is not None and segment.next_seq < known:
            await self._thread.call(segment.close)
            raise RecordError(f"{segment.path}: ends before entry {known - 1}, which was recorded")
        self._segment = segment
        if self._held_until_s == math.inf:
            self._held_until_s = self._clock.now_s() + self._limits.witness_s
        landed = await self._thread.call(partial(segment.entries_from, known or segment.next_seq))
        self._settle(landed if known else [segment.opening] if segment.opening else [])
        self._next_seq = segment.next_seq
        self._unsealed_since_s = self._clock.now_s() if segment.unsealed else None
        if segment.head is not None:
            await self._announce(segment.head)
        await self._read_anew()
        findings, self._directory.findings = self._directory.findings, []
        for finding in findings:
            self._pending.say(finding, self._stamp(), now_s=self._clock.now_s())

    async def _read_anew(self) -> None:
        await self._reading.reopen()
        self._pending.counted(await self._reading.ask(lambda reader: reader.evidence_bytes()))

    async def _announce(self, head: Checkpoint) -> None:
        if head != self._announced:
            self._announced = head
            self.sealed.tell(head)
            segment = self._opened()
            following = segment.next_seq, segment.next_bseq
            await self._thread.call(partial(self._directory.keep_head, head, following))

    async def _fail(self, error: Exception) -> None:
        """Let go of what cannot be relied on; one line in the log for each outage."""
        for _, asked in self._cosignatures:
            if not asked.done():
                asked.set_exception(RecordError(str(error)))
        self._cosignatures.clear()
        self._reading.resume()
        segment, self._segment = self._segment, None
        if segment is not None:
            self._directory.leave(segment, error)
            with contextlib.suppress(RecordError):
                await self._thread.call(segment.close)
        if not self.failed.is_set():
            _log.error("record.unwritable", reason=str(error), pending=len(self._pending))
        self.failure = str(error)
        self.failed.set()
        self._refuse_waiting(str(error))

    def _refuse_seals(self, reason: str) -> None:
        for request in self._seals:
            if not request.done():
                request.set_exception(RecordError(reason))
        self._seals.clear()

    def _refuse_waiting(self, reason: str) -> None:
        """Tell everybody who waits for a seal or another segment that it will not come."""
        requests: list[asyncio.Future[Any]] = [
            *self._seals,
            *self._refreshes,
            *(turn.done for turn in self._turns),
            *(done for _, _, done in self._heads),
        ]
        for request in requests:
            if not request.done():
                request.set_exception(RecordError(reason))
        self._seals.clear()
        self._refreshes.clear()
        self._turns.clear()
        self._heads.clear()

    def _recover(self) -> None:
        if self.failed.is_set():
            _log.info("record.writable", lost=self._pending.lost)
            self.failed.clear()
        self.failure = None

    async def _close(self) -> None:
        if waiting := len(self._pending):  # told, since it will stand nowhere else
            _log.error("record.given_up", entries=waiting, reason=self.failure)
        self._pending.give_up(self.failure or "the record is closed")
        self._refuse_waiting(self.failure or "the record is closed")
        await self._reading.close()
        try:
            if self._segment is not None:
                # Whoever reads it now finds its log beside it at the next start, as ispsd does.
                close = partial(self._segment.close, finish=True, patience_s=0.0)
                await self._thread.call(close)
        except RecordError as err:
            _log.error("record.unfinished", reason=str(err))
        await self._thread.call(self._directory.release)
        self._thread.finish()

    async def _cosign(self) -> None:
        """Keep the witnesses' lines that wait."""
        while self._cosignatures:
            given, request = self._cosignatures[0]
            segment = self._opened()
            is_open = segment.number == given.segment and segment.layout >= schema.WITH_COSIGNATURES
            if is_open:
                write = partial(segment.cosigned, given.size, given.name, given.line)
                await self._thread.call(write)
            self._cosignatures.pop(0)
            if not request.done():
                request.set_result(is_open)

    def _idle_s(self) -> float | None:
        """Return how long nothing will be due; None: until somebody comes."""
        due_s = min(self._seal_due_s(), self._cursors_due_s(), self._turns_due_s())
        if self._clock.now_s() < self._held_until_s:
            due_s = min(due_s, self._held_until_s)
        return None if due_s == math.inf else max(0.0, due_s - self._clock.now_s())

    def _turns_due_s(self) -> float:
        """Return when the oldest of the turns is tried: where it seals, a witness is asked first."""
        if not self._turns:
            return math.inf
        return max(self._turn_due_s, self._held_until_s if self._turns[0].seals else -math.inf)

    def _seal_due_s(self) -> float:
        if self.unsealable is not None:
            return math.inf
        due_s = (
            math.inf if self._unsealed_since_s is None else self._unsealed_since_s + SEAL_AFTER_S
        )
        return max(self._held_until_s, -math.inf if self._seals else due_s)

    def _cursors_due_s(self) -> float:
        if self._cursors_since_s is None:
            return math.inf
        return self._cursors_since_s + (0.0 if self._stopping.is_set() else CURSOR_AFTER_S)
