"""Where in a segment stands what somebody asks for? An index in memory, made from the entries behind the writer.

The file has none: five more pages in every commit would be most of what an entry costs (decision 0020). So whoever
reads takes in some thousand entries at a time, some 40 bytes for each, and looks at entries one after the other until
all are in. It is believed in nothing but where to look: what is found is read in the entry itself. There is nothing of
it on the disk that could be damaged, altered or left behind, and no disk that hangs can hold it up.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from daemon.record.sqlite import number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

MOST_FOLLOWED: Final = 2_000
"""Entries that one step takes in: some 20 ms on a small computer."""
MOST_NAMES: Final = 20_000
"""Subjects, types, kinds and persons of one segment; one with more has no index."""

BY: Final = ("subject", "type", "kind", "person")
"""What leads to entries; besides, that one is for the SSO alone."""
_READ: Final = (
    "SELECT seq, at, bseq IS NULL, subject, type, kind, json_extract(body, '$.actor.person') "
    "FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
)
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d\.\d{3}Z)?)?)?", re.ASCII)
"""A time as entries have it, or the year, month or day with which it begins."""


class Index:
    """The index of one segment, whose numbers have no gaps; belongs to one thread."""

    def __init__(self) -> None:
        self._first = 0
        self._latest = array("Q")
        """For each entry the latest time up to it; these rise, whatever somebody did to the clock."""
        self._turns = array("I")
        self._turn_times = array("Q")
        """Entries after which no time is as early, counted from the first, and their times: both rise, too."""
        self._by: dict[tuple[str, str], array[int]] = {}
        self._sso = array("I")
        self._last_body = b""
        self._is_given_up = False

    @property
    def newest(self) -> int:
        """The number of the last entry that is in; one less than the first number while none is."""
        return self._first + len(self._latest) - 1

    def follow(self, segment: apsw.Connection) -> bool:
        """Take in some more entries; return whether there are more.

        Raises:
            apsw.Error: The segment cannot be read.
            RecordError: It holds something that is no entry.
        """
        if self._is_given_up:
            return False
        rows = segment.execute(_READ, (self.newest, MOST_FOLLOWED)).fetchall()
        self._take(rows)
        if rows and not self._is_given_up:
            self._last_body = _digest_of(segment, self.newest)
        return len(rows) == MOST_FOLLOWED and not self._is_given_up

    def goes_on(self, segment: apsw.Connection) -> bool:
        """Tell whether what is in is of this file as it lies there now: it may have been put back from a copy."""
        return not self._latest or _digest_of(segment, self.newest) == self._last_body

    def is_whole(self, newest: int) -> bool:
        """Return whether all entries up to that one are in."""
        return not self._is_given_up and self.newest >= newest

    def since(self, at: str) -> int:
        """Return the first number that can have this time or a later one, one behind the last where none has."""
        moment = _moment(at)
        return self._first + (0 if moment is None else bisect_left(self._latest, moment))

    def until(self, at: str) -> int:
        """Return the last number that can have an earlier time, one before the first where none has."""
        moment = _moment(at)
        if moment is None:
            return self.newest
        # The last entry with an earlier time is one of these: all behind it are later than it.
        earlier = bisect_left(self._turn_times, moment)
        return self._first + (self._turns[earlier - 1] if earlier else -1)

    def named(self, by: str, name: str, low: int, high: int) -> Sequence[int]:
        """Return which entries between two numbers have this subject, type, kind or person, counted from the first."""
        return _between(self._by.get((by, name), _NONE), low - self._first, high - self._first)

    def counts(self, by: str, low: int, high: int) -> dict[str, int]:
        """Return how many entries between two numbers have each subject, type, kind or person."""
        found = {
            name: len(_between(places, low - self._first, high - self._first))
            for (what, name), places in self._by.items()
            if what == by
        }
        return {name: count for name, count in found.items() if count}

    def for_sso(self, low: int, high: int) -> Sequence[int]:
        """Return which entries between two numbers are for the SSO alone, counted from the first."""
        return _between(self._sso, low - self._first, high - self._first)

    def numbers(self, places: Sequence[int]) -> list[int]:
        """Return the numbers of entries that were counted from the first."""
        first = self._first
        return [first + place for place in places]

    def _take(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Take in rows of ``_READ``."""
        if rows and not self._latest:
            self._first = number(rows[0][0])
        first, places, latest = self._first, self._by, self._latest[-1] if self._latest else 0
        for place, (seq, at, is_sso, *names) in enumerate(rows, start=len(self._latest)):
            moment = _moment(text(at))
            if moment is None or seq != first + place:
                self._give_up()  # no segment of ours: it is read entry by entry
                return
            latest = max(latest, moment)
            self._latest.append(latest)
            while self._turn_times and self._turn_times[-1] >= moment:
                self._turn_times.pop()
                self._turns.pop()
            self._turns.append(place)
            self._turn_times.append(moment)
            for by, name in zip(BY, names, strict=True):
                if isinstance(name, str):
                    if (by, name) not in places:
                        places[by, name] = array("I")
                    places[by, name].append(place)
            if is_sso:
                self._sso.append(place)
        if len(places) > MOST_NAMES:
            self._give_up()

    def _give_up(self) -> None:
        self._latest, self._turns, self._turn_times = array("Q"), array("I"), array("Q")
        self._sso, self._by = array("I"), {}
        self._is_given_up = True


_NONE = array("I")


def _between(places: array[int], low: int, high: int) -> Sequence[int]:
    return places[bisect_left(places, max(low, 0)) : bisect_right(places, high)]


def _moment(at: str) -> int | None:
    """Return a time as a number that rises as its text does; None where it is none."""
    if _TIME.fullmatch(at) is None:
        return None
    return int(at.translate(_DIGITS_ALONE).ljust(_TIME_DIGITS, "0"))


_DIGITS_ALONE = str.maketrans("", "", "-:.TZ")
_TIME_DIGITS = 17


def _digest_of(segment: apsw.Connection, seq: int) -> bytes:
    row = segment.execute("SELECT body FROM entry WHERE seq = ?", (seq,)).fetchone()
    return b"" if row is None else sha256(text(row[0]).encode()).digest()
