"""A record with its witnesses, as the daemon has them, for tests."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from daemon.record.reader import Query
from daemon.witness.heads import Heads
from daemon.witness.mail import Mail
from daemon.witness.standing import Witness
from daemon.witness.witnesses import Witnesses
from tests.clocks import FixedEntropy, ManualClock
from tests.record.ship import alert, record
from tests.witness.served import true_utc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from daemon.record.checkpoint import Checkpoint
    from daemon.record.log import Record
    from daemon.record.witness_store import Store
    from daemon.witness.post import Place

PATIENCE_S = 25.0
"""Real seconds before a test gives up; nothing waits for them when all is well."""


class Aboard:
    """A record with its witnesses, as the daemon has them; it ``parts`` from a head only where that is wanted."""

    def __init__(
        self, folder: Path, clock: ManualClock, *witnesses: Witness, parts: bool = False
    ) -> None:
        self.clock = clock
        self.shown: list[Checkpoint] = []
        self.lost: list[tuple[str, str]] = []
        self.record: Record = record(folder, clock)
        self._parts = parts
        self.heads = Heads(self.record, clock=clock, part_from=self._part_from)
        self.witnesses = Witnesses(
            witnesses,
            record=self.record,
            heads=self.heads,
            clock=clock,
            entropy=FixedEntropy(),
            shown=self.shown.append,
        )
        self.mail = Mail(self.witnesses, record=self.record)

    async def _part_from(self, note: str, held_by: str) -> None:
        self.lost.append((note, held_by))
        if self._parts:
            await self.record.part_from(note, held_by)

    async def types(self) -> list[str]:
        await self.record.drained()
        return [entry.type for entry in await self.record.entries(Query(limit=1000))]

    async def grow(self, count: int = 1) -> Checkpoint:
        for _ in range(count):
            await self.record.submit(alert("d1"))
        return await self.record.seal()

    async def until(self, condition: Callable[[], object]) -> None:
        """Return when it is so; time stands still meanwhile."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 (what is waited for has no event to give)
                await asyncio.sleep(0.001)

    async def until_after(self, condition: Callable[[], object]) -> None:
        """Return when it is so; whoever sleeps is woken at his time."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                due_s = self.clock.next_due_s()
                if due_s is not None:
                    await self.clock.advance(max(0.0, due_s - self.clock.now_s()))
                await asyncio.sleep(0.01)

    async def until_signed(self, head: Checkpoint, *, by: int = 0) -> None:
        each = self.witnesses.standings[by]
        await self.until(lambda: each.signed.get(head.origin, 0) >= head.size)


@asynccontextmanager
async def aboard(
    folder: Path, *witnesses: Witness, clock: ManualClock | None = None, parts: bool = False
) -> AsyncIterator[Aboard]:
    if clock is None:
        reached = any(each.place is not None for each in witnesses)
        clock = ManualClock(utc=true_utc()) if reached else ManualClock()
    made = Aboard(folder, clock, *witnesses, parts=parts)
    await made.record.start()
    running = asyncio.ensure_future(made.witnesses.run())
    try:
        yield made
        assert not running.done(), running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await made.record.stop()


def witness(store: Store, at: Place | None, name: str = "wheelhouse") -> Witness:
    return Witness(name, store.name(), at)
