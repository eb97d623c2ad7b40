"""Who hears an alert, who may silence it, and what no station is listened to for."""

from __future__ import annotations

import json

from daemon.mqtt.connection import Connection
from tests.ship import ROOT, SEAL_OPEN, Ship, sailing
from tests.ship_talk import ATTENDED, HATCH_ALERT, acknowledge, entries, open_hatch


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
