"""Which moment does a person mean who writes ``0210Z`` or ``02:10Z``? The last one, or the next one, within a day.

Nobody's watch agrees with this computer to the second, and whoever types takes a minute: what is near is now.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

CLOCK: Final = re.compile(r"([01]\d|2[0-3]):?([0-5]\d)Z")
DAY: Final = timedelta(days=1)
NEAR: Final = timedelta(minutes=5)
"""On the wrong side of now by so much at most, a time of day means now, not a day away."""


def last(said: str, now_utc: datetime) -> datetime:
    """Return when it was that time last; one that is about to come is now.

    Raises:
        RefusedError: It is no time of day in UTC.
    """
    latest = now_utc + NEAR
    moment = _on_its_day(said, latest)
    return min(moment if moment <= latest else moment - DAY, now_utc)


def coming(said: str, now_utc: datetime) -> datetime:
    """Return when it is that time next; one that has just been is now.

    Raises:
        RefusedError: It is no time of day in UTC.
    """
    earliest = now_utc - NEAR
    moment = _on_its_day(said, earliest)
    return max(moment if moment >= earliest else moment + DAY, now_utc)


def _on_its_day(said: str, moment_utc: datetime) -> datetime:
    if (read := CLOCK.fullmatch(said)) is None:
        raise RefusedError(f"{said[:40]!r} is no time of day in UTC: 02:10Z")
    return moment_utc.replace(hour=int(read[1]), minute=int(read[2]), second=0, microsecond=0)
