"""A bus dies with everything on it: one alert, at once, and nothing else is held up."""

from __future__ import annotations

import pytest

from daemon.alerts.alert import AlertChange, Source
from daemon.alerts.engine import Engine
from daemon.model import Situation
from tests.alerts.rig import BY, KINDS, acknowledge, advance, engine, raised, regime, the
from tests.makers import UTC_0210

OPENINGS = 10_000
BUS = Source("rtu", "RTU", "rtu")


def unit(number):
    return Source(f"io{number}", f"IO{number}", f"io{number}", "rtu")


def door(number, *, device=None, bus="rtu"):
    return Source(f"d{number}", f"DOOR {number}", device or f"io{number // 16}", bus)


def dies(alerts, now_s, openings=OPENINGS):
    """Every opening and unit of the bus is lost, in the order in which that is noticed."""
    for number in range(openings):
        alerts.condition("door.unknown", door(number), active=True, now_s=now_s)
    for number in range(-(-openings // 16)):
        alerts.condition("io.unit_lost", unit(number), active=True, now_s=now_s)
    alerts.condition("io.bus_lost", BUS, active=True, now_s=now_s)


def told(alerts, until_s, *, from_s=0.0):
    """Advance as the watch does, whenever something is due; return the changes of alerts."""
    changes, turns = [], 0
    while (due_s := alerts.next_due_s()) is not None and due_s <= until_s:
        changes += alerts.advance(now_s=max(due_s, from_s), now_utc=UTC_0210)
        turns += 1
        assert turns < 100, "it is called again and again"
    return [change for change in changes if isinstance(change, AlertChange)]


def test_ten_thousand_openings_on_a_bus_that_dies_are_exactly_one_alert():
    alerts = engine()
    dies(alerts, 0.0)
    changes = told(alerts, 3600.0)
    assert {change.alert.id for change in changes} == {"io.bus_lost.rtu"}
    assert [alert.id for alert in alerts.alerts()] == ["io.bus_lost.rtu"]
    acknowledge(alerts, the(alerts, "io.bus_lost", "rtu"), 3600.0)
    assert alerts.next_due_s() is None, "nothing is looked at again and again"


def test_another_alarm_comes_when_it_is_due_while_a_bus_dies():
    alerts = engine()
    dies(alerts, 0.0)
    alerts.condition("door.escape.open", door(1, device="io999", bus=None), active=True, now_s=59.7)
    changes = told(alerts, 60.0)
    (change,) = [c for c in changes if c.alert.key == "door.escape.open"]
    assert change.alert.changed_s == 60.0


def test_a_bus_that_comes_back_whole_leaves_nothing_behind():
    alerts = engine()
    dies(alerts, 0.0)
    told(alerts, 100.0)
    acknowledge(alerts, the(alerts, "io.bus_lost", "rtu"), 100.0)
    alerts.condition("io.bus_lost", BUS, active=False, now_s=101.0)
    for number in range(OPENINGS):
        alerts.condition("door.unknown", door(number), active=False, now_s=102.0)
    for number in range(-(-OPENINGS // 16)):
        alerts.condition("io.unit_lost", unit(number), active=False, now_s=102.0)
    assert [(c.alert.id, c.row) for c in told(alerts, 4000.0)] == [("io.bus_lost.rtu", 8)]
    assert alerts.next_due_s() is None


def test_what_is_still_not_seen_when_the_bus_is_back_is_told_then():
    alerts = engine()
    dies(alerts, 0.0, openings=32)
    told(alerts, 100.0)
    alerts.condition("io.bus_lost", BUS, active=False, now_s=100.0)
    alerts.condition("io.unit_lost", unit(0), active=False, now_s=100.0)
    for number in range(15):
        alerts.condition("door.unknown", door(number), active=False, now_s=100.0)
    changes = told(alerts, 150.0, from_s=100.0)
    raised_then = [c.alert.id for c in changes if c.row == 1]
    assert raised_then == ["io.unit_lost.io1", "door.unknown.d15"], "and the doors of io1 are its"


@pytest.mark.parametrize(
    ("cause", "source"),
    [
        ("power.battery", Source("ispsd", "ISPSD", "ispsd")),
        ("power.battery", Source("ship", "SHIP", "ship")),
        ("io.bus_lost", BUS),
        ("io.unit_lost", unit(0)),
    ],
)
def test_the_whole_chain_explains_a_door_that_is_not_seen(cause, source):
    """users.md 4.3: power.battery → io.bus_lost → io.unit_lost → door.unknown, sensor.*."""
    alerts = engine()
    alerts.condition(cause, source, active=True, now_s=0.0)
    for key in ("door.unknown", "sensor.line_fault", "sensor.tamper", "sensor.chatter"):
        alerts.condition(key, door(1), active=True, now_s=0.0)
    assert {change.alert.key for change in told(alerts, 1000.0)} == {cause}


def test_a_key_is_explained_by_what_its_causes_depend_on_though_it_does_not_name_them():
    chained = dict(KINDS)
    for key, causes in (("door.unknown", ["io.unit_lost"]), ("io.unit_lost", ["io.bus_lost"])):
        chained[key] = KINDS[key].model_copy(update={"depends_on": tuple(causes)})
    alerts = Engine(chained, regime())
    alerts.condition("io.bus_lost", BUS, active=True, now_s=0.0)
    alerts.condition("door.unknown", door(1), active=True, now_s=0.0)
    assert {change.alert.key for change in told(alerts, 1000.0)} == {"io.bus_lost"}


def test_causes_that_depend_on_each_other_do_not_hang_the_engine():
    ring = dict(KINDS)
    ring["io.bus_lost"] = KINDS["io.bus_lost"].model_copy(update={"depends_on": ("io.unit_lost",)})
    alerts = Engine(ring, regime())
    alerts.condition("io.bus_lost", BUS, active=True, now_s=0.0)
    assert {change.alert.key for change in told(alerts, 100.0)} == {"io.bus_lost"}


def test_a_unit_of_another_bus_and_a_battery_of_another_kind_explain_nothing():
    alerts = engine()
    alerts.condition("io.unit_lost", Source("io9", "IO9", "io9", "rtu2"), active=True, now_s=0.0)
    alerts.condition("power.low", Source("ispsd", "ISPSD", "ispsd"), active=True, now_s=0.0)
    alerts.condition("door.unknown", door(1), active=True, now_s=0.0)
    assert "door.unknown" in {change.alert.key for change in told(alerts, 100.0)}


def test_what_was_told_before_its_explanation_came_stays_and_can_be_acknowledged():
    alerts = raised("door.unknown", of=regime(level=3))
    alerts.condition("io.unit_lost", Source("io1", "IO1", "io1"), active=True, now_s=100.0)
    told(alerts, 115.0, from_s=100.0)
    door_alert = the(alerts, "door.unknown")
    assert door_alert.sounding
    alerts.acknowledge(door_alert.id, door_alert.instance, BY, now_s=120.0, now_utc=UTC_0210)
    assert the(alerts, "door.unknown").state.value == "A"
    assert the(alerts, "io.unit_lost", "io1").sounding


def test_what_was_told_before_its_explanation_is_not_raised_again_while_that_holds():
    hatch, unit_1 = Source("d12", "STRG GEAR ESC", "io1"), Source("io1", "IO1", "io1")
    alerts = raised("door.unknown", of=regime(level=3))
    alerts.condition("io.unit_lost", unit_1, active=True, now_s=100.0)
    told(alerts, 110.0, from_s=100.0)
    alerts.condition("door.unknown", hatch, active=False, now_s=111.0)
    told(alerts, 120.0, from_s=111.0)
    assert the(alerts, "door.unknown").rectified
    alerts.condition("door.unknown", hatch, active=True, now_s=121.0)
    told(alerts, 300.0, from_s=121.0)
    assert the(alerts, "door.unknown").rectified
    alerts.condition("io.unit_lost", unit_1, active=False, now_s=301.0)
    told(alerts, 320.0, from_s=301.0)
    assert the(alerts, "door.unknown").sounding, "it still is not seen, and nothing explains it"


def test_restart_what_was_explained_is_explained_still():
    alerts = engine()
    dies(alerts, 0.0, openings=64)
    told(alerts, 100.0)
    after = engine()
    after.restore(alerts.alerts(), now_s=1000.0)
    dies(after, 1001.0, openings=64)
    assert {change.alert.id for change in told(after, 2000.0, from_s=1001.0)} == {"io.bus_lost.rtu"}


def test_in_a_yard_a_dead_bus_is_written_once():
    alerts = engine(regime(Situation.YARD))
    dies(alerts, 0.0, openings=64)
    written = [c.key for t in range(200) for c in alerts.advance(now_s=float(t), now_utc=UTC_0210)]
    assert written == ["io.bus_lost"]
    assert advance(alerts, 10_000.0) == []
