"""Which entries does somebody want to read, and how long may the search for them take?

Every question looks at so many entries at most, then says where it stopped: so a search never holds a transaction for
long, whatever it is for, and whoever asked goes on from there. The segment's index leads to the candidates, in the
order of ``seq``, and without it the numbers do; whether one is meant is read from its body.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from heapq import merge
from typing import TYPE_CHECKING, Any, Final

from daemon.model import Classification
from daemon.record.index import BY
from daemon.record.sqlite import number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from daemon.record.index import Index

MOST_EXAMINED: Final = 5_000
"""Entries that one question looks at: some 25 ms on a small computer."""


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
        size: Of the bodies, in bytes.
    """

    bodies: list[str]
    examined: int
    stopped_at: int | None
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The numbers of entries that may be meant, in the order that is asked for; at most as many as may be looked at.

    Attributes:
        is_sure: Whether the index was led by all that is asked, so that each of them is meant.
    """

    seqs: Sequence[int]
    is_sure: bool


def search(
    db: apsw.Connection, index: Index, query: Query, *, limit: int, most_bytes: int, budget: int
) -> Found:
    """Look through one segment."""
    found = _candidates(db, index, query, limit=limit, budget=budget)
    if isinstance(found, Found):
        return found
    return _read(db, query, found, limit=limit, most_bytes=most_bytes, budget=budget)


def _candidates(
    db: apsw.Connection, index: Index, query: Query, *, limit: int, budget: int
) -> _Candidates | Found:
    """Return which entries of a segment may be meant; what was found where none can be, or none may be looked at."""
    first, last = ends(db)
    low = max(first, 0 if query.after is None else query.after + 1)
    high = last if query.before is None else min(last, query.before - 1)
    index.follow(db)
    has_index = index.is_whole(last)
    if has_index:
        low = low if query.since is None else max(low, index.since(query.since))
        high = high if query.until is None else min(high, index.until(query.until))
    if low > high:
        return Found([], 0, None)
    if limit <= 0 or budget <= 0:
        return Found([], 0, high + 1 if query.newest_first else low - 1)
    look_up = _led if has_index else _all
    return look_up(index, query, low, high, budget=budget, limit=limit)


@dataclass(frozen=True, slots=True)
class Told:
    """What entries say in a few of their fields, by their numbers, in the order that was asked for.

    Attributes:
        stopped_at: As of ``Found``.
    """

    by_seq: list[tuple[int, tuple[str, ...]]]
    examined: int
    stopped_at: int | None


def told(
    db: apsw.Connection, index: Index, query: Query, names: Sequence[str], *, budget: int
) -> Told:
    """Look through one segment for what a query means, and read of each entry when it was made and these fields."""
    found = _candidates(db, index, query, limit=budget, budget=budget)
    if isinstance(found, Found):
        return Told([], 0, found.stopped_at)
    words, asked = _terms(query)
    # Several paths in one call: the text of an entry is read once, whatever is wanted of it.
    paths = ", ?" * len(names)
    rows = db.execute(
        f"SELECT entry.seq, entry.at, json_extract(entry.body, '$.v'{paths}) "  # noqa: S608 (our own words)
        "FROM json_each(?) AS candidate CROSS JOIN entry ON entry.seq = candidate.value "
        f"WHERE {' AND '.join(['1', *words])}",
        (*(f"$.open.{name}" for name in names), json.dumps(list(found.seqs)), *asked),
    )
    by_seq = [
        (
            number(seq),
            (text(at), *("" if each is None else str(each) for each in json.loads(text(said))[1:])),
        )
        for seq, at, said in rows
    ]
    stopped_at = found.seqs[-1] if len(found.seqs) == budget else None
    return Told(by_seq, len(found.seqs), stopped_at)


def about(
    db: apsw.Connection, index: Index, subjects: Sequence[str], *, after: int, limit: int
) -> list[tuple[int, str, str]]:
    """Return number, type and subject of the newest entries about one of these behind a number, the newest first."""
    _, last = ends(db)
    index.follow(db)
    marks = ", ".join("?" * len(subjects))
    source, values = "entry", tuple(subjects)
    if index.is_whole(last):
        places = merge(*(index.named("subject", each, after + 1, last) for each in subjects))
        source = "json_each(?) AS candidate CROSS JOIN entry ON entry.seq = candidate.value"
        values = (json.dumps(index.numbers(list(places)[-limit:])[::-1]), *subjects)
    rows = db.execute(
        f"SELECT entry.seq, entry.type, entry.subject FROM {source} WHERE entry.subject IN ({marks}) "  # noqa: S608 (our own words)
        f"AND entry.seq > ? {'' if source != 'entry' else 'ORDER BY entry.seq DESC'} LIMIT ?",
        (*values, after, limit),
    )
    return [(number(seq), text(type_), text(subject)) for seq, type_, subject in rows]


def ends(db: apsw.Connection) -> tuple[int, int]:
    """Return the first and the last number of a segment; 1 and 0 where it holds nothing."""
    [(first, last)] = db.execute(
        "SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) FROM entry)"
    )
    return (1, 0) if first is None else (number(first), number(last))


def _read(
    db: apsw.Connection,
    query: Query,
    candidates: _Candidates,
    *,
    limit: int,
    most_bytes: int,
    budget: int,
) -> Found:
    """Read the candidates, and give those that are meant by what they themselves say."""
    words, asked = _terms(query)
    seqs = candidates.seqs
    rows = db.execute(
        "SELECT entry.seq, entry.body FROM json_each(?) AS candidate "  # noqa: S608 (our own words)
        "CROSS JOIN entry ON entry.seq = candidate.value "
        f"WHERE {' AND '.join(['1', *words])} LIMIT ?",
        (json.dumps(list(seqs)), *asked, limit),
    )
    bodies: list[str] = []
    size = 0
    for seq, body in rows:
        bodies.append(text(body))
        size += len(bodies[-1].encode())
        if size >= most_bytes or len(bodies) == limit:
            return Found(bodies, len(seqs), number(seq), size)
    allowed = min(budget, limit) if candidates.is_sure else budget
    return Found(bodies, len(seqs), seqs[-1] if len(seqs) == allowed else None, size)


def _led(
    index: Index, query: Query, low: int, high: int, *, budget: int, limit: int
) -> _Candidates:
    """Return the candidates to which the index leads by whatever leads to the fewest."""
    found = [
        index.named(by, name, low, high) for by in BY if (name := getattr(query, by)) is not None
    ]
    if query.classification is Classification.SSO:
        found.append(index.for_sso(low, high))
    if not found:
        return _all(index, query, low, high, budget=budget, limit=limit)
    is_sure = len(found) == 1 and len(_terms(query)[0]) == 1
    count = min(budget, limit) if is_sure else budget
    fewest = min(found, key=len)
    if query.newest_first:
        return _Candidates(index.numbers(fewest[-count:])[::-1], is_sure)
    return _Candidates(index.numbers(fewest[:count]), is_sure)


def _all(_: Index, query: Query, low: int, high: int, *, budget: int, limit: int) -> _Candidates:
    """Return all entries as candidates: numbers have no gaps."""
    is_sure = not _terms(query)[0]
    count = min(budget, limit, high - low + 1) if is_sure else min(budget, high - low + 1)
    seqs = range(high, high - count, -1) if query.newest_first else range(low, low + count)
    return _Candidates(seqs, is_sure)


def _terms(query: Query) -> tuple[list[str], tuple[Any, ...]]:
    """Return what must hold of a candidate."""
    terms = {
        "entry.at >= ?": query.since,
        "entry.at < ?": query.until,
        "entry.kind = ?": query.kind,
        "entry.type = ?": query.type,
        "entry.subject = ?": query.subject,
        "json_extract(entry.body, '$.actor.person') = ?": query.person,
    }
    asked = {term: value for term, value in terms.items() if value is not None}
    words = [*asked]
    if query.classification is not None:
        shown = query.classification is Classification.WATCH
        words.append("entry.bseq IS NOT NULL" if shown else "entry.bseq IS NULL")
    return words, tuple(asked.values())
