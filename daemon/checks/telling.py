"""Was a station told of what a person did, and did it sound there? What ispsd can see of that itself.

A sounder that proves that its output takes what it plays is evidence (``AlertSeen.sounds_at``); a page cannot know
whether its speaker is plugged in, so of that a person says it.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from daemon.checks.api import AlertSeen, CheckContext
    from daemon.model import Json

POLL_S: Final = 0.2
"""How often the alerts are looked at."""


class Telling:
    """What stations were told about one thing, since a test of it began."""

    def __init__(self, ctx: CheckContext, source: str) -> None:
        self._ctx = ctx
        self._source = source
        self._stood = {each.id for each in self._about_it() if each.active}
        self.first: dict[str, Json] | None = None
        """The first alert that was raised and sounded: title, where, when in seconds since boot."""

    def look(self) -> None:
        """Look whether it is told now."""
        for alert in self._about_it():
            if (
                self.first is None
                and alert.active
                and alert.sounds_at
                and alert.id not in self._stood
            ):
                self.first = {
                    "title": alert.title,
                    "sounds_at": [*alert.sounds_at],
                    "at_s": self._ctx.clock.now_s(),
                }
                self._ctx.saw(f"{alert.title} sounds at {', '.join(alert.sounds_at)}")

    def _about_it(self) -> list[AlertSeen]:
        alerts = self._ctx.services.open_alerts
        return [each for each in (alerts() if alerts else ()) if each.source == self._source]


@asynccontextmanager
async def telling(ctx: CheckContext, source: str) -> AsyncIterator[Telling]:
    """Look at what the stations are told about a door or a detector for as long as the context lasts."""
    told = Telling(ctx, source)

    async def watch() -> None:
        while True:
            told.look()
            await ctx.clock.sleep(POLL_S)

    watching = asyncio.ensure_future(watch())
    try:
        yield told
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
