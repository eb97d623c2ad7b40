"""People are led through tests by the station and by the console: wrong order, two at once, breaking off, hostility."""

from __future__ import annotations

import json

import pytest

from daemon.errors import RefusedError
from tests.pins import PIN
from tests.voyage import FINE_S, sailing

DOOR = {"test": "t-door", "item": "d10"}
TESTER, SSO = "M. Petrov", "R. Menon"


async def started(ship, person=TESTER, station="gangway", **test):
    reply = await ship.station(station, "start_test", person=person, pin=PIN, **(test or DOOR))
    assert reply["accepted"], reply
    await ship.until(lambda: ship.newest.get("test/t-door", {}).get("step") == 1)
    return ship.newest["test/t-door"]


async def answered(ship, step, station="gangway", person=TESTER, **more):
    reply = await ship.station(station, "answer", person=person, test="t-door", step=step, **more)
    await ship.sail(FINE_S, grain_s=FINE_S)
    return reply


def last(ship):
    said = [e for e in ship.of_type("test.result") if e.open["test"] == "t-door"][-1]
    return said.open["outcome"], said.open["reason"]


async def test_the_page_shows_the_step_who_does_it_and_what_was_seen(tmp_path):
    async with sailing(tmp_path, pins=True) as ship:
        shown = await started(ship)
        assert (shown["step"], shown["steps"], shown["expects"]) == (1, 3, "done")
        assert (shown["who"], shown["tester"], shown["witness"]) == ("tester", TESTER, None)
        assert (shown["item"], shown["items_left"], shown["seen"]) == ("d10", 0, [])
        assert 0 < shown["seconds_left"] <= 300


async def test_a_step_out_of_order_is_refused_with_the_one_that_is_shown(tmp_path):
    async with sailing(tmp_path, pins=True) as ship:
        await started(ship)
        reply = await answered(ship, 2)
        assert reply["accepted"] is False
        assert "t-door is at step 1, not 2: " in reply["reason"]
        with pytest.raises(RefusedError, match="t-door is at step 1, not 3: "):
            await ship.ask({"do": "test.answer", "test": "t-door", "step": 3, "by": TESTER})
        assert ship.newest["test/t-door"]["step"] == 1


async def test_the_second_of_two_stations_is_told_who_was_quicker(tmp_path):
    async with sailing(tmp_path, pins=True) as ship:
        await started(ship)
        await ship.move("open", "d10")
        assert (await answered(ship, 1))["accepted"]
        await ship.until(lambda: ship.newest["test/t-door"]["step"] == 2)
        same = await answered(ship, 1, station="bridge", person="J. Santos")
        assert (same["accepted"], same["already"]) == (True, {"station": "gangway", "seq": None})
        other = await answered(ship, 1, station="bridge", person="J. Santos", text="no")
        assert other["accepted"] is False
        assert other["reason"] == f"step 1 was answered before, by {TESTER} at gangway"
        with pytest.raises(RefusedError, match=r"answered before, by M\. Petrov at gangway"):
            await ship.ask(
                {"do": "test.answer", "test": "t-door", "step": 1, "text": "no", "by": SSO}
            )


async def test_whoever_began_it_breaks_it_off_by_name_and_the_sso_with_his_pin(tmp_path):
    async with sailing(tmp_path, pins=True) as ship:
        said = {"test": "t-door", "reason": "called to the gangway"}
        early = await ship.station("gangway", "abort_test", person=TESTER, **said)
        assert early["reason"] == "t-door is not under way"
        await started(ship)
        other = await ship.station("bridge", "abort_test", person="J. Santos", pin=PIN, **said)
        assert "may not abort a test that another has begun" in other["reason"]
        wants = await ship.station("gangway", "abort_test", person=SSO, **said)
        assert wants["extra"] == {"wants": {"pin": SSO}}
        assert (await ship.station("gangway", "abort_test", person=TESTER, **said))["accepted"]
        await ship.until(lambda: "test/t-door" not in ship.newest)
        words = f"aborted by {TESTER} at step 1: called to the gangway"
        assert last(ship) == ("inconclusive", words)
        shown = [
            json.loads(m.payload)
            for m in ship.heard
            if m.topic.endswith("v1/test/t-door") and m.payload
        ]
        assert (shown[-1]["state"], shown[-1]["reason"]) == ("done", words)

        await started(ship)
        await ship.ask(
            {"do": "test.abort", "test": "t-door", "reason": "fire drill", "by": SSO, "pin": PIN}
        )
        await ship.until(lambda: "fire drill" in last(ship)[1])
        assert last(ship) == ("inconclusive", f"aborted by {SSO} at step 1: fire drill")


