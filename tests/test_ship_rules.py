"""What the whole ship promises: alerts of devices, stations, record and broker, over failures and restarts."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import asynccontextmanager

import pytest

from daemon.drivers.nmea import NmeaDriver
from daemon.errors import LinkError, RecordError
from daemon.mqtt.connection import Connection
from daemon.record.segment import Segment
from simulators.io_unit import IoUnit
from simulators.vessel import VesselSimulator
from tests.ship import (
    HATCH,
    ROOT,
    SEAL_CLOSED,
    SEAL_OPEN,
    Ship,
    afloat,
    ashore,
    sailing,
)
from tests.soon import soon

WING = 2
HATCH_ALERT = "alert/door.escape.open.d12"
REAL_DISK_S = 600.0
"""A real disk may take a second of its own, in which a hand-moved clock goes far."""
ATTENDED = {"shown": True, "fresh": True, "sound_armed": True}


async def entries(ship: Ship, type_: str | None = None) -> list[dict]:
    """Return the newest hundred entries, oldest first."""
    said = await ship.control({"do": "log", "count": 100, "type": type_})
    return [json.loads(entry) for entry in said["entries"]]


def told(ship: Ship, name: str) -> list[dict]:
    """Return everything that was ever told on a topic, without its clearing."""
    return [json.loads(m.payload) for m in ship.heard if m.topic == f"{ROOT}{name}" and m.payload]


def alerts(ship: Ship) -> set[str]:
    """Return the open alerts of the picture, without what every demo has."""
    usual = {"data.simulated.ispsd", "station.none.ispsd"}
    return {n.removeprefix("alert/") for n in ship.newest if n.startswith("alert/")} - usual


async def open_hatch(ship: Ship) -> dict:
    await ship.unit.set_input(HATCH, False)
    return await ship.until(lambda: ship.state(HATCH_ALERT))


async def acknowledge(ship: Ship, alert: dict, station: str = "gangway", **person: str) -> dict:
    return await ship.ask(station, "ack", **seen(alert), **person)


async def ask_slowly(ship: Ship, station: str, verb: str, **arguments: object) -> dict:
    """Send a command and let time pass until its reply: one that waits for the disk needs it."""
    id_ = f"slow-{next(ship._ids)}"
    body = {"id": id_, "session": ship.newest["status"]["session"], **arguments}
    await ship._connection.deliver(
        f"{ROOT}cmd/{station}/{verb}", json.dumps(body).encode(), expiry_s=10
    )
    said = f"reply/{station}"

    def replied() -> bool:
        return (ship.state(said) or {}).get("id") == id_

    # Its second begins when the daemon has it: the broker takes real time, of which the clock knows nothing.
    await soon(lambda: replied() or ship.daemon.publisher._commands)
    await ship.until(replied, for_s=5.0)
    return ship.newest[said]


def seen(alert: dict) -> dict[str, object]:
    return {"alert": alert["id"], "instance": alert["instance"], "priority": alert["priority"]}


# Devices


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


# Seals


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


# What officers do


async def test_silence_lasts_thirty_seconds_and_a_new_alert_sounds_meanwhile(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await open_hatch(ship)
        reply = await ship.ask("gangway", "silence", person="L. Tupou")
        assert reply["extra"] == {"silenced": 1}
        assert reply["recorded"] is not None
        assert (ship.state(HATCH_ALERT)["state"], ship.state(HATCH_ALERT)["sounding"]) == (
            "S",
            False,
        )
        await ship.unit.do({"do": "inputs", "on": [2, 4, SEAL_OPEN]})
        await ship.until(lambda: ship.state("alert/seal.broken.s01"))
        assert ship.state("alert/seal.broken.s01")["sounding"] is True
        await ship.pass_time(28.5)
        assert ship.state(HATCH_ALERT)["sounding"] is False
        await ship.pass_time(1.5)
        assert (ship.state(HATCH_ALERT)["state"], ship.state(HATCH_ALERT)["sounding"]) == (
            "V",
            True,
        )
        assert (await ship.ask("bridge", "silence"))["extra"] == {"silenced": 2}
        assert (await ship.ask("bridge", "silence"))["extra"] == {"silenced": 0}


async def test_alerts_sound_where_the_watch_is_in_port_and_not_on_the_bridge(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert (await open_hatch(ship))["sounds_at"] == ["gangway", "office"]


async def test_without_an_attended_live_station_ispsd_says_so_everywhere(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(59.0)
        assert ship.state("alert/station.none.ispsd") is None
        assert ship.state("status")["state"] == "ready"
        await ship.pass_time(3.0)
        none = ship.state("alert/station.none.ispsd")
        assert (none["title"], none["state"]) == ("NO ALERT STATION", "V")
        assert ship.state("status")["state"] == "degraded"
        assert "NO ALERT STATION" in ship.state("status")["reasons"]
        # Alive without a person, or a person without life, is no watch.
        await ship.ask("gangway", "alive", **ATTENDED)
        await ship.pass_time(10.0)
        assert ship.state("alert/station.none.ispsd")["state"] == "V"
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        for _ in range(2):
            await ship.ask("gangway", "alive", **ATTENDED)
            await ship.pass_time(10.0)
        assert ship.state("alert/station.none.ispsd")["state"] == "U"
        assert (await acknowledge(ship, ship.state("alert/station.none.ispsd")))["accepted"]
        await ship.pass_time(2.0)
        assert ship.state("status")["state"] == "ready"
        assert ship.state("station/gangway")["live"] is True
        # The page is closed: 25 s until it counts as gone, then the minute again.
        await ship.pass_time(70.0)
        assert ship.state("station/gangway")["live"] is False
        assert ship.state("alert/station.none.ispsd") is None
        await ship.until(lambda: ship.state("alert/station.none.ispsd"), for_s=20.0)
        await ship.until(lambda: ship.state("status")["state"] == "degraded", for_s=1.0)


async def test_a_retained_command_is_refused_and_recorded(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        alert = await open_hatch(ship)
        attacker = Connection(address_of(ship), client_id="attacker")
        await attacker.connect()
        body = {
            "id": "r1",
            "session": ship.newest["status"]["session"],
            "alert": alert["id"],
            "instance": alert["instance"],
            "priority": alert["priority"],
        }
        await attacker.deliver(
            f"{ROOT}cmd/gangway/ack", json.dumps(body).encode(), retain=True, expiry_s=10
        )
        await attacker.disconnect()
        # A live publish arrives as retained for who asks for it, so it is refused at once.
        await ship.until(lambda: (ship.state("reply/gangway") or {}).get("id") == "r1")
        assert ship.state("reply/gangway")["accepted"] is False
        assert "retained" in ship.state("reply/gangway")["reason"]
        assert ship.state(HATCH_ALERT)["state"] == "V"
        await ship.pass_time(2.0)
        (refused,) = await entries(ship, "command.refused")
        assert refused["open"] == {"station": "gangway", "ground": "retained", "count": 1}


def address_of(ship: Ship):
    return ship.daemon.publisher._broker


# Restarts


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


# The ship's own sensors


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


# Record, broker and clock


def failing_appends(monkeypatch) -> dict[str, bool]:
    """Let every append fail while ``broken`` is true."""
    disk = {"broken": True}
    append = Segment.append

    def meet(segment, *args):
        if disk["broken"]:
            raise RecordError("no space left on device")
        return append(segment, *args)

    monkeypatch.setattr(Segment, "append", meet)
    return disk


async def test_a_record_that_cannot_be_written_stops_no_alert_and_no_officer(tmp_path, monkeypatch):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        disk = failing_appends(monkeypatch)
        alert = await open_hatch(ship)
        assert (alert["state"], alert["recorded"]) == ("V", None)
        before_s = ship.clock.now_s()
        reply = await ask_slowly(ship, "gangway", "ack", **seen(alert), person="L. Tupou")
        assert (reply["accepted"], reply["recorded"]) == (True, None)
        assert ship.clock.now_s() - before_s <= 1.25, (
            "an answer waits a second for the disk, no more"
        )
        assert (ship.state(HATCH_ALERT)["state"], ship.state(HATCH_ALERT)["recorded"]) == (
            "A",
            None,
        )
        again = await acknowledge(ship, alert, station="bridge")
        assert again["already"] == {"station": "gangway", "seq": None}
        saved = await ship.until(lambda: ship.state("alert/record.not_saved.ispsd"), for_s=40.0)
        assert (saved["title"], saved["recorded"]) == ("RECORD NOT SAVED", None)
        assert "RECORD NOT SAVED" in (
            await ship.until(lambda: ship.state("status")["reasons"], for_s=3.0)
        )
        disk["broken"] = False
        await ship.until(
            lambda: ship.state("alert/record.not_saved.ispsd") is None, for_s=REAL_DISK_S
        )
        assert ship.state(HATCH_ALERT)["recorded"] is not None
        states = [e["open"]["state"] for e in await entries(ship) if e["subject"] == "d12"]
        assert states == ["V", "A"], "in the order in which it happened"
        assert (await acknowledge(ship, alert, station="bridge"))["already"]["seq"] is not None


async def test_what_found_no_room_is_a_gap_in_its_place(tmp_path, monkeypatch):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        ship.daemon.record._pending._limit = 2
        disk = failing_appends(monkeypatch)
        await open_hatch(ship)
        for _ in range(3):
            await ask_slowly(ship, "gangway", "take_watch", person="L. Tupou")
        disk["broken"] = False
        await ship.until(lambda: ship.daemon.record.health().writable, for_s=REAL_DISK_S)
        await ship.ask("gangway", "take_watch", person="J. Santos")
        lost = ship.daemon.record.health().lost
        told = [(e["type"], e["open"].get("lost")) for e in await entries(ship)]
        gap = told.index(("record.gap", lost))
        assert lost >= 2
        assert told[gap - 2 : gap] == [("alert.changed", None), ("watch.taken", None)]
        assert told[gap + 1] == ("watch.taken", None)


async def test_a_record_that_cannot_even_be_opened_leaves_the_watch_in_order(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        (tmp_path / "record").write_text("a file where the folder should be", "utf-8")
        without_events(ship)
        log = io.StringIO()
        async with afloat(ship, broker, feeds, log=log):
            assert "record.not_open" in log.getvalue()
            await ship.pass_time(1.0)
            alert = await open_hatch(ship)
            reply = await ask_slowly(ship, "gangway", "ack", **seen(alert))
            assert (reply["accepted"], reply["recorded"]) == (True, None)
            await ship.until(lambda: ship.state("alert/record.not_saved.ispsd"), for_s=40.0)
            (tmp_path / "record").unlink()
            # A hand-moved second passes faster than a real disk opens a file.
            await ship.until(lambda: (ship.state(HATCH_ALERT) or {}).get("recorded"), for_s=600.0)
            types = [e["type"] for e in await entries(ship)]
            assert types[:2] == ["segment.opened", "daemon.started"]
        assert log.getvalue().count("events.held") == 1, "one line an outage"


async def test_an_instance_never_comes_again_though_the_record_opens_late(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            old = await open_hatch(ship)
            await ship.pass_time(1.0)
        (tmp_path / "record").rename(tmp_path / "away")
        (tmp_path / "record").write_text("a file where the folder should be", "utf-8")
        await ship.unit.set_input(HATCH, True)
        without_events(ship)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            new = await open_hatch(ship)
            assert new["instance"] > old["instance"]
            reply = await ask_slowly(ship, "gangway", "ack", **seen(old))
            assert (reply["accepted"], "stale" in reply["reason"]) == (False, True)


def without_events(ship: Ship) -> None:
    """Let the ship come to rest although no event can be read: state does not wait for the record."""

    async def settle() -> None:
        mirror = ship.daemon.publisher._board.mirror
        for _ in range(2):
            await ship.daemon.record.drained()
            await soon(lambda: mirror.has_settled(mirror.revision))
            await ship._barrier()

    ship.settle = settle  # type: ignore[method-assign]


async def test_a_step_of_utc_is_an_entry_and_moves_no_age(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        alert = await open_hatch(ship)
        ship.clock.step_utc(-86_400.0)
        await ship.pass_time(2.0)
        (stepped,) = await entries(ship, "clock.stepped")
        assert stepped["open"]["milliseconds"] == -86_400_000
        assert stepped["class"] == "watch"
        assert ship.state("point/d12")["quality"] == "good"
        assert ship.state(HATCH_ALERT)["instance"] == alert["instance"]
        ups = [e["up_ms"] for e in await entries(ship)]
        assert ups == sorted(ups)


class Cable:
    """What the daemon's connection to the broker goes through, and can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._cut = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._visits: set[asyncio.Task[None]] = set()

    async def lay(self) -> int:
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self._cut = True
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        self._cut = False

    async def take_up(self) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._visits, return_exceptions=True)
        await self._server.wait_closed()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        self._visits.add(visit)
        self._ends.add(writer)
        try:
            if self._cut:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            self._ends.add(back)
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        except OSError:
            """The broker is away, or the cable is cut."""
        finally:
            for end in tuple(self._ends):
                end.transport.abort()
            self._ends.clear()
            self._visits.discard(visit)


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()


