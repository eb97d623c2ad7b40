"""What do the other units of a bus lose when one of eight dies? Beside loops over bare pymodbus.

Eight units on a serial line, four polls a second each. Our drivers with their supervisors, and one loop that asks one
unit after the other, as a bare program must on one line: once with a time-out of 0.3 s and no retries, once as the
library is when nobody sets it (3 s, three retries). Each reads a line of its own, all of them at the same time: the
line is mostly idle. Counted are the polls of the seven others, before and after unit 3 falls silent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

from bench.told import below
from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.computer.leash import leashed
from daemon.drivers.api import Contact, DriverContext, Shared, Wiring
from daemon.drivers.links import SerialLink
from daemon.drivers.modbus_rtu import DRIVER, build
from daemon.gate import CovertGate
from daemon.model import Provenance
from daemon.supervision.supervise import Supervisor

if TYPE_CHECKING:
    from pathlib import Path

    from bench.told import Told

UNITS = range(1, 9)
DEAD = 3
BAUD = 9600
POLL_S = 0.25
TIMEOUT_S = 0.3
WHOLE_S = 8.0
"""How long all eight are counted."""
DEAD_S = 30.0
"""How long the seven are: the first seconds cost most, since a dead unit is asked less and less."""
ENOUGH_ROUNDS = 2
"""Time-outs decide, not the processor: rounds are hardly apart."""
WARM_UP_S = 3.0
START_S = 30.0
WHO = {
    "ours": "ispsd",
    "bare": "bare pymodbus, 0.3 s and no retries",
    "plain": "bare pymodbus as it comes",
}
Counts = dict[int, int]


async def measure(told: Told, disk: Path, *, rounds: int) -> None:
    """Say the share of the polls that the others lose."""
    lost: dict[str, list[float]] = {who: [] for who in WHO}
    for number in range(min(rounds, ENOUGH_ROUNDS)):
        folder = disk / f"{number}"
        folder.mkdir()
        seen = await asyncio.gather(*(turn(who, folder) for who in WHO))
        for who, share in zip(WHO, seen, strict=True):
            lost[who].append(share)
    for who, name in WHO.items():
        told.row(
            f"one of eight units on a bus dies: polls that the others lose, {name}",
            lost[who],
            unit="%",
            budget=below(10) if who == "ours" else None,
        )


async def turn(who: str, folder: Path) -> float:
    """Return which share of their polls the others lose, in %."""
    port = folder / who
    ids = map(str, UNITS)
    line = await _child("simulators.rtu_line", "--ids", *ids, "--link", str(port))
    reader = await _child("bench.dead_unit", "--be", who, "--port", str(port))
    try:
        await _counted(reader, WARM_UP_S)
        before = await _counted(reader, WHOLE_S)
        assert line.stdin is not None
        line.stdin.write(json.dumps({"do": "fault", "id": DEAD, "fault": "dead"}).encode() + b"\n")
        await line.stdin.drain()
        after = await _counted(reader, DEAD_S)
    finally:
        for process in (reader, line):
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    # One may have been answered while the command was on its way.
    if after[DEAD] > 1 or not min(before.values()):
        raise RuntimeError(f"{who}: polls before {before}, after {after}")
    others = [unit for unit in UNITS if unit != DEAD]
    left = statistics.mean(after[unit] / before[unit] for unit in others)
    return 100 * (1 - left * WHOLE_S / DEAD_S)


async def _counted(reader: asyncio.subprocess.Process, seconds: float) -> Counts:
    """Return how many good polls of each unit a reader makes in so long."""
    before = await _polls(reader)
    await asyncio.sleep(seconds)
    after = await _polls(reader)
    return {unit: after[unit] - before[unit] for unit in UNITS}


async def _polls(reader: asyncio.subprocess.Process) -> Counts:
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(b"\n")
    async with asyncio.timeout(START_S):
        said = json.loads(await reader.stdout.readline())
    return {int(unit): count for unit, count in said.items()}


async def _child(module: str, *words: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", module, *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        await process.stdout.readline()  # it is there
    return process


async def read_bare(port: str, polls: Counts, **settings: float) -> None:
    client = AsyncModbusSerialClient(port, baudrate=BAUD, **settings)  # type: ignore[arg-type]
    await client.connect()
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        for unit in UNITS:
            with suppress(ModbusException):
                answer = await client.read_discrete_inputs(0, count=8, device_id=unit)
                polls[unit] += not answer.isError()
            if not client.connected:  # it hangs up after its retries
                await client.connect()
        due_s = max(due_s + POLL_S, loop.time())
        await asyncio.sleep(due_s - loop.time())


async def read_ours(port: str, polls: Counts) -> None:
    clock, shared = SystemClock(), Shared()
    link = SerialLink(kind="serial", port=port, baud=BAUD)
    supervisors = {}
    for unit in UNITS:
        config = DRIVER.config.model_validate(
            {
                "kind": "modbus_rtu",
                "bus": "rtu1",
                "unit": unit,
                "profile": "waveshare-rtu-relay-d",
                "poll_s": POLL_S,
                "timeout_s": TIMEOUT_S,
            }
        )
        context = DriverContext(
            device=f"rtu{unit}",
            clock=clock,
            gate=CovertGate(clock),
            provenance=Provenance.LIVE,
            contacts=(Contact(f"d{unit}", (0,), Wiring.NC),),
            buses={"rtu1": link},
            shared=shared,
        )
        supervisors[unit] = Supervisor(
            device=f"rtu{unit}",
            driver=build(config, context),
            spec=DRIVER,
            silent_after_s=DRIVER.silent_after_s(config),
            lost_alert="io.unit_lost",
            provenance=Provenance.LIVE,
            clock=clock,
            entropy=Entropy(),
            emit=lambda _: None,
            on_status=lambda _: None,
        )
    running = asyncio.gather(*(each.run() for each in supervisors.values()))
    while not running.done():
        await asyncio.sleep(0.02)
        polls.update({unit: each.health.good for unit, each in supervisors.items()})
    running.result()


async def be_reader(who: str, port: str) -> None:
    """Read; tell the polls so far whenever standard input has a line."""
    logging.disable()  # the library tells each answer that does not come
    polls = dict.fromkeys(UNITS, 0)
    reads = {
        "ours": lambda: read_ours(port, polls),
        "bare": lambda: read_bare(port, polls, timeout=TIMEOUT_S, retries=0),
        "plain": lambda: read_bare(port, polls),
    }
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # where links are told that are down
    reading = asyncio.ensure_future(reads[who]())
    print(file=answers, flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        if reading.done():
            reading.result()
        print(json.dumps(polls), file=answers, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--be", choices=sorted(WHO), required=True)
    parser.add_argument("--port", required=True)
    given = parser.parse_args()
    asyncio.run(be_reader(given.be, given.port))
