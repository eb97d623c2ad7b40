"""How long until an alert is told while an AIS port floods, beside the same ship with a silent one?

The flood is as fast as the daemon takes it: a child process writes AIS sentences of many ships to one port,
over and over. A seal's contact is flipped; from the unit's first answer with it to the subscriber's message of
the alert, one clock, CLOCK_MONOTONIC. The two take turns at being first.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bench.latency import ROOT, SEAL, START_S, Subscriber, Unit, only_io, telling_unit
from bench.spread import Spread, percentile, pooled, ratios, turns
from bench.told import below
from daemon.computer.leash import leashed
from daemon.control import control
from daemon.mqtt.embedded import embedded_broker
from daemon.simulate.processes import daemon_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bench.told import Told

POINT, ALERT = (ROOT + name for name in ("point/s01", "alert/seal.broken.s01"))
OPENINGS = 2
"""That one daemon is shown: a third within a minute is chatter."""
DAEMONS = 2
"""In one round."""


@asynccontextmanager
async def flooding() -> AsyncIterator[int]:
    """Give the port of a device that never stops talking."""
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", "bench.nmea_cpu", "send", "ais", "0", "-1"),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """Give the port of a device that says nothing."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def measure(told: Told, disk: Path, *, rounds: int) -> None:
    """Say how long alerts take during a flood."""
    chance = random.Random(7)
    took: dict[str, list[list[float]]] = {"flood": [], "silent": []}
    async with embedded_broker() as broker, telling_unit() as unit:
        for number in range(rounds):
            for which in turns(("silent", "flood"), number):
                samples: list[float] = []
                for leg in range(DAEMONS):
                    folder = disk / f"{which}-{number}-{leg}"
                    folder.mkdir()
                    async with flooding() if which == "flood" else silent() as port:
                        samples += await _alerts(folder, unit, broker.port, port, chance)
                took[which].append(samples)
    middles = [[percentile(each, 0.5) for each in took[which]] for which in ("flood", "silent")]
    told.row(
        "an alert's way while AIS floods, over the same on a silent port, p50", ratios(*middles)
    )
    for which, words in (("flood", "while AIS floods"), ("silent", "on a silent port")):
        told.row(f"an alert's way {words}, p50", pooled(took[which], 0.5), unit="ms")
        worst = [max(samples) for samples in took[which]]
        told.row(
            f"an alert's way {words}, the worst of {sum(map(len, took[which]))}",
            Spread(max(worst), min(worst), max(worst), rounds),
            unit="ms",
            budget=below(100),
        )


async def _alerts(
    folder: Path, unit: Unit, broker_port: int, ais_port: int, chance: random.Random
) -> list[float]:
    text = only_io(folder, unit.port, broker_port) + (
        '\n[device.ais]\nkind = "nmea"\nfeed = "ais"\n'
        f'link = {{ kind = "tcp", host = "127.0.0.1", port = {ais_port} }}\n'
    )
    config = folder / "ispsd.toml"
    config.write_text(text, "utf-8")
    subscriber = Subscriber(broker_port, (POINT, ALERT))
    took: list[float] = []
    async with daemon_process(config, folder / "daemon.log"):
        try:
            await subscriber.next(
                POINT, lambda body: body.get("value") == "closed", within_s=START_S
            )
            await asyncio.sleep(1.0)  # the flood has begun
            for _ in range(OPENINGS):
                await asyncio.sleep(chance.uniform(0.02, 0.12))
                answered = asyncio.ensure_future(unit.flip(opened=True))
                told_ns = await subscriber.next(ALERT, lambda body: body.get("state") == "V")
                took.append((told_ns - await answered) / 1e6)
                await unit.flip(opened=False)
                await subscriber.next(POINT, lambda body: body.get("value") == "closed")
                await control.ask(folder / "control.sock", SEAL)
                await subscriber.next(ALERT, lambda body: body.get("state") != "V")
        finally:
            subscriber.close()
    return took
