"""The broker is gone for minutes: nobody is shown anything, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.fault import Fault

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    await ship.broker.stop()
    await ship.rounds(lasts_s, "computer")
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
)
