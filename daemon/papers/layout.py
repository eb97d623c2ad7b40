"""What is a paper made of, whoever prints it? Spans, cells, tables, sheets: plain data that a template or CSV can take.

Every text goes through ``printable`` on its way out: what the fonts of the paper cannot show, and what would turn the
direction of a line, is written by its number, so that nothing is lost, hidden or refused at the printer.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

NONE_IN_PERIOD: Final = "none in this period"
NOTHING: Final = "–"
LONGEST_TEXT: Final = 2000
"""Characters of one text on paper; the record holds the whole of it."""
LONG_WORD: Final = re.compile(r"\S{17,}")
PIECE: Final = 8
ZERO_WIDTH_SPACE: Final = "\u200b"
SHOWN: Final = (
    (0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x17F), (0x218, 0x21B), (0x391, 0x3A1), (0x3A3, 0x3A9), (0x3B1, 0x3C9),
    (0x401, 0x401), (0x410, 0x44F), (0x451, 0x451), (0x2013, 0x2014), (0x2018, 0x2019), (0x201C, 0x201E),
    (0x2020, 0x2022), (0x2026, 0x2026), (0x2032, 0x2033), (0x20AC, 0x20AC), (0x2190, 0x2193), (0x2260, 0x2260),
    (0x2264, 0x2265), (0x25B2, 0x25B2), (0x25B3, 0x25B3), (0x25CB, 0x25CB), (0x25CF, 0x25CF), (0x2715, 0x2715),
)  # fmt: skip
"""Code points that the fonts of the template have; a test sets every one of them."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style: "", ``bold``, ``strike``, ``small``, or ``break`` for a new line."""

    text: str
    style: str = ""


Cell: TypeAlias = "str | tuple[Span, ...] | None"
"""What stands in a field; None is a blank to fill in by hand."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; widths are shares of the page."""

    name: str
    width: float = 1.0
    centre: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its heading, a line or two above and notes below; one without columns is text."""

    title: str = ""
    lead: tuple[Cell, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    empty: str = NONE_IN_PERIOD
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Title:
    """The name of the paper, large, on its cover."""

    title: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what is known of each."""

    facts: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: Cell


@dataclass(frozen=True, slots=True)
class Blank:
    """Lines to write on by hand."""

    title: str
    lines: int


@dataclass(frozen=True, slots=True)
class Signatures:
    """Boxes for wet signatures."""

    who: tuple[str, ...]


Block: TypeAlias = Title | Facts | Words | Table | Blank | Signatures


@dataclass(frozen=True, slots=True)
class Sheet:
    """What begins on a new page."""

    blocks: tuple[Block, ...]
    landscape: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A whole paper.

    Attributes:
        basis: The clause that asks for it.
        date: Year, month, day, hour, minute, second in UTC: the document's date, from the record.
        banner: Stands on every page below its head: DEMO.
        checkpoint: The signed note whose QR code stands on every page.
        foot: Lines at the foot of every page.
    """

    ship: str
    imo: str
    title: str
    basis: str = ""
    period: str
    date: tuple[int, int, int, int, int, int]
    banner: str = ""
    is_demo: bool = False
    checkpoint: str = ""
    foot: tuple[str, ...] = ()
    sheets: tuple[Sheet, ...] = field(default=())


def printable(text: str) -> str:
    """Return a text that paper can show, with everything else written as ``[U+202E]``."""
    text = unicodedata.normalize("NFC", text)
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + "… (cut)"
    return "".join(
        each if any(low <= ord(each) <= high for low, high in SHOWN) else f"[U+{ord(each):04X}]"
        for each in text
    )


def breakable(text: str) -> str:
    """Return a text whose long words may be broken, so that none leaves its column."""
    return LONG_WORD.sub(lambda word: ZERO_WIDTH_SPACE.join(_pieces(word[0])), text)


def _pieces(word: str) -> list[str]:
    return [word[begin : begin + PIECE] for begin in range(0, len(word), PIECE)]


def plain(cell: Cell) -> str:
    """Return a cell as bare text: struck out words say so."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    words = (
        " " if s.style == "break" else f"[was: {s.text}] " if s.style == "strike" else s.text
        for s in cell
    )
    return "".join(words).strip()


def bold(text: str) -> Cell:
    """Return a text in bold."""
    return (Span(text, "bold"),)


def data(paper: Paper, *, qr: str) -> dict[str, Any]:
    """Return the paper as the template reads it, every text printable."""
    head = {
        "ship": paper.ship,
        "imo": paper.imo,
        "title": paper.title,
        "basis": paper.basis,
        "period": paper.period,
        "banner": paper.banner,
    }
    return {
        **{key: printable(text) for key, text in head.items()},
        "demo": paper.is_demo,
        "date": list(paper.date),
        "qr": qr,
        "foot": [printable(line) for line in paper.foot],
        "sheets": [
            {"landscape": sheet.landscape, "blocks": [_block(each) for each in sheet.blocks]}
            for sheet in paper.sheets
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Title(title):
            return {"kind": "title", "title": printable(title)}
        case Facts(facts):
            return {
                "kind": "facts",
                "facts": [[printable(label), _cell(said)] for label, said in facts],
            }
        case Words(text):
            return {"kind": "text", "text": _cell(text)}
        case Blank(title, lines):
            return {"kind": "blank", "title": printable(title), "lines": lines}
        case Signatures(who):
            return {"kind": "signatures", "signatures": [printable(each) for each in who]}
        case Table():
            return {"kind": "part", "part": _table(block)}


def _table(table: Table) -> dict[str, Any]:
    return {
        "title": printable(table.title),
        "lead": [_cell(each) for each in table.lead],
        "columns": [
            {"name": printable(each.name), "width": each.width, "centre": each.centre}
            for each in table.columns
        ],
        "rows": [_cells(row) for row in table.rows],
        "empty": printable(table.empty),
        "notes": [printable(each) for each in table.notes],
    }


def _cells(row: Iterable[Cell]) -> list[Any]:
    return [_cell(each) for each in row]


def _cell(cell: Cell) -> Any:
    if cell is None:
        return None
    if isinstance(cell, str):
        return breakable(printable(cell))
    return [{"t": breakable(printable(each.text)), "s": each.style} for each in cell]
