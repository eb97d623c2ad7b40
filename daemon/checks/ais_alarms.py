"""What does an AIS transponder say of itself through a day: is that heard at all, and how long was it stopped?

A class A unit tells of its alarms by ALR, and by an empty one about once a minute that it has none (IEC 61162-1). A
unit of which no such sentence is heard may have every alarm there is: that nothing was said against it is then no
evidence (a port that puts out VDO alone, a filter on the way).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.checks.coverage import length
from daemon.model import EquipmentReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json, Reading

STOPPING: Final = {1: "Tx malfunction", 2: "antenna VSWR", 6: "general failure"}
"""Alarms of the unit that stop it, or its antenna (IEC 61993-2 table 4), by their ALR number."""
FIRST_WITHIN_S: Final = 90.0
"""A unit that is heard has said in so many seconds that it has none, or what it has."""


@dataclass(slots=True)
class Alarms:
    """What the unit said of its alarms since ``looked_s``."""

    looked_s: float
    standing: frozenset[int] = frozenset()
    """The numbers that stand now."""
    _hears: bool = False
    _heard_s: float = 0.0
    _unheard_s: float = 0.0
    _stopped_s: dict[int, float] = field(default_factory=dict)

    @property
    def is_heard(self) -> bool:
        """Return whether the unit has said anything of its alarms."""
        return self._hears or self._heard_s > 0

    def look(self, reading: Reading | None, now_s: float) -> None:
        """Take what it says now; None where nothing that counts as evidence is seen."""
        self._count(now_s)
        said = None if reading is None else reading.value
        self._hears = isinstance(said, EquipmentReport)
        alerts = said.alerts if isinstance(said, EquipmentReport) else ()
        self.standing = frozenset(alert.number for alert in alerts if alert.active)

    def as_fact(self, now_s: float) -> dict[str, Json]:
        """Return it as the record keeps it."""
        self._count(now_s)
        return {
            "heard_s": round(self._heard_s, 1),
            "unheard_s": round(self._unheard_s, 1),
            "hears": self._hears,
            "stopped_s": {str(number): round(s, 1) for number, s in self._stopped_s.items()},
        }

    def _count(self, now_s: float) -> None:
        """Give the time since the last look to what was seen then."""
        since_s, self.looked_s = now_s - self.looked_s, now_s
        if self._hears:
            self._heard_s += since_s
        else:
            self._unheard_s += since_s
        for number in self.standing & STOPPING.keys():
            self._stopped_s[number] = self._stopped_s.get(number, 0.0) + since_s


def stopped(standing: list[int]) -> str | None:
    """Return what the unit says that stops it; None where it says no such thing."""
    if stops := sorted(set(standing) & STOPPING.keys()):
        return f"the unit itself says {stops[0]:03d} {STOPPING[stops[0]]}"
    return None


def stopped_too_long(fact: Mapping[str, Any], *, share: float) -> str | None:
    """Return what it said for longer in the day than the share that is wanted leaves; None where nothing."""
    day_s = fact["heard_s"] + fact["unheard_s"]
    for number, seconds in sorted(fact["stopped_s"].items()):
        if seconds > (1 - share) * day_s:
            which = int(number)
            return f"the unit said {which:03d} {STOPPING[which]} for {length(seconds)}"
    return None


def unheard(fact: Mapping[str, Any], *, share: float | None) -> str | None:
    """Return that the unit's alarms are not known; ``share`` of the day is wanted, None: they were heard at all."""
    if not fact["hears"] and not fact["heard_s"]:
        return "its own alarms (ALR) were not heard: 001, 002, 006 are not ruled out"
    day_s = fact["heard_s"] + fact["unheard_s"]
    if share is None or fact["unheard_s"] <= FIRST_WITHIN_S:
        return None
    if fact["heard_s"] < share * day_s:
        return f"its own alarms (ALR) were not heard for {length(fact['unheard_s'])}"
    return None
