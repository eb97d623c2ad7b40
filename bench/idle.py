"""What does a quiet ship cost? The demo's daemon alone, with nothing happening: processor, memory, wake-ups."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

from bench.ratios import absolute
from daemon.demo import crew
from daemon.mqtt.embedded import embedded_broker
from daemon.simulate import processes

WATCH_S = 60.0  # a look at each camera
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


async def measure(disk: Path) -> None:
    """Print processor time, memory and wake-ups of the demo's daemon while nothing happens."""
    ship = crew.muster(disk)
    async with embedded_broker() as broker, ship.simulators() as devices:
        await ship.begin(devices)
        config = ship.write_config(devices, broker)
        async with processes.daemon_process(config, disk / "daemon.log") as process:
            await asyncio.sleep(SETTLE_S)
            before = spent(process.pid)
            await asyncio.sleep(WATCH_S)
            after = spent(process.pid)
    assert process.returncode == 0
    elapsed_s = after.at_s - before.at_s
    share = (after.cpu_s - before.cpu_s) / elapsed_s * 100
    wakeups = (after.wakeups - before.wakeups) / elapsed_s
    absolute(
        f"quiet sample ship, {elapsed_s:.0f} s: processor",
        f"{share:.1f} % of a core",
        budget="< 8 %",
    )
    absolute("quiet sample ship: resident", f"{after.resident_mib:.0f} MiB", budget="< 120 MiB")
    absolute("quiet sample ship: wake-ups of all threads", f"{wakeups:.0f} a second")


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
