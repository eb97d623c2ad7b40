"""What no scenario's file can bring about: stations that go, a broker that is lost, a clock that is stepped, a boot."""

from __future__ import annotations

import json
import random

from tests.voyage import FINE_S, ROOT, sailing

TALKERS = ("gps1", "gps2", "ais", "gyro", "log", "bnwas", "vdr", "satc", "shell")
WITHOUT_GANGWAY = {"bridge": "M. Petrov", "office": "J. Santos"}


def seen(ship):
    """Return what stands and stood: title, name, priority, raised, ended."""
    return [(a.title, a.name, a.priority, a.raised_s, a.ended_s) for a in ship.alerts()]


async def test_a_gangway_that_is_left_makes_its_door_a_closed_one(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.move("open", "d04")
        await ship.sail(60.0)
        assert seen(ship) == []
        ship.crew = dict(WITHOUT_GANGWAY)
        left_s = ship.at_s
        await ship.sail(60.0, grain_s=1.0)
        # Two proofs of life may be lost before a station counts as left; the office still hears alerts.
        ((*alert, raised_s, ended_s),) = seen(ship)
        assert (alert, ended_s) == (["ACC DOOR OPEN", "UPPER DK PORT", "C"], None)
        assert left_s + 15 <= raised_s <= left_s + 27
        await ship.take_watch("gangway", "L. Tupou")
        await ship.sail(5.0, grain_s=FINE_S)
        assert len(seen(ship)) == 1
        assert seen(ship)[0][4] is not None


async def test_no_station_that_hears_is_an_alert_until_one_is_manned(tmp_path):
    async with sailing(tmp_path) as ship:
        ship.crew = {"bridge": "M. Petrov"}  # attended at sea, not in port
        left_s = ship.at_s
        await ship.sail(120.0, grain_s=1.0)
        ((*alert, raised_s, ended_s),) = seen(ship)
        assert (alert, ended_s) == (["NO ALERT STATION", "ISPSD", "W"], None)
        assert left_s + 75 <= raised_s <= left_s + 88
        assert ship.newest["status"]["state"] == "degraded"
        await ship.take_watch("office", "J. Santos")
        back_s = ship.at_s
        await ship.sail(10.0, grain_s=0.5)
        ended_s = seen(ship)[0][4]
        assert ended_s is not None
        assert back_s + 5 <= ended_s <= back_s + 7


async def test_a_lost_broker_is_an_alert_and_nothing_of_the_watch_is_lost(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.lose_broker()
        lost_s = ship.at_s
        await ship.sail(20.0, grain_s=1.0)
        await ship.move("open", "d12")
        opened_s = ship.at_s
        await ship.sail(40.0, grain_s=1.0)
        path, hatch = sorted(seen(ship))
        assert path[:3] == ("ALERT PATH FAULT", "ISPSD", "W")
        assert lost_s + 30 <= path[3] <= lost_s + 33
        assert hatch[:3] == ("ESC HATCH OPEN", "STRG GEAR ESC", "W")
        assert opened_s + 0.3 <= hatch[3] <= opened_s + 2.5
        ship.heard.clear()
        await ship.regain_broker()
        await ship.settle()
        # Who comes back to the broker finds the alert, and hears of what was written meanwhile in its order.
        assert "alert/door.escape.open.d12" in ship.newest
        events = [json.loads(m.payload) for m in ship.heard if m.topic == f"{ROOT}event"]
        numbers = [event["bseq"] for event in events]
        assert numbers == sorted(numbers)
        told = {event["entry"]["open"].get("title") for event in events}
        assert {"ALERT PATH FAULT", "ESC HATCH OPEN"} <= told
        await ship.sail(15.0, grain_s=1.0)
        assert [alert[4] is None for alert in sorted(seen(ship))] == [False, True]


async def test_a_stepped_clock_is_an_entry_and_moves_no_delay(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.move("open", "d07")  # may be held open for two minutes
        await ship.sail(30.0)
        ship.clock.step_utc(3600.0)
        await ship.sail(60.0)
        (stepped,) = ship.of_type("clock.stepped")
        assert stepped.open["milliseconds"] == 3_600_000
        assert seen(ship) == []
        await ship.sail(40.0)
        ((*alert, raised_s, _),) = seen(ship)
        assert alert == ["DOOR HELD OPEN", "CASING DOOR", "C"]
        assert 120 <= raised_s <= 123
        assert ship.entry_types() == {"clock.stepped": 1}


async def test_after_a_boot_all_come_back_in_any_order_and_one_summary_is_written(tmp_path):
    async with sailing(tmp_path, up_s=5.0, awaits_all=False) as ship:
        for station, person in ship.crew.items():
            await ship.take_watch(station, person)
        devices = [(unit, "unplug", "plug") for unit in ("io1", "io2", "io3")]
        devices += [(unit, "silence", "resume") for unit in TALKERS]
        for unit, down, _ in devices:
            await ship.tell((unit, {"do": down}))
        for unit in (5, 6):
            await ship.tell(("bus-rtu", {"do": "fault", "id": unit, "fault": "dead"}))
        back = [(unit, {"do": up}) for unit, _, up in devices]
        back += [("bus-rtu", {"do": "clear", "id": unit}) for unit in (5, 6)]
        random.Random(7).shuffle(back)
        for command in back:
            await ship.sail(2.0, grain_s=0.5)
            await ship.tell(command)
        await ship.sail(120.0, grain_s=1.0)
        assert seen(ship) == []
        (settled,) = ship.of_type("watch.settled")
        assert 65_000 <= settled.stamp.up_ms <= 66_000
        # Three locks, two tamper loops and the battery of the UPS belong to others.
        assert settled.open["sensors"] == len(ship.plan.moves) - 6
        assert settled.open["open"] == settled.open["line_fault"] == []
        assert ship.entry_types() == {"watch.settled": 1}


async def test_a_door_left_open_over_a_boot_is_told_of_when_all_has_settled(tmp_path):
    async with sailing(tmp_path, up_s=5.0, awaits_all=False) as ship:
        await ship.move("open", "d12")
        for station, person in ship.crew.items():
            await ship.take_watch(station, person)
        await ship.sail(50.0, grain_s=0.5)
        assert seen(ship) == []
        await ship.sail(30.0, grain_s=0.5)
        (settled,) = ship.of_type("watch.settled")
        assert settled.open["open"] == ["STRG GEAR ESC"]
        ((title, name, *_),) = seen(ship)
        assert (title, name) == ("BLIND, NOW OPEN", "STRG GEAR ESC")


async def test_mirrored_equipment_is_shown_though_it_raises_nothing(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.type("bnwas alarm id=3 on=true title=STAGE2 priority=A")
        await ship.move("open", "h01")
        await ship.sail(5.0)
        assert ship.newest["point/h01"]["value"] == "open"
        (alert,) = ship.newest["point/bnwas.alerts"]["value"]["alerts"]
        assert alert["active"] is True
        assert seen(ship) == []


async def test_a_dead_unit_does_not_slow_the_other_on_its_bus(tmp_path):
    async with sailing(tmp_path) as ship:
        bus = ship.devices["bus-rtu"]
        before = bus.asked[5]
        await ship.sail(30.0, grain_s=FINE_S)
        usual = bus.asked[5] - before
        await ship.type("rtu6 fault fault=dead")
        before = bus.asked[5]
        await ship.sail(30.0, grain_s=FINE_S)
        assert bus.asked[5] - before >= 0.9 * usual
