"""The computer's clock is stepped by a day, ahead and back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.judge import Finding

if TYPE_CHECKING:
    from tests.faults.capture import Capture
    from tests.faults.stage import Stage

DAY_S = 86_400
NEAR_MS = 2_000
NOTICED_S = 4.0


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    ship.knobs.clock(DAY_S)
    await ship.rounds(lasts_s / 2)
    ship.knobs.clock(-DAY_S)
    await ship.rounds(lasts_s / 2)
    ship.knobs.clock(0)
    ship.ends()
    await asyncio.sleep(NOTICED_S)


def steps_are_entries(capture: Capture) -> list[Finding]:
    """Invariant 8: each step is an entry, with its size."""
    wanted = [DAY_S * 1000, -2 * DAY_S * 1000, DAY_S * 1000]
    steps = [e["open"]["milliseconds"] for e in capture.written() if e["type"] == "clock.stepped"]
    near = len(steps) == len(wanted) and all(
        abs(step - right) < NEAR_MS for step, right in zip(steps, wanted, strict=True)
    )
    said = ", ".join(f"{step / 3_600_000:+.1f} h" for step in steps)
    return [Finding("each step of the clock is an entry (8)", near, said or "none")]


FAULT = Fault(
    name="clock_stepped",
    title="Clock stepped by a day, ahead and back",
    how="the wall clock of the process +24 h, then -24 h, then right (shim); clocks since boot are real",
    play=play,
    short_s=4.0,
    full_s=150.0,
    # CLOCK OFFSET goes a minute after.
    back_within_s=75.0,
    expects=("clock.offset",),
    also=steps_are_entries,
)
