"""A writer on a disk that is made to fail: says what is on disk, what is lost, and that the loop goes on meanwhile.

python -m tests.record.stress_child FOLDER COUNT
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.errors import RecordError
from tests.record.ship import alert, record

if TYPE_CHECKING:
    from daemon.record.entry import Entry
    from daemon.record.log import Record

PACE_S = 0.002
PENDING = 40
"""Fewer than fail to be written in an outage, so that there is a gap."""


def tell(number: int, done: asyncio.Future[Entry]) -> None:
    if done.exception() is None:
        print("recorded", number, done.result().seq, flush=True)
    else:
        print("lost", number, flush=True)


async def watch(ship: Record) -> None:
    """Say each change of the record's health, and that the loop comes round while it is bad."""
    rounds, was = 0, (True, False)
    while True:
        await asyncio.sleep(PACE_S)
        health = ship.health()
        waits_s = 0.0
        if health.oldest_pending_s is not None:
            waits_s = SystemClock().now_s() - health.oldest_pending_s
        now = (health.writable, waits_s > 0.5)  # half of what makes RECORD NOT SAVED
        rounds = rounds + 1 if now != (True, False) else 0
        if now != was:
            print("health", *now, (health.reason or "").replace("\n", " "), flush=True)
            was = now
        if rounds and rounds % 20 == 0:
            print("loop goes on", flush=True)


async def sail(folder: Path, count: int) -> None:
    ship = record(folder, SystemClock(), entropy=Entropy(), pending_limit=PENDING)
    with contextlib.suppress(RecordError):
        await ship.start()
    watching = asyncio.create_task(watch(ship))
    print("started", flush=True)
    for number in range(count):
        ship.submit(alert(f"d{number}", text="x" * 500)).add_done_callback(partial(tell, number))
        await asyncio.sleep(PACE_S)
    while not ship.health().writable or ship.health().pending:  # noqa: ASYNC110 (a plain value; nothing to wait on)
        await asyncio.sleep(PACE_S)
    ship.submit(alert("last")).add_done_callback(partial(tell, count))
    await ship.drained()
    watching.cancel()
    await ship.stop()
    print("stopped", flush=True)


if __name__ == "__main__":
    asyncio.run(sail(Path(sys.argv[1]), int(sys.argv[2])))
