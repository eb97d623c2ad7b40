"""The table of docs/measurements.md, made from a file of results: no figure in it is typed by hand.

python -m bench table FILE [--into docs/measurements.md]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.results import ResultsError, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bench.results import Part, Results, Row

BEGIN: Final = "<!-- made by `python -m bench table {name}`; do not edit -->"
BEGIN_ANY: Final = "<!-- made by `python -m bench table "
END: Final = "<!-- end of what is made -->"
SIGNS: Final = {"<=": "≤", "<": "<", ">=": "≥"}
QUIET_LOAD: Final = 1.2
"""Of a computer on which nothing else runs, in the minute before a part: the one before it keeps a core busy."""


def told(number: float) -> str:
    """Return a figure with as many digits as say something."""
    size = abs(number)
    if size >= 100:
        return f"{number:,.0f}"
    if size >= 10:
        return f"{number:.1f}"
    return f"{number:.2f}"


def told_value(row: Row) -> str:
    """Return a row's figure with its spread, or why there is none."""
    if row.spread is None:
        return f"not measured: {row.why_not}"
    spread, unit = row.spread, f" {row.unit}" if row.unit else ""
    value = told(spread.value) + unit
    if spread.rounds == 1:
        return value
    return f"{value} ({told(spread.low)}–{told(spread.high)}; {spread.rounds})"


def told_budget(row: Row) -> str:
    """Return a row's budget as it is written."""
    if row.budget is None:
        return ""
    unit = f" {row.unit}" if row.unit else ""
    return f"{SIGNS[row.budget.op]} {row.budget.limit:,g}{unit}"


def table(results: Results) -> str:
    """Return the tables in Markdown: ratios, figures for scale, what failed, and what it was measured with."""
    rows = [row for part in results.parts.values() for row in part.rows if not row.detail]
    told_parts = [
        *_rows("what", "ratio (lowest–highest; rounds)", (row for row in rows if not row.unit)),
        "",
        *_rows("for scale, of this machine", "here", (row for row in rows if row.unit)),
    ]
    failed = [(name, part) for name, part in results.parts.items() if part.failed]
    if failed:
        said = "; ".join(f"`{name}`: {part.failed}" for name, part in failed)
        told_parts += ["", f"**Did not come to their end:** {said}."]
    return "\n".join([*told_parts, "", _conditions(results)])


def into(text: str, name: str, results: Results) -> str:
    """Return a page with the made part in the place of the one it has.

    Raises:
        ResultsError: It has no such place.
    """
    before, begin, rest = text.partition(BEGIN_ANY)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ResultsError(f"no place for the table: {BEGIN_ANY}…, {END}")
    return f"{before}{BEGIN.format(name=name)}\n{table(results)}\n{END}{after}"


def named(text: str) -> str:
    """Return the file of results that a page's table was made from, empty if there is none."""
    return text.partition(BEGIN_ANY)[2].partition("`")[0]


def write(page: Path, name: str, results: Results) -> None:
    page.write_text(into(page.read_text("utf-8"), name, results), "utf-8")


def _rows(what: str, figure: str, rows: Iterable[Row]) -> list[str]:
    return [f"| {what} | {figure} | budget |", "|---|---|---|", *(_row(row) for row in rows)]


def _row(row: Row) -> str:
    value = told_value(row)
    if row.verdict is Verdict.OVER:
        figure, space, rest = value.partition(" (")
        value = f"**{figure}**{space}{rest}"
    return f"| {_cell(row.what)} | {_cell(value)} | {told_budget(row)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _conditions(results: Results) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    versions = ", ".join(f"{name} {value}" for name, value in results.versions.items())
    parts = results.parts.values()
    days = sorted({part.began_utc[:10] for part in parts})
    minutes = sum(part.took_s for part in parts) / 60
    took = ", ".join(f"{name} {part.took_s:.0f}" for name, part in results.parts.items())
    commits = ", ".join(dict.fromkeys(part.commit for part in parts if part.commit))
    return (
        f"Measured on {' and '.join(days) or 'no day'}, {minutes:.0f} minutes in all (in seconds: {took}). "
        f"{_busy(parts)}\n\nMachine: {machine}. Versions: {versions}{', commit ' if commits else ''}{commits}."
    )


def _busy(parts: Iterable[Part]) -> str:
    loads = [part.load for part in parts]
    most = max(loads, default=0.0)
    if most <= QUIET_LOAD:
        return "Nothing else ran."
    return f"**Measured on a busy machine**: the load before a part was {min(loads):.1f} to {most:.1f}."
