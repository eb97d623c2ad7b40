"""For how much of its time was something seen, and what gaps were there? One line of a day's log.

A gap is a silence longer than allowed while we could have heard. Time in which we could not (a cut feed, ispsd itself
off) is no gap and no proof: it was not watched, and the line says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json

UNWATCHED_S: Final = 60.0
"""Time not watched that is worth a word."""


class Coverage:
    """What was seen since ``began_s``, in seconds since boot."""

    def __init__(self, began_s: float) -> None:
        self.watched_s = 0.0
        self.gap_s = 0.0
        self.gaps = 0
        self.longest_s = 0.0
        self._began_s = began_s
        self._last_s = began_s
        self._is_blind = False

    def seen(self, now_s: float, *, allowed_s: float) -> None:
        """Note that it was seen now; ``allowed_s`` is the longest silence that is none."""
        self._account(now_s, allowed_s)
        self._is_blind = False

    def blind(self, now_s: float, *, allowed_s: float) -> None:
        """Note that from now on it cannot be seen, whether it is there or not; said again it changes nothing."""
        if self._is_blind:
            return
        self._account(now_s, allowed_s)
        self._is_blind = True

    def end(self, now_s: float, *, allowed_s: float) -> None:
        """Account for the time until now, whatever comes after it."""
        self._account(now_s, allowed_s)

    def silent_s(self, now_s: float) -> float:
        """Return for how long it has said nothing that we could have heard."""
        return 0.0 if self._is_blind else max(0.0, now_s - self._last_s)

    def blind_s(self, now_s: float) -> float:
        """Return for how long it could not be heard."""
        return max(0.0, now_s - self._last_s) if self._is_blind else 0.0

    def as_fact(self) -> dict[str, Json]:
        """Return it as a fact, from which ``of_fact`` makes it again."""
        return {
            "began_s": self._began_s,
            "last_s": self._last_s,
            "blind": self._is_blind,
            "watched_s": self.watched_s,
            "gap_s": self.gap_s,
            "gaps": self.gaps,
            "longest_s": self.longest_s,
        }

    @classmethod
    def of_fact(cls, said: Mapping[str, Any]) -> Coverage:
        """Return what ``as_fact`` said."""
        made = cls(said["began_s"])
        made._last_s, made._is_blind = said["last_s"], said["blind"]
        made.watched_s, made.gap_s = said["watched_s"], said["gap_s"]
        made.gaps, made.longest_s = said["gaps"], said["longest_s"]
        return made

    @property
    def share(self) -> float | None:
        """The share of the watched time that was without gap; None where nothing was watched."""
        return None if self.watched_s <= 0 else 1.0 - self.gap_s / self.watched_s

    @property
    def share_of_all(self) -> float:
        """The share of all the time accounted for, watched or not, in which it was seen without gap."""
        all_s = self._last_s - self._began_s
        return 0.0 if all_s <= 0 else (self.watched_s - self.gap_s) / all_s

    def words(self, *, since: str | None) -> str:
        """Return the line: ``24 h, 99.9 %, 1 gap 01:10``; ``since`` where that was not the day's beginning."""
        span, share = self.span(since=since), self.share
        if share is None:
            return f"{span}, nothing watched"
        # Rounded down: a day with a gap never reads 100.0 %.
        return f"{span}, {math.floor(share * 1000) / 10:.1f} %, {self._gaps()}"

    def span(self, *, since: str | None) -> str:
        """Return what of the day was watched: ``24 h``, ``since 22:30``, ``24 h (watched 20:10:00)``."""
        span = "24 h" if since is None else f"since {since}"
        if self._last_s - self._began_s - self.watched_s > UNWATCHED_S:
            span += f" (watched {length(self.watched_s)})"
        return span

    def _gaps(self) -> str:
        if not self.gaps:
            return "no gap"
        if self.gaps == 1:
            return f"1 gap {length(self.longest_s)}"
        return f"{self.gaps} gaps, longest {length(self.longest_s)}"

    def _account(self, now_s: float, allowed_s: float) -> None:
        span_s = max(0.0, now_s - self._last_s)
        self._last_s = max(self._last_s, now_s)
        if self._is_blind:
            return
        self.watched_s += span_s
        if span_s > allowed_s:
            self.gap_s += span_s
            self.gaps += 1
            self.longest_s = max(self.longest_s, span_s)


def length(seconds: float) -> str:
    """Return a length of time as logs have it: ``01:10``, ``2:01:10``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
