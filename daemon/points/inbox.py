"""How a check hears readings while it runs: a bounded copy of the stream, from now on, for some points only."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.computer.clock import Clock
    from daemon.model import Reading

LONGEST = 10_000
"""Readings kept for one check; beyond it the oldest go, and a check judges what is left."""


class PointInbox:
    """The readings of some points since it was opened."""

    def __init__(self, points: Iterable[str], clock: Clock) -> None:
        self._points = frozenset(points)
        self._clock = clock
        self._readings: deque[Reading] = deque(maxlen=LONGEST)
        self._arrived = asyncio.Event()

    def offer(self, reading: Reading) -> None:
        """Take a reading if it is of one of our points."""
        if reading.point in self._points:
            self._readings.append(reading)
            self._arrived.set()

    async def next(self, *, until_s: float) -> Reading | None:
        """Return the next reading; None when ``until_s`` (seconds since boot) has come."""
        while not self._readings:
            left_s = until_s - self._clock.now_s()
            if left_s <= 0:
                return None
            self._arrived.clear()
            await self._clock.wait(self._arrived, left_s)
        return self._readings.popleft()


class Inboxes:
    """Every open inbox."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: list[PointInbox] = []

    def offer(self, reading: Reading) -> None:
        """Show a reading to every open inbox."""
        for inbox in self._open:
            inbox.offer(reading)

    @contextmanager
    def listen(self, points: Iterable[str]) -> Iterator[PointInbox]:
        """Open an inbox for as long as the context lasts."""
        inbox = PointInbox(points, self._clock)
        self._open.append(inbox)
        try:
            yield inbox
        finally:
            self._open.remove(inbox)
