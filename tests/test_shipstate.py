"""What people set, and what policy and priorities hang on for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.model import Regime, SecurityLevel, Situation
from daemon.ship.state import MOST_AIS_ORDERS, AisOrders, ShipState, ship_time

MIDNIGHT = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "night"),
    [
        ((21, 59, 59), False),
        ((22, 0, 0), True),
        ((0, 0, 0), True),
        ((5, 59, 59), True),
        ((6, 0, 0), False),
        ((12, 0, 0), False),
    ],
)
@pytest.mark.parametrize("offset_min", [0, 480, -720, 840, 345])
def test_night_is_2200_to_0600_of_ships_time(clock, night, offset_min):
    hour, minute, second = clock
    told = MIDNIGHT + timedelta(hours=hour, minutes=minute, seconds=second)
    ship = ShipState(Situation.PORT, SecurityLevel.ONE, ship_time(offset_min))
    regime = ship.regime(told - timedelta(minutes=offset_min), gangway_attended=False)
    assert regime.night is night


@given(st.sampled_from(Situation), st.sampled_from(SecurityLevel), st.booleans(), st.booleans())
def test_the_regime_is_what_people_said(situation, level, threat, attended):
    ship = ShipState(situation, level, UTC, threat=threat)
    noon = MIDNIGHT + timedelta(hours=12)
    assert ship.regime(noon, gangway_attended=attended) == Regime(
        situation, level, threat=threat, gangway_attended=attended
    )


def test_nothing_is_permitted_or_ordered_at_the_start():
    one, other = (ShipState(Situation.SEA, SecurityLevel.ONE, UTC) for _ in range(2))
    assert (one.permits, one.ais_off_by, one.threat) == ({}, None, False)
    assert one.permits is not other.permits


def test_when_ais_was_off_by_order_is_remembered_and_its_horizon_with_it():
    orders = AisOrders(known_since_utc=MIDNIGHT)
    hours = [MIDNIGHT + timedelta(hours=n) for n in range(2 * MOST_AIS_ORDERS + 4)]
    orders.take(off=False, at_utc=hours[0])  # an end without a beginning
    assert orders.times == []
    orders.take(off=True, at_utc=hours[1])
    orders.take(off=True, at_utc=hours[2])  # said twice
    orders.take(off=False, at_utc=hours[3])
    assert orders.times == [(hours[1], hours[3])]
    for number in range(4, len(hours)):
        orders.take(off=number % 2 == 0, at_utc=hours[number])
    assert len(orders.times) == MOST_AIS_ORDERS
    assert orders.known_since_utc == orders.times[0][0] > MIDNIGHT
