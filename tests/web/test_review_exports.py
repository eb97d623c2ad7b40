"""A paper for port state control, ordered with a real browser: seen to be made, fetched, and the one of its entry."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from tests.pins import PIN
from tests.ship_talk import entries
from tests.web.review import browse, log_in, visited

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORMS = 'form[action^="/sso/exports/order"]'


async def order(page, what, pin=PIN, consent="A. Lindqvist"):
    form = page.locator(FORMS)
    await form.get_by_label("Paper").select_option(what)
    await form.get_by_label("Released to").fill("J. Doe, MPA Singapore")
    await form.get_by_label("consents").select_option(consent)
    await form.get_by_label("Your PIN").fill(pin)
    await form.get_by_role("button", name="Make the paper").click()


async def test_a_psc_pack_is_ordered_seen_to_be_made_and_fetched_as_its_entry_has_it(
    tmp_path, chromium
):
    async with visited(tmp_path, chromium) as (ship, address, page):
        await log_in(page)
        await page.goto(f"{address}sso/exports")
        await order(page, "psc", pin="000000")
        await page.get_by_role("alert").get_by_text("PIN").wait_for()
        assert await page.locator(FORMS).get_by_label("Released to").input_value() == (
            "J. Doe, MPA Singapore"
        ), "what was typed is kept"
        assert await page.locator(FORMS).get_by_label("Your PIN").input_value() == ""
        assert PIN not in await page.content()
        await order(page, "psc")
        running = page.locator(".order.running")
        await running.get_by_role("progressbar").wait_for()
        assert await page.locator('meta[http-equiv="refresh"]').count() == 1
        await page.locator(".order.ready").wait_for(timeout=20_000)
        assert await page.locator('meta[http-equiv="refresh"]').count() == 0
        async with page.expect_download() as download:
            await page.get_by_role("link", name=".pdf").click()
        fetched = await (await download.value).path()
        body = Path(fetched).read_bytes()
        assert body.startswith(b"%PDF")
        [begun] = await entries(ship, "record.exported")
        [written] = await entries(ship, "export.written")
        assert begun["open"]["to_whom"] == "J. Doe, MPA Singapore"
        assert begun["open"]["consent"] == "A. Lindqvist"
        assert written["open"]["export"] == begun["seq"]
        assert written["open"]["sha256"] == sha256(body).hexdigest()
        shown = await page.locator(".order.ready").inner_text()
        assert written["open"]["sha256"] in shown
        assert f"entry no. {written['seq']}" in shown
        assert (await download.value).suggested_filename == f"psc-{begun['seq']}.pdf"
        await page.get_by_role("button", name="Delete it now").click()
        await page.get_by_text("done").wait_for()
        assert await page.locator(".order").count() == 0


async def test_a_paper_is_handed_out_to_nobody_else(tmp_path, chromium):
    async with (
        visited(tmp_path, chromium) as (_, address, page),
        browse(chromium, address) as other,
    ):
        await log_in(page)
        await page.goto(f"{address}sso/exports")
        await order(page, "test-log", consent="")
        await page.locator(".order.ready").wait_for(timeout=20_000)
        link = await page.get_by_role("link", name=".pdf").get_attribute("href")
        await log_in(other, "A. Lindqvist")
        await other.goto(f"{address}sso/exports")
        assert await other.locator(".order").count() == 0
        refused = await other.goto(f"{address}{link.removeprefix('/')}")
        assert refused.status == 403
        assert "no such paper in this login" in await other.content()