@asynccontextmanager
async def with_cable(tmp_path):
    """A ship whose daemon reaches the broker by a cable."""
    async with ashore(tmp_path) as (ship, broker, feeds):
        cable = Cable(broker.port)
        port = await cable.lay()

        def edit(text: str) -> str:
            assert f"port = {broker.port}\n" in text
            return text.replace(f"port = {broker.port}\n", f"port = {port}\n")

        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(1.0)
            yield ship, cable
        await cable.take_up()


async def alone(ship: Ship, condition, *, for_s: float = 60.0) -> None:
    """Let time pass without a broker, by quarters of a second; entries reach the disk between."""
    end_s = ship.clock.now_s() + for_s
    while not condition():
        assert ship.clock.now_s() < end_s, "it did not come"
        await ship.clock.advance(0.25)
        await ship.daemon.record.drained()
        await asyncio.sleep(0.001)


async def test_without_a_broker_the_watch_goes_on_and_events_follow_in_order(tmp_path):
    async with with_cable(tmp_path) as (ship, cable):
        before, session = len(told(ship, "event")), ship.state("status")["session"]
        cable.cut()
        cut_s = ship.clock.now_s()
        await ship.unit.set_input(HATCH, False)
        await alone(ship, lambda: ship.daemon.engine.find("door.escape.open", "d12"), for_s=2.0)
        await alone(ship, lambda: ship.daemon.engine.find("path.fault", "ispsd"))
        assert 30.0 <= ship.clock.now_s() - cut_s <= 32.0
        assert len(told(ship, "event")) == before
        cable.mend()
        await alone(ship, lambda: ship.daemon.publisher.facts().connected)
        await ship.settle()
        assert ship.state("status")["session"] != session
        assert (ship.state(HATCH_ALERT)["state"], ship.state(HATCH_ALERT)["sounding"]) == (
            "V",
            True,
        )
        assert ship.state("alert/path.fault.ispsd")["title"] == "ALERT PATH FAULT"
        await ship.pass_time(12.0)
        assert ship.state("alert/path.fault.ispsd")["state"] == "U"
        events = told(ship, "event")
        assert len(events) >= before + 3
        assert [e["bseq"] for e in events] == list(range(1, len(events) + 1))


