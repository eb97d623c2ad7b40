"""Where does a message say that a ship is, and when was that? Read as units, trackers and mail programs write it. Pure.

Degrees and minutes, with seconds or without, decimal degrees, NMEA's ``0115.84N``; the side before or behind, never
the end of a word (DAT*E* 22 11). Of several dates and times the one that stands nearest to the position is its own: a
mail's header has others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from daemon.model import Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_APART: Final = 40
"""Signs between a latitude and its longitude."""
CLOSE: Final = 12
"""Signs between a date and its time: ``UTC``, a comma."""

_VALUES: Final = (
    r"(?P<d>\d{1,3})\s*[°:\s-]\s*(?P<m>\d{1,2})\s*['′:\s-]\s*(?P<s>\d{1,2}(?:\.\d+)?)(?![\d.]*\d)\s*[\"″]?",
    r"(?P<d>\d{1,3})\s*[°:\s-]\s*(?P<m>\d{1,2}(?:\.\d+)?)(?![\d.]*\d)\s*['′]?",
    r"(?P<d>\d{2,3})(?P<m>\d{2}\.\d+)(?![\d.]*\d)",
    r"(?P<d>\d{1,3}\.\d+)(?![\d.]*\d)\s*°?(?P<m>)",
)
"""Degrees, minutes and seconds; degrees and minutes; the same without a gap; degrees."""


def _axis(sides: str, label: str) -> tuple[re.Pattern[str], ...]:
    before = (rf"(?<![A-Z])(?P<side>[{sides}])[\s,:]*{value}" for value in _VALUES)
    after = (rf"(?<![\d.,°:'′-]){value}\s*(?P<side>[{sides}])(?![A-Z])" for value in _VALUES)
    named = (
        rf"(?<![A-Z]){label}[A-Z]*[\s,:=]*(?P<side>-?){_VALUES[-1]}(?!\s*(?:['′-]|[NSEW](?![A-Z])))"
    )
    return tuple(re.compile(each) for each in (*before, *after, named))


_LATITUDE: Final = _axis("NS", "LAT")
_LONGITUDE: Final = _axis("EW", "LON")
_MARKS: Final = re.compile(
    r"\bPOS(?:N|ITION)?\b|\bLAT(?:ITUDE)?\b|\bLONG?(?:ITUDE)?\b|\d\s*[°'′\"″]?\s*[NSEW](?![A-Z])"
)
"""What a text with a position has, however it is written."""

_MONTHS: Final = [
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
]
_DATES: Final = (
    re.compile(r"(?<![\d.])(?P<y>\d{4})[-/.](?P<mo>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"),
    re.compile(r"(?<![\d.])(?P<d>\d{1,2})[-/.](?P<mo>\d{1,2})[-/.](?P<y>\d{4}|\d{2})(?!\d)"),
    re.compile(
        rf"(?<!\d)(?P<d>\d{{1,2}})[\s-]?(?P<mo>{'|'.join(_MONTHS)})[A-Z]*[\s,-]*(?P<y>\d{{4}}|\d{{2}})(?!\d)"
    ),
)
_CLOCK: Final = re.compile(
    r"(?<![\d.:/-])(?P<h>\d{2}):?(?P<mi>\d{2})(?::\d{2}(?:\.\d+)?)?(?![\d/.:]|-\d)"
    r"(?:\s*\(?(?P<zone>[+-]\d{2}:?\d{2})\)?)?"
)
_GROUP: Final = re.compile(
    rf"(?<!\d)(?P<d>\d{{2}})(?P<h>\d{{2}})(?P<mi>\d{{2}})Z?\s*(?P<mo>{'|'.join(_MONTHS)})\s*(?P<y>\d{{4}}|\d{{2}})(?!\d)"
)
"""A date-time group: ``220210Z NOV 26``."""
_CENTURY: Final = 2000


class Span(NamedTuple):
    """Where something stands in a text."""

    begin: int
    end: int

    def apart(self, other: Span) -> int:
        """Return how many signs lie between; less than 0 where they overlap."""
        return max(other.begin - self.end, self.begin - other.end)


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text."""

    position: Position
    span: Span


