"""When is a test due, overdue, missed? From the record and the ship's calendar, never from a job store.

A test is done once in each period of ship's time that its plan asks for at this security level and in this situation
(``daemon.checks.intervals``), and after events that the record tells of. A restart moves no due date. What is due
earlier than the last result is no news but a wrong clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from daemon.checks import intervals
from daemon.checks.intervals import NEVER, Period
from daemon.model import ClockStatus, Outcome, Readiness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.checks.api import CheckConfig, CheckSpec
    from daemon.checks.asking import Event
    from daemon.model import Json, Regime

__all__ = [
    "CLOCK_DOUBT",
    "NOT_DONE",
    "RETRY_AFTER",
    "LastResult",
    "Past",
    "Period",
    "Plan",
    "begins_utc",
    "coming",
    "day_after",
    "day_of",
    "is_asked",
    "is_due",
    "is_settled",
    "missed",
    "missed_after",
    "next_due_utc",
    "overdue_utc",
    "period",
    "plan_of",
    "readiness",
    "why_missed",
]

RETRY_AFTER: Final = timedelta(hours=1)
"""When an automatic test that proved nothing, or failed, is tried again."""
CLOCK_DOUBT: Final = timedelta(days=1)
"""A clock that is earlier than the last result by more than this is wrong, or was when that was written."""
_MOMENT: Final = timedelta(microseconds=1)
NOT_DONE: Final = "not done"
"""Why a period ended without a test, where nothing better is known."""
MOST_MISSED: Final = 7
"""Periods that are named one by one when they were missed in one go; more are one entry."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How often a test is done, at the security level and in the situation that are now.

    Attributes:
        every: The interval, as ``daemon.checks.intervals`` has it.
        at: When the period begins, as the ship's file has it; None: with its first midnight.
        limit_days: Days since the last pass after which it is overdue; None: the interval's own.
        continuous: It is done all the time, so that it never falls due.
        grace_days: So long after its end a period waits for a late test before it is missed.
        after_days: Days in which it is to be done after an event.
    """

    every: str
    at: str | None = None
    limit_days: int | None = None
    continuous: bool = False
    grace_days: int = 0
    after_days: int = 7

    @property
    def limit(self) -> timedelta | None:
        """Return how long after the last pass it is overdue; None: never."""
        if self.every == NEVER:
            return None
        days = self.limit_days or intervals.limit_days(self.every)
        return None if days is None else timedelta(days=days)


@dataclass(frozen=True, slots=True)
class LastResult:
    """The newest result of one test, as the record has it.

    Attributes:
        sent_utc: When the test sent something ashore; None where it sends nothing, or nobody saw it go.
        day: The ship's day that a continuous check watched; None for a test of one occasion.
    """

    outcome: Outcome
    ended_utc: datetime
    seq: int
    reason: str
    sent_utc: datetime | None = None
    day: date | None = None

    def placed_utc(self, ship_time: timezone) -> datetime:
        """Return when it ended, as the calendar has it now: ship's time that was moved moves no day into the next."""
        if self.day is None:
            return self.ended_utc
        midnight = datetime.combine(self.day + timedelta(days=1), datetime.min.time(), ship_time)
        return min(self.ended_utc, midnight.astimezone(UTC) - timedelta(milliseconds=1))


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
        asked_utc: When the newest event happened that makes it due; None: none did.
        asked_by: Which event that was.
        asked_settled_utc: When the newest event happened of which it is written that the test was missed.
        stands_utc: Since when the plan has been at least as strict as it is now; None: as far back as is known.
    """

    planned_utc: datetime | None = None
    passed_utc: datetime | None = None
    tested_utc: datetime | None = None
    skipped_utc: datetime | None = None
    defect: bool = False
    settled_utc: datetime | None = None
    asked_utc: datetime | None = None
    asked_by: Event | None = None
    asked_settled_utc: datetime | None = None
    stands_utc: datetime | None = None


def day_of(result: Mapping[str, Json]) -> date | None:
    """Return the ship's day of a continuous check's result, as the record has it."""
    return date.fromisoformat(str(result["day"])) if "day" in result else None


def plan_of(config: CheckConfig, spec: CheckSpec, regime: Regime) -> Plan:
    """Return how often a test of the ship's file is done in a regime."""
    # Items are done one by one in the period, though they are watched all the time.
    continuous = spec.continuous and not spec.items(config)
    every = config.every_at(regime.situation, regime.level)
    return Plan(
        every,
        _at(every, config.at),
        None if config.limit_days is None else config.limit_days[regime.level - 1],
        continuous,
        config.grace_days,
        config.after_days,
    )


