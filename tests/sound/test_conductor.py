"""Which signal begins when: the loudest, at its pace; what is new at once; stale instead of all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.sound.conductor import Conductor, Sounding
from daemon.sound.tones import PULSES, Signal

ALARM, WARNING, STALE = Signal.ALARM, Signal.WARNING, Signal.STALE
DOOR = Sounding("door", 1, WARNING)
SEAL = Sounding("seal", 2, WARNING)
FORCED = Sounding("forced", 3, ALARM)


def run(steps: dict[float, set[Sounding]], until_s: int) -> list[tuple[float, Signal]]:
    """Ask each tenth of a second; return what began when. A step says what sounds from then on."""
    conductor, sounding, began = Conductor(), set(), []
    for tenth in range(until_s * 10):
        sounding = steps.get(tenth / 10, sounding)
        signal = conductor.due(frozenset(sounding), stale=False, now_s=tenth / 10)
        if signal is not None:
            began.append((tenth / 10, signal))
    return began


def test_an_alarm_comes_again_each_seven_seconds_and_a_warning_each_minute():
    assert run({0.0: {FORCED}}, 22) == [(0.0, ALARM), (7.0, ALARM), (14.0, ALARM), (21.0, ALARM)]
    assert run({0.0: {DOOR}}, 125) == [(0.0, WARNING), (60.0, WARNING), (120.0, WARNING)]


def test_with_both_the_alarm_is_heard_and_then_the_warning_that_is_left():
    began = run({0.0: {DOOR}, 5.0: {DOOR, FORCED}, 15.0: {DOOR}}, 80)
    assert began == [(0.0, WARNING), (5.0, ALARM), (12.0, ALARM), (60.0, WARNING)]


def test_what_is_new_sounds_at_once_and_what_is_quieter_than_what_sounds_does_not():
    assert run({0.0: {DOOR}, 20.0: {DOOR, SEAL}}, 85) == [
        (0.0, WARNING),
        (20.0, WARNING),
        (80.0, WARNING),
    ]
    assert run({0.0: {FORCED}, 1.0: {FORCED, DOOR}}, 6) == [(0.0, ALARM)]


def test_one_that_was_silenced_or_rectified_and_sounds_again_is_new():
    assert run({0.0: {DOOR}, 10.0: set(), 40.0: {DOOR}}, 50) == [(0.0, WARNING), (40.0, WARNING)]


def test_a_warning_that_becomes_an_alarm_sounds_as_one_at_once():
    louder = Sounding(DOOR.id, DOOR.instance, ALARM)
    assert run({0.0: {DOOR}, 30.0: {louder}}, 38) == [(0.0, WARNING), (30.0, ALARM), (37.0, ALARM)]


def test_nothing_sounds_while_nothing_is_to():
    assert run({0.0: set()}, 100) == []


def test_a_ship_may_have_a_warning_sound_again_sooner():
    conductor = Conductor()
    began = [
        now_s
        for now_s in range(100)
        if conductor.due(frozenset({DOOR}), stale=False, now_s=float(now_s), warning_every_s=30.0)
    ]
    assert began == [0, 30, 60, 90]


def test_while_nothing_is_known_only_that_is_heard_once_a_minute():
    conductor = Conductor()
    conductor.due(frozenset({FORCED}), stale=False, now_s=0.0)
    began = [
        (now_s, signal)
        for now_s in range(1, 140)
        if (signal := conductor.due(frozenset({FORCED}), stale=True, now_s=now_s)) is not None
    ]
    assert began == [(1, STALE), (61, STALE), (121, STALE)]
    again = conductor.due(frozenset({FORCED}), stale=False, now_s=140.0)
    assert again is ALARM, "what still sounds then is news"


@given(st.lists(st.frozensets(st.sampled_from([DOOR, SEAL, FORCED]))), st.floats(0.1, 5.0))
def test_what_sounds_is_never_left_out_for_longer_than_its_pace(wanted, step_s):
    conductor, heard_s, since_s, now_s = Conductor(), {}, {}, 0.0
    for sounding in wanted:
        now_s += step_s
        loudest = max((each.signal for each in sounding), default=None)
        since_s = {loudest: since_s.get(loudest, now_s)} if loudest else {}
        signal = conductor.due(sounding, stale=False, now_s=now_s)
        assert signal in {None, loudest}
        if signal is not None:
            heard_s[signal] = now_s
        for wants, from_s in since_s.items():
            last_s = max(from_s, heard_s.get(wants, from_s))
            assert now_s - last_s <= PULSES[wants].every_s + step_s
