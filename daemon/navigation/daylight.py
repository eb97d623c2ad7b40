"""Is it dark where the ship is? The height of the sun, from her position and UTC; pure.

ISPS B/9.46 asks for light at night in port and at anchor. Night is from sunset to sunrise, as 33 CFR 104.285(a)(2) has
it for the ships that it covers: sunset is when the sun's upper limb goes under, its centre 0.833 deg below the horizon
(34' of refraction and 16' of half its width). Where the sun does not set that day it is not dark, where it does not
rise it is dark all day.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from astral import Observer
from astral.sun import elevation

if TYPE_CHECKING:
    from datetime import datetime

    from daemon.model import Position

SET_DEG: Final = -0.833
SWITCHED: Final = timedelta(minutes=15)
"""So long after sunset the lights are to be lit, and so long before sunrise they may go out."""


def sun_deg(position: Position, moment_utc: datetime) -> float:
    """Return how high the sun's centre stands over the horizon, in degrees, refraction left out."""
    observer = Observer(position.lat_deg, position.lon_deg)
    return float(elevation(observer, moment_utc, with_refraction=False))


def is_night(position: Position, moment_utc: datetime) -> bool:
    """Return whether the sun has set."""
    return sun_deg(position, moment_utc) < SET_DEG


def must_be_lit(position: Position, moment_utc: datetime) -> bool:
    """Return whether lights are to be lit: from a quarter of an hour after sunset to one before sunrise."""
    moments = (moment_utc - SWITCHED, moment_utc, moment_utc + SWITCHED)
    return all(is_night(position, moment) for moment in moments)
