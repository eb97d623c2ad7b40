"""Disks are asked how full they are; one that hangs holds nobody up, and is asked once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from daemon.record import diskroom
from daemon.record.diskroom import DiskRoom

if TYPE_CHECKING:
    from pathlib import Path


def room(**folders: Path) -> DiskRoom:
    return DiskRoom(folders, evidence_bytes=lambda: (3, 10))


async def test_a_disk_says_how_full_it_is(tmp_path):
    said = await room(record=tmp_path).ask()
    assert said is not None
    ((record,), evidence) = said["disks"], said["evidence_bytes"]
    assert (record["what"], record["read_only"], record["fault"]) == ("record", False, None)
    assert record["free_bytes"] > 0
    assert evidence == [3, 10]


async def test_a_medium_that_is_not_there_is_a_fault_with_its_reason(tmp_path):
    said = await room(record=tmp_path, copy=tmp_path / "away").ask()
    assert said is not None
    assert said["disks"][1] == {"what": "copy", "fault": "No such file or directory"}


async def test_a_disk_that_hangs_is_nothing_and_is_asked_again_only_when_it_has_answered(
    tmp_path, monkeypatch
):
    answers, asked = threading.Event(), []
    real = diskroom.os.statvfs

    def hangs(folder: Path) -> object:
        asked.append(folder)
        answers.wait(10.0)
        return real(folder)

    monkeypatch.setattr(diskroom, "LIMIT_S", 0.01)
    monkeypatch.setattr(diskroom.os, "statvfs", hangs)
    disks = room(record=tmp_path)
    assert await disks.ask() is None
    assert await disks.ask() is None
    assert len(asked) == 1
    answers.set()
    monkeypatch.setattr(diskroom, "LIMIT_S", 10.0)
    assert await disks.ask() is not None
    assert await disks.ask() is not None
    assert len(asked) == 2
