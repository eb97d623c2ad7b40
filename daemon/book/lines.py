"""How a line of the worklist is made that is no test's: its words cut to what the list takes."""

from __future__ import annotations

from datetime import date, datetime

from daemon.testing.worklist import LONGEST_TEXT, Item, ItemState


def line(
    id_: str,
    what: str,
    state: ItemState,
    since_utc: datetime | None = None,
    limit_utc: datetime | None = None,
    *,
    equipment: str = "record",
) -> Item:
    """Return a line."""
    shown = what if len(what) <= LONGEST_TEXT else what[: LONGEST_TEXT - 1] + "…"
    return Item(id_, equipment, shown, state, since_utc, limit_utc)


def moment(said: object) -> datetime | None:
    """Return a moment as entries have it; None for none."""
    return datetime.fromisoformat(said) if isinstance(said, str) else None


def short_day(day: date) -> str:
    """Return a day in words."""
    return f"{day:%d %b %Y}"
