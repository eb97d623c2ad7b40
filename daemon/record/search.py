"""Which entries does somebody want to read, and how long may the search for them take?

Every question looks at so many entries at most, then says where it stopped: so a search never holds a transaction for
long, whatever it is for, and whoever asked goes on from there. The schema's own indexes lead to the candidates, in the
order of ``seq``; what else is asked is read from their bodies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.model import Classification
from daemon.record import schema
from daemon.record.sqlite import number, text

if TYPE_CHECKING:
    import apsw

MOST_EXAMINED: Final = 5_000
"""Entries that one question looks at: some 25 ms on a small computer."""
MOST_STUDIED: Final = 50_000
"""Rows of an index that one step of ``Order.study`` looks at."""


class Order:
    """Whether the times of a segment are in the order of its numbers: they are unless a clock was set back.

    Then a time leads to a number at once; else to all numbers at which there can be such a time.
    """

    def __init__(self) -> None:
        self._counted = 0
        self._at = ""
        self._seq = 0
        self._is_broken = False

    def study(self, db: apsw.Connection) -> bool:
        """Look at some more of the times; return whether there is more to look at."""
        if self._is_broken:
            return False
        [(count, at, seq, in_order)] = db.execute(
            "SELECT count(*), max(at), max(seq), min(seq > before) FROM ("
            "SELECT at, seq, lag(seq, 1, ?) OVER (ORDER BY at, seq) AS before FROM ("
            "SELECT at, seq FROM entry INDEXED BY entry_by_at WHERE at >= ? AND (at > ? OR seq > ?) "
            "ORDER BY at, seq LIMIT ?))",
            (self._seq, self._at, self._at, self._seq, MOST_STUDIED),
        )
        if not count:
            return False
        self._is_broken = not in_order
        self._counted += number(count)
        self._at, self._seq = text(at), number(seq)
        return number(count) == MOST_STUDIED and not self._is_broken

    def holds(self, size: int) -> bool:
        """Return whether all times of a segment of so many entries were seen, and are in order."""
        return not self._is_broken and self._counted == size


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


def search(
    db: apsw.Connection, order: Order, query: Query, *, limit: int, most_bytes: int, budget: int
) -> Found:
    """Look through one segment."""
    low, high = _bounds(db, order, query)
    if low > high or limit <= 0 or budget <= 0:
        stopped = None if low > high else (high + 1 if query.newest_first else low - 1)
        return Found([], 0, stopped)
    words, asked = _residual(query)
    if not words:
        budget = min(budget, limit)
    candidates = _candidates(db, query, low, high, budget)
    direction = "DESC" if query.newest_first else "ASC"
    rows = db.execute(
        f"SELECT entry.seq, entry.body FROM ({candidates.sql}) AS candidate "  # noqa: S608 (our own words)
        "CROSS JOIN entry ON entry.seq = candidate.seq "
        f"WHERE {' AND '.join(['1', *words])} ORDER BY candidate.seq {direction} LIMIT ?",
        (*candidates.values, *asked, limit),
    )
    examined, last = candidates.count, candidates.last
    bodies: list[str] = []
    size = 0
    for seq, body in rows:
        bodies.append(text(body))
        size += len(bodies[-1].encode())
        if size >= most_bytes or len(bodies) == limit:
            return Found(bodies, examined, number(seq))
    return Found(bodies, examined, last if examined == budget else None)


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


def _bounds(db: apsw.Connection, order: Order, query: Query) -> tuple[int, int]:
    """Return between which numbers there can be any."""
    [(first, last)] = db.execute(
        "SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) FROM entry)"
    )
    if first is None:
        return 1, 0
    low = max(number(first), 0 if query.after is None else query.after + 1)
    high = number(last) if query.before is None else min(number(last), query.before - 1)
    if query.since is None and query.until is None:
        return low, high
    order.study(db)
    is_ordered = order.holds(number(last) - number(first) + 1)
    if query.since is not None:
        found = (
            "SELECT seq FROM entry INDEXED BY entry_by_at WHERE at >= ? ORDER BY at, seq LIMIT 1"
        )
        if not is_ordered:
            found = "SELECT min(seq) FROM entry INDEXED BY entry_by_at WHERE at >= ?"
        low = max(low, _one(db, found, query.since, none=number(last) + 1))
    if query.until is not None:
        found = "SELECT seq FROM entry INDEXED BY entry_by_at WHERE at < ? ORDER BY at DESC, seq DESC LIMIT 1"
        if not is_ordered:
            found = "SELECT max(seq) FROM entry INDEXED BY entry_by_at WHERE at < ?"
        high = min(high, _one(db, found, query.until, none=number(first) - 1))
    return low, high


def _one(db: apsw.Connection, sql: str, value: str, *, none: int) -> int:
    rows = db.execute(sql, (value,)).fetchall()
    return none if not rows or rows[0][0] is None else number(rows[0][0])


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Where entries that may be meant are found.

    Attributes:
        sql: Gives their numbers in the order that is asked for, at most as many as may be looked at.
        count: How many these are.
        last: The number of the last of them.
    """

    sql: str
    values: tuple[Any, ...]
    count: int
    last: int


