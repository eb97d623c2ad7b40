"""How do moments and durations look in a message and in an entry?

Messages may hold decimal fractions, entries never do (RFC 8785 numbers are IEEE 754 doubles, and a hash must not hang
on how a fraction is printed).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timezone


def utc(moment: datetime) -> str:
    """Return a moment as it stands everywhere: ``2026-11-22T02:10:00.123Z``."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def from_utc(text: str) -> datetime:
    """Read a moment written by ``utc``."""
    return datetime.fromisoformat(text)


def offset_min(ship_time: timezone) -> int:
    """Return how far ship's time is ahead of UTC, in minutes."""
    return int(ship_time.utcoffset(None).total_seconds() // 60)


def milliseconds(seconds: float) -> float:
    """Return seconds rounded to the millisecond, as messages carry them."""
    return round(seconds, 3)
