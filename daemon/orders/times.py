"""Which moment does a person mean who writes ``0210Z`` or ``02:10Z``? The last one, or the next one, within a day."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

CLOCK: Final = re.compile(r"([01]\d|2[0-3]):?([0-5]\d)Z")
DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)


def last(said: str, now_utc: datetime) -> datetime:
    """Return when it was that time last; a minute that has just begun counts as now.

    Raises:
        RefusedError: It is no time of day in UTC.
    """
    moment = _today(said, now_utc)
    return moment if moment <= now_utc else moment - DAY


def coming(said: str, now_utc: datetime) -> datetime:
    """Return when it is that time next; the minute that runs is now.

    Raises:
        RefusedError: It is no time of day in UTC.
    """
    moment = _today(said, now_utc)
    if moment + MINUTE <= now_utc:
        return moment + DAY
    return max(moment, now_utc)


def _today(said: str, now_utc: datetime) -> datetime:
    if (read := CLOCK.fullmatch(said)) is None:
        raise RefusedError(f"{said[:40]!r} is no time of day in UTC: 02:10Z")
    return now_utc.replace(hour=int(read[1]), minute=int(read[2]), second=0, microsecond=0)
