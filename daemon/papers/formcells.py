"""How do the fields of a form stand in a table: numbers, yes and no, levels, and what was amended of them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.papers import amendments, moments
from daemon.papers.layout import NOTHING, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from daemon.papers.layout import Cell
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around


def field(found: Found, name: str, around: Around, words: Callable[[object], str]) -> Cell:
    """Return a field of a form, in words, with what was amended of it."""
    return amendments.field(found, name, around.amendments.get(found.seq, ()), words)


def now(found: Found, around: Around) -> Mapping[str, Any]:
    """Return what a form says, as it was amended last."""
    return amendments.now(found, around.amendments.get(found.seq, ()))


def moment(found: Found, name: str, around: Around, nothing: str = NOTHING) -> Cell:
    """Return a moment of a form in UTC, with what was amended of it; else what stands for none."""
    cell = field(found, name, around, at)
    return nothing if cell == NOTHING else cell


def both(found: Found, name: str, around: Around) -> Cell:
    """Return a moment in UTC and ship's time, with what was amended of it; else when it was entered."""
    if _is_amended(found, name, around):
        return field(found, name, around, at)
    return moments.both(found.moment(name), around.source.ship_time, with_year=True)


def joined(cells: list[tuple[str, Cell]], *, between: str = "; ") -> Cell:
    """Return several cells as one, each behind its words; those that say nothing are left out."""
    spans: list[Span] = []
    for before, cell in cells:
        if cell is None or cell in {NOTHING, ""}:
            continue
        spans.append(Span((between if spans else "") + before))
        spans += [Span(cell)] if isinstance(cell, str) else cell
    if any(span.style for span in spans):
        return tuple(spans)
    return "".join(span.text for span in spans) or NOTHING


def at(said: object) -> str:
    """Return a moment as an entry has it in words."""
    return moments.utc_words(moments.read(said))


def _is_amended(found: Found, name: str, around: Around) -> bool:
    return any(each.field == name for each in around.amendments.get(found.seq, ()))


def entry_number(found: Found, around: Around) -> Cell:
    """Return an entry's number, with what must be known of it: LATE, and by which it is amended."""
    amended = around.amendments.get(found.seq)
    spans = [Span(str(found.seq))]
    if found.open.get("late") is True:
        spans += [Span("", "break"), Span("LATE", "bold")]
    if amended:
        spans += [Span("", "break"), Span(f"amended, no. {amended[-1].seq}", "small")]
    return tuple(spans) if len(spans) > 1 else spans[0].text


def level(said: int | None) -> str:
    """Return a security level in words."""
    return NOTHING if said is None else str(said)


def yes(said: object) -> str:
    """Return yes or no; – for what is neither."""
    words = {True: "yes", False: "no", "yes": "yes", "no": "no"}
    return words.get(said, NOTHING) if isinstance(said, bool | str) else NOTHING
