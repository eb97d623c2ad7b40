"""Inhibits, equipment out of service, levels and blackouts on a whole ship: by MQTT, by hand, and over a restart."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from daemon import cli
from daemon.errors import RefusedError
from tests.pins import PIN
from tests.ship import HATCH, ROOT, Ship, afloat, ashore, sailing
from tests.ship_talk import alerts, entries
from tests.test_cli import typed, written

if TYPE_CHECKING:
    from daemon.mqtt.wire import Message

HATCH_ID = "door.escape.open.d12"
OUT = {"do": "out_of_service", "reason": "rewiring", "measure": "man at the door", "hours": 8}
BOTH = ["R. Menon", "A. Lindqvist"]
OF_NO_STATION = ("sso/", "record/head", "heartbeat")


async def test_an_alert_is_inhibited_from_a_station_and_every_station_sees_until_when(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        said = {"alert": HATCH_ID, "minutes": 30, "reason": "contact loose"}
        reply = await ship.ask("bridge", "inhibit", person="J. Santos", **said)
        assert (reply["accepted"], reply["recorded"] is not None) == (True, True)
        shown = ship.state(f"inhibit/{HATCH_ID}")
        assert (shown["title"], shown["name"], shown["by"]) == (
            "ESC HATCH OPEN",
            "STRG GEAR ESC",
            "J. Santos",
        )
        assert shown["ends_up"] == pytest.approx(ship.clock.now_s() + 1800.0, abs=2.0)
        await ship.unit.set_input(HATCH, False)
        await ship.pass_time(2.0)
        assert alerts(ship) == set()
        too_long = await ship.ask(
            "bridge", "inhibit", person="J. Santos", **{**said, "minutes": 61}
        )
        assert "1 to 60 min" in too_long["reason"]
        # The reason is in the record and on the worklist, for the SSO: on no open topic.
        assert not [m for m in _open(ship) if b"contact loose" in m.payload]
        ended = await ship.ask("bridge", "inhibit", person="J. Santos", alert=HATCH_ID, minutes=0)
        assert ended["accepted"]
        await ship.pass_time(1.0)
        assert alerts(ship) == {HATCH_ID}


async def test_who_takes_the_watch_is_told_what_is_silenced_and_ends_in_it(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        quiet = await ship.ask("gangway", "take_watch", person="L. Tupou")
        assert quiet["extra"] == {"open": ["SIMULATED DATA ISPSD"]}
        said = {"alert": HATCH_ID, "minutes": 30, "reason": "contact loose"}
        await ship.ask("bridge", "inhibit", person="J. Santos", **said)
        permit = {"door": "d11", "worker": "D. Kovac", "work": "greasing", "minutes": 60}
        await ship.ask("bridge", "permit", person="J. Santos", **permit)
        await ship.control({**OUT, "equipment": "d12", "by": ["R. Menon"]})
        await ship.control({**OUT, "equipment": "ssas", "by": BOTH})
        told = (await ship.ask("gangway", "take_watch", person="L. Tupou"))["extra"]
        assert [each["alert"] for each in told["inhibited"]] == [HATCH_ID]
        assert [each["door"] for each in told["permits"]] == ["d11"]
        assert told["out_of_service"] == ["STRG GEAR ESC"], "and nothing of the SSAS"
        assert [line.split(" ", 1)[1] for line in told["expires"]] == [
            "inhibit ESC HATCH OPEN STRG GEAR ESC",
            "permit STRG GEAR DOOR, D. Kovac",
        ]


async def test_the_eto_proposes_the_sso_takes_it_and_the_watch_reads_the_bare_fact(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        said = {"equipment": "d12", "reason": "rewiring", "measure": "man at the door", "hours": 8}
        proposed = await ship.ask("bridge", "out_of_service", person="D. Kovac", **said)
        assert proposed["extra"] == {"waits_for": "the SSO to take it"}
        assert ship.state("equipment/d12") is None
        (item,) = [i for i in ship.state("sso/worklist")["items"] if i["id"] == "d12"]
        assert "D. Kovac proposes" in item["text"]
        taken = await ship.ask("bridge", "out_of_service", person="R. Menon", equipment="d12")
        assert taken["accepted"], taken
        shown = ship.state("equipment/d12")
        assert (shown["name"], shown["readiness"]) == ("STRG GEAR ESC", "out of service")
        private = ship.state("sso/out_of_service/d12")
        assert (private["reason"], private["measure"], private["by"]) == (
            "rewiring",
            "man at the door",
            "R. Menon",
        )
        bodies = [m.payload for m in _open(ship)]
        assert not [body for body in bodies if b"rewiring" in body or b"man at the door" in body]
        back = await ship.ask(
            "bridge", "out_of_service", person="R. Menon", equipment="d12", hours=0
        )
        assert back["accepted"]
        assert (ship.state("equipment/d12"), ship.state("sso/out_of_service/d12")) == (None, None)


async def test_equipment_with_a_test_is_out_of_service_where_its_readiness_stands(tmp_path):
    async with sailing(tmp_path, feeds=True) as ship:
        await ship.pass_time(2.0)
        before = ship.state("equipment/ais")["readiness"]
        await ship.control({**OUT, "equipment": "ais", "by": ["A. Lindqvist"]})
        await ship.pass_time(2.0)
        assert ship.state("equipment/ais")["readiness"] == "out of service"
        await ship.control(
            {"do": "out_of_service", "equipment": "ais", "hours": 0, "by": ["A. Lindqvist"]}
        )
        await ship.pass_time(2.0)
        assert ship.state("equipment/ais")["readiness"] == before != "out of service"


def _open(ship: Ship) -> list[Message]:
    """Return everything that a watch station can have read; commands it cannot."""
    return [m for m in ship.heard if not m.topic.removeprefix(ROOT).startswith(("sso/", "cmd/"))]


async def test_covert_the_ssas_is_out_of_service_under_sso_and_nowhere_else(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(2.0)
        # Over MQTT it does not exist, in the words for what does not.
        said = {"reason": "battery", "measure": "handset", "hours": 8}
        refused = [
            await ship.ask("bridge", "out_of_service", person=person, equipment=id_, **said)
            for person in ("R. Menon", "D. Kovac", "A. Lindqvist")
            for id_ in ("ssas", "nothing")
        ]
        reasons = {r["reason"].replace("ssas", "it").replace("nothing", "it") for r in refused}
        assert reasons == {"there is no equipment 'it'"}
        heard = len(ship.heard)
        with pytest.raises(RefusedError, match="needs the Master too"):
            await ship.control({**OUT, "equipment": "ssas", "by": ["R. Menon"]})
        await ship.control({**OUT, "equipment": "ssas", "by": BOTH})
        await ship.pass_time(2.0)
        await ship.control(
            {"do": "out_of_service", "equipment": "ssas", "hours": 0, "by": ["R. Menon"]}
        )
        await ship.pass_time(2.0)
        topics = {m.topic.removeprefix(ROOT) for m in ship.heard[heard:]}
        assert "sso/out_of_service/ssas" in topics
        open_ones = {t for t in topics if not t.startswith(OF_NO_STATION)}
        assert {
            t for t in open_ones if not t.startswith(("point/", "driver/", "station/"))
        } == set()
        types = [e for e in await entries(ship) if e["type"].startswith("out_of_service.")]
        assert {e["class"] for e in types} == {"sso"}
        open_status = await ship.control({"do": "status"})
        assert "ssas" not in json.dumps(open_status).lower()


async def test_a_vital_door_wants_both_pins(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        by_mqtt = await ship.ask(
            "bridge", "out_of_service", person="R. Menon", equipment="d11",
            reason="rewiring", measure="man at the door", hours=8,
        )  # fmt: skip
        assert "needs the Master too" in by_mqtt["reason"]
        with pytest.raises(RefusedError) as refused:
            await ship.control({**OUT, "equipment": "d11", "by": BOTH}, pins=False)
        assert refused.value.wants == {"pins": BOTH}
        await ship.control({**OUT, "equipment": "d11", "by": BOTH[::-1]})
        shown = ship.state("sso/out_of_service/d11")
        assert (shown["by"], shown["with_master"]) == ("R. Menon", "A. Lindqvist")


async def test_the_unit_of_a_vital_door_wants_both_too(tmp_path):
    """Its loss would be told nobody, and with it that the door is not seen."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        unit = next(o for o in ship.daemon.config.openings if o.id == "d11").device
        with pytest.raises(RefusedError, match="needs the Master too"):
            await ship.control({**OUT, "equipment": unit, "by": ["R. Menon"]})
        await ship.control({**OUT, "equipment": unit, "by": BOTH})
        assert ship.state(f"sso/out_of_service/{unit}")["with_master"] == "A. Lindqvist"


