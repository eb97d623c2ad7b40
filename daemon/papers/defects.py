"""What was broken, since when, what was done instead, and who was told?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.papers import moments
from daemon.papers.layout import NOTHING
from daemon.papers.words import NOT_DONE, SAT, objects, result, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from daemon.papers.source import Found
    from daemon.papers.view import Names

SAID_BY_REPAIR: Final[Mapping[str, str]] = {
    "repair": "work",
    "repair_by": "done_by",
    "repair_at": "done_at",
}
"""What the form of a repair says of the defect that it mends, by the defect's own field."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect, from its opening to its closing; None: it is open.

    Attributes:
        later: What was said of it later, oldest first: told, changed, found again, repaired.
    """

    id: str
    opened: Found
    closed: Found | None
    later: tuple[Found, ...] = ()

    @property
    def told(self) -> list[tuple[str, datetime | None]]:
        """Who was told, and when."""
        said = [*objects(self.opened.open.get("told"))]
        for each in self.later:
            one = [each.open] if text(each.open, "who") else []
            said += [*one, *objects(each.open.get("told"))]
        return [(text(each, "who"), moments.read(each.get("at"))) for each in said]

    def newest(self, field: str) -> str:
        """Return what was said last in a field; "" where nothing ever was."""
        said = (_said(each, field) for each in (*self.later[::-1], self.opened))
        return next(filter(None, said), "")

    @property
    def measure(self) -> str:
        """What is done instead, in words; "" where nobody said."""
        return self.newest("measure")

    def mending(self) -> str:
        """Return what is known of spare and repair, and which re-test closed it."""
        parts = [f"spare {spare}"] if (spare := self.newest("spare")) else []
        if repair := self.newest("repair"):
            by, at = self.newest("repair_by"), moments.read(self.newest("repair_at"))
            when = f" {moments.utc_words(at)}" if at else ""
            parts.append(f"{repair}{f' by {by}' if by else ''}{when}")
        retest = self.closed.open.get("retest") if self.closed else None
        if isinstance(retest, dict):
            parts.append(f"re-test no. {retest.get('seq')}")
        elif self.closed and (how := text(self.closed.open, "by")):
            parts.append(how)
        return "; ".join(parts)

    def effect(self) -> str:
        """Return what it means for security levels 1, 2 and 3, in their order."""
        said = [self.newest(f"effect_{level}") for level in (1, 2, 3)]
        return " / ".join(each or NOTHING for each in said) if any(said) else NOTHING

    def told_words(self) -> str:
        return ", ".join(
            who + (f" {at:%H%M}Z {moments.short_day(at)}" if at else "") for who, at in self.told
        )

    def is_of(self, found: Found) -> bool:
        """Return whether its own entries name this result as what found it."""
        named = (each.open.get("result") for each in (self.opened, *self.later))
        return any(isinstance(each, dict) and each.get("seq") == found.seq for each in named)


class Defects:
    """All of them, oldest first."""

    def __init__(
        self,
        opened: Sequence[Found],
        later: Sequence[Found],
        closed: Sequence[Found],
        names: Names,
    ) -> None:
        """Take the entries that open defects, that say more of them, and that close them."""
        ends = {text(each.open, "defect"): each for each in closed}
        self.defects = [
            Defect(
                id_,
                each,
                end if (end := ends.get(id_)) and end.seq > each.seq else None,
                tuple(e for e in later if text(e.open, "defect") == id_ and e.seq > each.seq),
            )
            for each in opened
            for id_ in [text(each.open, "defect")]
        ]
        self._names = names

    @property
    def open(self) -> list[Defect]:
        return [each for each in self.defects if each.closed is None]

    def remarks(self, found: Found) -> list[str]:
        """Return what the row of a test says of the defects that it found, or found again.

        One that a person entered names no result: it is the next one opened of the same test.
        """
        test, ended = text(found.open, "test"), found.moment("ended")
        if not test:
            return []
        if own := [each for each in self.defects if each.is_of(found)]:
            return [self._words(each) for each in own]
        if result(found.open.get("outcome")) == SAT:
            return []
        for each in self.defects:
            by_hand = each.opened.open.get("result") is None
            if by_hand and text(each.opened.open, "test") == test and _follows(each, found, ended):
                return [self._words(each)]
        return []

    def _words(self, defect: Defect) -> str:
        if self._names.is_psc:
            return f"{self._names.defect(defect.id)}, see defects"
        return ", ".join(filter(None, (defect.id.upper(), defect.measure, defect.told_words())))


def _said(found: Found, field: str) -> str:
    """Return what an entry about a defect says in a field; "" where it says nothing."""
    if found.entry.type == "unit.repaired":
        field = SAID_BY_REPAIR.get(field, "")
    return text(found.open, field)


def _follows(defect: Defect, found: Found, ended: datetime) -> bool:
    """Return whether a defect was opened within a day of the test that found it."""
    after = defect.opened.at - ended
    limit_days = 2 if result(found.open.get("outcome")) == NOT_DONE else 1
    return defect.opened.seq > found.seq and after.days < limit_days
