"""What do the pages of the test log need of a record that is being written? A sheet of rows, and what is around them.

Papers read a snapshot from its beginning, and take their time. A page is one question to the reader of the running
record: so every part of it is bounded, the index leads to all of it, and it says where the next sheet begins. What rows
are made of is the papers' own; here is only what is read for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon.model import Classification, Outcome
from daemon.papers import beside, moments
from daemon.papers.source import EPISODE, Found, Source
from daemon.papers.testlog import MISSED, is_late
from daemon.record.codec import utc_text
from daemon.record.reader import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.papers.beside import Ship
    from daemon.papers.moments import Period
    from daemon.record.reader import Reader

MOST_ROWS: Final = 150
"""Entries that are read whole for one sheet."""
MOST_COUNTED: Final = 3_000
"""Results of one type that are counted: those of half a year on an ordinary ship."""
MOST_EPISODES: Final = 4
KEPT_WITHIN: Final = timedelta(hours=1)
"""So long after it began an episode is entered; it takes ten minutes."""


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
        rows, next_ = _picked(reader, wish, wish.picks, far, far_from)
    later = beside.later(reader, rows)
    return Glance(
        source=beside.source(reader, rows, later, ship),
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
    rows = beside.found(reader, Query(after=seq - 1, before=seq + 1, limit=1))
    if not rows:
        return None
    later = beside.later(reader, rows)
    return Glance(
        source=beside.source(reader, rows, later, ship), rows=tuple(rows), later=tuple(later)
    )


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
    began = (each for each in beside.found(reader, query) if period.holds(each.moment("began")))
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
    return [beside.with_part(reader, each) for each in found], reach or None


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
    reader: Reader,
    wish: Wish,
    picks: Callable[[Came], bool],
    outcomes: Mapping[int, Came],
    counted_from: int | None,
) -> tuple[list[Found], int | None]:
    """Return those that came out as is wanted."""
    shown = (seq for seq in outcomes if wish.before is None or seq < wish.before)
    seqs = sorted((seq for seq in shown if picks(outcomes[seq])), reverse=True)
    chosen = seqs[: wish.most]
    found = beside.numbered(reader, chosen)
    return found, chosen[-1] if len(seqs) > len(chosen) else counted_from
