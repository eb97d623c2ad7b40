"""What do the tests of the ship security alert system, and the notices of them, look like on paper?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.papers import amendments, moments
from daemon.papers.layout import NOTHING, Column, Span, Table
from daemon.papers.words import SAT, number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.papers.layout import Cell
    from daemon.papers.testlog import Around, Row


def tests(rows: Sequence[Row], around: Around) -> Table:
    """Return the SSAS tests of the last twelve months; for PSC without points, texts and notices."""
    psc = around.names.is_psc
    columns = [
        Column("No.", 0.8),
        Column("UTC / ship's time", 1.4),
        Column("Result", 1.1),
        Column("Confirmed ashore", 1.6),
        Column("By", 2),
    ]
    if not psc:
        columns += [
            Column("Began", 1.2),
            Column("Port or posn, level", 1.2),
            Column("Witness", 1.4),
            Column("Point", 1.1),
            Column("Legs, text set back", 3.4),
            Column("Defect / remarks", 2),
            Column("Next", 0.9),
        ]
    return Table(
        title="Tests of the ship security alert system (ISPS A/10.1.10, last twelve months)",
        columns=tuple(columns),
        rows=tuple(_ssas(row, around) for row in rows),
        empty="none in the last twelve months",
    )


def _ssas(row: Row, around: Around) -> tuple[Cell, ...]:
    cells: tuple[Cell, ...] = (
        str(row.seq),
        moments.both(row.done, around.source.ship_time, with_year=True),
        amendments.shown(row.result, row.amendments, "result", psc=around.names.is_psc)
        if row.amendments or row.result == SAT
        else (Span(row.result, "bold"),),
        _shore(row, around),
        row.by,
    )
    if around.names.is_psc:
        return cells
    began = NOTHING if row.began is None else moments.utc_words(row.began)
    done = (began, row.where, row.witness or NOTHING, row.equipment, row.evidence)
    return (*cells, *done, row.remarks, row.next)


def _shore(row: Row, around: Around) -> str:
    """Return what the record has of the confirmation from ashore; nothing is concluded from the result."""
    private = row.found.private
    confirmed, recipients = number(private.get("confirmed")), number(private.get("recipients"))
    if confirmed is not None and recipients is not None:
        said = f"{confirmed} of {recipients}"
    else:
        said = {"": "", "not seen": "no"}.get(text(private, "shore"), "yes")
    files = [
        f"file, no. {each.seq}"
        for each in around.source.all("attachment.added")
        if isinstance(to := each.open.get("to"), dict) and to.get("seq") == row.seq
    ]
    return "; ".join(filter(None, (said, *files))) or NOTHING


def notices(around: Around) -> Table:
    """Return the notices of SSAS tests: not for PSC."""
    return Table(
        title="Notices of SSAS tests",
        columns=(
            Column("No.", 0.8),
            Column("Sent", 1.5),
            Column("Flag", 1),
            Column("To", 2),
            Column("Reference", 3),
            Column("Entered by", 2),
        ),
        rows=tuple(
            (
                str(each.seq),
                moments.utc_words(moments.read(each.open.get("sent"))),
                text(each.open, "flag"),
                text(each.open, "to"),
                text(each.open, "reference"),
                text(each.open, "entered_by"),
            )
            for each in around.source.in_period("notice.given")[::-1]
        ),
    )
