"""When is a test due, overdue, missed? From the record and the ship's calendar, never from a job store.

APScheduler's cron triggers are the calendar: a test is done once in a day, week, month, quarter or year of ship's time.
Its scheduler is not used: interval jobs stop when the clock steps back, and a restart must not move a due date. What
is due earlier than the last result is no news but a wrong clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from apscheduler.triggers.cron import CronTrigger

from daemon.model import ClockStatus, Outcome, Readiness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import CheckConfig, CheckSpec

RETRY_AFTER: Final = timedelta(hours=1)
"""When an automatic test that proved nothing, or failed, is tried again."""
LIMIT_DAYS: Final = {"day": 2, "week": 10, "month": 92, "quarter": 123, "year": 457}
"""Days since the last pass after which a test is overdue; the SSP decides in the end. A month's may take a quarter."""
CLOCK_DOUBT: Final = timedelta(days=1)
"""A clock that is earlier than the last result by more than this is wrong, or was when that was written."""
MOST_MISSED: Final = 7
"""Periods that are named one by one when they were missed in one go; more are one entry."""

_BEGINS: Final[Mapping[str, Mapping[str, str | int]]] = {
    "day": {},
    "week": {"day_of_week": "mon"},
    "month": {"day": 1},
    "quarter": {"month": "1,4,7,10", "day": 1},
    "year": {"month": 1, "day": 1},
}
_LONGEST_DAYS: Final = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True)
class Plan:
    """How often a test is done.

    Attributes:
        at: When the period begins, as the ship's file has it; None: with its first midnight.
        continuous: It is done all the time, so that it never falls due.
    """

    every: str
    at: str | None = None
    limit_days: int | None = None
    continuous: bool = False

    @property
    def limit(self) -> timedelta:
        """Return how long after the last pass it is overdue."""
        return timedelta(days=self.limit_days or LIMIT_DAYS[self.every])


@dataclass(frozen=True, slots=True)
class Period:
    """The time in which a test is done once: from its beginning until before its end."""

    begins_utc: datetime
    ends_utc: datetime


@dataclass(frozen=True, slots=True)
class LastResult:
    """The newest result of one test, as the record has it."""

    outcome: Outcome
    ended_utc: datetime
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Past:
    """What the record says of a test; of several items, what it says of the worst.

    Attributes:
        planned_utc: Since when it is in the plan; None while that is not written.
        passed_utc: When it passed last; None where it never did, or has failed since.
        tested_utc: When it was done last, however that ended.
        skipped_utc: When a person said that it cannot be done now, where that is the newest word.
        defect: It has failed, and not passed since.
        settled_utc: Until when missed periods are written.
    """

    planned_utc: datetime | None = None
    passed_utc: datetime | None = None
    tested_utc: datetime | None = None
    skipped_utc: datetime | None = None
    defect: bool = False
    settled_utc: datetime | None = None


def plan_of(config: CheckConfig, spec: CheckSpec) -> Plan:
    """Return how often a test of the ship's file is done."""
    # Items are done one by one in the period, though they are watched all the time.
    continuous = spec.continuous and not spec.items(config)
    return Plan(config.every, config.at, config.limit_days, continuous)


def period(plan: Plan, moment_utc: datetime, *, ship_time: timezone) -> Period:
    """Return the period that holds a moment."""
    # Periods begin at whole minutes: asked each second, the calendar is looked up once a minute.
    minute_utc = moment_utc.astimezone(UTC).replace(second=0, microsecond=0)
    return _period(plan, minute_utc, ship_time)


def day_after(local: datetime, *, ship_time: timezone) -> datetime:
    """Return the midnight that ends a day of ship's time, as it is counted now."""
    tomorrow = (local + timedelta(days=1)).date()
    return datetime.combine(tomorrow, datetime.min.time(), tzinfo=ship_time)


def is_due(plan: Plan, past: Past, *, now_utc: datetime, ship_time: timezone) -> bool:
    """Return whether a test has not passed yet in the period that has begun."""
    if past.passed_utc is None:
        return True
    if plan.continuous:
        return False
    return past.passed_utc < period(plan, now_utc, ship_time=ship_time).begins_utc


def is_settled(plan: Plan, past: Past, *, now_utc: datetime, ship_time: timezone) -> bool:
    """Return whether a person has said of this period that the test cannot be done."""
    if past.skipped_utc is None:
        return False
    return past.skipped_utc >= period(plan, now_utc, ship_time=ship_time).begins_utc


