"""The curtain of a whole ship: what is forgotten in the open, what goes on in the citadel, who may, and a restart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from daemon.errors import RefusedError
from tests.pins import PIN
from tests.ship import HATCH, ROOT, Ship, afloat, ashore, sailing
from tests.ship_talk import ATTENDED, HATCH_ALERT, entries, open_hatch
from tests.test_covert import both, differences

if TYPE_CHECKING:
    from daemon.mqtt.wire import Message

CITADEL = '\n[[station]]\nid = "muster"\ncitadel = true\nsounder = "program"\n'
STAYS = {"status", "curtain", "snapshot"}
"""All that is retained in the open while the curtain is down."""
MOMENTS = {"heartbeat", "reply/bridge", "reply/gangway"}
WITHIN_S = 2.0


def with_citadel(text: str) -> str:
    return text + CITADEL


def is_open(name: str) -> bool:
    return not name.startswith(("sso/", "citadel/", "cmd/", "selftest/"))


def retained_in_the_open(ship: Ship) -> set[str]:
    """Return what the broker's memory holds for everybody, as whoever listens was told."""
    return {n for n in ship.newest if is_open(n) and not n.startswith(("reply/", "heartbeat"))} - {
        "event"
    }


def in_the_open(messages: list[Message]) -> list[tuple[str, bytes]]:
    """Return what was told there with a payload."""
    named = [(m.topic.removeprefix(ROOT), m.payload) for m in messages]
    return [(name, payload) for name, payload in named if payload and is_open(name)]


async def let_down(ship: Ship, station: str = "bridge", **said: Any) -> dict[str, Any]:
    reply = await ship.ask(
        station, "curtain", **{"down": True, "person": "J. Santos", "pin": PIN, **said}
    )
    assert reply["accepted"], reply
    return reply


async def ask_inside(ship: Ship, verb: str, **said: Any) -> dict[str, Any]:
    """Send a command as the station that is answered in the citadel, and return the reply."""
    id_ = f"m-{verb}-{round(1000 * ship.clock.now_s())}"
    body = {"id": id_, "session": ship.newest["status"]["session"], **said}
    topic = f"{ROOT}cmd/muster/{verb}"
    await ship._connection.deliver(topic, json.dumps(body).encode(), expiry_s=10)
    reply: dict[str, Any] = {}

    def replied() -> bool:
        reply.update(ship.state("citadel/reply/muster") or {})
        return reply.get("id") == id_

    await ship.until(replied)
    return reply


async def test_what_is_open_is_forgotten_within_two_seconds_and_goes_on_in_the_citadel(tmp_path):
    async with sailing(tmp_path, edit=with_citadel) as ship:
        await ship.pass_time(1.0)
        await open_hatch(ship)
        before = retained_in_the_open(ship)
        doors = {n for n in before if n.startswith("point/")}
        assert HATCH_ALERT in before
        assert len(doors) > 3
        heard, at_s = len(ship.heard), ship.clock.now_s()
        reply = await let_down(ship)
        assert reply["extra"] == {"cleared": True, "heard": False}
        await ship.pass_time(0.0)
        assert ship.clock.now_s() - at_s < WITHIN_S
        assert retained_in_the_open(ship) == STAYS
        inside = {n.removeprefix("citadel/") for n in ship.newest if n.startswith("citadel/")}
        assert inside >= before - STAYS
        # What is told first is the curtain, and before anything goes on inside, all that is open is cleared.
        told = [m.topic.removeprefix(ROOT) for m in ship.heard[heard:]]
        told = [name for name in told if name.startswith(("curtain", "citadel/", "alert", "point"))]
        assert told[0] == "curtain"
        cleared = max(told.index(name) for name in before if name in told)
        assert cleared < min(told.index(n) for n in told if n.startswith("citadel/point/"))
        # An hour later doors have moved, and the open topics have said nothing but that it is a clock.
        heard = len(ship.heard)
        await ship.unit.set_input(HATCH, True)
        await ship.pass_time(30.0)
        said = in_the_open(ship.heard[heard:])
        assert {name for name, _ in said} <= STAYS | MOMENTS
        assert ship.state("status")["state"] == "ready"
        assert ship.state("status")["reasons"] == []
        assert ship.state("citadel/point/d12")["value"] == "closed"
        assert ship.state("citadel/heartbeat")["up"] == ship.state("heartbeat")["up"]
        snapshot, inner = ship.state("snapshot"), ship.state("citadel/snapshot")
        assert (snapshot["session"], snapshot["count"]) == (inner["session"], 1)
        assert any(m.topic == f"{ROOT}citadel/event" for m in ship.heard[heard:])
        assert not [m for m in ship.heard[heard:] if m.topic == f"{ROOT}event"]


