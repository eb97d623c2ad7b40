"""The log of a segment has its full length before anything stands in it, and no entry makes it longer."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from daemon.record.reader import Query
from daemon.record.writeahead import FULL_BYTES
from tests.record.ship import alert, record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOG = "segment-0001.db-wal"


async def test_no_commit_makes_the_log_longer(tmp_path: Path):
    ship = record(tmp_path)
    await ship.start()
    log = tmp_path / LOG
    begun = log.stat()
    assert begun.st_size == FULL_BYTES
    assert begun.st_blocks * 512 >= FULL_BYTES, "every block has its place on the disk"
    for _ in range(60):  # some twenty pages each: more than are moved into the file at once
        await asyncio.gather(*(ship.submit(alert("d1", text="x" * 3000)) for _ in range(20)))
    assert (log.stat().st_size, log.stat().st_blocks) == (begun.st_size, begun.st_blocks)
    await ship.stop()
    assert not log.exists()


async def test_what_stands_before_the_zeros_is_found_again_after_a_power_cut(tmp_path: Path):
    ship = record(tmp_path / "record")
    await ship.start()
    await ship.submit(alert("d1"))
    cut = tmp_path / "cut"
    shutil.copytree(tmp_path / "record", cut)
    await ship.stop()
    (cut / "segment-0001.db-shm").unlink()
    again = record(cut)
    await again.start()
    await again.submit(alert("d2"))
    assert [entry.seq for entry in await again.entries(Query(limit=10))] == [1, 2, 3]
    await again.stop()


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Path]:
    """A disk that has room for a segment and not for the whole length of its log."""
    place = tmp_path / "narrow"
    place.mkdir()
    size = f"size={FULL_BYTES // 2 // 1024}k"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "ispsd-test", str(place)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("mounting a small tmpfs needs root and a kernel that lets it")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


async def test_a_disk_without_room_for_it_keeps_the_room_for_entries(narrow: Path):
    ship = record(narrow / "record")
    await ship.start()
    assert (narrow / "record" / LOG).stat().st_size == 0
    for number in range(20):
        await ship.submit(alert(f"d{number}"))
    assert ship.health().writable
    await ship.stop()
