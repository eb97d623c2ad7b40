"""Was everything tested in every month? Equipment against the last twelve months, one sign a month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers.layout import Column, Span, Table
from daemon.papers.moments import MONTHS
from daemon.papers.words import NOT_DONE, NOT_PROVEN, SAT, UNSAT, objects, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from daemon.papers.layout import Cell
    from daemon.papers.testlog import Around, Row

SIGNS: Final = {SAT: "●", NOT_DONE: "○", UNSAT: "✕", NOT_PROVEN: "△"}
REPAIRED: Final = "▲"
NOTE: Final = (
    "● SAT   ○ not done   ✕ unsat   ▲ repaired: unsat, then SAT in the same month   △ not proven   "
    "blank: no test fell into the month"
)
MONTHS_SHOWN: Final = 12


def sign(results: Iterable[str]) -> str:
    """Return the sign of a month from its results, oldest first.

    Unsat stays unsat until a later SAT; what was not proven or not done counts only where nothing else was.
    """
    seen = list(results)
    if UNSAT in seen:
        after = seen[len(seen) - seen[::-1].index(UNSAT) :]
        return REPAIRED if SAT in after else SIGNS[UNSAT]
    return next((SIGNS[word] for word in (SAT, NOT_PROVEN, NOT_DONE) if word in seen), "")


def table(rows: Sequence[Row], around: Around) -> Table:
    """Return the matrix of rows that reach twelve months back, newest first."""
    months = last_months(around.source.ship_time.local(around.source.ends))
    by_place: dict[tuple[str, str], dict[tuple[int, int], list[str]]] = {}
    paragraphs = _intervals(around)
    for row in rows[::-1]:
        local = around.source.ship_time.local(row.began or row.done)
        key = (
            row.equipment,
            "" if row.is_ssas and around.names.is_psc else text(row.found.open, "test"),
        )
        by_place.setdefault(key, {}).setdefault((local.year, local.month), []).append(row.result)
    psc = around.names.is_psc
    extra = () if psc else (Column("SSP para", 1.1), Column("Interval", 1.2))
    columns = (
        Column("Equipment", 3.4),
        *extra,
        *(Column(f"{MONTHS[m - 1]} {y % 100:02d}", 0.85, centre=True) for y, m in months),
    )
    return Table(
        title="Equipment by month",
        columns=columns,
        rows=tuple(
            (
                equipment,
                *(() if psc else paragraphs.get(test, ("–", "–"))),
                *(_shown(seen.get(month, ())) for month in months),
            )
            for (equipment, test), seen in sorted(by_place.items())
        ),
        notes=(NOTE,),
    )


def last_months(end: datetime) -> list[tuple[int, int]]:
    """Return the last twelve months of a calendar, oldest first."""
    count = end.year * 12 + end.month - 1
    return [
        ((count - back) // 12, (count - back) % 12 + 1) for back in reversed(range(MONTHS_SHOWN))
    ]


def _shown(results: Iterable[str]) -> Cell:
    found = sign(results)
    return (Span(found, "bold"),) if found in {SIGNS[UNSAT], SIGNS[NOT_PROVEN]} else found


def _intervals(around: Around) -> dict[str, tuple[str, str]]:
    return {
        text(each, "test"): (text(each, "ssp_paragraph") or "–", text(each, "every") or "–")
        for planned in around.source.of("tests.planned")
        for each in objects(planned.open.get("tests"))
    }
