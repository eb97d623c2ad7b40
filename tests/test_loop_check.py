"""The loop check: two persons, two hours, each change told, no alert of its doors, and all judged anew at its end."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema_rs import Draft202012Validator

from daemon import cli
from daemon.commissioning.loopcheck import LoopCheck
from daemon.commissioning.looprun import Tag
from daemon.errors import RefusedError
from daemon.model import Classification, ContactState, LampState, Role, SecurityLevel
from daemon.mqtt.contract import schema_for
from daemon.mqtt.topics import Topics
from tests.makers import reading
from tests.ship import HATCH, SEAL_OPEN, afloat, ashore, sailing
from tests.ship_talk import HATCH_ALERT as SHIPS_HATCH
from tests.ship_talk import alerts, entries, told
from tests.test_orders import HATCH_ALERT, Rig, by, ordering
from tests.test_ship_devices import with_second_unit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CLOSED, OPEN = ContactState.CLOSED, ContactState.OPEN
ETO, OFFICER = Role.ETO, Role.OFFICER
MODE = "alert/maint.loop_check.ispsd"
TAGS = [
    *(Tag(d, f"DOOR {d.upper()}", "door", "io1", "aft", f"DI{d}", "nc") for d in "be"),
    Tag("m", "DOOR M", "door", "io3", "below", "DI1", "nc"),
    Tag("v", "DOOR V", "door", "io2", "below", "DI0", "nc"),
]


@asynccontextmanager
async def checking(**how: Any) -> AsyncIterator[tuple[Rig, LoopCheck]]:
    async with ordering(**how) as rig:
        check = LoopCheck(
            watch=rig.watch,
            tags=TAGS,
            topics=Topics("9999993"),
            board=rig.board,
            journal=rig.journal,
            clock=rig.clock,
        )
        rig.watch.aside = check
        running = asyncio.ensure_future(check.run())
        await rig.clock.advance(0.0)
        yield rig, check
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def begun(check: LoopCheck, scope: str = "io1", **how: Any) -> None:
    check.start(scope, by(ETO), **how)
    check.agree(by(OFFICER))


async def test_nothing_begins_before_the_watch_agrees():
    async with checking() as (rig, check):
        check.start("io1", by(ETO))
        assert rig.board.now["loop_check"]["state"] == "waiting"
        assert rig.entries("loop_check.started") == []
        await rig.opens("e")
        assert HATCH_ALERT in rig.board.now, "guarded as ever"
        await rig.pass_time(600.0)
        assert "loop_check" not in rig.board.now, "nobody agreed in ten minutes"
        with pytest.raises(RefusedError, match="no loop check waits"):
            check.agree(by(OFFICER))


@pytest.mark.parametrize("role", [Role.GANGWAY, Role.ENGINEER, Role.ETO])
async def test_only_an_officer_agrees_for_the_watch(role):
    async with checking() as (_, check):
        check.start("io1", by(ETO))
        with pytest.raises(RefusedError, match="may not agree"):
            check.agree(by(role))


@pytest.mark.parametrize("role", [Role.OFFICER, Role.GANGWAY, Role.ENGINEER])
async def test_only_the_eto_and_the_command_start(role):
    async with checking() as (_, check):
        with pytest.raises(RefusedError, match="may not start a loop check"):
            check.start("io1", by(role))


async def test_nobody_agrees_to_his_own():
    async with checking() as (_, check):
        check.start("io1", by(Role.SSO))
        with pytest.raises(RefusedError, match="two persons"):
            check.agree(by(Role.SSO))
        check.agree(by(Role.MASTER))


@pytest.mark.parametrize(
    ("scope", "minutes", "why"),
    [("io9", 60, "nothing to check"), ("io1", 121, "1 to 120"), ("io1", 0, "1 to 120")],
)
async def test_what_cannot_be_is_refused_and_nothing_is_asked_for(scope, minutes, why):
    async with checking() as (rig, check):
        with pytest.raises(RefusedError, match=why):
            check.start(scope, by(ETO), minutes=minutes)
        assert "loop_check" not in rig.board.now
        begun(check)
        with pytest.raises(RefusedError, match="already"):
            check.start("io1", by(ETO))


async def test_each_change_is_told_by_short_name_and_to_the_sso_with_its_tag():
    async with checking() as (rig, check):
        for door in "bev":
            rig.sees(door, CLOSED)
        begun(check)
        for state in (OPEN, CLOSED, ContactState.LINE_FAULT, None):
            rig.sees("e", state)
            rig.sees("e", state)
        rig.sees("v", OPEN)
        rig.sees("ssas.lamp", LampState.LIT)
        watch, sso = rig.board.now["loop_check"], rig.board.now["sso/loop_check"]
        states = [change["state"] for change in reversed(watch["changes"])]
        assert states == ["open", "closed", "line_fault", "not_seen"]
        assert [change["number"] for change in watch["changes"]] == [4, 3, 2, 1]
        text = json.dumps(watch)
        assert "DOOR E" in text
        assert not any(word in text for word in ("aft", "DIe", '"tag"', "ssas"))
        newest = sso["changes"][0]
        assert (newest["tag"], newest["device"], newest["inputs"]) == ("e", "io1", "DIe")
        for topic, body in (("loop_check", watch), ("sso/loop_check", sso)):
            whole = {**body, "session": "s", "up": 1.0}
            schema = schema_for(f"ispsd/9999993/v1/{topic}")
            assert list(Draft202012Validator(schema).iter_errors(whole)) == []


async def test_its_doors_raise_nothing_the_others_do_and_at_its_end_what_is_open_alerts():
    async with checking() as (rig, check):
        begun(check)
        await rig.pass_time(1.0)
        assert rig.board.now[MODE]["priority"] == "C"
        assert "DOOR E" in rig.board.now[MODE]["detail"]
        for _ in range(4):  # chattered, in life
            await rig.opens("e")
        assert rig.board.now["point/e"]["provenance"] == "test"
        await rig.opens("v")
        doors = [name for name in rig.board.now if name.startswith("alert/door.")]
        assert doors == ["alert/door.vital.open.v"]
        check.end(by(ETO))
        await rig.pass_time(1.0)
        assert HATCH_ALERT in rig.board.now
        assert not any("chatter" in name for name in rig.board.now), "it begins anew"
        assert MODE not in rig.board.now
        assert "loop_check" not in rig.board.now


async def test_what_stood_before_stands_on_and_ends_by_what_is_seen_at_the_end():
    async with checking() as (rig, check):
        await rig.opens("e")
        begun(check)
        rig.sees("e", CLOSED)
        await rig.pass_time(10.0)
        assert rig.board.now[HATCH_ALERT]["state"] == "V", "nobody judges it now"
        check.end(by(ETO))
        await rig.pass_time(3.0)
        assert rig.board.now[HATCH_ALERT]["state"] == "U"


async def test_nothing_is_held_open_by_what_was_seen_before():
    async with checking() as (rig, check):
        await rig.opens("m")
        begun(check, "io3")
        rig.sees("m", CLOSED)
        await rig.pass_time(660.0)
        assert [name for name in rig.board.now if "held_open" in name] == []


async def test_openings_before_it_and_the_state_at_its_end_are_no_chatter():
    async with checking() as (rig, check):
        for _ in range(2):
            await rig.opens("e")
            rig.sees("e", CLOSED)
        await rig.pass_time(5.0)
        begun(check)
        rig.sees("e", OPEN)
        check.end(by(ETO))
        await rig.pass_time(1.0)
        assert rig.board.now[HATCH_ALERT]["state"] == "V"
        assert not any("chatter" in name for name in rig.board.now)


async def test_one_entry_at_the_start_and_one_at_the_end_with_what_was_seen_and_the_wiring():
    async with checking() as (rig, check):
        for door in "be":
            rig.sees(door, CLOSED)
        begun(check, minutes=30)
        for state in (OPEN, CLOSED) * 20:
            rig.sees("e", state)
        await rig.pass_time(29 * 60.0)
        assert rig.board.now["loop_check"]["state"] == "on"
        await rig.pass_time(61.0)
        ((station, person, started),) = rig.entries("loop_check.started")
        assert (station, person, started["by"]) == ("bridge", "officer", "eto")
        (ended,) = [d for d in rig.journal.drafts if d.type == "loop_check.ended"]
        assert ended.open["reason"] == "30 min are over"
        assert ended.open["seen"] == {"open": ["DOOR E"], "closed": ["DOOR E"]}
        assert ended.open["not_moved"] == ["DOOR B"]
        assert ended.open["changes"] == 40
        private = ended.parts["sso"]["wiring"]
        assert {row["tag"]: row["inputs"] for row in private} == {"b": "DIb", "e": "DIe"}
        assert "DIe" not in json.dumps(ended.open), "inputs are the SSO's"


async def test_not_at_security_level_3():
    async with checking() as (rig, check):
        begun(check)
        rig.ship.level = SecurityLevel.THREE
        await rig.pass_time(2.0)
        ((_, _, ended),) = rig.entries("loop_check.ended")
        assert ended["reason"] == "security level 3"
        with pytest.raises(RefusedError, match="level 3"):
            check.start("io1", by(ETO))


async def test_a_measured_value_is_told_when_it_comes_and_goes_only():
    async with checking() as (rig, check):
        begun(check, "all")
        for value in (1.0, 2.0, 3.0, None, 4.0):
            rig.watch.take(reading("v", value, at_s=rig.clock.now_s()))
        said = [change["state"] for change in rig.board.now["loop_check"]["changes"]]
        assert said == ["seen", "not_seen", "seen"]


# The whole ship


async def test_on_the_ship_it_goes_over_the_broker_and_other_units_keep_alerting(tmp_path):
    async with with_second_unit(tmp_path) as (ship, second):
        asked = {"person": "D. Kovac", "do": "start", "device": "io1"}
        assert (await ship.ask("office", "loop_check", **asked))["accepted"]
        no = await ship.ask("gangway", "loop_check", person="L. Tupou", do="agree")
        assert "may not agree" in no["reason"]
        yes = await ship.ask("bridge", "loop_check", person="J. Santos", do="agree")
        assert yes["recorded"] is not None
        await ship.unit.set_input(HATCH, False)
        await ship.until(lambda: (ship.state("loop_check") or {}).get("number"))
        assert ship.state("loop_check")["changes"][0]["name"] == "STRG GEAR ESC"
        assert ship.state("sso/loop_check")["changes"][0]["inputs"] == "DI3"
        assert ship.state("point/d12")["provenance"] == "test"
        await second.set_input(0, False)
        await ship.until(lambda: ship.state("alert/door.store.open.d20"), for_s=1.0)
        await ship.pass_time(5.0)
        assert SHIPS_HATCH.removeprefix("alert/") not in alerts(ship)
        ended = await ship.control(
            {"do": "loop_check", "what": "end", "by": "D. Kovac"}, pins=False
        )
        assert ended["recorded"] is not None
        await ship.until(lambda: ship.state(SHIPS_HATCH), for_s=1.0)
        assert ship.state("loop_check") is None
        (said,) = await entries(ship, "loop_check.ended")
        assert said["open"]["seen"] == {"open": ["STRG GEAR ESC"]}
        assert "ssas" not in json.dumps([told(ship, "loop_check"), said])
        wiring = await ship.daemon.record.part(said["seq"], Classification.SSO)
        assert "ssas" not in json.dumps(wiring)


async def test_no_ssas_source_can_be_checked(tmp_path):
    async with sailing(tmp_path) as ship:
        said = {}
        for device in ("ssas", "nothing"):
            asked = {"person": "D. Kovac", "do": "start", "device": device}
            said[device] = await ship.ask("bridge", "loop_check", **asked)
        assert said["ssas"]["accepted"] is False
        assert said["ssas"]["reason"].replace("ssas", "nothing") == said["nothing"]["reason"]


async def test_it_dies_with_the_process_and_says_so(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            await begin(ship)
            await ship.unit.do({"do": "inputs", "on": [2, 3, 4, SEAL_OPEN]})
            await ship.pass_time(5.0)
            assert "seal.broken.s01" not in alerts(ship)
        async with afloat(ship, broker, feeds):
            await ship.until(lambda: ship.state("alert/door.blind_open.s01"))  # as after any stop
            assert ship.state("loop_check") is None
            assert [e["open"]["reason"] for e in await entries(ship, "loop_check.ended")] == [
                "ispsd stopped"
            ]


async def test_one_that_was_killed_is_ended_by_the_next_start(tmp_path, monkeypatch):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await begin(ship)
            monkeypatch.setattr(LoopCheck, "_end", lambda *_: None)  # as kill -9 would
        monkeypatch.undo()
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            (ended,) = await entries(ship, "loop_check.ended")
            assert ended["open"]["reason"] == "ispsd was off"
            await ship.pass_time(2.0)
            assert "maint.loop_check.ispsd" not in alerts(ship)


async def test_from_a_terminal_it_is_asked_for_agreed_to_and_read(tmp_path, capfd):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert await typed(ship, "start", "--all", "--minutes", "30", "--by", "D. Kovac") == 0
        assert await typed(ship, "agree", "--by", "J. Santos") == 0
        await ship.unit.set_input(HATCH, False)
        await ship.until(lambda: ship.state("loop_check")["number"])
        assert await typed(ship, "show") == 0
        assert await typed(ship, "end", "--by", "D. Kovac") == 0
        assert await typed(ship, "follow") == 0, "it is over, and so is following it"
        assert await typed(ship, "start", "--by", "D. Kovac") == 1
        said, faults = capfd.readouterr()
        assert "waits for: the watch to agree" in said
        assert "loop check of all by D. Kovac, agreed by J. Santos" in said
        assert re.search(r"1  d12 +OPEN +STRG GEAR ESC +io1 DI3", said)
        assert "no loop check is on" in said
        assert "of what? --device ID, or --all" in faults


async def typed(ship: Any, *words: str) -> int:
    """Type a line at the ship's computer; return its exit code."""
    line = ["loop-check", *words, "--socket", str(ship.folder / "control.sock")]
    typing = asyncio.ensure_future(asyncio.to_thread(cli.main, line))
    while not typing.done():
        await ship.clock.advance(0.0)
        await asyncio.wait({typing}, timeout=0.01)  # it has a thread of its own
    await ship.settle()
    return await typing


async def begin(ship: Any) -> None:
    request = {"do": "loop_check", "what": "start", "device": "io1", "by": "D. Kovac"}
    await ship.control(request, pins=False)
    await ship.control({"do": "loop_check", "what": "agree", "by": "J. Santos"}, pins=False)
