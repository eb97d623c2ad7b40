"""The writer that ``test_kill`` kills: everything is imported once, and each round is a fork of it.

Reads a folder a line; forks a child that writes the record there under load and says on the pipe what is on disk.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from tests.record.ship import alert, record, result


async def sail(folder: Path) -> None:
    """Write until killed; every second turn is followed by a new segment, so that its making is killed as well."""
    ship = record(folder, SystemClock(), entropy=Entropy())
    ship.on_seal(
        lambda head: print("sealed", head.origin.rpartition("/")[2], head.size, flush=True)
    )
    await ship.start()
    number = 0
    while True:
        drafts = [alert(f"d{each}", instance=number) for each in range(number % 40 + 1)]
        drafts.append(result("epirb", raw=b"$GPGGA" * number))
        futures = [ship.submit(draft) for draft in drafts]
        for future in futures:
            entry = await future
            print("recorded", entry.segment, entry.seq, flush=True)
        number += 1
        if number % 5 == 0:
            await ship.seal()
        if number % 2 == 0:
            await ship.rotate("test")


def main() -> None:
    """Fork for each folder that is asked for; say the child's number first."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            print("child", os.getpid(), flush=True)
            try:
                asyncio.run(sail(Path(line.strip())))
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        print("over", child, flush=True)


if __name__ == "__main__":
    main()
