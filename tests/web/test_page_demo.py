"""A night at two stations of the demo's ship, whose parts are all processes of their own: as somebody would meet it."""

from __future__ import annotations

import pytest

from tests.web.demo_ship import demo_ship
from tests.web.rig import NOTHING_GREEN, STALE, soon

pytestmark = pytest.mark.asyncio(loop_scope="module")

HATCH = "ol.alerts > li[data-alert='door.escape.open.d12']"
MOST_TABS = 150
STALE_MS = 5000
SILENCE_S = 45.0
"""Real seconds until a test gives up on the end of a silence, which lasts thirty."""
WATCH_BANNER = """(() => {
const banner = document.getElementById("banner");
window.seen_ms = null;
const look = () => { if (!banner.hidden) window.seen_ms ??= performance.now(); };
new MutationObserver(look).observe(banner, { attributes: true });
window.killed_ms = performance.now();
})()"""


@pytest.mark.timeout("150")
async def test_peers_22_a_night_at_two_stations_of_the_demo_by_keys_alone_and_its_end_without_a_broker(
    chromium, tmp_path
):
    async with demo_ship(tmp_path / "demo") as ship:
        bridge = await ship.station(chromium, "bridge")
        gangway = await ship.station(chromium, "gangway", palette="night")
        await take_watch(bridge, "J. Santos")
        await take_watch(gangway, "L. Tupou")
        await ship.move("open", "d12")
        for screen in (bridge, gangway):
            await soon(screen, state_is("V"), "the alert")
            assert await screen.own(HATCH, "animationName") == "flash"
        await soon(gangway, "window.pulses.length > 0", "its sound")
        await keys_to(gangway, "#watch .silence")
        await gangway.page.keyboard.press("Enter")
        for screen in (bridge, gangway):
            await soon(screen, state_is("S"), "silence")
            await soon(screen, f"/^SILENT \\d+ s$/.test({SILENCE_WORDS})", "how long it lasts")
        await a_permit_is_given_and_ended(bridge, gangway)
        await a_door_is_tested(bridge, gangway, ship)
        for screen in (bridge, gangway):
            await soon(screen, state_is("V"), "the end of the silence", within_s=SILENCE_S)
            await soon(screen, f"{SILENCE_WORDS} === 'SILENCE 30 s'", "the button as it was")
        await keys_to(bridge, f"{HATCH} .ack")
        await bridge.page.keyboard.press("Enter")
        for screen in (bridge, gangway):
            await soon(screen, state_is("A"), "the acknowledgement")
            assert await screen.own(HATCH, "animationName") == "none", "steady"
            assert "J. Santos" in await screen.text(f"{HATCH} .state")
        assert await focused(bridge, f"{HATCH} .more"), "a key pressed once more does no harm"
        await everything_is_grey(ship, bridge, gangway)
        assert bridge.faults == gangway.faults == []


SILENCE_WORDS = "document.querySelector('#watch .silence').textContent"


def state_is(state):
    return f"document.querySelector(`{HATCH}`)?.dataset.state === '{state}'"


async def focused(screen, selector):
    return await screen.page.evaluate("(s) => document.activeElement.matches(s)", selector)


async def keys_to(screen, selector):
    """Go there by the tabulator alone."""
    for _ in range(MOST_TABS):
        if await focused(screen, selector):
            return
        await screen.page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {selector}")


async def take_watch(screen, name):
    await keys_to(screen, "#watch .watch")
    await screen.page.keyboard.press("Enter")
    await keys_to(screen, f"dialog.watch [data-person='{name}']")
    await screen.page.keyboard.press("Enter")
    await soon(
        screen, f"document.querySelector('#watch .person').textContent.includes('{name}')", name
    )


async def a_permit_is_given_and_ended(bridge, gangway):
    keyboard = bridge.page.keyboard
    await keys_to(bridge, "#panels section.permit > button")
    await keyboard.press("Enter")
    for name, typed in (("door", "BOSUN"), ("worker", "R. dela Cruz"), ("work", "paint")):
        await keys_to(bridge, f"dialog.asked [name={name}]")
        await keyboard.type(typed)
    await keyboard.press("Enter")
    for screen in (bridge, gangway):
        await soon(
            screen, "document.querySelectorAll('.panel.permit li').length === 1", "the permit"
        )
        assert "BOSUN STORE" in await screen.text(".panel.permit li")
        assert "R. dela Cruz, paint" in await screen.text(".panel.permit li")
    await keys_to(bridge, ".panel.permit li button")
    await keyboard.press("Enter")
    await keys_to(bridge, "dialog.asked .ok")
    await keyboard.press("Enter")
    for screen in (bridge, gangway):
        await soon(screen, "document.querySelectorAll('.panel.permit li').length === 0", "its end")


async def a_door_is_tested(bridge, gangway, ship):
    """Led by the page, seen by the sensors: opened, shut, and told of."""
    keyboard = bridge.page.keyboard
    await keys_to(bridge, "#panels .equipment button[aria-label*='DOOR CONTACTS']")
    await keyboard.press("Enter")
    await keys_to(bridge, "dialog.asked [name=item]")
    await keyboard.type("BOSUN")
    await keys_to(bridge, "dialog.asked .ok")
    await keyboard.press("Enter")
    for step, verb in ((1, "open"), (2, "close")):
        for screen in (bridge, gangway):
            await soon(screen, prompt_has(f"{verb} it"), "the step")
        assert f"step {step} of 3" in await bridge.text("#tests .what")
        await ship.move(verb, "d17")
        await keys_to(bridge, "#tests .buttons button")
        await keyboard.press("Enter")
    await soon(bridge, prompt_has("did the attended station"), "the question")
    await keys_to(bridge, "#tests .buttons button")
    await keyboard.press("Enter")
    for screen in (bridge, gangway):
        await soon(screen, prompt_has("SAT: d17"), "the result")
        await keys_to(screen, "#tests .buttons button")
        await screen.page.keyboard.press("Enter")
        await soon(
            screen, "document.querySelectorAll('#tests li').length === 0", "that it was read"
        )


def prompt_has(words):
    return f"document.querySelector('#tests .prompt')?.textContent.includes({words!r})"


async def everything_is_grey(ship, *screens):
    """Within five seconds of losing the broker, and nothing green."""
    for screen in screens:
        assert await screen.page.evaluate(NOTHING_GREEN) != []
        await screen.page.evaluate(WATCH_BANNER)
    await ship.broker.kill()
    for screen in screens:
        await soon(screen, STALE, "the banner")
        assert await screen.page.evaluate("window.seen_ms - window.killed_ms") <= STALE_MS
        assert await screen.page.evaluate(NOTHING_GREEN) == []
        assert (await screen.text("[data-point='d03'] .value")).startswith("? was")
