"""Wait for what real sockets bring, without a clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 20.0
"""Real seconds before a test gives up; nothing waits for them when all is well."""


async def soon(condition: Callable[[], object]) -> None:
    """Return when it is so; the loop turns meanwhile."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event to give)
            await asyncio.sleep(0)
