"""What stands around the rows of a sheet, and makes them what they are? Calls, defects, plans, ranks, ship's time.

Read for the rows that are shown, however old they are: what was entered up to a month behind them, the newest of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from daemon.model import Classification
from daemon.papers import aboard, moments
from daemon.papers.calls import ENTRIES
from daemon.papers.moments import Period, ShipTime
from daemon.papers.source import Found, Source
from daemon.papers.words import number
from daemon.record.codec import utc_text
from daemon.record.entry import EntryError, subject_of
from daemon.record.reader import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.papers.particulars import Particulars
    from daemon.record.reader import Reader

MOST_AROUND: Final = 200
"""Of each kind of entry around them: calls and defects of about two years."""
SAID_WITHIN: Final = timedelta(days=31)
"""So long after a row what concerns it has been entered: the call, the defect that it found."""
MOST_LATER: Final = 400
"""Amendments and files of one sheet."""
AMENDED: Final = "entry.amended"
ATTACHED: Final = "attachment.added"
DEFECTS: Final = ("defect.opened", "defect.told", "defect.changed", "defect.again", "defect.closed")
REVIEWS: Final = ("period.reviewed", "period.verified")
AROUND: Final = (*ENTRIES, *DEFECTS, "tests.planned", "ship_time.changed", *aboard.TYPES)
EVER: Final = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC))
"""What is around a row counts whenever it was entered: a clock that was wrong hides nothing."""


@dataclass(frozen=True, slots=True)
class Ship:
    """What the daemon knows of the ship without asking the record."""

    particulars: Particulars
    ship_time_offset_min: int


def numbered(reader: Reader, seqs: Iterable[int]) -> list[Found]:
    """Return the entries of these numbers."""
    return [
        each
        for seq in seqs
        for each in found(reader, Query(after=seq - 1, before=seq + 1, limit=1))
    ]


def later(reader: Reader, rows: Sequence[Found]) -> list[Found]:
    """Return the amendments and files of these entries."""
    if not rows:
        return []
    subjects = [subject_of(each.seq) for each in rows]
    said = reader.about(subjects, after=min(each.seq for each in rows))
    wanted = [seq for seq, type_, _ in said if type_ in {AMENDED, ATTACHED}]
    return numbered(reader, wanted[-MOST_LATER:])


def source(reader: Reader, rows: Iterable[Found], later: Iterable[Found], ship: Ship) -> Source:
    """Return these rows with what stands around them, as rows are made of it."""
    rows = list(rows)
    until = _until(rows)
    by_type = {type_: _newest(reader, type_, MOST_AROUND, until=until) for type_ in AROUND}
    by_type |= {type_: _newest(reader, type_, 1) for type_ in REVIEWS}
    for each in sorted(rows, key=lambda each: each.seq):
        by_type.setdefault(each.entry.type, []).append(each)
    by_type[AMENDED] = [each for each in later if each.entry.type == AMENDED]
    by_type[ATTACHED] = [each for each in later if each.entry.type == ATTACHED]
    for type_, found in by_type.items():
        by_type[type_] = list({each.seq: each for each in found}.values())
    changes = [
        (each.at, offset)
        for each in by_type["ship_time.changed"]
        if (offset := number(each.open.get("offset_min"))) is not None
    ]
    return Source(
        EVER,
        by_type,
        _particulars(by_type, ship.particulars),
        ShipTime(changes, ship.ship_time_offset_min),
        1,
        1,
        EVER.ends,
    )


def _particulars(by_type: Mapping[str, Sequence[Found]], known: Particulars) -> Particulars:
    """Return what is known of the ship, with the rank that each had when: of the record, as far as it was read."""
    people = [each for type_ in aboard.TYPES for each in by_type[type_]]
    try:
        found = aboard.Aboard.of(people)
    except EntryError:  # of an older version: the ranks of now stand
        return known
    return replace(known, aboard=aboard.Aboard(ranks=found.ranks))


def _until(rows: Sequence[Found]) -> str | None:
    """Return until when entries are looked for that say something of these rows; None: until now."""
    newest = max((at for each in rows if (at := moments.read(each.entry.stamp.at))), default=None)
    return None if newest is None else utc_text(newest + SAID_WITHIN)


def _newest(reader: Reader, type_: str, most: int, *, until: str | None = None) -> list[Found]:
    """Return the newest entries of a type, oldest first."""
    return found(reader, Query(type=type_, newest_first=True, until=until, limit=most))[::-1]


def found(reader: Reader, query: Query) -> list[Found]:
    """Return a page of what a query asks for."""
    return [with_part(reader, Found(entry)) for entry in reader.page(query).entries]


def with_part(reader: Reader, found: Found) -> Found:
    """Return an entry with what it says to the SSO alone."""
    if Classification.SSO.value not in found.entry.parts:
        return found
    return Found(found.entry, reader.part(found.seq, Classification.SSO) or {})
