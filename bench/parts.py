"""What is measured, in the order in which it is told, and about how long each takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bench import (
    alerts,
    clicks,
    dead_unit,
    demo,
    flood,
    idle,
    ingest,
    inputs,
    latency,
    many,
    modbus_cpu,
    nmea_cpu,
    queries,
    records,
    start,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from bench.told import Told

    Measure: TypeAlias = Callable[[Told, Path, int], Coroutine[None, None, None] | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One part.

    Attributes:
        minutes: With five rounds, on a machine of two cores with nothing beside.
        measure: Gets where to say it, a folder on a real disk, and the number of rounds.
    """

    asks: str
    minutes: float
    measure: Measure

    def limit_s(self, rounds: int) -> float:
        """Return after how long it hangs: three times what it takes, and a start."""
        return 120 + 3 * 60 * self.minutes * max(1.0, rounds / 5)


PARTS = {
    "latency": Measured(
        "a unit's answer to a subscriber, over a bare program",
        3,
        lambda told, disk, rounds: latency.measure(told, disk, rounds=rounds, flips=24),
    ),
    "modbus": Measured(
        "a poll's processor time, over bare pymodbus",
        1.2,
        lambda told, _, rounds: modbus_cpu.measure(told, rounds=rounds),
    ),
    "inputs": Measured(
        "100 inputs at 10 Hz, over a bare program and ThingsBoard's gateway",
        4.5,
        lambda told, disk, rounds: inputs.measure(told, disk, rounds=rounds),
    ),
    "dead": Measured(
        "what a dead unit costs the others of its bus",
        1.5,
        lambda told, disk, rounds: dead_unit.measure(told, disk, rounds=rounds),
    ),
    "nmea": Measured(
        "a sentence's processor time and the flood, over bare pyais and pynmea2",
        3.5,
        lambda told, _, rounds: nmea_cpu.measure(told, rounds=rounds),
    ),
    "ingest": Measured(
        "AIS and GNSS into the whole product, over Signal K's server and gpsd",
        5,
        lambda told, disk, rounds: ingest.measure(told, disk, rounds=rounds),
    ),
    "flood": Measured(
        "an alert's way while AIS floods",
        2.7,
        lambda told, disk, rounds: flood.measure(told, disk, rounds=rounds),
    ),
    "start": Measured(
        "from the start of the process until the ship is watched",
        0.4,
        lambda told, disk, rounds: start.measure(told, disk, rounds=rounds),
    ),
    "idle": Measured(
        "what a quiet ship takes",
        1.4,
        lambda told, disk, rounds: idle.measure(told, disk, rounds=rounds),
    ),
    "record": Measured(
        "entries a second, and the verifier",
        1.5,
        lambda told, disk, rounds: records.measure(
            told, disk, rounds=rounds, single=2000, entries=200_000
        ),
    ),
    "queries": Measured(
        "pages of a record of a million entries",
        2,
        lambda told, disk, rounds: queries.measure(told, disk, rounds=rounds, entries=1_000_000),
    ),
    "alerts": Measured(
        "10,000 points judged, over bare dictionaries",
        0.2,
        lambda told, _, rounds: alerts.measure(told, rounds=rounds),
    ),
    "demo": Measured(
        "the demo's start and end",
        0.8,
        lambda told, disk, rounds: demo.measure(told, disk, rounds=rounds),
    ),
    "clicks": Measured(
        "a press at a page, over the bare broker",
        2.8,
        lambda told, disk, rounds: clicks.measure(told, disk, rounds=rounds, presses=15),
    ),
}

WHOLE = {
    "many": Measured(
        "ten million entries verified",
        8,
        lambda told, disk, rounds: many.measure(told, disk, rounds=rounds),
    ),
}
"""What takes too long to be measured each time."""
