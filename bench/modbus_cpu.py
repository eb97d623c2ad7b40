"""What does a reading of a Modbus unit cost, beside a bare loop of the same library? 32 units × 32 inputs at 10 Hz.

A child process is the units, on 32 ports of loopback; another reads them: either our drivers with 32 doors each,
every one under its supervisor and with its points, or a bare loop of pymodbus for each unit that compares each input
with the one before. The child that reads tells its own CPU time. Both take turns at being first, and each round gives
one ratio, ours over bare. Inputs are flipped at moments that have nothing to do with the polls; how long it takes
until the reader knows is told for both.

    python -m bench modbus
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pymodbus.client import AsyncModbusTcpClient

from bench.spread import pooled, pooled_ratio, ratios, turns
from bench.told import at_least, at_most
from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.drivers.api import Contact, DriverContext, Wiring
from daemon.drivers.modbus import DRIVER
from daemon.gate import CovertGate
from daemon.model import Provenance, Reading
from daemon.points.points import Points
from daemon.supervision.supervise import Supervisor
from simulators.io_unit import IoUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.told import Told

UNITS, INPUTS = 32, 32
POLL_S = 0.1
WARM_UP_S = 2.0
FLIP_S = 0.037
LATEST_NS = 1_000_000_000
"""A flip that is younger than this may not have been read when the reader ends."""
Seen = list[tuple[int, int, int]]
"""Unit, input and moment (CLOCK_MONOTONIC, in ns)."""


async def be_units() -> None:
    """Answer; flip one input after another; tell each flip when standard input ends."""
    units = [IoUnit(inputs=INPUTS, places={2: 0}) for _ in range(UNITS)]
    for unit in units:
        await unit.start()
    print(json.dumps([unit.port for unit in units]), flush=True)
    ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
    chance, flips, number = random.Random(7), [], 0
    while not ended.done():
        await asyncio.sleep(FLIP_S * chance.uniform(0.5, 1.5))
        unit, flipped = number % UNITS, number // UNITS % INPUTS
        await units[unit].set_input(flipped, on=number // UNITS // INPUTS % 2 == 0)
        flips.append((unit, flipped, time.monotonic_ns()))
        number += 1
    print(json.dumps(flips), flush=True)


async def read_bare(ports: Sequence[int], seen: Seen, polls: list[int]) -> None:
    async def one(unit: int, port: int) -> None:
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1, retries=0)
        await client.connect()
        before: list[bool] = []
        due_s = time.monotonic()
        while True:
            now = (await client.read_discrete_inputs(0, count=INPUTS, device_id=1)).bits[:INPUTS]
            if now != before:
                for number, (was, state) in enumerate(zip(before, now, strict=False)):
                    if was is not state:
                        seen.append((unit, number, time.monotonic_ns()))
                before = now
            polls[0] += 1
            due_s += POLL_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    await asyncio.gather(*(one(unit, port) for unit, port in enumerate(ports)))


async def read_ours(ports: Sequence[int], seen: Seen, polls: list[int]) -> None:
    clock = SystemClock()
    doors = {f"u{u}i{n}": (u, n) for u in range(UNITS) for n in range(INPUTS)}
    points = Points(dict.fromkeys(doors, 15.0), started_s=clock.now_s())

    def emit(reading: Reading) -> None:
        change = points.update(reading)
        if change is not None and not change.baseline:
            seen.append((*doors[reading.point], time.monotonic_ns()))

    supervisors = [_supervisor(clock, unit, port, emit) for unit, port in enumerate(ports)]
    tasks = [asyncio.ensure_future(supervisor.run()) for supervisor in supervisors]
    try:
        while True:
            await asyncio.sleep(0.2)
            polls[0] = sum(supervisor.health.good for supervisor in supervisors)
    finally:
        for task in tasks:
            task.cancel()


def _supervisor(clock: SystemClock, unit: int, port: int, emit: object) -> Supervisor:
    config = DRIVER.config.model_validate(
        {
            "kind": "modbus_tcp",
            "host": "127.0.0.1",
            "port": port,
            "unit": 1,
            "profile": "wago-750-352",
            "inputs": INPUTS,
            "poll_s": POLL_S,
            "timeout_s": 1.0,
        }
    )
    context = DriverContext(
        device=f"io{unit}",
        clock=clock,
        gate=CovertGate(clock),
        provenance=Provenance.LIVE,
        contacts=tuple(Contact(f"u{unit}i{n}", (n,), Wiring.NC) for n in range(INPUTS)),
    )
    return Supervisor(
        device=f"io{unit}",
        driver=DRIVER.build(config, context),
        spec=DRIVER,
        silent_after_s=DRIVER.silent_after_s(config),
        lost_alert="io.unit_lost",
        provenance=Provenance.LIVE,
        clock=clock,
        entropy=Entropy(),
        emit=emit,
        on_status=lambda _: None,
    )


async def be_reader(whose: str, ports: Sequence[int], seconds: float) -> None:
    seen: Seen = []
    polls = [0]
    reading = asyncio.ensure_future(
        {"bare": read_bare, "ours": read_ours}[whose](ports, seen, polls)
    )
    await asyncio.sleep(WARM_UP_S)
    seen.clear()
    began_s, before = _cpu_s(), polls[0]
    await asyncio.sleep(seconds)
    took_s, read = _cpu_s() - began_s, polls[0] - before
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    print(json.dumps({"cpu_s": took_s, "polls": read, "seen": seen}), flush=True)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def turn(whose: str, seconds: float) -> tuple[float, float, list[float]]:
    """Return the CPU of a poll, in µs, the share of the polls that were made, and how long each flip took, in ms."""
    program = [sys.executable, "-m", "bench.modbus_cpu"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*program, "--be", "units"], **pipes) as units:
        ports = units.stdout.readline()
        command = [*program, "--be", whose, "--ports", ports, "--seconds", str(seconds)]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        flips = json.loads(units.communicate("\n")[0])
    if lost := unseen(flips, told["seen"]):
        raise RuntimeError(f"{whose}: {len(lost)} of {len(flips)} flips were never read")
    flipped = {(unit, number): ns for unit, number, ns in flips}
    took_ms = [
        (ns - flipped[unit, number]) / 1e6
        for unit, number, ns in told["seen"]
        if (unit, number) in flipped and ns >= flipped[unit, number]
    ]
    made = told["polls"] / (UNITS * seconds / POLL_S)
    return told["cpu_s"] / told["polls"] * 1e6, made, took_ms


def unseen(flips: Seen, seen: Seen) -> Seen:
    """Return the flips that a reader should have seen while it was watched and never did: they have no delay."""
    known = {(unit, number) for unit, number, _ in seen}
    moments = [ns for *_, ns in seen]
    if not moments:
        return flips
    begins, ends = min(moments), max(moments) - LATEST_NS
    return [each for each in flips if begins < each[2] < ends and (each[0], each[1]) not in known]


def measure(told: Told, *, rounds: int, seconds: float = 4.0) -> None:
    """Say the ratios."""
    cost_us: dict[str, list[float]] = {"bare": [], "ours": []}
    took_ms: dict[str, list[list[float]]] = {"bare": [], "ours": []}
    made: dict[str, list[float]] = {"bare": [], "ours": []}
    for number in range(rounds):
        for whose in turns(("ours", "bare"), number):
            cpu_us, share, flips_ms = turn(whose, seconds)
            cost_us[whose].append(cpu_us)
            made[whose].append(100 * share)
            took_ms[whose].append(flips_ms)
    what = f"a poll of {INPUTS} inputs, {UNITS} units at {1 / POLL_S:g} Hz"
    told.row(
        f"{what}: CPU over bare pymodbus",
        ratios(cost_us["ours"], cost_us["bare"]),
        budget=at_most(3),
    )
    for share in (0.5, 0.99):
        figure = pooled_ratio(took_ms["ours"], took_ms["bare"], share)
        told.row(f"the same: flip → reading over bare, p{share * 100:.0f}", figure)
    for whose in ("bare", "ours"):
        told.row(f"{what}: CPU, {whose}", cost_us[whose], unit="µs")
        told.row(
            f"{what}: flip → reading, {whose}, p99",
            pooled(took_ms[whose], 0.99),
            unit="ms",
            budget=at_most(POLL_S * 1000 + 25) if whose == "ours" else None,
        )
    told.row(f"{what}: polls made", made["ours"], unit="%", budget=at_least(99), detail=True)


def main() -> None:
    """Be one of the children."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--be", choices=["units", "bare", "ours"], required=True)
    parser.add_argument("--ports", type=json.loads, default=[])
    given = parser.parse_args()
    if given.be == "units":
        asyncio.run(be_units())
    else:
        asyncio.run(be_reader(given.be, given.ports, given.seconds))


if __name__ == "__main__":
    main()
