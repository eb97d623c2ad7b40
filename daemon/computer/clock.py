"""Which time is it, on which clock, and can it be trusted?

Two clocks (MEPC.312(74) and MSC.302(87) both assume a common one; a ship at sea has none that is certain): ages,
delays and windows use seconds since boot, which nobody can set; UTC is for the calendar and the eye. A test
replaces the whole clock, never the functions below it.
"""

from __future__ import annotations

import asyncio
import ctypes
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from daemon.model import ClockStatus

TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""
_TIMEX_BYTES = 512
"""More than any architecture's struct timex; all zero asks without changing anything."""
ASK_EVERY_S = 0.1
"""The kernel itself takes minutes to call a clock no longer synchronised; every entry asks."""

EARLIEST_PLAUSIBLE_UTC = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this software existed: a battery-backed clock that was lost shows 1970 or 2000."""


class Clock(Protocol):
    """Time as every part of ispsd is given it."""

    def utc(self) -> datetime:
        """Return the wall clock, in UTC."""
        ...

    def now_s(self) -> float:
        """Return seconds since boot; never steps, counts suspended time."""
        ...

    def status(self) -> ClockStatus:
        """Return how far ``utc`` can be trusted."""
        ...

    def boot_id(self) -> str:
        """Return what tells this boot of the computer from any other."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for a time."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let others have their turn, and time pass where it passes by itself: to save work, and for nothing else."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Wait for the event, at most so long (None: for ever); return whether it came."""
        ...


class SystemClock:
    """The computer's own clocks."""

    def __init__(self) -> None:
        self._boot_id = (
            Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip().partition("-")[0]
        )
        self._adjtimex = ctypes.CDLL(None).adjtimex
        self._timex = ctypes.create_string_buffer(_TIMEX_BYTES)
        self._asked_s = float("-inf")
        self._is_synchronised = False

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def now_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def status(self) -> ClockStatus:
        if self.utc() < EARLIEST_PLAUSIBLE_UTC:
            return ClockStatus.UNSET
        if (now_s := self.now_s()) - self._asked_s >= ASK_EVERY_S:
            self._asked_s, self._is_synchronised = now_s, self._asks_the_kernel()
        return ClockStatus.SYNCED if self._is_synchronised else ClockStatus.HOLDOVER

    def boot_id(self) -> str:
        return self._boot_id

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            # A computer that stood still finds both at once when it goes on.
            return event.is_set()
        return True

    def _asks_the_kernel(self) -> bool:
        """Return whether the clock is synchronised, as ``timedatectl`` asks; false where it cannot be asked."""
        ctypes.memset(self._timex, 0, _TIMEX_BYTES)
        state = int(self._adjtimex(self._timex))
        return 0 <= state < TIME_ERROR
