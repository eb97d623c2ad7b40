"""What does a loop of 4-20 mA measure, and is that enough: the voltage of a battery by a transmitter?

Pure. Low is told at once below its limit, and ended 2 % above it only: the voltage of a battery goes up by itself when
its load goes. A current that no transmitter sends (NAMUR NE43) is a line fault, and no figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.drivers.contacts import LOOP_BROKEN_MA, LOOP_SHORTED_MA
from daemon.model import ContactState

if TYPE_CHECKING:
    from daemon.drivers.api import Gauge

DEADBAND: Final = 0.02
"""So far above its limit, as a share of it, what was low is enough again (decision 0034)."""
DIGITS: Final = 1
"""A figure is told to a tenth: a transmitter is not better than that."""
OFTENEST_S: Final = 1.0
"""A figure that moves is told so often at most, in seconds."""
LOWEST_MA: Final = 4.0
SPAN_MA: Final = 16.0


def is_told(current_ma: float) -> bool:
    """Return whether a transmitter sends that, over a whole line."""
    return LOOP_BROKEN_MA < current_ma < LOOP_SHORTED_MA


def figure(current_ma: float, gauge: Gauge) -> float | None:
    """Return what is measured; None where the loop is broken or shorted."""
    if not is_told(current_ma):
        return None
    share = (current_ma - LOWEST_MA) / SPAN_MA
    return gauge.at_4_ma + share * (gauge.at_20_ma - gauge.at_4_ma)


def gauged_state(current_ma: float, gauge: Gauge) -> ContactState:
    """Return whether it is enough (closed), or too low (open)."""
    said = figure(current_ma, gauge)
    if said is None:
        return ContactState.LINE_FAULT
    return ContactState.OPEN if said < gauge.low else ContactState.CLOSED


def held_low(said: float, gauge: Gauge, before: ContactState | None) -> bool:
    """Return whether what was low is not enough yet."""
    return before is ContactState.OPEN and said < gauge.low * (1 + DEADBAND)


class ToldFigures:
    """Which figures are told now; one for each connection."""

    def __init__(self, *, repeat_after_s: float) -> None:
        self._repeat_after_s = repeat_after_s
        self._told: dict[str, tuple[float | None, float]] = {}

    def due(self, point: str, said: float | None, now_s: float) -> bool:
        """Return whether to tell it now: what is new, not too often, and what stands before it is too old."""
        before = self._told.get(point)
        if before is not None:
            old, at_s = before
            age_s = now_s - at_s
            is_new = said != old and (age_s >= OFTENEST_S or said is None or old is None)
            if not is_new and age_s < self._repeat_after_s:
                return False
        self._told[point] = said, now_s
        return True
