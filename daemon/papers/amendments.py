"""What was amended later? The old words stay, struck through, with the number of the entry that says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.papers.layout import Cell, Span
from daemon.papers.words import RESULT, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    """One field that an entry amends in an older one."""

    seq: int
    field: str
    old: str
    new: str
    why: str

    @property
    def column(self) -> str:
        return COLUMNS.get(self.field, "remarks")


def by_entry(amended: Sequence[Found]) -> dict[int, tuple[Amendment, ...]]:
    """Return the amendments of every entry that has any, oldest first."""
    found: dict[int, tuple[Amendment, ...]] = {}
    for each in sorted(amended, key=lambda entry: entry.seq):
        named = each.open.get("amends")
        target = number(named.get("seq") if isinstance(named, dict) else named)
        changes = each.open.get("changes")
        if target is None:
            continue
        fields = list(changes.items()) if isinstance(changes, dict) else []
        why = text(each.open, "reason") or text(each.open, "why")
        made = tuple(
            Amendment(each.seq, str(name), _said(name, change, "old"), _said(name, change, "new"), why)
            for name, change in fields
            if isinstance(change, dict)
        )
        found[target] = (*found.get(target, ()), *(made or (Amendment(each.seq, "", "", why, ""),)))
    return found


def shown(cell: str, amendments: Sequence[Amendment], column: str, *, psc: bool) -> Cell:
    """Return a cell with what was changed of it: the old struck through, the new beside its entry's number."""
    ours = [each for each in amendments if each.column == column]
    if not ours:
        return cell
    spans: list[Span] = [Span(cell, "strike") if column != "remarks" else Span(cell)]
    for each in ours:
        free = column not in {"result", "done", "where", "how"}
        if psc and free:
            spans.append(Span(f" amended, see no. {each.seq}"))
        elif column == "remarks":
            label = f" {each.field.replace('_', ' ')}: " if each.field else " "
            spans += [Span(label), Span(each.old, "strike"), Span(f" {each.new} (no. {each.seq})")]
        else:
            spans.append(Span(f" {each.new} (no. {each.seq})", "bold" if column == "result" else ""))
    return tuple(spans)


def _said(name: object, change: Mapping[str, Any], which: str) -> str:
    value = change.get(which)
    if name == "outcome":
        return RESULT.get(str(value), str(value))
    return "–" if value is None else str(value)
