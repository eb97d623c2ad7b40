"""How do the fields of a form stand in a table: numbers, yes and no, levels, and what was amended of them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.papers import amendments
from daemon.papers.layout import NOTHING, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.papers.layout import Cell
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around


def field(found: Found, name: str, around: Around, words: Callable[[object], str]) -> Cell:
    """Return a field of a form, in words, with what was amended of it."""
    return amendments.field(found, name, around.amendments.get(found.seq, ()), words)


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
