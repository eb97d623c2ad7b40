"""Heads of segments that are elsewhere, or known to be lost, accuse nobody, and no alert about them stands for ever."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from daemon.record import archive, checkpoint, copies, copying, keys
from daemon.record.comparison import Found
from daemon.record.reader import Query
from daemon.witness.heads import HELD_S, Heads
from tests.clocks import ManualClock
from tests.record.ship import KEY, ORIGIN, VKEY, alert, record

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.log import Record

PERSON = "a person on board"


async def voyages(folder: Path, count: int, *, heads: dict[str, str]) -> Record:
    ship = record(folder, ManualClock())
    ship.on_seal(lambda head: heads.__setitem__(head.origin.rpartition("/")[2], head.note))
    await ship.start()
    for number in range(count):
        await ship.submit(alert(f"d{number}"))
        await ship.rotate("voyage")
    await ship.submit(alert("now"))
    await ship.seal()
    return ship


async def accusations(ship: Record) -> int:
    return len(await ship.entries(Query(type="record.behind")))


async def test_a_head_of_an_archived_segment_is_compared_with_what_was_kept_of_it(tmp_path: Path):
    folder, away, heads = tmp_path / "record", tmp_path / "away", {}
    away.mkdir()
    ship = await voyages(folder, 1, heads=heads)
    (segment,) = archive.closed_before(folder, 2)
    said = copying.copy(segment.path, away / segment.path.name, [VKEY])
    archive.keep_head(folder, segment, sha256=said["sha256"], place=str(away))
    archive.remove(segment)
    await ship.refresh()
    found = Heads(ship, clock=ManualClock(), part_from=ship.part_from)
    compared = await found.seen(heads["1"], held_by=PERSON)
    assert (compared.found, "archived" in compared.sentence) == (Found.OURS, True)
    older = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=1, root=bytes(32))
    compared = await found.seen(older.note, held_by=PERSON)
    assert compared.found is Found.ARCHIVED
    assert "compare it with the archive" in compared.sentence
    assert not found.parted
    assert await accusations(ship) == 0
    more = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=99, root=bytes(32))
    assert (await found.seen(more.note, held_by=PERSON)).found is Found.NEWER
    await ship.stop()


async def test_after_a_loss_the_heads_of_all_lost_segments_are_known_as_lost(tmp_path: Path):
    folder, heads, clock = tmp_path / "record", {}, ManualClock()
    ship = record(folder, clock)
    await ship.start()
    await ship.submit(alert("d1"))
    await ship.stop()
    shutil.copytree(folder, tmp_path / "image")
    await (await voyages(folder, 2, heads=heads)).stop()
    shutil.rmtree(folder)
    shutil.rmtree(folder.with_name("record.heads"))
    shutil.copytree(tmp_path / "image", folder)
    ship = record(folder, clock)
    await ship.start()
    found = Heads(ship, clock=clock, part_from=ship.part_from)
    assert (await found.seen(heads["3"], held_by="a witness")).found is Found.NEWER
    assert (await ship.submit(alert("d2"))).segment == 4
    for number in ("3", "2", "1"):
        assert (await found.seen(heads[number], held_by=PERSON)).found is Found.LOST, number
    assert await accusations(ship) == 1
    await clock.advance(HELD_S + 1.0)
    assert not found.parted
    await ship.stop()


async def test_a_head_after_which_no_segment_follows_leaves_no_alert_for_ever(tmp_path: Path):
    folder, clock = tmp_path / "record", ManualClock()
    ship = await voyages(folder, 1, heads={})
    found = Heads(ship, clock=clock, part_from=ship.part_from)
    other = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=2, root=bytes(32))
    for _ in range(2):
        assert (await found.seen(other.note, held_by=PERSON)).found is Found.OTHER
    assert found.parted
    assert await accusations(ship) == 1
    await clock.advance(HELD_S + 1.0)
    assert not found.parted
    await ship.stop()


async def test_a_copy_of_another_history_keeps_no_other_segment_from_its_copy(tmp_path: Path):
    folder, place, public = tmp_path / "record", tmp_path / "copy", tmp_path / "public"
    place.mkdir()
    keys.write_public(public, name=ORIGIN, key=KEY.public_key())
    ship = record(folder, ManualClock())
    await ship.start()
    await ship.submit(alert("d1"))
    await ship.stop()
    shutil.copytree(folder, tmp_path / "image")
    await (await voyages(folder, 0, heads={})).stop()
    shutil.copyfile(folder / "segment-0001.db", place / "segment-0001.db")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "image", folder)
    ship = record(folder, ManualClock())
    await ship.start()
    second = copies.Copies(
        folder, place, public_key=public, journal=ship, clock=ManualClock(), may_share_disk=True
    )
    for _ in range(2):
        assert "another or a longer history" in str((await second.copy()).failure)
    assert (await ship.submit(alert("d2"))).segment == 2
    assert (place / "segment-0002.db").exists()
    second.let_go()
    await ship.stop()
