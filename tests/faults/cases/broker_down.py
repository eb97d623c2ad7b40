"""The broker is gone for minutes: nobody is shown anything, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.injected import nothing_passed
from tests.faults.subscriber import now_s

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    await ship.broker.stop()
    since_s = now_s()
    await ship.rounds(lasts_s, "computer")
    ship.cut_off_since(since_s)
    await ship.broker.start()
    ship.ends()


FAULT = Fault(
    name="broker_down",
    title="Broker down",
    how="Mosquitto stopped, started again",
    play=play,
    short_s=7.0,
    full_s=600.0,
    # The longest pause between two tries, the alert's off-delay, and a start.
    back_within_s=45.0,
    expects=("path.fault",),
    also=nothing_passed,
)
