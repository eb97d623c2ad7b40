"""Wait for what real sockets bring, without a clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PATIENCE_S = 40.0
"""Real seconds before a test gives up; nothing waits for them when all is well."""
TURNS = 50
BREATH_S = 0.001
"""After so many turns of the loop it rests a moment each time: one that never does takes the threads' time, and what
is waited for is often theirs."""


async def _turn() -> None:
    await asyncio.sleep(0)


async def soon(
    condition: Callable[[], object],
    *,
    turn: Callable[[], Awaitable[object]] = _turn,
) -> None:
    """Return when it is so; the loop turns meanwhile, or what ``turn`` does happens."""
    async with asyncio.timeout(PATIENCE_S):
        turns = 0
        while not condition():
            await turn()
            if turns >= TURNS:
                await asyncio.sleep(BREATH_S)
            turns += 1
