"""The curtain on the pages: a clock and no word of the ship, raised by name and PIN, and the citadel goes on."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from daemon.web.server import ShipFacts
from tests import thin
from tests.orders.test_curtain import STAYS, retained_in_the_open, with_citadel
from tests.pins import PIN, give_pins
from tests.processes.berth import HATCH as HATCH_INPUT
from tests.setup.rig import broker_of, computer
from tests.setup.test_whole import daemon, file_to_run, station
from tests.ship import HATCH, afloat, ashore
from tests.ship_talk import open_hatch
from tests.soon import PATIENCE_S
from tests.web.hand import ROOT, by_hand, shown
from tests.web.rig import Together, opened, served, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

    from tests.brokers import EmbeddedBroker
    from tests.ship import Ship
    from tests.web.rig import Screen

CLOCK = "!!document.getElementById('clock')"
NO_CLOCK = f"!({CLOCK}) && !!document.querySelector('ol.alerts')"
ROW = "!!document.querySelector(`ol.alerts > li[data-alert='door.escape.open.d12']`)"
OF_THE_SHIP = (
    "hatch",
    "strg",
    "gear",
    "door",
    "alert",
    "d12",
    "kestrel",
    "level",
    "curtain",
    "ispsd",
)

FACTS = ShipFacts(
    "KESTREL STRAIT", 9999993, ("bridge", "gangway", "office", "muster"), is_demo=True
)
FACTS_OF_INIT = ShipFacts("KESTREL STRAIT", 9999993, ("bridge", "gangway", "citadel"), is_demo=True)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout("120")]


@asynccontextmanager
async def pages(
    chromium: Browser, tmp_path: Any, *stations: str
) -> AsyncIterator[tuple[Ship, Together, list[Screen], str]]:
    """Yield a ship with an open hatch in a threat area, and the pages of some of her stations."""
    async with (
        ashore(tmp_path) as (ship, broker, feeds),
        afloat(ship, broker, feeds, edit=with_citadel),
        served(broker, facts=FACTS) as address,
    ):
        await ship.ask("bridge", "take_watch", person="J. Santos")
        await ship.control(
            {"do": "order", "verb": "threat", "said": {"on": True}, "by": "J. Santos"}
        )
        screens = [await opened(chromium, address, each) for each in stations]
        both = Together(ship, *screens)
        await open_hatch(ship)
        for screen in screens:
            await both.until(screen, ROW)
        yield ship, both, screens, address
        for screen in screens:
            assert screen.faults == []


async def words_of(screen: Screen) -> str:
    """Return everything that stands in the document, seen or not, but the program's and the style's names."""
    return await screen.page.evaluate(
        "(document.title + document.body.outerHTML + JSON.stringify(document.documentElement.dataset)).toLowerCase()"
    )


async def test_one_press_in_danger_leaves_a_clock_on_black_and_no_word_of_the_ship(
    chromium, tmp_path
):
    async with pages(chromium, tmp_path, "bridge", "gangway") as (ship, both, screens, _):
        bridge, gangway = screens
        await bridge.page.click("#corner .curtain")
        at_s = both.passed_s
        for screen in (bridge, gangway):
            await both.until(screen, CLOCK)
        assert both.passed_s - at_s <= 2.0
        await ship.settle()
        assert retained_in_the_open(ship) == STAYS
        await both.pass_time(6.0)
        for screen in (bridge, gangway):
            said = await words_of(screen)
            assert not [word for word in OF_THE_SHIP if word in said], said
            beat = ship.state("heartbeat")
            assert (await screen.text("#clock .utc"))[:5] == beat["utc"][11:16]
            ours = f"{(int(beat['utc'][11:13]) + 8) % 24:02d}{beat['utc'][13:16]}"
            assert (await screen.text("#clock .ship"))[:5] == ours
            assert await screen.page.title() == "Clock"
            assert await screen.own("#clock", "backgroundColor") == "rgb(0, 0, 0)"
            assert await screen.page.evaluate("document.documentElement.dataset.palette") == "night"
            assert await screen.page.evaluate("document.body.children.length") == 1
        # Nothing that comes brightens it, sounds, or puts a word on it.
        await gangway.pulses()
        await ship.unit.set_input(HATCH, True)
        await ship.unit.set_input(HATCH, False)
        await both.pass_time(8.0)
        assert await gangway.pulses() == []
        assert not [word for word in OF_THE_SHIP if word in await words_of(gangway)]


async def test_a_touch_asks_name_and_pin_and_then_everything_is_there_again(chromium, tmp_path):
    async with pages(chromium, tmp_path, "bridge") as (ship, both, (bridge,), _):
        await bridge.page.click("#corner .curtain")
        await both.until(bridge, CLOCK)
        asked = "document.querySelector('dialog.asked[open] h2')?.textContent"
        for person, pin in (("L. Tupou", PIN), ("J. Santos", "000000")):
            await bridge.page.click("#clock")
            await answered(bridge, person, pin)
            await both.until(bridge, f"{asked}?.startsWith('Not accepted')")
            assert "curtain" not in await words_of(bridge)
            await bridge.page.click("dialog.asked .cancel")
            await soon(bridge, "!document.querySelector('dialog.asked')", "its end")
        await bridge.page.click("#clock")
        await answered(bridge, "J. Santos", PIN)
        await both.until(bridge, NO_CLOCK)
        await both.until(bridge, ROW)
        await both.until(bridge, "document.getElementById('banner').hidden")
        assert await bridge.page.title() == "ispsd"
        assert ship.state("station/bridge")["person"] == "J. Santos"


async def answered(screen: Screen, person: str, pin: str) -> None:
    await screen.page.fill("dialog.asked [name=person]", person)
    await screen.page.fill("dialog.asked [name=pin]", pin)
    await screen.page.click("dialog.asked .ok")


async def test_the_citadel_shows_the_whole_ship_and_raises_it(chromium, tmp_path):
    async with pages(chromium, tmp_path, "muster", "bridge") as (ship, both, screens, _):
        muster, bridge = screens
        await bridge.page.click("#corner .curtain")
        await both.until(bridge, CLOCK)
        await both.until(
            muster, "document.querySelector('#corner .curtain')?.dataset.down === 'true'"
        )
        await both.until(muster, ROW)
        await both.until(muster, "document.getElementById('banner').hidden")
        await ship.unit.set_input(HATCH, True)
        await both.until(
            muster,
            "document.querySelector(`ol.alerts > li[data-alert='door.escape.open.d12']`)"
            ".dataset.state === 'U'",
        )
        await both.until(
            muster, "!document.querySelector('#alerts h2').textContent.includes('not all told')"
        )
        await muster.page.click("#watch .watch")
        await muster.page.click("dialog.watch [data-person='J. Santos']")
        await both.until(
            muster, "document.querySelector('#watch .person').textContent.includes('J. Santos')"
        )
        await muster.page.click("#corner .curtain")
        await both.until(muster, "!!document.querySelector('dialog.asked')")
        await muster.page.fill("dialog.asked [name=pin]", PIN)
        await muster.page.click("dialog.asked .ok")
        await both.until(bridge, NO_CLOCK)
        await both.until(
            muster,
            "!!document.querySelector('#corner .curtain:not([data-down])')",
        )
        for screen in screens:
            await both.until(screen, "document.getElementById('banner').hidden")


async def test_loaded_again_it_is_a_clock_before_anything_is_painted(chromium, tmp_path):
    async with pages(chromium, tmp_path, "bridge") as (_, both, (bridge,), address):
        await bridge.page.click("#corner .curtain")
        await both.until(bridge, CLOCK)
        await bridge.page.evaluate("document.documentElement.dataset.probe = 'before'")
        await bridge.page.reload(wait_until="commit")
        await soon(bridge, "document.documentElement.dataset.clock === ''", "the clock")
        await soon(bridge, CLOCK, "the clock")
        # A browser that never saw the ship finds nothing but the curtain.
        fresh = await opened(chromium, address, "gangway", paused=False)
        await soon(fresh, CLOCK, "the clock")
        said = await words_of(fresh)
        assert not [word for word in OF_THE_SHIP if word in said]


async def test_where_ispsd_is_silent_the_clock_shows_no_time(chromium):
    async with shown(chromium) as (hand, screen, broker):
        await hand.tell("curtain", down=True, ship_time_offset_min=480)
        await soon(screen, CLOCK, "the clock")
        await soon(
            screen, "document.querySelector('#clock .ship').textContent.startsWith('10:10')", "it"
        )
        await broker.stop()
        await soon(
            screen, "document.querySelector('#clock .ship').textContent === '--:--:--'", "none"
        )
        assert await screen.text("#clock .utc") == "--:--:-- UTC"


async def test_without_a_broker_a_press_shuts_this_page_and_its_word_opens_it(chromium):
    async with shown(chromium) as (_, screen, broker):
        await broker.stop()
        await soon(screen, "!document.getElementById('banner').hidden", "the banner")
        await screen.page.click("#corner .curtain")
        await soon(screen, CLOCK, "the clock")


async def test_a_press_that_nobody_answers_shuts_this_page_within_seconds_and_stays_shut(chromium):
    async with shown(chromium) as (hand, screen, broker), nobody_hears(broker) as pressed:
        await screen.page.clock.install()
        await screen.page.click("#corner .curtain")
        async with asyncio.timeout(PATIENCE_S):
            said = await pressed
        await screen.page.clock.run_for(1500)
        assert not await screen.page.evaluate(CLOCK)
        await screen.page.clock.run_for(1000)
        await soon(screen, CLOCK, "the clock")
        # A heartbeat that was on its way opens nothing; the word of ispsd does.
        await hand.beat(up=1001.0)
        await soon(screen, "window.beat_up >= 1001", "the heartbeat")
        assert await screen.page.evaluate(CLOCK)
        reply = {"id": said["id"], "verb": "curtain", "accepted": False, "recorded": None}
        await hand.tell("reply/gangway", retain=False, **reply)
        await soon(screen, NO_CLOCK, "the ship")


@asynccontextmanager
async def nobody_hears(broker: EmbeddedBroker) -> AsyncIterator[asyncio.Future[dict[str, Any]]]:
    """Yield what the gangway asks for of the curtain; nobody answers."""
    async with by_hand(broker) as daemon:
        await daemon.connection.subscribe(f"{ROOT}cmd/gangway/curtain")
        messages = daemon.connection.messages()
        first = asyncio.ensure_future(anext(messages))
        pressed = asyncio.get_running_loop().create_future()
        first.add_done_callback(lambda done: pressed.set_result(json.loads(done.result().payload)))
        yield pressed


async def test_the_visitor_view_of_one_page_is_that_of_all_with_the_time_left(chromium, tmp_path):
    async with pages(chromium, tmp_path, "bridge", "gangway") as (ship, both, screens, _):
        bridge, gangway = screens
        await bridge.page.click("#header .visitor")
        assert await bridge.page.evaluate("document.body.dataset.visitor") == "true"
        await both.until(gangway, "document.body.dataset.visitor === 'true'")
        assert ship.state("ship")["visitor_view_ends_up"] is not None
        for screen in screens:
            await both.until(
                screen,
                "document.querySelector('#header .visitor').textContent === 'visitor view 60 min'",
            )
            assert not await screen.page.locator(".contacts li").first.is_visible()
            assert await screen.page.locator("ol.alerts .title").first.is_visible()
        await gangway.page.click("#header .visitor")
        for screen in screens:
            await both.until(screen, "!document.body.dataset.visitor")


async def test_a_hand_beats_what_is_told_and_what_is_told_beats_the_sun(chromium):
    async with shown(chromium) as (hand, screen, _):
        palette = "document.documentElement.dataset.palette"
        assert await screen.page.evaluate(palette) == "night", "the first paint is dark"
        await hand.tell("palette", palette="day")
        await soon(screen, f"{palette} === 'day'", "what is told")
        await screen.page.click("[data-choose=sun]")
        await hand.tell("palette", palette="dusk")
        await soon(screen, f"{palette} === 'dusk'", "what is told")
        await screen.page.click("#corner .darker")
        assert await screen.page.evaluate(palette) == "night", "one step by hand"
        await screen.page.click("#corner .darker")
        assert await screen.page.evaluate(palette) == "night", "it cannot be darker"
        await hand.tell("palette", palette="bright")
        await hand.alert("a1", priority="A")
        await soon(screen, "!!document.querySelector('ol.alerts > li')", "the alarm")
        assert await screen.page.evaluate(palette) == "night", "a hand beats it"
        await screen.page.reload()
        await soon(screen, "!!document.querySelector('ol.alerts > li')", "the alarm")
        assert await screen.page.evaluate(palette) == "night", "also after a reload"
        await screen.page.click("[data-choose=sun]")
        await hand.beat()
        await soon(screen, f"{palette} === 'bright'", "given back")


async def test_the_corner_is_the_same_at_every_size(chromium):
    async with shown(chromium) as (_, screen, __):
        for size in ((1024, 768), (1920, 1080), (390, 844)):
            await screen.page.set_viewport_size({"width": size[0], "height": size[1]})
            box = await screen.page.locator("#corner").bounding_box()
            assert box is not None
            assert box["x"] + box["width"] == size[0]
            assert box["y"] == 0
            for button in await screen.page.locator("#corner button").all():
                inner = await button.bounding_box()
                assert inner is not None
                assert min(inner["width"], inner["height"]) >= 40, "for a thumb"


async def test_with_the_access_list_of_init_the_citadel_goes_on_and_no_other_station_hears_anything(
    chromium,
):
    """Real Mosquitto, daemon and pages: what each station is delivered, and what the broker remembers."""
    with computer() as made:
        assert await asyncio.to_thread(made.init, "--yes", "--install") == 0
        async with thin.simulators() as devices, broker_of(made):
            await devices.do("io1", "inputs", on=thin.ALL_SHUT)
            config = file_to_run(made, devices)
            made.state.mkdir(parents=True, exist_ok=True)
            give_pins(made.state / "persons.json", ["J. Santos"])
            async with (
                daemon(made, config),
                station(made, "gangway", tls=True) as gangway,
                station(made, "citadel", tls=False) as citadel,
                served(SimpleNamespace(ws_port=made.ports["ws"]), facts=FACTS_OF_INIT) as address,  # type: ignore[arg-type]
            ):
                await gangway.until(lambda: "point/d12" in gangway.newest)
                bridge = await station_page(chromium, address, "bridge", made)
                inside = await station_page(chromium, address, "citadel", made)
                await devices.do("io1", "set", input=HATCH_INPUT, on=False)
                for screen in (bridge, inside):
                    await soon(screen, ROW, "the alert")
                down = {"down": True, "person": "J. Santos", "pin": PIN}
                reply = await gangway.ask("gangway", "curtain", **down)
                assert reply["accepted"], reply
                assert reply["extra"]["cleared"] is True
                await soon(bridge, CLOCK, "the clock")
                await soon(inside, ROW, "the ship in the citadel")
                await citadel.until(lambda: "citadel/alert/door.escape.open.d12" in citadel.newest)
                event = gangway.newest.get("event")
                await devices.do("io1", "set", input=HATCH_INPUT, on=True)
                await citadel.until(
                    lambda: citadel.newest["citadel/point/d12"]["value"] == "closed"
                )
                await citadel.until(lambda: "citadel/event" in citadel.newest)
                assert lasting(gangway.newest) == STAYS
                assert gangway.newest.get("event") == event, "nothing happened, as far as it knows"
                assert not [name for name in gangway.newest if name.startswith("citadel/")]
                async with station(made, "office", tls=False) as late:
                    await late.until(lambda: "heartbeat" in late.newest)
                    assert lasting(late.newest) == STAYS
                said = json.dumps(await words_of(bridge))
                assert not [word for word in OF_THE_SHIP if word in said]


def lasting(newest: dict[str, Any]) -> set[str]:
    """Return what was delivered and not cleared since, but for what is of a moment."""
    return {n for n in newest if not n.startswith(("reply/", "selftest/", "heartbeat", "event"))}


async def station_page(chromium: Browser, address: str, user: str, made: Any) -> Screen:
    password = made.password_file(user).read_text().strip()
    return await opened(chromium, address, user, password=password, paused=False)
