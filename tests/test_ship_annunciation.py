"""A whole ship: where an alert goes on to, who relieves whom, is the sound heard, does the gangway answer."""

from __future__ import annotations

from typing import Any

from tests.ship import Ship, afloat, ashore, sailing
from tests.ship_talk import ATTENDED, HATCH_ALERT, acknowledge, entries, open_hatch, told

GANGWAY = 'id = "gangway"\nattended_in = ["port"]\nsounder = "program"'
NO_REPLY = "alert/gangway.no_reply.gangway"


def tablet(text: str) -> str:
    """The gangway has only a browser, and is the gangway."""
    assert GANGWAY in text
    return text.replace(GANGWAY, GANGWAY.replace("program", "page") + "\ngangway = true")


def watched(text: str) -> str:
    """The gangway is the gangway, and is asked more often than on ships, so that a test is not so long."""
    often = "[annunciation]\ngangway_reply_min = [0, 2, 1]\n[ssas]"
    return text.replace(GANGWAY, f"{GANGWAY}\ngangway = true").replace("[ssas]", often, 1)


async def at_level_3(ship: Ship) -> None:
    """The SSO sets security level 3."""
    said = {"level": 3, "told_by": "port facility"}
    await ship.control({"do": "order", "verb": "level", "said": said, "by": "R. Menon"})


async def live(ship: Ship, seconds: float, *stations: str, **proof: Any) -> None:
    """Let time pass while stations prove that they live."""
    left_s = seconds
    while left_s > 0:
        for station in stations:
            reply = await ship.ask(station, "alive", **{**ATTENDED, **proof})
            assert reply["accepted"], reply
        step_s = min(10.0, left_s)
        await ship.pass_time(step_s)
        left_s -= step_s


async def test_a_warning_that_nobody_acknowledges_comes_to_the_bridge_in_the_end(tmp_path):
    async with sailing(tmp_path) as ship:
        everybody = ("gangway", "office", "bridge")
        await live(ship, 1.0, *everybody)
        raised = await open_hatch(ship)
        assert raised["sounds_at"] == ["gangway", "office"], "in port the bridge is silent"
        seq = ship.state(HATCH_ALERT)["recorded"]
        await live(ship, 179.0, *everybody)
        assert ship.state(HATCH_ALERT)["sounds_at"] == ["gangway", "office"]
        await live(ship, 1.5, *everybody)
        now = ship.state(HATCH_ALERT)
        assert now["sounds_at"] == ["gangway", "office", "bridge"]
        assert (now["instance"], now["state"]) == (raised["instance"], "V")
        assert now["recorded"] in {seq, None}, "where it sounds is no entry of its own"
        await acknowledge(ship, now, station="bridge")
        assert ship.state(HATCH_ALERT)["sounds_at"] == []


async def test_when_the_only_live_station_dies_the_next_one_is_called_at_once(tmp_path):
    async with sailing(tmp_path) as ship:
        await live(ship, 1.0, "gangway", "bridge")
        await open_hatch(ship)
        assert ship.state(HATCH_ALERT)["sounds_at"] == ["gangway", "office"]
        await live(ship, 30.0, "bridge")
        assert ship.state(HATCH_ALERT)["sounds_at"] == ["gangway", "office", "bridge"]
        await live(ship, 1.5, "bridge", "gangway")
        assert ship.state(HATCH_ALERT)["sounds_at"] == ["gangway", "office"]


async def test_a_silenced_alert_goes_on_from_where_it_was(tmp_path):
    async with sailing(tmp_path) as ship:
        await live(ship, 1.0, "gangway", "bridge")
        await open_hatch(ship)
        await live(ship, 170.0, "gangway", "bridge")
        await ship.ask("gangway", "silence")
        assert ship.state(HATCH_ALERT)["sounds_at"] == []
        await live(ship, 31.0, "gangway", "bridge")
        assert "bridge" in ship.state(HATCH_ALERT)["sounds_at"], "silence is no acknowledgement"


