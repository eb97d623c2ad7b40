"""The daemon is killed at moments that chance chooses, while doors, stations and the SSO keep it busy."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from tests.faults.fault import Fault, Setting
from tests.faults.injected import deaths_were_told

if TYPE_CHECKING:
    from tests.faults.stage import Stage

EACH_S = 3.0
"""How long a life lasts, about."""


async def play(ship: Stage, lasts_s: float) -> None:
    chance = random.Random(2026_11_30)
    ship.begins()
    lives = max(2, round(lasts_s / EACH_S))
    for life in range(lives):
        async with ship.busy():
            await ship.complete()
            if (
                life == 1
            ):  # in a life that began after a kill; at the computer, since stations are busy
                await ship.round("computer", "during")
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            await ship.kill()
        await ship.start()
    ship.ends()
    ship.note(
        f"killed {lives} times, {sum(1 for _ in ship.capture.confirmed)} acts confirmed by the control socket"
    )


FAULT = Fault(
    name="killed",
    title="kill -9 at random moments under load",
    how="SIGKILL while stations take the watch and the SSO asks; started again at once",
    play=play,
    short_s=6.0,
    full_s=90.0,
    back_within_s=20.0,
    setting=Setting(is_open=True),
    also=deaths_were_told,
)
