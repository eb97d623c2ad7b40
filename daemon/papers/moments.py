"""How does a moment stand on paper? UTC first, ship's time of that very moment beside it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from daemon.papers.layout import NOTHING, Cell, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not the computer's locale: papers are in English (ISPS A/10.2)."""


class ShipTime:
    """Ship's time over the period: what was ordered, and before the first order what her file said."""

    def __init__(
        self, changes: Iterable[tuple[datetime, int]], first_min: int | None = None
    ) -> None:
        """Take the changes as (moment in UTC, minutes ahead of UTC) and the offset before the first of them."""
        self._changes = sorted(changes)
        self._moments = [moment for moment, _ in self._changes]
        self._first_min = first_min

    def offset_min(self, moment: datetime) -> int | None:
        """Return ship's time minus UTC at a moment, in minutes; None where the record does not tell."""
        place = bisect_right(self._moments, moment)
        return self._changes[place - 1][1] if place else self._first_min

    def local(self, moment: datetime) -> datetime:
        """Return the ship's calendar at a moment, or UTC's where ship's time is not known."""
        return moment.astimezone(UTC).replace(tzinfo=None) + timedelta(
            minutes=self.offset_min(moment) or 0
        )


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment until before another; both in UTC."""

    begins: datetime
    ends: datetime

    def holds(self, moment: datetime) -> bool:
        return self.begins <= moment < self.ends

    @property
    def last(self) -> datetime:
        """The last moment in it."""
        return self.ends.astimezone(UTC) - timedelta(microseconds=1)

    def words(self) -> str:
        """Return the period as the head of a page has it."""
        begins, ends = self.begins.astimezone(UTC), self.last
        if begins.date() == ends.date():
            return day(ends)
        if (begins.year, begins.month) == (ends.year, ends.month):
            return f"{begins.day}–{day(ends)}"
        return f"{day(begins)} – {day(ends)}"


def read(text: object) -> datetime | None:
    """Return a moment of an entry; None where there is none that can be read."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.utcoffset() is not None else None


def day(moment: datetime) -> str:
    """Return a date: ``22 Nov 2026``."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def short_day(moment: datetime) -> str:
    """Return a date without its year: ``22 Nov``."""
    return f"{moment.day} {MONTHS[moment.month - 1]}"


def utc_words(moment: datetime | None) -> str:
    """Return date and time in UTC: ``22 Nov 2026 0600Z``."""
    if moment is None:
        return NOTHING
    moment = moment.astimezone(UTC)
    return f"{day(moment)} {moment:%H%M}Z"


def zone_words(offset_min: int) -> str:
    """Return an offset as the log has it: ``+8``, ``-3:30``, ``+0``."""
    sign = "-" if offset_min < 0 else "+"
    hours, minutes = divmod(abs(offset_min), 60)
    return f"{sign}{hours}" + (f":{minutes:02d}" if minutes else "")


def both(moment: datetime, ship_time: ShipTime, *, with_year: bool = False) -> Cell:
    """Return a moment in UTC, and below it in ship's time with its day where that is another."""
    utc = moment.astimezone(UTC)
    first = f"{day(utc) if with_year else short_day(utc)} {utc:%H%M}"
    offset = ship_time.offset_min(moment)
    if offset is None:
        return (Span(first), Span("", "break"), Span("ship's time not recorded", "small"))
    local = ship_time.local(moment)
    other_day = "" if local.date() == utc.date() else f"{short_day(local)} "
    return (
        Span(first),
        Span("", "break"),
        Span(f"{other_day}{local:%H%M} {zone_words(offset)}", "small"),
    )
