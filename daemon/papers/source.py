"""What does a paper need of the record? A snapshot, read once, in short questions, into entries by what they are about.

Rows belong to the period in which their entry was *made*: a month that was reviewed never grows. What was entered late
says so by itself; what was amended later shows it wherever the amendment stands. What a clock that was wrong wrote
between entries of the period belongs to it too, whatever time it carries: no test drops out of every paper.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import IspsdError
from daemon.model import Classification
from daemon.papers import aboard, moments
from daemon.papers.moments import ShipTime
from daemon.papers.particulars import Particulars
from daemon.papers.steps import Part, Step
from daemon.record.codec import utc_text
from daemon.record.reader import MOST_ENTRIES, Query, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from daemon.papers.moments import Period
    from daemon.papers.steps import Say
    from daemon.record.entry import Entry

MOST_READ: Final = 200_000
"""Entries in one paper; a record of many years is printed in periods."""
LOOK_BACK: Final = timedelta(days=366)
"""How far before the end of the period the matrix and the dates of the next tests look."""
RESULTS: Final = ("test.result", "test.missed")
OWN_LISTS: Final = 3
"""Beside those by type: alerts, episodes, who is on board."""
EPISODE: Final = "gnss.recorded"
"""What is kept of a suspect position: raw sentences, where the receivers put the ship, what spoke against it."""
OTHERS: Final = (
    "tests.planned",
    "training.held",
    "drill.held",
    "exercise.held",
    "port.call",
    "port.arrived",
    "port.departed",
    "ship_to_ship.done",
    "maintenance.done",
    "calibration.done",
    "unit.repaired",
    "special_measures.taken",
    "defect.opened",
    "defect.again",
    "defect.changed",
    "defect.told",
    "defect.closed",
    "certificate.entered",
    "ship_time.changed",
    "level.changed",
    "level.in_force",
    "port_level.changed",
    "situation.changed",
    "level.communicated",
    "entry.amended",
    "period.reviewed",
    "period.verified",
    "notice.given",
    "attachment.added",
    "record.exported",
    "daemon.started",
    "segment.opened",
)
"""Few of each, and read from the beginning: what was said once may hold until today."""


@dataclass(frozen=True, slots=True)
class Found:
    """An entry with what it says to the SSO alone."""

    entry: Entry
    private: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seq(self) -> int:
        return self.entry.seq

    @property
    def open(self) -> Mapping[str, Any]:
        return self.entry.open

    @property
    def at(self) -> datetime:
        """When it was entered."""
        moment = moments.read(self.entry.stamp.at)
        if moment is None:
            raise IspsdError(f"entry {self.seq}: its time {self.entry.stamp.at!r} cannot be read")
        return moment

    def moment(self, name: str) -> datetime:
        """Return when it happened, as the entry says it; else when it was entered."""
        return moments.read(self.open.get(name)) or self.at


@dataclass(frozen=True, slots=True)
class Source:
    """All that papers are made of.

    Attributes:
        by_type: Oldest first.
        strays: Numbers of entries of the period whose time lies outside it.
    """

    period: Period
    by_type: Mapping[str, Sequence[Found]]
    particulars: Particulars
    ship_time: ShipTime
    first_seq: int
    last_seq: int
    ends: datetime
    """The end of the period, or of the record where that is earlier."""
    strays: frozenset[int] = frozenset()

    def of(self, *types: str) -> list[Found]:
        """Return entries of these types that stand in the record before the end of the period, oldest first."""
        found = [each for type_ in types for each in self.by_type.get(type_, ())]
        known = (e for e in found if e.at < self.period.ends or e.seq in self.strays)
        return sorted(known, key=lambda each: each.seq)

    def in_period(self, *types: str) -> list[Found]:
        """Return those that were entered in the period, oldest first."""
        of_it = self.of(*types)
        return [each for each in of_it if self.period.holds(each.at) or each.seq in self.strays]

    def all(self, type_: str) -> Sequence[Found]:
        """Return all of a type, also those behind the period: an amendment counts whenever it was made."""
        return self.by_type.get(type_, ())


def read(folder: Path, period: Period, *, say: Say = lambda _: None) -> Source:
    """Read a snapshot.

    Args:
        folder: Of segments that nobody writes.
        period: What the paper is about.
        say: Told how far it has come.

    Raises:
        RecordError: It cannot be read.
        IspsdError: More than fits on paper.
    """
    reader = Reader(folder)
    try:
        while reader.study():
            pass
        gathering = _Gathering(reader, say, lists=len(RESULTS) + len(OTHERS) + OWN_LISTS)
        begins = looked_back(period)
        by_type = {type_: gathering.all_of(type_, period, since=begins) for type_ in RESULTS}
        strays = gathering.strays(by_type, period)
        by_type |= {type_: gathering.all_of(type_, period) for type_ in OTHERS}
        by_type["alert.changed"] = gathering.alerts(period)
        by_type[EPISODE] = gathering.episodes(period)
        people = gathering.people(by_type["segment.opened"])
        ends = reader.entries(Query(limit=1, newest_first=True))
        first = reader.entries(Query(limit=1))
    finally:
        reader.close()
    if not ends:
        raise IspsdError(f"{folder}: there is no entry")
    exports, segments = by_type["record.exported"], by_type["segment.opened"]
    particulars = Particulars.of(exports, segments, people, period.ends)
    changes = [
        (each.at, offset)
        for each in by_type["ship_time.changed"]
        if isinstance(offset := each.open.get("offset_min"), int)
    ]
    return Source(
        period,
        by_type,
        particulars,
        ShipTime(changes, particulars.ship_time_offset_min),
        first[0].seq,
        ends[0].seq,
        min(period.ends, Found(ends[0]).at),
        strays,
    )


def looked_back(period: Period) -> datetime:
    """Return from when on tests are read."""
    return min(period.begins, period.ends - LOOK_BACK)


def people(folder: Path) -> Particulars:
    """Return who is on board as a snapshot ends.

    Raises:
        RecordError: It cannot be read.
    """
    reader = Reader(folder)
    try:
        while reader.study():
            pass
        gathering = _Gathering(reader, lambda _: None, lists=OWN_LISTS)
        exports = gathering.pages(Query(type="record.exported", limit=MOST_ENTRIES))
        segments = gathering.pages(Query(type="segment.opened", limit=MOST_ENTRIES))
        return Particulars.of(exports, segments, gathering.people(segments), None)
    finally:
        reader.close()


class _Gathering:
    def __init__(self, reader: Reader, say: Say, *, lists: int) -> None:
        self._reader = reader
        self._say = say
        self._count = 0
        self._list, self._lists = 0, lists

    def all_of(self, type_: str, period: Period, *, since: datetime | None = None) -> list[Found]:
        """Return all entries of a type; with ``since``, only from there to the end of the period."""
        self._begin()
        return self.pages(
            Query(
                type=type_,
                limit=MOST_ENTRIES,
                since=None if since is None else utc_text(since),
                until=None if since is None else utc_text(period.ends),
            )
        )

    def strays(self, by_type: dict[str, list[Found]], period: Period) -> frozenset[int]:
        """Add the results that stand between those of the period with a time outside it; return their numbers."""
        inside = [each.seq for found in by_type.values() for each in found if period.holds(each.at)]
        if not inside:
            return frozenset()
        numbers: set[int] = set()
        for type_, found in by_type.items():
            between = Query(type=type_, after=min(inside), before=max(inside), limit=MOST_ENTRIES)
            known = {each.seq for each in found}
            for outside in (
                replace(between, until=utc_text(period.begins)),
                replace(between, since=utc_text(period.ends)),
            ):
                strays = self.pages(outside)
                numbers.update(each.seq for each in strays)
                found += [each for each in strays if each.seq not in known]
        return frozenset(numbers)

    def people(self, segments: Sequence[Found]) -> list[Found]:
        """Return what the record says of who is on board, with the list that each segment took over."""
        self._begin()
        types = (Query(type=type_, limit=MOST_ENTRIES) for type_ in aboard.TYPES)
        found = [each for query in types for each in self.pages(query)]
        carried = (Found(each.entry, self._part(each.entry)) for each in segments)
        return [*carried, *found]

    def alerts(self, period: Period) -> list[Found]:
        """Return what the record says of suspect positions in the period."""
        self._begin()
        return self.pages(
            Query(
                type="alert.changed",
                subject="gnss",
                since=utc_text(period.begins),
                until=utc_text(period.ends),
                limit=MOST_ENTRIES,
            )
        )

    def episodes(self, period: Period) -> list[Found]:
        """Return what is kept of each of them; it is entered ten minutes after the onset, perhaps behind the period."""
        self._begin()
        return self.pages(Query(type=EPISODE, since=utc_text(period.begins), limit=MOST_ENTRIES))

    def pages(self, query: Query) -> list[Found]:
        """Return what a query finds, page by page."""
        found: list[Found] = []
        after = query.after or 0
        while page := self._reader.entries(replace(query, after=after)):
            found += [self._with_part(entry) for entry in page]
            after = page[-1].seq
            self._count += len(page)
            self._tell()
            if self._count > MOST_READ:
                raise IspsdError(f"more than {MOST_READ} entries: choose a shorter period")
        return found

    def _begin(self) -> None:
        self._list += 1
        self._tell()

    def _tell(self) -> None:
        self._say(Step(Part.READING, self._list, self._lists, self._count))

    def _with_part(self, entry: Entry) -> Found:
        # A segment's part is the whole state it took over: nothing to keep.
        return Found(entry, {} if entry.type == "segment.opened" else self._part(entry))

    def _part(self, entry: Entry) -> Mapping[str, Any]:
        if Classification.SSO.value not in entry.parts:
            return {}
        return self._reader.part(entry.seq, Classification.SSO) or {}
