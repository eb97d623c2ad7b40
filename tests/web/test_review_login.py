"""The SSO logs in with a real browser, on a real ship: what he sees, what the browser keeps, and what ends it."""

from __future__ import annotations

import pytest

from tests.pins import PIN
from tests.ship import sailing
from tests.web.review import browse, log_in, served_review

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_sso_logs_in_reads_the_worklist_and_logs_out(tmp_path, chromium):
    async with (
        sailing(tmp_path) as ship,
        served_review(ship) as address,
        browse(chromium, address) as page,
    ):
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
