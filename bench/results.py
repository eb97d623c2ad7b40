"""What was measured, as it is kept: each row with its spread, its budget and whether it is within that.

One JSON file a run. A part that is measured again takes the place of what the file had of it; the rest stays. So a
run that broke off goes on where it was, on the same machine and with the same versions: another machine's figures
are never mixed in.
"""

from __future__ import annotations

import json
import operator
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from bench.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT: Final = 1
HOLDS: Final = {"<=": operator.le, "<": operator.lt, ">=": operator.ge}


class ResultsError(Exception):
    """A file of results cannot be read, or does not go with what is added to it."""


class Verdict(StrEnum):
    """What a row is, held against its budget."""

    WITHIN = "within"
    OVER = "over"
    NO_BUDGET = "no budget"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit, as DESIGN's budgets are written: ``<= 2``."""

    op: str
    limit: float

    def holds(self, value: float) -> bool:
        return bool(HOLDS[self.op](value, self.limit))


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        unit: Empty for a ratio of two programs in one run; anything else is a figure of one machine.
        spread: None where it was not measured.
        why_not: Why it was not.
        detail: It stands in the file, and is not shown in the table.
    """

    what: str
    spread: Spread | None
    unit: str = ""
    budget: Budget | None = None
    why_not: str = ""
    detail: bool = False

    @property
    def verdict(self) -> Verdict:
        if self.spread is None:
            return Verdict.NOT_MEASURED
        if self.budget is None:
            return Verdict.NO_BUDGET
        # The middle of the rounds decides; the spread stands beside it for whoever reads.
        return Verdict.WITHIN if self.budget.holds(self.spread.value) else Verdict.OVER


@dataclass(frozen=True, slots=True)
class Part:
    """What one part measured.

    Attributes:
        load: Processes that wanted to run, in the minute before it began: more than 0.5 says that it was not alone.
        commit: What was measured, empty where that is not known; with a plus where files had been changed since.
        failed: Why it did not come to its end; the rows are those that it had by then.
    """

    began_utc: str
    took_s: float
    load: float
    rows: tuple[Row, ...]
    commit: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """A whole file."""

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    parts: Mapping[str, Part] = field(default_factory=dict)

    def merged(self, name: str, part: Part, *, order: tuple[str, ...]) -> Results:
        """Return the same with a part put in, in the place of what it had of that."""
        parts = {**self.parts, name: part}
        return replace(self, parts={each: parts[each] for each in order if each in parts})

    def over(self) -> list[Row]:
        """Return the rows that are over their budgets."""
        rows = [row for part in self.parts.values() for row in part.rows]
        return [row for row in rows if row.verdict is Verdict.OVER]


def begun(path: Path, machine: Mapping[str, str], versions: Mapping[str, str]) -> Results:
    """Return what a file has already, or an empty one.

    Raises:
        ResultsError: It is no such file, or was measured on another machine or with other versions.
    """
    if not path.exists():
        return Results(machine, versions)
    before = load(path)
    for what, old, new in (
        ("machine", before.machine, machine),
        ("version", before.versions, versions),
    ):
        other = [name for name in old.keys() & new.keys() if old[name] != new[name]]
        if other:
            said = ", ".join(f"{name} {old[name]}, now {new[name]}" for name in sorted(other))
            raise ResultsError(f"{path.name}: of another {what} ({said}): give another file")
    return replace(before, versions={**before.versions, **versions})


def load(path: Path) -> Results:
    """Return what a file says.

    Raises:
        ResultsError: It is not there, or not a file of results of this format.
    """
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise ResultsError(f"{path}: {err}") from err
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ResultsError(f"{path}: no results of format {FORMAT}")
    try:
        parts = {name: _part(part) for name, part in said["parts"].items()}
        return Results(said["machine"], said["versions"], parts)
    except (KeyError, TypeError) as err:
        raise ResultsError(f"{path}: {err!r} is missing or of another kind") from err


def save(path: Path, results: Results) -> None:
    """Write all of it, or nothing."""
    parts = {
        name: {**asdict(part), "rows": [as_json(row) for row in part.rows]}
        for name, part in results.parts.items()
    }
    said = {
        "format": FORMAT,
        "machine": dict(results.machine),
        "versions": dict(results.versions),
        "parts": parts,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
    fresh.replace(path)


def as_json(row: Row) -> dict[str, Any]:
    """Return a row as it stands in the file, its verdict beside what it follows from."""
    return {**asdict(row), "verdict": str(row.verdict)}


def from_json(said: Mapping[str, Any]) -> Row:
    """Return the row again; the verdict is not read but follows."""
    spread, budget = said["spread"], said["budget"]
    return Row(
        what=said["what"],
        spread=Spread(**spread) if spread else None,
        unit=said["unit"],
        budget=Budget(**budget) if budget else None,
        why_not=said["why_not"],
        detail=said["detail"],
    )


def _part(said: Mapping[str, Any]) -> Part:
    return Part(
        began_utc=said["began_utc"],
        took_s=said["took_s"],
        load=said["load"],
        rows=tuple(from_json(row) for row in said["rows"]),
        commit=said["commit"],
        failed=said["failed"],
    )
