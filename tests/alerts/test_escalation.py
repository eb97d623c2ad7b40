"""When does an alert that nobody acknowledges become more, and when does it not?"""

from __future__ import annotations

import pytest

from daemon.alerts.alert import AlertChange, Source
from daemon.alerts.escalation import Escalation
from daemon.model import Priority, Situation
from tests.alerts.rig import BY, HATCH, acknowledge, advance, become, engine, raised, regime, the
from tests.makers import UTC_0210

KEY, ID = "door.escape.open", "door.escape.open.d12"
PORT_1, PORT_2, PORT_3 = regime(), regime(level=2), regime(level=3)


def rows(alerts, until_s, *, step_s=0.5):
    """Let time pass; return when each row was gone through."""
    seen, now_s = [], 0.0
    while now_s <= until_s:
        changes = alerts.advance(now_s=now_s, now_utc=UTC_0210)
        seen += [(c.row, now_s) for c in changes if isinstance(c, AlertChange)]
        now_s += step_s
    return seen


@pytest.mark.parametrize("after_s", [30.0, 60.0, 300.0])
def test_the_ships_file_says_how_often_a_warning_sounds_again(after_s):
    alerts = raised(escalation=Escalation(after_s=after_s))
    assert rows(alerts, 3 * after_s + 10) == [(12, 10 + n * after_s) for n in (1, 2, 3)]


@pytest.mark.parametrize("of", [PORT_2, regime(threat=True), regime(Situation.ANCHOR, 2)])
def test_a_warning_is_promoted_at_level_2_or_in_a_threat_area(of):
    alerts = raised("door.held_open", of=of)
    assert the(alerts, "door.held_open").priority is Priority.WARNING
    began_s = the(alerts, "door.held_open").waits_since_s
    assert (13, began_s + 300) in rows(alerts, began_s + 301)


def test_at_level_1_a_warning_stays_one():
    assert {row for row, _ in rows(raised(), 2000)} == {12}


def test_what_is_never_promoted_by_the_ships_file_is_not():
    alerts = raised(of=PORT_2, escalation=Escalation(promote_after_s=0.0))
    assert {row for row, _ in rows(alerts, 2000)} == {12}


def test_who_silences_each_half_minute_does_not_keep_a_warning_from_becoming_an_alarm():
    alerts = raised(of=PORT_2)
    now_s = 10.0
    while the(alerts).priority is Priority.WARNING:
        alerts.silence(BY, now_s=now_s, now_utc=UTC_0210)
        now_s += 1.0
        advance(alerts, now_s)
        assert now_s < 400.0
    assert 310.0 <= now_s <= 341.0
    assert the(alerts).sounding


def test_a_level_that_rises_promotes_what_has_waited_for_so_long_already():
    alerts = raised()
    advance(alerts, 500.0)
    assert become(alerts, PORT_2, 600.0) == []
    assert advance(alerts, 600.0) == [(ID, "V")]
    assert the(alerts).priority is Priority.ALARM


def test_what_was_promoted_stays_an_alarm_until_it_is_normal():
    alerts = raised(of=PORT_2)
    advance(alerts, 310.0)
    assert become(alerts, regime(level=2, night=True), 320.0) == []
    acknowledge(alerts, the(alerts), 330.0)
    assert the(alerts).priority is Priority.ALARM
    alerts.condition(KEY, HATCH, active=False, now_s=340.0)
    assert advance(alerts, 342.0) == [(ID, "N")]
    alerts.condition(KEY, HATCH, active=True, now_s=350.0)
    advance(alerts, 351.0)
    assert (the(alerts).priority, the(alerts).instance) == (Priority.WARNING, 2)


def test_a_promoted_alert_that_comes_back_unacknowledged_is_an_alarm_still():
    alerts = raised(of=PORT_2)
    advance(alerts, 310.0)
    alerts.condition(KEY, HATCH, active=False, now_s=320.0)
    assert advance(alerts, 322.0) == [(ID, "U")]
    alerts.condition(KEY, HATCH, active=True, now_s=330.0)
    advance(alerts, 331.0)
    assert (the(alerts).priority, the(alerts).instance) == (Priority.ALARM, 1)


def test_back_at_level_1_a_promoted_warning_is_a_warning_again_and_goes_on_sounding():
    alerts = raised(of=PORT_2)
    advance(alerts, 310.0)
    assert become(alerts, PORT_1, 320.0) == [(ID, "WV")]
    assert {row for row, _ in rows(alerts, 2000)} == {12}


