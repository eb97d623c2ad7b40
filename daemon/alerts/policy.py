"""Must this door be closed now? By class, situation and security level, from ``config/policy.toml``.

The table holds ``free``, ``shut <minutes>`` and ``closed``. This version acts on ``closed``; a door that may be
used for some minutes counts as free until *held open* is built.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from daemon.errors import ConfigError, Fault
from daemon.model import DoorClass, SecurityLevel, Situation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RULE = re.compile(r"free|closed|mirror|permit|shut \d{1,3}")
LEVELS = 3


class Policy:
    """The door policy of a ship."""

    def __init__(self, table: Mapping[tuple[DoorClass, Situation], tuple[str, ...]]) -> None:
        self._table = table

    def must_be_closed(
        self, door_class: DoorClass, situation: Situation, level: SecurityLevel
    ) -> bool:
        """Return whether every opening of such a door is an alert now."""
        return self._table[door_class, situation][level - 1] == "closed"


def load(path: Path) -> Policy:
    """Read the policy table; it must be complete.

    Raises:
        ConfigError: With every cell that is missing or cannot be read.
    """
    with path.open("rb") as file:
        raw = tomllib.load(file)
    faults: list[Fault] = []
    table: dict[tuple[DoorClass, Situation], tuple[str, ...]] = {}
    for door_class in DoorClass:
        for situation in Situation:
            cell = raw.get(door_class.value, {}).get(situation.value)
            place = f"{door_class.value}.{situation.value}"
            if not isinstance(cell, list) or len(cell) != LEVELS:
                faults.append(Fault(place, f"wants three rules, levels 1 to 3; found {cell!r}"))
            elif wrong := [rule for rule in cell if not RULE.fullmatch(str(rule))]:
                faults.append(Fault(place, f"{wrong[0]!r} is not free, closed or shut <minutes>"))
            else:
                table[door_class, situation] = tuple(cell)
    if faults:
        raise ConfigError(str(path), tuple(faults))
    return Policy(table)
