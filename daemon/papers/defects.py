"""What was broken, since when, what was done instead, and who was told?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.papers import moments
from daemon.papers.words import NOT_DONE, SAT, objects, result, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from daemon.papers.source import Found
    from daemon.papers.view import Names


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect, from its opening to its closing; None: it is open."""

    id: str
    opened: Found
    closed: Found | None
    told_later: tuple[Found, ...] = ()

    @property
    def told(self) -> list[tuple[str, datetime | None]]:
        """Who was told, and when."""
        said = [*objects(self.opened.open.get("told")), *(each.open for each in self.told_later)]
        return [(text(each, "who"), moments.read(each.get("at"))) for each in said]

    def told_words(self) -> str:
        return ", ".join(
            who + (f" {at:%H%M}Z {moments.short_day(at)}" if at else "") for who, at in self.told
        )


class Defects:
    """All of them, oldest first."""

    def __init__(
        self, opened: Sequence[Found], told: Sequence[Found], closed: Sequence[Found], names: Names
    ) -> None:
        """Take the entries that open defects, that tell of them, and that close them."""
        ends = {text(each.open, "defect"): each for each in closed}
        self.defects = [
            Defect(
                id_,
                each,
                end if (end := ends.get(id_)) and end.seq > each.seq else None,
                tuple(e for e in told if text(e.open, "defect") == id_ and e.seq > each.seq),
            )
            for each in opened
            for id_ in [text(each.open, "defect")]
        ]
        self._names = names

    @property
    def open(self) -> list[Defect]:
        return [each for each in self.defects if each.closed is None]

    def remarks(self, found: Found) -> list[str]:
        """Return what the row of a test says of a defect that it found: the next one opened of the same test."""
        test, ended = text(found.open, "test"), found.moment("ended")
        if result(found.open.get("outcome")) == SAT or not test:
            return []
        for each in self.defects:
            if text(each.opened.open, "test") == test and _follows(each, found, ended):
                return [self._words(each)]
        return []

    def _words(self, defect: Defect) -> str:
        if self._names.is_psc:
            return f"{self._names.defect(defect.id)}, see defects"
        measure = text(defect.opened.open, "measure")
        return ", ".join(filter(None, (defect.id.upper(), measure, defect.told_words())))


def _follows(defect: Defect, found: Found, ended: datetime) -> bool:
    """Return whether a defect was opened within a day of the test that found it."""
    after = defect.opened.at - ended
    limit_days = 2 if result(found.open.get("outcome")) == NOT_DONE else 1
    return defect.opened.seq > found.seq and after.days < limit_days
