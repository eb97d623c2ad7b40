"""Is there a second copy of the record that verifies, on another medium, and not older than a day?

Each hour, and at stop, the newest segment is written out as it is at one moment, and it and every closed segment that
is not there yet are copied and verified by a process of their own (``copying``). A medium that is full, missing,
read-only or hung costs that process and nothing else. The record hears of changes only: the first copy, a copy that
failed, one that works again. A copy that knows more than the record is a witness that an older record was put back.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import apsw

from daemon.computer import logs
from daemon.computer.leash import leashed
from daemon.errors import RecordError
from daemon.model import Classification
from daemon.record import copying, schema, selfcheck
from daemon.record.entry import Draft
from daemon.record.reader import Query
from daemon.record.sqlite import store_errors
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.computer.clock import Clock
    from daemon.record.entry import Entry

EVERY_S: Final = 3600.0
OLD_AFTER_S: Final = 86400.0
LONGEST_S: Final = 1800.0
"""One segment on a slow stick; after that the medium counts as hung."""
DEEP_EVERY: Final = 24
"""Each so many copies, and at the first, what is there already is read again to the last byte."""
LEAST_FREE_BYTES: Final = 64 * 1024 * 1024
"""The record's own disk keeps so much for the record."""
AT_STOP_S: Final = 5.0
"""What the service manager's patience leaves for it."""
SNAPSHOT: Final = ".copy-"
"""How the folders of snapshots begin, inside the record's: one that a power cut left behind is removed at the next."""
RESTORE_TEST: Final = ".restore-test-"
"""How the folder of a restore test begins; a copy that is made meanwhile leaves it alone."""
LARGEST_ANSWER: Final = 64 * 1024
TOLD_BY: Final = "the second copy"
TOLD: Final = "record.copy"
"""The entry that says how it stands, where that has changed."""
FAILED: Final = "failed"
_log = logs.get("record.copy")


class Witnessed(Protocol):
    """The record, as far as copies speak to it."""

    def submit(self, draft: Draft) -> object:
        """Queue an entry."""
        ...

    async def entries(self, query: Query) -> Sequence[Entry]:
        """Return entries.

        Raises:
            RecordError: The record cannot be read.
        """
        ...

    async def part_from(self, note: str, told_by: str) -> bool:
        """Compare a head with the record."""
        ...


class AnotherHistoryError(RecordError):
    """A copy that is there knows more than the record, or something else: it is a witness, and stays."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the second copy stands.

    Attributes:
        good_utc: When the newest copy was verified; None: not since start.
        sealed: How many entries it holds sealed, over all segments that were copied in this run.
        failure: Why the last attempt failed; None where it did not.
    """

    good_utc: datetime | None = None
    sealed: int = 0
    failure: str | None = None


class Copier:
    """Has one segment after the other copied and verified by a process of its own, and outlives a medium that hangs."""

    def __init__(self, clock: Clock, *, public_key: Path) -> None:
        self._clock = clock
        self._public_key = public_key
        self._stuck: asyncio.Task[int] | None = None

    async def copied(
        self,
        source: Path,
        target: Path,
        *,
        limit_s: float = LONGEST_S,
        quick: bool = False,
        outside: Path | None = None,
        other_disk_than: Path | None = None,
    ) -> dict[str, Any]:
        """Copy and verify one segment; return what became of it, in the words of ``copying``.

        Args:
            source: A segment that nobody writes to.
            target: Where it shall be.
            limit_s: After that the medium counts as hung.
            quick: Believe a copy that is there by its head and its length.
            outside: The target must not lie in this folder, whatever links and mounts lead there.
            other_disk_than: The target must lie on another disk than this.

        Raises:
            RecordError: The process cannot be started, or hangs.
        """
        if self._stuck is not None and not self._stuck.done():
            raise RecordError(f"{target.parent}: the medium hangs since the last attempt")
        command = leashed(
            *(sys.executable, "-I", "-m", "daemon.record.copying", str(source), str(target)),
            *("--key", str(self._public_key)),
            *(("--quick",) if quick else ()),
            *(("--outside", str(outside)) if outside else ()),
            *(("--other-disk-than", str(other_disk_than)) if other_disk_than else ()),
        )
        try:
            running = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as err:
            raise RecordError(f"the copying process cannot be started: {err}") from err
        done = asyncio.Event()
        answering = asyncio.ensure_future(running.communicate())
        answering.add_done_callback(lambda _: done.set())
        try:
            if not await self._clock.wait(done, limit_s):
                raise RecordError(f"{target}: not copied within {limit_s:.0f} s; the medium hangs")
            return _answer(answering.result()[0])
        finally:
            if running.returncode is None:
                with suppress(ProcessLookupError):
                    running.kill()
                # A process that waits for a dead medium cannot be killed: it is left, and no other is sent after it.
                self._stuck = asyncio.ensure_future(running.wait())
            if not answering.done():
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)


