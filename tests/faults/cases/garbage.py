"""Rubbish on every input at full speed: receiver, AIS, an I/O unit, a serial compass, the commands of the bridge."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from daemon.errors import IspsdError
from daemon.mqtt.connection import Connection
from tests.brokers import address
from tests.faults.fault import Fault, Setting
from tests.faults.injected import blindness_was_told
from tests.faults.judge import Finding
from tests.processes.rig import ROOT

if TYPE_CHECKING:
    from tests.faults.capture import Capture
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    ship.blind_to("d05")
    await ship.spoil("rubbish")
    flood = asyncio.ensure_future(_flood(ship))
    await ship.rounds(lasts_s)
    flood.cancel()
    sent = (await asyncio.gather(flood, return_exceptions=True))[0]
    assert isinstance(sent, asyncio.CancelledError), sent
    poured = await ship.spoil("clean")
    ship.seeing_again("d05")
    ship.ends()
    ship.note(f"{sum(poured.values()) / 1e6:.0f} MB of rubbish poured into {len(poured)} lines")
    ship.capture.attempts += [("rubbish", line, f"{count}") for line, count in poured.items()]


async def _flood(ship: Stage) -> None:
    """Send rubbish as commands of the bridge, as fast as the broker takes it, over as many connections as it needs."""
    while True:
        hand = Connection(address(ship.broker, "bridge"), client_id=uuid4().hex)
        with suppress(IspsdError):
            await hand.connect()
            while True:
                await hand.deliver(f"{ROOT}cmd/bridge/ack", os.urandom(512), expiry_s=10)
        await hand.abort()
        await asyncio.sleep(0.2)


def was_poured(capture: Capture) -> list[Finding]:
    """Rubbish really came, and what reached the commands is an entry, not thousands."""
    poured = {line: int(said) for what, line, said in capture.attempts if what == "rubbish"}
    clean = [line for line, count in poured.items() if count < LEAST]
    entries = [e for e in capture.written() if e["type"] == "command.refused"]
    return [
        Finding(
            "rubbish was read at full speed, from every line",
            sum(poured.values()) > 1_000_000 and len(poured) == LINES and not clean,
            f"next to none from {', '.join(clean)}"
            if clean
            else f"{sum(poured.values()) / 1e6:.1f} MB",
        ),
        Finding(
            "floods are counted, not recorded one by one (11)",
            0 < len(entries) <= MOST,
            f"{len(entries)} entries",
        ),
        *blindness_was_told(capture),
    ]


LINES, LEAST = 4, 16 * 1024
"""Lines, and bytes that came down each of them at least."""
MOST = 12
"""The first of each ground at once, then one a minute and ground."""

FAULT = Fault(
    name="garbage",
    title="Garbage on every input at full speed",
    how="a process on receiver, AIS, an I/O unit and a serial compass pours noise, endless lines, sentences that "
    "nearly hold, wrong Modbus frames; the bridge's password floods commands",
    play=play,
    short_s=6.0,
    full_s=60.0,
    # The longest pause of a device, 60 s, and the alert's off-delay.
    back_within_s=80.0,
    expects=("io.unit_lost", "feed.nav"),
    setting=Setting(is_spoilt=True),
    also=was_poured,
)
