"""From condition to alert: delays, the state table, instances, silence, restart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.alert import Source
from daemon.alerts.engine import LAST_INSTANCE
from daemon.errors import RefusedError
from daemon.model import AlertState, Priority
from tests.alerts.rig import BY, HATCH, KINDS, advance, engine, the
from tests.makers import UTC_0210

SEAL = Source("s01", "BOND STORE", "io1")


def raised():
    """The hatch's alert, raised at 0.3 s."""
    alerts = engine()
    alerts.condition("door.escape.open", HATCH, active=True, now_s=0.0)
    advance(alerts, 0.3)
    return alerts


def test_an_alert_is_raised_after_its_on_delay_and_not_before():
    alerts = engine()
    alerts.condition("door.escape.open", HATCH, active=True, now_s=0.0)
    assert advance(alerts, 0.299) == []
    assert advance(alerts, 0.3) == [("door.escape.open.d12", "V")]
    alert = the(alerts)
    assert (alert.title, alert.priority, alert.instance, alert.revision) == (
        "ESC HATCH OPEN",
        Priority.WARNING,
        1,
        1,
    )
    assert alert.sounding


def test_a_door_that_shuts_within_the_on_delay_raises_nothing():
    alerts = engine()
    alerts.condition("door.escape.open", HATCH, active=True, now_s=0.0)
    alerts.condition("door.escape.open", HATCH, active=False, now_s=0.2)
    assert advance(alerts, 10.0) == []
    assert alerts.next_due_s() is None


def test_an_alert_that_rectifies_unacknowledged_waits_for_the_officer():
    alerts = raised()
    alerts.condition("door.escape.open", HATCH, active=False, now_s=5.0)
    assert advance(alerts, 6.999) == []
    assert advance(alerts, 7.0) == [("door.escape.open.d12", "U")]
    change = alerts.acknowledge("door.escape.open.d12", 1, BY, now_s=8.0, now_utc=UTC_0210)
    assert change is not None
    assert change.alert.state is AlertState.NORMAL
    assert alerts.alerts() == []


def test_an_instance_never_comes_again():
    alerts = raised()
    alerts.acknowledge("door.escape.open.d12", 1, BY, now_s=1.0, now_utc=UTC_0210)
    alerts.condition("door.escape.open", HATCH, active=False, now_s=2.0)
    advance(alerts, 4.0)
    alerts.condition("door.escape.open", HATCH, active=True, now_s=5.0)
    advance(alerts, 6.0)
    alert = the(alerts)
    assert alert.instance == 2


def test_a_rectified_alert_that_comes_back_keeps_its_instance_and_sounds():
    alerts = raised()
    alerts.condition("door.escape.open", HATCH, active=False, now_s=5.0)
    advance(alerts, 7.0)
    alerts.condition("door.escape.open", HATCH, active=True, now_s=8.0)
    assert advance(alerts, 8.3) == [("door.escape.open.d12", "V")]
    alert = the(alerts)
    assert (alert.instance, alert.sounding) == (1, True)


def test_silence_lasts_30_s_and_a_new_alert_sounds_meanwhile():
    alerts = raised()
    assert [c.alert.state.value for c in alerts.silence(BY, now_s=10.0, now_utc=UTC_0210)] == ["S"]
    alerts.condition(
        "door.vital.open", Source("d11", "STRG GEAR DOOR", "io1"), active=True, now_s=11.0
    )
    assert advance(alerts, 11.3) == [("door.vital.open.d11", "V")]
    assert advance(alerts, 39.999) == []
    assert advance(alerts, 40.0) == [("door.escape.open.d12", "V")]


def test_an_unacknowledged_warning_sounds_again_each_minute_and_counts_it():
    alerts = raised()
    assert advance(alerts, 60.299) == []
    assert advance(alerts, 60.3) == [("door.escape.open.d12", "V")]
    alert = the(alerts)
    assert (alert.escalation, alert.revision) == (1, 2)


def test_an_acknowledged_alert_is_steady_for_ever():
    alerts = raised()
    alerts.acknowledge("door.escape.open.d12", 1, BY, now_s=1.0, now_utc=UTC_0210)
    assert advance(alerts, 100_000.0) == []
    assert alerts.next_due_s() is None


