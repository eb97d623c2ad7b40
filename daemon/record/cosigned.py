"""What have witnesses signed of this record? The table of cosignatures, read in the reader thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.record import schema
from daemon.record.sqlite import number, store_errors, text

if TYPE_CHECKING:
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
    sql = (
        "SELECT cosignature.size, line, note FROM cosignature JOIN checkpoint USING (size) "
        "WHERE name = ? ORDER BY cosignature.size DESC LIMIT 1"
    )
    for segment in reversed(range(1, reader.newest() + 1)):
        found = reader.segment(segment)
        if found is None or not _has_table(*found):
            continue
        path, db = found
        with store_errors(path):
            row = db.execute(sql, (name,)).fetchone()
        if row is not None:
            return Signed(segment, number(row[0]), name, text(row[1]), text(row[2]))
    return None


def _has_table(path: Path, db: apsw.Connection) -> bool:
    with store_errors(path):
        return number(db.pragma("user_version")) > schema.FIRST_VERSION