async def test_relief_names_who_was_relieved_and_since_when(tmp_path):
    async with sailing(tmp_path) as ship:
        first = await ship.ask("gangway", "take_watch", person="L. Tupou")
        assert not {"relieved", "relieved_since"} & first.get("extra", {}).keys()
        since = ship.state("station/gangway")["since_utc"]
        await ship.pass_time(100.0)
        again = await ship.ask("gangway", "take_watch", person="J. Santos")
        relief = {"relieved": "L. Tupou", "relieved_since": since}
        assert relief.items() <= again["extra"].items()
        taken = await entries(ship, "watch.taken")
        assert taken[-1]["open"]["relieved"] == "L. Tupou"
        assert taken[-1]["open"]["relieved_since"] == since
        station = ship.state("station/gangway")
        assert (station["person"], station["attended"]) == ("J. Santos", True)
        assert station["since_utc"] == taken[-1]["open"]["since"]


async def test_no_alert_station_says_how_each_stands_and_who_was_last(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        await live(ship, 20.0, "gangway")
        none = await ship.until(lambda: ship.state("alert/station.none.ispsd"), for_s=120.0)
        assert none["detail"] == (
            "when it came, gangway: L. Tupou, not live; office: nobody has the watch; "
            "last: L. Tupou at gangway"
        )
        raised = [e for e in await entries(ship, "alert.changed") if e["subject"] == "ispsd"]
        assert raised[-1]["open"]["detail"] == none["detail"]


async def test_a_page_sounds_only_after_a_touch_and_a_heard_test(tmp_path):
    async with sailing(tmp_path, edit=tablet) as ship:
        await ship.ask("gangway", "alive", **ATTENDED)
        station = ship.state("station/gangway")
        assert (station["sounder"], station["sound_armed"]) == ("page", False)
        assert station["lacks"] == ["touch", "heard"]
        await ship.ask("gangway", "alive", **ATTENDED, touched_s=3.5)
        assert ship.state("station/gangway")["lacks"] == ["heard"]
        played = await ship.ask("gangway", "test_sound", person="L. Tupou")
        asked = ship.state("station/gangway")["test_sound"]
        assert asked["nonce"] == played["extra"]["nonce"]
        wrong = await ship.ask("gangway", "heard", person="L. Tupou", nonce="another")
        assert "another test sound" in wrong["reason"]
        heard = await ship.ask("gangway", "heard", person="L. Tupou", nonce=asked["nonce"])
        assert heard["recorded"] is not None
        station = ship.state("station/gangway")
        assert (station["live"], station["lacks"]) == (True, [])
        assert station["heard"]["person"] == "L. Tupou"
        assert station["test_sound"] is None
        (entry,) = await entries(ship, "station.heard")
        assert entry["open"]["at"] == station["heard"]["utc"]
        # The page was loaded anew: nobody has touched this one.
        await ship.ask("gangway", "alive", **ATTENDED, touched_s=None)
        assert ship.state("station/gangway")["sound_armed"] is False


async def test_a_heard_test_outlives_a_restart_and_not_ten_days(tmp_path):
    async with sailing(tmp_path, edit=tablet) as ship:
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        await ship.ask("gangway", "test_sound", person="L. Tupou")
        await ship.ask("gangway", "heard", person="L. Tupou")
        since = ship.state("station/gangway")["since_utc"]
    async with sailing(tmp_path, edit=tablet) as ship:
        await ship.ask("gangway", "alive", **ATTENDED, touched_s=0.0)
        station = ship.state("station/gangway")
        assert (station["live"], station["lacks"]) == (True, [])
        assert (station["since_up"], station["since_utc"]) == (None, since)


async def test_nobody_heard_a_test_sound_that_was_not_played(tmp_path):
    """Else a page would be armed, and the record say *test sound heard*, by a press alone."""
    async with sailing(tmp_path, edit=tablet) as ship:
        reply = await ship.ask("gangway", "heard", person="L. Tupou")
        assert "no test sound was played at gangway" in reply["reason"]
        await ship.ask("gangway", "test_sound", person="L. Tupou")
        await ship.pass_time(122.0)
        assert not (await ship.ask("gangway", "heard", person="L. Tupou"))["accepted"]
        assert await entries(ship, "station.heard") == []
        assert ship.state("station/gangway")["lacks"] == ["touch", "heard"]


async def test_nobody_who_is_not_on_board_hears_a_test_sound(tmp_path):
    async with sailing(tmp_path) as ship:
        for verb in ("heard", "test_sound"):
            reply = await ship.ask("gangway", verb, person="A. Nobody")
            assert not reply["accepted"]
        assert await entries(ship, "station.heard") == []


async def test_a_test_sound_is_forgotten_when_nobody_answers(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.ask("gangway", "test_sound", person="L. Tupou")
        await ship.pass_time(122.0)
        assert ship.state("station/gangway")["test_sound"] is None


async def test_whatever_is_done_at_the_gangway_is_an_answer(tmp_path):
    async with sailing(tmp_path, edit=watched) as ship:
        await at_level_3(ship)
        touched = {**ATTENDED, "touched_s": 1.0}
        for act in ({"verb": "gangway_reply"}, {"verb": "silence"}, {"verb": "alive", **touched}):
            await ship.until(lambda: ship.state("station/gangway")["reply_wanted"], for_s=1000.0)
            await ship.pass_time(5.0)
            await ship.ask("office", "silence")
            assert ship.state("station/gangway")["reply_wanted"], "the office is not the gangway"
            await ship.ask("gangway", "alive", **ATTENDED, touched_s=60.0)
            assert ship.state("station/gangway")["reply_wanted"], "touched before it was asked"
            await ship.ask("gangway", **act)
            assert ship.state("station/gangway")["reply_wanted"] is None
        assert told(ship, NO_REPLY) == []


async def test_the_weekly_sound_test_is_the_heard_test_too(tmp_path):
    t_buzz = """
[[test]]
kind = "station_sound"
id = "t-buzz"
equipment = "stations"
name = "STATION SOUND"
ssp_paragraph = "7.9"
every = "week"
stations = ["gangway"]
"""
    async with sailing(tmp_path, edit=lambda text: tablet(text) + t_buzz) as ship:
        await ship.ask("gangway", "alive", **ATTENDED, touched_s=0.0)
        assert ship.state("station/gangway")["lacks"] == ["heard"]
        started = await ship.ask("gangway", "start_test", person="J. Santos", test="t-buzz")
        assert started["accepted"], started
        await ship.until(lambda: ship.state("station/gangway")["test_sound"], for_s=5.0)
        await ship.ask("gangway", "answer", person="L. Tupou", test="t-buzz", step=1, text="yes")
        assert ship.state("station/gangway")["lacks"] == []
        assert ship.state("station/gangway")["heard"]["person"] == "L. Tupou"


async def test_a_gangway_that_does_not_answer_is_known_over_a_restart(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=watched):
            await at_level_3(ship)
            await live(ship, 60.0 + 301.0, "gangway")
            await acknowledge(ship, ship.state(NO_REPLY), station="bridge")
            before = ship.state(NO_REPLY)
            assert before["state"] == "A"
        async with afloat(ship, broker, feeds, edit=watched):
            await live(ship, 5.0, "gangway")
            after = ship.state(NO_REPLY)
            assert (after["state"], after["instance"]) == ("A", before["instance"])
            assert ship.state("station/gangway")["reply_wanted"] is not None
            changes = [e for e in await entries(ship, "alert.changed") if e["subject"] == "gangway"]
            assert "not_configured" not in {e["open"]["event"] for e in changes}
