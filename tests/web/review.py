"""A browser on the SSO's pages of a ship."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from daemon.web.settings import WebSection
from tests.brokers import free_port
from tests.pins import PIN
from tests.web.rig import FACTS, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

    from tests.ship import Ship


@asynccontextmanager
async def served_review(ship: Ship, **section: Any) -> AsyncIterator[str]:
    """Serve the SSO's pages of a ship; yield the address of the server."""
    broker = "wss" if "key_file" in section else "ws"
    settings = WebSection(port=free_port(), broker=f"{broker}://127.0.0.1:9001", **section)
    async with serving(settings, FACTS, ship.folder / "control.sock") as address:
        yield address


@asynccontextmanager
async def browse(chromium: Browser, address: str) -> AsyncIterator[Page]:
    """Open the pages' first address in a browser of its own; what its console says against us is a fault."""
    context = await chromium.new_context(
        viewport={"width": 1024, "height": 768}, ignore_https_errors=True
    )
    page = await context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    await page.goto(f"{address}sso")
    yield page
    assert [each for each in faults if "status of" not in each] == []


async def log_in(page: Page, name: str = "R. Menon", pin: str = PIN) -> None:
    """Log in; return when a page is there."""
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("PIN").fill(pin)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_text("as of").wait_for()
