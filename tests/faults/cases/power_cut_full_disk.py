"""The power fails while the disk is full; when it is back the disk still is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.faults.cases.disk_full import empty, fill
from tests.faults.fault import Fault, Setting
from tests.faults.injected import disk_took_nothing

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    fill(ship)
    await ship.use_up_room()
    await ship.round("page", "during")
    await asyncio.gather(ship.kill(), ship.broker.kill())
    await ship.broker.start()
    await ship.start()
    await ship.complete()
    await ship.rounds(lasts_s)
    empty(ship)
    ship.ends()


FAULT = Fault(
    name="power_cut_full_disk",
    title="Power cut while the disk is full",
    how="disk filled, daemon and broker killed together, both started with the disk full, then room made",
    play=play,
    short_s=3.0,
    full_s=60.0,
    back_within_s=20.0,
    expects=("record.not_saved",),
    setting=Setting(small_disk_mib=6),
    also=disk_took_nothing,
)
