"""Which devices, buses and clocks are wrong, in which words; and what a rule may say at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Moment, duration
from daemon.alerts.rules.clock import MOST_S, ClockRule
from daemon.alerts.rules.devices import LONGEST_DETAIL, BusRule, DeviceRule
from daemon.model import Quality
from tests.alerts.door_rig import PORT_1
from tests.alerts.rig import advance, engine
from tests.makers import UTC_0210, reading


def said(rule, now_s: float = 0.0) -> list[tuple[str, str, bool, str]]:
    moment = Moment(now_s, UTC_0210, PORT_1, {})
    return [(s.key, s.source.id, s.active, s.detail) for s in rule.look(moment)]


def link(rule, device: str, *, up: bool, reason: str = "") -> None:
    rule.link(device, up=up, now_s=0.0, reason=reason)


# --- devices ---


def test_a_device_that_was_never_tried_is_not_lost():
    rule = DeviceRule("io5", key="io.unit_lost", bus="rtu1", blind=("D11", "D12"))
    assert said(rule) == []


def test_a_lost_unit_says_why_and_what_nobody_sees_for_it():
    rule = DeviceRule("io5", key="io.unit_lost", bus="rtu1", blind=("STRG GEAR DOOR", "D12"))
    link(rule, "io5", up=False, reason="timed out")
    words = "timed out; not monitored: STRG GEAR DOOR, D12"
    assert said(rule) == [("io.unit_lost", "io5", True, words)]
    link(rule, "io5", up=True)
    ((_, _, active, _),) = said(rule)
    assert active is False


def test_a_lost_feed_that_carries_no_door_says_why():
    rule = DeviceRule("ais", key="feed.ais", bus=None, blind=())
    link(rule, "ais", up=False, reason="connection refused")
    assert said(rule) == [("feed.ais", "ais", True, "connection refused")]


def test_what_a_loss_means_is_bounded():
    rule = DeviceRule("io5", key="io.unit_lost", bus=None, blind=["D" * 16] * 100)
    link(rule, "io5", up=False, reason="x" * 300)
    ((*_, detail),) = said(rule)
    assert len(detail) == LONGEST_DETAIL


def test_readings_say_nothing_of_a_link():
    unit = DeviceRule("io5", key="io.unit_lost", bus=None, blind=())
    bus = BusRule("rtu1", ["io5", "io6"], blind=())
    for rule in (unit, bus):
        rule.take(reading("io5", 1.0), None)
        assert (said(rule), rule.points) == ([], frozenset())


# --- buses ---


@pytest.mark.parametrize(
    ("ups", "lost"),
    [
        ([True, True], False),
        ([True, False], False),
        ([False, True], False),
        ([False, False], True),
    ],
)
def test_a_bus_is_lost_when_every_unit_of_it_is(ups, lost):
    rule = BusRule("rtu1", ["io5", "io6"], blind=("D11",))
    assert rule.devices == {"io5", "io6"}
    for device, up in zip(("io5", "io6"), ups, strict=True):
        link(rule, device, up=up)
    assert said(rule) == [("io.bus_lost", "rtu1", lost, "not monitored: D11")]


def test_a_bus_is_not_judged_before_every_unit_was_tried():
    rule = BusRule("rtu1", ["io5", "io6"], blind=())
    link(rule, "io5", up=False)
    assert said(rule) == []


def test_a_dead_line_is_one_alert_and_a_dead_unit_on_it_one_of_its_own():
    """Rules and engine together: by what the rules say, nothing else names the bus."""
    names = ("io5", "io6")
    rules = [DeviceRule(n, key="io.unit_lost", bus="rtu1", blind=(n,)) for n in names]
    rules.append(BusRule("rtu1", names, blind=names))
    alerts = engine()

    def pass_time(begin_s: int, end_s: int) -> list[tuple[str, str]]:
        changed = []
        for second in range(begin_s, end_s):
            for rule in rules:
                for s in rule.look(Moment(float(second), UTC_0210, PORT_1, {})):
                    alerts.condition(s.key, s.source, active=s.active, now_s=float(second))
            changed += advance(alerts, float(second))
        return changed

    for rule in rules:
        for name in rule.devices:
            link(rule, name, up=False)
    assert pass_time(0, 100) == [("io.bus_lost.rtu1", "V"), ("io.bus_lost.rtu1", "V")]
    for rule in rules:
        if "io5" in rule.devices:
            link(rule, "io5", up=True)
    changed = pass_time(100, 130)
    assert changed == [("io.bus_lost.rtu1", "U"), ("io.unit_lost.io6", "V")]


# --- clocks ---


def tells(rule: ClockRule, behind_s: float) -> list[tuple[str, str, bool, str]]:
    """Let a receiver tell a time that is so far behind this computer's."""
    told = (UTC_0210 - timedelta(seconds=behind_s)).isoformat()
    rule.take(reading("gps1.time", told), None)
    return said(rule)


