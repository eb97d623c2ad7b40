"""Which certificates does an inspector ask for, and what does the record say of them? The newest entry counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers import amendments
from daemon.papers.layout import NOTHING, Span
from daemon.papers.words import text

if TYPE_CHECKING:
    from daemon.papers.layout import Cell
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around

ASKED: Final = (
    ("International Ship Security Certificate", ("issc", "international ship security")),
    ("SSO's certificate of proficiency", ("sso", "ship security officer")),
    ("CSO's certificate", ("cso", "company security officer")),
    ("Flag's acceptance of electronic records", ("electronic record", "e-record")),
)
"""What it is called on paper, and by which words an entry of it is known."""


def facts(around: Around) -> tuple[tuple[str, Cell], ...]:
    """Return each with number, who issued it and until when; a blank where nobody entered it."""
    entered = around.source.of("certificate.entered")
    found: list[tuple[str, Cell]] = []
    for label, words in ASKED:
        ours = [
            e for e in entered if any(word in text(e.open, "name").casefold() for word in words)
        ]
        found.append((label, _words(around, ours[-1]) if ours else None))
    return tuple(found)


def _words(around: Around, found: Found) -> Cell:
    changed = around.amendments.get(found.seq, ())
    spans: list[Span] = []
    for name, label in (("number", "no. "), ("issued_by", " issued by "), ("expires", " expires ")):
        cell = amendments.field(found, name, changed, lambda said: around.names.short(str(said)))
        if cell == NOTHING:
            continue
        spans += [Span(label), *((Span(cell),) if isinstance(cell, str) else cell or ())]
    return (*spans, Span(f" (entry no. {found.seq})", "small"))
