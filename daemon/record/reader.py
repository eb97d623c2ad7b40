"""What does the record say? Reading on connections of our own, in short transactions.

A long read would keep the write-ahead log from being emptied (it grows without bound), so every
question has a limit. Everything here blocks and belongs to the reader thread.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apsw

from daemon.errors import RecordError
from daemon.model import Classification, Json
from daemon.record import codec, schema
from daemon.record.sqlite import blob, number, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from daemon.record.entry import Entry

MOST_ENTRIES = 1000
"""In one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which entries; what is None does not matter.

    Attributes:
        after: Only entries with a higher number.
        before: Only entries with a lower number.
        since: Not earlier than this time, as entries have it.
        until: Earlier than this time.
        newest_first: From the end backwards, as a page shows them.
    """

    after: int | None = None
    before: int | None = None
    since: str | None = None
    until: str | None = None
    kind: str | None = None
    type: str | None = None
    subject: str | None = None
    classification: Classification | None = None
    newest_first: bool = False
    limit: int = 100


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

    def events(self, after_bseq: int, limit: int) -> list[Entry]:
        """Return entries of class ``watch`` in the order of their ``bseq``."""
        sql = "SELECT body FROM entry WHERE bseq > ? ORDER BY bseq LIMIT ?"
        return self._gather(sql, (after_bseq,), limit, newest_first=False)

    def entries(self, query: Query) -> list[Entry]:
        """Return what a query asks for, in the order of ``seq``."""
        where, values = _where(query)
        order = "DESC" if query.newest_first else "ASC"
        sql = f"SELECT body FROM entry{where} ORDER BY seq {order} LIMIT ?"  # noqa: S608 (our own words)
        return self._gather(sql, values, query.limit, newest_first=query.newest_first)

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
            return zlib.decompress(blob(rows[0][0]))
        except zlib.error as err:
            raise RecordError(f"evidence {sha256}: damaged: {err}") from err

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
            with store_errors(path):
                rows = db.execute(sql, (*values, limit - len(found))).fetchall()
            found.extend(codec.parse(text(body)) for (body,) in rows)
        return found

    def _newest(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._first_answer(self._segments[-1:], sql, values)

    def _anywhere(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._first_answer(reversed(self._segments), sql, values)

    def _first_answer(
        self, segments: Iterable[tuple[Path, apsw.Connection]], sql: str, values: tuple[Any, ...]
    ) -> list[tuple[Any, ...]]:
        for path, db in segments:
            with store_errors(path):
                if rows := db.execute(sql, values).fetchall():
                    return rows
        return []


def _open(path: Path, *, newest: bool) -> apsw.Connection:
    """Open for reading; a closed segment in a way that puts no file beside it."""
    name = path.absolute().as_uri() + ("" if newest else "?immutable=1")
    return apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _where(query: Query) -> tuple[str, tuple[Any, ...]]:
    # Half of all entries are of one kind: a subject or a type leads to the few sooner, so the plus
    # keeps SQLite from that index when there is a better one.
    kind = "+kind = ?" if query.type or query.subject else "kind = ?"
    terms = {
        "seq > ?": query.after,
        "seq < ?": query.before,
        "at >= ?": query.since,
        "at < ?": query.until,
        kind: query.kind,
        "type = ?": query.type,
        "subject = ?": query.subject,
    }
    asked = {term: value for term, value in terms.items() if value is not None}
    words = list(asked)
    if query.classification is not None:
        shown = query.classification is Classification.WATCH
        words.append("bseq IS NOT NULL" if shown else "bseq IS NULL")
    return (" WHERE " + " AND ".join(words) if words else ""), tuple(asked.values())
