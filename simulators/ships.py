"""The ships of the sample voyage: own ship at her berth, and three others."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

METRES_PER_DEGREE = 60 * 1852.0
"""One minute of latitude is a nautical mile; near enough for what a simulator moves."""
KNOT_M_PER_S = 1852.0 / 3600.0


@dataclass(frozen=True, slots=True)
class Vessel:
    """A ship as AIS describes her."""

    mmsi: int
    lat_deg: float
    lon_deg: float
    imo_number: int = 0
    name: str = ""
    call_sign: str = ""
    sog_kn: float = 0.0
    navigation_status: int = 5
    """ITU-R M.1371-5 table 48: 5 is moored, 0 under way using engine, 1 at anchor."""
    cog_deg: float | None = None
    draught_m: float = 13.2
    destination: str = "SGSIN"
    eta: tuple[int, int, int, int] | None = None
    """Month, day, hour and minute, in UTC."""

    def way_m(self, seconds: float) -> tuple[float, float]:
        """Return how far north and east her course takes her in so long."""
        way_m = self.sog_kn * KNOT_M_PER_S * seconds
        course = math.radians(self.cog_deg or 0.0)
        return way_m * math.cos(course), way_m * math.sin(course)

    def moved(self, north_m: float, east_m: float) -> Vessel:
        """Return the ship at another place."""
        shrink = max(0.01, math.cos(math.radians(self.lat_deg)))
        lat_deg = max(-89.0, min(89.0, self.lat_deg + north_m / METRES_PER_DEGREE))
        lon_deg = self.lon_deg + east_m / (METRES_PER_DEGREE * shrink)
        return replace(self, lat_deg=lat_deg, lon_deg=(lon_deg + 180.0) % 360.0 - 180.0)


OWN_SHIP = Vessel(
    299000019, 1.264, 103.840, imo_number=9999993, name="KESTREL STRAIT", call_sign="9VKS0"
)
OTHERS = (
    Vessel(299000101, 1.2512, 103.8233, sog_kn=9.4, navigation_status=0),
    Vessel(299000102, 1.2437, 103.8471, navigation_status=1),
    Vessel(299000103, 1.2688, 103.8365),
)
