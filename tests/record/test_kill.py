"""What was told as recorded is on disk: ``kill -9`` at any moment loses nothing that was confirmed (invariant 4)."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import apsw
import pytest

from daemon.record import verify
from tests.record.ship import VKEY

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 20

CHILD = """
import asyncio, sys
from pathlib import Path
from daemon.clock import SystemClock
from daemon.entropy import Entropy
from tests.record.ship import alert, record, result

async def sail():
    ship = record(Path(sys.argv[1]), SystemClock(), entropy=Entropy())
    ship.on_seal(lambda head: print("sealed", head.size, flush=True))
    await ship.start()
    number = 0
    while True:
        drafts = [alert(f"d{each}", instance=number) for each in range(number % 40 + 1)]
        futures = [ship.submit(draft) for draft in (*drafts, result("epirb", raw=b"$GPGGA" * number))]
        for future in futures:
            print("recorded", (await future).seq, flush=True)
        number += 1
        if number % 5 == 0:
            await ship.seal()

asyncio.run(sail())
"""


def sail_until_killed(folder: Path, lines: int) -> dict[str, int]:
    """Run the child, kill it after so many lines, and return the highest numbers that it printed."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(lines)]
    child.kill()
    said += child.stdout.readlines()
    child.stdout.close()
    assert child.wait() == -9
    # The last line may be cut in two; what is not a whole line was not said.
    words = [line.split() for line in said if line.endswith("\n")]
    assert len(words) >= lines
    return {word: int(number) for word, number in words}


@pytest.mark.timeout(180)
def test_twenty_kills_lose_nothing_that_was_recorded(tmp_path: Path):
    folder, before = tmp_path / "record", 0
    for round_ in range(ROUNDS):
        said = sail_until_killed(folder, lines=3 + 17 * round_)
        report = verify.report(verify.verify(folder, verify.read_keys(VKEY), []))
        assert report["verdict"] != "FAIL", report
        assert report["entries"] >= said["recorded"] > before
        assert report["sealed"] >= said["sealed"]
        before = said["recorded"]
    db = apsw.Connection(str(folder / "segment-0001.db"))
    [numbers] = db.execute("SELECT count(*), min(seq), max(seq) FROM entry")
    assert numbers[1] == 1
    assert numbers[0] == numbers[2] >= before
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
