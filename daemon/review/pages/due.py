"""What falls due when? A month as a calendar with what was done in it, and the next twelve months by weeks.

It is what the schedule itself foretells: as the ship is now, and as if each test passed when due. About how long a test
takes, and who does it, is told by its newest results: so that an officer sees what his Saturday holds.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.checks.api import LED
from daemon.review import calendar
from daemon.review.calendar import Month
from daemon.review.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.model import Json
    from daemon.review.reader import Reader

AHEAD_DAYS: Final = 366
HOW: Final = {"automatic": "by itself", "assisted": "led", "manual": "by hand", None: "–"}
REST: Final = "in service, the rest led"
WEEK: Final = timedelta(days=7)
LAST_DAY: Final = 6


async def read(reader: Reader, asked: Mapping[str, str]) -> Mapping[str, Json]:
    """Return the calendar of a month, and all that falls due in a year.

    Raises:
        RefusedError: The address asks for no month.
    """
    today = calendar.today(reader)
    month = Month.read(asked["month"]) if asked.get("month") else Month.of(today)
    coming = await reader.ask("tests.coming", days=AHEAD_DAYS)
    tests = (await reader.ask("tests"))["tests"]
    past = await reader.ask("testlog.past", **_shown(month).bounds(reader))
    usual = {each["test"]: each for each in past["usual"]}
    to_do = {each["test"]: len(each["remaining"]) for each in tests}
    due = {
        each["day"]: [_due(row, usual.get(row["test"], {}), to_do) for row in each["tests"]]
        for each in coming["days"]
    }
    return {
        "warning": coming["warning"],
        "situation": coming["situation"],
        "security_level": coming["security_level"],
        "month": month.words,
        "months": [
            {"name": each.words, "asked": {"month": each.id}}
            for each in (month.later(-1), month.later(1))
        ],
        "weeks": _grid(month, today, due, past["occasions"]),
        "more": past["more"],
        "ahead": _ahead(due),
        "always": [each["test"].upper() for each in coming["always"]],
        "daily": [each["test"].upper() for each in coming["daily"]],
        "not_here": coming["not_here"],
        "tests": [_standing(each, usual) for each in tests],
    }


def _shown(month: Month) -> calendar.Days:
    """Return the days of a month's calendar: whole weeks, from Monday on."""
    days = calendar.whole(month)
    return calendar.Days(
        days.first - timedelta(days=days.first.weekday()),
        days.last + timedelta(days=LAST_DAY - days.last.weekday()),
    )


def _due(
    row: Mapping[str, Any], usual: Mapping[str, Any], to_do: Mapping[str, int]
) -> dict[str, Any]:
    is_now = row.get("now") is True
    minutes, each = usual.get("minutes"), usual.get("each") is True
    # How many items are left to people is known of the period that runs; of later ones use may prove them all.
    total = minutes
    if minutes is not None and each:
        total = minutes * to_do.get(row["test"], 0) if is_now else None
    return {
        "test": row["test"],
        "name": row["name"],
        "how": _how(row["mode"], usual),
        "needs_people": row["mode"] in LED or bool(usual),
        "now": is_now,
        "until": row.get("period_ends"),
        "limit": row.get("limit"),
        "ssp": row.get("ssp_paragraph"),
        "waits": row.get("waits"),
        "minutes": minutes,
        "each": each,
        "total": total,
        "by": usual.get("by", []),
    }


def _how(mode: str | None, usual: Mapping[str, Any]) -> str:
    """Return how it is done: what is proved in service is led only for the rest."""
    return REST if mode not in LED and usual else HOW.get(mode, str(mode))


def _grid(
    month: Month,
    today: date,
    due: Mapping[str, Sequence[Mapping[str, Any]]],
    occasions: Iterable[Mapping[str, Any]],
) -> list[Json]:
    """Return the weeks of the month, each of seven days."""
    done: dict[str, list[Json]] = {}
    for each in occasions:
        done.setdefault(each["day"], []).append(dict(each))
    shown = _shown(month)
    weeks: list[Json] = []
    first = shown.first
    while first <= shown.last:
        days = [first + timedelta(days=number) for number in range(7)]
        weeks.append(
            [
                {
                    "day": day.day,
                    "is_of_month": day.month == month.month,
                    "is_today": day == today,
                    "due": [dict(each) for each in due.get(day.isoformat(), ())],
                    "done": done.get(day.isoformat(), []),
                }
                for day in days
            ]
        )
        first += WEEK
    return weeks


def _ahead(due: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Json]:
    """Return what falls due by weeks, with about how long people need for it in all."""
    weeks: dict[date, list[dict[str, Any]]] = {}
    for said, rows in due.items():
        day = date.fromisoformat(said)
        monday = day - timedelta(days=day.weekday())
        weeks.setdefault(monday, []).extend({**row, "day": f"{day:%a %d %b}"} for row in rows)
    return [
        {
            "week": f"{monday:%d %b} to {monday + timedelta(days=LAST_DAY):%d %b %Y}",
            "led": sum(row["needs_people"] for row in rows),
            "minutes": sum(row["total"] or 0 for row in rows if row["needs_people"]),
            "unknown": sum(row["total"] is None for row in rows if row["needs_people"]),
            "rows": list[Any](rows),
        }
        for monday, rows in sorted(weeks.items())
    ]


def _standing(row: Mapping[str, Any], usual: Mapping[str, Mapping[str, Any]]) -> dict[str, Json]:
    known = usual.get(row["test"], {})
    approved = " ".join(filter(None, (row["approved_by"], row["approved_on"])))
    return {
        "test": row["test"],
        "name": row["name"],
        "how": _how(row["mode"], known),
        "minutes": known.get("minutes"),
        "each": known.get("each") is True,
        "by": list(known.get("by", [])),
        "rule": row["rule"],
        "ssp": row["ssp_paragraph"],
        "interval": row["interval_source"] + (f", approved by {approved}" if approved else ""),
        "stands": str(row["readiness"]).upper(),
        "why": row["why"],
        "waits": row["waits"],
        "to_do": list(row["remaining"]),
        "last": row["last"],
        "next_due": row["next_due"],
        "limit": row["limit"],
    }


PAGE = Page(name="due", title="Due calendar", read=read, order=40)
