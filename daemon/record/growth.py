"""How is shown that the record only grew, without reading all of it again?

A head that was signed left its peaks beside it, and a tree's peaks and the entries behind them give every later tree:
a proof costs what was added since, not what was there before. Everything here blocks and belongs to the reader thread;
``ask`` of the record is called for one piece at a time, so that nobody waits long for the thread.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from daemon.errors import RecordError
from daemon.record import proofs
from daemon.record.merkle import Tree
from daemon.record.sqlite import blob, number, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from daemon.record.reader import Reader

PIECE: Final = 2000
"""Entries that are read in one go: some 20 ms."""
MOST_READ: Final = 2_000_000
"""Entries that one proof may cost; a minute of the reader's time, in pieces."""

_T = TypeVar("_T")


class Asked(Protocol):
    """The record, as far as it is asked here."""

    def ask(self, question: Callable[[Reader], _T]) -> Awaitable[_T]:
        """Return the reader's answer."""
        ...


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a segment goes."""

    first_seq: int
    size: int


def extent(segment: int, reader: Reader) -> Extent | None:
    """Return how far a segment goes; None where there is no such segment.

    Raises:
        RecordError: It cannot be read.
    """
    found = reader.segment(segment)
    if found is None:
        return None
    path, db = found
    with store_errors(path):
        # Each by itself is one step down the tree; both in one would read the whole table.
        row = db.execute(
            "SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) FROM entry)"
        ).fetchone()
    if row is None or row[0] is None:
        return None
    first, last = number(row[0]), number(row[1])
    return Extent(first, last - first + 1)


def sealed_note(segment: int, size: int, reader: Reader) -> str | None:
    """Return the checkpoint of exactly this size; None where none was made."""
    found = reader.segment(segment)
    if found is None:
        return None
    path, db = found
    with store_errors(path):
        row = db.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
    return text(row[0]) if row else None


def begun_utc(segment: int, reader: Reader) -> datetime | None:
    """Return when a segment was begun; None where there is no such segment.

    Raises:
        RecordError: It cannot be read.
    """
    found = reader.segment(segment)
    if found is None:
        return None
    path, db = found
    with store_errors(path):
        row = db.execute("SELECT at FROM entry ORDER BY seq LIMIT 1").fetchone()
    try:
        return datetime.fromisoformat(text(row[0])) if row else None
    except ValueError as err:
        raise RecordError(f"{path}: its first entry has no time: {err}") from err


async def tree(record: Asked, segment: int, size: int) -> Tree:
    """Return the tree of a segment's first entries, from the nearest head below and what stands between.

    Raises:
        RecordError: There are not so many, or they cannot be read.
    """
    known = await record.ask(partial(_nearest, segment, size))
    grown = await _grown(record, segment, known, known.size, size)
    if grown.size != size:
        raise RecordError(f"segment {segment} has no {size} entries")
    return grown


async def consistency(record: Asked, segment: int, old: int, size: int) -> tuple[bytes, ...]:
    """Return the proof that a segment's tree of ``size`` grew out of that of ``old`` (RFC 6962 2.1.2).

    Raises:
        RecordError: There are not so many entries, or they cannot be read, or it would take too long.
    """
    if old == 0:
        return ()
    _refuse_endless(segment, size - old)
    before = await tree(record, segment, old)
    peaks = dict(zip(_perfect(old), before.peaks, strict=True))
    wanted: list[tuple[int, int]] = []

    def note(begin: int, end: int) -> bytes:
        wanted.append((begin, end))
        return b""

    try:
        proofs.consistency(old, size, note)
    except ValueError as err:
        raise RecordError(f"segment {segment}: {err}") from err
    hashes = dict(peaks)
    for begin, end in wanted:
        if begin >= old:
            part = await _grown(record, segment, Tree(), begin, end)
            if part.size != end - begin:
                raise RecordError(f"segment {segment} has no {size} entries")
            hashes[begin, end] = part.root()
    return tuple(proofs.consistency(old, size, lambda begin, end: hashes[begin, end]))


async def _grown(record: Asked, segment: int, tree: Tree, begin: int, end: int) -> Tree:
    _refuse_endless(segment, end - begin)
    for piece, until in pairwise([*range(begin, end, PIECE), end]):
        tree = await record.ask(partial(_add, segment, tree, piece, until))
    return tree


def _refuse_endless(segment: int, count: int) -> None:
    if count > MOST_READ:
        raise RecordError(
            f"segment {segment}: {count} entries would have to be read, at most {MOST_READ} are"
        )


def _add(segment: int, tree: Tree, begin: int, end: int, reader: Reader) -> Tree:
    reach = extent(segment, reader)
    found = reader.segment(segment)
    if reach is None or found is None:
        raise RecordError(f"there is no segment {segment}")
    path, db = found
    with store_errors(path):
        rows = db.execute(
            "SELECT seq, body FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq",
            (reach.first_seq + begin, reach.first_seq + end),
        ).fetchall()
    for place, (seq, body) in enumerate(rows, reach.first_seq + begin):
        if seq != place:
            raise RecordError(f"{path}: entry {place} is missing")
        tree = tree.grown(text(body).encode())
    return tree


def _nearest(segment: int, size: int, reader: Reader) -> Tree:
    found = reader.segment(segment)
    if found is None:
        raise RecordError(f"there is no segment {segment}")
    path, db = found
    with store_errors(path):
        row = db.execute(
            "SELECT size, note, peaks FROM checkpoint WHERE size <= ? ORDER BY size DESC LIMIT 1",
            (size,),
        ).fetchone()
    if row is None:
        return Tree()
    # Peaks that rotted would make a false proof, and a false proof looks like a forged history.
    root = base64.b64encode(_peaks(path, row).root()).decode()
    if text(row[1]).split("\n")[2:3] != [root]:
        raise RecordError(f"{path}: the peaks beside the checkpoint at {row[0]} are damaged")
    return _peaks(path, row)


def _peaks(path: Path, row: tuple[object, ...]) -> Tree:
    try:
        return Tree.from_peaks(number(row[0]), blob(row[2]))
    except ValueError as err:
        raise RecordError(f"{path}: its checkpoint at {row[0]} is damaged: {err}") from err


def _perfect(size: int) -> Iterator[tuple[int, int]]:
    """Yield the perfect subtrees of a tree, the largest first: where its peaks stand."""
    begin = 0
    while begin < size:
        width = 1 << ((size - begin).bit_length() - 1)
        yield begin, begin + width
        begin += width