class Copies:
    """The second copy of one record."""

    def __init__(
        self,
        record: Path,
        place: Path | None,
        *,
        public_key: Path,
        journal: Witnessed,
        clock: Clock,
        every_s: float = EVERY_S,
        may_share_disk: bool = False,
    ) -> None:
        """Touch nothing yet.

        Args:
            record: The folder of the segments.
            place: The folder of the copy; None: the ship has none.
            public_key: The file of the keys that verify.
            journal: The record itself, which hears of changes.
            clock: When an hour is over.
            every_s: How often it is copied, in seconds.
            may_share_disk: A copy on the record's own disk counts. Otherwise it is taken for the empty mount point of a
                medium that is not there.
        """
        self.standing = Standing()
        self.busy = False
        """Whether a copy is being made."""
        self._record = record
        self._place = place
        self._copier = Copier(clock, public_key=public_key)
        self._journal = journal
        self._clock = clock
        self._every_s = every_s
        self._may_share_disk = may_share_disk
        self._rounds = 0
        self._thread = Worker("record-snapshot")
        self._said: str | None = None
        self._failing_since_s: float | None = None

    @property
    def wanted(self) -> bool:
        """Whether the ship has a place for a second copy."""
        return self._place is not None

    def is_old(self) -> bool:
        """Tell whether no copy was made and verified for a day, however often ispsd was started meanwhile."""
        since_s = self._failing_since_s
        return self.wanted and since_s is not None and self._clock.now_s() - since_s >= OLD_AFTER_S

    async def take_up(self) -> None:
        """Take up from the record since when no copy could be made.

        Raises:
            RecordError: The record cannot be read.
        """
        for entry in await self._journal.entries(Query(type=TOLD, newest_first=True, limit=1)):
            if entry.open["what"] == FAILED:
                ago = self._clock.utc() - datetime.fromisoformat(entry.stamp.at)
                self._said = FAILED
                self._failing_since_s = self._clock.now_s() - max(0.0, ago.total_seconds())

    async def run(self) -> None:
        """Copy each hour, until cancelled."""
        while self.wanted:
            await self.copy()
            await self._clock.sleep(self._every_s)
        await asyncio.Event().wait()

    async def copy(self, *, limit_s: float = LONGEST_S) -> Standing:
        """Copy and verify all that is not there yet; return how the copy stands then."""
        if self._place is not None:
            self.busy = True
            try:
                sealed = await self._copy_all(self._place, limit_s)
                self.standing = Standing(self._clock.utc(), sealed)
                self._failing_since_s = None
            except (RecordError, OSError) as err:
                self.standing = replace(self.standing, failure=str(err))
                if self._failing_since_s is None:
                    self._failing_since_s = self._clock.now_s()
            finally:
                self.busy = False
            self._tell()
        return self.standing

    async def at_stop(self) -> None:
        """Copy once more what was written last; bounded in time, and tells nobody: the record is closed."""
        if self._place is not None:
            with suppress(RecordError, TimeoutError):
                async with asyncio.timeout(AT_STOP_S):  # the record's own disk may hang as well
                    await self._copy_all(self._place, AT_STOP_S)
        self.let_go()

    def let_go(self) -> None:
        """Copy no more."""
        self._thread.finish()

    async def _copy_all(self, place: Path, limit_s: float) -> int:
        """Copy every segment; return how many entries are sealed in the copies.

        Raises:
            RecordError: One cannot be copied, or does not verify.
        """
        quick = self._rounds % DEEP_EVERY != 0
        self._rounds += 1
        folder = await self._thread.call(self._snapshot)
        try:
            closed = await self._thread.call(partial(_segments, self._record))
            newest = await self._thread.call(partial(_newest_in, folder))
            sources = [*(path for path in closed if path.name != newest.name), newest]
            sealed, wrong = 0, None
            for source in sources:
                try:
                    sealed += await self._copied(source, place / source.name, limit_s, quick=quick)
                except AnotherHistoryError as err:  # it keeps no other segment from its copy
                    wrong = err
            if wrong is not None:
                raise wrong
            return sealed
        finally:
            await self._thread.call(partial(shutil.rmtree, folder, ignore_errors=True))

    def _snapshot(self) -> Path:
        """Write the newest segment out as it is now, on the record's own disk: no medium that hangs may hold a read."""
        with store_errors(self._record):
            for left in self._record.glob(f"{SNAPSHOT}*"):
                shutil.rmtree(left, ignore_errors=True)
            found = sorted(self._record.glob(schema.SEGMENT_GLOB))
            if not found:
                raise RecordError(f"{self._record}: there is nothing to copy")
            if (
                shutil.disk_usage(self._record).free
                < 2 * found[-1].stat().st_size + LEAST_FREE_BYTES
            ):
                raise RecordError(f"{self._record}: no room to write the newest segment out")
            folder = Path(tempfile.mkdtemp(prefix=SNAPSHOT, dir=self._record))
        try:
            with store_errors(found[-1]), closing(_reading(found[-1])) as db:
                db.execute("VACUUM INTO ?", (str(folder / found[-1].name),))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    async def _copied(self, source: Path, target: Path, limit_s: float, *, quick: bool) -> int:
        """Have one segment copied; return how many of its entries are sealed there.

        Raises:
            RecordError: It is not.
        """
        said = await self._copier.copied(
            source,
            target,
            limit_s=limit_s,
            quick=quick,
            outside=self._record,
            other_disk_than=None if self._may_share_disk else self._record,
        )
        match said.get("became"):
            case copying.COPIED | copying.SAME:
                sealed = said.get("sealed", 0)
                return sealed if isinstance(sealed, int) else 0
            case copying.NEWER | copying.OTHER:
                note = str(said.get("note"))
                with suppress(RecordError):  # of an older key, or damaged: it is told all the same
                    await self._journal.part_from(note, TOLD_BY)
                raise AnotherHistoryError(
                    f"{target.name}: the copy is of another or a longer history; it stays"
                )
            case _:
                raise RecordError(
                    str(said.get("reason", "the copying process did not answer"))[:400]
                )

    def _tell(self) -> None:
        """Write an entry where what is to be said has changed."""
        failed = self.standing.failure is not None
        word = FAILED if failed else "made" if self._said is None else "works again"
        if (failed, self._said) in {(True, FAILED), (False, "made"), (False, "works again")}:
            return
        self._said = word
        _log.log(
            30 if failed else 20, f"copy.{word.replace(' ', '_')}", reason=self.standing.failure
        )
        with suppress(RecordError):
            self._journal.submit(
                Draft(
                    kind="system",
                    type=TOLD,
                    subject="second copy",
                    classification=Classification.SSO,
                    open={
                        "what": word,
                        "place": str(self._place),
                        "sealed": self.standing.sealed,
                        "reason": self.standing.failure,
                    },
                )
            )


