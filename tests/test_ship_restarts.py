"""What survives a restart, and what was changed meanwhile."""

from __future__ import annotations

from tests.ship import HATCH, SEAL_CLOSED, SEAL_OPEN, afloat, ashore
from tests.ship_talk import HATCH_ALERT, acknowledge, entries, open_hatch, told


async def test_a_restart_keeps_alerts_their_instances_and_who_has_the_watch(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await ship.ask("gangway", "take_watch", person="L. Tupou")
            hatch = await open_hatch(ship)
            await acknowledge(ship, hatch, person="L. Tupou")
            await ship.unit.do({"do": "inputs", "on": [4, SEAL_CLOSED]})
            wing = await ship.until(lambda: ship.state("alert/door.bridge.open.d03"))
            await ship.unit.do({"do": "inputs", "on": [4, SEAL_OPEN]})
            seal = await ship.until(lambda: ship.state("alert/seal.broken.s01"))
            await ship.pass_time(0.5)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(20.0)
            for before in (hatch, wing, seal):
                after = ship.state(f"alert/{before['id']}")
                assert after["instance"] == before["instance"]
                assert after["raised_utc"] == before["raised_utc"]
                assert after["recorded"] is not None
            # Acknowledged and unchanged: it never alarms again.
            assert {m["state"] for m in told(ship, HATCH_ALERT)} == {"A"}
            assert not any(m["sounding"] for m in told(ship, HATCH_ALERT))
            assert ship.state(HATCH_ALERT)["acknowledged_by"] == {
                "station": "gangway",
                "person": "L. Tupou",
            }
            assert ship.state("alert/seal.broken.s01")["state"] == "V"
            assert ship.state("station/gangway")["person"] == "L. Tupou"
            # What is raised now is a new instance.
            await ship.unit.do({"do": "inputs", "on": [SEAL_OPEN]})
            fault = await ship.until(lambda: ship.state("alert/sensor.line_fault.d11"))
            assert fault["instance"] > max(a["instance"] for a in (hatch, wing, seal))


async def test_a_door_shut_while_ispsd_was_off_ends_its_alert(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await acknowledge(ship, await open_hatch(ship))
        await ship.unit.set_input(HATCH, True)
        async with afloat(ship, broker, feeds):
            await ship.until(lambda: ship.state(HATCH_ALERT) is None)
            assert [e["open"]["state"] for e in await entries(ship) if e["subject"] == "d12"] == [
                "V",
                "A",
                "N",
            ]


async def test_a_door_found_open_at_the_start_is_a_caution(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        await ship.unit.set_input(HATCH, False)
        async with afloat(ship, broker, feeds):
            blind = await ship.until(lambda: ship.state("alert/door.blind_open.d12"))
            assert blind["priority"] == "C"
            assert told(ship, HATCH_ALERT) == []
