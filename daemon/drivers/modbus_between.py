"""What did an input do between two polls? Nobody saw it, but its module has counted or latched it.

Pure. Each input is told to have left its state and come back so many times. Nothing is told where anything is not
known: after a new connection the first counts and latches are a baseline (invariant 3), and so is a counter that
jumped, as it does when its module restarts or somebody clears it. A latch that is on already can tell nothing any
more until somebody clears it with the maker's tool: ispsd writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_PER_S = 50
"""A contact does not move oftener; a counter that does has jumped."""
LEAST_JUMP = 10
"""Fewer counts are no jump, however short the poll."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What a module has counted and latched, of the inputs that may be looked at and no others."""

    counts: Mapping[int, int]
    """How often each input has moved; one that is not told is not in it."""
    latched_on: int | None = None
    """The inputs that have been on, as a number; None: not told."""
    latched_off: int | None = None


@dataclass(slots=True)
class _Input:
    is_on: bool
    count: int | None
    balance: int = 0
    """Below 0: the states showed a movement that the counter has not shown yet."""


class Between:
    """Knows the poll before; one for each connection."""

    def __init__(
        self, *, modulus: int = 1 << 32, edges: Literal["on", "off", "both"] = "on"
    ) -> None:
        self._modulus = modulus
        self._edges = edges
        self._before: dict[int, _Input] = {}
        self._marks: Marks | None = None
        self._at_s = 0.0

    def cycles(
        self, inputs: int, watched: Iterable[int], marks: Marks, now_s: float
    ) -> dict[int, int]:
        """Return how often each watched input left its state and came back since the poll before.

        Args:
            inputs: The states now, as a number.
            watched: The inputs that are known now; the others are forgotten.
            marks: What was counted and latched, read before the states.
            now_s: Seconds since boot.
        """
        most = max(LEAST_JUMP, MOST_PER_S * (now_s - self._at_s))
        cycles: dict[int, int] = {}
        before, self._before = self._before, {}
        for number in watched:
            is_on = bool(inputs >> number & 1)
            now = _Input(is_on, marks.counts.get(number))
            self._before[number] = now
            if (was := before.get(number)) is None:
                continue
            unseen = max(self._counted(was, now, most), self._latched(number, was, now, marks))
            if unseen:
                cycles[number] = unseen
        self._marks, self._at_s = marks, now_s
        return cycles

    def _counted(self, was: _Input, now: _Input, most: float) -> int:
        if was.count is None or now.count is None:
            return 0
        moved = (now.count - was.count) % self._modulus
        if moved > most:
            return 0
        balance = was.balance + moved - self._expected(was, now)
        now.balance = max(-1, min(0, balance))
        return max(0, balance) // (2 if self._edges == "both" else 1)

    def _expected(self, was: _Input, now: _Input) -> int:
        """Return the counts that the change which the polls saw accounts for."""
        if was.is_on is now.is_on:
            return 0
        if self._edges == "both":
            return 1
        return int(now.is_on is (self._edges == "on"))

    def _latched(self, number: int, was: _Input, now: _Input, marks: Marks) -> int:
        """Return 1 where the latch of the other state has come on, although both polls saw the same state."""
        if was.is_on is not now.is_on or self._marks is None:
            return 0
        before, after = (
            (self._marks.latched_off, marks.latched_off)
            if now.is_on
            else (self._marks.latched_on, marks.latched_on)
        )
        if before is None or after is None:
            return 0
        return (after & ~before) >> number & 1
