from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from daemon import schedule
from daemon.model import ClockStatus, Outcome, Readiness
from daemon.schedule import LastResult

SINGAPORE = timezone(timedelta(hours=8))
DONE = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)  # Sunday 1010 ship's time


def last(outcome: Outcome = Outcome.PASSED, ended: datetime = DONE) -> LastResult:
    return LastResult(outcome, ended, 12, "because")


@pytest.mark.parametrize(
    ("every", "due"),
    [
        ("day", datetime(2026, 11, 22, 16, 0, tzinfo=UTC)),  # midnight, ship's time
        ("week", datetime(2026, 11, 22, 16, 0, tzinfo=UTC)),  # Monday begins then
        ("month", datetime(2026, 11, 30, 16, 0, tzinfo=UTC)),
        ("quarter", datetime(2026, 12, 31, 16, 0, tzinfo=UTC)),
        ("year", datetime(2026, 12, 31, 16, 0, tzinfo=UTC)),
    ],
)
def test_due_is_the_beginning_of_the_next_period_in_ships_time(every, due):
    assert schedule.next_due_utc(every, last(), ship_time=SINGAPORE) == due
    assert not schedule.is_due(
        every, last(), now_utc=due - timedelta(microseconds=1), ship_time=SINGAPORE
    )
    assert schedule.is_due(every, last(), now_utc=due, ship_time=SINGAPORE)


def test_a_test_that_was_never_done_is_due_now():
    assert schedule.next_due_utc("year", None, ship_time=UTC) is None
    assert schedule.is_due("year", None, now_utc=DONE, ship_time=UTC)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.SKIPPED])
def test_what_did_not_pass_is_tried_again_after_an_hour_not_after_a_year(outcome):
    assert schedule.next_due_utc("year", last(outcome), ship_time=UTC) == DONE + timedelta(hours=1)


def test_a_clock_stepped_back_makes_nothing_due_early():
    before = DONE - timedelta(days=400)
    assert not schedule.is_due("day", last(), now_utc=before, ship_time=SINGAPORE)


@pytest.mark.parametrize(
    ("result", "now", "clock", "running", "stands"),
    [
        (last(), DONE, ClockStatus.SYNCED, False, Readiness.IN_ORDER),
        (last(), DONE + timedelta(days=1), ClockStatus.SYNCED, False, Readiness.TEST_DUE),
        (last(), DONE + timedelta(days=3), ClockStatus.SYNCED, False, Readiness.OVERDUE),
        (None, DONE, ClockStatus.SYNCED, False, Readiness.TEST_DUE),
        (last(Outcome.FAILED), DONE, ClockStatus.SYNCED, False, Readiness.DEFECT),
        (last(Outcome.INCONCLUSIVE), DONE, ClockStatus.HOLDOVER, False, Readiness.TEST_DUE),
        (last(), DONE, ClockStatus.UNSET, False, Readiness.NOT_TESTABLE),
        (last(Outcome.FAILED), DONE, ClockStatus.UNSET, True, Readiness.UNDER_TEST),
    ],
)
def test_readiness_in_the_words_that_are_shown(result, now, clock, running, stands):
    found = schedule.readiness(
        "day", result, now_utc=now, ship_time=SINGAPORE, clock=clock, under_test=running
    )
    assert found is stands
