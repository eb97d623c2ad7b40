"""When is a test due? From the last result in the record and the ship's calendar, never from a job store.

APScheduler's cron triggers are the calendar: a period is a day, week, month, quarter or year in ship's time. Its
scheduler is not used: interval jobs stop when the clock steps back, and a restart must not move a due date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from apscheduler.triggers.cron import CronTrigger

from daemon.model import ClockStatus, Outcome, Readiness

if TYPE_CHECKING:
    from collections.abc import Mapping

PERIODS: Final[Mapping[str, Mapping[str, str | int]]] = {
    "day": {"hour": 0, "minute": 0},
    "week": {"day_of_week": "mon", "hour": 0, "minute": 0},
    "month": {"day": 1, "hour": 0, "minute": 0},
    "quarter": {"month": "1,4,7,10", "day": 1, "hour": 0, "minute": 0},
    "year": {"month": 1, "day": 1, "hour": 0, "minute": 0},
}
RETRY_AFTER: Final = timedelta(hours=1)
"""When an automatic test that proved nothing, or failed, is tried again."""
OVERDUE_AFTER: Final = {
    "day": timedelta(days=1),
    "week": timedelta(days=3),
    "month": timedelta(days=7),
    "quarter": timedelta(days=14),
    "year": timedelta(days=30),
}
"""How long after its due date a test counts as overdue; the SSP decides in the end."""


@dataclass(frozen=True, slots=True)
class LastResult:
    """The newest result of one test, as the record has it."""

    outcome: Outcome
    ended_utc: datetime
    seq: int
    reason: str


def next_due_utc(every: str, last: LastResult | None, *, ship_time: timezone) -> datetime | None:
    """Return when a test is due next; None for now, since it was never done."""
    if last is None:
        return None
    if last.outcome is not Outcome.PASSED:
        return last.ended_utc + RETRY_AFTER
    trigger = CronTrigger(timezone=ship_time, **PERIODS[every])
    due: datetime = trigger.get_next_fire_time(None, last.ended_utc + timedelta(microseconds=1))
    return due.astimezone(last.ended_utc.tzinfo)


def is_due(every: str, last: LastResult | None, *, now_utc: datetime, ship_time: timezone) -> bool:
    """Return whether a test is due now."""
    due = next_due_utc(every, last, ship_time=ship_time)
    return due is None or now_utc >= due


def readiness(
    every: str,
    last: LastResult | None,
    *,
    now_utc: datetime,
    ship_time: timezone,
    clock: ClockStatus,
    under_test: bool,
) -> Readiness:
    """Return how a piece of equipment with one test stands. Inconclusive is not in order (invariant 2)."""
    if under_test:
        return Readiness.UNDER_TEST
    if clock is ClockStatus.UNSET:
        return Readiness.NOT_TESTABLE
    if last is not None and last.outcome is Outcome.FAILED:
        return Readiness.DEFECT
    due = next_due_utc(every, last, ship_time=ship_time)
    if due is not None and now_utc > due + OVERDUE_AFTER[every]:
        return Readiness.OVERDUE
    if last is None or last.outcome is not Outcome.PASSED or (due is not None and now_utc >= due):
        return Readiness.TEST_DUE
    return Readiness.IN_ORDER
