"""What do drills, calls, levels, defects and SSAS tests look like on paper?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers import amendments, moments
from daemon.papers.layout import NOTHING, Column, Span, Table
from daemon.papers.words import NOT_DONE, SAT, counted, number, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.papers.layout import Cell
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around, Row

NEWEST: Final = 12
"""Drills and exercises in a pack."""
LAST_CALLS: Final = 10
"""SOLAS XI-2/9.2.3: of the last ten calls at port facilities."""
MOST_LEVELS: Final = 10


def drills(around: Around, *, most: int | None = NEWEST) -> Table:
    """Return drills and exercises, newest first; names and lessons are not for PSC."""
    psc = around.names.is_psc
    held = around.source.of("drill.held", "exercise.held")[::-1]
    columns = [
        Column("No.", 0.8), Column("UTC / ship's time", 1.4), Column("What", 0.9), Column("Place", 1.2),
        Column("Scenario class" if psc else "Scenario", 2.6), Column("Crew", 0.9), Column("Crew change > 25 %", 1.1),
    ]  # fmt: skip
    if not psc:
        columns += [Column("Led by, took part", 2), Column("Lessons, open actions", 3)]
    return Table(
        title="Drills and exercises (ISPS A/10.1.1, A/13)",
        lead=(_drill_line(around, held),),
        columns=tuple(columns),
        rows=tuple(_drill(each, around) for each in held[:most]),
    )


def _drill(found: Found, around: Around) -> tuple[Cell, ...]:
    said, names = found.open, around.names
    ended = found.moment("ended")
    took, crew = number(said.get("crew_took_part")), number(said.get("crew"))
    cells: tuple[Cell, ...] = (
        _no(found, around),
        moments.both(ended, around.source.ship_time, with_year=True),
        "exercise" if found.entry.type == "exercise.held" else "drill",
        around.calls.port_at(ended) or "at sea",
        _field(found, "scenario", around, lambda said: names.scenario(str(said))),
        NOTHING if took is None else f"{took} of {crew}" if crew is not None else str(took),
        _field(found, "crew_changed_by_more_than_a_quarter", around, _yes),
    )
    if names.is_psc:
        return cells
    led = around.source.particulars.ranked(text(said, "led_by"))
    took_part = said.get("names")
    people = ", ".join(map(str, took_part)) if isinstance(took_part, list) else ""
    return (
        *cells,
        "; ".join(filter(None, (led, people))) or NOTHING,
        _field(found, "lessons", around, str),
    )


def _drill_line(around: Around, held: Sequence[Found]) -> Cell:
    drilled = [each for each in held if each.entry.type == "drill.held"]
    if not drilled:
        return "no drill is entered in this record"
    newest = drilled[0]
    ended = newest.moment("ended")
    days = counted((around.source.ends - ended).days, "day")
    words = f"Last drill {moments.utc_words(ended)}, {days} before the end of the period"
    return (
        Span(
            words,
            "bold",
        ),
    )


def calls(around: Around) -> Table:
    """Return the last ten calls, newest first."""
    psc = around.names.is_psc

    def short(said: object) -> str:
        return around.names.short(str(said))

    columns = [
        Column("No.", 0.8), Column("Port", 0.9), Column("Facility", 1.3), Column("From, UTC", 1.5),
        Column("To, UTC", 1.5), Column("Ship's level", 0.8, centre=True), Column("Port's level", 0.8, centre=True),
        Column("DoS", 0.7, centre=True), Column("Special measures", 1 if psc else 3),
    ]  # fmt: skip
    return Table(
        title="Last ten calls at port facilities (SOLAS XI-2/9.2.1)",
        columns=tuple(columns),
        rows=tuple(
            (
                _no(call.found, around),
                _field(call.found, "port", around, short),
                _field(call.found, "facility", around, short),
                moments.utc_words(call.arrived),
                moments.utc_words(call.departed) if call.departed else "still there",
                _field(call.found, "ship_level", around, str),
                _field(call.found, "port_level", around, str),
                _field(call.found, "declaration_of_security", around, _yes),
                _measures(call.found, around),
            )
            for call in around.calls.calls[::-1][:LAST_CALLS]
        ),
        empty="no call is entered in this record",
    )


def ship_to_ship(around: Around) -> Table:
    """Return ship-to-ship activities of the same time."""
    found = around.source.of("ship_to_ship.done")[::-1][:LAST_CALLS]
    return Table(
        title="Ship-to-ship activities (SOLAS XI-2/9.2.1.5)",
        columns=(
            Column("No.", 0.8),
            Column("From, UTC", 1.5),
            Column("To, UTC", 1.5),
            Column("Ship's level", 1, centre=True),
            Column("DoS", 1, centre=True),
        ),
        rows=tuple(
            (
                _no(each, around),
                moments.utc_words(each.moment("began")),
                moments.utc_words(moments.read(each.open.get("ended"))),
                _level(number(each.open.get("ship_level"))),
                _yes(each.open.get("declaration_of_security")),
            )
            for each in found
        ),
        empty="none is entered in this record",
    )


def levels(around: Around) -> Table:
    """Return how the ship's level was changed, by whom, and who gave the instruction."""
    changed = around.source.of("level.changed")[::-1][:MOST_LEVELS]
    person = around.names.short
    return Table(
        title="Changes of security level (ISPS A/10.1.4)",
        columns=(
            Column("No.", 0.8),
            Column("UTC / ship's time", 1.5),
            Column("From", 0.6, centre=True),
            Column("To", 0.6, centre=True),
            Column("Told by", 3),
            Column("Entered by", 2),
        ),
        rows=tuple(
            (
                _no(each, around),
                moments.both(each.at, around.source.ship_time, with_year=True),
                _level(number(each.open.get("from"))),
                _level(number(each.open.get("to"))),
                person(text(each.open, "told_by")) or NOTHING,
                person(around.source.particulars.ranked(each.entry.actor.person or "–")),
            )
            for each in changed
        ),
        empty="none is entered in this record",
    )


