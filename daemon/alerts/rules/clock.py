"""Does a receiver tell another time than this computer? Shown, never corrected (invariant 8)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said
from daemon.model import Quality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.alerts.rules.api import Moment
    from daemon.model import Reading
    from daemon.points.points import Change

OFFSET = "clock.offset"
MOST_S = 2.0
"""A sentence leaves the receiver up to a second after the moment that it tells."""


class ClockRule:
    """The time of one GNSS receiver against this computer's."""

    def __init__(self, device: str) -> None:
        self._fix_point = f"{device}.fix"
        self.points = frozenset({f"{device}.time", self._fix_point})
        self.devices = frozenset({device})
        self.says = frozenset({(OFFSET, device)})
        self._source = Source(device, device.upper(), device)
        self._offset_s: float | None = None
        self._lacks_fix = False

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        self._lacks_fix = False  # one that tells time alone never says that it has a fix
        if not up:
            self._offset_s = None

    def take(self, reading: Reading, change: Change | None) -> None:
        if reading.point == self._fix_point:
            self._lacks_fix = reading.value is None
            return
        self._offset_s = None
        # A receiver that warns of its time, or has no fix, tells the time of a clock that nobody has set.
        if isinstance(reading.value, str) and reading.quality is Quality.GOOD:
            told_utc = datetime.fromisoformat(reading.value)
            self._offset_s = (reading.received_utc - told_utc).total_seconds()

    def look(self, moment: Moment) -> Iterator[Said]:
        if self._offset_s is not None and not self._lacks_fix:
            side = "ahead of" if self._offset_s > 0 else "behind"
            detail = f"this computer is {abs(self._offset_s):.0f} s {side} {self._source.name}"
            yield Said(OFFSET, self._source, abs(self._offset_s) > MOST_S, detail)
