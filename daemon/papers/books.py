"""What do drills, defects and upkeep look like on paper?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers import formcells, mended, moments
from daemon.papers.layout import NOTHING, Column, Span, Table
from daemon.papers.words import counted, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from daemon.papers.defects import Defect
    from daemon.papers.layout import Cell
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around

HELD: Final = {"drill.held": "drill", "exercise.held": "exercise", "training.held": "training"}
UPKEEP: Final = {
    "maintenance.done": "maintenance",
    "calibration.done": "calibration",
    "unit.repaired": "repair",
}
MOST_UPKEEP: Final = 8
"""Newest of a period in a pack."""
NEWEST: Final = 12
"""Drills and exercises in a pack."""


def held(around: Around) -> list[Found]:
    """Return drills and exercises, newest first by when they were held: old ones that are typed in are no newer."""
    found = around.source.of(*HELD)
    return sorted(found, key=lambda each: (_ended(each, around), each.seq), reverse=True)


def drills(around: Around, *, most: int | None = NEWEST) -> Table:
    """Return drills and exercises, newest first; names and lessons are not for PSC."""
    psc = around.names.is_psc
    found = held(around)
    older = 0 if most is None else len(found) - most
    columns = [
        Column("No.", 0.8), Column("UTC / ship's time", 1.4), Column("What", 0.9), Column("Place", 1.2),
        Column("Scenario class" if psc else "Scenario", 2.6), Column("Crew", 0.9), Column("Crew change > 25 %", 1.1),
    ]  # fmt: skip
    if not psc:
        columns += [Column("Led by, took part", 2), Column("Lessons, open actions", 3)]
    return Table(
        title="Drills and exercises (ISPS A/10.1.1, A/13)",
        lead=(_drill_line(around, found),),
        columns=tuple(columns),
        rows=tuple(_drill(each, around) for each in found[:most]),
        notes=(f"{counted(older, 'older one')} not shown here.",) if older > 0 else (),
    )


def _drill(found: Found, around: Around) -> tuple[Cell, ...]:
    names = around.names
    cells: tuple[Cell, ...] = (
        formcells.entry_number(found, around),
        formcells.both(found, "ended", around),
        HELD[found.entry.type],
        around.calls.port_at(_ended(found, around)) or "not in port",
        _scenario(found, around),
        _took_part(found, around),
        formcells.field(found, "crew_changed_by_more_than_a_quarter", around, formcells.yes),
    )
    if names.is_psc:
        return cells

    def ranked(name: object) -> str:
        return around.source.particulars.ranked(str(name), found.seq)

    return (
        *cells,
        formcells.joined(
            [
                ("", formcells.field(found, "led_by", around, ranked)),
                ("", formcells.field(found, "names", around, _names)),
            ]
        ),
        formcells.field(found, "lessons", around, str),
    )


def _ended(found: Found, around: Around) -> datetime:
    return moments.read(formcells.now(found, around).get("ended")) or found.at


def _took_part(found: Found, around: Around) -> Cell:
    """Return how many of how many took part."""
    took = formcells.field(found, "crew_took_part", around, str)
    crew = formcells.field(found, "crew", around, str)
    if NOTHING in (took, crew):
        return took
    if isinstance(took, str) and isinstance(crew, str):
        return f"{took} of {crew}"
    parts = ((Span(each),) if isinstance(each, str) else each or () for each in (took, crew))
    before, behind = parts
    return (*before, Span(" of "), *behind)


def _names(said: object) -> str:
    return ", ".join(map(str, said)) if isinstance(said, list) else str(said)


def _scenario(found: Found, around: Around) -> Cell:
    if found.entry.type == "training.held":
        return NOTHING if around.names.is_psc else formcells.field(found, "topic", around, str)
    return formcells.field(found, "scenario", around, lambda said: around.names.scenario(str(said)))


def _drill_line(around: Around, held: Sequence[Found]) -> Cell:
    drilled = [each for each in held if each.entry.type == "drill.held"]
    if not drilled:
        return "no drill is entered in this record"
    ended = max(_ended(each, around) for each in drilled)
    days = counted((around.source.ends - ended).days, "day")
    words = f"Last drill {moments.utc_words(ended)}, {days} before the end of the period"
    return (
        Span(
            words,
            "bold",
        ),
    )


def defects(around: Around) -> Table:
    """Return what was broken in the period or still is; for PSC without what it was and what was done instead."""
    psc, begins = around.names.is_psc, around.source.period.begins
    shown = [
        each
        for each in around.defects.defects[::-1]
        if each.closed is None or each.closed.at >= begins
    ]
    measures = (
        (Column("Measure instead", 1.3),)
        if psc
        else (
            Column("What was found", 2),
            Column("Effect on levels 1 / 2 / 3", 1.3),
            Column("Measure instead", 2.2),
        )
    )
    return Table(
        title="Defects (ISPS A/10.1.10; MSC.159(78) 4.5.2)",
        columns=(
            Column("No.", 0.8),
            Column("Defect", 1),
            Column("Equipment", 2),
            Column("Entered", 1.5),
            *measures,
            Column("Who was told, when", 3),
            Column("Rectified", 1.5),
            *(() if psc else (Column("Spare, repair, re-test", 2),)),
        ),
        rows=tuple(_defect(each, around) for each in shown),
    )


def _defect(defect: Defect, around: Around) -> tuple[Cell, ...]:
    names = around.names
    amended = formcells.field(defect.opened, "measure", around, str)
    measure = defect.measure if _is_said_later(defect) else amended
    told = (
        names.short(who) + (f" {moments.utc_words(at)}" if at else "") for who, at in defect.told
    )
    end: tuple[Cell, ...] = (
        ", ".join(told) or "nobody entered",
        moments.utc_words(defect.closed.at) if defect.closed else (Span("OPEN", "bold"),),
    )
    begin = (formcells.entry_number(defect.opened, around), names.defect(defect.id))
    if names.is_psc:
        force = "in force" if defect.closed is None else "was in force"
        return (
            *begin,
            formcells.field(defect.opened, "equipment", around, lambda id_: names.thing(str(id_))),
            moments.utc_words(defect.opened.at),
            force if measure != NOTHING else "none entered",
            *end,
        )
    thing = formcells.joined(
        [
            ("", formcells.field(defect.opened, "equipment", around, lambda id_: str(id_).upper())),
            ("", formcells.field(defect.opened, "name", around, str)),
        ],
        between=" ",
    )
    found = (
        formcells.field(defect.opened, "found", around, str),
        defect.effect(),
        measure,
    )
    at = moments.utc_words(defect.opened.at)
    return (*begin, thing, at, *found, *end, defect.mending() or NOTHING)


def _is_said_later(defect: Defect) -> bool:
    """Return whether the measure of the opening is not the newest."""
    return any(text(each.open, "measure") for each in defect.later)


def upkeep(around: Around, *, most: int | None = MOST_UPKEEP) -> Table:
    """Return maintenance, calibration and repair in the period; for PSC what was done to what, and by whom, only."""
    psc = around.names.is_psc
    columns = [
        Column("No.", 0.8),
        Column("UTC / ship's time", 1.6),
        Column("Equipment", 2),
        Column("What", 1.2),
        Column("By", 2),
    ]
    if not psc:
        columns += [Column("Work, found and left", 4.5)]
    found = around.source.in_period(*UPKEEP)[::-1]
    left = len(found) - len(found[:most])
    return Table(
        title="Maintenance, calibration and repair (ISPS A/10.1.10)",
        columns=tuple(columns),
        rows=tuple(_upkeep(each, around) for each in found[:most]),
        notes=(f"{counted(left, 'older entry', 'older entries')} of the period not shown here.",)
        if left
        else (),
    )


def _upkeep(found: Found, around: Around) -> tuple[Cell, ...]:
    names = around.names
    actor = found.entry.actor.person or NOTHING

    def person(name: object) -> str:
        return names.short(around.source.particulars.ranked(str(name), found.seq))

    by = formcells.field(found, "done_by", around, person)
    done = moments.read(found.open.get("done_at")) or found.at
    cells: tuple[Cell, ...] = (
        formcells.entry_number(found, around),
        moments.both(done, around.source.ship_time, with_year=True),
        formcells.field(found, "equipment", around, lambda id_: names.thing(str(id_).casefold())),
        UPKEEP[found.entry.type],
        person(actor) if by == NOTHING else by,
    )
    if names.is_psc:
        return cells
    return (
        *cells,
        formcells.joined(
            [
                (f"{name.replace('_', ' ')}: ", formcells.field(found, name, around, str))
                for name in mended.WORK
            ]
        ),
    )
