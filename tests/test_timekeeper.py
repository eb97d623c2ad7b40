"""A step of UTC is noticed within a second and written; slewing is none, and time passing is none."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from daemon.watch import timekeeper
from tests.checks.rig import HandJournal
from tests.clocks import ManualClock


@asynccontextmanager
async def keeping():
    clock, journal = ManualClock(), HandJournal()
    task = asyncio.ensure_future(timekeeper.run(clock, journal))
    await clock.advance(0.0)
    yield clock, journal
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


@pytest.mark.parametrize("step_s", [3600.0, -3600.0, 0.501, -0.501])
async def test_a_step_either_way_is_one_entry_within_a_second(step_s):
    async with keeping() as (clock, journal):
        await clock.advance(10.0)
        clock.step_utc(step_s)
        assert journal.drafts == []
        await clock.advance(1.0)
        (draft,) = journal.drafts
        assert (draft.type, draft.kind, draft.subject) == ("clock.stepped", "system", "clock")
        assert draft.open["milliseconds"] == round(step_s * 1000)
        assert draft.open["to"] == f"{clock.utc():%Y-%m-%dT%H:%M:%S}.{clock.utc():%f}"[:-3] + "Z"
        await clock.advance(60.0)
        assert len(journal.drafts) == 1, "told once"


@pytest.mark.parametrize("slew_s", [0.499, -0.499, 0.0005])
async def test_slewing_is_no_step_however_long_it_goes_on(slew_s):
    async with keeping() as (clock, journal):
        for _ in range(20):
            clock.step_utc(slew_s)
            await clock.advance(1.0)
        assert journal.drafts == []


async def test_there_and_back_are_two_steps():
    async with keeping() as (clock, journal):
        for step_s in (120.0, -120.0):
            clock.step_utc(step_s)
            await clock.advance(1.0)
        assert [draft.open["milliseconds"] for draft in journal.drafts] == [120_000, -120_000]
