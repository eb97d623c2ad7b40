"""Lights that are out in the dark are told of, by what is known of where the ship is; a UPS by what its relays say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.lights import BELIEVED_FOR_S, LOOK_S, LightsRule
from daemon.alerts.rules.lines import LineRule
from daemon.alerts.rules.power import PowerRule
from daemon.model import (
    ContactState,
    Fix,
    LightCircuit,
    Opening,
    OpeningKind,
    Position,
    Quality,
    Situation,
)
from tests.alerts.rig import advance, engine, regime
from tests.makers import reading

NIGHT = datetime(2026, 11, 22, 18, 10, tzinfo=UTC)
"""0210 ship's time at Singapore."""
NOON = NIGHT - timedelta(hours=14)
BERTH = Position(1.264, 103.840)
ANTIPODES = Position(1.0, -76.0)
"""There it is day when it is night at the berth."""
DECK = Opening("lt1", "DECK LTS P", OpeningKind.LIGHT, "upper deck", None, "io2")
GANGWAY = Opening("lt3", "GANGWAY LT", OpeningKind.LIGHT, "gangway", None, "io2")
UPS = Opening("u1", "UPS", OpeningKind.MAINS, "locker", None, "io2")


def lights() -> LightsRule:
    return LightsRule(
        [DECK, GANGWAY],
        circuits={"lt1": LightCircuit.OVERSIDE, "lt3": LightCircuit.GANGWAY},
        buses={},
        fixes=["gps1.fix"],
    )


def at(rule: LightsRule, position: Position, *, at_s: float = 0.0) -> LightsRule:
    rule.take(reading("gps1.fix", Fix(position, 1, 9, 0.9), at_s=at_s), None)
    return rule


def states(rule, *, at_s: float = 0.0, **said: ContactState | None) -> None:
    for point, state in said.items():
        rule.take(reading(point.replace("_", "."), state, at_s=at_s), None)


def said(rule, now_utc: datetime = NIGHT, now_s: float = 0.0, **how: bool) -> dict[str, bool]:
    found = list(rule.look(Moment(now_s, now_utc, regime(), {}, **how)))
    return {f"{s.key}.{s.source.id}": s.active for s in found}


def test_a_light_that_is_out_in_the_dark_has_the_alert_of_its_circuit():
    rule = at(lights(), BERTH)
    states(rule, lt1=ContactState.OPEN, lt3=ContactState.OPEN)
    assert said(rule) == {"light.deck.lt1": True, "light.gangway.lt3": True}
    states(rule, lt3=ContactState.CLOSED)
    assert said(rule) == {"light.deck.lt1": True, "light.gangway.lt3": False}


def test_by_day_no_light_is_missed():
    rule = at(lights(), BERTH)
    states(rule, lt1=ContactState.OPEN, lt3=ContactState.CLOSED)
    assert said(rule, NOON) == {"light.deck.lt1": False, "light.gangway.lt3": False}


@pytest.mark.parametrize("state", [None, ContactState.LINE_FAULT])
def test_of_a_light_that_is_not_seen_nothing_is_said(state):
    rule = at(lights(), BERTH)
    states(rule, lt1=ContactState.OPEN)
    states(rule, lt1=state)
    assert said(rule) == {}


def test_without_a_position_nobody_knows_whether_it_is_dark():
    rule = lights()
    states(rule, lt1=ContactState.OPEN, lt3=ContactState.CLOSED)
    assert said(rule) == {"light.gangway.lt3": False}, "what burns is in order, day or night"


def test_a_suspect_position_is_not_believed_but_the_one_before_it_is():
    rule = at(lights(), BERTH)
    states(rule, lt1=ContactState.OPEN)
    assert said(rule) == {"light.deck.lt1": True}
    at(rule, ANTIPODES, at_s=100.0)
    assert said(rule, now_s=100.0, position_is_suspect=True) == {"light.deck.lt1": True}
    assert said(rule, now_s=100.0 + LOOK_S) == {"light.deck.lt1": False}, "now it is believed"


def test_a_position_is_believed_for_hours_and_no_longer():
    rule = at(lights(), BERTH)
    states(rule, lt1=ContactState.OPEN)
    assert said(rule, now_s=BELIEVED_FOR_S) == {"light.deck.lt1": True}
    assert said(rule, now_s=BELIEVED_FOR_S + 1) == {}


