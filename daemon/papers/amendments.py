"""What was amended later? The old words stay, struck through, with the number of the entry that says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.papers.layout import NOTHING, Cell, Span
from daemon.papers.words import RESULT, number, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.papers.source import Found

COLUMNS: Final[Mapping[str, str]] = {
    "outcome": "result",
    "reason": "evidence",
    "name": "equipment",
    "equipment": "equipment",
    "test": "test",
    "ssp_paragraph": "test",
    "situation": "where",
    "security_level": "where",
    "mode": "how",
    "person": "by",
    "witness": "by",
    "ended": "done",
    "began": "done",
    "done_at": "done",
}
"""In which column of the log a changed field stands; any other is a remark."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """One field that an entry amends in an older one.

    Attributes:
        value: What it says now, as the entry has it.
    """

    seq: int
    field: str
    old: str
    new: str
    why: str
    value: object = None

    @property
    def column(self) -> str:
        return COLUMNS.get(self.field, "remarks")


def by_entry(amended: Sequence[Found]) -> dict[int, tuple[Amendment, ...]]:
    """Return the amendments of every entry that has any, oldest first."""
    found: dict[int, tuple[Amendment, ...]] = {}
    for each in sorted(amended, key=lambda entry: entry.seq):
        named = each.open.get("amends")
        target = number(each.open.get("original"))
        if target is None:
            target = number(named.get("seq") if isinstance(named, dict) else named)
        if target is None:
            continue
        why = text(each.open, "reason")
        made = tuple(
            Amendment(each.seq, name, _said(name, was.get(name)), _said(name, new), why, new)
            for said in (each.open, each.private)
            for was, now in [(_members(said.get("was")), _members(said.get("now")))]
            for name, new in now.items()
        )
        found[target] = (
            *found.get(target, ()),
            *(made or (Amendment(each.seq, "", "", why, why),)),
        )
    return found


def shown(cell: str, amendments: Sequence[Amendment], column: str, *, psc: bool) -> Cell:
    """Return a cell of the log with what was changed of it: the old struck through, the new beside its entry's number.

    For PSC free text stays out, also where it was amended.
    """
    ours = [each for each in amendments if each.column == column]
    if not ours:
        return cell
    spans: list[Span] = [Span(cell, "strike") if column != "remarks" else Span(cell)]
    for each in ours:
        if psc and column not in {"result", "done", "where", "how"}:
            spans.append(Span(f" amended, see no. {each.seq}"))
        elif column == "remarks":
            label = f" {each.field.replace('_', ' ')}: " if each.field else " "
            spans += [Span(label), Span(each.old, "strike"), Span(f" {each.new} (no. {each.seq})")]
        else:
            spans.append(
                Span(f" {each.new} (no. {each.seq})", "bold" if column == "result" else "")
            )
    return tuple(spans)


def field(
    found: Found, name: str, amendments: Sequence[Amendment], words: Callable[[object], str] = str
) -> Cell:
    """Return one field of a form, in words, with what was changed of it."""
    said = found.open.get(name, found.private.get(name))
    cell = words(said) if said is not None else NOTHING
    ours = [each for each in amendments if each.field == name]
    if not ours:
        return cell or NOTHING
    spans: list[Span] = []
    for each in ours:
        old, new = (NOTHING if w == NOTHING else words(w) or NOTHING for w in (each.old, each.new))
        space = " " if each is not ours[-1] else ""
        spans += [Span(old, "strike"), Span(f" {new} (no. {each.seq}){space}")]
    return tuple(spans)


def now(found: Found, amendments: Sequence[Amendment]) -> Mapping[str, Any]:
    """Return what an entry says to whoever may read it, as it was amended last."""
    changed = {each.field: each.value for each in amendments if each.field}
    return {**found.open, **found.private, **changed}


def _members(said: object) -> Mapping[str, Any]:
    return said if isinstance(said, dict) else {}


def _said(name: str, value: object) -> str:
    if name == "outcome":
        return RESULT.get(str(value), str(value))
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return (
        {None: NOTHING, True: "yes", False: "no"}.get(value, str(value))
        if isinstance(value, bool | None)
        else str(value)
    )
