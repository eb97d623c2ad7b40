"""What is in the samples: how many pulses, how long, at which pitch, without clicks."""

from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest

from daemon.sound.tones import (
    EDGE_S,
    LARGEST,
    PITCHES_HZ,
    PULSES,
    RATE_HZ,
    Signal,
    samples,
)
from tests.sound.listening import loudness_at, pulses

EACH = [(signal, tones) for signal in Signal for tones in PITCHES_HZ]


def read(signal: Signal, tones: int = 1, volume: int = 100) -> array[int]:
    return array("h", samples(signal, tones=tones, volume=volume))


@pytest.mark.parametrize(("signal", "tones"), EACH)
def test_a_signal_has_its_pulses_and_its_length(signal, tones):
    shape = PULSES[signal]
    heard = read(signal, tones)
    assert len(heard) == pytest.approx(shape.length_s * RATE_HZ, abs=shape.count * 2)
    found = pulses(heard)
    assert len(found) == shape.count
    for began_s, ended_s in found:
        assert ended_s - began_s == pytest.approx(shape.pulse_s, abs=2 * EDGE_S)


def test_an_alarm_is_three_short_pulses_and_a_warning_two():
    assert (PULSES[Signal.ALARM].count, PULSES[Signal.WARNING].count) == (3, 2)
    assert 7.0 <= PULSES[Signal.ALARM].every_s <= 10.0
    assert 30.0 <= PULSES[Signal.WARNING].every_s <= 300.0
    assert all(shape.length_s < 1.0 for shape in PULSES.values())


@pytest.mark.parametrize(("signal", "tones"), EACH)
def test_the_loudest_pitch_is_the_one_that_was_chosen(signal, tones):
    heard = read(signal, tones)[: round(PULSES[signal].pulse_s * RATE_HZ)]
    pitch_hz = PITCHES_HZ[tones][signal]
    assert 200.0 <= pitch_hz <= 2000.0
    own = loudness_at(heard, pitch_hz)
    for other in (*PITCHES_HZ[1].values(), *PITCHES_HZ[2].values()):
        if abs(other - pitch_hz) > 60.0:
            assert loudness_at(heard, other) < 0.5 * own
    assert loudness_at(heard, 2 * pitch_hz) == pytest.approx(0.5 * own, rel=0.1)


def test_no_two_signals_and_no_two_sets_have_one_pitch():
    pitches = [pitch for of in PITCHES_HZ.values() for pitch in of.values()]
    assert len(set(pitches)) == len(pitches)
    for of in PITCHES_HZ.values():
        assert of[Signal.ALARM] / of[Signal.WARNING] > 2 ** (4 / 12), "a third or more apart"


@pytest.mark.parametrize(("signal", "tones"), EACH)
def test_a_pulse_begins_and_ends_without_a_click(signal, tones):
    heard = read(signal, tones)
    for began_s, ended_s in pulses(heard, floor=0):
        # A millisecond after its edge it is still almost nothing: at once it would be most of the peak.
        near = round(0.001 * RATE_HZ)
        first, last = round(began_s * RATE_HZ), round(ended_s * RATE_HZ)
        for part in (heard[first : first + near], heard[last - near : last]):
            assert max(abs(sample) for sample in part) < 0.05 * LARGEST
    steepest = max(abs(b - a) for a, b in pairwise(heard))
    highest_hz = 3 * PITCHES_HZ[tones][signal]
    assert steepest < LARGEST * 2 * math.pi * highest_hz / RATE_HZ


@pytest.mark.parametrize(("signal", "tones"), EACH)
def test_it_is_as_loud_as_was_said_and_never_cut_off(signal, tones):
    full, half = (max(map(abs, read(signal, tones, volume))) for volume in (100, 50))
    assert 0.5 * LARGEST < full <= LARGEST
    assert half == pytest.approx(full / 2, abs=2)
    assert max(map(abs, read(signal, tones, 0))) == 0


@pytest.mark.parametrize(("tones", "volume"), [(0, 50), (3, 50), (1, -1), (1, 101)])
def test_a_set_or_a_volume_that_is_not_there_is_refused(tones, volume):
    with pytest.raises(ValueError, match="not"):
        samples(Signal.ALARM, tones=tones, volume=volume)