def next_due_utc(plan: Plan, past: Past, *, ship_time: timezone) -> datetime | None:
    """Return when a test is due next; None: it is due now, since it was never passed or has failed."""
    if past.passed_utc is None:
        return None
    return period(plan, past.passed_utc, ship_time=ship_time).ends_utc


def overdue_utc(plan: Plan, past: Past) -> datetime | None:
    """Return when a test is, or was, overdue; None while nothing is known of it."""
    since = past.passed_utc or past.planned_utc
    return None if since is None else since + plan.limit


def missed(plan: Plan, past: Past, *, now_utc: datetime, ship_time: timezone) -> tuple[Period, ...]:
    """Return the periods that have ended without a test and are not written yet, oldest first.

    More than ``MOST_MISSED`` of them are returned as one that spans them all. The period in which a test came into
    the plan counts as done: nobody could do it in its whole time.
    """
    marks = [m for m in (past.planned_utc, past.tested_utc, past.skipped_utc) if m is not None]
    if past.planned_utc is None or max(marks) > now_utc + CLOCK_DOUBT:
        return ()  # in no plan yet, or the clock is wrong
    if past.settled_utc is not None and past.settled_utc <= now_utc + CLOCK_DOUBT:
        marks.append(past.settled_utc)  # what a wrong clock once settled in the future is not
    now = period(plan, now_utc, ship_time=ship_time)
    begins_utc = period(plan, max(marks), ship_time=ship_time).ends_utc
    found: list[Period] = []
    while begins_utc < now.begins_utc:
        if len(found) == MOST_MISSED:
            return (Period(found[0].begins_utc, now.begins_utc),)
        found.append(period(plan, begins_utc, ship_time=ship_time))
        begins_utc = found[-1].ends_utc
    return tuple(found)


def why_missed(missing: Period, *, off_from_utc: datetime | None, on_utc: datetime) -> str:
    """Return why a period ended without a test; ispsd was off from ``off_from_utc`` until ``on_utc``."""
    if off_from_utc is None or off_from_utc >= missing.ends_utc or on_utc <= missing.begins_utc:
        return "not done"
    if off_from_utc <= missing.begins_utc and on_utc >= missing.ends_utc:
        return "not testable: power off"
    return "not done; power was off for a part of the time"


def readiness(
    plan: Plan,
    past: Past,
    *,
    now_utc: datetime,
    ship_time: timezone,
    clock: ClockStatus,
    under_test: bool,
    proven: bool,
) -> Readiness:
    """Return how a test's equipment stands. ``proven``: its newest result passed (invariant 2)."""
    if under_test:
        return Readiness.UNDER_TEST
    tested_utc = past.tested_utc
    if clock is ClockStatus.UNSET or (tested_utc and now_utc < tested_utc - CLOCK_DOUBT):
        return Readiness.NOT_TESTABLE
    if past.defect:
        return Readiness.DEFECT
    limit_utc = overdue_utc(plan, past)
    if limit_utc is not None and now_utc > limit_utc:
        return Readiness.OVERDUE
    due = is_due(plan, past, now_utc=now_utc, ship_time=ship_time)
    return Readiness.TEST_DUE if due or not proven else Readiness.IN_ORDER


@lru_cache(maxsize=512)
def _period(plan: Plan, minute_utc: datetime, ship_time: timezone) -> Period:
    trigger = _trigger(plan, ship_time)
    begins = minute_utc - timedelta(days=_LONGEST_DAYS[plan.every] + 1)
    begins = trigger.get_next_fire_time(None, begins)
    while (ends := trigger.get_next_fire_time(begins, begins + timedelta(seconds=1))) <= minute_utc:
        begins = ends
    return Period(begins.astimezone(UTC), ends.astimezone(UTC))


def _trigger(plan: Plan, ship_time: timezone) -> CronTrigger:
    """Return the trigger that fires when a period begins."""
    day, _, clock_time = (plan.at or "00:00").rpartition(" ")
    hour, _, minute = clock_time.partition(":")
    fields: dict[str, str | int] = {**_BEGINS[plan.every], "hour": int(hour), "minute": int(minute)}
    if day and plan.every == "week":
        fields["day_of_week"] = day
    elif day:
        month, _, of_month = day.rpartition("-")
        fields["day"] = int(of_month)
        if month:
            fields["month"] = int(month)
    return CronTrigger(timezone=ship_time, **fields)