async def test_raised_it_tells_everything_again_and_leaves_nothing_in_the_citadel(tmp_path):
    async with sailing(tmp_path, edit=with_citadel) as ship:
        await ship.pass_time(1.0)
        await open_hatch(ship)
        before = retained_in_the_open(ship)
        await let_down(ship)
        refused = await ship.ask("bridge", "curtain", down=False, person="L. Tupou", pin=PIN)
        assert "may not raise the curtain" in refused["reason"]
        wanted = await ship.ask("bridge", "curtain", down=False, person="J. Santos")
        assert wanted["extra"] == {"wants": {"pin": "J. Santos"}}
        heard = len(ship.heard)
        raised = await ship.ask("bridge", "curtain", down=False, person="J. Santos", pin=PIN)
        assert raised["accepted"]
        await ship.pass_time(1.0)
        assert retained_in_the_open(ship) == before
        retained = {n for n in ship.newest if n.startswith("citadel/")}
        assert retained <= {"citadel/heartbeat", "citadel/event", "citadel/reply/muster"}
        assert ship.state("snapshot")["count"] == len(before - {"status", "snapshot"})
        # Nobody takes the count of what was behind the curtain for the whole ship.
        told = [(m.topic.removeprefix(ROOT), m.payload) for m in ship.heard[heard:]]
        assert told.index(("snapshot", b"")) < told.index(("curtain", b""))
        written = [e["open"] for e in await entries(ship, "curtain.changed")]
        assert written == [{"down": True}, {"down": False}]


async def test_a_curtain_that_was_down_is_down_after_a_restart_before_anything_is_told(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=with_citadel):
            await ship.pass_time(1.0)
            await open_hatch(ship)
            await let_down(ship)
        async with afloat(ship, broker, feeds, edit=with_citadel):
            await ship.pass_time(10.0)
            assert retained_in_the_open(ship) == STAYS
            assert {name for name, _ in in_the_open(ship.heard)} <= STAYS | MOMENTS
            assert ship.state(f"citadel/{HATCH_ALERT}")["title"] == "ESC HATCH OPEN"
            up = await ship.ask("bridge", "curtain", down=False, person="J. Santos", pin=PIN)
            assert up["accepted"]
            await ship.pass_time(1.0)
            assert ship.state(HATCH_ALERT) is not None


async def test_behind_the_curtain_an_open_station_does_nothing_but_raise_it(tmp_path):
    async with sailing(tmp_path, edit=with_citadel) as ship:
        await ship.pass_time(1.0)
        alert = await open_hatch(ship)
        await let_down(ship)
        names = {each: alert[each] for each in ("instance", "priority")}
        for verb, said in (
            ("ack", {"alert": alert["id"], **names}),
            ("silence", {}),
            ("take_watch", {"person": "L. Tupou"}),
            ("ready_to_secure", {}),
            ("replay", {"from_bseq": 0, "limit": 10}),
            ("refresh", {}),
            ("visitor_view", {"on": True}),
            ("threat", {"person": "J. Santos", "on": True}),
        ):
            reply = await ship.ask("gangway", verb, **said)
            assert not reply["accepted"], verb
            assert "the curtain is down" in reply["reason"]
            assert set(reply) == {"id", "verb", "accepted", "reason", "recorded", "session", "up"}
        assert (await ship.ask("gangway", "alive", **ATTENDED))["accepted"]
        assert ship.state(f"citadel/{HATCH_ALERT}")["state"] == "V"


