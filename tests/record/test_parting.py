"""An older record is never sealed under the old origin again: rollback and clone part, and everybody can see it."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from daemon.errors import RecordError
from daemon.record import checkpoint, verify
from daemon.record.reader import Query
from daemon.record.scribe import MOST_PARTINGS, Limits
from tests.clocks import ManualClock
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, record

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.log import Record

BROKER = "the head that the broker holds"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "record"


async def started(folder: Path, **options: Any) -> Record:
    ship = record(folder, options.pop("clock", None) or ManualClock(), **options)
    await ship.start()
    return ship


async def sailed(folder: Path, *names: str) -> str:
    """Write so much more, and return the head that was given away at the end."""
    ship = await started(folder)
    for name in names:
        await ship.submit(alert(name))
    head = await ship.seal()
    await ship.stop()
    return head.note


def put_back(old: Path, folder: Path) -> None:
    """Restore the record's folder from an image of it, as people do."""
    shutil.rmtree(folder)
    shutil.copytree(old, folder)


async def openings(ship: Record) -> list[Any]:
    return await ship.entries(Query(type="segment.opened"))


async def test_an_older_record_that_is_put_back_parts_by_the_heads_kept_beside_it(
    folder: Path, tmp_path: Path
):
    await sailed(folder, "d1")
    shutil.copytree(folder, tmp_path / "image")
    await sailed(folder, "d2", "d3")
    put_back(tmp_path / "image", folder)
    before = (folder / "segment-0001.db").read_bytes()
    ship = await started(folder)
    assert (await ship.submit(alert("after"))).seq == 7, (
        "behind what was lost, and behind what says so"
    )
    opening = (await openings(ship))[1]
    assert opening.seq == 5, "numbers 3 and 4 were given away once and are not used again"
    previous = opening.open["previous"]
    assert (previous["size"], previous["sealed"], previous["lost"]["size"]) == (2, 2, 4)
    [parted] = await ship.entries(Query(type="record.parted"))
    assert (parted.open["segment"], parted.open["size"], parted.open["lost"]) == (1, 2, 2)
    await ship.stop()
    assert (folder / "segment-0001.db").read_bytes() == before, "not even sealed again"
    assert verify.main([str(folder), "--key", VKEY]) != verify.EXIT["PASS"]


async def test_what_stood_unsealed_in_an_older_record_is_not_sealed_either(
    folder: Path, tmp_path: Path
):
    ship = await started(folder)
    await ship.submit(alert("d1"))
    shutil.copytree(folder, tmp_path / "image")  # the power is lost here: one entry has no seal yet
    for name in ("d2", "d3"):
        await ship.submit(alert(name))
    await ship.stop()
    put_back(tmp_path / "image", folder)
    ship = await started(folder)
    previous = (await openings(ship))[1].open["previous"]
    assert (previous["size"], previous["sealed"], previous["lost"]["size"]) == (2, 1, 4)
    await ship.stop()


async def test_a_newer_head_from_outside_parts_and_an_older_one_of_the_same_history_does_not(
    folder: Path, tmp_path: Path
):
    older = await sailed(folder, "d1")
    shutil.copytree(folder, tmp_path / "image")
    newer = await sailed(folder, "d2", "d3")
    put_back(tmp_path / "image", folder)
    shutil.rmtree(folder.with_name("record.heads"))  # the whole computer was put back
    ship = await started(folder)
    assert not await ship.part_from(older, BROKER)
    assert [each.segment for each in await openings(ship)] == [1]
    assert await ship.part_from(newer, BROKER)
    assert [each.segment for each in await openings(ship)] == [1, 2]
    assert (await ship.submit(alert("after"))).segment == 2
    await ship.stop()


async def test_a_head_inside_our_own_history_that_has_no_checkpoint_here_is_counted_out(
    folder: Path,
):
    ship = await started(folder)
    for name in ("d1", "d2", "d3", "d4"):
        await ship.submit(alert(name))
    segment = ship._scribe._segment
    assert segment is not None
    await ship.seal()
    for size in range(1, 6):
        root = segment.root_at(size)
        made = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=size, root=root)
        assert not await ship.part_from(made.note, BROKER), size
    forged = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=3, root=bytes(32))
    assert await ship.part_from(forged.note, BROKER), "the same size, another history"
    await ship.stop()


async def test_a_head_that_this_key_did_not_sign_moves_nothing(folder: Path):
    ship = await started(folder)
    for key, origin in ((OTHER_KEY, f"{ORIGIN}/1"), (KEY, "demo/1234567/1")):
        strange = checkpoint.sign(key, origin=origin, size=99, root=bytes(32))
        with pytest.raises(RecordError, match=r"not signed by this key|not of demo"):
            await ship.part_from(strange.note, BROKER)
    with pytest.raises(RecordError):
        await ship.part_from("nonsense", BROKER)
    assert len(await openings(ship)) == 1
    await ship.stop()


