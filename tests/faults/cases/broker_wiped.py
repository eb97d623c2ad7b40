"""The broker comes back with an empty memory, and somebody empties it while it runs: the picture is made anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

from daemon.mqtt.connection import Connection
from tests.brokers import address
from tests.faults.fault import Fault
from tests.faults.injected import cleared_came_back
from tests.faults.people import PATIENCE_S
from tests.faults.subscriber import now_s
from tests.processes.rig import ROOT

if TYPE_CHECKING:
    from tests.faults.stage import Stage

TOLD = ("event", "heartbeat", "reply/", "selftest/", "alert/door.")
"""What is never retained, and what is over."""


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    await ship.broker.kill()
    await asyncio.sleep(lasts_s / 2)
    await ship.broker.start()
    await ship.rounds(lasts_s / 2, "computer")
    await ship.complete()
    await _empty(ship)
    ship.ends()


async def _empty(ship: Stage) -> None:
    """Clear everything that the broker holds, as somebody with the daemon's own password could."""
    user = "ispsd" if ship.broker.passwords else None
    hand = Connection(address(ship.broker, user), client_id=uuid4().hex)
    await hand.connect()
    try:
        held = [name for name in sorted(ship.page.newest) if not name.startswith(TOLD)]
        for name in held:
            ship.capture.cleared[name] = now_s()
            await hand.deliver(ROOT + name, b"", retain=True)
        ship.note(f"{len(held)} retained topics cleared")
        # Before the page has heard of it all is as before.
        last_s = ship.capture.cleared[held[-1]]
        async with asyncio.timeout(PATIENCE_S):
            await ship.until_page(lambda: _heard_cleared(ship, held[-1], last_s))
    finally:
        await hand.disconnect()


def _heard_cleared(ship: Stage, name: str, since_s: float) -> bool:
    return any(
        each.name == name and not each.payload and each.at_s >= since_s
        for each in reversed(ship.capture.heard)
    )


FAULT = Fault(
    name="broker_wiped",
    title="Broker wiped",
    how="Mosquitto killed and started with nothing retained; then every retained topic cleared while it runs",
    play=play,
    short_s=4.0,
    full_s=30.0,
    back_within_s=45.0,
    also=cleared_came_back,
)
