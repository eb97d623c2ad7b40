"""When is a test due again, in the words of the log? The calendar period after the one in which it was done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon.papers.moments import MONTHS
from daemon.papers.words import NOT_DONE, SAT

if TYPE_CHECKING:
    from datetime import datetime

CONTINUES: Final = "cont."
DECEMBER: Final = 12


def words(every: str, done: datetime, outcome: str, mode: str) -> str:
    """Return when it is next, in ship's time; – for what was not in order, which its defect or the re-test decides."""
    if outcome not in {SAT, NOT_DONE}:
        return "–"
    match every:
        case "day":
            found = CONTINUES if mode == "automatic" else _day(done + timedelta(days=1))
        case "week":
            found = f"wk {_day(done - timedelta(days=done.weekday()) + timedelta(days=7))}"
        case "month":
            found = _month(done.year, done.month + 1, done.year)
        case "quarter":
            found = _month(done.year, 3 * ((done.month - 1) // 3) + 4, done.year)
        case "half-year":
            found = _month(done.year, 6 * ((done.month - 1) // 6) + 7, done.year)
        case "year":
            found = str(done.year + 1)
        case _:
            found = "–"
    return found


def _day(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]}"


def _month(year: int, month: int, now: int) -> str:
    if month > DECEMBER:
        year, month = year + 1, month - DECEMBER
    return MONTHS[month - 1] + (f" {year % 100:02d}" if year != now else "")
