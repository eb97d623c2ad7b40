"""Due, overdue and missed come from the record and the ship's calendar, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from daemon.model import ClockStatus, Readiness
from daemon.testing import schedule
from daemon.testing.schedule import Past, Period, Plan
from tests.checks.rig import ScriptedConfig

SINGAPORE = timezone(timedelta(hours=8))
DONE = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)  # Sunday 1010 ship's time
LONG_AGO = DONE - timedelta(days=1000)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def done(at: datetime = DONE, **more: object) -> Past:
    """What the record says after a pass."""
    return Past(planned_utc=LONG_AGO, passed_utc=at, tested_utc=at, **more)  # type: ignore[arg-type]


def config(**said: object) -> ScriptedConfig:
    whole = {"id": "t-1", "equipment": "bell", "name": "BELL", "ssp_paragraph": "1", **said}
    return ScriptedConfig.model_validate(whole)


@pytest.mark.parametrize(
    ("plan", "begins", "ends"),
    [
        (Plan("day"), "2026-11-21T16:00", "2026-11-22T16:00"),
        (Plan("day", "10:00"), "2026-11-22T02:00", "2026-11-23T02:00"),
        (Plan("day", "10:11"), "2026-11-21T02:11", "2026-11-22T02:11"),
        (Plan("week"), "2026-11-15T16:00", "2026-11-22T16:00"),
        (Plan("week", "10:00"), "2026-11-16T02:00", "2026-11-23T02:00"),
        (Plan("week", "sat 10:00"), "2026-11-21T02:00", "2026-11-28T02:00"),
        (Plan("month"), "2026-10-31T16:00", "2026-11-30T16:00"),
        (Plan("month", "28 10:00"), "2026-10-28T02:00", "2026-11-28T02:00"),
        (Plan("quarter"), "2026-09-30T16:00", "2026-12-31T16:00"),
        (Plan("quarter", "15 10:00"), "2026-10-15T02:00", "2027-01-15T02:00"),
        (Plan("year"), "2025-12-31T16:00", "2026-12-31T16:00"),
        (Plan("year", "12-15 10:00"), "2025-12-15T02:00", "2026-12-15T02:00"),
    ],
)
def test_a_period_is_of_ships_time_and_begins_when_the_ships_file_says(plan, begins, ends):
    begins, ends = (datetime.fromisoformat(f"{moment}Z") for moment in (begins, ends))
    for moment in (DONE, begins, ends - timedelta(microseconds=1)):
        assert schedule.period(plan, moment, ship_time=SINGAPORE) == Period(begins, ends)
    assert schedule.period(plan, ends, ship_time=SINGAPORE).begins_utc == ends


@pytest.mark.parametrize(
    ("every", "at"),
    [
        ("day", "10:00"),
        ("week", "sat 10:00"),
        ("week", "23:59"),
        ("month", "01 00:00"),
        ("quarter", "28 10:00"),
        ("year", "06-15 10:00"),
        ("year", None),
    ],
)
def test_a_time_that_fits_its_period_is_taken(every, at):
    assert config(every=every, at=at).at == at


@pytest.mark.parametrize(
    ("every", "at"),
    [
        ("day", "sat 10:00"),
        ("day", "24:00"),
        ("day", "10:00 "),
        ("day", "* 10:00"),
        ("week", "Saturday 10:00"),
        ("week", "15 10:00"),
        ("month", "29 10:00"),
        ("month", "00 10:00"),
        ("quarter", "06-15 10:00"),
        ("year", "02-30 10:00"),
        ("year", "13-01 10:00"),
        ("year", ""),
    ],
)
def test_a_time_that_does_not_fit_is_refused_with_its_text(every, at):
    with pytest.raises(ValidationError, match="is no time of a"):
        config(every=every, at=at)


@pytest.mark.parametrize(
    ("every", "days"), [("day", 2), ("week", 10), ("month", 92), ("quarter", 123), ("year", 457)]
)
def test_overdue_is_the_limit_after_the_last_pass_and_the_ships_file_may_say_another(every, days):
    for plan, limit in ((Plan(every), days), (Plan(every, limit_days=5), 5)):
        for past in (done(), Past(planned_utc=DONE)):
            assert schedule.overdue_utc(plan, past) == DONE + limit * DAY
            for moment, stands in (
                (DONE + limit * DAY, False),
                (DONE + limit * DAY + SECOND, True),
            ):
                found = stands_at(plan, past, moment)
                assert (found is Readiness.OVERDUE) is stands


def stands_at(
    plan: Plan,
    past: Past,
    now: datetime,
    *,
    clock: ClockStatus = ClockStatus.SYNCED,
    under_test: bool = False,
    proven: bool = True,
) -> Readiness:
    return schedule.readiness(
        plan,
        past,
        now_utc=now,
        ship_time=SINGAPORE,
        clock=clock,
        under_test=under_test,
        proven=proven,
    )


def test_a_test_falls_due_when_its_next_period_begins():
    due = datetime(2026, 11, 22, 16, tzinfo=UTC)
    plan = Plan("week")
    assert schedule.next_due_utc(plan, done(), ship_time=SINGAPORE) == due
    for moment, falls_due in ((DONE, False), (due - SECOND, False), (due, True)):
        assert schedule.is_due(plan, done(), now_utc=moment, ship_time=SINGAPORE) is falls_due
        expected = Readiness.TEST_DUE if falls_due else Readiness.IN_ORDER
        assert stands_at(plan, done(), moment) is expected


def test_a_test_that_was_never_passed_is_due_now():
    for past in (Past(), Past(planned_utc=DONE), Past(tested_utc=DONE)):
        assert schedule.next_due_utc(Plan("year"), past, ship_time=UTC) is None
        assert schedule.is_due(Plan("year"), past, now_utc=DONE, ship_time=UTC)


def test_what_is_done_all_the_time_never_falls_due():
    plan = Plan("day", continuous=True)
    assert stands_at(plan, done(), DONE + DAY) is Readiness.IN_ORDER
    assert stands_at(plan, done(), DONE + 2 * DAY + SECOND) is Readiness.OVERDUE


@pytest.mark.parametrize(
    ("past", "how", "stands"),
    [
        (done(), {}, Readiness.IN_ORDER),
        (done(), {"proven": False}, Readiness.TEST_DUE),
        (done(defect=True), {}, Readiness.DEFECT),
        (Past(tested_utc=LONG_AGO, planned_utc=LONG_AGO, defect=True), {}, Readiness.DEFECT),
        (done(defect=True), {"clock": ClockStatus.UNSET}, Readiness.NOT_TESTABLE),
        (done(), {"clock": ClockStatus.HOLDOVER}, Readiness.IN_ORDER),
        (done(defect=True), {"under_test": True}, Readiness.UNDER_TEST),
        (Past(), {}, Readiness.TEST_DUE),
    ],
)
def test_readiness_in_the_words_that_are_shown(past, how, stands):
    assert stands_at(Plan("day"), past, DONE, **how) is stands


def test_a_clock_that_is_a_day_earlier_than_the_last_result_makes_nothing_testable():
    assert stands_at(Plan("day"), done(), DONE - DAY) is Readiness.IN_ORDER
    assert stands_at(Plan("day"), done(), DONE - DAY - SECOND) is Readiness.NOT_TESTABLE


def test_a_clock_stepped_back_makes_nothing_due_and_nothing_missed():
    before = DONE - timedelta(days=400)
    assert not schedule.is_due(Plan("day"), done(), now_utc=before, ship_time=SINGAPORE)
    assert missed(Plan("day"), done(), before) == []


# Missed


def missed(plan: Plan, past: Past, now: datetime) -> list[tuple[str, str]]:
    found = schedule.missed(plan, past, now_utc=now, ship_time=UTC)
    return [(f"{p.begins_utc:%m-%d}", f"{p.ends_utc:%m-%d}") for p in found]


def test_a_period_that_ended_without_a_test_is_missed_and_the_present_one_is_not():
    assert missed(Plan("day"), done(), DONE + DAY) == []
    assert missed(Plan("day"), done(), DONE + 2 * DAY) == [("11-23", "11-24")]
    assert missed(Plan("day"), done(), DONE + 4 * DAY) == [
        ("11-23", "11-24"),
        ("11-24", "11-25"),
        ("11-25", "11-26"),
    ]


def test_a_period_is_missed_once():
    settled = DONE.replace(hour=23) + DAY
    assert missed(Plan("day"), done(settled_utc=settled), DONE + 2 * DAY) == []
    assert missed(Plan("day"), done(settled_utc=settled), DONE + 3 * DAY) == [("11-24", "11-25")]


def test_the_period_in_which_a_test_came_into_the_plan_is_never_missed():
    assert missed(Plan("month"), Past(planned_utc=DONE), DONE + 20 * DAY) == []
    assert missed(Plan("month"), Past(planned_utc=DONE), DONE + 60 * DAY) == [("12-01", "01-01")]
    assert missed(Plan("month"), Past(), DONE + 60 * DAY) == [], "nor one that is in no plan yet"


def test_a_test_that_failed_or_was_said_to_be_impossible_is_not_missed():
    failed = Past(planned_utc=LONG_AGO, tested_utc=DONE, defect=True)
    skipped = Past(planned_utc=LONG_AGO, skipped_utc=DONE)
    assert missed(Plan("day"), failed, DONE + DAY) == []
    assert missed(Plan("day"), skipped, DONE + DAY) == []


@pytest.mark.parametrize(("days", "count"), [(8, 7), (9, 1), (3000, 1)])
def test_no_storm_after_a_long_time(days, count):
    found = schedule.missed(Plan("day"), done(), now_utc=DONE + days * DAY, ship_time=UTC)
    assert len(found) == count
    assert found[0].begins_utc == datetime(2026, 11, 23, tzinfo=UTC)
    assert found[-1].ends_utc == datetime(2026, 11, 22, tzinfo=UTC) + days * DAY


def test_a_mark_that_a_wrong_clock_set_in_the_future_hides_nothing_for_ever():
    wrong = done(settled_utc=DONE + timedelta(days=4000))
    assert missed(Plan("day"), wrong, DONE + 2 * DAY) == [("11-23", "11-24")]
    nothing_else = Past(planned_utc=DONE + timedelta(days=4000))
    assert missed(Plan("day"), nothing_else, DONE) == []


MISSING = Period(DONE, DONE + DAY)


@pytest.mark.parametrize(
    ("off_from", "on", "reason"),
    [
        (None, DONE, "not done"),
        (DONE, DONE + DAY, "not testable: power off"),
        (DONE - DAY, DONE + 3 * DAY, "not testable: power off"),
        (DONE + SECOND, DONE + DAY, "not done; power was off for a part of the time"),
        (DONE, DONE + DAY - SECOND, "not done; power was off for a part of the time"),
        (DONE - DAY, DONE, "not done"),
        (DONE + DAY, DONE + 2 * DAY, "not done"),
    ],
)
def test_power_off_for_the_whole_period_is_not_testable(off_from, on, reason):
    assert schedule.why_missed(MISSING, off_from_utc=off_from, on_utc=on) == reason


def test_the_midnight_that_ends_a_day_is_that_of_ships_time_as_it_is_now():
    local = DONE.astimezone(SINGAPORE)
    assert schedule.day_after(local, ship_time=SINGAPORE) == datetime(2026, 11, 22, 16, tzinfo=UTC)
    west = timezone(timedelta(hours=7))
    assert schedule.day_after(local, ship_time=west) == datetime(2026, 11, 22, 17, tzinfo=UTC)
