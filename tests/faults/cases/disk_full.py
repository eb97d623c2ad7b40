"""The record's disk is full."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tests.faults.fault import Fault, Setting
from tests.faults.injected import disk_took_nothing
from tests.faults.injection import Disk

if TYPE_CHECKING:
    from tests.faults.stage import Stage


def fill(ship: Stage) -> None:
    """Fill it to the last block; where the record has no disk of its own, by what the C library answers."""
    if not ship.has_small_disk:
        ship.knobs.disk(Disk.FULL)
        ship.note("no disk could be mounted: the C library answers ENOSPC")
        return
    ship.note("a disk of its own (tmpfs), filled to the last block")
    with suppress(OSError), (ship.state / "filler").open("ab", buffering=0) as filler:
        for size in (1024 * 1024, 4096, 512):
            with suppress(OSError):
                while True:
                    filler.write(b"\0" * size)


def empty(ship: Stage) -> None:
    """Make room again."""
    ship.mend_disk()
    (ship.state / "filler").unlink(missing_ok=True)


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    fill(ship)
    # What SQLite's log has room for already is written still: so much that it does not.
    await ship.use_up_room()
    await ship.rounds(lasts_s)
    empty(ship)
    ship.ends()


FAULT = Fault(
    name="disk_full",
    title="Disk full",
    how="the record's disk filled to the last block",
    play=play,
    short_s=4.0,
    full_s=60.0,
    # The disk is tried each second; the alert goes 10 s after.
    back_within_s=20.0,
    expects=("record.not_saved",),
    setting=Setting(small_disk_mib=6),
    also=disk_took_nothing,
)
