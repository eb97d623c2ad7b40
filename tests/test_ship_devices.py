"""Devices that are lost, refuse, crash or go blind, and what the whole ship says of it."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager

import pytest

from daemon.drivers.nmea import NmeaDriver
from daemon.errors import LinkError
from simulators.io_unit import IoUnit
from tests.ship import HATCH, SEAL_CLOSED, SEAL_OPEN, afloat, ashore, sailing
from tests.ship_talk import HATCH_ALERT, acknowledge, alerts, entries, open_hatch, told


@asynccontextmanager
async def with_second_unit(tmp_path):
    """A ship with one more unit, which carries the store's door."""
    second = IoUnit()
    await second.start()
    await second.set_input(0, True)

    def edit(text: str) -> str:
        device, _, rest = text.partition("[device.ssas]")
        return (
            f'{device}[device.io2]\nkind = "modbus_tcp"\nhost = "127.0.0.1"\nport = {second.port}\n'
            'profile = "moxa-iologik-e1210"\n\n[[door]]\nid = "d20"\nname = "PAINT STORE"\n'
            'place = "fore peak"\nclass = "S"\ndevice = "io2"\ninputs = [0]\nwiring = "nc"\n\n'
            f"[device.ssas]{rest}"
        )

    try:
        async with sailing(tmp_path, edit=edit) as ship:
            await ship.until(lambda: (ship.state("point/d20") or {}).get("value") == "closed")
            yield ship, second
    finally:
        await second.stop()


async def test_a_lost_unit_is_one_alert_and_not_one_for_each_door(tmp_path):
    async with with_second_unit(tmp_path) as (ship, second):
        await ship.unit.do({"do": "unplug"})
        await ship.until(lambda: ship.state("alert/io.unit_lost.io1"))
        await ship.pass_time(120.0)
        assert alerts(ship) == {"io.unit_lost.io1"}
        assert "STRG GEAR ESC" in ship.state("alert/io.unit_lost.io1")["detail"]
        assert ship.state("driver/io1")["link"] == "down"
        for door in ("d03", "d11", "d12", "d14", "s01"):
            said = ship.state(f"point/{door}")
            assert (said["value"], said["quality"]) == (None, "unknown"), "unknown is not closed"
        # The other unit's door goes on to be seen, and sounds within its second.
        assert ship.state("point/d20")["value"] == "closed"
        await second.set_input(0, False)
        await ship.until(lambda: ship.state("alert/door.store.open.d20"), for_s=1.0)


