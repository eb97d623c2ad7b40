"""Everything that the ship's file names, at once, each thing as soon as it is known, and all of it in bounded time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from daemon.probing import around
from daemon.probing.devices import Prober, probed
from daemon.probing.finding import Finding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from daemon.computer.clock import Clock
    from daemon.config import Config

SLACK_S: Final = 20.0
"""On top of the time that a device is given: a last look of a camera, a connection that is being made."""
PROGRESS_S: Final = 5.0


async def found(
    config: Config,
    *,
    within_s: float,
    secrets: Path,
    clock: Clock,
    waiting: Callable[[list[str], float], None],
) -> AsyncIterator[Finding]:
    """Yield what is found, each place as soon as it is known.

    Args:
        config: The ship's file.
        within_s: How long a device may take to say something, in seconds.
        secrets: Where secrets lie that systemd hands over to the service.
        clock: For time-outs.
        waiting: Told every few seconds for whom it is still waited, and how long at most.
    """
    prober = Prober(config, within_s=within_s, secrets=secrets, clock=clock)
    looks: dict[str, Awaitable[Finding]] = dict(
        around.looks(config, secrets=secrets, clock=clock)
    ) | {device.id: prober.look(device) for device in probed(config)}
    left = {asyncio.ensure_future(look): name for name, look in looks.items()}
    until_s = clock.now_s() + within_s + SLACK_S
    try:
        while left and (left_s := until_s - clock.now_s()) > 0:
            done, _ = await asyncio.wait(
                left, timeout=min(PROGRESS_S, left_s), return_when=asyncio.FIRST_COMPLETED
            )
            for task in sorted(done, key=lambda task: left[task]):
                del left[task]
                yield task.result()
            if not done:
                waiting(sorted(left.values()), left_s)
        for name in sorted(left.values()):
            yield Finding(name, "no end", f"no result within {within_s + SLACK_S:g} s")
    finally:
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
