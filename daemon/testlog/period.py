"""What has been entered that nobody has reviewed yet, and what of it must the SSO look at before he signs?

What is counted here is shown, not signed: the review itself counts the entries (``daemon.book.reviewing``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from daemon.papers import glance, logtable, making, testlog
from daemon.papers.beside import AMENDED, EVER
from daemon.papers.glance import Wish
from daemon.papers.view import View
from daemon.papers.words import CATEGORY, RESULT, number, result
from daemon.record.reader import Query
from daemon.testing.results import MISSED
from daemon.testing.results import RESULT as TEST
from daemon.testlog import cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.papers.beside import Ship
    from daemon.papers.glance import Came, Glance
    from daemon.record.entry import Entry
    from daemon.record.reader import Reader

MOST_LISTED: Final = 100
"""Rows that want looking at; the log has the others."""
MATTERS: Final = (".2", ".3", ".4")
"""Kinds of entries that are read one by one: threats and incidents, breaches, changes of level."""
PASSED: Final = "passed"


@dataclass(frozen=True, slots=True)
class Unreviewed:
    """What was read.

    Attributes:
        first: Number of the first entry that no review covers.
        reviewed: Up to where the SSO has reviewed; 0: not at all.
        verified: And the Master verified.
        rows: What of the tests wants looking at.
        amended: Amendments of the period, newest first.
        matters: Threats, breaches, changes of level, newest first.
    """

    first: int
    last: int
    reviewed: int
    verified: int
    kinds: Mapping[str, int]
    rows: Glance
    amended: tuple[Entry, ...]
    matters: tuple[Entry, ...]


def read(reader: Reader, ship: Ship) -> Unreviewed:
    """Read it, in one question.

    Raises:
        RecordError: It cannot be read.
    """
    ends = reader.page(Query(newest_first=True, limit=1)).entries
    begins = reader.page(Query(limit=1)).entries
    last = ends[0].seq if ends else 0
    reviewed, verified = (_covered(reader, what) for what in ("reviewed", "verified"))
    first = max(reviewed + 1, begins[0].seq if begins else 1)
    wish = Wish(
        types=(TEST, MISSED),
        period=EVER,
        after=first - 1,
        outcomes=True,
        picks=_wants_looking_at,
        most=MOST_LISTED,
    )
    return Unreviewed(
        first,
        last,
        reviewed,
        verified,
        reader.tally(first, last) if last >= first else {},
        glance.take(reader, wish, ship),
        tuple(_newest(reader, Query(type=AMENDED), first)),
        tuple(
            sorted(
                (e for kind in MATTERS for e in _newest(reader, Query(kind=kind), first)),
                key=lambda entry: entry.seq,
                reverse=True,
            )
        )[:MOST_LISTED],
    )


def told(found: Unreviewed) -> dict[str, Json]:
    """Return it as it goes to the page."""
    around = making.around(found.rows.source, View.FULL)
    came = found.rows.outcomes
    return {
        "first": found.first,
        "last": found.last,
        "reviewed": found.reviewed,
        "verified": found.verified,
        "kinds": [
            {"kind": kind, "name": CATEGORY.get(kind, kind), "count": count}
            for kind, count in found.kinds.items()
        ],
        "results": _results(came),
        "counted_from": found.rows.counted_from,
        "late": sum(each.is_late for each in came.values()),
        "columns": [each.name for each in logtable.COLUMNS],
        "rows": [
            {"seq": each.seq, "cells": cells.row(logtable.cells(row, around, with_year=True))}
            for each in found.rows.rows
            for row in [testlog.one(each, around)]
        ],
        "more": found.rows.next is not None,
        "amended": [_entry(each) for each in found.amended],
        "matters": [_entry(each) for each in found.matters],
    }


def _wants_looking_at(came: Came) -> bool:
    return came.outcome != PASSED or came.is_late


def _results(came: Mapping[int, Came]) -> list[Json]:
    counts = Counter(result(each.outcome) for each in came.values())
    return [{"name": name, "count": counts[name]} for name in RESULT.values()]


def _covered(reader: Reader, what: str) -> int:
    found = reader.page(Query(type=f"period.{what}", newest_first=True, limit=1)).entries
    return (number(found[0].open.get("up_to")) or 0) if found else 0


def _newest(reader: Reader, query: Query, first: int) -> list[Entry]:
    wanted = replace(query, after=first - 1, newest_first=True, limit=MOST_LISTED)
    return reader.page(wanted).entries


def _entry(entry: Entry) -> dict[str, Json]:
    original = entry.open.get("original")
    return {
        "seq": entry.seq,
        "at": entry.stamp.at,
        "kind": CATEGORY.get(entry.kind, entry.kind),
        "type": cells.shown(entry.type.replace(".", " ").replace("_", " ")),
        "subject": cells.shown(entry.subject),
        "person": cells.shown(entry.actor.person or "ispsd"),
        "of": original if isinstance(original, int) else None,
    }
