"""What happened in this one test? Its entry, its evidence line by line, and what was amended later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import IspsdError
from daemon.papers import logtable, moments, source
from daemon.papers.layout import NOTHING, Column, Facts, Sheet, Signatures, Table, Title, Words
from daemon.papers.pack import closing
from daemon.papers.testlog import one
from daemon.papers.words import CATEGORY, CLOCK, PRIVATE, result, seen, text
from daemon.testing.evidence import BASIS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.papers.layout import Cell
    from daemon.papers.proof import Proof
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around, Row

MOST_LINES: Final = 400
"""Lines of evidence on paper."""
LONGEST_LINE: Final = 300


def sheets(
    seq: int | None,
    around: Around,
    proof: Proof,
    evidence: Callable[[str], bytes | None],
    title: str,
) -> tuple[Sheet, ...]:
    """Return the record of one test.

    Raises:
        IspsdError: There is no such test in the period.
    """
    row = row_of(seq, around)
    found = row.found
    table = logtable.table([row], around)
    log = Table(columns=table.columns, rows=table.rows, notes=table.notes)
    return (
        Sheet((Title(f"{title}: no. {seq}"), Facts(facts(found, around)), amended(row.amendments), *closing(proof),
               Signatures(("Tested by", "Master")))),
        Sheet((log, *items(found), *_evidence(found, evidence)), landscape=True),
    )  # fmt: skip


def row_of(seq: int | None, around: Around) -> Row:
    """Return the row of one test.

    Raises:
        IspsdError: There is no such test in the year before the end of the period.
    """
    for found in around.source.of("test.result", "test.missed"):
        if found.seq == seq:
            return one(found, around)
    begins, last = source.looked_back(around.source.period), around.source.period.last
    raise IspsdError(
        f"entry {seq} is no test that was done, or missed: from {moments.day(begins)} to {moments.day(last)} "
        "there is none of that number (an older one is found with --to)"
    )


def facts(found: Found, around: Around) -> tuple[tuple[str, Cell], ...]:
    """Return what is known of a test, by its labels."""
    said, ship_time = found.open, around.source.ship_time
    began = moments.read(said.get("began"))
    row = one(found, around)
    said_of = {
        "Category": CATEGORY.get(found.entry.kind, found.entry.kind),
        "Equipment": row.equipment,
        "Test, paragraph of the SSP": row.test,
        "Began": moments.both(began, ship_time, with_year=True) if began else NOTHING,
        "Ended": moments.both(row.done, ship_time, with_year=True),
        "Entered": moments.utc_words(row.entered) + (" LATE" if row.late else ""),
        "Clock of the computer": CLOCK[found.entry.stamp.clock],
        "Port or situation, security level": row.where,
        "Result": row.result,
        "Found": text(said, "reason") or NOTHING,
        "Tested by": row.by,
        "Witness": row.witness or None,
        "Defect, remarks": row.remarks,
        "Next": row.next,
    }
    order = {key: number for number, key in enumerate(PRIVATE)}
    keys = sorted(found.private, key=lambda key: order.get(key, len(order)))
    private = {_label(key): _plain(found.private[key]) for key in keys}
    return tuple({**said_of, **private}.items())


def _label(key: str) -> str:
    """Return what a field that only the SSO reads is called on paper."""
    return PRIVATE.get(key) or f"For the SSO only: {key.replace('_', ' ')}"


def _plain(value: Any) -> str:
    return seen(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def amended(amendments: tuple[Any, ...]) -> Table:
    """Return what was changed of it later."""
    return Table(
        title="Amended later",
        columns=(Column("By no.", 1), Column("Field", 2), Column("Was", 4), Column("Is", 4)),
        rows=tuple((str(e.seq), e.field, e.old, e.new or e.why) for e in amendments),
        empty="nothing",
    )


def items(found: Found) -> tuple[Table, ...]:
    """Return how each of several items came out."""
    said = found.open.get("items")
    if not isinstance(said, list):
        return ()
    return (
        Table(
            title="Items",
            columns=(Column("Item", 2), Column("Result", 2), Column("Found", 6)),
            rows=tuple(_item(each) for each in said if isinstance(each, dict)),
        ),
    )


def _item(said: Mapping[str, Any]) -> tuple[Cell, ...]:
    return text(said, "item").upper(), result(said.get("outcome")), text(said, "reason") or NOTHING


def _evidence(found: Found, evidence: Callable[[str], bytes | None]) -> tuple[Table | Words, ...]:
    tables: list[Table | Words] = []
    for reference in found.entry.evidence:
        if reference.media == BASIS:
            tables.append(
                Words(
                    f"What it was judged by, for the SSO: {reference.size} bytes, SHA-256 {reference.sha256}."
                )
            )
            continue
        body = evidence(reference.sha256)
        lines = [] if body is None else body.decode("utf-8", "replace").splitlines()
        left = len(lines) - MOST_LINES
        tables.append(
            Table(
                title=f"Evidence: {reference.media}, {reference.size} bytes",
                lead=(f"SHA-256 {reference.sha256}",),
                columns=(Column("Line", 0.5), Column("As kept", 12)),
                rows=tuple(
                    (str(number), _cut(line))
                    for number, line in enumerate(lines[:MOST_LINES], start=1)
                ),
                empty="not in this record" if body is None else "empty",
                notes=(f"{left} more lines are not printed.",) if left > 0 else (),
            )
        )
    return tuple(tables) or (
        Table(title="Evidence", columns=(), rows=(), lead=("none is kept with this entry",)),
    )


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
