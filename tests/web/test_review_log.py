"""Log, one test, calendar and sign-off in a real browser, over the record of a ship on which a door was tested."""

from __future__ import annotations

from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from tests.pins import PIN
from tests.ship_talk import entries
from tests.test_commissioning import T_DOOR, lead
from tests.web.axe import needs_axe, violations
from tests.web.review import log_in, visited

pytestmark = pytest.mark.asyncio(loop_scope="module")

MASTER = "A. Lindqvist"
INSIDE = """() => {
  const figure = document.querySelector(".plot svg").getBoundingClientRect();
  return [...document.querySelectorAll(".plot svg *")].every((each) => {
    const box = each.getBoundingClientRect();
    return box.left >= figure.left - 1 && box.right <= figure.right + 1 && box.bottom <= figure.bottom + 1;
  });
}"""

FITS = "document.documentElement.scrollWidth <= innerWidth"


@asynccontextmanager
async def doors_tested(folder, chromium):
    """A ship whose doors were tested, and the SSO who has logged in."""
    async with visited(folder, chromium, edit=lambda text: text + T_DOOR) as (ship, address, page):
        await ship.pass_time(1.0)
        await lead(ship)
        await log_in(page)
        yield ship, address, page


async def test_from_the_log_to_the_evidence_of_a_test_that_was_led(tmp_path, chromium):
    needs_axe()
    async with doors_tested(tmp_path, chromium) as (ship, address, page):
        (tested,) = await entries(ship, "test.result")
        await page.goto(f"{address}sso/log")
        row = page.locator(".testlog tbody tr").first
        assert "D. Kovac" in await row.inner_text()
        assert (await page.locator(".first-line").inner_text()).startswith("1 SAT · 0 UNSAT")
        await page.get_by_role("link", name="Unsat").click()
        await page.get_by_text("None in this period").wait_for()
        await page.get_by_role("link", name="All").click()
        await page.get_by_role("link", name=str(tested["seq"]), exact=True).click()
        await page.get_by_role("heading", name="How to check it").wait_for()
        assert page.url.endswith(f"/sso/test?seq={tested['seq']}")
        text = await page.locator("main").inner_text()
        assert "SAME" in text
        assert "Contacts and lamps over time" in text
        assert await page.evaluate(INSIDE), "no word or line leaves its figure"
        strokes = await page.evaluate(
            "getComputedStyle(document.querySelector('.plot .trace')).stroke"
        )
        assert strokes != "none"
        await page.get_by_text("The same as a table").click()
        states = await page.locator(".plot tbody td:nth-child(3)").all_inner_texts()
        assert states == ["closed", "open", "closed"]
        for piece in tested["evidence"]:
            where = f"{address}sso/test/evidence?seq={tested['seq']}&sha256={piece['sha256']}"
            got = await page.request.get(where)
            assert got.headers["content-disposition"].startswith("attachment")
            assert sha256(await got.body()).hexdigest() == piece["sha256"]
        assert await violations(page) == []
        for width in (1024, 390):
            await page.set_viewport_size({"width": width, "height": 768})
            for name in (f"test?seq={tested['seq']}", "log", "due", "signoff"):
                await page.goto(f"{address}sso/{name}")
                assert await page.evaluate(FITS), f"{name}: nothing is wider than {width}"
        viewed = [each["subject"] for each in await entries(ship, "sso.viewed")]
        assert {"log", f"entry {tested['seq']}"} <= {*viewed}
        assert viewed.count("log") == 1


async def test_the_printed_log_has_the_same_columns_and_nothing_to_press(tmp_path, chromium):
    async with doors_tested(tmp_path, chromium) as (_, address, page):
        await page.goto(f"{address}sso/log")
        shown = await page.locator(".testlog thead th").all_inner_texts()
        await page.emulate_media(media="print")
        assert await page.locator(".testlog thead th").all_inner_texts() == shown
        assert len(shown) == 11
        assert not await page.locator("form.filters").is_visible()
        assert not await page.get_by_role("button", name="Show").is_visible()
        printed = Path(tmp_path / "log.pdf")
        await page.pdf(path=printed, prefer_css_page_size=True)
        box = printed.read_bytes().partition(b"/MediaBox [")[2].partition(b"]")[0].split()
        assert [round(float(each)) for each in box] == [0, 0, 842, 595], "A4, landscape"


async def test_the_sso_reviews_and_the_master_verifies_each_at_his_own_login(tmp_path, chromium):
    async with doors_tested(tmp_path, chromium) as (ship, address, page):
        await page.goto(f"{address}sso/signoff")
        await page.get_by_label("PIN of R. Menon").fill("000000")
        await page.get_by_role("button", name="Reviewed").click()
        await page.locator(".refused").wait_for()
        up_to = int(await page.locator("input[name=up_to]").get_attribute("value"))
        await page.get_by_label("PIN of R. Menon").fill(PIN)
        await page.get_by_role("button", name="Reviewed").click()
        await page.locator(".done").wait_for()
        (review,) = await entries(ship, "period.reviewed")
        assert (review["actor"]["person"], review["open"]["up_to"]) == ("R. Menon", up_to)
        assert "wait for the Master" in await page.locator("main").inner_text()
        await page.get_by_role("button", name="Log out").click()
        await log_in(page, MASTER)
        await page.goto(f"{address}sso/signoff")
        assert await page.get_by_role("button", name="Reviewed").count() == 0
        await page.get_by_label(f"PIN of {MASTER}").fill(PIN)
        await page.get_by_role("button", name="Verified").click()
        await page.locator(".done").wait_for()
        (verified,) = await entries(ship, "period.verified")
        assert (verified["actor"]["person"], verified["open"]["up_to"]) == (MASTER, up_to)
        assert verified["open"]["review"]["seq"] == review["seq"]
        history = await page.locator("main table").last.inner_text()
        assert "Verified" in history
        assert "Reviewed" in history
        await page.goto(f"{address}sso/log")
        assert f"reviewed to no. {up_to}" in await page.locator(".first-line").inner_text()


async def test_the_calendar_shows_todays_test_and_what_comes(tmp_path, chromium):
    async with doors_tested(tmp_path, chromium) as (_, address, page):
        await page.goto(f"{address}sso/due")
        today = await page.locator(".month .today").inner_text()
        assert "DOORS" in today
        assert "SAT" in today
        assert await page.locator("details[open]").count() >= 1
        await page.get_by_role("link", name="December 2026").click()
        await page.get_by_role("heading", name="December 2026").wait_for()
        assert "T-DOOR" in await page.locator(".month").inner_text()
