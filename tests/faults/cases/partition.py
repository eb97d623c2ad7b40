"""The network between ispsd and the broker's computer is cut, without a word to either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.fault import Fault, Setting
from tests.faults.injected import nothing_passed
from tests.faults.subscriber import now_s

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    ship.cut()
    since_s = now_s()
    await ship.rounds(lasts_s, "computer")
    ship.cut_off_since(since_s)
    ship.join()
    ship.ends()


FAULT = Fault(
    name="partition",
    title="Network partition",
    how="the broker in a network namespace of its own, the daemon's cable to it pulled; the page's is not",
    play=play,
    short_s=11.0,
    full_s=75.0,
    # The longest pause between two tries, 30 s, the alert's off-delay, and a start.
    back_within_s=45.0,
    expects=("path.fault",),
    setting=Setting(is_open=True, is_remote=True),
    also=nothing_passed,
)
