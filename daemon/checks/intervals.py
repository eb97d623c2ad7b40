"""How often is a test done? In each day, week, month of ship's time, each so many days, by a cron expression, or never.

The calendar is APScheduler's cron trigger. Its scheduler is not used: interval jobs stop when the clock steps back, and
a restart must not move a due date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from apscheduler.triggers.cron import CronTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER: Final = "never"
"""No calendar asks for it: an event does, or nothing in this situation."""
CRON: Final = "cron "
MOST_DAYS: Final = 1100
"""No interval is longer: about three years."""

_BEGINS: Final[Mapping[str, Mapping[str, str | int]]] = {
    "day": {},
    "week": {"day_of_week": "mon"},
    "month": {"day": 1},
    "quarter": {"month": "1,4,7,10", "day": 1},
    "half-year": {"month": "1,7", "day": 1},
    "year": {"month": 1, "day": 1},
}
_USUAL_DAYS: Final = {
    "day": 1,
    "week": 7,
    "month": 31,
    "quarter": 92,
    "half-year": 184,
    "year": 366,
}
LIMIT_DAYS: Final = {
    "day": 2,
    "week": 10,
    "month": 92,
    "quarter": 123,
    "half-year": 244,
    "year": 457,
}
"""Days since the last pass after which a test is overdue; the SSP decides in the end. A month's may take a quarter."""
_MARGIN: Final = 1.5
"""The same of an interval that is no calendar period: half as long again."""

_TIME: Final = r"([01]\d|2[0-3]):[0-5]\d"
_DAY: Final = r"(0[1-9]|1\d|2[0-8])"
AT_PATTERNS: Final = {
    "day": re.compile(_TIME),
    "week": re.compile(rf"((mon|tue|wed|thu|fri|sat|sun) )?{_TIME}"),
    "month": re.compile(rf"({_DAY} )?{_TIME}"),
    "quarter": re.compile(rf"({_DAY} )?{_TIME}"),
    "half-year": re.compile(rf"({_DAY} )?{_TIME}"),
    "year": re.compile(rf"((0[1-9]|1[0-2])-{_DAY} )?{_TIME}"),
}
"""When a period may begin: ``10:00``, ``sat 10:00``, ``15 10:00`` (day of the first month), ``06-15 10:00``."""
_DAYS: Final = re.compile(r"([1-9]\d{0,3}) days")
_FIELD: Final = r"[\d*/,-]+"
_CRON: Final = re.compile(rf"cron \d{{1,2}}( {_FIELD}){{3}} ([a-z]{{3}}([,-][a-z]{{3}})*|\*)")
"""The minute is one; weekdays are names, since programs differ on which day is 0."""
_FAR: Final = timedelta(days=MOST_DAYS)


@dataclass(frozen=True, slots=True)
class Period:
    """The time in which a test is done once: from its beginning until before its end."""

    begins_utc: datetime
    ends_utc: datetime


def fault(every: str) -> str | None:
    """Return why this is no interval; None where it is one."""
    if every == NEVER or every in _BEGINS:
        return None
    if (days := _days(every)) is not None:
        return None if days <= MOST_DAYS else f"{every!r}: {MOST_DAYS} days at most"
    if not every.startswith(CRON):
        known = ", ".join(_BEGINS)
        return (
            f"{every!r} is no interval: {known}, never, 14 days, or a cron expression of ship's "
            "time, cron 0 10 * * sat"
        )
    if _CRON.fullmatch(every) is None:
        return (
            f"{every!r}: minute, hour, day, month and weekday are wanted; one minute, and "
            "weekdays by name, as in cron 0 10 * * mon,thu"
        )
    return _cron_fault(every)


def at_fault(every: str, at: str) -> str | None:
    """Return why a period of this kind cannot begin then."""
    if every not in AT_PATTERNS:
        return f"at = {at!r} belongs to a calendar period, and {every!r} is none"
    if AT_PATTERNS[every].fullmatch(at) is None:
        return f"at = {at!r} is no time of a {every}, such as 10:00"
    return None


def is_period(every: str) -> bool:
    """Return whether an interval is a period of the calendar, such as a week."""
    return every in _BEGINS


