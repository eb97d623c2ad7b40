"""Which moment a time of day means: the last one, or the next one, within a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import RefusedError
from daemon.orders import times

NOW = datetime(2026, 11, 22, 2, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "last", "coming"),
    [
        ("0210Z", NOW.replace(second=0), NOW),
        ("02:10Z", NOW.replace(second=0), NOW),
        ("0215Z", NOW, NOW.replace(minute=15, second=0)),
        ("0216Z", NOW.replace(minute=16, second=0) - DAY, NOW.replace(minute=16, second=0)),
        ("0206Z", NOW.replace(minute=6, second=0), NOW),
        ("0205Z", NOW.replace(minute=5, second=0), NOW.replace(minute=5, second=0) + DAY),
    ],
)
def test_a_time_of_day_is_the_last_or_the_next_and_what_is_near_is_now(said, last, coming):
    assert (times.last(said, NOW), times.coming(said, NOW)) == (last, coming)


def test_what_is_near_is_now_over_midnight_too():
    before, after = NOW.replace(hour=23, minute=58), NOW.replace(hour=0, minute=2)
    assert times.last("0001Z", before) == before
    assert times.coming("2359Z", after) == after
    assert times.last("2359Z", after) == after.replace(minute=59, hour=23, second=0) - DAY
    assert times.coming("0001Z", before) == before.replace(hour=0, minute=1, second=0) + DAY


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 1439),
)
def test_it_is_never_more_than_a_day_away_nor_on_the_wrong_side(now, minute):
    said = f"{minute // 60:02d}{minute % 60:02d}Z"
    assert now - DAY < times.last(said, now) <= now
    assert now <= times.coming(said, now) < now + DAY


@pytest.mark.parametrize("said", ["", "2400Z", "0260Z", "0210", "0210z", "02.10Z", "Z" * 50])
def test_anything_else_is_refused(said):
    for read in (times.last, times.coming):
        with pytest.raises(RefusedError, match="no time of day in UTC: 02:10Z"):
            read(said, NOW)
