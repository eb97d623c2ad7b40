"""The process may open nothing more: no file, no connection."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.injected import nothing_passed
from tests.faults.subscriber import now_s

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    assert ship.process is not None
    pid = ship.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    ship.begins()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (ship.resources().descriptors, hard))
    # What is open goes on; whoever knocks at the control socket meanwhile takes the last.
    await ship.rounds(lasts_s / 2)
    # What is lost now cannot be opened again.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, hard))
    await ship.devices.do("gps1", "drop")
    await ship.broker.kill()
    since_s = now_s()
    await ship.broker.start()
    await asyncio.sleep(lasts_s / 2)
    ship.cut_off_since(since_s)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    ship.ends()
    ship.note("during its second half receiver and broker were lost and could not be opened again")


FAULT = Fault(
    name="descriptors",
    title="File descriptors exhausted",
    how="prlimit at run time; then receiver and broker lost while nothing can be opened",
    play=play,
    short_s=12.0,
    full_s=90.0,
    # The longest pause of a device, 60 s, and the alert's off-delay.
    back_within_s=75.0,
    expects=("path.fault", "feed.nav"),
    also=nothing_passed,
)