def test_a_second_acknowledgement_is_told_apart_from_the_first():
    alerts = raised()
    assert alerts.acknowledge("door.escape.open.d12", 1, BY, now_s=1.0, now_utc=UTC_0210)
    assert alerts.acknowledge("door.escape.open.d12", 1, BY, now_s=2.0, now_utc=UTC_0210) is None


@pytest.mark.parametrize(
    ("alert", "instance", "reason"),
    [
        ("door.escape.open.d12", 2, "stale: alert is at instance 1"),
        ("door.escape.open.d13", 1, "no such alert now"),
    ],
)
def test_an_acknowledgement_of_something_else_is_refused(alert, instance, reason):
    with pytest.raises(RefusedError, match=reason):
        raised().acknowledge(alert, instance, BY, now_s=1.0, now_utc=UTC_0210)


def test_a_caution_is_not_acknowledged():
    alerts = engine()
    alerts.condition("door.blind_open", HATCH, active=True, now_s=0.0)
    advance(alerts, 0.0)
    with pytest.raises(RefusedError, match="caution"):
        alerts.acknowledge("door.blind_open.d12", 1, BY, now_s=1.0, now_utc=UTC_0210)


def test_restart_an_acknowledged_unchanged_condition_never_alarms_again():
    before = raised()
    before.acknowledge("door.escape.open.d12", 1, BY, now_s=1.0, now_utc=UTC_0210)
    after = engine()
    after.restore(before.alerts(), now_s=0.0)
    after.condition("door.escape.open", HATCH, active=True, now_s=1.0)
    assert advance(after, 1000.0) == []
    after.condition("door.escape.open", HATCH, active=False, now_s=1000.0)
    assert advance(after, 1002.0) == [("door.escape.open.d12", "N")]
    assert after.last_instance == 1


def test_restart_a_silenced_alert_sounds_again_after_its_30_s():
    before = raised()
    before.silence(BY, now_s=10.0, now_utc=UTC_0210)
    after = engine()
    after.restore(before.alerts(), now_s=500.0)
    assert advance(after, 529.9) == []
    assert advance(after, 530.0) == [("door.escape.open.d12", "V")]


def test_a_broken_seal_stays_until_a_new_number_is_entered():
    alerts = engine()
    alerts.condition("seal.broken", SEAL, active=True, now_s=0.0)
    advance(alerts, 0.0)
    alerts.acknowledge("seal.broken.s01", 1, BY, now_s=1.0, now_utc=UTC_0210)
    with pytest.raises(RefusedError, match="not intact"):
        alerts.release("seal.broken.s01", now_s=2.0)
    alerts.condition("seal.broken", SEAL, active=False, now_s=3.0)
    assert advance(alerts, 1000.0) == []
    alerts.release("seal.broken.s01", now_s=1001.0)
    assert advance(alerts, 1001.0) == [("seal.broken.s01", "N")]


@pytest.mark.parametrize("key", ["seal.broken", "sensor.tamper", "door.forced"])
def test_what_a_latch_keeps_is_told_though_it_was_over_before_anybody_looked(key):
    """Between two polls a counter saw a seal broken and whole again; a latch tells of it once and never again."""
    assert KINDS[key].latch
    assert not KINDS[key].on_delay_s
    alerts = engine()
    alerts.condition(key, SEAL, active=True, now_s=1.0)
    alerts.condition(key, SEAL, active=False, now_s=1.0)
    assert advance(alerts, 1.0) == [(f"{key}.s01", "V")]
    assert advance(alerts, 20.0) == [], "it stays"
    alerts.release(f"{key}.s01", now_s=21.0)
    assert advance(alerts, 21.0) == [(f"{key}.s01", "U")]


def test_a_latched_alert_that_nobody_let_go_is_not_let_go_by_another_name():
    alerts = raised()
    for wrong in ("seal.broken.s01", "door.escape.open.d12"):
        with pytest.raises(RefusedError, match="no latched alert"):
            alerts.release(wrong, now_s=1.0)


