"""Does our own record still verify? The daily question, asked of the stand-alone verifier in a process of its own.

No other process opens the file that is being written: the verifier gets a copy of it as it is at one moment, and the
closed segments as they lie. Copy and verifier have the lowest priority, of processor and disk, and the verifier is on a
leash; it is believed only where its word and its exit code agree (invariant 12). What anchors it is the newest
checkpoint that somebody else holds; without one it says INCONCLUSIVE.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import apsw

from daemon.computer.leash import LOWEST, idling, leashed
from daemon.errors import RecordError
from daemon.record import logbeside, schema, snapshot, verify
from daemon.record.sqlite import store_errors
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST_ANSWER: Final = 64 * 1024
COPY: Final = ".verify-"
"""How the folders of copies begin, inside the record's: one that a power cut left behind is removed at the next."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the verifier says.

    Attributes:
        word: PASS, FAIL or INCONCLUSIVE.
        first: The first entry that it has read; None where it does not say.
        last: The last one.
    """

    word: str
    sentence: str
    first: int | None = None
    last: int | None = None


async def verified(
    directory: Path,
    *,
    public_key: Path,
    anchors: Sequence[str] = (),
    witnesses: Sequence[str] = (),
) -> tuple[str, str]:
    """Verify the record; return PASS, FAIL or INCONCLUSIVE, and a sentence for people, as ``answer`` does."""
    said = await answer(directory, public_key=public_key, anchors=anchors, witnesses=witnesses)
    return said.word, said.sentence


async def answer(
    directory: Path,
    *,
    public_key: Path,
    anchors: Sequence[str] = (),
    witnesses: Sequence[str] = (),
    newest_only: bool = False,
) -> Answer:
    """Verify the record and return what the verifier says.

    Args:
        directory: The folder of the segments.
        public_key: The file of the key that verifies.
        anchors: Checkpoints that somebody else holds, as signed notes.
        witnesses: Public key lines of the ship's witnesses.
        newest_only: Read only the segment that is being written, and of those before it what it says of them.
    """
    worker = Worker("record-copy")
    try:
        await worker.call(_give_way)
        copies = _copies(directory, anchors, newest_only=newest_only)
        record, notes = await worker.call(copies.__enter__)
        try:
            return await _ask(record, notes, public_key, witnesses)
        finally:
            await worker.call(partial(copies.__exit__, None, None, None))
    except RecordError as err:
        return Answer("INCONCLUSIVE", f"the record cannot be copied: {err}")
    finally:
        worker.finish()


def closed_segments(directory: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return by what each closed segment is known again: name, size, time of its last change, number of its file.

    Whoever writes into one can put these back: they say when reading can wait, not that nothing was altered.

    Raises:
        RecordError: The folder cannot be read.
    """
    with store_errors(directory):
        closed = sorted(directory.glob(schema.SEGMENT_GLOB))[:-1]
        found = ((path.name, path.stat()) for path in closed)
        return tuple((name, at.st_size, at.st_mtime_ns, at.st_ino) for name, at in found)


def _give_way() -> None:
    """Let this thread have the processor when nobody else wants it (Linux: niceness is a thread's)."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)


@contextmanager
def _copies(
    directory: Path, anchors: Sequence[str], *, newest_only: bool
) -> Iterator[tuple[Path, list[Path]]]:
    """Give the record as it is now, a folder or one segment, and the files of the anchors."""
    with store_errors(directory):
        for left in directory.glob(f"{COPY}*"):
            shutil.rmtree(left, ignore_errors=True)
        place = Path(tempfile.mkdtemp(prefix=COPY, dir=directory))
    try:
        with store_errors(place):
            *closed, newest = sorted(directory.glob(schema.SEGMENT_GLOB))
            copied = [newest]
            for path in () if newest_only else closed:
                if logbeside.stands_beside(path):
                    copied.append(path)
                else:
                    (place / path.name).symlink_to(path.resolve())
            snapshot.must_fit(copied, place)
            for path in copied:
                _copy(path, place / path.name)
            notes = [place / f"anchor-{number}" for number in range(len(anchors))]
            for file, note in zip(notes, anchors, strict=True):
                file.write_text(note, "utf-8")
        yield place / newest.name if newest_only else place, notes
    except ValueError as err:  # no segment at all
        raise RecordError(f"{directory}: {err}") from err
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _copy(segment: Path, place: Path) -> None:
    db = apsw.Connection(str(segment), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        db.execute("VACUUM INTO ?", (str(place),))
    finally:
        db.close(force=True)


async def _ask(
    record: Path, notes: Sequence[Path], public_key: Path, witnesses: Sequence[str]
) -> Answer:
    verifier = (
        *(sys.executable, "-I", str(Path(verify.__file__)), str(record), "--json"),
        *("--key", str(public_key)),
        *(word for note in notes for word in ("--anchor", str(note))),
        *(word for line in witnesses for word in ("--witness", line)),
    )
    command = leashed(*idling(*verifier))
    try:
        running = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as err:
        return Answer("INCONCLUSIVE", f"the verifier cannot be started: {err}")
    try:
        said, _ = await running.communicate()
    finally:
        if running.returncode is None:
            with suppress(ProcessLookupError):
                running.kill()
            await running.wait()
    word, sentence = judge(said, running.returncode)
    return Answer(word, sentence, *_extent(said))


def judge(answer: bytes, code: int | None) -> tuple[str, str]:
    """Return the verifier's word and sentence, where its answer, its word and its exit code fit each other."""
    broken = "INCONCLUSIVE", f"the verifier did not end as it should (exit code {code})"
    if len(answer) > LARGEST_ANSWER:
        return broken
    try:
        said: dict[str, Any] = json.loads(answer)
        word = str(said["verdict"])
        if verify.EXIT[word] != code:
            return broken
        return word, _sentence(said, word)
    except (ValueError, KeyError, TypeError):
        return broken


def _extent(answer: bytes) -> tuple[int | None, int | None]:
    """Return the first and the last entry that were read; none where it does not say."""
    try:
        said = json.loads(answer[:LARGEST_ANSWER])
        first, entries = said["first_entry"], said["entries"]
        return int(first), int(first) + int(entries) - 1
    except (ValueError, KeyError, TypeError):
        return None, None


def _sentence(said: dict[str, Any], word: str) -> str:
    if word == "FAIL":
        bad = said["first_bad_entry"]
        return str(said["failure"]) + ("" if bad is None else f"; first bad entry {bad}")
    if word == "INCONCLUSIVE":
        return "; ".join(map(str, said["doubts"])) or "nothing was proven"
    return (
        f"unaltered since {said['unaltered_since']}; "
        f"the last {said['without_witness']} entries have no outside witness yet"
    )
