"""Remote I/O units through the whole ship: the worst complaints about other pollers, from the wire to the alert."""

from __future__ import annotations

from daemon.drivers.modbus_unit import ModbusUnit
from tests.ship import HATCH, sailing
from tests.ship_talk import HATCH_ALERT, alerts, entries, open_hatch, told


async def test_peers_7_a_driver_that_raises_what_nobody_expects_is_restarted_recorded_and_degrades_status(
    tmp_path, monkeypatch
):
    """ThingsBoard gateway 2132: the poller is dead, and its process looks alive."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)

        async def crash(_driver, _emit):
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(ModbusUnit, "run", crash)
            await ship.unit.do({"do": "drop"})  # its coroutine ends; the next is broken
            await ship.until(lambda: ship.state("driver/io1")["link"] == "down", for_s=5.0)
            await ship.until(lambda: ship.state("status")["state"] == "degraded", for_s=30.0)
            [fault] = await entries(ship, "driver.fault")
            assert fault["open"]["reason"] == "driver fault: ZeroDivisionError"
            assert ship.state("point/d12")["value"] is None, "unknown is not closed"
        await ship.until(lambda: ship.state("driver/io1")["link"] == "up", for_s=120.0)
        await open_hatch(ship)


async def test_peers_13_unknown_then_open_is_a_caution_that_says_how_long_it_was_blind(tmp_path):
    """alarmo 1139: a sensor that comes back open is no intrusion that somebody saw."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.unit.do({"do": "unplug"})
        await ship.pass_time(190.0)
        await ship.unit.set_input(HATCH, False)
        await ship.unit.do({"do": "plug"})
        blind = await ship.until(lambda: ship.state("alert/door.blind_open.d12"), for_s=10.0)
        assert (blind["priority"], blind["title"]) == ("C", "BLIND, NOW OPEN")
        assert "was blind 3 min 1" in blind["detail"]
        assert "found open" in blind["detail"]
        assert ship.state(HATCH_ALERT) is None


async def test_what_is_wrong_with_a_unit_that_answers_stands_where_a_lost_one_has_its_reason(
    tmp_path,
):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert ship.state("driver/io1")["reason"] is None
        await ship.unit.misbehave("exception", code=4)
        await ship.until(lambda: ship.state("driver/io1")["reason"], for_s=10.0)
        said = ship.state("driver/io1")
        assert (said["link"], said["reason"]) == (
            "up",
            "refuses: it reports a failure of its own (exception 4)",
        )
        [device] = [
            d for d in (await ship.control({"do": "status"}))["devices"] if d["id"] == "io1"
        ]
        assert device["reason"] == said["reason"]
        await ship.unit.misbehave(None)
        await ship.until(lambda: ship.state("driver/io1")["reason"] is None, for_s=10.0)
        assert alerts(ship) == set()
        assert told(ship, "alert/io.unit_lost.io1") == []
