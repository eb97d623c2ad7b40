"""How long from the start of the process until the sample ship is watched? As systemd and as a page see it.

The demo's ship with all her simulated devices, and a broker. Ready is what ``ispsd run`` tells systemd; the snapshot is
the message after which a page shows everything that is. The first start makes the record, the others find it there.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import TYPE_CHECKING

from bench.cputime import cpu_s
from bench.latency import Subscriber
from bench.told import below
from daemon.demo import crew
from daemon.mqtt.embedded import embedded_broker
from daemon.simulate import processes

if TYPE_CHECKING:
    from pathlib import Path

    from bench.told import Told

SNAPSHOT = "ispsd/9999993/v1/snapshot"
PATIENCE_S = 60.0
LONGEST_WORD = 4096


async def measure(told: Told, disk: Path, *, rounds: int) -> None:
    """Say both, for the first start and for later ones."""
    ship = crew.muster(disk)
    ready, shown, busy = [], [], []
    async with embedded_broker() as broker, ship.simulators() as devices:
        await ship.begin(devices)
        config = ship.write_config(devices, broker)
        for number in range(1 + rounds):
            ready_s, shown_s, took_s = await _once(config, disk / f"{number}.log", broker.port)
            ready.append(ready_s)
            shown.append(shown_s)
            busy.append(took_s)
    for words, which in (("with a new record", slice(1)), ("again", slice(1, None))):
        told.row(f"start {words} → ready", ready[which], unit="s", budget=below(3))
        told.row(f"start {words} → snapshot published", shown[which], unit="s", budget=below(3))
        # What does not depend on what else the computer does.
        told.row(f"start {words}: processor time until then", busy[which], unit="s")


async def _once(config: Path, log: Path, broker_port: int) -> tuple[float, float, float]:
    """Return the seconds until it says that it is ready, until its snapshot is at a subscriber, and those of work."""
    subscriber = Subscriber(broker_port, (SNAPSHOT,))
    await asyncio.sleep(0.2)  # it is subscribed
    address = f"\0ispsd-bench-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(0)
        os.environ["NOTIFY_SOCKET"] = "@" + address[1:]
        try:
            began_ns = time.monotonic_ns()
            async with processes.daemon_process(config, log) as process:
                snapshot = asyncio.ensure_future(
                    subscriber.next(SNAPSHOT, lambda _: True, within_s=PATIENCE_S)
                )
                ready_ns = await _told_ready(systemd)
                shown_ns = await snapshot
                busy_s = cpu_s(process.pid)
                return (ready_ns - began_ns) / 1e9, (shown_ns - began_ns) / 1e9, busy_s
        finally:
            del os.environ["NOTIFY_SOCKET"]
            subscriber.close()


async def _told_ready(systemd: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE_S):
        while b"READY=1" not in (await loop.sock_recv(systemd, LONGEST_WORD)).splitlines():
            pass
    return time.monotonic_ns()
