"""What an eye at night can bear, and what one that sees no colours can tell apart.

`make screenshots` has the two pictures of the documents made by this run.
"""

from __future__ import annotations

import io
import itertools
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon import config
from daemon.assets import asset
from daemon.model import ContactState
from daemon.wording import openings
from tests.brokers import mosquitto
from tests.needed import needs
from tests.web.axe import needs_axe, violations
from tests.web.hand import by_hand, shown
from tests.web.rig import STALE, opened, served, soon

try:
    from PIL import Image
except ImportError:
    Image = None  # type: ignore[assignment]

pytestmark = pytest.mark.asyncio(loop_scope="module")

BRIGHTEST_AT_NIGHT = 0.18
"""Relative luminance of anything on the screen, alerts too."""
LARGEST_PICTURE = 150_000
ALERTS = (
    (
        "door.escape.open.d12",
        "W",
        "V",
        "ESC HATCH OPEN",
        "STRG GEAR ESC",
        "active – unacknowledged",
    ),
    ("door.vital.open.d13", "A", "V", "RESTR AREA OPEN", "CO2 ROOM", "active – unacknowledged"),
    ("door.held_open.d17", "C", "V", "DOOR HELD OPEN", "BOSUN STORE", "active"),
    (
        "sensor.line_fault.d11",
        "W",
        "A",
        "SENSOR LINE FLT",
        "STRG GEAR DOOR",
        "active – acknowledged",
    ),
)
OPEN = {"d12": "open", "d13": "open", "d17": "open", "d11": "line_fault"}


STOP_FLASH = "(at_ms) => { for (const each of document.getAnimations()) { each.pause(); each.currentTime = at_ms; } }"


@asynccontextmanager
async def painted(chromium, palette, size=(1024, 768)):
    """Yield a page of the sample ship in one palette, armed."""
    needs(Image, "pillow is not installed (pip install 'ispsd[cctv]')")
    ship = config.load(asset("ispsd.toml"))
    async with mosquitto() as broker, by_hand(broker) as hand, served(broker) as address:
        for opening in ship.openings:
            value = ContactState(OPEN.get(opening.id, "closed"))
            await hand.point(
                opening.id,
                name=opening.name,
                kind=opening.kind.value,
                word=openings.word(opening.kind, value),
                value=value,
                source=opening.device,
                up=993.0,
            )
        for id_, priority, state, title, name, words in ALERTS:
            by = {"station": "bridge", "person": "J. Santos"} if state == "A" else None
            await hand.alert(
                *(id_,),
                priority=priority,
                state=state,
                title=title,
                name=name,
                state_words=words,
                acknowledged_by=by,
                sounding=state == "V" and priority != "C",
            )
        await hand.begin("gangway")
        screen = await opened(
            chromium, address, "gangway", paused=False, palette=palette, size=size
        )
        await soon(screen, "window.told", "the snapshot")
        await hand.beat()
        await screen.page.click("#header .ship")
        await soon(screen, "document.getElementById('banner').hidden", "a true picture")
        await soon(screen, "document.querySelectorAll('ol.alerts > li').length === 4", "the alerts")
        await soon(screen, "document.querySelector('#watch .touch').hidden", "the sound")
        await screen.page.evaluate(STOP_FLASH, 100)  # it is on in the first half of each second
        screen.beat = hand.beat
        yield screen
        assert screen.faults == []


async def picture(screen):
    return Image.open(io.BytesIO(await screen.page.screenshot())).convert("RGB")


def luminance(colour):
    """Return the relative luminance of an sRGB colour (IEC 61966-2-1)."""
    parts = [each / 255 for each in colour]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("palette", ["night", "day"])
async def test_peers_29_night_is_dark_whatever_alerts_stand_and_the_pictures_are_small(
    chromium, palette
):
    async with painted(chromium, palette) as screen:
        seen = await picture(screen)
        brightest = max(luminance(colour) for _, colour in seen.getcolors(1 << 24))
        assert (brightest <= BRIGHTEST_AT_NIGHT) is (palette == "night")
        small = seen.quantize(64)
        out = io.BytesIO()
        small.save(out, "PNG", optimize=True)
        assert len(out.getvalue()) < LARGEST_PICTURE
        if folder := os.environ.get("ISPSD_SCREENSHOTS"):
            Path(folder, f"page-{palette}.png").write_bytes(out.getvalue())


async def test_the_first_thing_that_is_painted_is_dark_and_the_palette_is_kept(chromium):
    """Nothing is kept: night. Somebody chose day: day, over a reload, from the first moment."""
    async with painted(chromium, None) as screen:
        first = "document.documentElement.dataset.palette"
        assert await screen.page.evaluate(first) == "night"
        assert luminance((await picture(screen)).getpixel((512, 400))) < 0.01
        await screen.page.route("**/page.js", lambda route: route.abort())
        await screen.page.reload()
        dark = "getComputedStyle(document.documentElement).backgroundColor"
        assert await screen.page.evaluate(dark) == "rgb(0, 0, 0)", "before any of our code has run"
        await screen.page.unroute("**/page.js")
        await screen.page.reload()
        await soon(screen, "!!document.querySelector('[data-choose=day]')", "the palettes")
        await screen.page.click("[data-choose=day]")
        assert await screen.page.evaluate(first) == "day"
        await screen.page.reload()
        assert await screen.page.evaluate(first) == "day"
        screen.faults.clear()  # that a script was not loaded


