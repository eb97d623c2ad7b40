"""Who hears an alert, who may silence it, and what no station is listened to for."""

from __future__ import annotations

import json

from daemon.mqtt.connection import Connection
from tests.ship import ROOT, SEAL_OPEN, Ship, afloat, ashore, sailing
from tests.ship_talk import ATTENDED, HATCH_ALERT, acknowledge, entries, open_hatch, seen, told


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


async def test_two_stations_that_acknowledge_at_once_are_one_acknowledgement(tmp_path):
    """Each gets its reply: one did it, the other reads who was quicker and under which entry."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        alert = await open_hatch(ship)
        await ship.pass_time(0.25)
        both = {"gangway": "L. Tupou", "bridge": "J. Santos"}
        session = ship.newest["status"]["session"]
        for station, person in both.items():
            body = {"id": "at-once", "session": session, "person": person, **seen(alert)}
            await ship._connection.deliver(
                f"{ROOT}cmd/{station}/ack", json.dumps(body).encode(), expiry_s=10
            )
        await ship.until(lambda: all(ship.state(f"reply/{station}") for station in both))
        replies = {station: ship.state(f"reply/{station}") for station in both}
        assert all(reply["accepted"] for reply in replies.values())
        (second,) = (s for s, reply in replies.items() if "already" in reply)
        (first,) = both.keys() - {second}
        seq = replies[first]["recorded"]
        already = replies[second]["already"]
        assert already["station"] == first
        assert already["seq"] in {seq, None}, "it may not be on disk yet"
        acknowledged = [
            e for e in await entries(ship, "alert.changed") if e["open"]["event"] == "acknowledge"
        ]
        assert [e["seq"] for e in acknowledged] == [seq]
        assert ship.state(HATCH_ALERT)["acknowledged_by"]["person"] == both[first]


async def test_a_replayed_old_command_is_refused_and_recorded(tmp_path):
    """Bytes that somebody kept: in the same session the act is not done again, in the next it is refused."""
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            body = {"id": "kept", "session": ship.newest["status"]["session"]}
            body |= {"person": "J. Santos", "situation": "sea", "confirm": True}
            kept = json.dumps(body).encode()

            async def send() -> dict:
                before = len(told(ship, "reply/bridge"))
                await ship._connection.deliver(f"{ROOT}cmd/bridge/situation", kept, expiry_s=10)
                await ship.until(lambda: len(told(ship, "reply/bridge")) > before)
                return told(ship, "reply/bridge")[-1]

            first = await send()
            assert first["accepted"]
            await ship.ask("bridge", "situation", person="J. Santos", situation="port")
            again = await send()
            assert again["recorded"] == first["recorded"]
            assert ship.state("ship")["situation"] == "port"
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            refused = await send()
            assert (refused["accepted"], refused["recorded"]) == (False, None)
            assert "meant for another session" in refused["reason"]
            assert ship.state("ship")["situation"] == "port"
            await ship.pass_time(2.0)
            (entry,) = await entries(ship, "command.refused")
            assert entry["open"] == {"station": "bridge", "ground": "old", "count": 1}


async def test_a_command_with_a_wrong_instance_is_refused_and_changes_nothing(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        alert = await open_hatch(ship)
        await ship.pass_time(0.25)
        alert = ship.state(HATCH_ALERT)
        for wrong in (alert["instance"] + 1, alert["instance"] - 1, 0):
            reply = await ship.ask("gangway", "ack", **{**seen(alert), "instance": wrong})
            assert reply["accepted"] is False
            assert f"stale: alert is at instance {alert['instance']} now" in reply["reason"]
        assert ship.state(HATCH_ALERT) == alert


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
