"""What of a page keeps anybody out? axe-core looks; `make front` installs it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tests.needed import needs

if TYPE_CHECKING:
    from playwright.async_api import Page

AXE = Path(str(files("daemon.web"))) / "front" / "node_modules" / "axe-core" / "axe.min.js"


def needs_axe() -> None:
    needs(AXE.exists(), "axe-core is not installed (make front)")


async def violations(page: Page) -> list[tuple[str, str, str]]:
    """Return each rule that the page breaks, where first and why."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(f"{AXE.read_text('utf-8')};0")
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        (each["id"], each["nodes"][0]["html"], each["nodes"][0]["failureSummary"])
        for each in found["violations"]
    ]