async def test_who_is_named_beside_the_sso_is_the_master_with_his_pin(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        with pytest.raises(RefusedError) as refused:
            await ship.control({**OUT, "equipment": "d12", "by": BOTH}, pins=False)
        assert refused.value.wants == {"pins": BOTH}
        with pytest.raises(RefusedError, match=r"J\. Santos is not the Master"):
            await ship.control({**OUT, "equipment": "d12", "by": ["R. Menon", "J. Santos"]})
        assert ship.state("sso/out_of_service/d12") is None


@pytest.mark.parametrize("in_a_new_segment", [False, True])
async def test_what_was_ordered_survives_a_restart(tmp_path, in_a_new_segment):
    """A kill has a test of its own, with a process: ``processes/test_kill``."""
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await _everything(ship)
            if in_a_new_segment:
                await ship.control({"do": "rotate", "by": "R. Menon", "reason": "dry dock"})
            before = {name: ship.state(name) for name in _shown(ship)}
        async with afloat(ship, broker, feeds):
            await ship.pass_time(2.0)
            after = {name: ship.state(name) for name in _shown(ship)}
            assert after.keys() == before.keys()
            for name, body in before.items():
                same = {k: v for k, v in body.items() if k not in {"session", "up", "ends_up"}}
                now = {
                    k: v for k, v in after[name].items() if k not in {"session", "up", "ends_up"}
                }
                if name == "ship":
                    for each in (same["blackout"], now["blackout"]):
                        del each["begins_up"], each["ends_up"]
                assert now == same, name


async def _everything(ship: Ship) -> None:
    order = {"do": "order", "by": "R. Menon"}
    said = {"alert": HATCH_ID, "minutes": 300, "reason": "contact loose"}
    await ship.control({**order, "verb": "inhibit", "said": said})
    await ship.control({**OUT, "equipment": "d12", "by": ["R. Menon"]})
    await ship.control({**OUT, "equipment": "ssas", "by": BOTH})
    await ship.control({**OUT, "equipment": "s01", "by": ["D. Kovac"]})
    said = {"level": 2, "told_by": "port facility", "notified": "0205Z"}
    await ship.control({**order, "verb": "level", "said": said})
    await ship.control({**order, "verb": "port_level", "said": {"level": 2, "told_by": "PFSO"}})
    await ship.control({**order, "verb": "blackout", "said": {"minutes": 60, "begins": "0800Z"}})


def _shown(ship: Ship) -> list[str]:
    beginnings = ("inhibit/", "sso/out_of_service/", "equipment/d12", "ship")
    return [name for name in ship.newest if name.startswith(beginnings)]


async def test_a_blackout_that_was_over_while_ispsd_was_off_ends_once(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            said = {"minutes": 10}
            await ship.control({"do": "order", "verb": "blackout", "said": said, "by": "J. Santos"})
            await ship.pass_time(1.0)
            assert alerts(ship) == {"blackout.planned.ispsd"}
        ship.clock.step_utc(3600.0)
        for _ in range(2):
            async with afloat(ship, broker, feeds):
                await ship.pass_time(2.0)
                assert alerts(ship) == set()
                assert len(await entries(ship, "blackout.ended")) == 1
                assert ship.state("ship")["blackout"] is None


async def test_an_hour_for_measures_runs_on_over_a_restart(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            said = {"level": 2, "told_by": "port facility"}
            await ship.control({"do": "order", "verb": "level", "said": said, "by": "J. Santos"})
        ship.clock.step_utc(3500.0)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(60.0)
            assert "level.not_in_force.ispsd" not in alerts(ship)
            await ship.pass_time(45.0)
            assert "level.not_in_force.ispsd" in alerts(ship)


async def test_a_time_of_day_of_an_order_is_told_back_as_it_was_understood(tmp_path):
    async with sailing(tmp_path) as ship:
        santos = {"person": "J. Santos"}
        told = {**santos, "level": 2, "told_by": "flag", "notified": "02:13Z"}
        raised = await ship.ask("bridge", "level", **told)
        assert raised["extra"]["notified"].startswith("2026-11-22T02:10:")
        again = await ship.ask("bridge", "level", **{**told, "notified": "02:03Z"})
        assert again["extra"]["notified"] == "2026-11-22T02:03:00.000Z"
        del told["notified"]
        assert "extra" not in await ship.ask("bridge", "level", **told)
        planned = await ship.ask("bridge", "blackout", **santos, minutes=10, begins="02:08Z")
        assert planned["extra"]["begins"].startswith("2026-11-22T02:10:")


async def test_a_stricter_order_says_what_stands_in_its_way(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        free = await ship.ask("bridge", "ready_to_secure", level=3)
        assert free["extra"] == {"ready": True, "in_the_way": []}
        await ship.unit.set_input(HATCH, False)
        await ship.pass_time(1.0)
        wanted = [{"id": "d12", "name": "STRG GEAR ESC", "why": "open"}]
        asked = await ship.ask("bridge", "ready_to_secure", level=3, situation="anchor")
        assert asked["extra"] == {"ready": False, "in_the_way": wanted}
        raised = await ship.ask("bridge", "level", person="J. Santos", level=3, told_by="flag")
        assert raised["extra"] == {"in_the_way": wanted}
        with pytest.raises(RefusedError, match="'moon' is none of sea, manoeuvring, anchor"):
            await ship.control({"do": "ready_to_secure", "situation": "moon"})


async def test_all_of_it_is_typed_at_the_command_line_and_shown_by_status(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        by, pin = ("--by", "R. Menon"), written(tmp_path / "pin", PIN)
        out = ("--reason", "rewiring", "--measure", "patrol", "--for", "8")
        for words in (
            ("inhibit", HATCH_ID, "--for", "30", "--reason", "contact loose", *by),
            ("out-of-service", "d12", *out, "--by", "D. Kovac"),
            ("out-of-service", "d12", *by),
            (
                "out-of-service",
                "d11",
                *out,
                *by,
                "--by",
                "A. Lindqvist",
                "--pin-file",
                pin,
                "--pin-file",
                pin,
            ),
            ("level", "2", "--told-by", "flag", "--notified", "02:05Z", *by),
            ("port-level", "3", "--told-by", "PFSO", *by),
            ("blackout", "--from", "08:00Z", "--for", "60", *by),
            ("secure", "--level", "3"),
        ):
            assert await typed(ship, *words) == cli.DONE, capsys.readouterr()
        said = capsys.readouterr().out
        assert "waits for: the SSO to take it" in said
        assert "STRG GEAR DOOR   out of service" in said
        assert await typed(ship, "status", "--once") == cli.DONE
        shown = capsys.readouterr().out
        assert "MEASURES NOT SAID TO BE IN FORCE" in shown
        assert "port's security level 3" in shown
        assert "PLANNED BLACKOUT 22 Nov 0800Z to 0900Z, R. Menon" in shown
        assert "inhibited until 0240Z: ESC HATCH OPEN STRG GEAR ESC, R. Menon" in shown
        assert "OUT OF SERVICE: STRG GEAR ESC\n" in shown
        assert "rewiring" not in shown
        assert await typed(ship, "status", "--once", "--sso") == cli.DONE
        assert "instead: patrol" in capsys.readouterr().out
        assert await typed(ship, "worklist") == cli.DONE
        listed = capsys.readouterr().out
        assert "rewiring; instead:\n               patrol" in listed, (
            "what is long goes on under its text"
        )
        assert max(map(len, listed.splitlines())) <= 100
        assert re.search(r"out of service by R\. Menon until \d\d \w{3} \d{4}Z: ", listed)
        for words in (
            "inhibited until 0240 UTC by R. Menon: contact loose",
            "PLANNED BLACKOUT",
        ):
            assert words in listed
        for words in (
            ("level", "in-force", *by),
            ("inhibit", HATCH_ID, "--end", *by),
            ("out-of-service", "d12", "--end", *by),
            ("blackout", "--end", *by),
        ):
            assert await typed(ship, *words) == cli.DONE, capsys.readouterr()
        for words, reason in (
            (("level", "3", *by), "who told the ship?"),
            (("inhibit", HATCH_ID, *by), "for how long, and why?"),
            (("blackout", *by), "for how long?"),
        ):
            assert await typed(ship, *words) == cli.FAILED
            assert reason in capsys.readouterr().err


async def test_out_of_service_that_ended_while_ispsd_was_off_ends_once_and_what_holds_is_told(
    tmp_path,
):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await ship.control({**OUT, "equipment": "d12", "by": ["R. Menon"], "hours": 1})
            await ship.control({**OUT, "equipment": "ssas", "by": BOTH, "hours": 1})
            await ship.unit.set_input(HATCH, False)
            await ship.pass_time(2.0)
            assert alerts(ship) == set()
        ship.clock.step_utc(2 * 3600.0)
        for _ in range(2):
            heard = len(ship.heard)
            async with afloat(ship, broker, feeds):
                await ship.pass_time(3.0)
                assert alerts(ship) == {"door.blind_open.d12"}
                assert (ship.state("equipment/d12"), ship.state("sso/out_of_service/d12")) == (
                    None,
                    None,
                )
                ended = await entries(ship, "out_of_service.ended")
                assert [e["subject"] for e in ended] == ["d12", "ssas"]
                assert {e["class"] for e in ended} == {"sso"}
            assert not [m for m in _open(ship)[heard:] if b"ssas" in m.payload.lower()]


async def test_what_is_looked_at_just_after_a_start_has_had_the_time_to_be_seen(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await ship.control({**OUT, "equipment": "d12", "by": ["R. Menon"], "hours": 1})
        ship.clock.step_utc(3100.0)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(15.0)
            (checked,) = await entries(ship, "out_of_service.checked")
            assert (checked["open"]["found"], checked["open"]["healthy"]) == (
                "is seen closed",
                True,
            )


async def test_what_is_proposed_anew_while_it_is_out_of_service_stays_proposed(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await ship.control({**OUT, "equipment": "d12", "by": ["R. Menon"], "hours": 1})
            await ship.control({**OUT, "equipment": "d12", "by": ["D. Kovac"]})
            back = {"do": "out_of_service", "equipment": "d12", "hours": 0, "by": ["R. Menon"]}
            await ship.control(back)
            before = dict(ship.daemon.ship.proposals)
            assert before.keys() == {"d12"}
        async with afloat(ship, broker, feeds):
            assert ship.daemon.ship.proposals == before


@pytest.mark.parametrize("back_s", [3600.0, 50 * 365 * 86_400.0])
async def test_a_clock_that_was_set_back_gives_nothing_more_time(tmp_path, back_s):
    """A computer whose battery is dead begins in 1970; an inhibit would begin anew at each start."""
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            order = {"do": "order", "by": "R. Menon"}
            said = {"alert": HATCH_ID, "minutes": 2, "reason": "contact loose"}
            await ship.control({**order, "verb": "inhibit", "said": said})
            permit = {"door": "d11", "worker": "D. Kovac", "work": "greasing", "minutes": 2}
            await ship.control({**order, "verb": "permit", "said": permit})
            await ship.control({**order, "verb": "blackout", "said": {"minutes": 2}})
            given = ship.daemon.ship
            ends_s = given.inhibits[HATCH_ID].ends_s
            played = await ship.ask("gangway", "test_sound", person="L. Tupou")
            nonce = played["extra"]["nonce"]
            await ship.ask("gangway", "heard", person="L. Tupou", nonce=nonce)
            heard_until_s = ship.daemon.watch.stations.at("gangway").heard.ends_s
            await ship.pass_time(50.0)
            await ship.ask("gangway", "take_watch", person="L. Tupou")  # the last that is written
        ship.clock.step_utc(-back_s)
        async with afloat(ship, broker, feeds):
            now = ship.daemon.ship
            for thing in (now.inhibits[HATCH_ID], now.permits["d11"], now.blackout):
                assert thing.ends_s == pytest.approx(ends_s, abs=3.0)
            heard = ship.daemon.watch.stations.at("gangway").heard
            assert heard.ends_s == pytest.approx(heard_until_s, abs=3.0)


async def test_an_interference_area_that_ended_while_ispsd_was_off_ends_once_with_its_entry(
    tmp_path,
):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            said = {"area": "NAVAREA IX 412", "hours": 1}
            order = {"do": "order", "verb": "interference_area", "said": said, "by": "J. Santos"}
            await ship.control(order)
        ship.clock.step_utc(2 * 3600.0)
        for _ in range(2):
            async with afloat(ship, broker, feeds):
                await ship.pass_time(2.0)
                assert ship.state("ship")["interference_area"] is None
                begun, ended = await entries(ship, "interference_area.changed")
                assert (begun["open"]["hours"], ended["open"]["hours"]) == (1, 0)