def usual_days(every: str) -> float:
    """Return about how many days lie between two tests: the fewer, the stricter."""
    if every == NEVER:
        return float("inf")
    if every in _USUAL_DAYS:
        return _USUAL_DAYS[every]
    if (days := _days(every)) is not None:
        return days
    return _cron_days(every)


def limit_days(every: str) -> int | None:
    """Return how many days after the last pass a test is overdue where nothing is said; None: never."""
    if every == NEVER:
        return None
    if every in LIMIT_DAYS:
        return LIMIT_DAYS[every]
    return round(usual_days(every) * _MARGIN + 0.5)


def period(
    every: str, at: str | None, moment_utc: datetime, *, ship_time: timezone, counted_from: datetime
) -> Period:
    """Return the period that holds a moment; an interval in days counts from ``counted_from``."""
    if (days := _days(every)) is not None:
        each = timedelta(days=days)
        begins_utc = counted_from + (moment_utc - counted_from) // each * each
        return Period(begins_utc, begins_utc + each)
    # Periods begin at whole minutes: asked each second, the calendar is looked up once a minute.
    minute_utc = moment_utc.astimezone(UTC).replace(second=0, microsecond=0)
    return _period(every, at, minute_utc, ship_time)


def _days(every: str) -> int | None:
    found = _DAYS.fullmatch(every)
    return None if found is None else int(found[1])


@lru_cache(maxsize=2048)
def _period(every: str, at: str | None, minute_utc: datetime, ship_time: timezone) -> Period:
    trigger = _trigger(every, at, ship_time)
    begins = _before(trigger, minute_utc)
    while (ends := trigger.get_next_fire_time(begins, begins + timedelta(seconds=1))) <= minute_utc:
        begins = ends
    return Period(begins.astimezone(UTC), ends.astimezone(UTC))


def _before(trigger: CronTrigger, minute_utc: datetime) -> datetime:
    """Return a moment not after this one at which a period begins, and not many periods before it."""
    back = timedelta(days=2)
    while True:
        begins: datetime | None = trigger.get_next_fire_time(None, minute_utc - back)
        if begins is not None and begins <= minute_utc:
            return begins
        back *= 4


def _trigger(every: str, at: str | None, ship_time: timezone) -> CronTrigger:
    """Return the trigger that fires when a period begins."""
    if every.startswith(CRON):
        return CronTrigger.from_crontab(every.removeprefix(CRON), timezone=ship_time)
    day, _, clock_time = (at or "00:00").rpartition(" ")
    hour, _, minute = clock_time.partition(":")
    fields: dict[str, str | int] = {**_BEGINS[every], "hour": int(hour), "minute": int(minute)}
    if day and every == "week":
        fields["day_of_week"] = day
    elif day:
        month, _, of_month = day.rpartition("-")
        fields["day"] = int(of_month)
        if month:
            fields["month"] = int(month)
    return CronTrigger(timezone=ship_time, **fields)


def _cron_fault(every: str) -> str | None:
    try:
        gaps = _cron_gaps(every)
    except ValueError as err:
        return f"{every!r}: {err}"
    if gaps is None:
        return f"{every!r} does not come at least each {MOST_DAYS} days"
    return f"{every!r}: one hour at least lies between two" if min(gaps) < 1 / 24 else None


@lru_cache(maxsize=256)
def _cron_days(every: str) -> float:
    gaps = _cron_gaps(every)
    return max(gaps) if gaps else float("inf")


def _cron_gaps(every: str) -> list[float] | None:
    """Return how many days lie between the first moments of a cron expression; None where there are too few.

    Raises:
        ValueError: It is none.
    """
    trigger = _trigger(every, None, UTC)
    last = datetime(2024, 1, 1, tzinfo=UTC)  # a year with a 29 February
    gaps: list[float] = []
    for _ in range(32):
        found = trigger.get_next_fire_time(last, last + timedelta(seconds=1))
        if found is None or found - last > _FAR:
            return gaps[1:] or None
        gaps.append((found - last) / timedelta(days=1))
        last = found
    return gaps[1:]
