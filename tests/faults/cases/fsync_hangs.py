"""The disk takes writes, and never says that it has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.injected import disk_took_nothing
from tests.faults.injection import Disk

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    ship.knobs.disk(Disk.HANGING)
    await ship.rounds(lasts_s)
    ship.mend_disk()
    ship.ends()


FAULT = Fault(
    name="fsync_hangs",
    title="fsync hangs",
    how="fsync and fdatasync below the record do not return (shim)",
    play=play,
    short_s=4.0,
    full_s=60.0,
    back_within_s=20.0,
    expects=("record.not_saved",),
    also=disk_took_nothing,
)
