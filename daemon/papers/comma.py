"""How do rows become CSV that a spreadsheet can open without running it? RFC 4180, UTF-8, CR LF.

The columns are those that records of tests have (``docs/sso.md``, Papers). A cell that begins with = + - @ (or a tab or
return, behind which a spreadsheet still looks) gets an apostrophe in front: a name in a record is never a formula.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from daemon.papers import moments
from daemon.papers.layout import plain
from daemon.papers.view import is_ssas
from daemon.papers.words import CATEGORY, SAT, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from daemon.papers.layout import Table
    from daemon.papers.testlog import Around, Row

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
COLUMNS: Final = (
    "no",
    "category",
    "entered_utc",
    "test_start_utc",
    "test_end_utc",
    "ship_time_of_end",
    "ships_day",
    "equipment",
    "test",
    "how",
    "port_or_situation",
    "result",
    "evidence",
    "notice_sent_utc",
    "message_received_by",
    "flag_confirmation_ref",
    "text_reset",
    "tested_by",
    "witnessed_by",
    "remarks",
    "next_due",
    "late",
    "amendments",
    "simulated",
)


def log(rows: Sequence[Row], around: Around) -> bytes:
    """Return the equipment test log."""
    return written(COLUMNS, (_values(row, around) for row in rows))


def table(table_: Table) -> bytes:
    """Return a table as it stands on paper; what is struck out says so."""
    return written(
        [column.name for column in table_.columns], ([plain(c) for c in row] for row in table_.rows)
    )


def written(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as CSV."""
    text_of = io.StringIO()
    writer = csv.writer(text_of, lineterminator="\r\n")
    writer.writerow([defused(each) for each in columns])
    writer.writerows([defused(each) for each in row] for row in rows)
    return text_of.getvalue().encode("utf-8", "backslashreplace")


def defused(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _values(row: Row, around: Around) -> list[str]:
    psc = around.names.is_psc
    private: dict[str, Any] = {} if psc else dict(row.found.private)
    ssas = is_ssas(row.found)
    offset = around.source.ship_time.offset_min(row.done)
    return [
        str(row.seq),
        CATEGORY.get(row.found.entry.kind, row.found.entry.kind),
        _utc(row.entered),
        _utc(row.began),
        _utc(row.done),
        ""
        if offset is None
        else f"{around.source.ship_time.local(row.done):%Y-%m-%dT%H:%M} UTC{moments.zone_words(offset)}",
        row.day or "",
        row.equipment,
        row.test,
        row.how,
        row.where,
        row.result,
        row.evidence,
        "" if psc or not ssas else _notice(row, around),
        text(private, "shore") if ssas else "",
        text(private, "confirmation_ref") if ssas else "",
        _set_back(row, private) if ssas and not psc else "",
        row.by,
        row.witness,
        row.remarks,
        row.next,
        "LATE" if row.late else "",
        _amendments(row, psc=psc),
        "yes" if row.simulated else "no",
    ]


def _notice(row: Row, around: Around) -> str:
    """Return when the newest notice before the test was sent."""
    sent = [moments.read(e.open.get("sent")) for e in around.source.of("notice.given")]
    before = [moment for moment in sent if moment is not None and moment <= row.done]
    return _utc(max(before)) if before else ""


def _set_back(row: Row, private: dict[str, Any]) -> str:
    said = text(private, "text_set_back")
    return "" if not said else "n" if said == "not seen" else "y" if row.result == SAT else said


def _amendments(row: Row, *, psc: bool) -> str:
    if psc:
        return "; ".join(sorted({f"amended, see no. {each.seq}" for each in row.amendments}))
    return "; ".join(f"{e.field}: {e.old} -> {e.new} (no. {e.seq})" for e in row.amendments)


def _utc(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
