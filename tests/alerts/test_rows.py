"""MSC.302(87) 7.3, reference/regulations.md 3.2: each row of the table as the engine goes through it."""

from __future__ import annotations

import pytest

from daemon.alerts.alert import AlertChange
from daemon.alerts.lifecycle import Event
from daemon.errors import RefusedError
from daemon.model import Priority
from tests.alerts.rig import BY, HATCH, PANEL, engine, raised, regime, the
from tests.makers import UTC_0210

KEY, ID = "door.escape.open", "door.escape.open.d12"
AT = {"now_s": 20.0, "now_utc": UTC_0210}
PORT_2, PORT_3 = regime(level=2), regime(level=3)


def advance(alerts, now_s):
    """Advance; return the changes of alerts."""
    changes = alerts.advance(now_s=now_s, now_utc=UTC_0210)
    return [change for change in changes if isinstance(change, AlertChange)]


def shown(change):
    """What a row says: its number, the new state, whether it sounds, and the counters."""
    alert = change.alert
    return change.row, alert.state.value, alert.sounding, alert.revision, alert.escalation


def shut(alerts, now_s):
    alerts.condition(KEY, HATCH, active=False, now_s=now_s)
    return advance(alerts, now_s + 2.0)


def silenced():
    alerts = raised()
    alerts.silence(BY, now_s=11.0, now_utc=UTC_0210)
    return alerts


def acknowledged(of=None):
    alerts = raised(of=of)
    alerts.acknowledge(ID, 1, BY, now_s=11.0, now_utc=UTC_0210)
    return alerts


def transferred():
    alerts = raised()
    alerts.transfer(ID, 1, PANEL, now_s=11.0, now_utc=UTC_0210)
    return alerts


def rectified():
    alerts = raised()
    shut(alerts, 11.0)
    return alerts


def test_row_01_a_condition_that_outlasts_its_delay_sounds_as_a_new_instance():
    alerts = engine()
    alerts.condition(KEY, HATCH, active=True, now_s=0.0)
    assert advance(alerts, 0.299) == []
    (change,) = advance(alerts, 0.3)
    assert shown(change) == (1, "V", True, 1, 0)
    assert (change.alert.instance, change.alert.waits_since_s) == (1, 0.3)


def test_row_01_a_caution_is_active_without_a_sound():
    alerts = engine()
    alerts.condition("door.blind_open", HATCH, active=True, now_s=0.0)
    (change,) = advance(alerts, 0.0)
    assert shown(change) == (1, "A", False, 1, 0)
    assert change.alert.waits_since_s is None


def test_row_02_silence_ends_the_sound_and_not_the_waiting():
    alerts = raised()
    (change,) = alerts.silence(BY, **AT)
    assert shown(change) == (2, "S", False, 2, 0)
    assert (change.by, change.alert.waits_since_s) == (BY, 10.0)


def test_row_02_one_alert_may_be_silenced_alone():
    alerts = raised()
    alerts.condition("intrusion.detected", HATCH, active=True, now_s=10.0)
    alerts.become(PORT_2, now_s=10.0, now_utc=UTC_0210)
    advance(alerts, 11.0)
    (change,) = alerts.silence(BY, alert_id=ID, **AT)
    assert shown(change)[:2] == (2, "S")
    assert the(alerts, "intrusion.detected").sounding


@pytest.mark.parametrize("made", [silenced, acknowledged, transferred, rectified])
def test_row_02_what_does_not_sound_is_not_silenced(made):
    alerts = made()
    assert alerts.silence(BY, **AT) == []
    with pytest.raises(RefusedError, match="does not sound"):
        alerts.silence(BY, alert_id=ID, **AT)


def test_row_03_after_thirty_seconds_it_sounds_again():
    alerts = silenced()
    assert advance(alerts, 40.999) == []
    (change,) = advance(alerts, 41.0)
    assert shown(change) == (3, "V", True, 3, 0)
    assert change.alert.waits_since_s == 10.0


@pytest.mark.parametrize(("made", "revision"), [(raised, 2), (silenced, 3)])
def test_row_04_an_acknowledged_alert_is_steady(made, revision):
    alerts = made()
    change = alerts.acknowledge(ID, 1, BY, **AT)
    assert shown(change) == (4, "A", False, revision, 0)
    assert (change.alert.acknowledged_by, change.alert.waits_since_s) == (BY, None)
    assert advance(alerts, 100_000.0) == []


@pytest.mark.parametrize("alert", ["door.escape.open.d13", "ssas.unit", ""])
def test_row_05_a_command_for_an_unknown_alert_is_refused(alert):
    alerts = raised()
    for act in (alerts.acknowledge, alerts.transfer):
        with pytest.raises(RefusedError, match="no such alert now"):
            act(alert, 1, PANEL, **AT)
    with pytest.raises(RefusedError, match="no such alert now"):
        alerts.silence(PANEL, alert_id=alert, **AT)
    assert the(alerts).revision == 1


def test_row_05_a_command_for_another_instance_is_refused():
    alerts = raised()
    for act in (alerts.acknowledge, alerts.transfer):
        with pytest.raises(RefusedError, match="stale: alert is at instance 1 now, not 2"):
            act(ID, 2, PANEL, **AT)
    with pytest.raises(RefusedError, match="stale"):
        alerts.silence(PANEL, alert_id=ID, instance=2, **AT)
    assert the(alerts).revision == 1


