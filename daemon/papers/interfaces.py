"""What do port calls, ship-to-ship activities and changes of level look like on paper?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers import formcells, moments
from daemon.papers.layout import NOTHING, Column, Table
from daemon.papers.words import number, text

if TYPE_CHECKING:
    from daemon.papers.layout import Cell
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around

LAST_CALLS: Final = 10
"""SOLAS XI-2/9.2.3: of the last ten calls at port facilities."""
MOST_LEVELS: Final = 10


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
                formcells.entry_number(call.found, around),
                formcells.field(call.found, "port", around, short),
                formcells.field(call.found, "facility", around, short),
                formcells.moment(call.found, "arrived", around),
                formcells.moment(call.left or call.found, "departed", around, "still there"),
                formcells.field(call.found, "ship_level", around, str),
                formcells.field(call.found, "port_level", around, str),
                formcells.field(call.found, "declaration_of_security", around, formcells.yes),
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
                formcells.entry_number(each, around),
                formcells.moment(each, "began", around),
                formcells.moment(each, "ended", around),
                formcells.field(each, "ship_level", around, str),
                formcells.field(each, "declaration_of_security", around, formcells.yes),
            )
            for each in found
        ),
        empty="none is entered in this record",
    )


def levels(around: Around) -> Table:
    """Return how the ship's level was changed, by whom, and who gave the instruction."""
    changed = around.source.of("level.changed", "level.communicated")[::-1][:MOST_LEVELS]
    return Table(
        title="Changes of security level (ISPS A/10.1.4)",
        columns=(
            Column("No.", 0.8),
            Column("UTC / ship's time", 1.5),
            Column("From", 0.6, centre=True),
            Column("To", 0.6, centre=True),
            Column("Told by", 2.4),
            Column("Told, acknowledged, in force", 2.8),
            Column("Entered by", 1.8),
        ),
        rows=tuple(_level(each, around) for each in changed),
        empty="none is entered in this record",
    )


def _level(found: Found, around: Around) -> tuple[Cell, ...]:
    said, short = found.open, around.names.short
    # An order at a station, or a form that was filled in later: the same moments under other names.
    if found.entry.type == "level.changed":
        to, when, last = "to", "acknowledged", _in_force(found, around)
        steps = [(found, "told", "notified"), (found, "ack.", when), (last, "in force", "in_force")]
    else:
        to, when = "level", "told_at"
        steps = [
            (found, "told", when),
            (found, "ack.", "acknowledged_at"),
            (found, "in force", "in_force_at"),
        ]
    return (
        formcells.entry_number(found, around),
        formcells.both(found, when, around),
        formcells.level(number(said.get("from"))),
        formcells.field(found, to, around, str),
        formcells.field(found, "told_by", around, lambda who: short(str(who))),
        formcells.joined(
            [
                (f"{word} ", formcells.field(said_by, name, around, _hour))
                for said_by, word, name in steps
                if said_by is not None
            ],
            between=", ",
        ),
        short(around.source.particulars.ranked(found.entry.actor.person or NOTHING, found.seq)),
    )


def _in_force(changed: Found, around: Around) -> Found | None:
    """Return what says that the measures of a level were in force, before the level was changed again."""
    for each in around.source.of("level.changed", "level.in_force"):
        if each.seq > changed.seq:
            return each if each.entry.type == "level.in_force" else None
    return None


def _hour(said: object) -> str:
    moment = moments.read(said)
    return f"{moment:%H%M}Z" if moment else NOTHING


def special(around: Around) -> Table:
    """Return the special measures of the period: not for PSC."""
    names = ("why", "where", "measures")
    return Table(
        title="Special or additional measures (SOLAS XI-2/9.2.1.3)",
        columns=(
            Column("No.", 0.8),
            Column("From, UTC", 1.5),
            Column("To, UTC", 1.5),
            Column("Why", 2.5),
            Column("Where", 2),
            Column("Measures", 4),
        ),
        rows=tuple(
            (
                formcells.entry_number(each, around),
                formcells.moment(each, "began", around),
                formcells.moment(each, "ended", around),
                *(formcells.field(each, name, around, str) for name in names),
            )
            for each in around.source.in_period("special_measures.taken")[::-1]
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
    return formcells.field(found, "special_measures", around, str)