def test_an_acknowledged_promoted_alarm_makes_no_sound_at_a_lower_level_and_back():
    alerts = raised(of=PORT_2)
    advance(alerts, 310.0)
    acknowledge(alerts, the(alerts), 311.0)
    assert become(alerts, PORT_1, 320.0) == [(ID, "WA")]
    assert become(alerts, PORT_3, 330.0) == [(ID, "AA")], "it was known as an alarm"
    assert advance(alerts, 2000.0) == []


def test_restart_a_promoted_alarm_is_one_still_and_has_waited_since_the_start():
    before = raised(of=PORT_2)
    advance(before, 310.0)
    after = engine(PORT_2)
    after.restore(before.alerts(), now_s=1000.0)
    assert advance(after, 1000.0) == []
    alert = the(after)
    assert (alert.priority, alert.promoted, alert.waits_since_s) == (Priority.ALARM, True, 1000.0)
    assert become(after, PORT_1, 1010.0) == [(ID, "WV")]


def test_restart_a_warning_that_waited_is_promoted_after_its_time_from_the_start():
    after = engine(PORT_2)
    after.restore(raised(of=PORT_2).alerts(), now_s=1000.0)
    advance(after, 1299.0)
    assert the(after).priority is Priority.WARNING
    advance(after, 1300.0)
    assert the(after).priority is Priority.ALARM


def test_restart_a_level_that_changed_meanwhile_is_applied_at_once():
    after = engine(PORT_3)
    after.restore(raised(of=PORT_1).alerts(), now_s=1000.0)
    assert advance(after, 1000.0) == [(ID, "V")]
    assert the(after).priority is Priority.ALARM


def test_a_caution_waits_for_nobody():
    alerts = raised("door.store.open")
    assert the(alerts, "door.store.open").waits_since_s is None
    become(alerts, PORT_2, 20.0)
    assert the(alerts, "door.store.open").waits_since_s == 20.0


def test_a_louder_priority_begins_to_wait_anew_and_a_quieter_one_does_not():
    alerts = raised()
    become(alerts, PORT_3, 20.0)
    assert the(alerts).waits_since_s == 20.0
    become(alerts, PORT_1, 30.0)
    assert the(alerts).waits_since_s == 20.0


def test_the_counters_go_round():
    alerts = raised(escalation=Escalation(after_s=30.0))
    seen = []
    for turn in range(250):
        changes = alerts.advance(now_s=10.0 + 30.0 * turn, now_utc=UTC_0210)
        seen += [(c.alert.revision, c.alert.escalation) for c in changes]
    assert [r for r, _ in seen] == [n % 99 + 1 for n in range(1, 250)]
    assert [e for _, e in seen] == [n % 9 + 1 for n in range(249)]


def test_instances_that_begin_again_pass_over_those_that_are_open():
    alerts = engine()
    for number in (1, 2):
        alerts.condition(KEY, Source(f"d{number}", "DOOR", "io1"), active=True, now_s=0.0)
    advance(alerts, 1.0)
    alerts.last_instance = 999_998
    for number in (3, 4, 5):
        alerts.condition(KEY, Source(f"d{number}", "DOOR", "io1"), active=True, now_s=2.0)
    advance(alerts, 3.0)
    assert [alert.instance for alert in alerts.alerts()] == [1, 2, 999_999, 3, 4]


def test_restart_after_the_numbers_began_again_they_go_on_from_the_newest():
    before = engine()
    before.last_instance = 999_998
    for number in (1, 2, 3):
        before.condition(KEY, Source(f"d{number}", "DOOR", "io1"), active=True, now_s=0.0)
    advance(before, 1.0)
    after = engine()
    after.restore(before.alerts(), now_s=0.0)
    assert after.last_instance == 2


def test_a_quieter_priority_neither_prolongs_a_silence_nor_the_time_to_the_next_sound():
    alerts = raised(of=PORT_3)
    become(alerts, PORT_2, 40.0)
    assert alerts.next_due_s() == 70.0
    become(alerts, PORT_3, 50.0)
    alerts.silence(BY, now_s=60.0, now_utc=UTC_0210)
    become(alerts, PORT_2, 75.0)
    assert the(alerts).state.value == "S"
    assert advance(alerts, 90.0) == [(ID, "V")]
