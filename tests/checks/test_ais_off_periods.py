"""What the unit says of when it was off, beside what was ordered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.checks.ais_off_periods import unordered
from daemon.model import AisOffLog, AisOffPeriod

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=300)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def period(off: float | None, on: float | None, reason: int | None = 1) -> AisOffPeriod:
    off_at, on_at = (None if h is None else at(h).isoformat() for h in (off, on))
    return AisOffPeriod(off_at, on_at, reason)


def judged(*periods: AisOffPeriod, orders=(), known=LONG_AGO, began=NOON) -> str | None:
    return unordered(AisOffLog(periods), (known, orders), watch_began_utc=began)


def test_a_time_without_an_order_is_said_with_its_reason():
    assert judged(period(1, 2.5, 2)) == (
        "the unit's own log: off from 22 Nov 13:00 to 22 Nov 14:30 UTC (silent mode), no order entered"
    )
    assert judged(period(1, None, None)) == (
        "the unit's own log: off from 22 Nov 13:00 to now UTC (reason not given), no order entered"
    )


@pytest.mark.parametrize(
    ("order", "is_explained"),
    [
        ((1.0, 2.0), True),
        ((1.25, 1.75), True),  # entered when there was time
        ((1.26, 2.0), False),
        ((1.0, 1.74), False),
        ((0.0, None), True),
        ((3.0, None), False),
    ],
)
def test_an_order_explains_what_it_covers(order, is_explained):
    orders = [tuple(None if h is None else at(h) for h in order)]
    assert (judged(period(1, 2), orders=orders) is None) is is_explained


def test_two_orders_with_time_between_them_explain_no_time_that_spans_both():
    orders = [(at(1), at(2)), (at(5), at(6))]
    assert judged(period(1, 2), period(5, 6), orders=orders) is None
    assert judged(period(1, 6), orders=orders) is not None


@pytest.mark.parametrize(
    ("orders", "is_explained"),
    [
        ([(1, 2), (2.02, 4)], True),
        ([(2.02, 4), (1, 2)], True),
        ([(1, 2), (2.25, 4)], True),
        ([(1, 2), (2.26, 4)], False),
        ([(1, 4), (2, 3)], True),
        ([(1, 2), (2, 3), (3, None)], True),
        ([(1, 2), (2, 3)], False),
    ],
)
def test_orders_that_follow_on_each_other_are_one(orders, is_explained):
    ordered = [(at(begins), None if ends is None else at(ends)) for begins, ends in orders]
    assert (judged(period(1, 4), orders=ordered) is None) is is_explained


@pytest.mark.parametrize(
    ("on", "is_judged"), [(-23.9, True), (-24.1, False)], ids=["yesterday", "the day before"]
)
def test_more_than_a_day_before_this_watch_nobody_judges(on, is_judged):
    assert (judged(period(on - 1, on)) is not None) is is_judged


def test_before_orders_were_known_nobody_judges():
    assert judged(period(-3, -2), known=at(-1)) is None
    assert judged(period(-3, 1), known=at(-1)) is not None
    assert judged(period(-3, 1), known=at(-1), orders=[(at(-1), at(1))]) is None
    assert judged(period(1, 2), known=None) is None


def test_the_newest_is_named_and_an_empty_log_is_nothing():
    said = judged(period(1, 2), period(3, 4))
    assert said is not None
    assert "15:00" in said
    assert judged() is None
    assert judged(period(None, None)) is None
