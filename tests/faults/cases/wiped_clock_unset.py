"""After a black-out the computer's clock is at 1970, and the broker remembers nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.judge import Finding

if TYPE_CHECKING:
    from tests.faults.capture import Capture
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    await asyncio.gather(ship.kill(), ship.broker.kill())
    ship.knobs.clock(60.0 - datetime.now(UTC).timestamp())
    await ship.broker.start()
    await ship.start()
    await ship.complete()
    await ship.rounds(lasts_s)
    ship.knobs.clock(0)
    ship.ends()


def entries_say_unset(capture: Capture) -> list[Finding]:
    """Invariant 8: an entry of an unset clock says that it is, and the setting is an entry."""
    unset = [e for e in capture.written() if e["at"].startswith("1970")]
    holds = bool(unset) and all(e["clock"] == "unset" for e in unset)
    stepped = [e for e in capture.written() if e["type"] == "clock.stepped"]
    words = f"{len(unset)} entries of 1970, each marked unset; the setting is an entry"
    return [Finding("entries of an unset clock say so (8)", holds and bool(stepped), words)]


FAULT = Fault(
    name="wiped_clock_unset",
    title="Broker wiped while the clock is unset",
    how="daemon and broker killed, both started with the wall clock at 1970 (shim), the clock set later",
    play=play,
    short_s=3.0,
    full_s=40.0,
    back_within_s=75.0,
    also=entries_say_unset,
)