WATCHDOG_S = 8.0


@pytest.fixture
def fed(monkeypatch) -> list[tuple[str, ...]]:
    """Return what systemd is told."""
    said: list[tuple[str, ...]] = []
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG_S * 1e6)))
    monkeypatch.setattr("daemon.systemd.notify", lambda *lines: said.append(lines))
    return said


MEAL = ("WATCHDOG=1",)


async def test_systemd_is_told_of_start_progress_and_stop(tmp_path, fed):
    async with sailing(tmp_path) as ship:
        assert fed[:2] == [("STATUS=opening the record",), ("READY=1", "STATUS=keeping the watch")]
        for _ in range(5):
            meals = fed.count(MEAL)
            await ship.pass_time(WATCHDOG_S / 2)
            assert fed.count(MEAL) > meals, "twice within its time at least"
    assert fed[-1] == ("STOPPING=1",)


@pytest.mark.parametrize("stalled", ["watch", "publisher"])
async def test_the_watchdog_starves_when_watch_or_publisher_stand_still(
    tmp_path, fed, monkeypatch, stalled
):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(WATCHDOG_S)
        if stalled == "watch":
            standing = property(lambda _: 7, lambda _, __: None)
            monkeypatch.setattr(type(ship.daemon.watch), "looks", standing, raising=False)
        else:
            facts = ship.daemon.publisher.facts()
            monkeypatch.setattr(ship.daemon.publisher, "facts", lambda: facts)
        await ship.pass_time(WATCHDOG_S / 4)
        meals = fed.count(MEAL)
        assert meals > 0
        await ship.pass_time(5 * WATCHDOG_S)
        assert fed.count(MEAL) == meals


async def test_a_broker_that_is_gone_for_minutes_is_no_reason_to_restart(
    tmp_path, fed, monkeypatch
):
    """A stalled device or broker is an alert; a restart would only make it worse."""
    unit_file_s = 60.0
    monkeypatch.setenv("WATCHDOG_USEC", str(int(unit_file_s * 1e6)))
    async with with_cable(tmp_path) as (ship, cable):
        cable.cut()
        end_s = ship.clock.now_s() + 600.0
        meals, fed_s, longest_s = fed.count(MEAL), ship.clock.now_s(), 0.0
        while ship.clock.now_s() < end_s:
            await ship.clock.advance(1.0)
            await asyncio.sleep(0.001)
            if fed.count(MEAL) > meals:
                meals, fed_s = fed.count(MEAL), ship.clock.now_s()
            longest_s = max(longest_s, ship.clock.now_s() - fed_s)
        assert longest_s < unit_file_s
        cable.mend()
        await alone(ship, lambda: ship.daemon.publisher.facts().connected)
