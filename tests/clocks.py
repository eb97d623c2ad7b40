"""A clock that moves only when a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.model import ClockStatus
from tests.soon import TURNS

if TYPE_CHECKING:
    import pytest

QUIET_TURNS: Final = 3
"""So many turns of the loop without anything ready, and nothing on loopback is under way any more."""
MOST_TURNS: Final = 20


class ManualClock:
    """Both clocks of ``daemon.computer.clock.Clock``, moved by hand; sleepers wake in the order of their deadlines."""

    def __init__(
        self, *, utc: datetime = datetime(2026, 11, 22, 2, 10, tzinfo=UTC), now_s: float = 1000.0
    ) -> None:
        self._utc = utc
        self._now_s = now_s
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def utc(self) -> datetime:
        return self._utc

    def now_s(self) -> float:
        return self._now_s

    def status(self) -> ClockStatus:
        return ClockStatus.SYNCED

    def boot_id(self) -> str:
        return "b00t1d00"

    async def sleep(self, seconds: float) -> None:
        await self._sleeper(seconds)

    async def pause(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        if event.is_set():
            return True
        waiter = asyncio.ensure_future(event.wait())
        tasks: set[asyncio.Future[object]] = {waiter}  # type: ignore[arg-type]
        if seconds is not None:
            tasks.add(self._sleeper(seconds))  # type: ignore[arg-type]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return event.is_set()

    def next_due_s(self) -> float | None:
        """Return when the next sleeper wakes; None where nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def step_utc(self, seconds: float) -> None:
        """Step the wall clock alone, as somebody's hand or a bad NTP server would."""
        self._utc += timedelta(seconds=seconds)

    async def advance(self, seconds: float) -> None:
        """Let time pass: each sleeper wakes at its own moment, and what it starts runs before the next."""
        end_s = self._now_s + seconds
        await _let_others_run()
        while self._sleepers and self._sleepers[0][0] <= end_s:
            due_s, _, future = heapq.heappop(self._sleepers)
            self._move_to(max(due_s, self._now_s))
            if not future.done():
                future.set_result(None)
                await _let_others_run()
        self._move_to(end_s)
        await _let_others_run()

    def _move_to(self, now_s: float) -> None:
        self._utc += timedelta(seconds=now_s - self._now_s)
        self._now_s = now_s

    def _sleeper(self, seconds: float) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_s + max(seconds, 0.0), next(self._order), future))
        return future


async def _let_others_run() -> None:
    """Give every ready task of the loop its turns, until none has been ready for three on end; 20 at the most."""
    loop: Any = asyncio.get_running_loop()
    quiet = 0
    for _ in range(MOST_TURNS):
        await asyncio.sleep(0)
        # What a turn finds on a socket is ready in the next.
        quiet = 0 if loop._ready else quiet + 1
        if quiet == QUIET_TURNS:
            return


class StandingTimers:
    """The loop's own time stands still until it is moved: on however slow a computer, no time-out is late or early."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._now_s = loop.time()
        patch.setattr(loop, "time", lambda: self._now_s)

    async def move(self, seconds: float) -> None:
        """Let so much of it pass; what falls due by then has run."""
        self._now_s += seconds
        for _ in range(TURNS):
            await asyncio.sleep(0)


class FixedEntropy:
    """Salts, tokens and jitter that are the same in every run."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def salt(self) -> bytes:
        return next(self._count).to_bytes(16, "big")

    def token(self) -> str:
        return f"{next(self._count):012x}"

    def jitter(self) -> float:
        return 0.5