def test_row_05_of_a_caution_nothing_is_asked():
    alerts = engine()
    alerts.condition("door.blind_open", HATCH, active=True, now_s=0.0)
    advance(alerts, 0.0)
    caution = "door.blind_open.d12"
    for act, why in (
        (alerts.acknowledge, "a caution is not acknowledged"),
        (alerts.transfer, "cannot be transferred"),
    ):
        with pytest.raises(RefusedError, match=why):
            act(caution, 1, PANEL, **AT)
    with pytest.raises(RefusedError, match="does not sound"):
        alerts.silence(PANEL, alert_id=caution, **AT)


def test_row_05_what_was_transferred_is_not_acknowledged_here():
    alerts = transferred()
    with pytest.raises(RefusedError, match="while active – responsibility transferred"):
        alerts.acknowledge(ID, 1, BY, **AT)


@pytest.mark.parametrize(("made", "revision"), [(raised, 2), (silenced, 3)])
def test_row_06_responsibility_goes_to_the_panel_that_asks_for_it(made, revision):
    alerts = made()
    change = alerts.transfer(ID, 1, PANEL, **AT)
    assert shown(change) == (6, "O", False, revision, 0)
    assert (change.by, change.alert.waits_since_s) == (PANEL, None)
    assert advance(alerts, 100_000.0) == [], "it neither repeats nor escalates here"


@pytest.mark.parametrize("made", [acknowledged, transferred, rectified])
def test_row_06_only_what_waits_for_its_acknowledgement_is_transferred(made):
    with pytest.raises(RefusedError, match="responsibility cannot be transferred while"):
        made().transfer(ID, 1, PANEL, **AT)


def test_row_07_a_lost_panel_gives_back_every_alert_and_each_sounds():
    alerts = transferred()
    alerts.condition("door.vital.open", HATCH, active=True, now_s=12.0)
    advance(alerts, 13.0)
    alerts.transfer("door.vital.open.d12", 2, PANEL, now_s=14.0, now_utc=UTC_0210)
    back = alerts.hand_back(**AT)
    assert [shown(change) for change in back] == [(7, "V", True, 3, 0)] * 2
    assert [change.alert.waits_since_s for change in back] == [20.0, 20.0]
    assert alerts.hand_back(**AT) == []


@pytest.mark.parametrize("made", [acknowledged, transferred])
def test_row_08_what_is_known_is_told_normal_once_and_then_gone(made):
    alerts = made()
    (change,) = shut(alerts, 20.0)
    assert shown(change) == (8, "N", False, 3, 0)
    assert alerts.alerts() == []


@pytest.mark.parametrize(("made", "revision"), [(raised, 2), (silenced, 3)])
def test_row_09_what_nobody_acknowledged_is_rectified_and_waits(made, revision):
    alerts = made()
    (change,) = shut(alerts, 20.0)
    assert shown(change) == (9, "U", False, revision, 0)
    assert advance(alerts, 100_000.0) == [], "it neither sounds nor counts"
    assert change.alert.waits_since_s is None


def test_row_10_the_acknowledgement_of_what_is_over_ends_it():
    alerts = rectified()
    change = alerts.acknowledge(ID, 1, BY, **AT)
    assert shown(change) == (10, "N", False, 3, 0)
    assert alerts.alerts() == []


def test_row_11_what_comes_back_unacknowledged_is_the_same_instance_and_sounds():
    alerts = rectified()
    alerts.condition(KEY, HATCH, active=True, now_s=20.0)
    (change,) = advance(alerts, 20.3)
    assert shown(change) == (11, "V", True, 3, 0)
    assert (change.alert.instance, change.alert.waits_since_s) == (1, 20.3)


def test_row_12_a_warning_sounds_again_each_minute():
    alerts = raised()
    assert advance(alerts, 69.999) == []
    assert [shown(c) for c in advance(alerts, 70.0)] == [(12, "V", True, 2, 1)]
    assert advance(alerts, 129.999) == []
    assert [shown(c) for c in advance(alerts, 130.0)] == [(12, "V", True, 3, 2)]
    assert the(alerts).waits_since_s == 10.0


def test_row_13_at_level_2_a_warning_that_waits_for_five_minutes_becomes_an_alarm():
    alerts = raised(of=PORT_2)
    repeats = [c.row for t in range(11, 310) for c in advance(alerts, float(t))]
    assert repeats == [12] * 4
    (change,) = advance(alerts, 310.0)
    assert shown(change) == (13, "V", True, 6, 5)
    assert (change.event, change.alert.priority) == (Event.PROMOTE, Priority.ALARM)
    assert change.alert.waits_since_s == 10.0


def test_row_14_an_alarm_counts_each_minute_and_goes_on_sounding():
    alerts = raised(of=PORT_3)
    assert the(alerts).priority is Priority.ALARM
    assert advance(alerts, 69.999) == []
    (change,) = advance(alerts, 70.0)
    assert shown(change) == (14, "V", True, 2, 1)
    assert (change.event, change.alert.priority) == (Event.ESCALATE, Priority.ALARM)


def test_row_15_what_is_asked_for_again_is_told_as_it_is():
    alerts = silenced()
    before = alerts.alerts()
    assert [(alert.id, alert.revision) for alert in before] == [(ID, 2)]
    assert alerts.alerts() == before
