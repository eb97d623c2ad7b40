"""The page as a station: it arms, it sounds, it is silenced, and ispsd knows whether it would be heard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.ship import afloat, ashore
from tests.ship_talk import HATCH_ALERT, entries, open_hatch, told
from tests.web.rig import Together, opened, served

if TYPE_CHECKING:
    from tests.ship import Ship
    from tests.web.rig import Screen

ROW = "ol.alerts > li[data-alert='door.escape.open.d12']"
TILE = "document.querySelector('#watch .tile').textContent"
WARNING = [523, 523]

pytestmark = pytest.mark.asyncio(loop_scope="module")


def only_pages(text: str) -> str:
    """Let the gangway have no sounder but its page, and nobody else be attended in port."""
    text = text.replace('attended_in = ["port", "yard"]', 'attended_in = ["yard"]')
    text = text.replace("[mqtt]", "[alerts]\nescalate_after_s = 30\n\n[mqtt]")
    return re.sub(r'(id = "gangway"\n.*\n)sounder = "program"', r'\1sounder = "page"', text)


async def heard(screen: Screen) -> list[float]:
    """Return the pitches that were played since it was asked before."""
    return [pulse["hz"] for pulse in await screen.pulses()]


async def test_in_port_a_browser_is_the_ships_only_live_station(chromium, tmp_path):
    async with (
        ashore(tmp_path) as (ship, broker, feeds),
        afloat(ship, broker, feeds, edit=only_pages),
        served(broker) as address,
    ):
        gangway = await opened(chromium, address, "gangway")
        both = Together(ship, gangway)
        await both.until(gangway, "!document.body.dataset.stale")
        await is_armed(ship, gangway, both)
        await is_sounded(ship, gangway, both)
        await is_silenced(ship, gangway, both)
        await is_acknowledged(ship, gangway, both)
        await is_mute(ship, gangway, both)
        # A browser is all that she has, and more than the minute has passed after which that would be an alert.
        assert both.passed_s > 90
        assert told(ship, "alert/station.none.ispsd") == []
        assert gangway.faults == []


async def is_armed(ship: Ship, gangway: Screen, both: Together) -> None:
    """It counts as armed after a touch and a heard-test, and then the ship has her station."""
    page = gangway.page
    await both.pass_time(2.0)
    own = ship.state("station/gangway")
    assert (own["live"], own["lacks"]) == (False, ["touch", "heard"])
    assert "NOT ARMED: touch" in await gangway.text("#watch .tile")

    await page.click("#watch .watch")
    names = page.locator("dialog.watch .names button")
    assert "AB L. Tupou" in await names.all_inner_texts()
    assert not [each for each in await names.all_inner_texts() if "Okafor" in each], "he is ashore"
    assert not await page.locator("dialog.watch input").is_visible(), "nobody has to type"
    await page.click("dialog.watch [data-person='L. Tupou']")
    await both.until(gangway, "!document.querySelector('#watch .test').disabled")
    assert ship.state("station/gangway")["lacks"] == ["heard"]
    assert ship.state("station/gangway")["person"] == "L. Tupou"

    await page.click("#watch .test")
    await both.until(gangway, "!document.querySelector('#watch .heard').disabled")
    await both.pass_time(0.5)
    assert await heard(gangway) == WARNING, "the warning's, once"
    await page.click("#watch .heard")
    await both.until(gangway, f"{TILE} === 'SOUND ARMED'")
    own = ship.state("station/gangway")
    assert (own["live"], own["sound_armed"], own["lacks"]) == (True, True, [])
    (entry,) = await entries(ship, "station.heard")
    assert entry["open"]["person"] == "L. Tupou"


async def is_sounded(ship: Ship, gangway: Screen, both: Together) -> None:
    """A warning sounds at once and again at its pace; ispsd never misses its station meanwhile."""
    assert (await open_hatch(ship))["sounds_at"] == ["gangway"]
    await both.until(gangway, f"!!document.querySelector(`{ROW}`)")
    await both.pass_time(1.0)
    pulses = await gangway.pulses()
    assert [pulse["hz"] for pulse in pulses] == WARNING
    assert round(pulses[1]["at_s"] - pulses[0]["at_s"], 3) == 0.45
    began_s = pulses[0]["now_s"]
    await both.pass_time(34.0)
    again = await gangway.pulses()
    assert [round(pulse["now_s"] - began_s) for pulse in again] == [30, 30]


async def is_silenced(ship: Ship, gangway: Screen, both: Together) -> None:
    """Silence is for thirty seconds, and then it calls again."""
    await gangway.page.click("#watch .silence")
    await both.until(gangway, f"document.querySelector(`{ROW}`).dataset.state === 'S'")
    await both.pass_time(28.0)
    assert await heard(gangway) == []
    assert ship.state(HATCH_ALERT)["state"] == "S"
    await both.pass_time(3.0)
    assert ship.state(HATCH_ALERT)["state"] == "V"
    assert await heard(gangway) == WARNING


async def is_mute(ship: Ship, gangway: Screen, both: Together) -> None:
    """An output whose own clock stands plays nothing, whatever the browser says of it."""
    await gangway.page.evaluate("window.audio_stands = true")
    await both.until(gangway, f"{TILE}.includes('NOT ARMED')", for_s=5.0)
    assert ship.state("station/gangway")["sound_armed"] is False
    await gangway.page.evaluate("window.audio_stands = false")
    await both.until(gangway, f"{TILE} === 'SOUND ARMED'", for_s=5.0)
    assert ship.state("station/gangway")["sound_armed"] is True


async def is_acknowledged(ship: Ship, gangway: Screen, both: Together) -> None:
    """What somebody deals with is quiet and steady."""
    assert await gangway.own(ROW, "animationName") == "flash"
    await gangway.page.click(f"{ROW} .ack")
    await both.until(gangway, f"document.querySelector(`{ROW}`).dataset.state === 'A'")
    assert await gangway.own(ROW, "animationName") == "none"
    await both.pass_time(32.0)
    assert await heard(gangway) == []
    by = {"station": "gangway", "person": "L. Tupou"}
    assert ship.state(HATCH_ALERT)["acknowledged_by"] == by


async def test_what_is_acknowledged_on_one_page_is_steady_on_the_other_and_silent(
    chromium, tmp_path
):
    """Two stations see one alert; it sounds at the gangway, and the bridge shows who deals with it."""
    async with (
        ashore(tmp_path) as (ship, broker, feeds),
        afloat(ship, broker, feeds, edit=only_pages),
        served(broker) as address,
    ):
        gangway = await opened(chromium, address, "gangway")
        bridge = await opened(chromium, address, "bridge", palette="day")
        both = Together(ship, gangway, bridge)
        await gangway.page.click("#header .ship")
        await both.until(gangway, "!document.body.dataset.stale")
        await ship.ask("bridge", "take_watch", person="J. Santos")
        await open_hatch(ship)
        for screen in (gangway, bridge):
            await both.until(screen, f"!!document.querySelector(`{ROW}`)")
            assert await screen.own(ROW, "animationName") == "flash"
        assert "sounds at gangway" in await bridge.text(f"{ROW} .state")
        await both.pass_time(1.0)
        assert (await heard(gangway), await heard(bridge)) == (WARNING, [])

        await bridge.page.click(f"{ROW} .more")
        assert "Send two to check" in await bridge.text(f"{ROW} .remedy")
        await bridge.page.focus(f"{ROW} .ack")
        await bridge.page.keyboard.press("Enter")
        for screen in (gangway, bridge):
            await both.until(screen, f"document.querySelector(`{ROW}`).dataset.state === 'A'")
            assert await screen.own(ROW, "animationName") == "none"
            assert "J. Santos" in await screen.text(f"{ROW} .state")
        await both.until(
            bridge, f"document.querySelector(`{ROW} .answer`).textContent.includes('acknowledged')"
        )
        assert ship.state(HATCH_ALERT)["acknowledged_by"]["station"] == "bridge"
        # The bridge has a program as its sounder: the page proves that it is shown, the program that it sounds.
        assert ship.state("station/bridge")["live"] is False
        program = {"shown": True, "fresh": True, "sound_armed": True, "of": "program"}
        await ship.ask("bridge", "alive", **program)
        assert ship.state("station/bridge")["live"] is True
        assert gangway.faults == bridge.faults == []
