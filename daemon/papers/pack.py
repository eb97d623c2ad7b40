"""What does an inspector get? The PSC pack, page by page, and with what an auditor may see beside it the RSO pack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon.model import Role, Situation
from daemon.papers import annex, books, certificates, interfaces, logtable, matrix, moments, ssas
from daemon.papers.layout import Blank, Facts, Sheet, Signatures, Span, Table, Title, Words
from daemon.papers.testlog import one, rows
from daemon.papers.words import counted, number

if TYPE_CHECKING:
    from daemon.papers.layout import Block, Cell
    from daemon.papers.proof import Proof
    from daemon.papers.testlog import Around, Row

LEVELS: Final = ("level.changed", "daemon.started")
TIGHT: Final = 5
TIGHT_MATRIX: Final = 24
"""Rows of a part that must keep to its page."""
NOT_SHOWN: Final = (
    "ISPS A/9.8.1: places, activation points, steps and procedures of tests are not part of this paper; "
    "equipment goes by generic names and ids."
)


def sheets(
    title: str, around: Around, proof: Proof, *, most_rows: int | None, tight: bool = False
) -> tuple[Sheet, ...]:
    """Return the pack; ``most_rows`` of the log in it, None for all; ``tight`` keeps every other part to a page."""
    psc = around.names.is_psc
    year = _year(around)
    tested = [row for row in year if row.is_ssas]
    calls: tuple[Block, ...] = (
        interfaces.calls(around),
        interfaces.ship_to_ship(around),
        interfaces.levels(around),
    )
    last: tuple[Block, ...] = tuple(
        _cut(table, TIGHT, tight=tight)
        for table in (ssas.tests(tested, around), books.defects(around), books.upkeep(around))
    )
    if not psc:
        calls = (*calls, interfaces.special(around))
        last = (*last, ssas.notices(around))
    pages = [
        Sheet((Title(title), *_cover(around, proof))),
        Sheet((books.drills(around),), landscape=True),
        Sheet(calls, landscape=True),
        Sheet((_cut(matrix.table(year, around), TIGHT_MATRIX, tight=tight),), landscape=True),
        Sheet((_log(around, most_rows),), landscape=True),
        Sheet(last, landscape=True),
    ]
    if not psc:
        pages.append(Sheet(annex.tables(around), landscape=True))
    pages.append(Sheet(_signatures(around)))
    return tuple(pages)


def _log(around: Around, most: int | None) -> Table:
    """Return the log of the period, the newest rows of it where room is short; its first line counts all of them."""
    found = rows(around)
    log = logtable.together(found) if around.names.is_psc else found
    shown = log if most is None else log[:most]
    older = counted(len(log) - len(shown), "older row")
    notes = (f"{older} of the period not shown here: see the equipment test log.",)
    table = logtable.table(
        found,
        around,
        title="Equipment test log (ISPS A/10.1.10)",
        notes=notes if len(shown) < len(log) else (),
    )
    return replace(table, rows=logtable.table(shown, around).rows)


def _cut(table: Table, most: int, *, tight: bool) -> Table:
    """Return a table with its first rows only, where room is short, and how many more there are."""
    left = len(table.rows) - most
    if not tight or left <= 0:
        return table
    note = f"{counted(left, 'more row')} in the record: see the ship's own papers."
    return replace(table, rows=table.rows[:most], notes=(note, *table.notes))


def closing(proof: Proof) -> tuple[Block, ...]:
    """Return what every paper ends with: the statement of integrity."""
    statement = Words((Span("Integrity. ", "bold"), Span(proof.sentence())))
    beside = proof.beside()
    return (statement, Words((Span(beside, "small"),))) if beside else (statement,)


def _year(around: Around) -> list[Row]:
    """Return the rows of the last twelve months, newest first."""
    return [one(each, around) for each in around.source.of("test.result", "test.missed")][::-1]


def _cover(around: Around, proof: Proof) -> tuple[Block, ...]:
    ship = around.source.particulars
    short = around.names.short
    ssos = ", ".join(map(short, ship.with_role(Role.SSO)))
    masters = ", ".join(map(short, ship.with_role(Role.MASTER)))
    facts: list[tuple[str, Cell]] = [
        ("Ship", ship.ship or None),
        (
            "IMO no., call sign, MMSI",
            " · ".join(filter(None, (ship.imo, ship.call_sign, ship.mmsi))),
        ),
        ("Flag", None),
        *certificates.facts(around),
        ("Master", masters or None),
        ("Ship security officer", ssos or None),
        ("    since", _since(around)),
        ("Company security officer", ", ".join(map(short, ship.with_role(Role.CSO))) or None),
        ("    since, 24 h telephone", None),
        ("Ship's security level now", _level_now(around)),
        ("Port's security level now", _port_level(around)),
        ("Period of this paper", around.source.period.words()),
        ("Record", logtable.reviewed_by(around.source)),
    ]
    if not around.names.is_psc:
        facts += [
            ("Software", f"ispsd {ship.software}"),
            ("Configuration, SHA-256", ship.configuration),
        ]
    notes = (Words((Span(NOT_SHOWN, "small"),)),) if around.names.is_psc else ()
    return (Facts(tuple(facts)), *closing(proof), *notes)


def _since(around: Around) -> Cell:
    """Return since when the SSO has the duty; a blank where he had it before anybody wrote it down."""
    given = around.source.particulars.since(Role.SSO)
    return ", ".join(f"{moments.utc_words(e.at)} (entry no. {e.seq})" for e in given) or None


def _level_now(around: Around) -> Cell:
    known = around.source.of(*LEVELS)
    for each in reversed(known):
        name = "to" if each.entry.type == "level.changed" else "security_level"
        if (level := number(each.open.get(name))) is not None:
            return f"{level} (entry no. {each.seq}, {moments.utc_words(each.at)})"
    return None


def _port_level(around: Around) -> Cell:
    """Return the port's level as it was told last; a blank where she is in port and nobody has said it."""
    calls, source = around.calls.calls, around.source
    call = calls[-1] if calls and calls[-1].departed is None else None
    where = f" at {around.names.short(call.port)}" if call is not None else ""
    orders = [
        each
        for each in source.of("port_level.changed", "situation.changed")
        if each.entry.type == "port_level.changed" or each.open.get("to") == Situation.SEA.value
    ]
    # At sea no port's level counts any more.
    order = orders[-1] if orders and orders[-1].entry.type == "port_level.changed" else None
    if order is not None and (call is None or order.seq > call.seq):
        return f"{number(order.open.get('to'))}{where} (entry no. {order.seq})"
    if call is not None and call.port_level is not None:
        return f"{call.port_level}{where} (entry no. {call.seq})"
    told = [
        said
        for each in source.of("situation.changed", "daemon.started")
        if (said := each.open.get("to") or each.open.get("situation")) is not None
    ]
    is_in_port = call is not None or told[-1:] == [Situation.PORT.value]
    return None if is_in_port else "not in port"


def _signatures(around: Around) -> tuple[Block, ...]:
    return (
        Title("Signatures"),
        Words(f"This paper: {logtable.reviewed_by(around.source)}."),
        Signatures(("Ship security officer", "Master")),
        Blank("Remarks of the ship", 6),
        Blank("Remarks of the officer who received it", 6),
        Signatures(("Received by",)),
    )
