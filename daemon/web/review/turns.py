"""Whose login is asked of the daemon next? One at a time from each place, a few in all.

A refusal takes its time (``daemon.review.login``): whoever sends many from one place waits for his own, and keeps
nobody waiting who is elsewhere.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError
from daemon.people import knocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_LOGINS: Final = 4
"""At the daemon at once."""
MOST_OF_A_PLACE: Final = 3
"""One that is asked and two that wait, as of a form that was sent twice; more are a flood."""
BUSY: Final = "Too many logins are tried from this screen now: wait until they have ended."


@dataclass(slots=True)
class _Place:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    here: int = 0


class Turns:
    """Keeps the order."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._all = asyncio.Semaphore(MOST_LOGINS)
        self._places: dict[str, _Place] = {}

    @asynccontextmanager
    async def of(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn of the place that an address is at, and hold it.

        Raises:
            RefusedError: Too many wait there already.
        """
        place = knocks.place(address)
        held = self._places.setdefault(place, _Place())
        if held.here >= MOST_OF_A_PLACE:
            raise RefusedError(BUSY)
        held.here += 1
        try:
            async with held.turn, self._all:
                yield
        finally:
            held.here -= 1
            if not held.here:
                del self._places[place]
