"""May SSAS equipment be read at this moment?

A ship security alert raises nothing on board (SOLAS XI-2/6.2.3, MSC.147(77) annex 1): invariant 1. So the equipment
that could tell of one is read only while a test window is open, and whatever began before it, ends after it, or
does not say that it is a test, does not exist. Everything that could see SSAS equipment asks this gate and nothing
else; a window is held in memory only and dies with the process.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from daemon.errors import RefusedError

if TYPE_CHECKING:
    from daemon.computer.clock import Clock

LONGEST_WINDOW_S = 90 * 60.0
"""A JRC JUE-95SA test to five addressees takes up to 53 minutes; nothing known takes 90."""


class Gate(Protocol):
    """What drivers may ask of the gate."""

    def is_open(self) -> bool:
        """Return whether a test window is open now."""
        ...

    def admits(self, *, began_s: float, ended_s: float, is_test: bool) -> bool:
        """Return whether something seen from ``began_s`` to ``ended_s`` may exist for us."""
        ...

    async def wait_open(self) -> None:
        """Return when a window is open."""
        ...

    async def wait_closed(self) -> None:
        """Return when no window is open; at its expiry without anybody's doing."""
        ...


@dataclass(frozen=True, slots=True)
class TestWindow:
    """One test window.

    Attributes:
        opened_by: The two persons who opened it.
    """

    __test__ = False  # not a test class, though its name begins like one

    opened_s: float
    until_s: float
    opened_by: tuple[str, str]


class CovertGate:
    """The one gate of a running daemon."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._window: TestWindow | None = None
        self._opened = asyncio.Event()
        self._closed = asyncio.Event()

    def window(self) -> TestWindow | None:
        """Return the open window; None when there is none, or it has expired."""
        window = self._window
        if window is not None and self._clock.now_s() >= window.until_s:
            self._forget()
            return None
        return window

    def is_open(self) -> bool:
        return self.window() is not None

    def admits(self, *, began_s: float, ended_s: float, is_test: bool) -> bool:
        window = self.window()
        return (
            window is not None
            and is_test
            and window.opened_s <= began_s
            and ended_s < window.until_s
        )

    def open(self, *, duration_s: float, opened_by: tuple[str, str]) -> TestWindow:
        """Open a window that closes by itself.

        Raises:
            RefusedError: One is open already, or the time is out of bounds.
        """
        if self.window() is not None:
            raise RefusedError("a test window is open already; close it first")
        if not 0 < duration_s <= LONGEST_WINDOW_S:
            raise RefusedError(
                f"a test window lasts at most {LONGEST_WINDOW_S / 60:.0f} min, "
                f"asked for {duration_s / 60:.1f} min"
            )
        now_s = self._clock.now_s()
        self._window = TestWindow(now_s, now_s + duration_s, opened_by)
        self._closed.clear()
        self._opened.set()
        return self._window

    def close(self) -> None:
        """Close the window now; nothing happens where none is open."""
        self._forget()

    async def wait_open(self) -> None:
        while self.window() is None:
            await self._opened.wait()

    async def wait_closed(self) -> None:
        while (window := self.window()) is not None:
            await self._clock.wait(self._closed, window.until_s - self._clock.now_s())

    def _forget(self) -> None:
        self._window = None
        self._opened.clear()
        self._closed.set()
