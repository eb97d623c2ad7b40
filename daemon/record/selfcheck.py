"""Does our own record still verify? The daily question, asked of the stand-alone verifier in a process of its own.

No other process opens the file that is being written: the verifier gets a copy of it as it is at one moment, and the
closed segments as they lie. It runs with the lowest priority and on a leash, and is believed only where its word and
its exit code agree (invariant 12). What anchors it is the newest checkpoint that somebody else holds; without one it
says INCONCLUSIVE.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import apsw

from daemon.errors import RecordError
from daemon.leash import leashed
from daemon.record import schema, verify
from daemon.record.sqlite import store_errors
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST_ANSWER: Final = 64 * 1024
COPY: Final = ".verify-"
"""How the folders of copies begin, inside the record's: one that a power cut left behind is removed at the next."""


async def verified(
    directory: Path,
    *,
    public_key: Path,
    anchors: Sequence[str] = (),
    witnesses: Sequence[str] = (),
) -> tuple[str, str]:
    """Verify the record; return PASS, FAIL or INCONCLUSIVE, and a sentence for people.

    Args:
        directory: The folder of the segments.
        public_key: The file of the key that verifies.
        anchors: Checkpoints that somebody else holds, as signed notes.
        witnesses: Public key lines of the ship's witnesses.
    """
    worker = Worker("record-copy")
    try:
        copies = _copies(directory, anchors)
        folder, notes = await worker.call(copies.__enter__)
        try:
            return await _ask(folder, notes, public_key, witnesses)
        finally:
            await worker.call(partial(copies.__exit__, None, None, None))
    except RecordError as err:
        return "INCONCLUSIVE", f"the record cannot be copied: {err}"
    finally:
        worker.finish()


@contextmanager
def _copies(directory: Path, anchors: Sequence[str]) -> Iterator[tuple[Path, list[Path]]]:
    """Give a folder that holds the record as it is now, and the files of the anchors."""
    with store_errors(directory):
        for left in directory.glob(f"{COPY}*"):
            shutil.rmtree(left, ignore_errors=True)
        place = Path(tempfile.mkdtemp(prefix=COPY, dir=directory))
    try:
        with store_errors(place):
            *closed, newest = sorted(directory.glob(schema.SEGMENT_GLOB))
            for path in closed:
                (place / path.name).symlink_to(path.resolve())
            _copy(newest, place / newest.name)
            notes = [place / f"anchor-{number}" for number in range(len(anchors))]
            for file, note in zip(notes, anchors, strict=True):
                file.write_text(note, "utf-8")
        yield place, notes
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
    folder: Path, notes: Sequence[Path], public_key: Path, witnesses: Sequence[str]
) -> tuple[str, str]:
    command = leashed(
        "nice",
        "-n",
        "19",
        sys.executable,
        "-I",
        str(Path(verify.__file__)),
        str(folder),
        "--json",
        "--key",
        str(public_key),
        *(word for note in notes for word in ("--anchor", str(note))),
        *(word for line in witnesses for word in ("--witness", line)),
    )
    try:
        running = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as err:
        return "INCONCLUSIVE", f"the verifier cannot be started: {err}"
    try:
        answer, _ = await running.communicate()
    finally:
        if running.returncode is None:
            with suppress(ProcessLookupError):
                running.kill()
            await running.wait()
    return judge(answer, running.returncode)


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
