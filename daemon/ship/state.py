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

    from daemon.model import InterferenceArea
    from daemon.ship.ordered import (
        Blackout,
        Inhibit,
        LevelCommand,
        OutOfService,
        Proposal,
        VisitorView,
    )

NIGHT_FROM_HOUR = 22
NIGHT_TO_HOUR = 6
"""2200 to 0600 ship's time."""


MOST_AIS_ORDERS = 20
"""Orders that are remembered; the record has them all."""


@dataclass(slots=True)
class AisOrders:
    """When AIS was off by order, for what the unit itself says of when it was off.

    Attributes:
        known_since_utc: Of what was before nothing is known.
        times: From when to when, the oldest first; None for an order that stands.
    """

    known_since_utc: datetime | None = None
    times: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    def take(self, *, off: bool, at_utc: datetime) -> None:
        """Take an order, or its end."""
        stands = bool(self.times) and self.times[-1][1] is None
        if off and not stands:
            self.times.append((at_utc, None))
        elif not off and stands:
            self.times[-1] = self.times[-1][0], at_utc
        if len(self.times) > MOST_AIS_ORDERS:
            del self.times[0]
            self.known_since_utc = self.times[0][0]


@dataclass(slots=True)
class ShipState:
    """The state of the ship that people set.

    Attributes:
        threat: The overlay of a threat area.
        ais_orders: When AIS was off by order.
        ship_time: Ship's time as an offset from UTC.
        permits: Permits to open by door; one that has ended stays until its door is closed.
        ais_off_by: Who ordered AIS off; None where it is on.
        interference: The known GNSS interference area that she is in.
        port_level: The security level of the port that she is in, as she was told; None: nobody said.
        level_command: How far the newest change of her level is carried out; None: there was none.
        inhibits: Alerts that are inhibited, by their id.
        out_of_service: Equipment and sensors, by their id.
        proposals: What is proposed to be taken out of service, by its id.
        blackout: The planned blackout that runs, settles or is to come.
        curtain: Open screens show a clock, and nothing is told in the open (invariant 14).
        visitor_view: A stranger stands at a screen.
    """

    situation: Situation
    level: SecurityLevel
    ship_time: timezone
    threat: bool = False
    ais_orders: AisOrders = field(default_factory=AisOrders)
    permits: dict[str, Permit] = field(default_factory=dict)
    ais_off_by: str | None = None
    interference: InterferenceArea | None = None
    port_level: SecurityLevel | None = None
    level_command: LevelCommand | None = None
    inhibits: dict[str, Inhibit] = field(default_factory=dict)
    out_of_service: dict[str, OutOfService] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    blackout: Blackout | None = None
    curtain: bool = False
    visitor_view: VisitorView | None = None

    def take_situation(self, situation: Situation) -> None:
        """Take what the ship is doing now; at sea no port's level counts any more."""
        self.situation = situation
        if situation is Situation.SEA:
            self.port_level = None

    def order_ais_off(self, by: str | None, now_utc: datetime) -> None:
        """Take the Master's order that AIS is off, or with None its end."""
        self.ais_off_by = by
        self.ais_orders.take(off=by is not None, at_utc=now_utc)

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
