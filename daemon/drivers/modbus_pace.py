"""When is the next poll, and which points are told again although they have not changed?

Pure. A change is told at once; the rest is repeated often enough to stay valid and no more: telling
all of a hundred inputs ten times a second would cost as much as reading them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.model import ContactState


@dataclass(frozen=True, slots=True)
class Cadence:
    """Poll times that neither drift nor bunch up: the n-th is ``start_s + n * poll_s``."""

    start_s: float
    poll_s: float

    def after(self, poll: int, now_s: float) -> int:
        """Return the number of the next poll; those that a stall has eaten are left out."""
        return max(poll + 1, math.ceil((now_s - self.start_s) / self.poll_s))

    def due_s(self, poll: int) -> float:
        """Return when a poll is due."""
        return self.start_s + poll * self.poll_s


class Told:
    """What was told last, and when all of it was; one for each connection."""

    def __init__(self, *, repeat_after_s: float, longest_gap_s: float) -> None:
        self._repeat_after_s = repeat_after_s
        self._longest_gap_s = longest_gap_s
        self._states: tuple[ContactState | None, ...] = ()
        self._all_s = -math.inf

    def due(self, states: Sequence[ContactState | None], now_s: float) -> list[int]:
        """Return the places of the states to tell now: all where a later poll would be too late.

        None is told like a state: nothing is known.
        """
        before, self._states = self._states, tuple(states)
        if now_s + self._longest_gap_s > self._all_s + self._repeat_after_s:
            self._all_s = now_s
            return list(range(len(states)))
        if before == self._states:
            return []
        return [n for n, (old, new) in enumerate(zip(before, states, strict=True)) if old != new]
