"""What is the ship doing, how careful must she be, and what may stand open? Set by people, never derived.

One object holds it; the acts write it, everything else reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

from daemon.model import Permit, Regime, SecurityLevel, Situation

if TYPE_CHECKING:
    from datetime import datetime

NIGHT_FROM_HOUR = 22
NIGHT_TO_HOUR = 6
"""2200 to 0600 ship's time."""


@dataclass(slots=True)
class ShipState:
    """The state of the ship that people set.

    Attributes:
        threat: The overlay of a threat area.
        ship_time: Ship's time as an offset from UTC.
        permits: Permits to open by door; one that has ended stays until its door is closed.
        ais_off_by: Who ordered AIS off; None where it is on.
    """

    situation: Situation
    level: SecurityLevel
    ship_time: timezone
    threat: bool = False
    permits: dict[str, Permit] = field(default_factory=dict)
    ais_off_by: str | None = None

    def regime(self, now_utc: datetime, *, gangway_attended: bool) -> Regime:
        """Return what policy and priorities hang on now."""
        hour = now_utc.astimezone(self.ship_time).hour
        return Regime(
            self.situation,
            self.level,
            threat=self.threat,
            night=hour >= NIGHT_FROM_HOUR or hour < NIGHT_TO_HOUR,
            gangway_attended=gangway_attended,
        )


def ship_time(offset_min: int) -> timezone:
    """Return ship's time for an offset from UTC in minutes."""
    return timezone(timedelta(minutes=offset_min))