@pytest.mark.parametrize(
    ("behind_s", "active", "side"),
    [
        (0.0, False, "behind"),
        (MOST_S, False, "ahead of"),
        (MOST_S + 0.01, True, "ahead of"),
        (-MOST_S, False, "behind"),
        (-MOST_S - 0.01, True, "behind"),
    ],
)
def test_a_clock_that_is_off_by_more_than_a_sentence_can_be_late_is_told(behind_s, active, side):
    detail = f"this computer is {abs(behind_s):.0f} s {side} GPS1"
    assert tells(ClockRule("gps1"), behind_s) == [("clock.offset", "gps1", active, detail)]


def test_a_clock_is_not_judged_by_a_receiver_that_is_not_heard():
    rule = ClockRule("gps1")
    assert said(rule) == []
    tells(rule, 3600.0)
    link(rule, "gps1", up=False)
    assert said(rule) == []
    link(rule, "gps1", up=True)
    assert said(rule) == []
    assert [active for _, _, active, _ in tells(rule, 3600.0)] == [True]


def test_a_receiver_that_tells_no_time_any_more_is_not_judged_by_its_last():
    rule = ClockRule("gps1")
    tells(rule, 3600.0)
    rule.take(reading("gps1.time", None), None)
    assert said(rule) == []


def test_a_receiver_that_does_not_vouch_for_its_time_is_not_judged_by_it():
    """Without an antenna it begins in 1980, and the alert would invite somebody to set the clock wrong."""
    rule = ClockRule("gps1")
    told = reading("gps1.time", "1980-01-06T00:00:12+00:00", quality=Quality.SUSPECT)
    rule.take(told, None)
    assert said(rule) == []
    rule.take(reading("gps1.fix", None), None)
    assert tells(rule, 3600.0) == [], "ZDA says nothing of how good it is: no fix, no time"
    link(rule, "gps1", up=True)
    assert tells(rule, 3600.0) != [], "what is not heard over an outage is no word of the receiver"


def test_the_newest_time_counts():
    rule = ClockRule("gps1")
    tells(rule, 3600.0)
    ((*_, active, _),) = tells(rule, 0.2)
    assert active is False
    assert rule.points == {"gps1.time", "gps1.fix"}


# --- words ---


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (190, "3 min 10 s"),
        (3600, "1 h 0 min"),
        (7380, "2 h 3 min"),
    ],
)
def test_durations_read_as_an_officer_says_them(seconds, words):
    assert duration(seconds) == words


def test_a_source_is_named_as_on_the_wiring():
    rule = DeviceRule("io5", key="io.unit_lost", bus="rtu1", blind=())
    link(rule, "io5", up=False)
    (one,) = rule.look(Moment(0.0, UTC_0210, PORT_1, {}))
    assert one.source == Source("io5", "IO5", "io5", "rtu1")
