"""An older record is never sealed under the old origin again: rollback and clone part, and everybody can see it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from daemon.errors import RecordError
from daemon.model import Classification, ClockStatus
from daemon.record import aftermath, checkpoint, keys, schema, verify
from daemon.record.damage import DamagedError
from daemon.record.directory import Directory
from daemon.record.entry import Stamp
from daemon.record.log import MOST_UNPROVEN
from daemon.record.reader import Query
from daemon.record.scribe import MOST_PARTINGS, ROTATE_ENTRIES, SEAL_AFTER_S, Limits
from daemon.record.segment import Segment
from daemon.record.trust import Identity
from tests.clocks import FixedEntropy, ManualClock
from tests.record import old_layouts
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, breach, record
from tests.soon import PATIENCE_S

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


async def test_another_segment_that_is_asked_for_waits_for_them_and_no_longer(folder: Path):
    await sailed(folder, "d1")
    clock = ManualClock()
    ship = await started(folder, clock=clock, limits=Limits(witness_s=10.0))
    turning = asyncio.ensure_future(ship.rotate("new voyage"))
    await clock.advance(1.0)
    await ship.drained()
    assert not turning.done()
    ship.met_witnesses()
    async with asyncio.timeout(PATIENCE_S):
        await turning
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


async def test_after_too_many_partings_no_minute_and_no_stop_seals_the_old_origin(folder: Path):
    clock, heads = ManualClock(), []
    ship = await started(folder, clock=clock)
    for size in range(100, 100 + MOST_PARTINGS + 1):
        segment = (await openings(ship))[-1].segment
        head = checkpoint.sign(KEY, origin=f"{ORIGIN}/{segment}", size=size, root=bytes(32))
        await ship.part_from(head.note, BROKER)
    ship.on_seal(heads.append)
    await ship.submit(alert("seen"))
    await clock.advance(SEAL_AFTER_S + 1)
    await ship.drained()
    await ship.stop()
    assert heads == []
    ship = await started(folder)
    assert ship.health().unsealable is None
    assert (await ship.seal()).size == 3, "a new start asks the witnesses again, and goes on"
    await ship.stop()


async def turned(folder: Path, image: Path) -> tuple[str, int, int]:
    """Sail through three segments; keep an image of the first one early. Return the last head and numbers."""
    await sailed(folder, "d1")
    shutil.copytree(folder, image)
    ship = await started(folder)
    for name in ("x", "y", "z"):
        for number in range(7):
            await ship.submit(alert(f"{name}{number}"))
            await ship.submit(breach())  # of no number on the stations' way
        if name != "z":
            await ship.rotate("test")
    head = await ship.seal()
    last = (await ship.entries(Query(newest_first=True, limit=1)))[0].seq
    events = max(each.bseq or 0 for each in await ship.entries(Query(limit=1000)))
    await ship.stop()
    assert head.origin == f"{ORIGIN}/3"
    return head.note, last, events


async def test_an_image_older_than_a_rotation_uses_no_number_again(folder: Path, tmp_path: Path):
    _, last, events = await turned(folder, tmp_path / "image")
    put_back(tmp_path / "image", folder)
    ship = await started(folder)
    opening = (await openings(ship))[1]
    assert (opening.segment, opening.seq, opening.bseq) == (4, last + 1, events + 1)
    assert f"the numbers 3 to {last}" in opening.open["reason"]
    await ship.drained()
    [parted] = await ship.entries(Query(type="record.parted"))
    assert parted.open["lost"] == last - 2
    await ship.stop()


async def test_where_nobody_kept_the_numbers_more_are_passed_over_than_can_have_been(
    folder: Path, tmp_path: Path
):
    note, last, _ = await turned(folder, tmp_path / "image")
    put_back(tmp_path / "image", folder)
    shutil.rmtree(folder.with_name("record.heads"))
    ship = await started(folder)
    assert await ship.part_from(note, BROKER)
    opening = (await openings(ship))[1]
    assert opening.segment == 4
    assert opening.seq >= 2 + 3 * ROTATE_ENTRIES > last, "three segments may have been full"
    assert (opening.bseq or 0) >= 2 + 3 * ROTATE_ENTRIES
    await ship.stop()


async def test_a_record_that_is_gone_altogether_uses_no_number_again(folder: Path, tmp_path: Path):
    _, last, events = await turned(folder, tmp_path / "image")
    shutil.rmtree(folder)
    ship = await started(folder)
    opening = (await openings(ship))[0]
    assert (opening.segment, opening.seq, opening.bseq) == (4, last + 1, events + 1)
    await ship.stop()


async def renewed(folder: Path, image: Path) -> str:
    """Change the key behind an image of the record; return a head that the new one signed."""
    await sailed(folder, "d1")
    shutil.copytree(folder, image)
    ship = await started(folder)
    await ship.renew_key(OTHER_KEY, "test")
    await ship.submit(alert("d2"))
    head = await ship.seal()
    await ship.stop()
    return head.note


def knowing(public: Path) -> Path:
    for key in (KEY, OTHER_KEY):
        keys.add_public(public, name=ORIGIN, key=key.public_key())
    return public


async def test_a_record_put_back_from_before_a_change_of_keys_parts(folder: Path, tmp_path: Path):
    note = await renewed(folder, tmp_path / "image")
    put_back(tmp_path / "image", folder)
    shutil.rmtree(folder.with_name("record.heads"))
    ship = await started(folder, public_key_file=knowing(tmp_path / "ship.pub"))
    assert await ship.part_from(note, BROKER)
    assert [each.segment for each in await openings(ship)] == [1, 3]
    await ship.stop()


async def test_heads_kept_beside_it_by_the_next_key_count_as_well(folder: Path, tmp_path: Path):
    await renewed(folder, tmp_path / "image")
    put_back(tmp_path / "image", folder)
    ship = await started(folder, public_key_file=knowing(tmp_path / "ship.pub"))
    assert [each.segment for each in await openings(ship)] == [1, 3]
    await ship.stop()


async def test_a_later_head_by_a_key_that_nobody_knows_is_entered_once_and_moves_nothing(
    folder: Path, tmp_path: Path
):
    note = await renewed(folder, tmp_path / "image")
    put_back(tmp_path / "image", folder)
    shutil.rmtree(folder.with_name("record.heads"))
    ship = await started(folder)
    flood = [
        checkpoint.sign(OTHER_KEY, origin=f"{ORIGIN}/{n}", size=n, root=bytes(32)).note
        for n in range(5, 40)
    ]
    for each in (note, note, *flood, *flood):
        with pytest.raises(RecordError, match="not signed by this key"):
            await ship.part_from(each, BROKER)
    await ship.drained()
    told = await ship.entries(Query(type="record.head_unproven"))
    assert len(told) == MOST_UNPROVEN
    assert [each.open["head"] for each in told].count(note) == 1
    assert {each.classification for each in told} == {Classification.SSO}
    assert [each.segment for each in await openings(ship)] == [1]
    await ship.stop()


async def test_two_with_one_key_do_not_chase_each_other_for_ever(folder: Path):
    ship = await started(folder)
    for size in range(100, 100 + MOST_PARTINGS + 2):
        segment = (await openings(ship))[-1].segment
        head = checkpoint.sign(KEY, origin=f"{ORIGIN}/{segment}", size=size, root=bytes(32))
        assert await ship.part_from(head.note, BROKER), "it is said each time"
    assert (await ship.submit(alert("seen"))).seq, "the watch's entries go on"
    with pytest.raises(RecordError, match="another computer signs with this ship's key"):
        await ship.seal()
    with pytest.raises(RecordError, match="Nothing more is sealed"):
        await ship.rotate("by order of the SSO")
    assert "another computer" in str(ship.health().unsealable)
    assert [each.segment for each in await openings(ship)] == list(range(1, MOST_PARTINGS + 2))
    await ship.stop()


async def test_a_record_that_opens_late_waits_as_long_for_whoever_may_hold_a_newer_head(
    folder: Path, tmp_path: Path
):
    await sailed(folder, "d1")
    shutil.copytree(folder, tmp_path / "image")
    newer = await sailed(folder, "d2", "d3")
    put_back(tmp_path / "image", folder)
    shutil.rmtree(folder.with_name("record.heads"))
    keys.write_public(tmp_path / "public", name=ORIGIN, key=KEY.public_key())
    clock, has_key = ManualClock(), False

    def find() -> Any:
        if not has_key:
            raise RecordError("the key is missing")
        return KEY

    ship = record(
        folder,
        clock,
        key=keys.placeholder(),
        find_key=find,
        limits=Limits(witness_s=10.0),
        public_key_file=tmp_path / "public",
    )
    with pytest.raises(RecordError, match="key is missing"):
        await ship.start()
    await clock.advance(30.0)
    has_key = True
    await clock.advance(2.0)
    await ship.submit(alert("d4"))
    await clock.advance(5.0)
    assert await ship.part_from(newer, BROKER), "nothing was sealed before it could be asked"
    assert (await ship.submit(alert("d5"))).segment == 2
    await ship.stop()


@pytest.mark.parametrize("layout", [schema.SCHEMA_VERSION, 2])
async def test_no_turn_seals_before_whoever_may_hold_a_newer_head_was_asked(
    folder: Path, layout: int
):
    await sailed(folder, "d1")
    if layout == 2:
        old_layouts.make_layout_2(folder / "segment-0001.db")
    clock, sealed = ManualClock(), []
    ship = record(folder, clock, limits=Limits(witness_s=10.0))
    await ship.start()
    ship.on_seal(lambda head: sealed.append(head.origin))
    turning = asyncio.ensure_future(ship.rotate("by order"))
    waiting = ship.submit(alert("d2"))
    await clock.advance(9.0)
    assert (sealed, turning.done()) == ([], False)
    if layout == schema.SCHEMA_VERSION:
        assert (await waiting).segment == 1
    assert waiting.done() is (layout == schema.SCHEMA_VERSION)
    await clock.advance(2.0)
    await turning
    assert f"{ORIGIN}/2" in sealed
    assert (await waiting).segment == (1 if layout == schema.SCHEMA_VERSION else 2)
    await ship.stop()


@pytest.mark.parametrize("segment", [2, 3, 9998])
async def test_a_key_that_was_replaced_moves_nothing_any_more(
    folder: Path, tmp_path: Path, segment: int
):
    public = tmp_path / "public"
    keys.write_public(public, name=ORIGIN, key=KEY.public_key())
    ship = await started(folder, public_key_file=public)
    await ship.submit(alert("d1"))
    await ship.renew_key(OTHER_KEY, "the old one was stolen")
    keys.add_public(public, name=ORIGIN, key=OTHER_KEY.public_key())
    forged = checkpoint.sign(KEY, origin=f"{ORIGIN}/{segment}", size=7, root=bytes(32))
    with pytest.raises(RecordError, match="not signed by this key"):
        await ship.part_from(forged.note, BROKER)
    assert (await ship.submit(alert("d2"))).segment == 2
    unproven = await ship.entries(Query(type=aftermath.UNPROVEN))
    assert len(unproven) == (segment > 2)
    # Of the segment that it signed its word counts.
    own = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=7, root=bytes(32))
    assert await ship.part_from(own.note, BROKER) is False
    await ship.stop()


async def test_a_head_of_a_segment_that_nobody_can_have_reached_uses_up_no_numbers(folder: Path):
    ship = await started(folder)
    far = checkpoint.sign(KEY, origin=f"{ORIGIN}/9998", size=1, root=bytes(32))
    with pytest.raises(RecordError, match="no ship has written so many"):
        await ship.part_from(far.note, BROKER)
    await ship.rotate("and it goes on")
    assert (await ship.submit(alert("d1"))).segment == 2
    assert ship.health().writable
    await ship.stop()


async def test_peaks_that_rotted_are_no_second_history(folder: Path):
    older = await sailed(folder, "d1")
    await sailed(folder, "d2")
    path = folder / "segment-0001.db"
    with closing(sqlite3.connect(path)) as db:
        [peaks] = db.execute("SELECT peaks FROM checkpoint WHERE size = 2").fetchone()
    raw = bytearray(path.read_bytes())
    raw[raw.index(peaks, raw.index(peaks) + 1)] ^= 1
    path.write_bytes(raw)
    ship = await started(folder)
    assert await ship.part_from(older, BROKER) is False
    await ship.stop()


async def test_a_torn_segment_is_not_written_again_however_often_the_next_one_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    await sailed(folder, *(f"d{number}" for number in range(60)))
    path = folder / "segment-0001.db"
    raw = bytearray(path.read_bytes())
    page = raw.index(b'"seq":30,') // 4096 * 4096
    raw[page : page + 4096] = bytes(4096)
    path.write_bytes(raw)
    stamp = Stamp(at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1, boot="b")
    directory = Directory(folder, Identity(ORIGIN, KEY, "26.1", "c0" * 32), FixedEntropy())
    torn = directory.open(stamp)
    directory.leave(torn, DamagedError(f"{path}: CorruptError: malformed"))
    torn.close()

    def full(*_: Any, **__: Any) -> Any:
        raise RecordError("database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(Segment, "create", full)
        for _ in range(3):
            with pytest.raises(RecordError, match="disk is full"):
                directory.open(stamp)
    following = directory.open(stamp)
    assert following.number == 2
    following.close()
    directory.release()
