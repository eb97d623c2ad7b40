"""The SSO's morning on a real ship: what happened at night, who has seen it, what is to be done; on one screen."""

from __future__ import annotations

import pytest

from tests.ship import HATCH
from tests.ship_talk import acknowledge, entries, open_hatch
from tests.web.review import log_in, visited

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_night_is_read_on_one_screen_and_seen_by_name(tmp_path, chromium):
    async with visited(tmp_path, chromium) as (ship, address, page):
        await acknowledge(ship, await open_hatch(ship), person="L. Tupou")
        await ship.unit.set_input(HATCH, True)
        await ship.pass_time(30)
        await log_in(page)
        assert page.url == f"{address}sso/morning"
        night = await page.locator("section").first.inner_text()
        assert "STRG GEAR ESC: ESC HATCH OPEN, over, ack. L. Tupou" in night
        heights = await page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
        await page.get_by_role("button", name="Seen").click()
        await page.get_by_text("seen by R. Menon").wait_for()
        assert "on disk" in await page.get_by_role("status").inner_text()
        (seen,) = await entries(ship, "morning.seen")
        assert (seen["actor"]["person"], seen["actor"]["proof"]) == ("R. Menon", "pin")
        assert "ESC HATCH OPEN" not in await page.locator("section").first.inner_text()
        await page.get_by_role("link", name="what was seen").click()
        await page.get_by_text("ESC HATCH OPEN").wait_for()
        assert heights[0] <= heights[1], "five minutes: one screen"
