"""How often is a feed read that never stops talking?

A transponder's sentences come one by one, some 75 a second on a busy roadstead, and a serial port hands over a few
bytes at a time. To be woken for each costs more than to read it: where one read follows the other, what comes within
a moment is taken together. A feed that speaks once a second is read at once, as is the first word after a silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from daemon.computer.clock import Clock

GATHER_S: Final = 0.05
"""Half of what an alert may take on its way. A position is of a second, and no rule is finer than that."""
BUSY_S: Final = 2 * GATHER_S
"""Reads that follow each other within this time are worth gathering."""
FULL_BYTES: Final = 4096
"""More than any port says in that time: what comes so fast is a flood, and not waited for."""


class Gathering:
    """The pace at which one port is read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._read_s = float("-inf")
        self._is_full = False

    def is_busy_after(self, size: int) -> bool:
        """Take note of a read of so many bytes; return whether to rest, and to take together what has come then."""
        now_s = self._clock.now_s()
        is_busy = now_s - self._read_s <= BUSY_S
        self._read_s, self._is_full = now_s, size >= FULL_BYTES
        return is_busy

    async def rest(self) -> None:
        """Wait for more to come; in a flood, only for others to have their turn."""
        await self._clock.pause(0.0 if self._is_full else GATHER_S)