def _at(every: str, at: str | None) -> str | None:
    """Return when this period begins: of a time that belongs to another kind of period, its hour counts."""
    if at is None or every not in intervals.AT_PATTERNS:
        return None
    return at if intervals.at_fault(every, at) is None else at.rpartition(" ")[2]


def period(
    plan: Plan, moment_utc: datetime, *, ship_time: timezone, counted_from: datetime | None = None
) -> Period:
    """Return the period that holds a moment; an interval in days counts from the day of ``counted_from``.

    Raises:
        ValueError: The plan has no periods (``never``).
    """
    local = (counted_from or moment_utc).astimezone(ship_time)
    return intervals.period(
        plan.every,
        plan.at,
        moment_utc,
        ship_time=ship_time,
        counted_from=local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC),
    )


def day_after(local: datetime, *, ship_time: timezone) -> datetime:
    """Return the midnight that ends a day of ship's time, as it is counted now."""
    tomorrow = (local + timedelta(days=1)).date()
    return datetime.combine(tomorrow, datetime.min.time(), tzinfo=ship_time)


def is_due(plan: Plan, past: Past, *, now_utc: datetime, ship_time: timezone) -> bool:
    """Return whether a test has not passed yet in the period that has begun, or since an event that asks for it."""
    if is_asked(past):
        return True
    if plan.every == NEVER:
        return False
    if past.passed_utc is None:
        return True
    if plan.continuous:
        return False
    return past.passed_utc < _running(plan, past, now_utc, ship_time).begins_utc


def is_asked(past: Past) -> bool:
    """Return whether an event asks for the test that it has not passed since."""
    if past.asked_utc is None:
        return False
    return past.passed_utc is None or past.passed_utc <= past.asked_utc


def is_settled(plan: Plan, past: Past, *, now_utc: datetime, ship_time: timezone) -> bool:
    """Return whether a person has said of this period that the test cannot be done."""
    if past.skipped_utc is None or (past.asked_utc and past.asked_utc > past.skipped_utc):
        return False
    if plan.every == NEVER:
        return True
    return past.skipped_utc >= _running(plan, past, now_utc, ship_time).begins_utc


def next_due_utc(plan: Plan, past: Past, *, ship_time: timezone) -> datetime | None:
    """Return when a test is due next; None: now, since it was never passed, has failed, or an event asks for it.

    None as well where no calendar asks for it: ``is_due`` tells that apart.
    """
    if past.passed_utc is None or is_asked(past) or plan.every == NEVER:
        return None
    return period(plan, past.passed_utc, ship_time=ship_time, counted_from=past.passed_utc).ends_utc


def overdue_utc(plan: Plan, past: Past) -> datetime | None:
    """Return when a test is, or was, overdue; None while nothing is known of it, or nothing asks for it."""
    limits = []
    since = past.passed_utc or past.planned_utc
    if since is not None and plan.limit is not None:
        # Nobody is late by a plan that was not the plan yet.
        limits.append(max(since, past.stands_utc or since) + plan.limit)
    if past.asked_utc is not None and is_asked(past):
        limits.append(past.asked_utc + timedelta(days=plan.after_days))
    return min(limits, default=None)


def missed(plan: Plan, past: Past, *, now_utc: datetime, ship_time: timezone) -> tuple[Period, ...]:
    """Return the periods that have ended without a test and are not written yet, oldest first.

    More than ``MOST_MISSED`` of them are returned as one that spans them all. The period in which a test came into
    the plan counts as done, and so does that in which the plan became stricter: nobody could do it in its whole time.
    """
    marks = [m for m in (past.planned_utc, past.tested_utc, past.skipped_utc) if m is not None]
    if past.planned_utc is None or plan.every == NEVER or max(marks) > now_utc + CLOCK_DOUBT:
        return ()  # in no plan yet, nothing asks for it, or the clock is wrong
    counted_from = max(marks)

    def holding(moment_utc: datetime) -> Period:
        return period(plan, moment_utc, ship_time=ship_time, counted_from=counted_from)

    # What a wrong clock once settled in the future is not.
    if past.stands_utc is not None and past.stands_utc <= now_utc + CLOCK_DOUBT:
        marks.append(past.stands_utc)
    if past.settled_utc is not None and past.settled_utc <= now_utc + CLOCK_DOUBT:
        # The end of the last period, which ship's time may have moved since: what lies half a period before is in it.
        last = holding(past.settled_utc - timedelta(seconds=1))
        marks.append(past.settled_utc - (last.ends_utc - last.begins_utc) / 2)
    ended_utc = now_utc - timedelta(days=plan.grace_days)
    now = holding(max(ended_utc, counted_from))
    begins_utc = holding(max(marks)).ends_utc
    found: list[Period] = []
    while begins_utc < now.begins_utc:
        if len(found) == MOST_MISSED:
            return (Period(found[0].begins_utc, now.begins_utc),)
        found.append(holding(begins_utc))
        begins_utc = found[-1].ends_utc
    return tuple(found)