def _newest_in(folder: Path) -> Path:
    return _segments(folder)[-1]


def _segments(folder: Path) -> list[Path]:
    """Return the segments of a folder, the oldest first; none where it is gone.

    Raises:
        RecordError: The disk refuses.
    """
    with store_errors(folder):
        return sorted(folder.glob(schema.SEGMENT_GLOB))


def _reading(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)


def _answer(said: bytes) -> dict[str, Any]:
    """Return the copying process's answer; nothing where it is none."""
    try:
        answer = json.loads(said) if len(said) <= LARGEST_ANSWER else {}
    except ValueError:
        answer = {}
    return answer if isinstance(answer, dict) else {}


async def restore_test(
    place: Path,
    record: Path,
    *,
    public_key: Path,
    notes: Callable[[], Sequence[str]],
    copier: Copier,
) -> tuple[str, str, str | None]:
    """Fetch the whole second copy back and verify it; return the verifier's word, its sentence and the copy's head.

    Args:
        place: The second copy.
        record: The record's folder, on whose disk there is room.
        public_key: The file of the keys that verify.
        notes: Reads the heads that were given away, in a thread; those that the copy cannot know yet are left out.
        copier: Fetches.
    """
    thread = Worker("record-restore")
    folder: Path | None = None
    try:
        sources = await thread.call(partial(_segments, place))
        if not sources:
            return "INCONCLUSIVE", f"{place}: no copy is there", None
        folder = await thread.call(partial(_room_for, sources, record))
        for source in sources:
            said = await copier.copied(source, folder / source.name)
            if said.get("became") != copying.COPIED:
                return "FAIL", f"{source.name}: {said.get('reason')}", None
        head = await thread.call(partial(copying.head_of, folder / sources[-1].name))
        given = await thread.call(notes)
        anchors = [note for note in given if head is not None and _is_within(note, head)]
        word, sentence = await selfcheck.verified(folder, public_key=public_key, anchors=anchors)
    except (RecordError, OSError) as err:
        return "INCONCLUSIVE", str(err), None
    else:
        return word, sentence, head
    finally:
        if folder is not None:
            await thread.call(partial(shutil.rmtree, folder, ignore_errors=True))
        thread.finish()


