"""A proof of growth costs what was added; peaks that rotted prove nothing instead of something false."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import pytest

from daemon.errors import RecordError
from daemon.record import growth
from daemon.record.merkle import Tree
from daemon.record.proofs import check_consistency
from daemon.record.reader import Query
from tests.clocks import ManualClock
from tests.record.ship import alert, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from daemon.record.log import Record
    from daemon.record.reader import Reader

SEALS = (3, 4, 11, 32, 33)
SIZE = 40


@pytest.fixture
async def ship(tmp_path: Path) -> AsyncIterator[Record]:
    made = record(tmp_path, ManualClock())
    await made.start()
    for number in range(2, SIZE + 1):
        await made.submit(alert(f"d{number}"))
        if number in SEALS:
            await made.seal()
    yield made
    await made.stop()


async def trees(ship: Record) -> list[Tree]:
    made = [Tree()]
    for entry in await ship.entries(Query(limit=1000)):
        made.append(made[-1].grown(entry.body.encode()))
    return made


async def test_the_tree_of_every_size_is_found(ship: Record):
    for size, tree in enumerate(await trees(ship)):
        assert await growth.tree(ship, 1, size) == tree


async def test_every_growth_is_proven_sealed_or_not(ship: Record):
    known = await trees(ship)
    for old in range(1, SIZE + 1):
        for size in range(old, SIZE + 1):
            proof = await growth.consistency(ship, 1, old, size)
            assert check_consistency(old, known[old].root(), size, known[size].root(), proof)
    assert await growth.consistency(ship, 1, 0, SIZE) == ()


async def test_only_what_was_added_since_the_head_below_is_read(
    ship: Record, monkeypatch: pytest.MonkeyPatch
):
    read: list[int] = []
    add = growth._add

    def counted(segment, tree, begin, end, reader):
        read.append(end - begin)
        return add(segment, tree, begin, end, reader)

    monkeypatch.setattr(growth, "_add", counted)
    await growth.consistency(ship, 1, 33, SIZE)
    assert sum(read) == SIZE - 33
    read.clear()
    await growth.consistency(ship, 1, 30, 32)  # 30 was never sealed: from the head at 11
    assert sum(read) == 30 - 11 + 2


async def test_how_far_a_segment_goes_is_not_counted_entry_by_entry(ship: Record):
    def steps(reader: Reader) -> int:
        found = reader.segment(1)
        assert found is not None
        count = 0

        def step() -> bool:
            nonlocal count
            count += 1
            return False

        found[1].set_progress_handler(step, 1)
        try:
            assert growth.extent(1, reader) is not None
        finally:
            found[1].set_progress_handler(None)
        return count

    await ship.ask(steps)  # the first question reads the schema too
    small = await ship.ask(steps)
    for number in range(400):
        await ship.submit(alert(f"d{number}"))
    assert await ship.ask(steps) == small


async def test_a_long_growth_is_read_in_pieces_and_an_endless_one_not_at_all(
    ship: Record, monkeypatch: pytest.MonkeyPatch
):
    known = await trees(ship)
    monkeypatch.setattr(growth, "PIECE", 3)
    proof = await growth.consistency(ship, 1, 1, SIZE)
    assert check_consistency(1, known[1].root(), SIZE, known[SIZE].root(), proof)
    monkeypatch.setattr(growth, "MOST_READ", 5)
    with pytest.raises(RecordError, match="would have to be read"):
        await growth.consistency(ship, 1, 33, SIZE)


@pytest.mark.parametrize(
    ("segment", "old", "size"), [(1, 3, 41), (1, 41, 41), (2, 1, 2), (1, 5, 4)]
)
async def test_what_is_not_there_has_no_proof(ship: Record, segment: int, old: int, size: int):
    with pytest.raises(RecordError):
        await growth.consistency(ship, segment, old, size)


async def test_peaks_that_rotted_make_no_proof(ship: Record, tmp_path: Path):
    await ship.stop()
    db = apsw.Connection(str(tmp_path / "segment-0001.db"))
    db.execute("DROP TRIGGER checkpoint_no_update")
    db.execute("UPDATE checkpoint SET peaks = zeroblob(length(peaks)) WHERE size = 11")
    db.close()
    again = record(tmp_path, ManualClock())
    await again.start()
    try:
        with pytest.raises(RecordError, match="peaks beside the checkpoint at 11 are damaged"):
            await growth.consistency(again, 1, 12, 20)
        assert await growth.consistency(again, 1, 33, SIZE)
    finally:
        await again.stop()
