"""What is drawn, and what says the same in words? Plain shapes that a template makes SVG of, with a table beside them.

A shape has a class and no colour: the palette of the page gives it one, and what tells two of them apart is their form
as well. Every figure says in words, and row by row, what it shows, for whoever does not see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.wording.terminal import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daemon.model import Json

WIDTH: Final = 720.0
"""Of every figure, in its own units: the page scales it to the room that there is."""
MOST_ROWS: Final = 200
"""Rows of the table beside a figure; the evidence itself holds all of them."""
LONGEST_TEXT: Final = 80


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    form: str

    def told(self) -> dict[str, Json]:
        return {
            "is": "line",
            "x1": _number(self.x1),
            "y1": _number(self.y1),
            "x2": _number(self.x2),
            "y2": _number(self.y2),
            "form": self.form,
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """Lines from point to point; each run is one without a gap."""

    runs: tuple[tuple[tuple[float, float], ...], ...]
    form: str

    def told(self) -> dict[str, Json]:
        drawn = " ".join(
            f"M{' L'.join(f'{_number(x)} {_number(y)}' for x, y in run)}"
            for run in self.runs
            if run
        )
        return {"is": "path", "d": drawn, "form": self.form}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    form: str

    def told(self) -> dict[str, Json]:
        return {
            "is": "rect",
            "x": _number(self.x),
            "y": _number(self.y),
            "width": _number(max(self.width, 0.0)),
            "height": _number(max(self.height, 0.0)),
            "form": self.form,
        }


@dataclass(frozen=True, slots=True)
class Dot:
    """A circle."""

    x: float
    y: float
    radius: float
    form: str

    def told(self) -> dict[str, Json]:
        return {
            "is": "circle",
            "x": _number(self.x),
            "y": _number(self.y),
            "r": _number(self.radius),
            "form": self.form,
        }


@dataclass(frozen=True, slots=True)
class Label:
    """A short text; ``form`` says where it is held: ``start``, ``middle`` or ``end``."""

    x: float
    y: float
    text: str
    form: str = "start"

    def told(self) -> dict[str, Json]:
        return {
            "is": "text",
            "x": _number(self.x),
            "y": _number(self.y),
            "text": shown(self.text),
            "form": self.form,
        }


Shape = Line | Trace | Box | Dot | Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    Attributes:
        words: What it shows, in a sentence.
        columns: Of the table that says the same.
        left: Rows that the table has not got.
    """

    title: str
    words: str
    height: float
    shapes: tuple[Shape, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 0

    def told(self) -> dict[str, Json]:
        """Return it as it goes to the page."""
        return {
            "title": self.title,
            "words": self.words,
            "width": _number(WIDTH),
            "height": _number(self.height),
            "shapes": [each.told() for each in self.shapes],
            "columns": list(self.columns),
            "rows": [[shown(cell) for cell in row] for row in self.rows],
            "left": self.left,
        }


def bounded(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[tuple[str, ...], ...], int]:
    """Return as many rows as a table has room for, and how many are left out."""
    return tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS)


def thinned(found: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Return as many points at most, evenly, with the first and the last."""
    if len(found) <= most:
        return list(found)
    step = (len(found) - 1) / (most - 1)
    return [found[round(place * step)] for place in range(most)]


def shown(text: str) -> str:
    """Return a text as a page may show it: short, and with nothing that would turn its direction."""
    return printable(shortened(text, LONGEST_TEXT))


def named(names: Iterable[str]) -> str:
    """Return names in a row, in words."""
    return ", ".join(shown(each) for each in names)


def _number(value: float) -> float:
    return round(value, 1)
