"""One witness is no alert, two independent ones are; the same cause sounds at most once in half an hour."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.alerts.alert import Source
from daemon.alerts.rules.gnss import SOURCE, SUSPECT
from daemon.alerts.rules.gnss_fusion import (
    ENDS_AFTER_S,
    HOLD_OFF_S,
    OF_ONE_RECEIVER,
    STANDS_AFTER_S,
    Finding,
    Fusion,
    Witness,
    causes,
)
from daemon.model import Priority, Situation
from tests.alerts.rig import KINDS, acknowledge, advance, become, engine, regime, the

GNSS = Source(SOURCE, "GNSS", SOURCE)
NAMES = ("gps1", "gps2")
FINDINGS = st.builds(
    lambda witness, receiver, words: Finding(
        witness, words, receiver if witness in OF_ONE_RECEIVER else ""
    ),
    st.sampled_from(Witness),
    st.sampled_from(NAMES),
    st.sampled_from(["a", "b", "c"]),
)
HEIGHT, CLOCK = (
    Finding(Witness.HEIGHT, "GPS1 says a height of 80 m"),
    Finding(Witness.CLOCK, "stepped"),
)
LOG = Finding(Witness.LOG, "log says")
AIS = Finding(Witness.AIS, "AIS alert 009")


def test_the_delays_are_those_of_the_catalogue():
    kind = KINDS[SUSPECT]
    assert (kind.on_delay_s, kind.off_delay_s) == (STANDS_AFTER_S, ENDS_AFTER_S)


# --- independence ---


@given(st.lists(FINDINGS, max_size=12))
def test_findings_of_one_witness_alone_are_never_suspect(findings):
    for witness in Witness:
        for name in NAMES if witness in OF_ONE_RECEIVER else [""]:
            same = [f for f in findings if (f.witness, f.receiver) == (witness, name)]
            fusion = Fusion()
            for minute in range(4):
                said = fusion.judge(same, now_s=minute * 60.0)
                assert not said.suspect
                assert said.episode is None


@given(st.lists(FINDINGS, max_size=12))
def test_suspect_is_two_independent_causes_whatever_their_number(findings):
    named = {(f.witness, f.receiver) for f in findings}
    assert Fusion().judge(findings, now_s=0.0).suspect is (len(named) >= 2)


@pytest.mark.parametrize(
    ("findings", "suspect"),
    [
        (
            [Finding(Witness.SIGNAL, "no fix", "gps1"), Finding(Witness.SIGNAL, "fell", "gps1")],
            False,
        ),
        (
            [Finding(Witness.SIGNAL, "no fix", "gps1"), Finding(Witness.SIGNAL, "no fix", "gps2")],
            True,
        ),
        ([Finding(Witness.PATH, "jumped", "gps1"), Finding(Witness.RECEIVER, "apart")], True),
        ([Finding(Witness.SIGNAL, "no fix", "gps1"), Finding(Witness.SIGNAL, "AIS 025")], False),
        ([Finding(Witness.PATH, "jumped", "gps1"), Finding(Witness.SIGNAL, "AIS 025")], True),
    ],
    ids=["one antenna", "two antennas", "path and receiver", "025 follows", "025 alone"],
)
def test_what_counts_as_independent(findings, suspect):
    assert Fusion().judge(findings, now_s=0.0).suspect is suspect


# --- hold-off ---


class Bridge:
    """The fusion before the real engine; the loud raisings are counted."""

    def __init__(self, situation: Situation = Situation.SEA) -> None:
        self.fusion, self.alerts = Fusion(), engine(regime(situation))
        self.now_s = 0.0
        self.loud: list[tuple[float, frozenset[str]]] = []
        self.said = self.fusion.judge((), now_s=0.0)

    def second(self, findings: object, *, known_area: bool = False, step_s: float = 1.0) -> None:
        self.now_s += step_s
        self.said = said = self.fusion.judge(
            findings,  # type: ignore[arg-type]
            now_s=self.now_s,
            known_area=known_area,
        )
        self.alerts.condition(
            SUSPECT, GNSS, active=said.suspect, now_s=self.now_s, at_most=said.at_most
        )
        before = self.alerts.find(SUSPECT, SOURCE)
        advance(self.alerts, self.now_s)
        after = self.alerts.find(SUSPECT, SOURCE)
        if after is not None and after.sounding and not (before is not None and before.sounding):
            self.loud.append((self.now_s, said.causes))

    def pass_s(self, seconds: int, *findings: Finding, known_area: bool = False) -> None:
        for _ in range(seconds):
            self.second(findings, known_area=known_area)

    @property
    def shown(self) -> tuple[str, str] | None:
        alert = self.alerts.find(SUSPECT, SOURCE)
        return None if alert is None else (alert.priority.value, alert.state.value)

    def acknowledge(self) -> None:
        acknowledge(self.alerts, the(self.alerts, SUSPECT, SOURCE), self.now_s)


def test_the_same_cause_again_within_half_an_hour_is_a_caution_with_its_count():
    bridge = Bridge()
    bridge.pass_s(61, HEIGHT, CLOCK)
    assert bridge.shown == ("W", "V")
    bridge.acknowledge()
    bridge.pass_s(601)
    assert bridge.shown is None
    bridge.pass_s(61, HEIGHT, CLOCK)
    assert (bridge.shown, bridge.said.times) == (("C", "A"), 2)
    bridge.pass_s(601)
    bridge.pass_s(61, HEIGHT, CLOCK)
    assert (bridge.shown, bridge.said.times) == (("C", "A"), 3)
    assert len(bridge.loud) == 1
    bridge.pass_s(1800, HEIGHT, CLOCK)
    assert bridge.shown == ("W", "V"), "it still stands when the half hour is over"
    assert len(bridge.loud) == 2
    assert bridge.loud[1][0] - bridge.loud[0][0] >= HOLD_OFF_S - 1.0


def test_another_cause_sounds_at_once():
    bridge = Bridge()
    bridge.pass_s(61, HEIGHT, CLOCK)
    bridge.acknowledge()
    bridge.pass_s(601)
    bridge.pass_s(61, HEIGHT, AIS)
    assert (bridge.shown, len(bridge.loud)) == (("W", "V"), 2)


def test_a_further_cause_of_an_alert_that_stands_is_no_second_alert():
    bridge = Bridge()
    bridge.pass_s(61, HEIGHT, CLOCK)
    bridge.acknowledge()
    bridge.pass_s(300, HEIGHT, CLOCK, LOG, AIS)
    assert (bridge.shown, len(bridge.loud)) == (("W", "A"), 1)


def test_what_passes_before_it_is_told_holds_nothing_off():
    bridge = Bridge()
    for _ in range(20):
        bridge.pass_s(58, HEIGHT, CLOCK)
        bridge.pass_s(2)
    assert (bridge.shown, bridge.loud) == (None, [])
    bridge.pass_s(61, HEIGHT, CLOCK)
    assert bridge.shown == ("W", "V")


def test_what_ends_at_the_moment_at_which_it_is_told_was_told():
    bridge = Bridge()
    bridge.pass_s(60, HEIGHT, CLOCK)
    bridge.second(())
    assert bridge.said.episode == 1, "and has its bundle"


# --- known interference area ---


def test_in_a_known_area_it_is_a_caution_and_sounds_when_the_area_ends():
    bridge = Bridge()
    bridge.pass_s(300, HEIGHT, CLOCK, known_area=True)
    assert (bridge.shown, bridge.loud) == (("C", "A"), [])
    bridge.pass_s(2, HEIGHT, CLOCK)
    assert (bridge.shown, len(bridge.loud)) == (("W", "V"), 1)


def test_entering_the_area_silences_what_stands():
    bridge = Bridge()
    bridge.pass_s(61, HEIGHT, CLOCK)
    bridge.pass_s(2, HEIGHT, CLOCK, known_area=True)
    assert bridge.shown == ("C", "A")


def test_a_caution_of_the_hold_off_stays_one_when_the_situation_changes():
    bridge = Bridge()
    bridge.pass_s(61, HEIGHT, CLOCK)
    bridge.acknowledge()
    bridge.pass_s(601)
    bridge.pass_s(61, HEIGHT, CLOCK)
    become(bridge.alerts, regime(Situation.PORT), bridge.now_s)
    become(bridge.alerts, regime(Situation.SEA), bridge.now_s)
    assert bridge.shown == ("C", "A")


def test_what_was_told_quietly_stays_quiet_over_a_restart_until_the_rule_speaks():
    bridge = Bridge()
    bridge.pass_s(61, HEIGHT, CLOCK, known_area=True)
    alerts = engine(regime(Situation.SEA))
    alerts.restore(bridge.alerts.alerts(), now_s=0.0)
    become(alerts, regime(Situation.SEA, night=True), 1.0)
    assert the(alerts, SUSPECT, SOURCE).priority is Priority.CAUTION
    alerts.condition(SUSPECT, GNSS, active=True, now_s=2.0)
    advance(alerts, 2.0)
    assert (the(alerts, SUSPECT, SOURCE).priority, the(alerts, SUSPECT, SOURCE).sounding) == (
        Priority.WARNING,
        True,
    )


def restarted(ago_s: float) -> Bridge:
    """The bridge after a restart: its alert has sounded so long ago and stands."""
    before = Bridge()
    before.pass_s(61, HEIGHT, CLOCK)
    bridge = Bridge()
    bridge.now_s = 5000.0
    bridge.alerts.restore(before.alerts.alerts(), now_s=bridge.now_s)
    bridge.fusion.recall(["height", "clock"], alarmed_s=bridge.now_s - ago_s)
    bridge.fusion.resume(now_s=bridge.now_s)
    return bridge


def test_a_restart_makes_no_alert_that_sounds_a_quiet_one():
    bridge = restarted(300.0)
    bridge.pass_s(30)  # the devices are not up yet
    bridge.pass_s(120, HEIGHT, CLOCK)
    assert (bridge.shown, bridge.loud) == (("W", "V"), []), "neither quieter nor news"
    assert bridge.said.episode == 1, "what follows is kept"
    bridge.acknowledge()
    bridge.pass_s(601)
    assert bridge.shown is None
    bridge.pass_s(61, HEIGHT, CLOCK)
    assert bridge.shown == ("C", "A"), "the hold-off goes on"


def test_an_alert_of_which_nothing_is_left_after_a_restart_ends_without_an_episode():
    bridge = restarted(300.0)
    bridge.acknowledge()
    bridge.pass_s(590)
    assert (bridge.shown, bridge.said.episode) == (("W", "A"), 0)
    bridge.pass_s(12)
    assert (bridge.shown, bridge.said.episode) == (None, None)


# --- whatever comes ---

SPELLS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from([(), (HEIGHT, CLOCK), (HEIGHT, AIS), (LOG, CLOCK), (LOG,)]),
            st.lists(FINDINGS, max_size=4),
        ),
        st.sampled_from([1, 5, 6, 7, 30, 61, 65, 120, 190]),
        st.sampled_from([False, False, True]),
    ),
    min_size=4,
    max_size=14,
)
"""What is found, for how many times ten seconds, and whether the area is a known one: around the delays."""


@given(SPELLS)
@settings(max_examples=60)
def test_no_cause_sounds_twice_in_half_an_hour_and_memory_is_bounded(spells):
    bridge = Bridge()
    for findings, tens_s, area in spells:
        for _ in range(tens_s):
            bridge.second(findings, known_area=area, step_s=10.0)
            if bridge.shown is not None and bridge.shown[1] in "VU":
                bridge.acknowledge()
            assert bridge.said.suspect is (len(causes(findings)) >= 2)
            assert len(bridge.fusion._alarmed_s) <= len(Witness) + len(NAMES) * 2
    for at, (now_s, behind) in enumerate(bridge.loud):
        told: set[str] = set()
        for before_s, earlier in bridge.loud[:at]:
            if now_s - before_s < HOLD_OFF_S - 10.0:
                told |= earlier
        assert not behind <= told, "something new was told"


def test_the_count_begins_anew_when_the_half_hour_was_quiet():
    bridge = Bridge()
    bridge.pass_s(61, HEIGHT, CLOCK)
    bridge.acknowledge()
    for _ in range(190):
        bridge.second((), step_s=10.0)
    bridge.pass_s(61, HEIGHT, CLOCK)
    assert (bridge.shown, bridge.said.times) == (("W", "V"), 1)
    assert bridge.fusion._alarmed_s.keys() == {"height", "clock"}
    for _ in range(190):
        bridge.second((), step_s=10.0)
    assert bridge.fusion._alarmed_s == {}


@pytest.mark.parametrize(("ago_s", "shown"), [(1700.0, ("C", "A")), (1800.0, ("W", "V"))])
def test_what_sounded_before_a_restart_holds_off_too(ago_s, shown):
    bridge = Bridge()
    bridge.now_s = 5000.0
    bridge.fusion.recall(["height", "clock"], alarmed_s=5061.0 - ago_s)
    bridge.pass_s(61, HEIGHT, CLOCK)
    assert bridge.shown == shown
