"""Which months and days does an address ask for? Those of ship's time; what is no month is refused in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.control.fields import EARLIEST_YEAR, LATEST_YEAR
from daemon.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.review.reader import Reader

NAMES: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the ship's calendar."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: date) -> Month:
        return cls(moment.year, moment.month)

    @classmethod
    def read(cls, typed: str) -> Month:
        """Return the month that somebody asked for.

        Raises:
            RefusedError: It is none: ``2026-11`` is one.
        """
        found = _MONTH.fullmatch(typed)
        if found is None or not EARLIEST_YEAR <= int(found[1]) < LATEST_YEAR - 1:
            raise RefusedError(f"{typed[:20]!r} is no month, such as 2026-11")
        return cls(int(found[1]), int(found[2]))

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    def later(self, months: int) -> Month:
        """Return the month so many months on."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    @property
    def id(self) -> str:
        """Return it as addresses have it: ``2026-11``."""
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def words(self) -> str:
        return f"{NAMES[self.month - 1]} {self.year}"


@dataclass(frozen=True, slots=True)
class Days:
    """From one day's beginning to another's end, in ship's time."""

    first: date
    last: date

    def bounds(self, reader: Reader) -> dict[str, str]:
        """Return it as requests have it."""
        end = self.last + timedelta(days=1)
        begin_utc, end_utc = (
            datetime.combine(day, time(), reader.ship_time) for day in (self.first, end)
        )
        return {"since": forms.utc(begin_utc), "until": forms.utc(end_utc)}


def today(reader: Reader) -> date:
    """Return the ship's day."""
    return reader.now_utc.astimezone(reader.ship_time).date()


def whole(month: Month) -> Days:
    """Return a month's days."""
    return Days(month.first, month.later(1).first - timedelta(days=1))


def asked_for(reader: Reader, asked: Mapping[str, str]) -> tuple[Days, Month | None]:
    """Return which days are asked for: two days, or a month, or this one; and the month, where it is one.

    Raises:
        RefusedError: They are none.
    """
    first, last = asked.get("from", ""), asked.get("to", "")
    if first or last:
        now = today(reader)
        days = Days(_day(first) if first else now, _day(last) if last else now)
        if days.first > days.last:
            raise RefusedError("the period ends before it begins")
        return days, None
    typed = asked.get("month", "")
    month = Month.read(typed) if typed else Month.of(today(reader))
    return whole(month), month


def _day(typed: str) -> date:
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        found = None
    if found is None or not EARLIEST_YEAR <= found.year < LATEST_YEAR - 1:
        raise RefusedError(f"{typed[:20]!r} is no day, such as 2026-11-22")
    return found