def plain(text: str) -> str:
    """Return a text in capitals and on one line, as everything here reads it."""
    return " ".join(text.upper().split())


def place_in(text: str) -> Place | None:
    """Return the position in a text; None where there is none, or it cannot be one."""
    words = plain(text)
    pairs = [
        (between, min(lat_span.begin, lon_span.begin), lat, lon, lat_span, lon_span)
        for (lat, lat_span), (lon, lon_span) in product(
            _angles(words, _LATITUDE, 90.0), _angles(words, _LONGITUDE, 180.0)
        )
        if 0 <= (between := lat_span.apart(lon_span)) <= MOST_APART
    ]
    if not pairs:
        return None
    _, begin, lat, lon, *spans = min(pairs, key=lambda pair: (pair[0], pair[1], -len(pair[4])))
    return Place(Position(lat, lon), Span(begin, max(span.end for span in spans)))


def moment_in(text: str, near: Span | None = None) -> datetime | None:
    """Return the date and time in a text, in UTC; of several the one nearest to a place in it, or the first."""
    found = list(_moments(plain(text)))
    if not found:
        return None
    return min(
        found, key=lambda each: (0 if near is None else max(0, each[1].apart(near)), each[1])
    )[0]


def has_marks_of_position(text: str) -> bool:
    """Return whether a text seems to say where a ship is, in whatever way."""
    return _MARKS.search(plain(text)) is not None


def has_marks_of_time(text: str) -> bool:
    """Return whether a text seems to say when, in whatever way."""
    words = plain(text)
    return any(pattern.search(words) for pattern in (*_DATES, _CLOCK, _GROUP))


def _angles(
    words: str, patterns: Iterable[re.Pattern[str]], most: float
) -> Iterator[tuple[float, Span]]:
    for pattern in patterns:
        for found in pattern.finditer(words):
            said = found.groupdict()
            minutes, seconds = float(said["m"] or 0), float(said.get("s") or 0)
            value = float(said["d"]) + minutes / 60 + seconds / 3600
            if max(minutes, seconds) < 60 and value <= most:  # noqa: PLR2004 (of arc)
                is_negative = said["side"] != "" and said["side"] in "SW-"
                yield -value if is_negative else value, Span(*found.span())


def _moments(words: str) -> Iterator[tuple[datetime, Span]]:
    for found in _GROUP.finditer(words):
        if (moment := _moment(found, found)) is not None:
            yield moment, Span(*found.span())
    clocks = list(_CLOCK.finditer(words))
    for date in (found for pattern in _DATES for found in pattern.finditer(words)):
        near = [
            (between, clock.start(), clock)
            for clock in clocks
            if 0 <= (between := Span(*date.span()).apart(Span(*clock.span()))) <= CLOSE
        ]
        for _, _, clock in sorted(near, key=lambda each: each[:2]):
            if (moment := _moment(date, clock)) is not None:
                begin, end = min(date.start(), clock.start()), max(date.end(), clock.end())
                yield moment, Span(begin, end)
                break


def _moment(date: re.Match[str], clock: re.Match[str]) -> datetime | None:
    month, year = date["mo"], int(date["y"])
    try:
        moment = datetime(
            year if len(date["y"]) > 2 else _CENTURY + year,  # noqa: PLR2004 (two digits of a year)
            _MONTHS.index(month) + 1 if month in _MONTHS else int(month),
            int(date["d"]),
            int(clock["h"]),
            int(clock["mi"]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    zone = clock.groupdict().get("zone")
    return moment if not zone else moment.replace(tzinfo=_zone(zone)).astimezone(UTC)


def _zone(said: str) -> timezone:
    digits = said[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if said[0] == "-" else offset)
