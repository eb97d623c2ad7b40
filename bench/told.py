"""Where a part says what it measured: a line on the terminal at once, and a row of the results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.results import Budget, Row, as_json, from_json
from bench.spread import Spread
from bench.table import told_budget, told_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Told:
    """The rows of one part, each on disk as soon as it is known: what comes after may fail."""

    def __init__(self, rows_file: Path) -> None:
        self._file = rows_file

    def row(
        self,
        what: str,
        measured: Spread | Sequence[float],
        *,
        unit: str = "",
        budget: Budget | None = None,
        detail: bool = False,
    ) -> None:
        """Say a figure: one value a round, or what was made of them."""
        spread = measured if isinstance(measured, Spread) else Spread.of(measured)
        self._keep(Row(what, spread, unit, budget, detail=detail))

    def missing(self, what: str, why: str, *, unit: str = "", budget: Budget | None = None) -> None:
        """Say what was not measured, and why."""
        self._keep(Row(what, None, unit, budget, why_not=why))

    def _keep(self, row: Row) -> None:
        wanted = f"   budget {told_budget(row)}" if row.budget else ""
        kind = "ratio" if not row.unit else "here "
        mark = "   OVER" if row.verdict == "over" else ""
        print(f"{kind}  {row.what:<70} {told_value(row)}{wanted}{mark}", flush=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(as_json(row), ensure_ascii=False) + "\n")


def told_rows(rows_file: Path) -> tuple[Row, ...]:
    """Return the rows that a part said."""
    if not rows_file.exists():
        return ()
    return tuple(from_json(json.loads(line)) for line in rows_file.read_text("utf-8").splitlines())


def at_most(limit: float) -> Budget:
    return Budget("<=", limit)


def below(limit: float) -> Budget:
    return Budget("<", limit)


def at_least(limit: float) -> Budget:
    return Budget(">=", limit)
