"""Events come in order and whole, from memory where they are fresh and from the record where they are not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from daemon.record.events import MOST_REMEMBERED, RecordEvents
from tests.record.ship import alert, breach, record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from daemon.record.log import Record


@pytest.fixture
async def ship(tmp_path: Path) -> AsyncIterator[Record]:
    made = record(tmp_path)
    await made.start()
    yield made
    await made.stop()


async def written(ship: Record, count: int) -> None:
    for number in range(count):
        await ship.submit(alert(f"d{number}"))
        if number % 3 == 0:
            await ship.submit(breach())  # of class sso: no event


async def test_from_memory_and_from_the_record_come_the_same_events(ship: Record):
    fresh, stored = RecordEvents(ship), RecordEvents(ship)
    ship.on_commit(fresh.committed)
    await written(ship, 10)
    assert fresh.wake.is_set()
    for after in range(11):
        for limit in (0, 1, 4, 50):
            assert await fresh.events(after, limit) == await stored.events(after, limit)
    assert [bseq for bseq, _ in await fresh.events(0, 50)] == list(range(1, 12))
    assert json.loads((await fresh.events(4, 1))[0][1])["entry"]["bseq"] == 5


async def test_what_memory_has_let_go_of_comes_from_the_record_without_a_gap(ship: Record):
    events = RecordEvents(ship)
    ship.on_commit(events.committed)
    await written(ship, MOST_REMEMBERED + 20)
    numbers: list[int] = []
    while batch := await events.events(numbers[-1] if numbers else 0, 7):
        numbers += [bseq for bseq, _ in batch]
    assert numbers == list(range(1, MOST_REMEMBERED + 22))


async def test_an_entry_that_no_watch_station_may_read_wakes_nobody(ship: Record):
    events = RecordEvents(ship)
    ship.on_commit(events.committed)
    await ship.submit(breach())
    assert not events.wake.is_set()
    assert await events.events(1, 10) == []
