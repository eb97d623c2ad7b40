"""What the guest of the power-cut test does: write the record under load and say on the console what is on disk.

    python3 -m tests.power.writer FOLDER full|off

Runs as the guest's first process. ``off`` has SQLite wait for no disk, so that the test can be seen to fail.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import apsw

from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.record.segment import Segment
from tests.record.ship import alert, record, result


def _wait_for_no_disk() -> None:
    """Have every transaction, from the first on, end before the disk has it."""
    connected = Segment._connect

    def connect(path: Path) -> apsw.Connection:
        db = connected(path)
        db.execute("PRAGMA synchronous = OFF")
        return db

    Segment._connect = staticmethod(connect)  # type: ignore[method-assign]


async def sail(folder: Path) -> None:
    """Write until the power goes."""
    ship = record(folder, SystemClock(), entropy=Entropy())
    ship.on_seal(lambda head: print("sealed", head.size, flush=True))
    await ship.start()
    print("started", apsw.sqlite_lib_version(), flush=True)
    number = 0
    while True:
        drafts = [alert(f"d{each}", instance=number) for each in range(number % 20 + 1)]
        drafts.append(result("epirb", raw=b"$GPGGA" * (number % 50 + 1)))
        written = await asyncio.gather(*(ship.submit(draft) for draft in drafts))
        print("recorded", written[-1].seq, flush=True)
        number += 1
        if number % 7 == 0:
            await ship.seal()


if __name__ == "__main__":
    if sys.argv[2] == "off":
        _wait_for_no_disk()
    asyncio.run(sail(Path(sys.argv[1])))
