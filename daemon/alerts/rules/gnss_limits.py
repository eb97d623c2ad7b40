"""From when on is a GNSS figure odd? The thresholds, each with its source.

Source: no IMO figures exist (MSC.1/Circ.1644 names none); these are the starting points of published field trials and
of practice, to be tuned from the ship's own history. What only this ship knows is in ``Antennas``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_HDOP: Final = 4.0
LEAST_SATELLITES: Final = 5
"""Fix degraded: worse geometry, or fewer satellites in the solution."""

JUMP_M: Final = 100.0
JUMP_TIMES: Final = 3.0
"""A fix further off than so many times what the speed allows, and 100 m, is a jump."""
JUMP_REMEMBERED_S: Final = 600.0
"""How long a position is held against the place that it jumped from."""
UNKNOWN_SPEED_KN: Final = 30.0
"""A ship whose speed is not known may make so much."""

FROZEN_S: Final = 60.0
FROZEN_STW_KN: Final = 1.0
"""Position unchanged for so long while she makes more than this through the water (officers' reports, Felski 2020)."""

SPEED_OFF_KN: Final = 2.0
COURSE_OFF_DEG: Final = 20.0
DISAGREES_S: Final = 60.0
"""Over ground against log and compass, for so long without a break."""
COURSE_FROM_KN: Final = 3.0
"""Slower than this wind and stream decide where she goes, not her heading."""

APART_M: Final = 50.0
"""Two receivers of different makes agree within this and the distance of their antennas."""
ONE_POINT_SHARE: Final = 0.5
ONE_POINT_S: Final = 60.0
"""Closer than this share of the antennas' distance for so long: in a spoofed field all receivers compute one
position, wherever their antennas stand (Dobryakova 2014, Kuboki)."""
ONE_POINT_FROM_M: Final = 5.0
"""Antennas closer than this cannot be told from one point by plain NMEA."""

CN0_FALL_DB: Final = 6.0
CN0_DEEP_FALL_DB: Final = 10.0
CN0_FALL_S: Final = 60.0
"""The mean fell by so much within a minute against the minutes before (jamming trials: Norwegian Coastal
Administration)."""
CN0_RISE_DB: Final = 4.0
UNVEILED_BY: Final = 2.0
"""Signals that rise while so many more satellites are tracked come from a sky that a crane or a bridge had hidden:
whoever imitates satellites takes the place of those that are there. Our choice."""
CN0_UNIFORM_DB: Final = 2.0
CN0_UNIFORM_FROM: Final = 6
CN0_UNIFORM_S: Final = 30.0
"""One transmitter instead of a sky: the standard deviation over six satellites or more."""

TIME_STEP_S: Final = 1.0
ROLLOVER_S: Final = 1024 * 7 * 86_400.0
"""GPS counts weeks modulo 1024 (IS-GPS-200): a receiver that lost count is off by exactly so much."""
ROLLOVER_WITHIN_S: Final = 86_400.0
DRIFT_PPM: Final = 5.0
"""A receiver's time runs away from a disciplined clock."""

HEIGHT_M: Final = 30.0
"""A ship's antenna is where the sea is."""
HIGHEST_ANTENNA_M: Final = 100.0
"""No ship carries one higher over the water; where hers stands nobody knows until her file says so."""

VDO_APART_M: Final = 100.0
AIS_ALERTS: Final = {
    7: "UTC sync invalid",
    9: "internal and external position differ",
    25: "external position lost",
    26: "no sensor position in use",
}
"""Alert identifiers of IEC 61993-2 that speak of GNSS."""
EXTERNAL_LOST: Final = 25
"""This one says that the ship's own receiver fell silent: no witness beside that receiver."""

FRESH_S: Final = 10.0
CLOCKS_APART_S: Final = 5.0
"""Two fixes are compared when they came within so long of each other."""
REPORT_FRESH_S: Final = 400.0
"""A moored unit reports once in 3 min: two of them may be missed."""


@dataclass(frozen=True, slots=True)
class Antennas:
    """What only this ship knows.

    Attributes:
        apart_m: How far the antennas of two receivers stand from each other, in metres; 0: not known.
        height_m: How high they stand over the water, in metres; None: not known.
        current_kn: The strongest stream that the voyage meets, in knots: log and GNSS may differ by so much.
    """

    apart_m: float = 0.0
    height_m: float | None = None
    current_kn: float = SPEED_OFF_KN
