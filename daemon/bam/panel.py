"""Is the panel there? By its heartbeat, which says itself how often it comes. Pure.

Source: IEC 61162-1 HBT; the time-out of 2.5 intervals is the makers' usual one.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemon.drivers.nmea_alerts import MISSED_HEARTBEATS, USUAL_HEARTBEAT_S

LONGEST_INTERVAL_S = 60.0
"""A panel that announces more is looked for all the same: an alert must not wait for its heartbeat."""


@dataclass(slots=True)
class Panel:
    """What is known of the panel.

    Attributes:
        is_expected: It sends heartbeats; if not, it is never missed.
        heard_s: Seconds since boot when it was last heard, or when listening began.
    """

    is_expected: bool
    heard_s: float
    every_s: float = USUAL_HEARTBEAT_S
    is_in_order: bool = True

    def beat(self, every_s: float | None, *, in_order: bool, now_s: float) -> None:
        """Take a heartbeat; one that is the answer to a query names no interval."""
        self.heard_s, self.is_in_order = now_s, in_order
        if every_s:
            self.every_s = min(every_s, LONGEST_INTERVAL_S)

    @property
    def missed_from_s(self) -> float:
        """Return when it counts as lost unless it is heard before."""
        return self.heard_s + self.every_s * MISSED_HEARTBEATS

    def is_lost(self, now_s: float) -> bool:
        """Return whether it cannot be relied on: silent for too long, or not in order by its own word."""
        return self.is_expected and (now_s >= self.missed_from_s or not self.is_in_order)
