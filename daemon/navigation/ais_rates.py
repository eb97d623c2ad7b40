"""How often must a class A unit report, and is she altering course?

Source: ITU-R M.1371-5 annex 1 tables 1 and 2 and 4.3.1: at anchor or moored and not above 3 kn 3 min; else 10 s
up to 14 kn (3 1/3 s while she alters course), 6 s up to 23 kn (2 s), 2 s above. She alters course while her
heading differs by more than 5° from its mean over 30 s, and 20 s beyond; without a heading the unit knows of no
alteration.
"""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from daemon.navigation.geodesy import turn_deg

if TYPE_CHECKING:
    from daemon.model import AisReport

AT_ANCHOR, MOORED = 1, 5
"""Navigational status (ITU-R M.1371-5 table 45)."""
AT_REST: Final = frozenset({AT_ANCHOR, MOORED})
AT_REST_KN: Final = 3.0
AT_REST_INTERVAL_S: Final = 180.0
STEPS: Final = ((14.0, 10.0, 10.0 / 3.0), (23.0, 6.0, 2.0))
"""Up to so many knots, one report in so many seconds; in so many while she alters course."""
FASTEST_INTERVAL_S: Final = 2.0
MEAN_OVER_S: Final = 30.0
ALTERS_DEG: Final = 5.0
GOES_ON_S: Final = 20.0
HEADINGS_WANTED: Final = 3
MOST_HEADINGS: Final = 64
"""More than a unit reports in 30 s at its fastest."""


def interval_s(report: AisReport, *, turning: bool = False) -> float:
    """Return how often such a ship reports, in seconds; a speed that is not known counts as none."""
    speed_kn = report.sog_kn or 0.0
    if report.navigation_status in AT_REST and speed_kn <= AT_REST_KN:
        return AT_REST_INTERVAL_S
    for up_to_kn, steady_s, turning_s in STEPS:
        if speed_kn <= up_to_kn:
            return turning_s if turning else steady_s
    return FASTEST_INTERVAL_S


class Turning:
    """Whether a ship alters course, from the headings that she reports."""

    def __init__(self) -> None:
        self._headings: deque[tuple[float, float]] = deque(maxlen=MOST_HEADINGS)
        self._until_s = float("-inf")

    def take(self, report: AisReport, now_s: float) -> bool:
        """Take a report; return whether she alters course now."""
        heading_deg = report.heading_deg
        if heading_deg is None:
            return now_s < self._until_s
        while self._headings and now_s - self._headings[0][0] > MEAN_OVER_S:
            self._headings.popleft()
        if self._headings and abs(turn_deg(heading_deg, self._mean_deg())) > ALTERS_DEG:
            self._until_s = now_s + GOES_ON_S
        self._headings.append((now_s, heading_deg))
        return now_s < self._until_s

    @property
    def is_one_way(self) -> bool:
        """Whether the last three headings go one way.

        Reports come each 10 s: by so few the mean of a ship that yaws in a sea is not what her unit makes it of
        a heading a second, and she seems to alter course while the unit sees none.
        """
        newest = [heading_deg for _, heading_deg in self._headings][-HEADINGS_WANTED:]
        steps = [turn_deg(to, from_) for from_, to in pairwise(newest)]
        wanted = len(newest) == HEADINGS_WANTED
        return wanted and (min(steps) > 0.0 or max(steps) < 0.0)

    def _mean_deg(self) -> float:
        """Return the mean direction: the mean of 359° and 1° is 0°, not 180°."""
        radians = [math.radians(heading_deg) for _, heading_deg in self._headings]
        east, north = sum(map(math.sin, radians)), sum(map(math.cos, radians))
        return math.degrees(math.atan2(east, north))
