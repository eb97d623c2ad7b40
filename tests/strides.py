"""A hand-moved clock for whole watches: time goes in strides, and everybody who is due in one wakes together.

A device on loopback answers in real time, of which this clock knows nothing. So before it moves on, everything comes
to rest: nothing is ready in the loop, no thread is at work for it, and whoever waits for an answer that would be over
with the next stride gets a few real milliseconds for it.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.clocks import QUIET_TURNS, ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from datetime import datetime

GRACE_S = 0.25
"""Real seconds for an answer that is waited for: a pty hands bytes over in a kernel thread of its own.

Nothing waits for them but a unit that is dead.
"""
LEAST_TURNS = 200
"""And at least so many turns of the loop: a process that was not given the processor has had no time."""
YIELD_S = 0.0002
"""So long the loop lets go meanwhile: the kernel's thread may have to share our core."""
LONG_GRACE_S = 3.0
"""For one that goes by the broker, which may be busy; time stands still meanwhile."""
LONG_WAIT_S = 1.0
LONGEST_WAIT_S = 10.0
"""Who is ready to wait longer waits for what happens on board, not for an answer."""
SHORT_SLEEP_S = 0.06
"""The silences of a Modbus RTU line are kept one by one; only longer sleeps share a stride."""


class Grace:
    """Real time that somebody is given, as this process has really had it."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._turns = 0

    def is_over(self, grace_s: float) -> bool:
        """Count one turn of the loop; return whether time and turns are used up."""
        self._turns += 1
        return self._turns > LEAST_TURNS and time.monotonic() - self._began_s > grace_s


class Threads(ThreadPoolExecutor):
    """The loop's own threads, which know whether they are at work."""

    def __init__(self) -> None:
        super().__init__(max_workers=4)
        self._at_work: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self._at_work.add(future)
        future.add_done_callback(self._at_work.discard)
        return future

    @property
    def at_work(self) -> bool:
        return bool(self._at_work)


class StridingClock(ManualClock):
    """Both clocks, moved in strides."""

    def __init__(self, *, utc: datetime, now_s: float) -> None:
        super().__init__(utc=utc, now_s=now_s)
        self._hopes: dict[object, tuple[float, float]] = {}
        """Who waits for an answer: from when on that holds time up, and for how long in real seconds."""
        self.owed: list[Callable[[], bool]] = []
        """Whether what was said on a pty was heard, for each of them."""
        self.threads = Threads()
        self.asks_broker = False
        """Whether the daemon is waiting for something to come back from the broker."""
        self.patient: set[asyncio.Event] = set()
        """Events whose waiters expect nothing in particular: no real time is given for these."""

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        if seconds is None or seconds > LONGEST_WAIT_S or event in self.patient:
            return await super().wait(event, seconds)
        if seconds <= LONG_WAIT_S:
            with self.hoping(seconds):
                return await super().wait(event, seconds)
        if self.asks_broker:
            with self.hoping(0.0, grace_s=LONG_GRACE_S):
                return await super().wait(event, seconds)
        return await super().wait(event, seconds)

    @contextmanager
    def hoping(self, seconds: float, *, grace_s: float = GRACE_S) -> Iterator[None]:
        """Have an answer waited for: from so many seconds on that holds time up, for so long in real seconds."""
        hope = object()
        self._hopes[hope] = self._now_s + seconds, grace_s
        try:
            yield
        finally:
            self._hopes.pop(hope, None)

    async def stride(self, end_s: float, *, grain_s: float) -> None:
        """Move on, by ``grain_s`` or a little more, or to the end, and let everything come to rest."""
        await self.rest()
        if (to_s := self._short_sleep_ends_s()) is None:
            due_s = self.next_due_s()
            to_s = self._now_s + grain_s if due_s is None else max(self._now_s + grain_s, due_s)
        await self._hear_out(min(to_s, end_s))
        # A device that answers late has perhaps begun to wait only now: its answer comes before the time-out.
        while (short_s := self._short_sleep_ends_s()) is not None and short_s < to_s:
            to_s = short_s
            await self._hear_out(min(to_s, end_s))
        self._wake(min(to_s, end_s))
        await self.rest()

    async def rest(self) -> None:
        """Return when nothing is ready in the loop and no thread is at work for it."""
        loop: Any = asyncio.get_running_loop()
        quiet, grace = 0, Grace()
        while quiet < QUIET_TURNS:
            await asyncio.sleep(0)
            is_heard = all(heard() for heard in self.owed) or grace.is_over(GRACE_S)
            is_quiet = is_heard and not loop._ready and not self.threads.at_work
            quiet = quiet + 1 if is_quiet else 0

    def _short_sleep_ends_s(self) -> float | None:
        """Return when a sleep ends that is too short to share a stride; None where nobody sleeps so."""
        due_s = self.next_due_s()
        is_short = due_s is not None and due_s <= self._now_s + SHORT_SLEEP_S
        return max(due_s, self._now_s) if due_s is not None and is_short else None

    def _wake(self, to_s: float) -> None:
        self._move_to(to_s)
        while self._sleepers and self._sleepers[0][0] <= to_s:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    async def _hear_out(self, to_s: float) -> None:
        """Give answers that would come too late by this clock a little real time."""
        grace = Grace()
        while graces := [grace_s for due_s, grace_s in self._hopes.values() if due_s <= to_s]:
            if (short_s := self._short_sleep_ends_s()) is not None and short_s < to_s:
                return
            if grace.is_over(max(graces)):
                for hope, (due_s, _) in list(self._hopes.items()):
                    if due_s <= to_s:
                        del self._hopes[hope]  # it had its chance
                return
            await asyncio.sleep(YIELD_S)

    def close(self) -> None:
        """Let the threads go."""
        with suppress(RuntimeError):
            self.threads.shutdown(wait=False)