async def test_hostile_answers_are_refused_and_move_nothing(tmp_path):
    async with sailing(tmp_path, pins=True) as ship:
        await started(ship)
        for more, reason in (
            ({"text": "x" * 81}, "text must be text of 1 to 80 characters"),
            ({"text": "yes\x00"}, "text must be text of 1 to 80 characters"),
            ({"text": "ye\u202es"}, "text must be text of 1 to 80 characters"),
            ({"person": "A. Nobody"}, "not on the crew list"),
            ({"step": -1}, "step must be a whole number"),
            ({"step": "1"}, "step must be a whole number"),
            ({"step": True}, "step must be a whole number"),
            ({"test": "t-ssas-e-p1"}, "there is no test 't-ssas-e-p1'"),
            ({"extra": 1}, "'extra' is not known"),
        ):
            said = {"person": TESTER, "test": "t-door", "step": 1, **more}
            reply = await ship.station("gangway", "answer", **said)
            assert reply["accepted"] is False
            assert reason in reply["reason"], more
        for text in ("x" * 401, "yes\n"):
            with pytest.raises(RefusedError):
                await ship.ask(
                    {"do": "test.answer", "test": "t-door", "step": 1, "text": text, "by": TESTER}
                )
        assert ship.newest["test/t-door"]["step"] == 1
        assert ship.newest["test/t-door"]["state"] == "waiting"
        malformed = [fault for fault in ship.faults if "cmd/gangway/answer: " in fault]
        assert len(malformed) == 5, "the schema refuses what has another form, as ispsd does"
        ship.faults = [fault for fault in ship.faults if fault not in malformed]


async def test_the_doors_that_remain_are_done_one_after_the_other(tmp_path):
    async with sailing(tmp_path, pins=True) as ship:
        reply = await ship.station(
            "gangway", "start_test", person=TESTER, pin=PIN, test="t-door", remaining=True
        )
        doors = reply["extra"]["items"]
        assert doors == [f"d{number:02}" for number in range(1, 19)]
        both = await ship.station(
            "bridge", "start_test", person=TESTER, pin=PIN, remaining=True, **DOOR
        )
        assert both["reason"] == "one item, or all that remain: not both"
        for left, door in ((17, "d01"), (16, "d02")):
            await ship.until(
                lambda door=door: ship.newest.get("test/t-door", {}).get("item") == door
            )
            assert ship.newest["test/t-door"]["items_left"] == left
            for step, verb in ((1, "open"), (2, "close")):
                await ship.until(lambda step=step: ship.newest["test/t-door"]["step"] == step)
                await ship.move(verb, door)
                assert (await answered(ship, step))["accepted"]
            await ship.until(lambda: ship.newest["test/t-door"]["step"] == 3)
            assert (await answered(ship, 3, text="yes"))["accepted"]
        await ship.until(lambda: ship.newest.get("test/t-door", {}).get("item") == "d03")
        said = {"person": TESTER, "test": "t-door", "reason": "enough for today"}
        assert (await ship.station("gangway", "abort_test", **said))["accepted"]
        await ship.until(lambda: "test/t-door" not in ship.newest)
        (row,) = [t for t in (await ship.ask({"do": "tests"}))["tests"] if t["test"] == "t-door"]
        assert row["remaining"] == doors[2:]