async def test_a_whole_segment_that_is_lost_leaves_its_number_to_it(folder: Path, tmp_path: Path):
    await sailed(folder, "d1")
    shutil.copytree(folder, tmp_path / "image")
    ship = await started(folder)
    await ship.rotate("test")
    await ship.submit(alert("d2"))
    await ship.stop()
    put_back(tmp_path / "image", folder)
    ship = await started(folder)
    opening = (await openings(ship))[1]
    assert (opening.segment, opening.open["origin"]) == (3, f"{ORIGIN}/3")
    assert opening.open["previous"]["segment"] == 2
    assert opening.seq == 5, "behind the two of segment 1 and the two of segment 2"
    await ship.stop()


async def test_the_first_seal_after_a_start_waits_for_whoever_may_hold_a_newer_head(folder: Path):
    await sailed(folder, "d1")
    clock = ManualClock()
    ship = await started(folder, clock=clock, limits=Limits(witness_s=10.0))
    heads: list[int] = []
    ship.on_seal(lambda head: heads.append(head.size))
    await ship.submit(alert("d2"))
    sealing = asyncio.ensure_future(ship.seal())
    await clock.advance(9.9)
    await ship.drained()
    assert not sealing.done()
    assert heads == []
    ship.met_witnesses()
    assert (await sealing).size == 3
    await ship.stop()


async def test_without_an_answer_it_is_sealed_all_the_same_after_a_bounded_time(folder: Path):
    clock = ManualClock()
    await sailed(folder, "d1")
    ship = await started(folder, clock=clock, limits=Limits(witness_s=10.0))
    await ship.submit(alert("d2"))
    sealing = asyncio.ensure_future(ship.seal())
    await clock.advance(9.9)
    assert not sealing.done()
    await clock.advance(0.2)
    assert (await sealing).size == 3
    await ship.stop()


async def test_stopped_before_anybody_was_asked_it_is_not_sealed_and_nobody_waits_for_ever(
    folder: Path,
):
    await sailed(folder, "d1")
    ship = await started(folder, limits=Limits(witness_s=10.0))
    await ship.submit(alert("d2"))
    sealing = asyncio.ensure_future(ship.seal())
    await asyncio.sleep(0)
    await ship.stop()
    with pytest.raises(RecordError, match="closed"):
        await sealing
    report = verify.report(verify.verify(folder, verify.read_keys(VKEY), []))
    assert (report["failure"], report["sealed"], report["unsealed_tail"]) == (None, 2, 1)


async def test_a_clone_parts_when_it_sees_the_others_head_and_neither_signs_two_histories(
    folder: Path, tmp_path: Path
):
    """Two computers, one state directory copied: the second one to hear of the other begins the next segment."""
    await sailed(folder, "d1")
    shutil.copytree(folder, tmp_path / "clone")
    shutil.copytree(folder.with_name("record.heads"), tmp_path / "clone.heads")
    one, two = await started(folder), await started(tmp_path / "clone")
    signed: dict[tuple[str, int], set[bytes]] = {}

    def note(head: checkpoint.Checkpoint) -> None:
        signed.setdefault((head.origin, head.size), set()).add(head.root)

    await one.submit(alert("d2", where="the ship"))
    await one.submit(alert("d3", where="the ship"))
    first = await one.seal()
    await two.submit(alert("d2", where="the clone"))
    assert await two.part_from(first.note, BROKER)
    for ship in (one, two):
        ship.on_seal(note)
        await ship.submit(alert("after"))
    heads = [await ship.seal() for ship in (one, two)]
    assert [head.origin for head in heads] == [f"{ORIGIN}/1", f"{ORIGIN}/2"], "both go on"
    await asyncio.sleep(0)
    assert all(len(roots) == 1 for roots in signed.values()), "one head, one history"
    await one.stop()
    await two.stop()
    (tmp_path / "anchor").write_text(heads[0].note, "utf-8")
    arguments = [str(tmp_path / "clone"), "--key", VKEY, "--anchor", str(tmp_path / "anchor")]
    assert verify.main(arguments) == verify.EXIT["FAIL"], "an anchor of the other shows it"


async def test_two_with_one_key_do_not_chase_each_other_for_ever(folder: Path):
    ship = await started(folder)
    for size in range(100, 100 + MOST_PARTINGS + 2):
        segment = (await openings(ship))[-1].segment
        head = checkpoint.sign(KEY, origin=f"{ORIGIN}/{segment}", size=size, root=bytes(32))
        assert await ship.part_from(head.note, BROKER), "it is said each time"
    assert [each.segment for each in await openings(ship)] == list(range(1, MOST_PARTINGS + 2))
    await ship.stop()
