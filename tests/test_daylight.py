"""Night is from sunset to sunrise, wherever the ship is: sunsets of almanacs, and what there is beyond the circles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.model import Position
from daemon.navigation.daylight import SWITCHED, is_night, must_be_lit, sun_deg

SINGAPORE = Position(1.264, 103.840)
ROTTERDAM = Position(51.95, 4.14)
TROMSO = Position(69.65, 18.96)
MCMURDO = Position(-77.85, 166.67)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("position", "sunset"),
    [
        # timeanddate.com and the NOAA solar calculator agree to the minute.
        (SINGAPORE, datetime(2026, 11, 22, 10, 52, tzinfo=UTC)),
        (ROTTERDAM, datetime(2026, 6, 21, 20, 6, tzinfo=UTC)),
        (ROTTERDAM, datetime(2026, 12, 21, 15, 32, tzinfo=UTC)),
    ],
)
def test_sunset_is_where_the_almanac_has_it(position, sunset):
    assert not is_night(position, sunset - 3 * MINUTE)
    assert is_night(position, sunset + 3 * MINUTE)


def test_lights_have_a_quarter_of_an_hour_at_both_ends():
    moment, nights, lit = datetime(2026, 11, 22, 4, tzinfo=UTC), [], []
    for _ in range(24 * 60):
        if is_night(SINGAPORE, moment):
            nights.append(moment)
        if must_be_lit(SINGAPORE, moment):
            lit.append(moment)
        moment += MINUTE
    assert lit[0] - nights[0] == SWITCHED
    assert nights[-1] - lit[-1] == SWITCHED


@pytest.mark.parametrize(
    ("position", "day", "dark"),
    [
        (TROMSO, datetime(2026, 6, 21, tzinfo=UTC), False),
        (TROMSO, datetime(2026, 12, 21, tzinfo=UTC), True),
        (MCMURDO, datetime(2026, 6, 21, tzinfo=UTC), True),
        (MCMURDO, datetime(2026, 12, 21, tzinfo=UTC), False),
    ],
)
def test_polar_day_is_never_dark_and_polar_night_always(position, day, dark):
    hours = [must_be_lit(position, day + timedelta(hours=hour)) for hour in range(24)]
    assert set(hours) == {dark}


@pytest.mark.parametrize("position", [Position(90.0, 0.0), Position(-90.0, 180.0)])
def test_the_poles_have_a_sun_too(position):
    assert -24 < sun_deg(position, datetime(2026, 3, 1, tzinfo=UTC)) < 24
