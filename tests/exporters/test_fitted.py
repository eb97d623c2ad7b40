"""A dead exporter delays nobody, is tried again, and is told once an outage."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.errors import LinkError
from daemon.exporters.api import Tally
from daemon.exporters.fitted import Exporters
from tests.clocks import FixedEntropy, ManualClock
from tests.exporters.rig import Told

if TYPE_CHECKING:
    from collections.abc import Iterator


class Scripted:
    """An exporter that ends as it is told: by an error, or never."""

    def __init__(self, *ends: Exception | None) -> None:
        self.tally = Tally()
        self.runs = 0
        self._ends: Iterator[Exception | None] = iter(ends)

    async def run(self) -> None:
        self.runs += 1
        if (end := next(self._ends, None)) is not None:
            raise end
        await asyncio.Event().wait()


async def kept(clock: ManualClock, *scripted: Scripted) -> tuple[Exporters, asyncio.Task[None]]:
    feed = Told(clock).feed
    exporters = Exporters(
        [(f"e{n}", each, feed) for n, each in enumerate(scripted)],
        clock=clock,
        entropy=FixedEntropy(),  # type: ignore[arg-type]
    )
    task = asyncio.ensure_future(exporters.run())
    await clock.advance(0.0)
    return exporters, task


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_that_fails_is_tried_again_and_the_others_do_not_notice():
    clock = ManualClock()
    lost, fault, well = Scripted(*[LinkError("no")] * 3), Scripted(KeyError("bug")), Scripted()
    logs.configure(json=True, utc=clock.utc, stream=(said := io.StringIO()))
    exporters, task = await kept(clock, lost, fault, well)
    shown = {each["id"]: each for each in exporters.shown()}
    assert shown["exporter e0"]["reason"] == "no"
    assert shown["exporter e1"]["link"] == "down"
    assert shown["exporter e2"]["link"] == "up"
    await clock.advance(60.0)
    assert (lost.runs, fault.runs, well.runs) == (4, 2, 1)
    assert all(each["link"] == "up" for each in exporters.shown())
    await ended(task)
    assert said.getvalue().count('"exporter.lost"') == 2  # once an outage each
    assert said.getvalue().count('"exporter.up"') == 2


async def test_it_counts_as_back_only_once_it_has_gone_on_for_a_while():
    clock = ManualClock()
    exporters, task = await kept(clock, Scripted(LinkError("no")))
    await clock.advance(3.0)
    assert exporters.shown()[0]["link"] == "down"
    await clock.advance(6.0)
    assert exporters.shown()[0]["link"] == "up"
    await ended(task)


async def test_a_ship_without_any_has_none():
    clock = ManualClock()
    exporters, task = await kept(clock)
    assert exporters.shown() == []
    await task
