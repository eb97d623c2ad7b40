"""Do the signals of all satellites behave as a sky does?

They fall together when somebody jams, and are alike, or stronger than they were, when somebody imitates them.
"""

from __future__ import annotations

from collections import deque
from statistics import fmean
from typing import TYPE_CHECKING

from daemon.alerts.rules.gnss_limits import (
    CN0_DEEP_FALL_DB,
    CN0_FALL_DB,
    CN0_FALL_S,
    CN0_RISE_DB,
    CN0_UNIFORM_DB,
    CN0_UNIFORM_FROM,
    CN0_UNIFORM_S,
    UNVEILED_BY,
)
from daemon.alerts.rules.gnss_receiver import Lasting

if TYPE_CHECKING:
    from daemon.model import Sky

HISTORY_S = 600.0
"""The same sky: satellites move half a degree a minute."""
SAMPLE_S = 5.0
LEAST_HISTORY = 12
"""Samples before anything is held against them: a minute."""
HELD_S = 1800.0
"""So long what was before is held against a changed sky; then it is the new one."""


class Signals:
    """The signal strengths at the antenna of one receiver."""

    def __init__(self) -> None:
        # At most HISTORY_S / SAMPLE_S + 1 samples: bounded by construction.
        self._history: deque[tuple[float, float]] = deque(maxlen=int(HISTORY_S / SAMPLE_S) + 1)
        self._tracked: deque[int] = deque(maxlen=self._history.maxlen)
        """How many satellites the samples are of."""
        self._odd: str | None = None
        self._odd_s: float | None = None
        self._uniform = Lasting(CN0_UNIFORM_S)
        self._sigma_db: float | None = None

    def take(self, sky: Sky, now_s: float) -> None:
        self._sigma_db = sky.cn0_sigma_db
        alike = (
            sky.cn0_sigma_db is not None
            and sky.cn0_sigma_db < CN0_UNIFORM_DB
            and (sky.tracked or 0) >= CN0_UNIFORM_FROM
        )
        self._uniform.see(now_s, is_so=alike)
        if sky.mean_cn0_db_hz is None:
            # A receiver that never told signals says nothing here either; one that did has lost all of them.
            self._note(
                "tracks no signal" if self._usual(now_s) and sky.in_view is not None else None,
                now_s,
            )
            return
        self._compare(sky.mean_cn0_db_hz, sky.tracked, now_s)
        newest_s = self._history[-1][0] if self._history else float("-inf")
        if self._odd is None and now_s - newest_s >= SAMPLE_S:
            self._history.append((now_s, sky.mean_cn0_db_hz))
            self._tracked.append(sky.tracked or 0)

    def words(self, now_s: float) -> str | None:
        if self._odd is not None:
            return self._odd
        if self._uniform.holds(now_s) and self._sigma_db is not None:
            return f"signals are alike within {self._sigma_db:.1f} dB"
        return None

    def _compare(self, mean_db_hz: float, tracked: int | None, now_s: float) -> None:
        usual = self._usual(now_s)
        if usual is None:
            self._note(None, now_s)
            return
        change_db = mean_db_hz - usual
        if change_db <= -CN0_FALL_DB:
            far = " far:" if change_db <= -CN0_DEEP_FALL_DB else ""
            self._note(f"signals fell{far} {-change_db:.0f} dB", now_s)
        elif change_db > CN0_RISE_DB and self._is_unveiled(tracked):
            self._history.clear()
            self._tracked.clear()
            self._note(None, now_s)
        elif change_db > CN0_RISE_DB:
            self._note(f"signals rose {change_db:.0f} dB", now_s)
        else:
            self._note(None, now_s)

    def _is_unveiled(self, tracked: int | None) -> bool:
        """Return whether more satellites are tracked than were: their sky was hidden, and is no longer."""
        return tracked is not None and tracked >= fmean(self._tracked) + UNVEILED_BY

    def _usual(self, now_s: float) -> float | None:
        """Return the mean before the last minute; None where too little was seen.

        While something is odd nothing is added, so that a sky that fell is not the usual one after ten minutes.
        """
        since_s = now_s if self._odd_s is None else self._odd_s
        before = [db for at_s, db in self._history if since_s - HISTORY_S <= at_s]
        older = [db for at_s, db in self._history if at_s <= since_s - CN0_FALL_S]
        kept = older if len(older) >= LEAST_HISTORY else before
        return fmean(kept) if len(kept) >= LEAST_HISTORY else None

    def _note(self, words: str | None, now_s: float) -> None:
        if words is None:
            self._odd = self._odd_s = None
            return
        if self._odd_s is not None and now_s - self._odd_s > HELD_S:
            self._history.clear()
            self._tracked.clear()
            self._odd = self._odd_s = None
            return
        self._odd = words
        self._odd_s = now_s if self._odd_s is None else self._odd_s
