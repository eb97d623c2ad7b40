"""The record's disk has become read-only, as after an error of the file system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.injected import disk_took_nothing
from tests.faults.injection import Disk

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    ship.knobs.disk(Disk.READ_ONLY)
    await ship.rounds(lasts_s)
    ship.mend_disk()
    ship.ends()


FAULT = Fault(
    name="disk_read_only",
    title="Disk read-only",
    how="every write below the record answers EROFS (shim)",
    play=play,
    short_s=4.0,
    full_s=60.0,
    back_within_s=20.0,
    expects=("record.not_saved",),
    also=disk_took_nothing,
)
