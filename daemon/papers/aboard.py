"""Who is who on board, by the record? Its own entries about people, folded up to the end of what a paper is about.

The first entry of a segment carries the list of the segment before, so one segment alone tells it as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from daemon.papers.words import text
from daemon.record import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from daemon.papers.source import Found

TYPES: Final = (
    "crew.listed",
    "crew.joined",
    "crew.changed",
    "crew.left",
    "duty.handed_over",
)
"""Beside the first entry of each segment."""
GIVEN: Final = frozenset({"crew.joined", "crew.changed", "duty.handed_over"})
"""What gives somebody a role from that day on; a list says only that he has it."""


@dataclass(slots=True)
class Aboard:
    """Who is on the crew list.

    Attributes:
        people: By name, as entries have them; nobody: the record does not tell.
        ranks: By name, since which entry which rank, oldest first; of those who left as well.
        since: By name and role, the entry that gave it.
    """

    people: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    ranks: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    since: dict[tuple[str, str], Found] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Iterable[Found], until: datetime | None = None) -> Self:
        """Return it as it was before a moment; None: as the record ends.

        A clock that was wrong for a while hides nobody: what stands before an entry of that time counts too.

        Raises:
            EntryError: An entry lacks what it must have.
        """
        entries = sorted(found, key=lambda each: each.seq)
        if until is not None:
            last = max((each.seq for each in entries if each.at < until), default=0)
            entries = [each for each in entries if each.seq <= last]
        made = cls()
        for each in entries:
            made._take(each)
        return made

    def roles(self) -> dict[str, str]:
        """Return everybody's roles, by name, in words."""
        return {name: " ".join(_roles(body)) for name, body in self.people.items()}

    def _take(self, found: Found) -> None:
        changes = fold.project(found.entry, found.private)
        if found.entry.type == fold.SEGMENT_OPENED and any(c.kind == fold.CREW for c in changes):
            self.people.clear()  # it says all of it anew
        for change in changes:
            if change.kind not in {fold.CREW, fold.FORMER}:
                continue
            if change.body is not None and (rank := text(change.body, "rank")):
                self._ranked(change.id, found.seq, rank)
            if change.kind == fold.CREW:
                self._listed(found, change.id, change.body)

    def _listed(self, found: Found, name: str, body: Mapping[str, Any] | None) -> None:
        before = set(_roles(self.people.pop(name, {})))
        now = set() if body is None else set(_roles(body))
        if body is not None:
            self.people[name] = body
        if found.entry.type == fold.SEGMENT_OPENED:
            return
        for role in before - now:
            self.since.pop((name, role), None)
        for role in now - before if found.entry.type in GIVEN else ():
            self.since[name, role] = found

    def _ranked(self, name: str, seq: int, rank: str) -> None:
        known = self.ranks.setdefault(name, [])
        if not known or known[-1][1] != rank:
            known.append((seq, rank))


def _roles(body: Mapping[str, Any]) -> list[str]:
    said = body.get("roles")
    return [each for each in said if isinstance(each, str)] if isinstance(said, list) else []