def test_while_the_clock_is_lost_nobody_knows_whether_it_is_dark():
    rule = at(lights(), BERTH)
    states(rule, lt1=ContactState.OPEN)
    assert said(rule, datetime(2000, 1, 1, 18, tzinfo=UTC)) == {}
    assert said(rule, now_s=LOOK_S) == {"light.deck.lt1": True}


def test_a_fix_that_is_suspect_itself_is_none():
    rule = lights()
    fix = Fix(BERTH, 1, 9, 0.9)
    rule.take(reading("gps1.fix", fix, at_s=0.0, quality=Quality.SUSPECT), None)
    states(rule, lt1=ContactState.OPEN)
    assert said(rule) == {}


def test_a_step_of_time_backwards_lets_the_sun_be_looked_at_again():
    rule = at(lights(), BERTH, at_s=500.0)
    states(rule, lt1=ContactState.OPEN)
    assert said(rule, NIGHT, now_s=500.0) == {"light.deck.lt1": True}
    assert said(rule, NOON, now_s=500.0 + LOOK_S) == {"light.deck.lt1": False}


def test_at_sea_no_light_is_an_alert_and_at_anchor_the_gangways_is_none():
    for situation, key, letters in (
        (Situation.SEA, "light.deck", []),
        (Situation.ANCHOR, "light.gangway", []),
        (Situation.PORT, "light.gangway", [("light.gangway.lt3", "V")]),
    ):
        alerts = engine(regime(situation))
        rule = at(lights(), BERTH)
        states(rule, lt1=ContactState.OPEN, lt3=ContactState.OPEN)
        for one in rule.look(Moment(0.0, NIGHT, regime(situation), {})):
            if one.key == key:
                alerts.condition(one.key, one.source, active=one.active, now_s=0.0)
        assert advance(alerts, 400.0) == letters


# --- UPS ---


def ups(battery: str | None = "u1.battery") -> PowerRule:
    return PowerRule(UPS, battery=battery, bus=None, rated_min=30)


def test_a_ups_tells_of_its_mains_and_of_its_battery():
    rule = ups()
    assert said(rule) == {}, "nothing is known yet"
    states(rule, u1=ContactState.CLOSED, u1_battery=ContactState.CLOSED)
    assert said(rule) == {"power.battery.u1": False, "power.low.u1": False}
    states(rule, u1=ContactState.OPEN)
    ((on_battery, _),) = [list(rule.look(Moment(0.0, NIGHT, regime(), {})))]
    assert (on_battery.active, on_battery.detail) == (True, "holds 30 min by its sheet")
    states(rule, u1_battery=ContactState.OPEN)
    assert said(rule) == {"power.battery.u1": True, "power.low.u1": True}


def test_of_a_contact_that_is_not_seen_nothing_is_said():
    rule = ups()
    states(rule, u1=ContactState.OPEN, u1_battery=ContactState.CLOSED)
    states(rule, u1=None)
    assert said(rule) == {"power.low.u1": False}


def test_between_the_bands_of_a_voltage_the_alert_stays_as_it_was():
    """The dead band of an analogue battery: neither good nor low, so nothing is said."""
    rule = ups()
    states(rule, u1=ContactState.CLOSED, u1_battery=ContactState.LINE_FAULT)
    assert said(rule) == {"power.battery.u1": False}


def test_a_ups_without_a_battery_contact_tells_of_its_mains_alone():
    rule = ups(battery=None)
    states(rule, u1=ContactState.OPEN)
    assert rule.points == {"u1"}
    assert said(rule) == {"power.battery.u1": True}


def test_a_ups_explains_no_other_units_loss():
    """Its cut cable would keep every lost unit from being told."""
    rule = ups()
    states(rule, u1=ContactState.OPEN)
    (one, *_) = rule.look(Moment(0.0, NIGHT, regime(), {}))
    assert one.source.device == "io2"


# --- their lines ---


@pytest.mark.parametrize("opening", [DECK, UPS])
def test_a_line_in_fault_is_told_until_it_says_something_again(opening):
    rule = LineRule(opening, bus=None)
    key = f"sensor.line_fault.{opening.id}"
    assert said(rule) == {}, "nothing is known yet"
    states(rule, **{opening.id: ContactState.LINE_FAULT})
    assert said(rule) == {key: True}
    states(rule, **{opening.id: None})
    assert said(rule) == {}, "its unit is lost: what stood goes on"
    states(rule, **{opening.id: ContactState.OPEN})
    assert said(rule) == {key: False}