def _candidates(db: apsw.Connection, query: Query, low: int, high: int, budget: int) -> _Candidates:
    """Return those of the index that leads to the fewest; without any, all entries are candidates."""
    sources: list[tuple[str, tuple[Any, ...]]] = [
        (f"INDEXED BY entry_by_{name} WHERE {name} = ?", (value,))
        for name, value in (
            ("subject", query.subject),
            ("type", query.type),
            ("kind", query.kind),
        )
        if value is not None
    ]
    if query.person is not None and _knows_persons(db):
        sources.append((f"INDEXED BY entry_by_person WHERE {_PERSON}", (query.person,)))
    if query.classification is Classification.SSO:
        sources.append(("INDEXED BY entry_of_sso WHERE bseq IS NULL", ()))
    direction, end = ("DESC", "min") if query.newest_first else ("ASC", "max")
    sql = f"SELECT seq FROM entry {{}} AND seq BETWEEN ? AND ? ORDER BY seq {direction} LIMIT ?"  # noqa: S608 (our own words)
    found = []
    for source, led_by in sources:
        inner, values = sql.format(source), (*led_by, low, high, budget)
        [(count, last)] = db.execute(f"SELECT count(*), {end}(seq) FROM ({inner})", values)  # noqa: S608
        found.append(_Candidates(inner, values, number(count), 0 if last is None else number(last)))
    if not found:  # numbers have no gaps
        count = min(budget, high - low + 1)
        last = high - count + 1 if query.newest_first else low + count - 1
        return _Candidates(sql.format("WHERE 1"), (low, high, budget), count, last)
    # Of two that have as many as may be looked at, the one whose last is further away has fewer in all.
    return min(found, key=lambda c: (c.count, c.last if query.newest_first else -c.last))


def _knows_persons(db: apsw.Connection) -> bool:
    """Return whether a segment has the index of persons; one of the first layout is read through."""
    return number(db.pragma("user_version")) > schema.FIRST_VERSION


def _residual(query: Query) -> tuple[list[str], tuple[Any, ...]]:
    """Return what must hold of a candidate; columns with a plus, so that no index is thought of again."""
    led = [name for name in ("subject", "type", "kind") if getattr(query, name) is not None]
    is_private = query.classification is Classification.SSO
    terms = {
        "+at >= ?": query.since,
        "+at < ?": query.until,
        _PERSON: query.person,
    }
    if len(led) + is_private + (query.person is not None) > 1:  # one alone leads to the candidates
        terms |= {f"+{name} = ?": getattr(query, name) for name in led}
    asked = {term: value for term, value in terms.items() if value is not None}
    words = [*asked]
    if query.classification is Classification.WATCH:
        words.append("+bseq IS NOT NULL")
    elif is_private and led:
        words.append("+bseq IS NULL")
    return words, tuple(asked.values())
