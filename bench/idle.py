"""What does a quiet ship cost? The demo's daemon alone, with nothing happening: processor, memory, wake-ups."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from bench.spread import Spread
from bench.told import below
from daemon.demo import crew
from daemon.mqtt.embedded import embedded_broker
from daemon.simulate import processes

if TYPE_CHECKING:
    from bench.told import Told

WATCH_S = 60.0
"""In all, in as many pieces as there are rounds: a look at each camera."""
SETTLE_S = 15.0
"""The day's AIS test (13 s) runs first; it is no part of a quiet watch."""
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process had used at a moment (proc(5))."""

    at_s: float
    cpu_s: float
    wakeups: int
    resident_mib: float


async def measure(told: Told, disk: Path, *, rounds: int) -> None:
    """Say processor time, memory and wake-ups of the demo's daemon while nothing happens."""
    ship = crew.muster(disk)
    async with embedded_broker() as broker, ship.simulators() as devices:
        await ship.begin(devices)
        config = ship.write_config(devices, broker)
        async with processes.daemon_process(config, disk / "daemon.log") as process:
            await asyncio.sleep(SETTLE_S)
            seen = [spent(process.pid)]
            for _ in range(rounds):
                await asyncio.sleep(WATCH_S / rounds)
                seen.append(spent(process.pid))
    pieces = [(after, before, after.at_s - before.at_s) for before, after in pairwise(seen)]
    whole = f"quiet sample ship, {WATCH_S:.0f} s"
    told.row(
        f"{whole}: processor",
        # Pictures are decoded in some pieces and not in others: the mean is what it takes.
        _mean([100 * (after.cpu_s - before.cpu_s) / took_s for after, before, took_s in pieces]),
        unit="% of a core",
        budget=below(8),
    )
    told.row(
        f"{whole}: resident",
        [each.resident_mib for each in seen[1:]],
        unit="MiB",
        budget=below(120),
    )
    told.row(
        f"{whole}: wake-ups of all threads",
        [(after.wakeups - before.wakeups) / took_s for after, before, took_s in pieces],
        unit="a second",
    )


def _mean(values: list[float]) -> Spread:
    return Spread(statistics.mean(values), min(values), max(values), len(values))


def spent(pid: int) -> Spent:
    """Return what a process has used so far."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    wakeups = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        wakeups += _field(task / "status", "voluntary_ctxt_switches")
    return Spent(
        time.monotonic(),
        # Its own, and that of the processes that decoded a picture and are gone.
        sum(int(each) for each in stat[11:15]) / TICKS_A_SECOND,
        wakeups,
        _field(Path(f"/proc/{pid}/status"), "VmRSS") / 1024,
    )


def _field(file: Path, name: str) -> int:
    rows = dict(line.split(":", 1) for line in file.read_text().splitlines())
    return int(rows[name].split()[0])