def defects(around: Around) -> Table:
    """Return what was broken in the period or still is; for PSC without what it was and what was done instead."""
    psc, source = around.names.is_psc, around.source
    shown = [
        each
        for each in around.defects.defects[::-1]
        if each.closed is None or each.closed.at >= source.period.begins
    ]
    rows = []
    for each in shown:
        said = each.opened.open
        measure = text(said, "measure")
        told = ", ".join(
            around.names.short(who) + (f" {moments.utc_words(at)}" if at else "")
            for who, at in each.told
        )
        cells: list[Cell] = [
            str(each.opened.seq),
            each.id.upper() if len(each.id) <= 20 else each.id[:19].upper() + "…",  # noqa: PLR2004 (an id as wide as its column)
            around.names.thing(text(said, "equipment"))
            if psc
            else f"{text(said, 'equipment').upper()} {text(said, 'name')}".strip(),
            moments.utc_words(each.opened.at),
        ]
        if psc:
            cells.append(
                "in force"
                if measure and each.closed is None
                else "was in force"
                if measure
                else "none entered"
            )
        else:
            cells += [text(said, "found") or NOTHING, measure or "none entered"]
        cells += [
            told or "nobody entered",
            moments.utc_words(each.closed.at) if each.closed else (Span("OPEN", "bold"),),
        ]
        rows.append(tuple(cells))
    measure_columns = (
        (Column("Measure instead", 1.3),)
        if psc
        else (Column("Found", 2.2), Column("Measure instead", 2.6))
    )
    return Table(
        title="Defects (ISPS A/10.1.10; MSC.159(78) 4.5.2)",
        columns=(
            Column("No.", 0.8),
            Column("Defect", 1),
            Column("Equipment", 2),
            Column("Found", 1.5),
            *measure_columns,
            Column("Who was told, when", 3),
            Column("Rectified", 1.5),
        ),
        rows=tuple(rows),
    )


def ssas(rows: Sequence[Row], around: Around) -> Table:
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
        columns += [Column("Point", 1.4), Column("Legs, text set back", 4.4)]
    return Table(
        title="Tests of the ship security alert system (ISPS A/10.1.10, last twelve months)",
        columns=tuple(columns),
        rows=tuple(_ssas(row, around) for row in rows),
        empty="none in the last twelve months",
    )


def _ssas(row: Row, around: Around) -> tuple[Cell, ...]:
    private = row.found.private
    confirmed = number(private.get("confirmed")), number(private.get("recipients"))
    if None not in confirmed:
        shore = f"{confirmed[0]} of {confirmed[1]}"
    elif row.result == NOT_DONE:
        shore = NOTHING
    else:
        shore = "yes" if row.result == SAT else "not confirmed"
    cells: tuple[Cell, ...] = (
        str(row.seq),
        moments.both(row.done, around.source.ship_time, with_year=True),
        row.result if row.result == SAT else (Span(row.result, "bold"),),
        shore,
        row.by,
    )
    return cells if around.names.is_psc else (*cells, row.equipment, row.evidence)


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


def _measures(found: Found, around: Around) -> Cell:
    if around.names.is_psc:
        changed = [
            each.new
            for each in around.amendments.get(found.seq, ())
            if each.field == "special_measures"
        ]
        said = (
            changed[-1]
            if changed
            else text(found.private, "special_measures") or text(found.open, "special_measures")
        )
        return "yes" if said and said != NOTHING else "no"
    return _field(found, "special_measures", around, str)


def _field(found: Found, name: str, around: Around, words: Callable[[object], str]) -> Cell:
    return amendments.field(found, name, around.amendments.get(found.seq, ()), words)


def _no(found: Found, around: Around) -> Cell:
    amended = around.amendments.get(found.seq)
    if not amended:
        return str(found.seq)
    return (
        Span(str(found.seq)),
        Span("", "break"),
        Span(f"amended, no. {amended[-1].seq}", "small"),
    )


def _level(level: int | None) -> str:
    return NOTHING if level is None else str(level)


def _yes(said: object) -> str:
    return (
        {True: "yes", False: "no", "yes": "yes", "no": "no"}.get(said, NOTHING)
        if isinstance(said, bool | str)
        else NOTHING
    )