STATES = "VSAOU"
APART = 30
"""So many of 400 dots differ at least between the signs of two priorities."""


async def test_peers_29_without_colours_the_signs_of_the_priorities_differ_in_every_state(chromium):
    """The greyscale picture: each sign as it stands on the screen, its form against the form of each other."""
    async with shown(chromium) as (hand, screen, _):
        for priority in "AWC":
            for state in STATES:
                await hand.alert(f"{priority}{state}".lower(), priority=priority, state=state)
        await soon(screen, "document.querySelectorAll('ol.alerts > li').length === 15", "the signs")
        for palette in ("night", "dusk", "day", "bright"):
            await screen.page.click(f"[data-choose={palette}]")
            for number in (100, 700):  # both pictures of what flashes
                await screen.page.evaluate(STOP_FLASH, number)
                await apart(await signs(screen), palette)


async def apart(forms, palette):
    for one, other in itertools.combinations(forms, 2):
        if one[0] != other[0]:
            dots = len(forms[one] ^ forms[other])
            assert dots > APART, f"{palette}: {one} and {other} differ in {dots} of 400 dots"


async def signs(screen):
    """Return the form of every sign: the dots that are not its ground, without colours, from one picture."""
    seen = (await picture(screen)).convert("L")
    boxes = await screen.page.evaluate(
        "[...document.querySelectorAll('ol.alerts > li')].map((row) => {"
        "  const { x, y, width, height } = row.querySelector('.sign svg').getBoundingClientRect();"
        "  return [row.dataset.priority + row.dataset.state, [x, y, x + width, y + height]];"
        "})"
    )
    return {name: dots(seen.crop([round(each) for each in box])) for name, box in boxes}


def dots(shot):
    shot = shot.resize((20, 20))
    ground = shot.getpixel((0, 0))
    found = {
        (x, y) for x in range(20) for y in range(20) if abs(shot.getpixel((x, y)) - ground) > 8
    }
    assert found
    return found


async def test_a_stranger_at_the_screen_sees_alerts_and_no_doors_for_an_hour(chromium):
    """Visitor view: one press, and it lifts itself; neither ages nor ends of anything are shown meanwhile."""
    async with painted(chromium, "night") as screen:
        page = screen.page

        async def seen(selector):
            return await page.locator(selector).first.is_visible()

        assert await seen(".contacts li")
        await page.click("#header .visitor")
        assert not await seen(".contacts li")
        assert not await seen("ol.alerts .age")
        assert await seen("ol.alerts .title")
        assert await seen("ol.alerts .ack")
        await page.click("#header .visitor")
        assert await seen(".contacts li")
        await page.clock.install(time="2026-11-22T02:10:00Z")
        await page.reload()
        await soon(screen, "!!document.querySelector('.contacts li')", "the doors")
        await page.click("#header .visitor")
        await page.clock.fast_forward(59 * 60_000)
        assert not await seen(".contacts li")
        await page.clock.fast_forward(61_000)
        assert await seen(".contacts li")


async def test_axe_finds_nothing_that_keeps_anybody_out(chromium):
    """The page in every palette, its dialogs, what folds out, and its grey state."""
    needs_axe()
    async with painted(chromium, "day") as screen:
        assert await violations(screen.page) == []
        await screen.page.click("#header .setup")
        assert await violations(screen.page) == []
        await screen.page.keyboard.press("Escape")
        await screen.page.click("#panels button >> nth=0")
        assert await violations(screen.page) == []
        await screen.page.keyboard.press("Escape")
        await screen.page.click("#panels summary")
        await screen.page.click("ol.alerts .more >> nth=0")
        for palette in ("bright", "day", "dusk", "night"):
            await screen.page.click(f"[data-choose={palette}]")
            for number in (100, 700):
                await screen.page.evaluate(STOP_FLASH, number)
                assert await violations(screen.page) == [], palette
        await soon(screen, STALE, "the banner")  # nobody is there whose heartbeat it could hear
        for palette in ("night", "dusk", "day", "bright"):
            await screen.page.click(f"[data-choose={palette}]")
            assert await violations(screen.page) == [], palette


async def test_on_a_phone_nothing_is_cut_off_and_all_can_be_reached_by_keys(chromium):
    async with painted(chromium, "night", size=(390, 844)) as screen:
        widths = await screen.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert widths[0] <= widths[1]
        wanted = await screen.page.evaluate(
            # But the strip: it tells of rows that are out of sight, and the way there brings them into it.
            "[...document.querySelectorAll('button:not(.strip), input')].filter("
            "(n) => n.checkVisibility({ visibilityProperty: true }) && !n.disabled).length"
        )
        seen = set()
        for _ in range(wanted + 9):  # and the links, the columns, what folds out
            await screen.beat()  # however long it takes: what is grey has no keys
            await screen.page.keyboard.press("Tab")
            seen.add(
                await screen.page.evaluate(
                    "(() => { const n = document.activeElement; return n.tagName + n.className + "
                    "(n.closest('li')?.dataset.alert ?? '') + n.textContent; })()"
                )
            )
        seen = {each for each in seen if each.startswith(("BUTTON", "INPUT"))}
        assert len({each for each in seen if not each.startswith("BUTTONstrip")}) >= wanted
