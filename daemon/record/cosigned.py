"""What have witnesses signed of this record? The table of cosignatures, read in the reader thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.record import schema
from daemon.record.sqlite import number, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import apsw

    from daemon.record.reader import Reader


@dataclass(frozen=True, slots=True)
class Signed:
    """A witness's line with the checkpoint that it stands under.

    Attributes:
        note: The checkpoint as the ship signed it.
    """

    segment: int
    size: int
    name: str
    line: str
    note: str


def lines(segment: int, size: int, reader: Reader) -> list[str]:
    """Return the lines of witnesses under one checkpoint, by their names.

    Raises:
        RecordError: They cannot be read.
    """
    found = reader.segment(segment)
    if found is None or not _has_table(*found):
        return []
    path, db = found
    with store_errors(path):
        rows = db.execute(
            "SELECT line FROM cosignature WHERE size = ? ORDER BY name", (size,)
        ).fetchall()
    return [text(line) for (line,) in rows]


def newest(name: str, reader: Reader) -> Signed | None:
    """Return what a witness signed last, in whichever segment; None: nothing yet.

    Raises:
        RecordError: It cannot be read.
    """
    return next(_of(name, "DESC", reader, reversed(range(1, reader.newest() + 1))), None)


def oldest(name: str, reader: Reader) -> Signed | None:
    """Return what a witness signed first in the newest segment in which it signed anything; None: nothing yet.

    Raises:
        RecordError: It cannot be read.
    """
    last = newest(name, reader)
    return None if last is None else next(_of(name, "ASC", reader, (last.segment,)), None)


def _of(name: str, order: str, reader: Reader, segments: Iterable[int]) -> Iterator[Signed]:
    sql = (
        "SELECT cosignature.size, line, note FROM cosignature JOIN checkpoint USING (size) "  # noqa: S608 (our own words)
        f"WHERE name = ? ORDER BY cosignature.size {order} LIMIT 1"
    )
    for segment in segments:
        found = reader.segment(segment)
        if found is None or not _has_table(*found):
            continue
        path, db = found
        with store_errors(path):
            rows = db.execute(sql, (name,)).fetchall()
        for size, line, note in rows:
            yield Signed(segment, number(size), name, text(line), text(note))


def _has_table(path: Path, db: apsw.Connection) -> bool:
    with store_errors(path):
        return number(db.pragma("user_version")) > schema.FIRST_VERSION
