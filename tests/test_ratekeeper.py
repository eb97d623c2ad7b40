"""The ship's own look at her alerts disturbs nothing: not the watch, not the disk, not who asks for something else."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from daemon.alertbook.ratefiles import RateFiles
from daemon.alertbook.ratekeeper import KEEP_S, RateKeeper
from daemon.alerts.engine import Engine
from daemon.errors import RefusedError
from daemon.model import Situation, Station
from daemon.record import durable
from daemon.stations.stations import Stations
from tests.alerts.rig import HATCH, KINDS, regime
from tests.clocks import ManualClock
from tests.soon import soon


class Rig:
    def __init__(self, tmp_path) -> None:
        self.clock = ManualClock()
        self.folder = tmp_path / "alert-rates"
        self.engine = Engine(KINDS, regime())
        stations = (Station("gangway", frozenset({Situation.PORT}), gangway=True),)
        self.stations = Stations(stations, Situation.PORT)
        self.rates = RateKeeper(
            self.folder, engine=self.engine, stations=self.stations, clock=self.clock
        )

    async def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            await self.clock.advance(1.0)

    def opens(self) -> None:
        now_s, now_utc = self.clock.now_s(), self.clock.utc()
        self.engine.condition("door.escape.open", HATCH, active=True, now_s=now_s - 1.0)
        for change in self.engine.advance(now_s=now_s, now_utc=now_utc):
            self.rates.hear(change)

    async def told(self, days: int = 7):
        return await self.rates.requests()["rates"]({"do": "rates", "days": days})

    def files(self) -> list[str]:
        return sorted(p.name for p in self.folder.iterdir()) if self.folder.exists() else []


@asynccontextmanager
async def keeping(tmp_path):
    rig = Rig(tmp_path)
    running = asyncio.ensure_future(rig.rates.run())
    await rig.clock.advance(0.0)
    try:
        yield rig
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_what_sounded_is_on_disk_within_a_minute_and_time_alone_seldom(tmp_path):
    async with keeping(tmp_path) as rig:
        await rig.pass_time(120)
        assert rig.files() == []
        rig.opens()
        await rig.pass_time(60)
        await soon(lambda: rig.files() == ["2026-11-22.json"])
        kept = RateFiles(rig.folder).read(["2026-11-22"])["2026-11-22"]
        assert kept.sounded() == 1
        counted_s = kept.situation_s["port"]
        await rig.pass_time(KEEP_S - 60)
        assert RateFiles(rig.folder).read(["2026-11-22"])["2026-11-22"].situation_s["port"] == (
            counted_s
        )
        await rig.pass_time(121)
        await soon(
            lambda: (
                RateFiles(rig.folder).read(["2026-11-22"])["2026-11-22"].situation_s["port"]
                > counted_s
            )
        )


async def test_the_answer_has_what_is_on_disk_and_what_is_not_yet(tmp_path):
    async with keeping(tmp_path) as rig:
        rig.opens()
    async with keeping(tmp_path) as rig:
        rig.opens()
        said = await rig.told()
        assert said["sounded"] == 2
        assert (said["from"], said["to"]) == ("2026-11-16", "2026-11-22")
        assert (said["damaged"], said["not_read"], said["not_kept"]) == ([], None, None)


async def test_a_stop_keeps_what_was_counted(tmp_path):
    async with keeping(tmp_path) as rig:
        rig.opens()
        assert rig.files() == []
    assert RateFiles(rig.folder).read(["2026-11-22"])["2026-11-22"].sounded() == 1


async def test_a_full_disk_is_said_and_costs_nothing_that_it_takes_later(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    async with keeping(tmp_path) as rig:
        monkeypatch.setattr(durable, "put", full)
        rig.opens()
        await rig.pass_time(61)
        await soon(lambda: rig.rates._not_kept)
        said = await rig.told()
        assert (said["not_kept"], said["sounded"]) == ("No space left on device", 1)
        monkeypatch.undo()
        await rig.pass_time(61)
        await soon(lambda: rig.rates._not_kept is None)
        assert (await rig.told())["sounded"] == 1
        assert RateFiles(rig.folder).read(["2026-11-22"])["2026-11-22"].sounded() == 1


async def test_a_fault_in_the_keeping_costs_no_count(tmp_path, monkeypatch):
    def broken(path, content):
        raise RuntimeError("a fault")

    async with keeping(tmp_path) as rig:
        monkeypatch.setattr(durable, "put", broken)
        rig.opens()
        await rig.pass_time(61)
        await soon(rig.rates._counter.has_news)
        monkeypatch.undo()
        await rig.pass_time(61)
        await soon(lambda: not rig.rates._counter.has_news())
        assert (await rig.told())["sounded"] == 1


async def test_a_disk_that_hangs_keeps_nobody_from_an_answer(tmp_path, monkeypatch):
    asked = asyncio.Event()

    async def hangs(act):
        asked.set()
        await asyncio.Event().wait()

    async with keeping(tmp_path) as rig:
        monkeypatch.setattr("daemon.alertbook.ratekeeper.DISK_S", 0.01)
        monkeypatch.setattr("daemon.alertbook.ratekeeper.LAST_S", 0.01)
        monkeypatch.setattr(rig.rates._disk, "call", hangs)
        rig.opens()
        await rig.pass_time(61)
        await asked.wait()
        rig.opens()
        said = await rig.told()
        assert said["not_read"] == "the disk does not answer"
        counted_s = said["hours"]
        await rig.pass_time(600)
        assert (await rig.told())["hours"] > counted_s


async def test_a_damaged_file_is_named(tmp_path):
    async with keeping(tmp_path) as rig:
        rig.opens()
    (rig.folder / "2026-11-22.json").write_bytes(b"\x00" * 100)
    async with keeping(tmp_path) as rig:
        said = await rig.told()
        assert said["damaged"] == ["2026-11-22.json.damaged"]
        assert said["sounded"] == 0


@pytest.mark.parametrize("days", [0, 401, -1, "7", None, True])
async def test_days_are_bounded(tmp_path, days):
    rig = Rig(tmp_path)
    with pytest.raises(RefusedError, match="days"):
        await rig.rates.requests()["rates"]({"do": "rates", "days": days})


async def test_only_a_station_with_somebody_on_watch_is_counted(tmp_path):
    async with keeping(tmp_path) as rig:
        rig.opens()
        assert (await rig.told())["stations"] == []


async def test_a_fault_in_the_counting_is_logged_and_the_next_minute_counts(tmp_path, monkeypatch):
    async with keeping(tmp_path) as rig:
        real = rig.rates._counter.tick
        monkeypatch.setattr(rig.rates._counter, "tick", lambda _: 1 / 0)
        await rig.pass_time(61)
        monkeypatch.setattr(rig.rates._counter, "tick", real)
        await rig.pass_time(240)
        assert (await rig.told())["hours"] > 0
