"""What was repaired, maintained and calibrated: as rows of the log, and as signs of the equipment's months.

Source: ISPS A/10.1.10, which names maintenance and calibration beside testing. A repair alone makes nothing SAT: what
was UNSAT before it stays so until a test says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.papers import formcells, moments
from daemon.papers.layout import NOTHING
from daemon.papers.testlog import Row
from daemon.papers.view import is_ssas
from daemon.papers.words import HOW, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from daemon.papers.source import Found
    from daemon.papers.testlog import Around

REPAIRED: Final = "REPAIRED"
DONE: Final = {
    "maintenance.done": "MAINTAINED",
    "calibration.done": "CALIBRATED",
    "unit.repaired": REPAIRED,
}
"""What stands in the column of results."""
WORK: Final = (
    "work",
    "why",
    "against",
    "found",
    "left",
    "procedure",
    "result",
    "old_serial",
    "new_serial",
    "certificate",
)
"""Fields that say what was done, in the order of paper."""


def rows(around: Around) -> list[Row]:
    """Return the maintenance, calibration and repair of the period as rows of the log, newest first."""
    return [_row(each, around) for each in around.source.in_period(*DONE)][::-1]


def repairs(
    tested: Sequence[Row], around: Around
) -> Iterator[tuple[Found, tuple[str, str] | None]]:
    """Yield every repair with the equipment and test of the rows that it mends; None: it is of no test that is here."""
    for found in around.source.of("unit.repaired"):
        said = formcells.now(found, around)
        yield found, _mends(found, text(said, "equipment").casefold(), tested, around)


def label(found: Found, around: Around) -> str:
    """Return what was mended, in the words of the reader's view."""
    said = formcells.now(found, around)
    if around.names.is_psc and is_ssas(found):
        return "SSAS"
    return around.names.thing(text(said, "equipment").casefold())


def done(found: Found, said: Any) -> Any:
    """Return when it was done: as the form says, else when it was entered."""
    return moments.read(said.get("done_at")) or found.at


def _mends(
    found: Found, equipment: str, tested: Sequence[Row], around: Around
) -> tuple[str, str] | None:
    """Return equipment and test of the newest row that is of the repaired defect's test, or of that equipment."""
    number = text(found.open, "defect").casefold()
    test = next(
        (text(each.opened.open, "test") for each in around.defects.defects if each.id == number), ""
    )
    for row in tested:
        if test and text(row.found.open, "test") == test:
            return row.equipment, test
    for row in tested:
        of = row.found.open
        if equipment in {text(of, "equipment").casefold(), text(of, "name").casefold()}:
            return row.equipment, text(of, "test")
    return None


def _row(found: Found, around: Around) -> Row:
    said, psc = formcells.now(found, around), around.names.is_psc
    by = text(said, "done_by") or found.entry.actor.person or NOTHING
    when = done(found, said)
    work = (f"{name.replace('_', ' ')}: {words}" for name in WORK if (words := text(said, name)))
    number = text(said, "defect")
    return Row(
        seq=found.seq,
        done=when,
        began=None,
        entered=found.at,
        day=None,
        equipment=label(found, around),
        test="",
        how=HOW["manual"],
        where=around.calls.port_at(when) or NOTHING,
        result=DONE[found.entry.type],
        evidence=NOTHING if psc else "; ".join(work) or NOTHING,
        by=around.names.short(around.source.particulars.ranked(by, found.seq)),
        witness="",
        remarks=around.names.defect(number) if number else NOTHING,
        next=NOTHING,
        simulated=said.get("simulated") is True,
        is_ssas=is_ssas(found),
        found=found,
        amendments=around.amendments.get(found.seq, ()),
    )
