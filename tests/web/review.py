"""A browser on the SSO's pages of a ship."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from daemon.control.control import ControlServer, answers
from daemon.web.settings import WebSection
from tests.brokers import free_port
from tests.pins import PIN
from tests.ship import sailing
from tests.soon import PATIENCE_S
from tests.web.rig import FACTS, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from tests.ship import Ship


def served_review(socket: Path, **section: Any) -> AbstractAsyncContextManager[str]:
    """Serve the SSO's pages of the daemon at this socket; yield the address of the server."""
    broker = "wss" if "key_file" in section else "ws"
    settings = WebSection(port=free_port(), broker=f"{broker}://127.0.0.1:9001", **section)
    return serving(settings, FACTS, socket)


@asynccontextmanager
async def answered_review(
    socket: Path,
    answer: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]],
    **section: Any,
) -> AsyncIterator[str]:
    """Serve the SSO's pages of something that answers as the daemon does; yield the address of the server."""
    task = asyncio.ensure_future(ControlServer(socket, answer).run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await answers(socket):  # noqa: ASYNC110
                await asyncio.sleep(0)
        async with served_review(socket) as address:
            yield address
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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


@asynccontextmanager
async def visited(
    folder: Path, chromium: Browser, *, web: Mapping[str, Any] | None = None, **how: Any
) -> AsyncIterator[tuple[Ship, str, Page]]:
    """Run a whole ship and open the SSO's pages of her; yield her, the address of the server and the page."""
    async with (
        sailing(folder, **how) as ship,
        served_review(ship.folder / "control.sock", **(web or {})) as address,
        browse(chromium, address) as page,
    ):
        yield ship, address, page


async def log_in(page: Page, name: str = "R. Menon", pin: str = PIN) -> None:
    """Log in; return when a page is there."""
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("PIN").fill(pin)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_text("as of").wait_for()


async def enter_psc_mode(page: Page) -> None:
    """Enter it; return when the page says so."""
    await page.get_by_role("button", name="PSC mode").click()
    await page.get_by_text("read only").wait_for()
