"""What must each class of door be now? A table: class by situation by security level.

The words of the table are ``free``, ``shut <minutes>``, ``closed``, ``mirror`` and ``permit``; a cell may add what
changes it: ``shut 2, night closed`` or ``closed, free while gangway attended``. A class may have one rule for a threat
area, which then counts whatever the situation.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from daemon.errors import ConfigError, Fault
from daemon.model import DoorClass, Situation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from daemon.model import Regime

LEVELS = 3
WORD = r"free|closed|mirror|permit|shut [1-9]\d{0,2}"
CELL = re.compile(
    rf"(?P<word>{WORD})(?:, night (?P<night>{WORD}))?(?:, (?P<attended>{WORD}) while gangway attended)?"
)
MINUTE_S = 60.0


class Must(StrEnum):
    """What a door must be."""

    FREE = "free"
    SHUT = "shut"
    """It may be used, and held open for some minutes."""
    CLOSED = "closed"
    """Every opening without a permit is an alert. Closed never means locked."""
    MIRROR = "mirror"
    """Its own system watches it: shown here, and nothing more."""
    PERMIT = "permit"
    """As ``MIRROR``; whoever opens it enters a permit."""


@dataclass(frozen=True, slots=True)
class DoorRule:
    """What one door must be now.

    Attributes:
        held_open_s: How long it may be held open, in seconds; None where that is not limited.
    """

    must: Must
    held_open_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Cell:
    rule: DoorRule
    night: DoorRule
    attended: DoorRule | None


class Policy:
    """The door policy of a ship."""

    def __init__(
        self,
        table: Mapping[tuple[DoorClass, Situation], tuple[_Cell, ...]],
        threat: Mapping[DoorClass, DoorRule],
    ) -> None:
        self._table = table
        self._threat = threat

    def rule(self, door_class: DoorClass, regime: Regime) -> DoorRule:
        """Return what a door of that class must be now."""
        if regime.threat and door_class in self._threat:
            return self._threat[door_class]
        cell = self._table[door_class, regime.situation][regime.level - 1]
        if cell.attended is not None and regime.gangway_attended:
            return cell.attended
        return cell.night if regime.night else cell.rule


def load(path: Path) -> Policy:
    """Read the policy table; it must be complete.

    Raises:
        ConfigError: With every cell that is missing or cannot be read.
    """
    with path.open("rb") as file:
        raw = tomllib.load(file)
    faults: list[Fault] = []
    table: dict[tuple[DoorClass, Situation], tuple[_Cell, ...]] = {}
    threat: dict[DoorClass, DoorRule] = {}
    for door_class in DoorClass:
        row = raw.get(door_class.value, {})
        faults += _strangers(door_class, row)
        for situation in Situation:
            place = f"{door_class.value}.{situation.value}"
            cells = row.get(situation.value)
            if not isinstance(cells, list) or len(cells) != LEVELS:
                faults.append(Fault(place, f"wants three rules, levels 1 to 3; found {cells!r}"))
                continue
            read = [_cell(str(cell)) for cell in cells]
            faults += _unreadable(place, cells, read)
            table[door_class, situation] = tuple(cell for cell in read if cell is not None)
        if (said := row.get("threat")) is not None:
            cell = _cell(str(said))
            faults += _unreadable(f"{door_class.value}.threat", [said], [cell])
            if cell is not None:
                threat[door_class] = cell.rule
    if faults:
        raise ConfigError(str(path), tuple(faults))
    return Policy(table, threat)


def _strangers(door_class: DoorClass, row: Mapping[str, Any]) -> Iterator[Fault]:
    known = {*(situation.value for situation in Situation), "threat"}
    for name in row.keys() - known:
        yield Fault(f"{door_class.value}.{name}", "is no situation")


def _unreadable(place: str, cells: list[Any], read: list[_Cell | None]) -> Iterator[Fault]:
    for cell, found in zip(cells, read, strict=True):
        if found is None:
            yield Fault(place, f"{cell!r} is not free, shut <minutes>, closed, mirror or permit")


def _cell(text: str) -> _Cell | None:
    """Read one cell; None where it cannot be read."""
    read = CELL.fullmatch(text)
    if read is None:
        return None
    rule = _rule(read["word"])
    return _Cell(
        rule,
        night=_rule(read["night"]) if read["night"] else rule,
        attended=_rule(read["attended"]) if read["attended"] else None,
    )


def _rule(word: str) -> DoorRule:
    name, _, minutes = word.partition(" ")
    return DoorRule(Must(name), float(minutes) * MINUTE_S if minutes else None)