def _room_for(sources: Sequence[Path], record: Path) -> Path:
    """Make the folder of a restore test, where the record's disk has room for it; one that was left behind goes.

    Raises:
        RecordError: There is no room: the record itself comes first (invariant 4).
    """
    with store_errors(record):
        for left in record.glob(f"{RESTORE_TEST}*"):
            shutil.rmtree(left, ignore_errors=True)
        # The verifier gets the newest one once more, as it does of the record.
        fetched = (*sources, sources[-1])
        needed = sum(source.stat().st_size for source in fetched) + LEAST_FREE_BYTES
        free, mega = shutil.disk_usage(record).free, 1024 * 1024
        if free < needed:
            raise RecordError(
                f"{record}: {free // mega} MB free, a restore test wants {needed // mega}: the record needs the room"
            )
        return Path(tempfile.mkdtemp(prefix=RESTORE_TEST, dir=record))


def _is_within(note: str, head: str) -> bool:
    """Tell whether a head is of what another one, both as they are written, already covers."""
    return _place_of(note) <= _place_of(head)


def _place_of(note: str) -> tuple[int, int]:
    lines = note.split("\n", 2)
    number = lines[0].rpartition("/")[2]
    size = lines[1] if len(lines) > 1 else ""
    return (int(number), int(size)) if number.isdecimal() and size.isdecimal() else (0, 0)


async def newest_head(place: Path, clock: Clock, *, limit_s: float) -> str | None:
    """Return the newest checkpoint of a copy, not yet believed; None where nothing is there or the medium hangs."""
    thread = Worker("record-copy-head")
    done = asyncio.Event()
    asking = asyncio.ensure_future(thread.call(partial(_newest_head, place)))
    asking.add_done_callback(lambda _: done.set())
    try:
        return asking.result() if await clock.wait(done, limit_s) else None
    except Exception:  # noqa: BLE001 (whatever is wrong with the copy, it is no witness)
        return None
    finally:
        asking.cancel()
        thread.finish()


def _newest_head(place: Path) -> str | None:
    found: Sequence[Path] = sorted(place.glob(schema.SEGMENT_GLOB))
    return copying.head_of(found[-1]) if found else None