def test_a_latched_alert_that_holds_again_stays_and_needs_the_act_again():
    alerts = engine()
    alerts.condition("seal.broken", SEAL, active=True, now_s=0.0)
    advance(alerts, 0.0)
    alerts.condition("seal.broken", SEAL, active=False, now_s=1.0)
    alerts.condition("seal.broken", SEAL, active=True, now_s=2.0)
    with pytest.raises(RefusedError, match="BOND STORE is not intact yet"):
        alerts.release("seal.broken.s01", now_s=3.0)
    assert advance(alerts, 59.0) == []


def test_an_unknown_key_is_a_fault_of_the_program_and_said():
    with pytest.raises(KeyError):
        engine().condition("door.of.no.kind", HATCH, active=True, now_s=0.0)


def test_what_an_alert_says_is_what_held_when_it_was_raised():
    alerts = engine()
    for now_s, detail in ((0.0, "GPS1 has no fix"), (59.0, "GPS1 jumped 900 m"), (61.0, "later")):
        alerts.condition("gnss.suspect", HATCH, active=True, now_s=now_s, detail=detail)
        advance(alerts, now_s + 1.0)
    assert the(alerts, "gnss.suspect").detail == "GPS1 jumped 900 m"


def test_an_alert_that_comes_back_says_why_it_came_back():
    alerts = raised()
    alerts.condition("door.escape.open", HATCH, active=False, now_s=5.0)
    advance(alerts, 7.0)
    alerts.condition("door.escape.open", HATCH, active=True, now_s=8.0, detail="the second time")
    advance(alerts, 9.0)
    assert the(alerts).detail == "the second time"


def test_the_numbers_of_instances_begin_again_after_the_last():
    alerts = engine()
    alerts.last_instance = LAST_INSTANCE
    alerts.condition("door.escape.open", HATCH, active=True, now_s=0.0)
    advance(alerts, 1.0)
    assert the(alerts).instance == 1


def test_restart_a_rectified_alert_still_waits_for_the_officer():
    before = raised()
    before.condition("door.escape.open", HATCH, active=False, now_s=5.0)
    advance(before, 7.0)
    after = engine()
    after.restore(before.alerts(), now_s=0.0)
    assert not after.holds("door.escape.open", "d12")
    after.condition("door.escape.open", HATCH, active=False, now_s=1.0)
    assert advance(after, 1000.0) == []
    assert the(after).state is AlertState.RECTIFIED_UNACKNOWLEDGED


def test_restart_an_unacknowledged_warning_goes_on_sounding_each_minute():
    after = engine()
    after.restore(raised().alerts(), now_s=500.0)
    assert the(after).sounding
    assert after.holds("door.escape.open", "d12")
    assert after.next_due_s() == 560.0
    assert advance(after, 560.0) == [("door.escape.open.d12", "V")]


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["open", "shut", "ack", "silence"]),
        st.floats(min_value=0.0, max_value=90.0, allow_nan=False),
    ),
    max_size=40,
)


@given(ACTS)
def test_whatever_happens_the_table_holds(acts):
    """Every change follows a row, revisions rise by one, and nothing sounds that is acknowledged."""
    alerts, now_s = engine(), 0.0
    last: dict[int, int] = {}
    for act, wait_s in acts:
        now_s += wait_s
        changes = alerts.advance(now_s=now_s, now_utc=UTC_0210)
        if act in {"open", "shut"}:
            alerts.condition("door.escape.open", HATCH, active=act == "open", now_s=now_s)
        elif act == "silence":
            changes += alerts.silence(BY, now_s=now_s, now_utc=UTC_0210)
        elif alert := alerts.find("door.escape.open", "d12"):
            change = (
                alerts.acknowledge(alert.id, alert.instance, BY, now_s=now_s, now_utc=UTC_0210)
                if alert.state is not AlertState.ACTIVE_ACKNOWLEDGED
                else None
            )
            changes += [change] if change else []
        for change in changes:
            assert change.alert.revision == last.get(change.alert.instance, 0) % 99 + 1
            last[change.alert.instance] = change.alert.revision
            assert change.alert.sounding is (change.alert.state.value == "V")
        open_now = alerts.alerts()
        assert len(open_now) <= 1
        assert all(a.state is not AlertState.NORMAL for a in open_now)
