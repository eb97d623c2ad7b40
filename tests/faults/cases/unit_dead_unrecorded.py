"""An I/O unit dies while the record cannot be written: nobody may take its doors for closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.injected import blindness_was_told, disk_took_nothing
from tests.faults.injection import Disk

if TYPE_CHECKING:
    from tests.faults.capture import Capture
    from tests.faults.judge import Finding
    from tests.faults.stage import Stage


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    ship.knobs.disk(Disk.READ_ONLY)
    await ship.round("page", "during")
    await ship.blind()
    await asyncio.sleep(lasts_s)
    await ship.seeing()
    ship.mend_disk()
    ship.ends()


def both_were_there(capture: Capture) -> list[Finding]:
    """The disk took nothing, and the doors were shown as not known."""
    return [*disk_took_nothing(capture), *blindness_was_told(capture)]


FAULT = Fault(
    name="unit_dead_unrecorded",
    title="I/O unit dead while the record cannot be written",
    how="every write below the record answers EROFS (shim), then the unit with the doors unplugged",
    play=play,
    short_s=4.0,
    full_s=75.0,
    # The longest pause between two tries of a device, 60 s, and the alert's off-delay.
    back_within_s=80.0,
    expects=("io.unit_lost", "record.not_saved"),
    also=both_were_there,
)
