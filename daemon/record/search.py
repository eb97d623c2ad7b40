"""Which entries does somebody want to read, and how long may the search for them take?

Every question looks at so many entries at most, then says where it stopped: so a search never holds a transaction for
long, whatever it is for, and whoever asked goes on from there. The schema's own indexes lead to the candidates, in the
order of ``seq``; what else is asked is read from their bodies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.model import Classification
from daemon.record.sqlite import number, text

if TYPE_CHECKING:
    import apsw

MOST_EXAMINED: Final = 20_000
"""Entries that one question looks at: some 60 ms on a ship's computer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which entries; what is None does not matter.

    Attributes:
        after: Only entries with a higher number.
        before: Only entries with a lower number.
        since: Not earlier than this time, as entries have it.
        until: Earlier than this time.
        person: Who did it, by name.
        newest_first: From the end backwards, as a page shows them.
    """

    after: int | None = None
    before: int | None = None
    since: str | None = None
    until: str | None = None
    kind: str | None = None
    type: str | None = None
    subject: str | None = None
    person: str | None = None
    classification: Classification | None = None
    newest_first: bool = False
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found in one segment.

    Attributes:
        bodies: The entries, in the order that was asked for.
        examined: How many were looked at.
        stopped_at: The last number that was looked at, where there may be more behind it; None: all was looked at.
    """

    bodies: list[str]
    examined: int
    stopped_at: int | None


def search(db: apsw.Connection, query: Query, *, limit: int, most_bytes: int, budget: int) -> Found:
    """Look through one segment."""
    low, high = _bounds(db, query)
    if low > high or limit <= 0 or budget <= 0:
        stopped = None if low > high else (high + 1 if query.newest_first else low - 1)
        return Found([], 0, stopped)
    source, led_by = _source(db, query, low, high, budget)
    order = "DESC" if query.newest_first else "ASC"
    inner = f"SELECT seq FROM entry {source} AND seq BETWEEN ? AND ? ORDER BY seq {order} LIMIT ?"  # noqa: S608 (our own words)
    values = (*led_by, low, high, budget)
    end = "min" if query.newest_first else "max"
    [(examined, last)] = db.execute(f"SELECT count(*), {end}(seq) FROM ({inner})", values)  # noqa: S608
    words, asked = _residual(query)
    rows = db.execute(
        f"SELECT entry.seq, entry.body FROM ({inner}) AS candidate "  # noqa: S608
        f"CROSS JOIN entry ON entry.seq = candidate.seq WHERE {words} ORDER BY candidate.seq {order} LIMIT ?",
        (*values, *asked, limit),
    )
    bodies: list[str] = []
    size = 0
    for seq, body in rows:
        bodies.append(text(body))
        size += len(bodies[-1].encode())
        if size >= most_bytes or len(bodies) == limit:
            return Found(bodies, number(examined), number(seq))
    more = number(examined) == budget
    return Found(bodies, number(examined), number(last) if more else None)


def where(query: Query) -> tuple[str, tuple[Any, ...]]:
    """Return the whole condition of a query at once, for a search without bounds."""
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
        _PERSON: query.person,
    }
    asked = {term: value for term, value in terms.items() if value is not None}
    words = list(asked)
    if query.classification is not None:
        shown = query.classification is Classification.WATCH
        words.append("bseq IS NOT NULL" if shown else "bseq IS NULL")
    return (" WHERE " + " AND ".join(words) if words else ""), tuple(asked.values())


_PERSON: Final = "json_extract(body, '$.actor.person') = ?"


def _bounds(db: apsw.Connection, query: Query) -> tuple[int, int]:
    """Return between which numbers there can be any; the times of a clock that was set back are not in their order."""
    [(first, last)] = db.execute(
        "SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) FROM entry)"
    )
    if first is None:
        return 1, 0
    low = max(number(first), 0 if query.after is None else query.after + 1)
    high = number(last) if query.before is None else min(number(last), query.before - 1)
    [(earliest, latest)] = db.execute(
        "SELECT (SELECT min(at) FROM entry), (SELECT max(at) FROM entry)"
    )
    if query.since is not None and query.since > text(earliest):
        [(seq,)] = db.execute(
            "SELECT min(seq) FROM entry INDEXED BY entry_by_at WHERE at >= ?", (query.since,)
        )
        if seq is None:
            return 1, 0
        low = max(low, number(seq))
    if query.until is not None and query.until <= text(latest):
        [(seq,)] = db.execute(
            "SELECT max(seq) FROM entry INDEXED BY entry_by_at WHERE at < ?", (query.until,)
        )
        if seq is None:
            return 1, 0
        high = min(high, number(seq))
    return low, high


def _source(
    db: apsw.Connection, query: Query, low: int, high: int, budget: int
) -> tuple[str, tuple[Any, ...]]:
    """Return the index that leads to the fewest candidates, and its value; without any, all entries are candidates."""
    choices: list[tuple[str, tuple[Any, ...]]] = [
        (f"INDEXED BY entry_by_{name} WHERE {name} = ?", (value,))
        for name, value in (
            ("subject", query.subject),
            ("type", query.type),
            ("kind", query.kind),
        )
        if value is not None
    ]
    if query.classification is Classification.SSO:
        choices.append(("INDEXED BY entry_of_sso WHERE bseq IS NULL", ()))
    if len(choices) <= 1:
        return choices[0] if choices else ("WHERE 1", ())
    counts = []
    for source, values in choices:
        sql = f"SELECT count(*) FROM (SELECT 1 FROM entry {source} AND seq BETWEEN ? AND ? LIMIT ?)"  # noqa: S608
        [(count,)] = db.execute(sql, (*values, low, high, budget))
        counts.append(number(count))
    return choices[counts.index(min(counts))]


def _residual(query: Query) -> tuple[str, tuple[Any, ...]]:
    """Return what must hold of a candidate; columns with a plus, so that no index is thought of again."""
    terms = {
        "+at >= ?": query.since,
        "+at < ?": query.until,
        "+kind = ?": query.kind,
        "+type = ?": query.type,
        "+subject = ?": query.subject,
        _PERSON: query.person,
    }
    asked = {term: value for term, value in terms.items() if value is not None}
    words = ["1", *asked]
    if query.classification is not None:
        shown = query.classification is Classification.WATCH
        words.append("+bseq IS NOT NULL" if shown else "+bseq IS NULL")
    return " AND ".join(words), tuple(asked.values())
