"""Was everything tested in every month? Equipment against the last twelve months, one sign a month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers import formcells, mended
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
    "● SAT   ○ not done   ✕ unsat   △ not proven   ▲ repaired: unsat, then SAT in the same month, or a repair was "
    "entered   ✕▲ repaired, and not seen SAT since   blank: neither test nor repair fell into the month"
)
MONTHS_SHOWN: Final = 12
SSAS: Final = "SSAS"


def sign(results: Iterable[str]) -> str:
    """Return the sign of a month from its results, oldest first.

    Unsat stays unsat until a later SAT, whatever was repaired; what was not proven or not done counts only where
    nothing else was.
    """
    seen = list(results)
    if UNSAT in seen:
        after = seen[len(seen) - seen[::-1].index(UNSAT) :]
        mark = REPAIRED if mended.REPAIRED in after else ""
        return REPAIRED if SAT in after else SIGNS[UNSAT] + mark
    tested = next((SIGNS[word] for word in (SAT, NOT_PROVEN, NOT_DONE) if word in seen), "")
    if mended.REPAIRED not in seen:
        return tested
    return REPAIRED if tested in {"", SIGNS[SAT]} else tested + REPAIRED


def table(rows: Sequence[Row], around: Around) -> Table:
    """Return the matrix of rows that reach twelve months back, newest first."""
    months = last_months(around.source.ship_time.local(around.source.ends))
    by_place = _by_place(rows, around, months)
    paragraphs = _intervals(around)
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


def _by_place(
    rows: Sequence[Row], around: Around, months: Sequence[tuple[int, int]]
) -> dict[tuple[str, str], dict[tuple[int, int], list[str]]]:
    """Return by equipment and test what became of it in each month, oldest first."""
    ship_time = around.source.ship_time
    happened: list[tuple[int, datetime, tuple[str, str], str]] = [
        (
            row.seq,
            row.began or row.done,
            (row.equipment, text(row.found.open, "test")),
            row.result_now,
        )
        for row in rows
    ]
    for found, mends in mended.repairs(rows, around):
        when = mended.done(found, formcells.now(found, around))
        place = mends or (mended.label(found, around), "")
        local = ship_time.local(when)
        if (local.year, local.month) in months:  # repairs are read from the beginning of the record
            happened.append((found.seq, when, place, mended.REPAIRED))
    by_place: dict[tuple[str, str], dict[tuple[int, int], list[str]]] = {}
    for _, when, (equipment, test), word in sorted(happened):
        local = ship_time.local(when)
        # Which SSAS test it was is not for port state control.
        key = (equipment, "" if equipment == SSAS and around.names.is_psc else test)
        by_place.setdefault(key, {}).setdefault((local.year, local.month), []).append(word)
    return by_place


def last_months(end: datetime) -> list[tuple[int, int]]:
    """Return the last twelve months of a calendar, oldest first."""
    count = end.year * 12 + end.month - 1
    return [
        ((count - back) // 12, (count - back) % 12 + 1) for back in reversed(range(MONTHS_SHOWN))
    ]


def _shown(results: Iterable[str]) -> Cell:
    found = sign(results)
    return (Span(found, "bold"),) if found[:1] in {SIGNS[UNSAT], SIGNS[NOT_PROVEN]} else found


def _intervals(around: Around) -> dict[str, tuple[str, str]]:
    return {
        text(each, "test"): (text(each, "ssp_paragraph") or "–", text(each, "every") or "–")
        for planned in around.source.of("tests.planned")
        for each in objects(planned.open.get("tests"))
    }
