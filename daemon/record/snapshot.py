"""How does somebody read the whole record while it goes on being written? From a snapshot in a folder of its own.

No other process opens the file that is being written. The newest segment is copied as it is at one moment; closed ones
never change, so a hard link is enough, and where the disk has none, a copy.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw

from daemon.errors import RecordError
from daemon.record import logbeside, schema
from daemon.record.sqlite import number, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ROOM_BYTES: Final = 64 * 1024 * 1024
"""What must stay free beside a snapshot: the record itself comes first (invariant 4)."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest checkpoint of a folder of segments, as it stands there; who believes it verifies it.

    Attributes:
        first_seq: Of the segment's first entry.
    """

    origin: str
    size: int
    first_seq: int
    note: str


def take(directory: Path, place: Path, *, resting: bool = False) -> None:
    """Make a snapshot of a record in a new folder that nobody else may read.

    Args:
        directory: The folder of the segments.
        place: The new folder.
        resting: Nobody writes it (``at_rest``): it is copied as it lies, so that looking leaves nothing beside it.

    Raises:
        RecordError: No record, no room, or the disk refuses; then there is no such folder.
    """
    paths = sorted(directory.glob(schema.SEGMENT_GLOB))
    if not paths:
        raise RecordError(f"{directory}: there is no segment")
    with store_errors(place):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        same_disk = place.parent.stat().st_dev == paths[0].stat().st_dev
        must_fit(paths[-1:] if same_disk else paths, place.parent)
        place.mkdir(mode=0o700)
    try:
        with store_errors(place):
            for path in paths[:-1]:
                if not logbeside.stands_beside(path):
                    _link(path, place / path.name)
                else:
                    (_copy_resting if resting else _copy)(path, place / path.name)
            (_copy_resting if resting else _copy)(paths[-1], place / paths[-1].name)
    except RecordError:
        shutil.rmtree(place, ignore_errors=True)
        raise


def head(folder: Path) -> Head:
    """Return the newest checkpoint of a folder that nobody writes.

    Raises:
        RecordError: Nothing in it is sealed, or it cannot be read.
    """
    for path in sorted(folder.glob(schema.SEGMENT_GLOB), reverse=True):
        with store_errors(path):
            db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                row = db.execute(
                    "SELECT size, note, (SELECT min(seq) FROM entry) FROM checkpoint ORDER BY size DESC LIMIT 1"
                ).fetchone()
            finally:
                db.close(force=True)
        if row is not None:
            note = text(row[1])
            return Head(note.partition("\n")[0], number(row[0]), number(row[2]), note)
    raise RecordError(f"{folder}: nothing in it is sealed")


def holding(segments: Sequence[Path], seq: int) -> Path:
    """Return which segment of those that nobody writes holds an entry.

    Raises:
        RecordError: None does, or one cannot be read.
    """
    for path in segments:
        with store_errors(path):
            db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                found = db.execute("SELECT 1 FROM entry WHERE seq = ?", (seq,)).fetchone()
            finally:
                db.close(force=True)
        if found is not None:
            return path
    raise RecordError(f"entry {seq} is not in this record")


@contextmanager
def at_rest(directory: Path) -> Iterator[None]:
    """Hold a record that nobody writes: no daemon may begin while it is read.

    Raises:
        RecordError: A daemon writes it, or it is not there.
    """
    with store_errors(directory):
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as err:
            raise RecordError(f"{directory}: {err.strerror or err}") from err
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as err:
            os.close(descriptor)
            raise RecordError(
                f"{directory}: ispsd is writing this record; ask it, without --record"
            ) from err
    try:
        yield
    finally:
        os.close(descriptor)


def must_fit(copied: Sequence[Path], folder: Path) -> None:
    """Refuse to copy segments where the disk has no room for them beside the record.

    Raises:
        RecordError: It has not.
        OSError: The disk refuses to say.
    """
    needed = sum(path.stat().st_size + _log_bytes(path) for path in copied) + ROOM_BYTES
    if (free := shutil.disk_usage(folder).free) < needed:
        mega = 1024 * 1024
        raise RecordError(
            f"{folder}: {free // mega} MB free, a snapshot wants {needed // mega}: the record needs the room itself"
        )


def _log_bytes(path: Path) -> int:
    log = path.with_name(f"{path.name}-wal")
    return log.stat().st_size if log.exists() else 0


def _link(path: Path, place: Path) -> None:
    try:
        place.hardlink_to(path)
    except OSError:  # another disk, or one without hard links
        shutil.copyfile(path, place)


def _copy(segment: Path, place: Path) -> None:
    db = apsw.Connection(str(segment), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        db.execute("VACUUM INTO ?", (str(place),))
    finally:
        db.close(force=True)
    place.chmod(0o600)


def _copy_resting(segment: Path, place: Path) -> None:
    """Copy a segment with the log that a power cut may have left beside it, and move that log into the copy."""
    shutil.copyfile(segment, place)
    log = segment.with_name(f"{segment.name}-wal")
    if log.exists():
        shutil.copyfile(log, place.with_name(f"{place.name}-wal"))
    place.chmod(0o600)
    db = apsw.Connection(str(place), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.execute("PRAGMA journal_mode = DELETE")
    finally:
        db.close(force=True)
