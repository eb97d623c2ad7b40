"""What a person inhibited or took out of service is told nobody, and stands all the same until that ends."""

from __future__ import annotations

import pytest

from daemon.alerts.alert import AlertChange, Source
from daemon.alerts.lifecycle import NO_ROW, Event
from daemon.errors import RefusedError
from daemon.model import AlertState, Situation
from tests.alerts.rig import (
    BY,
    HATCH,
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

KEY, ID = "door.escape.open", "door.escape.open.d12"
SEAL = Source("s01", "BOND STORE", "io1")


class Inhibits:
    """What a person muted."""

    def __init__(self, *keys):
        self.keys = set(keys)

    def __call__(self, key, source):
        return key in self.keys


def reconsider(alerts, now_s):
    changes = alerts.reconsider(now_s=now_s, now_utc=UTC_0210)
    return [(c.alert.id, c.alert.state.value) for c in changes]


def inhibited(made=raised):
    """An engine whose hatch was told at 10 s and inhibited at 20 s, and what inhibits it."""
    inhibits = Inhibits()
    alerts = made(muted=inhibits)
    inhibits.keys.add(KEY)
    assert reconsider(alerts, 20.0) == [(ID, "N")]
    return alerts, inhibits


def test_an_open_alert_that_is_inhibited_is_told_normal_once():
    inhibits = Inhibits()
    alerts = raised(muted=inhibits)
    inhibits.keys.add(KEY)
    (change,) = alerts.reconsider(now_s=20.0, now_utc=UTC_0210)
    assert (change.event, change.row, change.alert.state, change.alert.revision) == (
        Event.MUTE,
        NO_ROW,
        AlertState.NORMAL,
        2,
    )
    assert change.alert.waits_since_s is None
    assert alerts.alerts() == []
    assert reconsider(alerts, 21.0) == []
    assert advance(alerts, 10_000.0) == []


def test_what_is_inhibited_is_not_raised():
    alerts = engine(muted=Inhibits(KEY))
    alerts.condition(KEY, HATCH, active=True, now_s=0.0)
    assert advance(alerts, 1000.0) == []
    assert alerts.holds(KEY, "d12"), "it stands all the same"
    assert alerts.next_due_s() is None


def test_what_stands_when_the_inhibit_ends_is_a_new_instance_at_once_and_sounds():
    alerts, inhibits = inhibited()
    inhibits.keys.clear()
    assert reconsider(alerts, 30.0) == [(ID, "V")]
    alert = the(alerts)
    assert (alert.instance, alert.sounding, alert.waits_since_s) == (2, True, 30.0)


def test_peers_15_what_was_acknowledged_before_it_was_inhibited_is_annunciated_anew():
    alerts = raised(muted=(inhibits := Inhibits()))
    acknowledge(alerts, the(alerts), 11.0)
    inhibits.keys.add(KEY)
    assert reconsider(alerts, 20.0) == [(ID, "N")]
    inhibits.keys.clear()
    assert reconsider(alerts, 30.0) == [(ID, "V")]
    assert the(alerts).acknowledged_by is None


def test_what_ended_while_it_was_inhibited_does_not_come_back():
    alerts, inhibits = inhibited()
    alerts.condition(KEY, HATCH, active=False, now_s=25.0)
    inhibits.keys.clear()
    assert reconsider(alerts, 26.0) == []
    assert advance(alerts, 30.0) == []
    assert not alerts.holds(KEY, "d12")
    alerts.condition(KEY, HATCH, active=True, now_s=40.0)
    assert advance(alerts, 40.299) == []
    assert advance(alerts, 40.3) == [(ID, "V")]


def test_what_is_still_in_its_on_delay_when_the_inhibit_ends_waits_for_it():
    alerts = engine(muted=(inhibits := Inhibits(KEY)))
    alerts.condition(KEY, HATCH, active=True, now_s=0.0)
    inhibits.keys.clear()
    assert reconsider(alerts, 0.2) == []
    assert advance(alerts, 0.3) == [(ID, "V")]


def test_a_rectified_alert_that_is_inhibited_ends():
    inhibits = Inhibits()
    alerts = raised(muted=inhibits)
    alerts.condition(KEY, HATCH, active=False, now_s=11.0)
    advance(alerts, 13.0)
    inhibits.keys.add(KEY)
    assert reconsider(alerts, 20.0) == [(ID, "N")]
    inhibits.keys.clear()
    assert reconsider(alerts, 30.0) == []


def test_a_silenced_and_a_transferred_alert_end_by_an_inhibit_too():
    for act in ("silence", "transfer"):
        inhibits = Inhibits()
        alerts = raised(muted=inhibits)
        if act == "silence":
            alerts.silence(BY, now_s=11.0, now_utc=UTC_0210)
        else:
            alerts.transfer(ID, 1, BY, now_s=11.0, now_utc=UTC_0210)
        inhibits.keys.add(KEY)
        assert reconsider(alerts, 20.0) == [(ID, "N")]
        assert alerts.next_due_s() is None


def test_a_latched_alert_comes_back_after_its_inhibit_until_the_act_is_done():
    alerts = engine(muted=(inhibits := Inhibits()))
    alerts.condition("seal.broken", SEAL, active=True, now_s=0.0)
    advance(alerts, 0.0)
    alerts.condition("seal.broken", SEAL, active=False, now_s=1.0)
    inhibits.keys.add("seal.broken")
    assert reconsider(alerts, 10.0) == [("seal.broken.s01", "N")]
    inhibits.keys.clear()
    assert reconsider(alerts, 20.0) == [("seal.broken.s01", "V")]


def test_the_act_for_a_latched_alert_counts_while_it_is_inhibited():
    alerts = engine(muted=(inhibits := Inhibits("seal.broken")))
    alerts.condition("seal.broken", SEAL, active=True, now_s=0.0)
    advance(alerts, 0.0)
    with pytest.raises(RefusedError, match="not intact"):
        alerts.release("seal.broken.s01", now_s=1.0)
    alerts.condition("seal.broken", SEAL, active=False, now_s=2.0)
    alerts.release("seal.broken.s01", now_s=3.0)
    assert advance(alerts, 3.0) == []
    inhibits.keys.clear()
    assert reconsider(alerts, 4.0) == []


def test_an_inhibit_that_ends_in_a_regime_without_a_letter_raises_nothing_until_there_is_one():
    machinery = "door.machinery.open"
    alerts = engine(regime(level=3), muted=(inhibits := Inhibits(machinery)))
    alerts.condition(machinery, HATCH, active=True, now_s=0.0)
    advance(alerts, 1.0)
    become(alerts, regime(), 2.0)
    inhibits.keys.clear()
    assert reconsider(alerts, 3.0) == []
    assert advance(alerts, 100.0) == []
    become(alerts, regime(level=3), 101.0)
    assert advance(alerts, 101.0) == [(f"{machinery}.d12", "V")]


def test_what_is_inhibited_is_not_written_down_either_where_it_would_only_be_written():
    alerts = engine(regime(Situation.YARD), muted=(inhibits := Inhibits(KEY)))
    alerts.condition(KEY, HATCH, active=True, now_s=0.0)
    assert noted(alerts, 10.0) == []
    inhibits.keys.clear()
    assert reconsider(alerts, 20.0) == []
    assert noted(alerts, 20.0) == [KEY]


def test_a_new_regime_does_not_lift_an_inhibit():
    alerts, _ = inhibited()
    assert become(alerts, regime(level=2), 30.0) == []
    assert advance(alerts, 100.0) == []


def test_an_inhibited_cause_still_explains_what_follows_from_it():
    alerts = engine(muted=Inhibits("io.unit_lost"))
    unit = Source("io1", "IO1", "io1")
    alerts.condition("io.unit_lost", unit, active=True, now_s=0.0)
    alerts.condition("door.unknown", HATCH, active=True, now_s=0.0)
    assert [c for t in range(200) for c in advance(alerts, float(t))] == []


def test_restart_an_alert_that_is_inhibited_by_now_does_not_sound_and_its_end_is_told_once():
    before = raised()
    after = engine(muted=Inhibits(KEY))
    after.restore(before.alerts(), now_s=500.0)
    assert after.alerts() == []
    assert after.next_due_s() is not None
    (change,) = after.advance(now_s=500.0, now_utc=UTC_0210)
    assert isinstance(change, AlertChange)
    assert (change.event, change.alert.state, change.alert.instance, change.alert.revision) == (
        Event.MUTE,
        AlertState.NORMAL,
        1,
        2,
    )
    assert after.advance(now_s=501.0, now_utc=UTC_0210) == []
    assert after.next_due_s() is None
    assert after.holds(KEY, "d12")


def test_restart_the_end_of_a_muted_alert_is_told_before_the_next_one_of_its_name():
    after = engine(muted=(inhibits := Inhibits(KEY)))
    after.restore(raised().alerts(), now_s=500.0)
    inhibits.keys.clear()
    assert reconsider(after, 500.0) == [(ID, "N"), (ID, "V")]
    assert advance(after, 501.0) == []
    assert the(after).instance == 2


def test_restart_an_inhibit_that_ends_later_raises_what_stands_under_a_number_never_used():
    after = engine(muted=(inhibits := Inhibits(KEY)))
    after.restore(raised().alerts(), now_s=500.0)
    advance(after, 500.0)
    after.condition(KEY, HATCH, active=True, now_s=501.0)
    inhibits.keys.clear()
    assert reconsider(after, 600.0) == [(ID, "V")]
    assert the(after).instance == 2
