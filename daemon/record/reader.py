"""What does the record say? Reading on connections of our own, in short transactions.

A long read would keep the write-ahead log from being emptied (it grows without bound), so every
question has a limit. Everything here blocks and belongs to the reader thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from daemon.errors import RecordError
from daemon.record import archive, codec, logbeside, schema, search
from daemon.record.damage import DamagedError
from daemon.record.entry import LARGEST_EVIDENCE_BYTES, SealedPart
from daemon.record.index import Index
from daemon.record.search import Query
from daemon.record.sqlite import blob, number, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from daemon.model import Classification, Json
    from daemon.record.entry import Entry

__all__ = ["MOST_ENTRIES", "Page", "Query", "Reader"]

MOST_ENTRIES = 1000
"""In one answer."""


MOST_ABOUT = 10_000
"""Entries about those of one page."""
PAGE_BYTES = 1024 * 1024
"""Of bodies in one page: an answer of the control socket is written by the loop, which must not wait for it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the entries that a query asks for.

    Attributes:
        entries: In the order that was asked for.
        next: Where the search goes on: ``before`` this number, or ``after`` it; None: there is no more.
    """

    entries: list[Entry]
    next: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """A head that covers an entry.

    Attributes:
        place: Of the entry in the tree, from 0.
        note: The head as a signed note.
    """

    place: int
    note: str


class Reader:
    """All segments of a record, the newest while it is being written."""

    def __init__(
        self,
        directory: Path,
        *,
        indexes: dict[Path, Index] | None = None,
        closed: bool = False,
    ) -> None:
        """Open what is there.

        Args:
            directory: Of the segments, or a single one.
            indexes: Those that another reader of this folder has made, and may use again.
            closed: Nobody writes it: a file that is whole without its log is opened so that nothing is put beside it,
                as on a disk that cannot be written.

        Raises:
            RecordError: The files cannot be opened.
        """
        self._segments: list[tuple[Path, apsw.Connection]] = []
        paths = sorted(directory.glob(schema.SEGMENT_GLOB)) if directory.is_dir() else [directory]
        if closed and not (paths and paths[0].is_file()):
            raise RecordError(f"{directory}: no segment of a record is there")
        try:
            for path in paths:
                is_whole = closed and not Path(f"{path}-wal").exists()
                newest = path == paths[-1] and not is_whole
                # What a reader kept from being moved into a closed one is read from its log.
                newest |= not closed and logbeside.stands_beside(path)
                with store_errors(path):
                    self._segments.append((path, _open(path, newest=newest)))
        except RecordError:
            self.close()
            raise
        self._indexes = {} if indexes is None else indexes
        for path, db in self._segments:
            self._indexes[path] = _index(self._indexes.get(path), path, db)
        self._firsts = [_first_seq(path, db) for path, db in self._segments]

    def events(self, after_bseq: int, limit: int) -> list[Entry]:
        """Return entries of class ``watch`` in the order of their ``bseq``."""

        def ask(_: Path, db: apsw.Connection, left: int) -> list[str]:
            rows = db.execute(
                "SELECT body FROM entry WHERE seq > ? AND bseq IS NOT NULL ORDER BY seq LIMIT ?",
                (_last_not_after(db, after_bseq), left),
            )
            return [text(body) for (body,) in rows]

        return self._gather(ask, limit, newest_first=False)

    def entries(self, query: Query) -> list[Entry]:
        """Return what a query asks for, in the order of ``seq``."""

        def ask(path: Path, db: apsw.Connection, left: int) -> list[str]:
            bodies: list[str] = []
            at: Query | None = query
            while at is not None and len(bodies) < left:
                seen = search.search(
                    db,
                    self._indexes[path],
                    at,
                    limit=left - len(bodies),
                    most_bytes=PAGE_BYTES,
                    budget=search.MOST_EXAMINED,
                )
                bodies += seen.bodies
                at = _from(query, seen.stopped_at)
            return bodies

        return self._gather(ask, query.limit, newest_first=query.newest_first)

    def page(self, query: Query) -> Page:
        """Return some of what a query asks for, after a search that is bounded in work and in bytes."""
        limit = max(1, min(query.limit, MOST_ENTRIES))
        budget, room = search.MOST_EXAMINED, PAGE_BYTES
        found: list[Entry] = []
        segments = self._between(query.after, query.before)
        for path, db in reversed(segments) if query.newest_first else segments:
            with store_errors(path):
                seen = search.search(
                    db,
                    self._indexes[path],
                    query,
                    limit=limit - len(found),
                    most_bytes=room,
                    budget=budget,
                )
            found.extend(codec.parse(body) for body in seen.bodies)
            if seen.stopped_at is not None:
                return Page(found, seen.stopped_at)
            budget -= seen.examined
            room -= seen.size
        return Page(found, None)

    def told(self, query: Query, *names: str) -> tuple[dict[int, tuple[str, ...]], int | None]:
        """Return by number when what a query means was entered and what it says in these fields, "" for nothing.

        As many are looked at as the query's limit says. Beside it stands where the search goes on, as ``page`` has it.
        """
        budget = min(search.MOST_EXAMINED, query.limit)
        found: dict[int, tuple[str, ...]] = {}
        segments = self._between(query.after, query.before)
        for path, db in reversed(segments) if query.newest_first else segments:
            with store_errors(path):
                seen = search.told(db, self._indexes[path], query, names, budget=budget)
            found.update(seen.by_seq)
            if seen.stopped_at is not None:
                return found, seen.stopped_at
            budget -= seen.examined
        return found, None

    def tally(self, first: int, last: int) -> dict[str, int]:
        """Return about how many entries of each kind stand between two numbers, by the index: to show, not to sign."""
        kinds: Counter[str] = Counter()
        for path, db in self._between(first - 1, last + 1):
            with store_errors(path):
                begin, end = search.ends(db)
                index = self._indexes[path]
                if index.is_whole(end):
                    kinds.update(index.counts("kind", max(first, begin), min(last, end)))
                else:
                    kinds.update(self.counts(max(first, begin), min(last, end))[0])
        return {kind: kinds[kind] for kind in sorted(kinds, key=_kind_order)}

    def head_over(self, seq: int) -> Head | None:
        """Return the first head that covers an entry; None while none was signed behind it."""
        for path, db in self._between(seq - 1, seq + 1):
            with store_errors(path):
                first, last = search.ends(db)
                if first <= seq <= last:
                    place = seq - first
                    rows = db.execute(
                        "SELECT note FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1", (place,)
                    ).fetchall()
                    return Head(place, text(rows[0][0])) if rows else None
        return None

    def study(self) -> bool:
        """Take some more entries into the indexes, so that a search gets fast; return whether there is more to do."""
        for path, db in self._segments:
            with contextlib.suppress(DamagedError), store_errors(path):
                if self._indexes[path].follow(db):
                    return True
        return False

    def about(self, subjects: Sequence[str], *, after: int) -> list[tuple[int, str, str]]:
        """Return number, type and subject of later entries about one of these, in the order of ``seq``; the newest."""
        found: list[tuple[int, str, str]] = []
        for path, db in reversed(self._between(after, None)):
            with store_errors(path):
                found += search.about(
                    db, self._indexes[path], subjects, after=after, limit=MOST_ABOUT - len(found)
                )
        return found[::-1]

    def counts(self, first: int, last: int) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many entries of each kind, and results of each outcome, stand between two numbers.

        They are counted in the entries themselves: what a person signs must not rest on an index.
        """
        kinds: Counter[str] = Counter()
        results: Counter[str] = Counter()
        for path, db in self._between(first - 1, last + 1):
            with store_errors(path):
                rows = db.execute(
                    "SELECT kind, CASE type WHEN 'test.result' "
                    "THEN coalesce(json_extract(body, '$.open.outcome'), 'none') END, count(*) "
                    "FROM entry WHERE seq BETWEEN ? AND ? GROUP BY 1, 2 ORDER BY 1, 2",
                    (first, last),
                )
                for kind, outcome, count in rows:
                    kinds[text(kind)] += number(count)
                    if outcome is not None:
                        results[str(outcome)] += number(count)
        return {kind: kinds[kind] for kind in sorted(kinds, key=_kind_order)}, dict(results)

    def evidence_bytes(self) -> int:
        """Return how many bytes of evidence there are, over all segments that can be read, before they were packed."""
        total = 0
        for path, db in self._segments:
            # A damaged segment is told by the daily verification; it must not keep the newest from being written.
            with contextlib.suppress(RecordError), store_errors(path):
                [(size,)] = db.execute("SELECT coalesce(sum(size), 0) FROM evidence").fetchall()
                total += number(size)
        return total

    def state(self, kind: str) -> dict[str, Mapping[str, Json]]:
        """Return what is true now of one kind of thing, by its id."""
        rows = self._newest("SELECT id, body FROM state WHERE kind = ? ORDER BY id", (kind,))
        return {text(name): codec.parse_object(text(body)) for name, body in rows}

    def cursor(self, name: str) -> int | None:
        """Return a cursor as last written; None if it never was."""
        rows = self._newest("SELECT value FROM cursor WHERE name = ?", (name,))
        return number(rows[0][0]) if rows else None

    def part(self, seq: int, classification: Classification) -> dict[str, Json] | None:
        """Return what an entry says to one class only."""
        rows = self._anywhere(
            "SELECT body FROM part WHERE seq = ? AND class = ?", (seq, classification.value)
        )
        return codec.parse_object(text(rows[0][0])) if rows else None

    def sealed_part(self, seq: int, classification: Classification) -> SealedPart | None:
        """Return the same with its salt, so that it can be held against the entry."""
        rows = self._anywhere(
            "SELECT salt, body FROM part WHERE seq = ? AND class = ?", (seq, classification.value)
        )
        return SealedPart(blob(rows[0][0]), text(rows[0][1])) if rows else None

    def evidence(self, sha256: str) -> bytes | None:
        """Return a piece of evidence.

        Raises:
            RecordError: It is damaged.
        """
        rows = self._anywhere("SELECT body FROM evidence WHERE sha256 = ?", (sha256,))
        if not rows:
            return None
        try:
            content = zlib.decompressobj().decompress(blob(rows[0][0]), LARGEST_EVIDENCE_BYTES + 1)
        except zlib.error as err:
            raise RecordError(f"evidence {sha256}: damaged: {err}") from err
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RecordError(f"evidence {sha256}: damaged: its hash is another")
        return content

    def newest(self) -> int:
        """Return the number of the newest segment; 0 where there is none."""
        return schema.segment_number(self._segments[-1][0].name) if self._segments else 0

    def following(self, number_: int) -> int | None:
        """Return the number of the first segment here behind a number; None where there is none."""
        found = (schema.segment_number(path.name) for path, _ in self._segments)
        return min((each for each in found if each > number_), default=None)

    def archived_head(self, number_: int) -> str | None:
        """Return the head of a segment that was archived; None where it was not.

        Raises:
            RecordError: The disk refuses.
        """
        folder = self._segments[0][0].parent if self._segments else None
        return None if folder is None else archive.archived_head(folder, number_)

    def segment(self, number_: int) -> tuple[Path, apsw.Connection] | None:
        """Return the file of a segment and the connection to it; None where it is not here."""
        wanted = schema.segment_name(number_)
        return next((each for each in self._segments if each[0].name == wanted), None)

    def close(self) -> None:
        for _, db in self._segments:
            db.close(force=True)
        self._segments.clear()

    def _gather(
        self,
        ask: Callable[[Path, apsw.Connection, int], list[str]],
        limit: int,
        *,
        newest_first: bool,
    ) -> list[Entry]:
        """Ask segment after segment for so many at most."""
        limit = max(0, min(limit, MOST_ENTRIES))
        found: list[Entry] = []
        for path, db in reversed(self._segments) if newest_first else self._segments:
            if len(found) == limit:
                break
            try:
                with store_errors(path):
                    bodies = ask(path, db, limit - len(found))
            except DamagedError:
                if db is self._segments[-1][1]:
                    raise
                continue  # an older segment; the record has an entry about it, and the others are read
            found.extend(codec.parse(body) for body in bodies)
        return found

    def _between(self, after: int | None, before: int | None) -> list[tuple[Path, apsw.Connection]]:
        """Return the segments that can hold such numbers: one that is damaged is not asked without need."""
        ends = [*self._firsts[1:], None]
        return [
            segment
            for segment, first, end in zip(self._segments, self._firsts, ends, strict=True)
            if (after is None or end is None or after + 1 < end)
            and (before is None or first is None or first < before)
        ]

    def _newest(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._first_answer(self._segments[-1:], sql, values)

    def _anywhere(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._first_answer(reversed(self._segments), sql, values)

    def _first_answer(
        self, segments: Iterable[tuple[Path, apsw.Connection]], sql: str, values: tuple[Any, ...]
    ) -> list[tuple[Any, ...]]:
        for path, db in segments:
            try:
                with store_errors(path):
                    if rows := db.execute(sql, values).fetchall():
                        return rows
            except DamagedError:
                if db is self._segments[-1][1]:
                    raise
        return []


def _open(path: Path, *, newest: bool) -> apsw.Connection:
    """Open for reading; a closed segment in a way that puts no file beside it."""
    name = path.absolute().as_uri() + ("" if newest else "?immutable=1")
    return apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _index(made: Index | None, path: Path, db: apsw.Connection) -> Index:
    """Return the index that was made of a segment, where that is still as it was."""
    with contextlib.suppress(RecordError), store_errors(path):
        if made is not None and made.goes_on(db):
            return made
    return Index()


def _last_not_after(db: apsw.Connection, bseq: int) -> int:
    """Return the number of the last entry up to which no ``bseq`` is later; they rise with the numbers."""
    low, high = search.ends(db)
    while low <= high:
        middle = (low + high) // 2
        row = db.execute(
            "SELECT bseq FROM entry WHERE seq <= ? AND bseq IS NOT NULL ORDER BY seq DESC LIMIT 1",
            (middle,),
        ).fetchone()
        if row is None or number(row[0]) <= bseq:
            low = middle + 1
        else:
            high = middle - 1
    return high


def _from(query: Query, stopped_at: int | None) -> Query | None:
    """Return the query from where a search stopped; None where it has come to its end."""
    if stopped_at is None:
        return None
    if query.newest_first:
        return replace(query, before=stopped_at)
    return replace(query, after=stopped_at)


def _first_seq(path: Path, db: apsw.Connection) -> int | None:
    """Return with which number a segment begins; None where it is damaged."""
    with contextlib.suppress(RecordError), store_errors(path):
        [(first,)] = db.execute("SELECT min(seq) FROM entry").fetchall()
        return None if first is None else number(first)
    return None


def _kind_order(kind: str) -> int:
    digits = kind.removeprefix(".")
    return int(digits) if digits.isdecimal() else 0
