"""What a soak has found, printed for a person and written for whoever compares."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.soak.flat import plot, thinned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.soak.flat import Verdict

MOST_SAMPLES = 500


def rows(table: Sequence[tuple[str, ...]]) -> Iterable[str]:
    """Yield the lines of a table."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        yield "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()


def curve(name: str, samples: Sequence[tuple[float, float]], unit: str = "") -> str:
    """Return one figure as a line: its name, its course, its lowest and highest."""
    values = [value for _, value in samples] or [0.0]
    return f"{name:<28} {plot(samples)} {min(values):.6g} to {max(values):.6g} {unit}".rstrip()


def write(
    path: Path, *, faults: list[str], verdicts: Iterable[Verdict], more: dict[str, Any]
) -> None:
    """Write the results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    judged = [asdict(each) | {"is_flat": each.is_flat} for each in verdicts]
    body = {"faults": faults, "verdicts": judged, **more}
    path.write_text(json.dumps(body, indent=1, default=str) + "\n", "utf-8")


def series(samples: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Return samples as they are written: few enough to look at."""
    return [[round(at_s, 1), value] for at_s, value in thinned(samples, MOST_SAMPLES)]
