"""A ship that breaks her promises is found out, with real processes: a disk that lies, a daemon broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.faults.cases import fsync_hangs
from tests.faults.fault import Fault
from tests.faults.injection import Disk
from tests.faults.judge import judge
from tests.faults.stage import play

if TYPE_CHECKING:
    from tests.faults.stage import Stage


async def lie(ship: Stage, lasts_s: float) -> None:
    """Say of what is written that it is on disk; then fail."""
    ship.begins()
    ship.knobs.disk(Disk.LYING)
    await ship.rounds(lasts_s)
    await ship.kill()
    ship.knobs.disk(Disk.HEALTHY)
    await ship.start()
    await ship.complete()
    ship.ends()


LYING = Fault(name="lying", title="", how="", play=lie, short_s=1.0, full_s=1.0, back_within_s=10.0)
WAITS_FOR_THE_DISK = "import daemon.record.waiting as waiting\nwaiting.WAIT_FOR_DISK_S = 60.0"


@pytest.mark.timeout("180")
@pytest.mark.parametrize(
    ("fault", "sabotage", "promise"),
    [
        (LYING, "", "nothing that was confirmed is lost (4)"),
        (
            replace(fsync_hangs.FAULT, short_s=6.0),
            WAITS_FOR_THE_DISK,
            "alerts come and acknowledgements work (5)",
        ),
    ],
    ids=["a disk that lies", "acts that wait for the disk"],
)
async def test_a_broken_promise_is_found(fault: Fault, sabotage: str, promise: str) -> None:
    capture = await play(fault, full=False, sabotage=sabotage)
    found = {each.promise: each for each in judge(capture, promised_s=fault.back_within_s)}
    assert not found[promise].holds, found[promise].words
