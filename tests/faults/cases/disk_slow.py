"""Each write and each flush of the disk takes a third of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.injected import calls_were_spoilt
from tests.faults.injection import Disk

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    ship.knobs.disk(Disk.SLOW, delay_ms=300)
    await ship.rounds(lasts_s)
    ship.mend_disk()
    ship.ends()


FAULT = Fault(
    name="disk_slow",
    title="Slow disk",
    how="each write and flush below the record takes 300 ms (shim)",
    play=play,
    short_s=4.0,
    full_s=60.0,
    back_within_s=30.0,
    expects=(),
    also=calls_were_spoilt,
)
