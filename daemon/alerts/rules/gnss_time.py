"""Does a receiver tell the time as it passes: no step, no week count that began again, no drift?

Nothing is ever set by it.
The time between two sentences is taken from the computer's steady clock, the date from its calendar (invariant 8).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from daemon.alerts.rules.gnss_limits import DRIFT_PPM, ROLLOVER_S, ROLLOVER_WITHIN_S, TIME_STEP_S

if TYPE_CHECKING:
    from datetime import datetime

KEPT = 30
"""Sentences by which the usual difference is known."""
LEAST = 10
ALIKE = 5
"""So many in a row must show a step: one that came late is none."""
HELD_S = 600.0
"""So long the time before a step is held against the time after it."""
WINDOW_S = 600.0
"""In each, the sentence that came with the least delay counts."""
DRIFT_FROM_S = 6 * 3600.0
"""5 ppm are a tenth of a second in six hours: sooner the delays of a serial line hide them."""
DRIFT_KEPT = 48
LEAP_S = 1.0
LEAP_WITHIN_S = 0.1
"""UTC itself steps by a second (ITU-R TF.460), which no clock that counts from boot follows."""


@dataclass(slots=True)
class _Step:
    by_s: float
    since_s: float


class GnssTime:
    """What one receiver tells of time."""

    def __init__(self) -> None:
        self._usual: deque[float] = deque(maxlen=KEPT)
        self._newest: deque[float] = deque(maxlen=ALIKE)
        self._step: _Step | None = None
        self._weeks = 0
        self._best: deque[tuple[float, float]] = deque(maxlen=DRIFT_KEPT)
        """When a window began, and the difference with the least delay in it."""

    def take(self, told_utc: datetime, *, now_utc: datetime, now_s: float) -> None:
        """Take a moment that the receiver told, and when it came on both clocks."""
        off_s = told_utc.timestamp() - now_s
        behind_s = (now_utc - told_utc).total_seconds()
        weeks = round(behind_s / ROLLOVER_S)
        is_rolled = weeks != 0 and abs(behind_s - weeks * ROLLOVER_S) <= ROLLOVER_WITHIN_S
        self._weeks = weeks * 1024 if is_rolled else 0
        self._look_for_step(off_s, now_s)
        self._look_for_drift(off_s, now_s)

    def words(self, *, clock_is_synced: bool) -> str | None:
        if not clock_is_synced:
            # A clock that nothing disciplines runs away by itself: by it nothing is ever called a drift.
            self._best.clear()
        if self._weeks:
            side = "behind" if self._weeks > 0 else "ahead"
            return f"date is {abs(self._weeks)} weeks {side}"
        if self._step is not None:
            return f"time stepped {self._step.by_s:+.0f} s"
        drift_ppm = self._drift_ppm()
        if drift_ppm is not None and abs(drift_ppm) > DRIFT_PPM:
            return f"time drifts {drift_ppm:+.0f} ppm"
        return None

    def _look_for_step(self, off_s: float, now_s: float) -> None:
        self._newest.append(off_s)
        if len(self._usual) < LEAST:
            self._usual.append(off_s)
            return
        usual_s = median(self._usual)
        away = [each - usual_s for each in self._newest]
        stepped = len(away) == ALIKE and (min(away) > TIME_STEP_S or max(away) < -TIME_STEP_S)
        if stepped:
            self._step = _Step(median(away), self._step.since_s if self._step else now_s)
            if now_s - self._step.since_s > HELD_S:
                self._forget()
        elif abs(off_s - usual_s) <= TIME_STEP_S:
            self._step = None
            self._usual.append(off_s)

    def _forget(self) -> None:
        """Believe the time after a step that nobody took back."""
        self._usual.clear()
        self._newest.clear()
        self._best.clear()
        self._step = None

    def _look_for_drift(self, off_s: float, now_s: float) -> None:
        if self._step is not None:
            return
        if not self._best or now_s - self._best[-1][0] >= WINDOW_S:
            if len(self._best) > 1 and _is_leap(self._best[-1][1] - self._best[-2][1]):
                newest = self._best[-1]
                self._best.clear()
                self._best.append(newest)
            self._best.append((now_s, off_s))
        elif off_s > self._best[-1][1]:
            self._best[-1] = self._best[-1][0], off_s

    def _drift_ppm(self) -> float | None:
        if len(self._best) < 3 or self._best[-2][0] - self._best[0][0] < DRIFT_FROM_S:  # noqa: PLR2004
            return None  # the newest window is not whole yet
        (from_s, first_s), (to_s, last_s) = self._best[0], self._best[-2]
        return (last_s - first_s) / (to_s - from_s) * 1e6


def _is_leap(step_s: float) -> bool:
    """Return whether UTC has had a second more or less."""
    return abs(abs(step_s) - LEAP_S) <= LEAP_WITHIN_S
