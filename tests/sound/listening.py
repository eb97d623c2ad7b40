"""An ear for tests: where in samples something is heard, and how loud a pitch is."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

from daemon.sound.outputs import WAV_HEADER
from daemon.sound.tones import RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FLOOR = 300
"""Quieter samples are silence."""
QUIET_S = 0.05
"""Silence for so long parts two pulses."""
GROUP_S = 1.5
"""Silence for so long parts two groups of pulses."""


def pulses(heard: Sequence[int], *, floor: int = FLOOR) -> list[tuple[float, float]]:
    """Return when each pulse begins and ends, in seconds."""
    found: list[tuple[int, int]] = []
    for at, sample in enumerate(heard):
        if abs(sample) <= floor:
            continue
        if found and at - found[-1][1] < QUIET_S * RATE_HZ:
            found[-1] = found[-1][0], at
        else:
            found.append((at, at))
    return [(began / RATE_HZ, (ended + 1) / RATE_HZ) for began, ended in found]


def groups(heard: Sequence[int]) -> list[tuple[float, int]]:
    """Return when each group of pulses begins, in seconds, and how many it has."""
    found: list[tuple[float, float, int]] = []
    for began_s, ended_s in pulses(heard):
        if found and began_s - found[-1][1] < GROUP_S:
            found[-1] = found[-1][0], ended_s, found[-1][2] + 1
        else:
            found.append((began_s, ended_s, 1))
    return [(began_s, count) for began_s, _, count in found]


def loudness_at(heard: Sequence[int], pitch_hz: float) -> float:
    """Return how much of a pitch is in it (Goertzel's sum, by its definition)."""
    turn = 2 * math.pi * pitch_hz / RATE_HZ
    real = sum(sample * math.cos(turn * at) for at, sample in enumerate(heard))
    imaginary = sum(sample * math.sin(turn * at) for at, sample in enumerate(heard))
    return 2 * math.hypot(real, imaginary) / len(heard)


def recorded(path: Path) -> array[int]:
    """Return the samples of a file that may still be written."""
    samples = path.read_bytes()[WAV_HEADER.size :]
    return array("h", samples[: len(samples) // 2 * 2])
