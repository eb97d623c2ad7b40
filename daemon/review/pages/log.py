"""The equipment test log (ISPS A/10.1.10): one row a test, with the columns and words of the form that ships use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError
from daemon.model import Readiness
from daemon.review import calendar
from daemon.review.page import Page
from daemon.review.typed import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

FILTERS: Final = (
    ("all", "All"),
    ("unsat", "Unsat"),
    ("overdue", "Overdue"),
    ("ssas", "SSAS"),
    ("drills", "Drills"),
)
KEPT: Final = ("month", "from", "to", "equipment", "text")
"""What stays as it was when another filter is chosen."""


async def read(reader: Reader, asked: Mapping[str, str]) -> Mapping[str, Json]:
    """Return a sheet of the log; without a word of the address: this month, the newest first.

    Raises:
        RefusedError: What is asked for is no month, day, filter or number.
    """
    show = asked.get("show") or "all"
    days, month = calendar.asked_for(reader, asked)
    sheet = await reader.ask(
        "testlog",
        show=show,
        **days.bounds(reader),
        equipment=asked.get("equipment") or None,
        text=asked.get("text") or None,
        before=_before(asked),
        view="psc" if reader.is_psc else "full",
    )
    overdue = await _overdue(reader) if show == "overdue" and not reader.is_psc else []
    kept = {name: asked[name] for name in KEPT if asked.get(name)}
    return {
        **sheet,
        "show": show,
        "filters": [
            {"name": title, "asked": {**kept, "show": name}, "on": name == show}
            for name, title in FILTERS
        ],
        "asked": {name: asked.get(name, "") for name in KEPT},
        "period": f"{days.first:%d %b %Y} to {days.last:%d %b %Y}"
        if month is None
        else month.words,
        "month": None if month is None else month.id,
        "months": []
        if month is None
        else [
            {"name": each.words, "asked": {"month": each.id, "show": show}}
            for each in (month.later(-1), month.later(1))
        ],
        "older": None
        if sheet["next"] is None
        else {**kept, "show": show, "before": str(sheet["next"])},
        "is_first": "before" not in asked,
        "overdue": overdue,
    }


async def _overdue(reader: Reader) -> list[Json]:
    """Return the tests that are overdue now: what was not done for long has no row in this month."""
    tests = (await reader.ask("tests"))["tests"]
    return [
        {name: each[name] for name in ("test", "name", "why", "limit", "last")}
        for each in tests
        if each["readiness"] == Readiness.OVERDUE
    ]


def _before(asked: Mapping[str, str]) -> int | None:
    typed = asked.get("before", "")
    if not typed:
        return None
    if (found := number(typed)) is None:
        raise RefusedError(f"{typed[:20]!r} is no number of an entry")
    return found


PAGE = Page(name="log", title="Equipment test log", read=read, psc=True, order=30)
