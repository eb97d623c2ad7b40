"""A unit that sends each third report never falls silent: its rate is too low all the same."""

from __future__ import annotations

import math

import pytest

from daemon.checks.ais_rate import Rate
from tests.makers import own_report

AT_SEA = {"navigation_status": 0, "sog_kn": 12.0}


def rate(
    for_s: float, every_s: float, *, given_s: float | None = None, **how: object
) -> str | None:
    """Return what is said after reports came so often for so long."""
    counted = Rate(given_s)
    for number in range(int(for_s / every_s) + 1):
        counted.seen(own_report(**how), number * every_s, allowed_s=600.0)
    return counted.fault()


@pytest.mark.parametrize(
    ("every_s", "fault"),
    [
        (10.0, None),
        (14.0, None),  # 71 % of what is due
        (15.0, "own reports come each 15 s, one is due each 10 s"),
        (30.0, "own reports come each 30 s, one is due each 10 s"),
    ],
)
def test_too_few_of_what_is_due_at_sea(every_s, fault):
    assert rate(1800.0, every_s, **AT_SEA) == fault


def test_moored_it_takes_half_an_hour_to_tell():
    assert rate(1700.0, 340.0) is None
    assert rate(3600.0, 180.0) is None
    assert rate(3600.0, 300.0) == "own reports come each 300 s, one is due each 180 s"


def test_of_a_short_time_nothing_is_said():
    assert rate(600.0, 30.0, **AT_SEA) is None


def test_while_she_alters_course_three_times_as_many_are_due():
    counted = Rate(None)
    for number in range(200):
        report = own_report(**AT_SEA, heading_deg=float(number * 10 % 360))
        counted.seen(report, number * 10.0, allowed_s=60.0)
    assert counted.fault() == "own reports come each 10 s, one is due each 3 s"


@pytest.mark.parametrize("roll_s", [14.0, 20.0, 27.0, 40.0, 55.0])
def test_a_ship_that_yaws_in_a_sea_does_not_alter_course(roll_s):
    """Four degrees to each side of her mean, which her unit knows by a heading a second: it stays at 10 s."""
    counted = Rate(None)
    for number in range(400):
        yaw_deg = 4.0 * math.sin(2 * math.pi * number * 10.0 / roll_s)
        report = own_report(**AT_SEA, heading_deg=(358.0 + yaw_deg) % 360.0)
        counted.seen(report, number * 10.0, allowed_s=60.0)
        assert counted.fault() is None


def test_a_ship_that_gets_under_way_owes_no_more_than_at_her_slowest():
    counted = Rate(None)
    for number in range(20):
        how = AT_SEA if number % 2 else {}
        counted.seen(own_report(**how), number * 170.0, allowed_s=540.0)
    assert counted.fault() is None


def test_a_rate_that_the_ships_file_gives_counts():
    assert rate(3600.0, 60.0, given_s=60.0, **AT_SEA) is None
    assert rate(3600.0, 120.0, given_s=60.0) is not None


@pytest.mark.parametrize("how", ["silence", "blind"])
def test_what_came_before_a_silence_or_a_lost_feed_does_not_count(how):
    counted = Rate(None)
    for number in range(100):
        counted.seen(own_report(**AT_SEA), number * 30.0, allowed_s=60.0)
    assert counted.fault() is not None
    if how == "blind":
        counted.blind()
    else:
        counted.seen(own_report(**AT_SEA), 3100.0, allowed_s=60.0)
    assert counted.fault() is None
