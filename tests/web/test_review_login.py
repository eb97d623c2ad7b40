"""The SSO logs in with a real browser, on a real ship: what he sees, what the browser keeps, and what ends it."""

from __future__ import annotations

import pytest

from daemon.review import login, sessions
from tests.pins import PIN
from tests.ship_talk import entries
from tests.web.certified import certified
from tests.web.review import log_in, visited

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_sso_logs_in_reads_the_worklist_and_logs_out(tmp_path, chromium):
    async with visited(tmp_path, chromium) as (ship, address, page):
        assert page.url == f"{address}sso/login"
        await log_in(page)
        await page.goto(f"{address}sso/worklist")
        assert await page.locator("h1").inner_text() == "Worklist"
        said = await ship.control({"do": "worklist"})
        assert await page.locator("tbody tr").count() == len(said["items"]) > 0
        (cookie,) = await page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/sso")
        assert PIN not in page.url
        await page.get_by_role("button", name="Log out").click()
        await page.get_by_label("PIN").wait_for()
        assert page.url == f"{address}sso/login"
        assert await page.context.cookies() == []
        await page.goto(f"{address}sso/worklist")
        assert page.url == f"{address}sso/login"


async def test_a_refused_login_says_the_same_to_everybody_and_shows_no_pin(
    tmp_path, chromium, monkeypatch
):
    monkeypatch.setattr(login, "REFUSED_AFTER_S", 0.0)  # the ship's clock stands still meanwhile
    async with visited(tmp_path, chromium) as (_, address, page):
        said = set()
        for name, pin in (("R. Menon", "999999"), ("Nobody At All", PIN), ("L. Tupou", PIN)):
            await page.get_by_label("Name").fill(name)
            await page.get_by_label("PIN").fill(pin)
            await page.get_by_role("button", name="Log in").click(no_wait_after=True)
            alert = page.get_by_role("alert")
            await alert.wait_for()
            said.add(await alert.inner_text())
            assert pin not in await page.content()
            assert pin not in page.url
            await page.goto(f"{address}sso/login")
        assert len(said) == 1
        assert await page.context.cookies() == []
        assert "ispsd pin set" in await page.locator("main").inner_text()


async def test_a_login_that_was_left_alone_ends_and_the_page_says_nothing_more(
    tmp_path, chromium, monkeypatch
):
    monkeypatch.setattr(sessions, "IDLE_S", 10.0)
    async with visited(tmp_path, chromium) as (ship, address, page):
        await log_in(page)
        await ship.pass_time(11.0)
        await page.goto(f"{address}sso/worklist")
        assert page.url == f"{address}sso/login"
        (ended,) = await entries(ship, "sso.logout")
        assert (ended["actor"]["person"], ended["open"]["how"]) == ("R. Menon", "idle")
        assert ended["class"] == "sso"


async def test_a_form_on_a_strangers_page_does_nothing_for_who_is_logged_in(tmp_path, chromium):
    stranger = """<form method=post action="{0}sso/morning/seen"><input name=up_to value=1>
    <button>Win</button></form>"""
    async with visited(tmp_path, chromium) as (ship, address, page):
        await log_in(page)
        other = await page.context.new_page()
        await other.route(
            "http://stranger.example/",
            lambda route: route.fulfill(content_type="text/html", body=stranger.format(address)),
        )
        await other.goto("http://stranger.example/")
        await other.get_by_role("button").click()
        await other.get_by_role("alert").wait_for()
        assert "nothing was done" in await other.locator("main").inner_text()
        assert await entries(ship, "morning.seen") == []


async def test_the_palette_that_somebody_chose_stays(tmp_path, chromium):
    async with visited(tmp_path, chromium) as (_, address, page):
        await log_in(page)
        await page.get_by_role("button", name="night").click()
        await page.locator("html[data-palette=night]").wait_for()
        await page.goto(f"{address}sso/worklist")
        palette = "document.documentElement.dataset.palette"
        assert await page.evaluate(palette) == "night"
        dark = "getComputedStyle(document.documentElement).backgroundColor"
        assert await page.evaluate(dark) == "rgb(0, 0, 0)"


async def test_with_tls_the_login_is_in_a_cookie_that_leaves_by_tls_alone(tmp_path, chromium):
    async with visited(tmp_path, chromium, web=certified(tmp_path)) as (_, address, page):
        assert address.startswith("https://")
        await log_in(page)
        (cookie,) = await page.context.cookies()
        assert cookie["name"] == "__Secure-ispsd-sso"
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
        await page.get_by_role("button", name="Seen").click()
        await page.get_by_text("seen by R. Menon").wait_for()
