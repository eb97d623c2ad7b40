"""Does the gangway watch still answer?

In port at security level 2 and 3 the gangway is asked for a sign of life from time to time. Whatever a person does at a
gangway station is one; where nobody has done anything for so long the station asks, and whoever does not answer in five
minutes is an alert: GANGWAY NO REPLY, whose delay in the catalogue is those five minutes. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Source
from daemon.model import Situation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.model import Regime

KEY: Final = "gangway.no_reply"
SOURCE: Final = Source("gangway", "GANGWAY", "ispsd")
MINUTE_S: Final = 60.0


class GangwayPrompt:
    """When the gangway is asked, and whether it has answered."""

    def __init__(self, every_min: Sequence[int], *, now_s: float) -> None:
        """Ask so often: at security level 1, 2 and 3, in minutes; 0 for never."""
        self._every_min = tuple(every_min)
        self._acted_s = now_s
        self._asked_s: float | None = None

    @property
    def asked_s(self) -> float | None:
        """Return since when it is asked, in seconds since boot; None while it is not."""
        return self._asked_s

    def look(self, regime: Regime, now_s: float) -> bool:
        """Ask if it is time to; return whether that, or that it is no longer asked, is news."""
        before = self._asked_s
        every_s = self._every_s(regime)
        if every_s is None:
            # What comes next begins anew: nobody is asked for an hour in which nobody had to answer.
            self._acted_s, self._asked_s = now_s, None
        elif self._asked_s is None and now_s >= self._acted_s + every_s:  # as next_due_s has it
            self._asked_s = now_s
        return self._asked_s != before

    def resume(self, now_s: float) -> None:
        """Ask at once: it was asked when ispsd last stopped, and nobody had answered."""
        self._asked_s = now_s

    def act(self, at_s: float) -> bool:
        """Take a sign of life from the gangway; return whether it was asked for."""
        if at_s < (self._acted_s if self._asked_s is None else self._asked_s):
            return False  # older than the question
        was_asked = self._asked_s is not None
        self._acted_s, self._asked_s = at_s, None
        return was_asked

    def next_due_s(self, regime: Regime) -> float | None:
        """Return when it is asked next; None for never, or while it is asked."""
        every_s = self._every_s(regime)
        return None if every_s is None or self._asked_s is not None else self._acted_s + every_s

    def _every_s(self, regime: Regime) -> float | None:
        minutes = self._every_min[regime.level - 1]
        in_port = regime.situation is Situation.PORT
        return minutes * MINUTE_S if in_port and minutes else None
