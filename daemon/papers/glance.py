"""What do the pages of the test log need of a record that is being written? A sheet of rows, and what is around them.

Papers read a snapshot from its beginning, and take their time. A page is one question to the reader of the running
record: so every part of it is bounded, the index leads to all of it, and it says where the next sheet begins. What rows
are made of is the papers' own; here is only what is read for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from daemon.model import Classification, Outcome
from daemon.papers import aboard, moments
from daemon.papers.calls import ENTRIES
from daemon.papers.moments import Period, ShipTime
from daemon.papers.source import EPISODE, Found, Source
from daemon.papers.testlog import MISSED, is_late
from daemon.papers.words import number
from daemon.record.codec import utc_text
from daemon.record.entry import EntryError, subject_of
from daemon.record.reader import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from daemon.papers.particulars import Particulars
    from daemon.record.reader import Reader

MOST_ROWS: Final = 150
"""Entries that are read whole for one sheet."""
MOST_COUNTED: Final = 3_000
"""Results of one type that are counted: those of half a year on an ordinary ship."""
MOST_AROUND: Final = 200
"""Of each kind of entry around them, the newest; what lies further back no row of a sheet hangs on."""
MOST_LATER: Final = 400
"""Amendments and files of one sheet."""
MOST_EPISODES: Final = 4
KEPT_WITHIN: Final = timedelta(hours=1)
"""So long after it began an episode is entered; it takes ten minutes."""
AMENDED: Final = "entry.amended"
ATTACHED: Final = "attachment.added"
DEFECTS: Final = ("defect.opened", "defect.told", "defect.changed", "defect.again", "defect.closed")
REVIEWS: Final = ("period.reviewed", "period.verified")
AROUND: Final = (*ENTRIES, *DEFECTS, "tests.planned", "ship_time.changed", *aboard.TYPES)
EVER: Final = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC))
"""What is around a row counts whenever it was entered: a clock that was wrong hides nothing."""


@dataclass(frozen=True, slots=True)
class Came:
    """How one result came out, as its entry says it without being read whole.

    Attributes:
        done: When; "" where the entry does not say.
    """

    type: str
    test: str
    entered: str
    outcome: str
    done: str

    @property
    def is_late(self) -> bool:
        """Whether a person entered it too late."""
        entered, done = moments.read(self.entered), moments.read(self.done)
        return self.type != MISSED and None not in {entered, done} and is_late(entered, done)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which rows.

    Attributes:
        types: Of their entries.
        period: In which they were entered.
        before: Only older ones than this number.
        subject: Only of this equipment.
        is_sso: Only what is for the SSO alone.
        after: Only newer ones than this number.
        outcomes: Also count how all of the period came out.
        picks: By how a result came out, whether its row is wanted; None: all of them.
    """

    types: tuple[str, ...]
    period: Period
    before: int | None = None
    after: int | None = None
    subject: str | None = None
    is_sso: bool = False
    outcomes: bool = False
    picks: Callable[[Came], bool] | None = None
    most: int = MOST_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What was read.

    Attributes:
        rows: Entries that are wanted, newest first.
        next: Where the next sheet begins: ``before`` this number; None: there is none.
        outcomes: By number, how the results of the period came out.
        counted_from: Where counting had to stop; None: all are counted.
        later: What was said later of the rows: amendments and files.
    """

    source: Source
    rows: tuple[Found, ...]
    next: int | None = None
    outcomes: Mapping[int, Came] = field(default_factory=dict)
    counted_from: int | None = None
    later: tuple[Found, ...] = ()

    def newest(self, type_: str) -> list[Found]:
        """Return the newest entries of a type that were read, oldest first."""
        return list(self.source.by_type.get(type_, ()))


@dataclass(frozen=True, slots=True)
class Ship:
    """What the daemon knows of the ship without asking the record."""

    particulars: Particulars
    ship_time_offset_min: int


def take(reader: Reader, wish: Wish, ship: Ship) -> Glance:
    """Read a sheet and what is around it, in one question.

    Raises:
        RecordError: It cannot be read.
    """
    outcomes, counted_from = _outcomes(reader, wish) if wish.outcomes or wish.picks else ({}, None)
    if wish.picks is None:
        rows, next_ = _rows(reader, wish)
    else:
        far, far_from = outcomes, counted_from
        if counted_from is not None and wish.before is not None and wish.before <= counted_from:
            far, far_from = _outcomes(reader, wish, before=wish.before)
        rows, next_ = _picked(reader, wish, far, far_from)
    later = _later(reader, rows)
    return Glance(
        source=_source(reader, rows, later, ship),
        rows=tuple(rows),
        next=next_,
        outcomes=outcomes,
        counted_from=counted_from,
        later=tuple(later),
    )


def one(reader: Reader, seq: int, ship: Ship) -> Glance | None:
    """Read one entry and what is around it; None where there is none of that number.

    Raises:
        RecordError: It cannot be read.
    """
    rows = _found(reader, Query(after=seq - 1, before=seq + 1, limit=1))
    if not rows:
        return None
    later = _later(reader, rows)
    return Glance(source=_source(reader, rows, later, ship), rows=tuple(rows), later=tuple(later))


def episodes(reader: Reader, period: Period) -> list[Found]:
    """Return what was kept of suspect positions that began in a period, the newest few, oldest first.

    Raises:
        RecordError: It cannot be read.
    """
    query = Query(
        type=EPISODE,
        since=utc_text(period.begins),
        until=utc_text(period.ends + KEPT_WITHIN),
        newest_first=True,
        limit=MOST_EPISODES,
    )
    began = (each for each in _found(reader, query) if period.holds(each.moment("began")))
    return sorted(began, key=lambda each: each.seq)


def _query(wish: Wish, type_: str) -> Query:
    return Query(
        type=type_,
        subject=wish.subject,
        before=wish.before,
        after=wish.after,
        since=utc_text(wish.period.begins),
        until=utc_text(wish.period.ends),
        classification=Classification.SSO if wish.is_sso else None,
        newest_first=True,
        limit=wish.most,
    )


def _rows(reader: Reader, wish: Wish) -> tuple[list[Found], int | None]:
    """Return the newest entries of all types together, as far back as each of them was looked through."""
    found: list[Found] = []
    reach = 0
    for type_ in wish.types:
        page = reader.page(_query(wish, type_))
        found += [Found(entry) for entry in page.entries]
        reach = max(reach, page.next or 0)
    found = sorted((e for e in found if e.seq >= reach), key=lambda e: e.seq, reverse=True)
    if len(found) > wish.most:
        found = found[: wish.most]
        reach = found[-1].seq
    return [_with_part(reader, each) for each in found], reach or None


def _outcomes(
    reader: Reader, wish: Wish, *, before: int | None = None
) -> tuple[dict[int, Came], int | None]:
    """Return how all results of the period came out, whatever sheet of it is shown."""
    found: dict[int, Came] = {}
    stops: list[int] = []
    for type_ in wish.types:
        query = replace(_query(wish, type_), before=before, limit=MOST_COUNTED)
        some, next_ = reader.told(query, "test", "outcome", "ended", "done_at")
        for seq, (entered, test, outcome, ended, done_at) in some.items():
            # A period that ended without its test is NOT DONE, whatever stands in its entry.
            came = Outcome.SKIPPED.value if type_ == MISSED else outcome
            found[seq] = Came(type_, test, entered, came, done_at or ended)
        stops += [] if next_ is None else [next_]
    return found, max(stops, default=None)


def _picked(
    reader: Reader, wish: Wish, outcomes: Mapping[int, Came], counted_from: int | None
) -> tuple[list[Found], int | None]:
    """Return those that came out as is wanted."""
    picks, before = wish.picks, wish.before
    seqs = sorted(
        (
            seq
            for seq, came in outcomes.items()
            if (picks is None or picks(came)) and (before is None or seq < before)
        ),
        reverse=True,
    )
    chosen = seqs[: wish.most]
    found = _numbered(reader, chosen)
    return found, chosen[-1] if len(seqs) > len(chosen) else counted_from


def _numbered(reader: Reader, seqs: Iterable[int]) -> list[Found]:
    """Return the entries of these numbers."""
    return [
        each
        for seq in seqs
        for each in _found(reader, Query(after=seq - 1, before=seq + 1, limit=1))
    ]


def _later(reader: Reader, rows: Sequence[Found]) -> list[Found]:
    """Return the amendments and files of these entries."""
    if not rows:
        return []
    subjects = [subject_of(each.seq) for each in rows]
    said = reader.about(subjects, after=min(each.seq for each in rows))
    wanted = [seq for seq, type_, _ in said if type_ in {AMENDED, ATTACHED}]
    return _numbered(reader, wanted[-MOST_LATER:])


def _source(reader: Reader, rows: Iterable[Found], later: Iterable[Found], ship: Ship) -> Source:
    by_type: dict[str, list[Found]] = {}
    for type_ in AROUND:
        by_type[type_] = _newest(reader, type_, MOST_AROUND)
    for type_ in REVIEWS:
        by_type[type_] = _newest(reader, type_, 1)
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


def _newest(reader: Reader, type_: str, most: int) -> list[Found]:
    """Return the newest entries of a type, oldest first."""
    return _found(reader, Query(type=type_, newest_first=True, limit=most))[::-1]


def _found(reader: Reader, query: Query) -> list[Found]:
    return [_with_part(reader, Found(entry)) for entry in reader.page(query).entries]


def _with_part(reader: Reader, found: Found) -> Found:
    if Classification.SSO.value not in found.entry.parts:
        return found
    return Found(found.entry, reader.part(found.seq, Classification.SSO) or {})


def month(first: datetime) -> Period:
    """Return the month that begins at a moment, in that calendar."""
    following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Period(first.astimezone(UTC), following.astimezone(UTC))


def month_words(period: Period, offset: timedelta) -> str:
    """Return the month of a period in ship's time: ``Nov 2026``."""
    at = (period.begins + offset).replace(tzinfo=None)
    return f"{moments.MONTHS[at.month - 1]} {at.year}"
