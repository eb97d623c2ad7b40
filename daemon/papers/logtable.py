"""How does the equipment test log look as a table, and what does its first line say?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon.model import ClockStatus
from daemon.papers import amendments, moments
from daemon.papers.layout import Column, Span, Table
from daemon.papers.words import NOT_DONE, NOT_PROVEN, SAT, UNSAT, counted, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.papers.layout import Cell
    from daemon.papers.source import Found, Source
    from daemon.papers.testlog import Around, Row

COLUMNS: Final = (
    Column("No.", 1.25),
    Column("UTC / ship's time", 2.1),
    Column("Equipment", 2.6),
    Column("Test, SSP para", 2.3),
    Column("How", 0.75, centre=True),
    Column("Port or posn, lvl", 1.5),
    Column("Result", 1.7),
    Column("Evidence", 3.9),
    Column("By / witness", 2.4),
    Column("Defect / remarks", 3.3),
    Column("Next", 1.35),
)
LEGEND: Final = (
    "How: A automatic, S in service, P person led, M manual. No. is the entry's number in the security record. "
    "Struck through: amended later, by the entry whose number stands beside it. "
    "LATE: entered more than 24 h after it was done."
)
MARK: Final = "DEMO: "
"""What the demo's generated reasons begin with; on paper the banner of every page says it."""


def table(
    rows: Sequence[Row], around: Around, *, title: str = "", notes: tuple[str, ...] = ()
) -> Table:
    """Return the log as a table, with its first line above."""
    years = {each.done.year for each in rows}
    return Table(
        title=title,
        lead=((Span(first_line(rows, around), "bold"),),),
        columns=COLUMNS,
        rows=tuple(cells(row, around, with_year=len(years) > 1) for row in rows),
        notes=(*notes, LEGEND),
    )


def together(rows: Iterable[Row]) -> list[Row]:
    """Draw days of continuous supervision together where one test was SAT on every one of them; the rest stays.

    Newest first, as they come; a day that was not SAT, was late or was amended stands alone and parts the others.
    """
    found: list[Row] = []
    open_at: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.equipment, row.test)
        plain = row.day is not None and row.result == SAT and not row.late and not row.amendments
        if not plain:
            open_at.pop(key, None)
            found.append(row)
        elif (place := open_at.get(key)) is None:
            open_at[key] = len(found)
            found.append(row)
        else:
            newest = found[place]
            found[place] = replace(
                newest,
                seq=row.seq,
                last_seq=newest.last_seq or newest.seq,
                began=row.began,
                where=row.where if row.where == newest.where else "various",
                days=newest.days + 1,
                evidence=f"supervision on each of {newest.days + 1} days",
            )
    return found


def first_line(rows: Sequence[Row], around: Around) -> str:
    """Return the line above the table: counts, what is overdue and broken, who has reviewed and verified."""
    source = around.source
    return summary(
        Counter(row.result_now for row in rows for _ in range(row.days)),
        overdue=source.particulars.overdue,
        defects=len(around.defects.open),
        reviewed=reviewed_by(source),
    )


def summary(counts: Mapping[str, int], *, overdue: int | None, defects: int, reviewed: str) -> str:
    """Return that line from its figures: results by their words, what is overdue (None: not known), open defects."""
    words = [
        f"{counts.get(word, 0)} {word}"
        for word in (SAT, UNSAT, NOT_PROVEN, NOT_DONE)
        if counts.get(word) or word != NOT_PROVEN
    ]
    words += [] if overdue is None else [f"{overdue} overdue"]
    words.append(counted(defects, "open defect"))
    return " · ".join((*words, reviewed))


def reviewed_by(source: Source) -> str:
    """Return up to which entry the SSO had reviewed and the Master verified as the period ended."""
    return reviewed_words(source.of("period.reviewed"), source.of("period.verified"))


def reviewed_words(reviewed: Sequence[Found], verified: Sequence[Found]) -> str:
    """Return up to which entry the SSO has reviewed and the Master verified; each as entered, oldest first."""
    if not reviewed:
        return "not reviewed"
    newest = reviewed[-1]
    last = number(newest.open.get("up_to"))
    words = f"reviewed to no. {last} ({moments.short_day(newest.at)}, {_surname(newest)})"
    if not verified:
        return f"{words}, not verified"
    up_to = number(verified[-1].open.get("up_to"))
    reach = "" if up_to == last else f" to no. {up_to}"
    return f"{words}, verified{reach} ({_surname(verified[-1])})"


def cells(row: Row, around: Around, *, with_year: bool = False) -> tuple[Cell, ...]:
    """Return a row of the table, in the order of its columns."""
    psc = around.names.is_psc
    by = " / ".join(filter(None, (row.by, row.witness)))
    late: tuple[Span, ...] = (
        (Span("", "break"), Span(f"LATE, entered {moments.utc_words(row.entered)}", "bold"))
        if row.late
        else ()
    )

    if row.found.entry.stamp.clock is ClockStatus.UNSET:
        late = (*late, Span("", "break"), Span("the computer's clock was not set", "bold"))

    def amended(cell: str, column: str) -> Cell:
        return amendments.shown(cell, row.amendments, column, psc=psc)

    return (
        f"{row.seq}" if row.last_seq is None else f"{row.seq}–{row.last_seq}",
        (
            *_spans(_when(row, around, with_year=with_year)),
            *_spans(_changed(row, "done", psc=psc)),
            *late,
        ),
        amended(row.equipment, "equipment"),
        amended(row.test, "test"),
        amended(row.how, "how"),
        amended(row.where, "where"),
        _result(row, psc=psc),
        amended(row.evidence.removeprefix(MARK), "evidence"),
        amended(by, "by"),
        amended(row.remarks.removeprefix(MARK), "remarks"),
        row.next,
    )


def _when(row: Row, around: Around, *, with_year: bool) -> Cell:
    if row.day is None:
        return moments.both(row.done, around.source.ship_time, with_year=with_year)
    last = moments.read(f"{row.day}T00:00:00Z")
    if last is None:
        return moments.both(row.done, around.source.ship_time, with_year=with_year)
    first = around.source.ship_time.local(row.began) if row.days > 1 and row.began else last
    words = moments.day if with_year else moments.short_day
    same_month = (first.year, first.month) == (last.year, last.month)
    begins = str(first.day) if same_month else words(first)
    span = (
        words(last)
        if row.days == 1
        else f"{begins}–{words(last)}"
        if same_month
        else f"{begins} – {words(last)}"
    )
    return (
        Span(span),
        Span("", "break"),
        Span("ship's days" if row.days > 1 else "ship's day", "small"),
    )


def _changed(row: Row, column: str, *, psc: bool) -> Cell:
    """Return what was amended of a field that is made of more than text."""
    if not any(each.column == column for each in row.amendments):
        return ()
    return (Span("", "break"), *_spans(amendments.shown("", row.amendments, column, psc=psc)))


def _result(row: Row, *, psc: bool) -> Cell:
    shown = amendments.shown(row.result, row.amendments, "result", psc=psc)
    if isinstance(shown, str) and row.result != SAT:
        return (Span(shown, "bold"),)
    return shown


def _spans(cell: Cell) -> tuple[Span, ...]:
    return (Span(cell),) if isinstance(cell, str) else cell or ()


def _surname(found: Found) -> str:
    return (found.entry.actor.person or "–").split()[-1]
