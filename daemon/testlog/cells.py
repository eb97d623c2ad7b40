"""How does a cell of paper go to a page? As runs of text with their style; nothing in it is markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers.layout import Span
from daemon.wording.terminal import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.model import Json
    from daemon.papers.layout import Cell, Table

LONGEST: Final = 600
"""Characters of one run; the record holds the whole of it."""


def told(cell: Cell) -> list[Json]:
    """Return a cell as it goes to the page."""
    spans = (Span(cell),) if isinstance(cell, str) else cell or ()
    return [{"t": shown(each.text), "s": each.style} for each in spans]


def row(cells: Iterable[Cell]) -> list[Json]:
    """Return a row of them."""
    return [told(each) for each in cells]


def table(found: Table) -> dict[str, Json]:
    """Return a table."""
    return {
        "title": found.title,
        "columns": [each.name for each in found.columns],
        "rows": [row(each) for each in found.rows],
        "empty": found.empty,
    }


def shown(text: str) -> str:
    """Return a text as a page may show it."""
    return printable(shortened(text, LONGEST))
