"""What does the record say? Reading on connections of our own, in short transactions.

A long read would keep the write-ahead log from being emptied (it grows without bound), so every
question has a limit. Everything here blocks and belongs to the reader thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apsw

from daemon.errors import RecordError
from daemon.record import codec, schema, search
from daemon.record.damage import DamagedError
from daemon.record.entry import KINDS, LARGEST_EVIDENCE_BYTES
from daemon.record.search import Query
from daemon.record.sqlite import blob, number, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

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


class Reader:
    """All segments of a record, the newest while it is being written."""

    def __init__(self, directory: Path) -> None:
        """Open what is there.

        Raises:
            RecordError: The files cannot be opened.
        """
        self._segments: list[tuple[Path, apsw.Connection]] = []
        paths = sorted(directory.glob(schema.SEGMENT_GLOB))
        try:
            for path in paths:
                with store_errors(path):
                    self._segments.append((path, _open(path, newest=path == paths[-1])))
        except RecordError:
            self.close()
            raise
        self._order = {path: search.Order() for path in paths}
        self._firsts = [_first_seq(path, db) for path, db in self._segments]

    def events(self, after_bseq: int, limit: int) -> list[Entry]:
        """Return entries of class ``watch`` in the order of their ``bseq``."""
        sql = "SELECT body FROM entry WHERE bseq > ? ORDER BY bseq LIMIT ?"
        return self._gather(sql, (after_bseq,), limit, newest_first=False)

    def entries(self, query: Query) -> list[Entry]:
        """Return what a query asks for, in the order of ``seq``."""
        where, values = search.where(query)
        order = "DESC" if query.newest_first else "ASC"
        sql = f"SELECT body FROM entry{where} ORDER BY seq {order} LIMIT ?"  # noqa: S608 (our own words)
        return self._gather(sql, values, query.limit, newest_first=query.newest_first)

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
                    self._order[path],
                    query,
                    limit=limit - len(found),
                    most_bytes=room,
                    budget=budget,
                )
            found.extend(codec.parse(body) for body in seen.bodies)
            if seen.stopped_at is not None:
                return Page(found, seen.stopped_at)
            budget -= seen.examined
            room -= sum(len(body.encode()) for body in seen.bodies)
        return Page(found, None)

    def study(self) -> bool:
        """Look at some more of the times, so that a search by time gets fast; return whether there is more to do."""
        for path, db in self._segments:
            with store_errors(path):
                if self._order[path].study(db):
                    return True
        return False

    def about(self, subjects: Sequence[str], *, after: int) -> list[tuple[int, str, str]]:
        """Return number, type and subject of later entries about one of these, in the order of ``seq``; the newest."""
        marks = ", ".join("?" * len(subjects))
        sql = f"SELECT seq, type, subject FROM entry WHERE subject IN ({marks}) ORDER BY seq DESC LIMIT ?"  # noqa: S608 (our own words)
        found: list[tuple[int, str, str]] = []
        for path, db in reversed(self._between(after, None)):
            with store_errors(path):
                rows = db.execute(sql, (*subjects, MOST_ABOUT - len(found))).fetchall()
            found += [(number(seq), text(type_), text(subject)) for seq, type_, subject in rows]
        return found[::-1]

    def counts(self, first: int, last: int) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many entries of each kind, and results of each outcome, stand between two numbers."""
        kinds: Counter[str] = Counter()
        results: Counter[str] = Counter()
        for path, db in self._segments:
            with store_errors(path):
                for kind in sorted(KINDS, key=_kind_order):
                    rows = db.execute(
                        "SELECT count(*) FROM entry INDEXED BY entry_by_kind "
                        "WHERE kind = ? AND seq BETWEEN ? AND ?",
                        (kind, first, last),
                    )
                    kinds[kind] += number(rows.fetchall()[0][0])
                rows = db.execute(
                    "SELECT coalesce(json_extract(body, '$.open.outcome'), 'none'), count(*) FROM entry "
                    "INDEXED BY entry_by_type WHERE type = 'test.result' AND seq BETWEEN ? AND ? "
                    "GROUP BY 1 ORDER BY 1",
                    (first, last),
                )
                for outcome, count in rows:
                    results[str(outcome)] += number(count)
        return {kind: count for kind, count in kinds.items() if count}, dict(results)

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

    def segment(self, number_: int) -> tuple[Path, apsw.Connection] | None:
        """Return the file of a segment and the connection to it; None where it is not here."""
        wanted = schema.segment_name(number_)
        return next((each for each in self._segments if each[0].name == wanted), None)

    def close(self) -> None:
        for _, db in self._segments:
            db.close(force=True)
        self._segments.clear()

    def _gather(
        self, sql: str, values: tuple[Any, ...], limit: int, *, newest_first: bool
    ) -> list[Entry]:
        limit = max(0, min(limit, MOST_ENTRIES))
        found: list[Entry] = []
        for path, db in reversed(self._segments) if newest_first else self._segments:
            if len(found) == limit:
                break
            try:
                with store_errors(path):
                    rows = db.execute(sql, (*values, limit - len(found))).fetchall()
            except DamagedError:
                if db is self._segments[-1][1]:
                    raise
                continue  # an older segment; the record has an entry about it, and the others are read
            found.extend(codec.parse(text(body)) for (body,) in rows)
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


def _first_seq(path: Path, db: apsw.Connection) -> int | None:
    """Return with which number a segment begins; None where it is damaged."""
    with contextlib.suppress(RecordError), store_errors(path):
        [(first,)] = db.execute("SELECT min(seq) FROM entry").fetchall()
        return None if first is None else number(first)
    return None


def _kind_order(kind: str) -> int:
    digits = kind.removeprefix(".")
    return int(digits) if digits.isdecimal() else 0