async def test_alerts_sound_in_the_citadel_alone_and_its_station_is_the_one_that_is_attended(
    tmp_path,
):
    async with sailing(tmp_path, edit=with_citadel) as ship:

        async def live(*stations: str, for_s: int) -> None:
            for _ in range(for_s // 10):
                for station in stations:
                    await ship.ask(station, "alive", **ATTENDED)
                await ship.pass_time(10.0)

        ask = ship.ask
        await ask("gangway", "take_watch", person="L. Tupou")
        await live("gangway", "muster", for_s=10)
        alert = await open_hatch(ship)
        assert alert["sounds_at"] == ["gangway", "office"]
        await let_down(ship)
        assert ship.state(f"citadel/{HATCH_ALERT}")["sounds_at"] == ["muster"]

        # Whatever the open stations say of themselves, they show a clock: the citadel is to be manned.
        for _ in range(10):
            await ship.ask("gangway", "alive", **ATTENDED)
            await ask_inside(ship, "alive", **ATTENDED)
            await ship.pass_time(10.0)
        assert ship.state("citadel/alert/station.none.ispsd") is not None
        taken = await ask_inside(ship, "take_watch", person="J. Santos")
        assert taken["accepted"]
        assert "ESC HATCH OPEN STRG GEAR ESC" in taken["extra"]["open"]
        await ask_inside(ship, "alive", **ATTENDED)
        await ship.pass_time(10.0)
        assert ship.state("citadel/alert/station.none.ispsd")["state"] in {"U", "N"}
        names = {each: alert[each] for each in ("instance", "priority")}
        reply = await ask_inside(ship, "ack", alert=alert["id"], **names)
        assert reply["accepted"]
        assert ship.state(f"citadel/{HATCH_ALERT}")["state"] == "A"


@pytest.mark.parametrize(
    ("person", "on_guard", "pin", "accepted"),
    [
        ("J. Santos", True, None, True),
        ("J. Santos", False, None, False),
        ("J. Santos", False, PIN, True),
        ("L. Tupou", True, None, True),
        ("L. Tupou", False, None, False),
        # The chief officer who has the bridge lets it down as an officer does.
        ("R. Menon", True, None, True),
        ("A. Lindqvist", True, None, False),
        ("A. Lindqvist", True, PIN, True),
        ("D. Kovac", True, None, False),
    ],
)
async def test_one_press_lets_it_down_in_danger_and_a_pin_else(
    tmp_path, person, on_guard, pin, accepted
):
    async with sailing(tmp_path) as ship:
        if on_guard:
            await ship.ask("bridge", "threat", person="J. Santos", on=True)
        said = {"person": person} | ({} if pin is None else {"pin": pin})
        reply = await ship.ask("bridge", "curtain", down=True, **said)
        assert reply["accepted"] is accepted, reply
        assert (ship.state("curtain") is not None) is accepted


async def test_who_has_the_watch_there_is_the_one_who_pressed(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.ask("bridge", "threat", person="J. Santos", on=True)
        nobody = await ship.ask("gangway", "curtain", down=True)
        assert nobody["extra"] == {"wants": {"name": True}}
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        assert (await ship.ask("gangway", "curtain", down=True))["accepted"]
        (written,) = await entries(ship, "curtain.changed")
        assert written["actor"] == {"station": "gangway", "person": "L. Tupou", "proof": "none"}


async def test_at_the_computer_it_is_let_down_and_raised_with_a_pin_and_status_says_so(tmp_path):
    async with sailing(tmp_path) as ship:
        order = {"do": "order", "verb": "curtain", "by": "A. Lindqvist"}
        with pytest.raises(RefusedError, match=r"PIN of A\. Lindqvist is wanted"):
            await ship.control({**order, "said": {"down": True}}, pins=False)
        done = await ship.control({**order, "said": {"down": True}})
        assert (done["cleared"], done["heard"]) == (True, False)
        assert (await ship.control({"do": "status"}))["ordered"]["curtain"] is True
        await ship.control({**order, "said": {"down": False}})
        assert (await ship.control({"do": "status"}))["ordered"]["curtain"] is False
        again = await ship.control({**order, "said": {"down": False}})
        assert again == {}, "it was up: there is nothing to write"
        assert len(await entries(ship, "curtain.changed")) == 2


async def test_the_clock_behind_it_goes_with_ships_time(tmp_path):
    async with sailing(tmp_path) as ship:
        await let_down(ship)
        assert ship.state("curtain")["ship_time_offset_min"] == 480
        said = {"offset_min": 540}
        await ship.control({"do": "order", "verb": "ship_time", "said": said, "by": "R. Menon"})
        await ship.pass_time(2.0)
        assert ship.state("curtain")["ship_time_offset_min"] == 540


async def test_the_visitor_view_is_everybodys_and_survives_a_restart_with_its_end(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            at_s = ship.clock.now_s()
            assert (await ship.ask("gangway", "visitor_view", on=True))["accepted"]
            assert ship.state("ship")["visitor_view_ends_up"] == pytest.approx(at_s + 3600, abs=1)
            await ship.pass_time(20.0)
        async with afloat(ship, broker, feeds):
            assert ship.state("ship")["visitor_view_ends_up"] == pytest.approx(at_s + 3600, abs=5)
            assert (await ship.ask("bridge", "visitor_view", on=False))["accepted"]
            assert ship.state("ship")["visitor_view_ends_up"] is None
            said = [
                (e["actor"], e["open"]["on"]) for e in await entries(ship, "visitor_view.changed")
            ]
            assert [on for _, on in said] == [True, False]
            assert said[0][0]["station"] == "gangway"
            eto = await ship.ask("bridge", "visitor_view", on=True, person="D. Kovac")
            assert "may not set the visitor view" in eto["reason"]
            assert (await ship.ask("bridge", "visitor_view", on=True, person="L. Tupou"))[
                "accepted"
            ]
            assert (await ship.ask("bridge", "visitor_view", on=False))["accepted"]
            assert ship.state("ship")["visitor_view_ends_up"] is None


async def test_a_palette_is_told_to_every_page_and_is_nothing_for_the_record(tmp_path):
    async with sailing(tmp_path) as ship:
        assert (await ship.ask("bridge", "palette", palette="dusk"))["accepted"]
        assert ship.state("palette")["palette"] == "dusk"
        await ship.control(
            {"do": "order", "verb": "palette", "said": {"palette": "night"}, "by": "R. Menon"}
        )
        assert ship.state("palette")["palette"] == "night"
        assert not [e for e in await entries(ship) if "palette" in e["type"]]


async def test_covert_behind_the_curtain_a_real_alert_changes_not_one_byte(tmp_path):
    """Neither curtain nor visitor view follows the SSAS, and nothing of it comes out with them."""

    async def story(ship: Ship, ssas: Any) -> None:
        await ship.pass_time(1.0)
        await ship.ask("gangway", "visitor_view", on=True)
        await ship.unit.set_input(HATCH, False)
        await ship.pass_time(1.0)
        await let_down(ship)
        await ssas(ship)
        await ship.pass_time(3.0)
        await ship.ask("bridge", "curtain", down=False, person="J. Santos", pin=PIN)
        await ssas(ship)
        await ship.unit.set_input(HATCH, True)
        await ship.pass_time(3.0)

    quiet, real = await both(tmp_path, story, edit=with_citadel)
    assert differences(quiet, real) == []
    assert len(quiet.mqtt[f"{ROOT}citadel/{HATCH_ALERT}"]) >= 2
    assert len(quiet.mqtt[f"{ROOT}curtain"]) == 2
    assert b"ESC HATCH OPEN" in quiet.bam


@pytest.mark.parametrize("was_down", [False, True])
async def test_covert_neither_follows_a_test_window_nor_what_the_unit_says_in_it(
    tmp_path, was_down
):
    async with sailing(tmp_path, edit=with_citadel) as ship:
        await ship.pass_time(1.0)
        if was_down:
            await let_down(ship)
        await ship.give_notice()
        by = ["R. Menon", "A. Lindqvist"]
        await ship.control({"do": "window.open", "by": by})
        await ship.ssas.do({"do": "alert"})
        await ship.ssas.do({"do": "test"})
        await ship.pass_time(5.0)
        assert (ship.state("curtain") is not None) is was_down
        assert (ship.state("citadel/ship") or ship.state("ship"))["visitor_view_ends_up"] is None
        assert ship.daemon.ship.visitor_view is None
        assert len(await entries(ship, "curtain.changed")) == was_down
