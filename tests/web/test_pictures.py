"""Every page as somebody sees it on the demo's ship, by day and by night: nothing is cut off, and at night it is dark.

`make screenshots` has the pictures of the documents made by this run.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from daemon.demo.ssas import PINS, SSO, set_pins
from daemon.review import registry
from tests.needed import needs
from tests.web.demo_ship import demo_ship, take_watch
from tests.web.review import browse, log_in
from tests.web.rig import soon
from tests.web.test_page_looks import BRIGHTEST_AT_NIGHT, LARGEST_PICTURE, luminance

try:
    from PIL import Image
except ImportError:
    Image = None  # type: ignore[assignment]

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

TALLEST = 1100
"""Of a page that goes on for longer the upper part is shown, in pixels."""
COLOURS = 32
BY_DAY_AND_BY_NIGHT = ("day", "night")
WIDE = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


async def test_every_page_of_the_sso_by_day_and_by_night(chromium, tmp_path):
    needs(Image, "pillow is not installed (pip install 'ispsd[cctv]')")
    async with demo_ship(tmp_path / "demo") as ship:
        bridge = await ship.station(chromium, "bridge")
        await ship.move("open", "d12")
        await soon(
            bridge, "!!document.querySelector('li[data-alert^=\"door.escape\"]')", "the alert"
        )
        await set_pins(ship.socket)
        async with browse(chromium, ship.page) as page:
            await log_in(page, SSO, PINS[SSO])
            for name, address in await addresses(page, ship.page):
                await page.goto(address)
                for palette in BY_DAY_AND_BY_NIGHT:
                    await choose(page, palette)
                    await page.goto(address)
                    await keep_of_sso(page, name, palette)
            await page.goto(f"{ship.page}sso/log")
            for palette in BY_DAY_AND_BY_NIGHT:
                await choose(page, palette)
                await page.get_by_role("button", name="Log out").click()
                await page.get_by_label("PIN").wait_for()
                await keep_of_sso(page, "login", palette)
                await log_in(page, SSO, PINS[SSO])


async def choose(page, palette):
    await page.get_by_role("button", name=palette, exact=True).click()
    await page.locator(f"html[data-palette={palette}]").wait_for()


async def keep_of_sso(page, name, palette):
    assert await page.evaluate(WIDE), f"{name} is wider than the screen"
    keep(await shot(page), f"sso-{name}-{palette}", is_dark=palette == "night")


async def addresses(page, base):
    """Return every page by its name; the one of a test is that of the newest."""
    found = [(name, f"{base}sso/{name}") for name in registry.pages() if name != "test"]
    await page.goto(f"{base}sso/log")
    link = await page.locator("main a[href^='/sso/test?']").first.get_attribute("href")
    return [*found, ("test", f"{base.rstrip('/')}{link}")]


async def test_a_door_that_is_tested_by_day_and_by_night(chromium, tmp_path):
    """In type that is read from where the door is, above all else, and at night as dark as the rest."""
    async with demo_ship(tmp_path / "demo") as ship:
        bridge = await ship.station(chromium, "bridge")
        page = bridge.page
        await take_watch(bridge)
        await page.click("#panels .equipment button[aria-label*='DOOR CONTACTS']")
        await page.select_option("dialog.asked [name=item]", "d17")
        await page.click("dialog.asked .ok")
        await soon(bridge, "!!document.querySelector('#tests .prompt')", "the step")
        assert float((await bridge.own("#tests .prompt", "fontSize")).removesuffix("px")) >= 32
        for palette in BY_DAY_AND_BY_NIGHT:
            await page.click(f"#header [data-choose={palette}]")
            await page.locator(f"html[data-palette={palette}]").wait_for()
            keep(await shot(page), f"watch-test-{palette}", is_dark=palette == "night")


async def shot(page):
    seen = Image.open(io.BytesIO(await page.screenshot(full_page=True))).convert("RGB")
    return seen.crop((0, 0, seen.width, min(seen.height, TALLEST)))


def keep(seen, name, *, is_dark):
    """Hold it to the darkness of night and to a size, and keep it where that is asked for."""
    if is_dark:
        brightest = max(luminance(colour) for _, colour in seen.getcolors(1 << 24))
        assert brightest <= BRIGHTEST_AT_NIGHT, f"{name}: {brightest:.2f}"
    out = io.BytesIO()
    seen.quantize(COLOURS).save(out, "PNG", optimize=True)
    assert len(out.getvalue()) < LARGEST_PICTURE
    if folder := os.environ.get("ISPSD_SCREENSHOTS"):
        Path(folder, "pages").mkdir(exist_ok=True)
        Path(folder, "pages", f"{name}.png").write_bytes(out.getvalue())
