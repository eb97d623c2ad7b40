"""How often a class A must report: every row of ITU-R M.1371-5 annex 1, tables 1 and 2."""

from __future__ import annotations

import pytest

from daemon.navigation.ais_rates import Turning, interval_s
from tests.makers import own_report


@pytest.mark.parametrize(
    ("status", "speed_kn", "steady_s", "turning_s"),
    [
        (5, 0.0, 180.0, 180.0),
        (1, 3.0, 180.0, 180.0),
        (1, 3.1, 10.0, 10 / 3),
        (5, None, 180.0, 180.0),
        (0, 0.0, 10.0, 10 / 3),
        (0, 14.0, 10.0, 10 / 3),
        (0, 14.1, 6.0, 2.0),
        (0, 23.0, 6.0, 2.0),
        (0, 23.1, 2.0, 2.0),
        (0, None, 10.0, 10 / 3),
    ],
)
def test_every_row_of_the_tables(status, speed_kn, steady_s, turning_s):
    report = own_report(navigation_status=status, sog_kn=speed_kn)
    assert (interval_s(report), interval_s(report, turning=True)) == (steady_s, turning_s)


def turns(*headings: float | None, every_s: float = 10.0) -> list[bool]:
    turning = Turning()
    return [
        turning.take(own_report(heading_deg=heading), number * every_s)
        for number, heading in enumerate(headings)
    ]


def test_a_heading_more_than_five_degrees_off_its_mean_is_an_alteration():
    assert turns(90, 95, 90, 91) == [False] * 4
    assert turns(90, 90, 96.1) == [False, False, True]


def test_north_is_no_alteration():
    assert turns(359, 1, 358, 2) == [False] * 4
    assert turns(359, 1, 6) == [False, False, True]


def test_it_goes_on_for_twenty_seconds():
    assert turns(90, 90, 100, 100, 100, 100) == [False, False, True, True, True, False]


def test_without_a_heading_the_unit_knows_of_none():
    assert turns(None, None, None) == [False] * 3
    assert turns(90, 100, None, None, None) == [False, True, True, False, False]


def test_an_old_heading_is_no_mean():
    assert turns(90, 180, every_s=40.0) == [False, False]
