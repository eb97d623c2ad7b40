"""Every page of the SSO that is registered, and every page that is linked from one: whoever adds one is held to this.

Each can be made on a ship that has just begun; none keeps anybody out; and in PSC mode none says what the ship's file
keeps for SSO and Master.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from daemon.review import registry
from tests.pins import PIN
from tests.review.test_redaction import protected
from tests.ship_talk import acknowledge, open_hatch
from tests.web.axe import needs_axe, violations
from tests.web.review import enter_psc_mode, log_in, visited

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

LINK = re.compile(r'href="(/sso/[^"#]*)"')
FORM = re.compile(r'<form method="post".*?</form>', re.DOTALL)
ACTION = re.compile(r'action="([^"?]*)')
MOST = 60
"""Pages that are walked; each takes a moment, and a record of a year has thousands."""


async def walk(page: Page, address: str):
    """Yield every page, and all that is linked from one, with its text as it came."""
    base = address.rstrip("/")
    left = [f"/sso/{name}" for name in registry.pages()]
    seen = set(left)
    while left and len(seen) <= MOST:
        path = left.pop(0)
        answer = await page.request.get(f"{base}{path}")
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        text = await answer.text()
        yield path, answer.status, text
        found = [unescape(each) for each in LINK.findall(text)]
        new = [each for each in dict.fromkeys(found) if each not in seen]
        seen |= {*new}
        left += new


async def test_every_page_can_be_made_and_runs_nothing(tmp_path, chromium):
    async with visited(tmp_path, chromium) as (ship, address, page):
        await acknowledge(ship, await open_hatch(ship), person="L. Tupou")
        await log_in(page)
        walked = [(path, status, text) async for path, status, text in walk(page, address)]
        # A page that is reached from another only says so where it is asked for nothing.
        of_one_thing = {f"/sso/{name}" for name, p in registry.pages().items() if not p.listed}
        assert {path for path, _, _ in walked} >= {f"/sso/{name}" for name in registry.pages()}
        for path, status, text in walked:
            assert status == 200 or path in of_one_thing, (path, status)
            assert (
                re.search(r"<script|<style|style=|\son\w+=|javascript:", text, re.IGNORECASE)
                is None
            ), path
            for form in FORM.findall(text):
                assert 'name="csrf"' in form or 'action="/sso/palette"' in form, (path, form)


async def test_in_psc_mode_no_page_says_what_the_ships_file_keeps_for_the_sso(tmp_path, chromium):
    async with visited(tmp_path, chromium) as (ship, address, page):
        await acknowledge(ship, await open_hatch(ship), person="L. Tupou")
        secret = protected(ship.daemon.config)
        assert secret
        await log_in(page)
        await enter_psc_mode(page)
        count = 0
        async for path, _, text in walk(page, address):
            count += 1
            told = unescape(text).casefold()
            for word in secret:
                assert not re.search(rf"\b{re.escape(word.casefold())}\b", told), (path, word)
            acts = {ACTION.search(form)[1] for form in FORM.findall(text)}
            assert acts <= {"/sso/logout", "/sso/psc/off", "/sso/palette"}, path
        assert count >= len(registry.pages())
        await page.goto(f"{address}sso/worklist")
        await page.get_by_label("PIN of R. Menon").fill("000000")
        await page.get_by_role("button", name="Leave").click()
        await page.get_by_text("the PIN is wrong").wait_for()
        await page.get_by_label("PIN of R. Menon").fill(PIN)
        await page.get_by_role("button", name="Leave").click()
        await page.get_by_role("button", name="PSC mode").wait_for()


async def test_axe_finds_nothing_that_keeps_anybody_out(tmp_path, chromium):
    needs_axe()
    async with visited(tmp_path, chromium) as (_, address, page):
        assert await violations(page) == []
        await log_in(page)
        for name in registry.pages():
            await page.goto(f"{address}sso/{name}")
            assert await violations(page) == [], name
        await page.goto(f"{address}sso/morning")
        for palette in ("bright", "dusk", "night"):
            await page.get_by_role("button", name=palette).click()
            await page.locator(f"html[data-palette={palette}]").wait_for()
            assert await violations(page) == [], palette
        await enter_psc_mode(page)
        assert await violations(page) == []
