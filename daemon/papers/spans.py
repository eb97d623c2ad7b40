"""Which period did somebody mean? Days and moments as they are typed, in UTC; a last day counts with all of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from daemon.control import fields
from daemon.errors import RefusedError
from daemon.papers import moments, release
from daemon.papers.moments import Period

DEFAULT_DAYS: Final = 30
DIGEST_DAYS: Final = 7


def moment(text: str) -> datetime:
    """Return a day's beginning or a moment, in UTC.

    Raises:
        RefusedError: It is neither.
    """
    try:
        found = datetime.fromisoformat(text)
        at = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None or not fields.EARLIEST_YEAR <= at.year < fields.LATEST_YEAR:
        raise RefusedError(
            f"{text[:40]!r} is no day such as 2026-11-22 and no moment such as 2026-11-22T02:10Z"
        )
    return at


def end(text: str) -> datetime:
    """Return a moment; of a day its end.

    Raises:
        RefusedError: It is neither.
    """
    found = moment(text)
    is_day = len(text) == len("2026-11-22")
    return found + timedelta(days=1) if is_day else found


def period(
    begins: datetime | None,
    ends: datetime | None,
    *,
    now: datetime,
    what: str,
    names: tuple[str, str] = ("from", "to"),
) -> Period:
    """Return the period; without words for it the last thirty days, of the digest a week.

    ``names`` are those of what was typed into.

    Raises:
        RefusedError: It would end before it begins.
    """
    until = ends or now
    days = DIGEST_DAYS if what == release.DIGEST else DEFAULT_DAYS
    found = Period(begins or until - timedelta(days=days), until)
    if found.begins >= found.ends:
        raise RefusedError(
            f"the period would begin {moments.utc_words(found.begins)} and end "
            f"{moments.utc_words(found.ends)}: {names[0]} must be earlier than {names[1]}"
        )
    return found
