"""How far apart are two positions, and in what direction?

On the mean sphere of WGS 84, which is enough for a ship's own antennas and for whom she sees.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from daemon.model import Position

MEAN_RADIUS_M: Final = 6_371_008.8
"""Mean radius of the WGS 84 ellipsoid (NIMA TR8350.2), in metres; the sphere errs by at most 0.6 %."""
KNOT_M_S: Final = 1852.0 / 3600.0
"""One knot in metres a second: a nautical mile (ISO 80000-3) an hour."""


def distance_m(a: Position, b: Position) -> float:
    """Return the great-circle distance between two positions, in metres."""
    lat_a, lat_b = math.radians(a.lat_deg), math.radians(b.lat_deg)
    half_lat = (lat_b - lat_a) / 2
    half_lon = math.radians(b.lon_deg - a.lon_deg) / 2
    # The haversine: near positions keep their metres, which the law of cosines loses.
    haversine = (
        math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    )
    return 2 * MEAN_RADIUS_M * math.asin(math.sqrt(min(1.0, haversine)))


def bearing_deg(a: Position, b: Position) -> float:
    """Return the direction in which ``b`` is seen from ``a``, in degrees from true north, 0 to below 360."""
    lat_a, lat_b = math.radians(a.lat_deg), math.radians(b.lat_deg)
    lon = math.radians(b.lon_deg - a.lon_deg)
    east = math.sin(lon) * math.cos(lat_b)
    north = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(lon)
    return math.degrees(math.atan2(east, north)) % 360.0


def written(lat_deg: float, lon_deg: float, *, decimals: int) -> str:
    """Return a position as it is written in a log, to so many decimals of a minute: ``01°15.84'N 103°50.40'E``."""
    return f"{_angle(lat_deg, 2, 'NS', decimals)} {_angle(lon_deg, 3, 'EW', decimals)}"


def turn_deg(to_deg: float, from_deg: float) -> float:
    """Return the angle from one direction to another, the shorter way round: from -180 to below 180."""
    return (to_deg - from_deg + 180.0) % 360.0 - 180.0


def _angle(angle_deg: float, digits: int, sides: str, decimals: int) -> str:
    # In whole parts of a minute, so that 59.999' rounded up is a degree more and not 60.00'.
    minute = 10**decimals
    degrees, rest = divmod(round(abs(angle_deg) * (60 * minute)), 60 * minute)
    return (
        f"{degrees:0{digits}d}°{rest / minute:0{decimals + 3}.{decimals}f}'{sides[angle_deg < 0]}"
    )
