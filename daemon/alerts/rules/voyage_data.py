"""Do the voyage data that own AIS sends fit what the ship does?

Source: SOLAS V/19, A.1106(29) 21 to 24 (the officer of the watch keeps status, draught, destination and time of arrival
right); status: ITU-R M.1371-5 table 45. What people set is compared with what people set: the situation. A ship that
manoeuvres may say anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from daemon.model import Situation
from daemon.navigation.ais_rates import AT_ANCHOR, AT_REST, AT_REST_KN, MOORED

if TYPE_CHECKING:
    from daemon.model import AisIdentity, AisReport

STATUS_WORDS: Final = {
    0: "under way using engine",
    1: "at anchor",
    2: "not under command",
    3: "restricted in her ability to manoeuvre",
    4: "constrained by her draught",
    5: "moored",
    6: "aground",
    7: "engaged in fishing",
    8: "under way sailing",
    15: "not defined",
}
STATUSES: Final = {
    Situation.SEA: frozenset({0, 2, 3, 4, 8}),
    Situation.ANCHOR: frozenset({AT_ANCHOR}),
    Situation.PORT: frozenset({MOORED}),
}
"""What the navigational status may be."""
ADRIFT: Final = frozenset({0, 2})
ADRIFT_KN: Final = 0.3
"""A ship that drifts is under way (COLREG 3(i)), though her situation is *anchor*; at anchor she does not move."""
ARRIVAL_SLIPS: Final = timedelta(hours=6)
"""Arrivals slip; so long after it nobody has looked at it."""


def faults(
    report: AisReport, identity: AisIdentity | None, situation: Situation, *, now_utc: datetime
) -> list[str]:
    """Return in words what does not fit; of voyage data that were not heard nothing is said."""
    found = []
    status = report.navigation_status
    words = STATUS_WORDS.get(status, f"status {status}")
    wanted = STATUSES.get(situation)
    if situation is Situation.ANCHOR and (report.sog_kn is None or report.sog_kn > ADRIFT_KN):
        wanted = STATUSES[situation] | ADRIFT
    if wanted is not None and status not in wanted:
        found.append(f"says {words}, situation is {situation}")
    elif status in AT_REST and (report.sog_kn or 0.0) > AT_REST_KN:
        found.append(f"says {words} at {report.sog_kn:.1f} kn")
    if identity is not None and situation is Situation.SEA:
        found += _voyage(identity, now_utc)
    return found


def _voyage(said: AisIdentity, now_utc: datetime) -> list[str]:
    """Return what of the voyage is not set, or old; alongside and at anchor the next may not be known."""
    found = []
    if said.draught_m is None:
        found.append("draught not set")
    if said.destination is None:
        found.append("destination not set")
    if said.eta is not None:
        arrival = _nearest(said.eta, now_utc)
        if arrival is not None and now_utc - arrival > ARRIVAL_SLIPS:
            found.append(f"time of arrival {said.eta} UTC is past")
    return found


def _nearest(eta: str, now_utc: datetime) -> datetime | None:
    """Return a time of arrival in the year that brings it nearest; None where no such day is."""
    moments = []
    for year in range(now_utc.year - 1, now_utc.year + 2):
        try:
            moments.append(datetime.strptime(f"{year}-{eta} Z", "%Y-%m-%d %H:%M %z"))
        except ValueError:  # the 29th of February
            continue
    return min(moments, key=lambda moment: abs(moment - now_utc), default=None)
