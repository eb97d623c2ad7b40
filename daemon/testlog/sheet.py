"""Which rows stand on a sheet of the log, and what is said above it? Pure: the rows are those of the papers.

What is looked for is looked for in what is shown: in the view for port state control nobody finds by asking what the
view leaves out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.papers import books, glance, logtable, making, testlog
from daemon.papers.glance import Wish
from daemon.papers.layout import plain
from daemon.papers.view import View, is_ssas
from daemon.papers.words import result
from daemon.testing.results import MISSED, RESULT
from daemon.testlog import cells, past

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from daemon.model import Json
    from daemon.papers.glance import Came, Glance
    from daemon.papers.layout import Cell
    from daemon.papers.moments import Period
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around

ALL, UNSAT, OVERDUE, SSAS, DRILLS = "all", "unsat", "overdue", "ssas", "drills"
SHOWN: Final = (ALL, UNSAT, OVERDUE, SSAS, DRILLS)
MOST_SHOWN: Final = 100
"""Rows of one sheet."""
LONGEST_SOUGHT: Final = 60
PASSED: Final = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to read.

    Attributes:
        equipment: Its id; "" for all of it.
        sought: Words that a row must have.
        before: Only older rows than this number.
    """

    show: str
    period: Period
    view: View
    equipment: str = ""
    sought: str = ""
    before: int | None = None

    def wish(self, now: Now) -> Wish:
        """Return what is to be read for it."""
        # By its id nobody is told in PSC mode what the names there leave out.
        by_id = self.equipment if self.equipment and self.view is View.FULL else None
        if self.show == DRILLS:
            return Wish(types=tuple(books.HELD), period=self.period, before=self.before)
        return Wish(
            types=(RESULT, MISSED),
            period=self.period,
            before=self.before,
            subject=by_id,
            is_sso=self.show == SSAS,
            outcomes=True,
            picks=self._picks(now),
            most=glance.MOST_ROWS if self.sought or self.show == SSAS else MOST_SHOWN,
        )

    def _picks(self, now: Now) -> Callable[[Came], bool] | None:
        if self.show == UNSAT:
            return lambda came: came.outcome != PASSED
        if self.show == OVERDUE:
            return lambda came: came.test in now.overdue
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """How things stand now, beside the record.

    Attributes:
        overdue: The tests that are overdue.
        defects: How many defects are open.
        equipment: What the ship has: a generic name is the same on every sheet.
    """

    overdue: Collection[str]
    defects: int
    equipment: Collection[str] = ()


def read(request: Mapping[str, Any]) -> Asked:
    """Return what is asked for.

    Raises:
        RefusedError: A field that is wrong.
    """
    show = fields.optional_text(request, "show") or ALL
    if show not in SHOWN:
        raise RefusedError(f"show is one of {', '.join(SHOWN)}, not {show[:20]!r}")
    period = past.period(request)
    sought = fields.optional_text(request, "text") or ""
    if len(sought) > LONGEST_SOUGHT:
        raise RefusedError(f"text has at most {LONGEST_SOUGHT} characters")
    return Asked(
        show=show,
        period=period,
        view=View.PSC if request.get("view") == View.PSC.value else View.FULL,
        equipment=fields.optional_text(request, "equipment") or "",
        sought=sought,
        before=fields.number(request, "before") if request.get("before") is not None else None,
    )


def told(asked: Asked, found: Glance, now: Now) -> dict[str, Json]:
    """Return the sheet."""
    around = making.around(found.source, asked.view, now.equipment)
    columns, rows = _drills(around) if asked.show == DRILLS else _log(asked, found, around)
    kept = [each for each in rows if _has(each, asked.sought)]
    next_ = found.next
    if len(kept) > MOST_SHOWN:
        kept = kept[:MOST_SHOWN]
        next_ = kept[-1].seq
    return {
        "columns": columns,
        "rows": [
            {"seq": each.seq, "cells": cells.row(each.cells), "sat": each.is_sat} for each in kept
        ],
        "first_line": _first_line(found, now) if asked.show != DRILLS else "",
        "counted_from": found.counted_from,
        "legend": logtable.LEGEND if asked.show != DRILLS else "",
        "looked_at": len(found.rows),
        "next": next_,
        "reviewed": _up_to(found, "period.reviewed"),
        "since": forms.utc(asked.period.begins),
        "until": forms.utc(asked.period.ends),
    }


@dataclass(frozen=True, slots=True)
class _Row:
    seq: int
    cells: tuple[Cell, ...]
    is_sat: bool = True


def _log(asked: Asked, found: Glance, around: Around) -> tuple[list[Json], list[_Row]]:
    wanted = [each for each in found.rows if asked.show != SSAS or is_ssas(each)]
    rows = [testlog.one(each, around) for each in wanted]
    with_year = len({each.done.year for each in rows}) > 1
    return [each.name for each in logtable.COLUMNS], [
        _Row(each.seq, logtable.cells(each, around, with_year=with_year), each.result == "SAT")
        for each in rows
    ]


def _drills(around: Around) -> tuple[list[Json], list[_Row]]:
    held = books.held(around)
    table = books.drills(around, most=None)
    return [each.name for each in table.columns], [
        _Row(each.seq, row) for each, row in zip(held, table.rows, strict=True)
    ]


def _has(row: _Row, sought: str) -> bool:
    words = sought.casefold().split()
    if not words:
        return True
    said = " ".join(plain(cell) for cell in row.cells).casefold()
    return all(word in said for word in words)


def _first_line(found: Glance, now: Now) -> str:
    reviewed, verified = (found.newest(f"period.{what}") for what in ("reviewed", "verified"))
    return logtable.summary(
        Counter(result(came.outcome) for came in found.outcomes.values()),
        overdue=len(now.overdue),
        defects=now.defects,
        reviewed=logtable.reviewed_words(reviewed, verified),
    )


def _up_to(found: Glance, type_: str) -> Json:
    newest: Sequence[Found] = found.newest(type_)
    said = newest[-1].open.get("up_to") if newest else None
    return said if isinstance(said, int) else None