async def test_a_unit_is_lost_after_its_delay_and_back_after_its_own(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.unit.do({"do": "unplug"})
        await ship.until(lambda: ship.state("driver/io1")["link"] == "down")
        began_s = ship.clock.now_s()
        await ship.until(lambda: ship.state("alert/io.unit_lost.io1"))
        assert 9.5 <= ship.clock.now_s() - began_s <= 10.5
        await ship.unit.do({"do": "plug"})
        await ship.until(lambda: ship.state("driver/io1")["link"] == "up")
        began_s = ship.clock.now_s()
        assert ship.state("point/d12")["value"] == "closed"
        await ship.until(lambda: ship.state("alert/io.unit_lost.io1")["state"] == "U")
        assert 9.5 <= ship.clock.now_s() - began_s <= 10.5


async def test_a_short_outage_is_no_alert(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.unit.do({"do": "drop"})
        await ship.pass_time(30.0)
        assert told(ship, "alert/io.unit_lost.io1") == []
        assert ship.state("point/d12")["value"] == "closed"


async def test_blind_then_found_open_is_a_caution_of_its_own_and_not_an_intrusion(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.unit.do({"do": "unplug"})
        await ship.pass_time(100.0)
        await ship.unit.set_input(HATCH, False)
        await ship.unit.do({"do": "plug"})
        blind = await ship.until(lambda: ship.state("alert/door.blind_open.d12"), for_s=90.0)
        assert (blind["priority"], blind["title"]) == ("C", "BLIND, NOW OPEN")
        assert blind["sounding"] is False
        seen_s = next(m for m in told(ship, "point/d12") if m["value"] is None)["up"]
        found_s = next(m for m in reversed(told(ship, "point/d12")) if m["value"] == "open")["up"]
        minutes, rest = divmod(int(found_s - seen_s), 60)
        assert f"was blind {minutes} min " in blind["detail"]
        assert abs(int(blind["detail"].split(" min ")[1].split(" s")[0]) - rest) <= 1
        assert "found open" in blind["detail"]
        assert ship.state(HATCH_ALERT) is None
        # Shut and opened before somebody's eyes, it is an intrusion again.
        await ship.unit.set_input(HATCH, True)
        await ship.until(lambda: ship.state("alert/door.blind_open.d12") is None)
        await open_hatch(ship)


async def test_a_door_that_was_open_before_it_went_blind_goes_on_being_that_alert(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        alert = await open_hatch(ship)
        await ship.unit.do({"do": "unplug"})
        await ship.pass_time(60.0)
        assert ship.state(HATCH_ALERT)["instance"] == alert["instance"], "nobody saw it shut"
        await ship.unit.do({"do": "plug"})
        await ship.until(lambda: ship.state("driver/io1")["link"] == "up", for_s=90.0)
        await ship.pass_time(5.0)
        assert ship.state(HATCH_ALERT)["instance"] == alert["instance"]
        assert ship.state("alert/door.blind_open.d12") is None


async def test_a_unit_that_refuses_leaves_its_doors_unknown_and_its_link_up(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.unit.misbehave("exception", code=2)
        await ship.until(lambda: ship.state("point/d12")["value"] is None)
        assert ship.state("point/d12")["quality"] == "unknown"
        await ship.pass_time(58.0)
        assert alerts(ship) == set()
        await ship.until(lambda: ship.state("alert/door.unknown.d12"), for_s=3.0)
        assert ship.state("driver/io1")["link"] == "up"
        assert "io.unit_lost.io1" not in alerts(ship)
        await ship.unit.misbehave(None)
        await ship.until(lambda: ship.state("point/d12")["value"] == "closed")
        await ship.until(lambda: alerts(ship) == set())


async def test_a_driver_that_crashes_is_an_entry_and_the_others_go_on(tmp_path, monkeypatch):
    async def crash(_driver, _emit):
        raise ZeroDivisionError

    monkeypatch.setattr(NmeaDriver, "run", crash)
    log = io.StringIO()
    async with sailing(tmp_path, feeds=True, log=log) as ship:
        await ship.pass_time(40.0)
        faults = await entries(ship, "driver.fault")
        assert {e["subject"]: e["open"]["reason"] for e in faults} == {
            "ais": "driver fault: ZeroDivisionError",
            "gps1": "driver fault: ZeroDivisionError",
        }
        assert len(faults) == 2, "one an outage, however often it is tried again"
        assert "driver.fault" in log.getvalue()
        assert ship.state("driver/gps1")["link"] == "down"
        assert ship.state("alert/feed.nav.gps1") is not None
        await open_hatch(ship)
        monkeypatch.undo()
        await ship.until(lambda: ship.state("driver/gps1")["link"] == "up", for_s=90.0)


async def test_a_driver_that_crashes_when_its_device_was_down_already_is_an_entry_too(
    tmp_path, monkeypatch
):
    tried: list[NmeaDriver] = []

    async def crash_at_last(driver, _emit):
        tried.append(driver)
        if len(tried) <= 2:
            raise LinkError("no such host")
        raise ZeroDivisionError

    monkeypatch.setattr(NmeaDriver, "run", crash_at_last)
    async with sailing(tmp_path, feeds=True) as ship:
        await ship.until(lambda: len(tried) >= 8)
        await ship.pass_time(1.0)
        subjects = [e["subject"] for e in await entries(ship, "driver.fault")]
        assert sorted(subjects) == ["ais", "gps1"]


async def test_a_broken_seal_is_latched_until_it_has_a_new_number(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await ship.unit.do({"do": "inputs", "on": [2, 3, 4, SEAL_OPEN]})
            broken = await ship.until(lambda: ship.state("alert/seal.broken.s01"))
            reseal = {"do": "seal", "alert": broken["id"], "number": "SG 004711", "by": "R. Menon"}
            with pytest.raises(Exception, match="BOND STORE is not intact yet"):
                await ship.control(reseal)
            await acknowledge(ship, broken)
            await ship.unit.do({"do": "inputs", "on": [2, 3, 4, SEAL_CLOSED]})
            await ship.pass_time(30.0)
            assert ship.state("alert/seal.broken.s01")["state"] == "A", "a seal does not heal"
        async with afloat(ship, broker, feeds):
            await ship.pass_time(30.0)
            assert ship.state("alert/seal.broken.s01")["state"] == "A", "nor by a restart"
            assert (await ship.control(reseal))["recorded"] is not None
            await ship.until(lambda: ship.state("alert/seal.broken.s01") is None)
            (numbered,) = await entries(ship, "seal.numbered")
            assert numbered["open"]["number"] == "SG 004711"
            assert numbered["actor"]["person"] == "R. Menon"
