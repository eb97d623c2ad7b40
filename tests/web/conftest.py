"""One Chromium for all tests of a file: to start it takes longer than most of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.web.rig import browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser


PATIENCE_S = 120
"""For a test with a browser. Chromium is half a dozen processes, and each wait has a bound of its own (`soon`)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()) and not item.get_closest_marker(
            "timeout"
        ):
            item.add_marker(pytest.mark.timeout(PATIENCE_S))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Browser]:
    async with browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def chromium(shared: Browser) -> AsyncIterator[Browser]:
    """Yield it; what a test has opened is closed, whatever became of the test."""
    yield shared
    for context in shared.contexts:
        await context.close()
