"""Own AIS through the whole ship: silent, its feed lost, its test of the day."""

from __future__ import annotations

from contextlib import asynccontextmanager

from simulators.vessel import VesselSimulator
from tests.ship import sailing
from tests.ship_talk import entries, told


@asynccontextmanager
async def moored(tmp_path, monkeypatch):
    """A ship with both feeds, whose simulators can be told what to do."""
    units: dict[str, VesselSimulator] = {}
    build = VesselSimulator.__init__

    def remember(unit, id_, *args, **kwargs):
        build(unit, id_, *args, **kwargs)
        units[id_] = unit

    monkeypatch.setattr(VesselSimulator, "__init__", remember)
    async with sailing(tmp_path, feeds=True) as ship:
        await ship.until(lambda: ship.state("point/ais.own_report"))
        yield ship, units


async def test_own_ais_silent_comes_when_its_last_report_is_too_old_and_goes_with_the_next(
    tmp_path, monkeypatch
):
    async with moored(tmp_path, monkeypatch) as (ship, units):
        await units["ais"].do({"do": "ais", "on": False})
        last_s = ship.daemon.points.newest("ais.own_report").received_s
        silent = await ship.until(lambda: ship.state("alert/ais.silent.ais"))
        assert 6.0 < ship.clock.now_s() - last_s <= 7.5
        assert (silent["title"], silent["priority"]) == ("OWN AIS SILENT", "C")
        assert ship.state("driver/ais")["link"] == "up", "others are still heard"
        assert ship.state("point/ais.own_report")["quality"] == "stale"
        await units["ais"].do({"do": "ais", "on": True})
        await ship.until(lambda: ship.state("alert/ais.silent.ais") is None, for_s=5.0)


async def test_a_lost_feed_is_that_alert_and_not_own_ais_silent(tmp_path, monkeypatch):
    async with moored(tmp_path, monkeypatch) as (ship, units):
        await units["ais"].stop()
        await units["gps1"].do({"do": "silence"})
        nav = await ship.until(lambda: ship.state("alert/feed.nav.gps1"))
        assert (nav["title"], nav["priority"]) == ("NAV FEED LOST", "C")
        assert ship.state("alert/feed.ais.ais") is None
        lost = await ship.until(lambda: ship.state("alert/feed.ais.ais"), for_s=200.0)
        assert lost["title"] == "AIS FEED LOST"
        assert ship.state("status")["state"] == "degraded"
        await ship.pass_time(20.0)
        assert told(ship, "alert/ais.silent.ais") == []
        await units["gps1"].do({"do": "resume"})
        await ship.until(lambda: ship.state("alert/feed.nav.gps1") is None, for_s=90.0)


async def test_a_feed_that_is_back_gives_own_ais_its_time_before_it_counts_as_silent(
    tmp_path, monkeypatch
):
    """A moored class A reports every 3 min: a cable put back must not raise an alert that is not."""
    async with moored(tmp_path, monkeypatch) as (ship, units):
        await units["ais"].do({"do": "ais", "on": False})
        await units["ais"].stop()
        await ship.until(lambda: ship.state("driver/ais")["link"] == "down")
        await ship.pass_time(20.0)
        assert told(ship, "alert/ais.silent.ais") == []
        await units["ais"].start()
        await ship.until(lambda: ship.state("driver/ais")["link"] == "up", for_s=90.0)
        up_s = ship.clock.now_s()
        await ship.until(lambda: ship.state("alert/ais.silent.ais"))
        assert 6.0 <= ship.clock.now_s() - up_s <= 8.0


async def test_the_daily_ais_test_passes_and_is_one_entry(tmp_path, monkeypatch):
    async with moored(tmp_path, monkeypatch) as (ship, _):
        await ship.until(lambda: ship.state("equipment/ais")["last"])
        assert ship.state("equipment/ais")["readiness"] == "in order"
        await ship.pass_time(60.0)
        (result,) = await entries(ship, "test.result")
        assert (result["open"]["outcome"], result["open"]["simulated"]) == ("passed", True)
        assert ship.state("equipment/ais")["last"]["seq"] == result["seq"]
        assert result["evidence"]


async def test_a_time_of_the_sets_own_log_that_nobody_ordered_is_a_defect(tmp_path, monkeypatch):
    async with moored(tmp_path, monkeypatch) as (ship, units):
        await ship.until(lambda: ship.state("equipment/ais")["last"])
        await ship.pass_time(120.0)
        await units["ais"].do({"do": "trl", "ago_min": 1, "for_min": 1, "reason": 2})
        await ship.until(lambda: ship.state("equipment/ais")["readiness"] == "defect")
        last = (await entries(ship, "test.result"))[-1]
        assert "the unit's own log: off from" in last["open"]["reason"]
        assert ship.state("point/ais.off_log")["value"]["periods"][0]["reason"] == 2


async def test_whom_ais_hears_is_told_by_number_and_not_one_by_one(tmp_path, monkeypatch):
    async with moored(tmp_path, monkeypatch) as (ship, _):
        traffic = await ship.until(
            lambda: (said := ship.state("point/ais.traffic")) and said["value"]["class_a"] and said
        )
        assert traffic["value"]["class_a"] == 3
        assert "299000101" not in "".join(m.payload.decode() for m in ship.heard)
