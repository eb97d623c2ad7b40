"""What was quiet in the week, and in which nights? What was inhibited, permitted or out of service, from when to when.

The insider's pattern is the same store quiet night after night before a port. It counts however he has it: an inhibit
in the evening that runs until morning, a permit today and an inhibit tomorrow, out of service since last week.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.book.lines import moment
from daemon.orders.equipment import LONGEST_H

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timezone

    from daemon.record.entry import Entry

LONGEST: Final = timedelta(hours=LONGEST_H)
"""Nothing is quiet for longer than equipment may be out of service."""
NIGHT_BEGINS_H: Final = 22
"""Ship's time."""
NIGHT: Final = timedelta(hours=8)
REPEATED_NIGHTS: Final = 3
"""The same thing quiet in so many nights of a week is a pattern."""
EASED: Final = {
    "inhibit.given": "inhibited",
    "permit.given": "permit",
    "out_of_service.begun": "out of service",
}
"""What lets a door or an alert be quiet for a time, and what it is called."""
ENDED: Final = {
    "inhibit.ended": "inhibited",
    "permit.ended": "permit",
    "out_of_service.ended": "out of service",
}
UNNAMED: Final = "not named ashore"
"""What only tests of class ``sso`` are of."""
_DAY: Final = timedelta(days=1)
_MOMENT: Final = timedelta(microseconds=1)


@dataclass(slots=True)
class Span:
    """For how long something was quiet.

    Attributes:
        how: As ``EASED`` calls it.
        what: The door, the source of the alert, the equipment.
    """

    how: str
    what: str
    given: datetime
    ends: datetime

    def nights(self, begins: datetime, until: datetime, ship_time: timezone) -> range:
        """Return the nights that it touches between two moments, by number; an end is no part of it."""
        start = max(self.given, begins)
        ends = min(self.ends, until)
        if self.given < begins and ends <= begins:
            return range(0)
        # What was ended at once was given in that night all the same.
        ends = max(ends, start + _MOMENT)
        evening = datetime(2000, 1, 1, NIGHT_BEGINS_H, tzinfo=ship_time)
        first, into = divmod(start - evening, _DAY)
        last = (ends - _MOMENT - evening) // _DAY
        return range(first if into < NIGHT else first + 1, last + 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of which one kind was given, or ran on, in a week.

    Attributes:
        times: How often it was given in the week.
        nights: In how many nights the thing was quiet, by whatever kind.
    """

    how: str
    what: str
    times: int
    nights: int

    @property
    def is_repeated(self) -> bool:
        return self.nights >= REPEATED_NIGHTS


def spans(entries: Iterable[Entry], *, covert: frozenset[str]) -> list[Span]:
    """Return what was quiet, each to its end, or to where it was ended or given anew before.

    Args:
        entries: Of the types of ``EASED`` and ``ENDED``, in the order of the record.
        covert: What is not named.
    """
    found: list[Span] = []
    running: dict[tuple[str, object], Span] = {}
    for entry in entries:
        at = moment(entry.stamp.at)
        if at is None:
            continue
        said, how = entry.open, EASED.get(entry.type) or ENDED[entry.type]
        # Two alerts of one door are inhibited each by itself.
        place = how, said.get("alert") or _subject(said, entry.subject)
        if (before := running.pop(place, None)) is not None:
            before.ends = max(before.given, min(before.ends, at))
        if entry.type in EASED:
            what = _subject(said, entry.subject)
            shown = UNNAMED if what.casefold() in covert else what
            running[place] = Span(how, shown, at, moment(said.get("ends")) or at)
            found.append(running[place])
    return found


def rows(
    found: Iterable[Span], *, begins: datetime, until: datetime, ship_time: timezone
) -> list[Row]:
    """Return what was quiet between two moments, what repeats by night first, then what was given most often."""
    times: Counter[tuple[str, str]] = Counter()
    nights: defaultdict[str, set[int]] = defaultdict(set)
    for span in found:
        touched = span.nights(begins, until, ship_time)
        nights[span.what].update(touched)
        if span.given >= begins or touched:
            times[span.how, span.what] += span.given >= begins
    made = [Row(how, what, count, len(nights[what])) for (how, what), count in times.items()]
    return sorted(made, key=lambda row: (not row.is_repeated, -row.times, row.how, row.what))


def _subject(said: Any, subject: str) -> str:
    return str(said.get("source") or said.get("door") or said.get("equipment") or subject)