def missed_after(plan: Plan, past: Past, *, now_utc: datetime) -> Period | None:
    """Return the days after an event that have ended without the test it asks for, and are not written yet."""
    asked_utc = past.asked_utc
    if asked_utc is None or not is_asked(past) or asked_utc > now_utc:
        return None
    said = [m for m in (past.tested_utc, past.skipped_utc) if m is not None]
    settled_utc = past.asked_settled_utc
    if any(m > asked_utc for m in said) or (
        # The record's moments are whole milliseconds.
        settled_utc is not None and settled_utc >= asked_utc - timedelta(seconds=1)
    ):
        return None
    ends_utc = asked_utc + timedelta(days=max(plan.after_days, 1))
    is_over = now_utc >= ends_utc + timedelta(days=plan.grace_days)
    return Period(asked_utc, ends_utc) if is_over else None


def why_missed(
    missing: Period, *, off_from_utc: datetime | None, on_utc: datetime, was_unset: bool = False
) -> str:
    """Return why a period ended without a test.

    Args:
        missing: The period.
        off_from_utc: From when ispsd was off; None: it never ran before.
        on_utc: Until when it was; or, where the computer's clock was not set then, until when that was so.
        was_unset: The clock was not set when ispsd came back: nobody knows for how long it was off.
    """
    clock = " or the clock not set" if was_unset else ""
    if off_from_utc is None or off_from_utc >= missing.ends_utc or on_utc <= missing.begins_utc:
        return NOT_DONE
    if off_from_utc <= missing.begins_utc and on_utc >= missing.ends_utc:
        return f"not testable: power off{clock}"
    return f"not done; power was off{clock} for a part of the time"


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
    return Readiness.DEFECT if past.defect else _by_calendar(plan, past, now_utc, ship_time, proven)


def _by_calendar(
    plan: Plan,
    past: Past,
    now_utc: datetime,
    ship_time: timezone,
    proven: bool,  # noqa: FBT001
) -> Readiness:
    limit_utc = overdue_utc(plan, past)
    if limit_utc is not None and now_utc > limit_utc:
        return Readiness.OVERDUE
    if is_due(plan, past, now_utc=now_utc, ship_time=ship_time):
        return Readiness.TEST_DUE
    # What nothing asks for here, and was never proved, is neither due nor in order.
    unproven = Readiness.NOT_TESTABLE if plan.every == NEVER else Readiness.TEST_DUE
    return Readiness.IN_ORDER if proven else unproven


def begins_utc(plan: Plan, past: Past, *, now_utc: datetime, ship_time: timezone) -> datetime:
    """Return since when a pass counts as done: from the beginning of the period that runs, or a later event."""
    if plan.every == NEVER:
        return past.asked_utc or past.passed_utc or now_utc
    since = _running(plan, past, now_utc, ship_time).begins_utc
    # The event's own moment is not after it.
    return max(since, past.asked_utc + _MOMENT) if is_asked(past) and past.asked_utc else since


def coming(
    plan: Plan, past: Past, *, now_utc: datetime, until_utc: datetime, ship_time: timezone
) -> Iterator[Period]:
    """Yield when a test will be due until a moment, as if it passed each time as soon as it is: due, and due again."""
    if plan.continuous or (plan.every == NEVER and not is_asked(past)):
        return
    if plan.every == NEVER:
        yield Period(now_utc, until_utc)
        return
    due_utc = next_due_utc(plan, past, ship_time=ship_time) or now_utc
    due_utc = max(due_utc, now_utc)
    while due_utc < until_utc:
        found = period(plan, due_utc, ship_time=ship_time, counted_from=due_utc)
        yield Period(due_utc, found.ends_utc)
        due_utc = found.ends_utc


def _running(plan: Plan, past: Past, now_utc: datetime, ship_time: timezone) -> Period:
    """Return the period that runs; an interval in days counts from the last pass."""
    return period(plan, now_utc, ship_time=ship_time, counted_from=past.passed_utc)
