"""Does own AIS report as often as it must, over half an hour and not only without a gap?

Source: ITU-R M.1371-5 annex 1 tables 1 and 2, by speed, status and change of course. A unit that sends each
third report never falls silent, and is hardly seen. Between two reports the slower of the two rates is owed; a
slot is skipped and a line is lost now and then, so a share of what is due is wanted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.navigation.ais_rates import Turning, interval_s

if TYPE_CHECKING:
    from daemon.model import AisReport

WINDOW_S: Final = 1800.0
FEWEST_DUE: Final = 10.0
"""Ten reports of a moored ship take half an hour; of fewer nothing is said."""
LEAST_SHARE: Final = 0.7


class Rate:
    """How many of the reports that were due in the last half hour came."""

    def __init__(self, every_s: float | None) -> None:
        """Count; ``every_s`` is how often this unit reports, None: as speed, status and course demand."""
        self._every_s = every_s
        self._turning = Turning()
        self._last: tuple[float, float] | None = None
        """When the last report came, and how soon the next was due."""
        self._gaps: deque[tuple[float, float, float]] = deque()
        """When a report came, how long after the one before, how many were due in that time."""

    def seen(self, report: AisReport, now_s: float, *, allowed_s: float) -> None:
        """Take an own report that carries a channel; after a silence longer than allowed it is counted anew."""
        turning = self._turning.take(report, now_s) and self._turning.is_one_way
        due_s = self._every_s or interval_s(report, turning=turning)
        if self._last is not None:
            before_s, owed_s = self._last
            gap_s = max(0.0, now_s - before_s)
            if gap_s > allowed_s:
                self._gaps.clear()
            else:
                self._gaps.append((now_s, gap_s, gap_s / max(owed_s, due_s)))
        self._last = now_s, due_s
        while self._gaps and now_s - self._gaps[0][0] > WINDOW_S:
            self._gaps.popleft()

    def blind(self) -> None:
        """Begin anew: what came meanwhile nobody knows."""
        self._last = None
        self._gaps.clear()

    def counted(self) -> Counted:
        """Return what was counted in the last half hour."""
        return Counted(
            came=len(self._gaps),
            due=sum(each[2] for each in self._gaps),
            span_s=sum(each[1] for each in self._gaps),
        )

    def fault(self) -> str | None:
        """Return how the rate is too low; None where it is not, or too little was heard to tell."""
        return self.counted().fault()


@dataclass(frozen=True, slots=True)
class Counted:
    """How many reports came in a time, and how many were due in it."""

    came: int
    due: float
    span_s: float

    def fault(self) -> str | None:
        """Return how the rate is too low; None where it is not, or too little was heard to tell."""
        came, due, span_s = self.came, self.due, self.span_s
        if due < FEWEST_DUE or span_s < WINDOW_S / 2 or came >= LEAST_SHARE * due:
            return None
        return f"own reports come each {span_s / came:.0f} s, one is due each {span_s / due:.0f} s"
