"""The exporters as the daemon has them: each in a task of its own, tried again when it fails, told apart in the log.

None is waited for: they hear what the broker is told as it is told, and tell it in their own time (invariant 6).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.computer import logs
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.exporters.api import Exporter
    from daemon.exporters.feed import Feed
    from daemon.model import Json

FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 60.0
SETTLED_S: Final = 5.0
"""What has gone on for so long works again."""
HEALTHY_S: Final = 30.0
"""One that has worked so long begins with the shortest pause again."""
LOG = logs.get("exporters")


@dataclass(slots=True)
class _Kept:
    """One exporter, and how it is."""

    name: str
    exporter: Exporter
    feed: Feed
    since_s: float
    """Since when it is as it is."""
    reason: str | None = None
    """Why it does not work now; None while it does."""


class Exporters:
    """All of them; none where the ship's file names none."""

    def __init__(
        self, built: Iterable[tuple[str, Exporter, Feed]], *, clock: Clock, entropy: Entropy
    ) -> None:
        now_s = clock.now_s()
        self._kept = [_Kept(name, exporter, feed, now_s) for name, exporter, feed in built]
        self._clock = clock
        self._entropy = entropy

    async def run(self) -> None:
        """Keep them going until cancelled."""
        async with asyncio.TaskGroup() as group:
            for each in self._kept:
                group.create_task(self._keep(each))

    def shown(self) -> list[Json]:
        """Return how each is, as the link of a device is shown."""
        now_s = self._clock.now_s()
        return [
            {
                "id": f"exporter {each.name}",
                "link": "down" if each.reason is not None else "up",
                "age_s": round(now_s - each.since_s, 3),
                "last_good_age_s": None
                if (told_s := each.exporter.tally.told_s) is None
                else round(now_s - told_s, 3),
                "good": each.exporter.tally.sent,
                "dropped": each.exporter.tally.refused + each.feed.dropped,
                "noticed": {},
                "reason": each.reason,
            }
            for each in self._kept
        ]

    async def _keep(self, each: _Kept) -> None:
        pause_s = FIRST_RETRY_S
        while True:
            began_s = self._clock.now_s()
            try:
                await self._watched(each)
            except LinkError as err:
                self._lost(each, str(err))
            except Exception as err:  # a fault takes down that one alone
                LOG.exception("exporter.fault", exporter=each.name)
                self._lost(each, f"fault: {err!r}")
            if self._clock.now_s() - began_s >= HEALTHY_S:
                pause_s = FIRST_RETRY_S
            await self._clock.sleep(pause_s * (1.0 - self._entropy.jitter() / 2.0))
            pause_s = min(pause_s * 2.0, LONGEST_RETRY_S)

    async def _watched(self, each: _Kept) -> None:
        """Let it run; it has come back once it has gone on for a while."""
        running = asyncio.ensure_future(each.exporter.run())
        over = asyncio.Event()
        running.add_done_callback(lambda _: over.set())
        try:
            if not await self._clock.wait(over, SETTLED_S) and each.reason is not None:
                self._back(each)
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _lost(self, each: _Kept, reason: str) -> None:
        if each.reason is None:
            each.since_s = self._clock.now_s()
            LOG.warning("exporter.lost", exporter=each.name, reason=reason)
        each.reason = reason

    def _back(self, each: _Kept) -> None:
        now_s = self._clock.now_s()
        LOG.info("exporter.up", exporter=each.name, outage_s=round(now_s - each.since_s, 1))
        each.reason, each.since_s = None, now_s
