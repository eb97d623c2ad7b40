"""What does a signal sound like? Samples made from a pattern of pulses; pure, and no recorded sound.

An alarm does not sound like a warning (MSC.302(87) 7.3.4): another number of pulses, another pitch, another pace. The
pitches lie between 200 Hz and 2 kHz, where old ears hear too, and off the 2 to 4 kHz of the piezo buzzers that bridge
sets have; each has its octave and twelfth with it, so that a small loudspeaker carries it. Two sets to choose from,
since another set on the bridge may have one of them.
"""

from __future__ import annotations

import math
import sys
from array import array
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

RATE_HZ: Final = 16_000
BYTES_A_SAMPLE: Final = 2
BYTES_A_SECOND: Final = RATE_HZ * BYTES_A_SAMPLE
"""One channel, signed 16 bits, little endian: what ``aplay -f S16_LE -c 1`` takes."""
LARGEST: Final = 32_767
EDGE_S: Final = 0.012
"""A pulse rises and falls along half a cosine for so long: a sudden edge is a click at every pitch."""
HARMONICS: Final = ((1, 1.0), (2, 0.5), (3, 0.25))
"""Octave and twelfth, with their loudness against the fundamental."""
FULL: Final = 100


class Signal(IntEnum):
    """What is sounded, the least urgent first."""

    STALE = 1
    """ispsd is not heard of: nothing that it said is true any more."""
    WARNING = 2
    ALARM = 3


@dataclass(frozen=True, slots=True)
class Pulses:
    """A group of pulses.

    Attributes:
        count: How many.
        pulse_s: How long each is, in seconds.
        gap_s: How long it is quiet between two.
        every_s: From the beginning of one group to that of the next.
    """

    count: int
    pulse_s: float
    gap_s: float
    every_s: float

    @property
    def length_s(self) -> float:
        """Return how long the group is, in seconds."""
        return self.count * self.pulse_s + (self.count - 1) * self.gap_s


PULSES: Final[Mapping[Signal, Pulses]] = MappingProxyType(
    {
        Signal.ALARM: Pulses(3, 0.18, 0.12, every_s=7.0),
        Signal.WARNING: Pulses(2, 0.25, 0.20, every_s=60.0),
        Signal.STALE: Pulses(1, 0.80, 0.0, every_s=60.0),
    }
)
"""Three short pulses each 7 to 10 s, two each 60 s; one long low one each minute while nothing is known."""
PITCHES_HZ: Final[Mapping[int, Mapping[Signal, float]]] = MappingProxyType(
    {
        1: MappingProxyType({Signal.ALARM: 784.0, Signal.WARNING: 523.0, Signal.STALE: 330.0}),
        2: MappingProxyType({Signal.ALARM: 988.0, Signal.WARNING: 659.0, Signal.STALE: 415.0}),
    }
)
"""By set."""


@lru_cache(maxsize=32)
def samples(signal: Signal, *, tones: int, volume: int) -> bytes:
    """Return one group of pulses.

    Args:
        signal: Which.
        tones: The set of tones, 1 or 2.
        volume: In per cent of what the output can, 0 to 100.

    Raises:
        ValueError: There is no such set, or no such volume.
    """
    if tones not in PITCHES_HZ:
        raise ValueError(f"tones are 1 or 2, not {tones}")
    if not 0 <= volume <= FULL:
        raise ValueError(f"a volume is 0 to {FULL} per cent, not {volume}")
    shape = PULSES[signal]
    pulse = _pulse(PITCHES_HZ[tones][signal], shape.pulse_s, LARGEST * volume / FULL)
    gap = array("h", bytes(round(shape.gap_s * RATE_HZ) * BYTES_A_SAMPLE))
    group = array("h")
    for number in range(shape.count):
        if number:
            group.extend(gap)
        group.extend(pulse)
    if sys.byteorder == "big":
        group.byteswap()
    return group.tobytes()


def _pulse(pitch_hz: float, length_s: float, peak: float) -> array[int]:
    """Return one pulse whose largest sample is not beyond ``peak``."""
    whole = sum(loudness for _, loudness in HARMONICS)
    count = round(length_s * RATE_HZ)
    return array(
        "h",
        (
            round(
                peak
                * _edge(at / RATE_HZ, length_s)
                * sum(
                    loudness * math.sin(2 * math.pi * pitch_hz * times * at / RATE_HZ)
                    for times, loudness in HARMONICS
                )
                / whole
            )
            for at in range(count)
        ),
    )


def _edge(at_s: float, length_s: float) -> float:
    """Return how far a pulse has risen at a moment: 0 to 1 along half a cosine, and back at its end."""
    from_edge_s = min(at_s, length_s - at_s)
    if from_edge_s >= EDGE_S:
        return 1.0
    return 0.5 - 0.5 * math.cos(math.pi * max(0.0, from_edge_s) / EDGE_S)
