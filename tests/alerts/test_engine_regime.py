"""What people set changes what is told: priorities rise and fall, alerts end and come, and what is known stays known.

Invariant 9: an acknowledged unchanged condition never alarms again.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daemon.alerts.alert import Source
from daemon.alerts.engine import NOTE_AGAIN_S
from daemon.alerts.forms import alert_entry, alert_from_entry
from daemon.alerts.lifecycle import NO_ROW, Event
from daemon.errors import RefusedError
from daemon.model import AlertState, Priority, Regime, SecurityLevel, Situation
from tests.alerts.rig import (
    BY,
    HATCH,
    KINDS,
    UNIT,
    acknowledge,
    advance,
    become,
    engine,
    noted,
    raised,
    regime,
    the,
)
from tests.makers import UTC_0210

STORE = "door.store.open"
MACHINERY = "door.machinery.open"
ESCAPE = "door.escape.open"
PORT_1, PORT_2, PORT_3 = regime(), regime(level=2), regime(level=3)
SEA_1 = regime(Situation.SEA)
YARD = regime(Situation.YARD)
REGIMES = st.builds(
    Regime,
    st.sampled_from(Situation),
    st.sampled_from(SecurityLevel),
    threat=st.booleans(),
    night=st.booleans(),
    gangway_attended=st.booleans(),
)
DOOR_KEYS = st.sampled_from([key for key in KINDS if key.startswith("door.")])


# --- priorities rise and fall ---


def test_a_caution_that_becomes_a_warning_sounds_and_nobody_has_acknowledged_it():
    alerts = raised(STORE)
    assert become(alerts, PORT_2, 20.0) == [("door.store.open.d12", "WV")]
    alert = the(alerts, STORE)
    assert (alert.sounding, alert.acknowledged_by, alert.instance) == (True, None, 1)
    assert alerts.next_due_s() == 80.0, "it sounds again each minute"


def test_a_warning_that_becomes_an_alarm_sounds_though_the_warning_was_acknowledged():
    alerts = raised()
    acknowledge(alerts, the(alerts), 11.0)
    assert become(alerts, PORT_3, 20.0) == [("door.escape.open.d12", "AV")]
    assert the(alerts).acknowledged_by is None
    assert alerts.next_due_s() == 80.0, "an alarm counts each minute"


def test_an_acknowledged_alarm_that_becomes_a_warning_stays_silent():
    alerts = raised(of=PORT_3)
    acknowledge(alerts, the(alerts), 11.0)
    assert become(alerts, PORT_1, 20.0) == [("door.escape.open.d12", "WA")]
    assert the(alerts).acknowledged_by == BY
    assert advance(alerts, 10_000.0) == []


def test_an_alarm_that_nobody_acknowledged_goes_on_sounding_as_a_warning():
    alerts = raised(of=PORT_3)
    assert become(alerts, PORT_1, 20.0) == [("door.escape.open.d12", "WV")]
    assert the(alerts).sounding


def test_a_silenced_alert_that_becomes_less_stays_silenced_and_more_sounds():
    alerts = raised(of=PORT_3)
    alerts.silence(BY, now_s=11.0, now_utc=UTC_0210)
    assert become(alerts, PORT_2, 20.0) == [("door.escape.open.d12", "WS")]
    assert become(alerts, PORT_3, 21.0) == [("door.escape.open.d12", "AV")]


def test_a_warning_that_becomes_a_caution_is_active_and_never_sounds():
    alerts = raised(STORE, of=PORT_2)
    assert become(alerts, PORT_1, 20.0) == [("door.store.open.d12", "CA")]
    assert advance(alerts, 10_000.0) == []
    with pytest.raises(RefusedError, match="a caution is not acknowledged"):
        acknowledge(alerts, the(alerts, STORE), 21.0)


def test_a_change_of_priority_is_no_row_of_the_table_and_a_new_revision():
    alerts = raised()
    before = the(alerts)
    (change,) = alerts.become(PORT_3, now_s=20.0, now_utc=UTC_0210)
    assert (change.event, change.row, change.by) == (Event.REPRIORITISE, NO_ROW, None)
    assert change.alert.revision == before.revision + 1
    assert change.alert.changed_s == 20.0


def test_a_regime_that_changes_no_letter_changes_nothing():
    alerts = raised()
    assert become(alerts, regime(night=True, gangway_attended=True), 20.0) == []
    assert become(alerts, PORT_2, 20.0) == []
    assert the(alerts).revision == 1


# --- what is not evaluated ends, and comes again ---


def test_an_alert_that_is_not_evaluated_any_more_ends_and_is_raised_when_it_is_again():
    alerts = raised(MACHINERY, of=PORT_3)
    acknowledge(alerts, the(alerts, MACHINERY), 11.0)
    assert become(alerts, PORT_2, 20.0) == [("door.machinery.open.d12", "AN")]
    assert advance(alerts, 100.0) == []
    assert become(alerts, PORT_3, 101.0) == []
    assert advance(alerts, 102.0) == [("door.machinery.open.d12", "A")]
    alert = the(alerts, MACHINERY)
    assert (alert.instance, alert.sounding, alert.acknowledged_by) == (2, False, BY)


def test_a_condition_that_holds_while_nobody_wants_to_know_is_raised_when_somebody_does():
    alerts = raised(MACHINERY, of=PORT_1)
    assert alerts.alerts() == []
    become(alerts, PORT_3, 20.0)
    assert advance(alerts, 21.0) == [("door.machinery.open.d12", "V")]
    assert the(alerts, MACHINERY).priority is Priority.ALARM


def test_an_unacknowledged_alert_that_is_not_evaluated_any_more_waits_for_the_officer():
    alerts = raised(MACHINERY, of=PORT_3)
    assert become(alerts, PORT_2, 20.0) == [("door.machinery.open.d12", "AU")]
    acknowledge(alerts, the(alerts, MACHINERY), 21.0)
    assert alerts.alerts() == []


def test_a_condition_that_ends_while_it_is_not_evaluated_does_not_come_back():
    alerts = raised(MACHINERY, of=PORT_3)
    acknowledge(alerts, the(alerts, MACHINERY), 11.0)
    become(alerts, PORT_2, 20.0)
    alerts.condition(MACHINERY, HATCH, active=False, now_s=21.0)
    become(alerts, PORT_3, 22.0)
    assert advance(alerts, 100.0) == []
    alerts.condition(MACHINERY, HATCH, active=True, now_s=101.0)
    assert advance(alerts, 102.0) == [("door.machinery.open.d12", "V")], "a new opening is news"


def test_a_latched_alert_outlives_a_regime_that_does_not_evaluate_it():
    alerts = engine()
    seal = Source("s01", "BOND STORE", "io1")
    alerts.condition("seal.broken", seal, active=True, now_s=0.0)
    advance(alerts, 0.0)
    assert become(alerts, YARD, 1.0) == []
    assert the(alerts, "seal.broken", "s01").priority is Priority.WARNING


def test_a_rectified_alert_keeps_the_priority_that_the_officer_heard():
    alerts = raised()
    alerts.condition(ESCAPE, HATCH, active=False, now_s=11.0)
    advance(alerts, 13.0)
    assert become(alerts, PORT_3, 20.0) == []
    assert the(alerts).priority is Priority.WARNING


@pytest.mark.parametrize(
    ("now", "said"),
    [(PORT_3, ("A", "V", True)), (PORT_2, ("W", "V", True)), (SEA_1, ("C", "A", False))],
)
def test_a_rectified_alert_that_comes_back_has_the_priority_of_now(now, said):
    alerts = raised()
    alerts.condition(ESCAPE, HATCH, active=False, now_s=11.0)
    advance(alerts, 13.0)
    become(alerts, now, 20.0)
    alerts.condition(ESCAPE, HATCH, active=True, now_s=21.0)
    advance(alerts, 22.0)
    alert = the(alerts)
    assert (alert.priority, alert.state, alert.sounding) == said
    assert alert.instance == 1


# --- what was acknowledged stays acknowledged ---


def test_going_up_and_back_to_what_was_acknowledged_ends_the_sound():
    alerts = raised()
    acknowledge(alerts, the(alerts), 11.0)
    become(alerts, PORT_3, 20.0)
    assert the(alerts).sounding
    assert become(alerts, PORT_1, 30.0) == [("door.escape.open.d12", "WA")]
    assert the(alerts).acknowledged_by == BY


def test_a_condition_that_was_gone_for_a_moment_is_known_and_one_that_ended_is_news():
    alerts = raised()
    acknowledge(alerts, the(alerts), 11.0)
    alerts.condition(ESCAPE, HATCH, active=False, now_s=12.0)
    alerts.condition(ESCAPE, HATCH, active=True, now_s=13.0)  # back within the 2 s
    become(alerts, SEA_1, 14.0)
    assert become(alerts, PORT_1, 15.0) == [("door.escape.open.d12", "WA")]
    alerts.condition(ESCAPE, HATCH, active=False, now_s=16.0)
    assert advance(alerts, 18.0) == [("door.escape.open.d12", "N")]
    alerts.condition(ESCAPE, HATCH, active=True, now_s=19.0)
    assert advance(alerts, 20.0) == [("door.escape.open.d12", "V")]


def test_restart_what_was_acknowledged_is_known_whatever_regimes_follow():
    before = raised()
    acknowledge(before, the(before), 11.0)
    after = engine()
    after.restore(before.alerts(), now_s=0.0)
    after.condition(ESCAPE, HATCH, active=True, now_s=1.0)
    become(after, YARD, 2.0)
    become(after, PORT_1, 3.0)
    assert advance(after, 5.0) == [("door.escape.open.d12", "A")]
    assert the(after).acknowledged_by == BY


@pytest.mark.parametrize("level", [1, 2, 3])
def test_restart_what_was_acknowledged_as_more_than_it_is_now_is_no_news_when_it_is_that_again(
    level,
):
    """The level rises, falls and rises again, and ispsd starts anew in between: one acknowledgement is enough."""
    before = raised(of=regime(level=3))
    acknowledge(before, the(before), 11.0)
    become(before, regime(level=level), 12.0)
    after = engine(regime(level=level))
    written = [alert_entry(alert, "") for alert in before.alerts()]
    after.restore(
        [alert_from_entry(body, action="", show=the(before).show, now_s=0.0) for body in written],
        now_s=0.0,
    )
    after.condition(ESCAPE, HATCH, active=True, now_s=1.0)
    advance(after, 2.0)
    become(after, regime(level=3), 3.0)
    assert (the(after).state, the(after).acknowledged_by) == (AlertState.ACTIVE_ACKNOWLEDGED, BY)


def test_restart_an_entry_of_before_says_by_its_state_what_was_acknowledged():
    before = raised()
    acknowledge(before, the(before), 11.0)
    body = alert_entry(the(before), "")
    del body["known"]
    after = engine()
    after.restore([alert_from_entry(body, action="", show=the(before).show, now_s=0.0)], now_s=0.0)
    become(after, YARD, 2.0)
    become(after, PORT_1, 3.0)
    assert advance(after, 5.0) == [("door.escape.open.d12", "A")]


@given(DOOR_KEYS, REGIMES, st.lists(st.tuples(REGIMES, st.floats(0.0, 100.0)), max_size=12))
def test_an_acknowledged_unchanged_condition_never_sounds_again_in_the_same_regime(
    key, first, others
):
    alerts = engine(first)
    alerts.condition(key, HATCH, active=True, now_s=0.0)
    now_s = KINDS[key].on_delay_s
    advance(alerts, now_s)
    alert = alerts.find(key, "d12")
    assume(alert is not None)
    assert alert is not None
    if alert.priority is not Priority.CAUTION:
        acknowledge(alerts, alert, now_s)
    heard = KINDS[key].letter(first)
    for other, wait_s in others:
        become(alerts, other, now_s)
        now_s += wait_s
        alerts.condition(key, HATCH, active=True, now_s=now_s)
        advance(alerts, now_s)
        letter = KINDS[key].letter(other)
        # A latched alarm that nobody acknowledged goes on in a regime that does not evaluate it.
        is_told = letter in "CWA" or not KINDS[key].latch
        known = is_told and "-LCWA".index(letter) <= "-LCWA".index(heard)
        assert not (known and any(a.sounding for a in alerts.alerts())), letter
    become(alerts, first, now_s)
    advance(alerts, now_s + 2.0)
    assert not any(a.sounding for a in alerts.alerts())
    back = the(alerts, key)
    assert (back.priority, back.state) == (alert.priority, AlertState.ACTIVE_ACKNOWLEDGED)


@given(DOOR_KEYS, st.lists(REGIMES, min_size=1, max_size=12))
def test_whatever_regimes_come_an_open_condition_has_the_priority_of_the_catalogue(key, regimes):
    alerts = engine()
    alerts.condition(key, HATCH, active=True, now_s=0.0)
    now_s = KINDS[key].on_delay_s
    advance(alerts, now_s)
    for each in regimes:
        now_s += 10.0
        become(alerts, each, now_s)
        advance(alerts, now_s + 2.0)
        found = alerts.find(key, "d12")
        told = KINDS[key].priority(each)
        if found is None:
            assert told is None
        elif found.state is not AlertState.RECTIFIED_UNACKNOWLEDGED and not KINDS[key].latch:
            assert found.priority is told


# --- letter L: written down and not told ---


def test_what_is_only_written_down_is_written_once_and_raises_nothing():
    alerts = engine(YARD)
    alerts.condition(ESCAPE, HATCH, active=True, now_s=0.0, detail="why")
    (said,) = alerts.advance(now_s=0.3, now_utc=UTC_0210)
    assert (said.key, said.title, said.source, said.detail) == (
        ESCAPE,
        "ESC HATCH OPEN",
        HATCH,
        "why",
    )
    assert [key for t in range(1, 4000) for key in noted(alerts, float(t))] == []
    assert alerts.alerts() == []


def test_what_comes_and_goes_is_written_at_most_every_thirty_minutes():
    alerts = engine(YARD)
    at_s = []
    for minute in range(0, 120, 5):
        now_s = minute * 60.0
        alerts.condition(ESCAPE, HATCH, active=True, now_s=now_s)
        at_s += [now_s for _ in noted(alerts, now_s + 1.0)]
        alerts.condition(ESCAPE, HATCH, active=False, now_s=now_s + 60.0)
        noted(alerts, now_s + 120.0)
    assert at_s == [0.0, NOTE_AGAIN_S, 2 * NOTE_AGAIN_S, 3 * NOTE_AGAIN_S]


def test_a_short_opening_that_is_only_written_down_is_not_even_written():
    alerts = engine(YARD)
    alerts.condition(ESCAPE, HATCH, active=True, now_s=0.0)
    alerts.condition(ESCAPE, HATCH, active=False, now_s=0.2)
    assert noted(alerts, 10.0) == []
    assert alerts.next_due_s() is None


def test_what_is_not_evaluated_is_not_written_either():
    alerts = engine(PORT_1)
    alerts.condition(MACHINERY, HATCH, active=True, now_s=0.0)
    assert noted(alerts, 10.0) == []


def test_an_alert_that_is_only_written_down_from_now_on_ends_and_is_written():
    alerts = raised()
    acknowledge(alerts, the(alerts), 11.0)
    assert become(alerts, YARD, 20.0) == [("door.escape.open.d12", "WN")]
    assert noted(alerts, 21.0) == [ESCAPE]


# --- what explains what ---


def door(number: int, *, device: str = "io1", bus: str | None = None) -> Source:
    return Source(f"d{number}", "DOOR", device, bus)


def test_a_dead_unit_does_not_raise_an_alert_for_each_of_its_doors():
    alerts = engine()
    alerts.condition("io.unit_lost", UNIT, active=True, now_s=0.0)
    for number in range(50):
        for key in ("door.unknown", "sensor.line_fault", "sensor.tamper"):
            alerts.condition(key, door(number), active=True, now_s=0.0)
    alerts.condition("door.unknown", door(99, device="io2"), active=True, now_s=0.0)
    seen = [change for t in range(200) for change in advance(alerts, float(t))]
    assert [i for i, _ in seen if i.startswith(("door.", "sensor."))] == ["door.unknown.d99"]
    assert seen[0] == ("io.unit_lost.io1", "V")


def test_a_door_that_stays_unseen_when_its_unit_is_back_is_told_then():
    alerts = engine()
    alerts.condition("io.unit_lost", UNIT, active=True, now_s=0.0)
    alerts.condition("door.unknown", door(1), active=True, now_s=0.0)
    advance(alerts, 100.0)
    alerts.condition("io.unit_lost", UNIT, active=False, now_s=100.0)
    told = [change for t in range(101, 130) for change in advance(alerts, float(t))]
    assert told == [("io.unit_lost.io1", "U"), ("door.unknown.d1", "A")]


def test_a_dead_bus_is_one_alert_for_its_units_and_their_doors():
    alerts = engine()
    alerts.condition("io.bus_lost", Source("rtu1", "RTU1", "rtu1"), active=True, now_s=0.0)
    for unit in ("io5", "io6"):
        alerts.condition("io.unit_lost", Source(unit, unit, unit, "rtu1"), active=True, now_s=0.0)
        alerts.condition("door.unknown", door(5, device=unit, bus="rtu1"), active=True, now_s=0.0)
    alerts.condition("io.unit_lost", Source("io7", "IO7", "io7", "rtu2"), active=True, now_s=0.0)
    seen = [i for t in range(200) for i, s in advance(alerts, float(t)) if s == "V"]
    assert set(seen) == {"io.bus_lost.rtu1", "io.unit_lost.io7"}


def test_one_unit_that_comes_back_leaves_the_other_one_told_by_itself():
    alerts = engine()
    bus = Source("rtu1", "RTU1", "rtu1")
    unit = Source("io6", "IO6", "io6", "rtu1")
    alerts.condition("io.bus_lost", bus, active=True, now_s=0.0)
    alerts.condition("io.unit_lost", unit, active=True, now_s=0.0)
    advance(alerts, 20.0)
    alerts.condition("io.bus_lost", bus, active=False, now_s=20.0)
    seen = [change for t in range(21, 60) for change in advance(alerts, float(t))]
    assert seen == [("io.bus_lost.rtu1", "U"), ("io.unit_lost.io6", "V")]


def test_a_lost_feed_explains_its_own_ais_and_no_other():
    alerts = engine(SEA_1)
    for device in ("ais", "ais2"):
        alerts.condition("ais.silent", Source(device, device, device), active=True, now_s=0.0)
    alerts.condition("feed.ais", Source("ais", "AIS", "ais"), active=True, now_s=0.0)
    seen = [i for t in range(400) for i, s in advance(alerts, float(t)) if s != "N"]
    assert "ais.silent.ais2" in seen
    assert "ais.silent.ais" not in seen


def test_what_is_explained_is_not_written_for_each_door_either():
    alerts = engine(YARD)
    alerts.condition("io.unit_lost", UNIT, active=True, now_s=0.0)
    for number in range(50):
        alerts.condition("door.unknown", door(number), active=True, now_s=0.0)
    assert [key for t in range(200) for key in noted(alerts, float(t))] == ["io.unit_lost"]


def test_a_restored_alert_learns_its_bus_from_the_rule():
    before = raised("io.unit_lost")
    after = engine()
    after.restore(before.alerts(), now_s=0.0)
    after.condition("io.unit_lost", Source("d12", "D12", "io5", "rtu1"), active=True, now_s=1.0)
    after.condition("door.unknown", door(1, device="io5"), active=True, now_s=1.0)
    assert [i for t in range(200) for i, _ in advance(after, float(t)) if "unknown" in i] == []
