"""What stands in the way of a test now, by its plan: a real alert of its equipment, a blackout, level 3, a threat area?

Nothing here looks at SSAS: a real security alert holds nothing back, since nothing on board knows of one (invariant 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.checks.asking import Hindrance
from daemon.model import Classification, SecurityLevel

if TYPE_CHECKING:
    from daemon.alerts.engine import Engine
    from daemon.computer.clock import Clock
    from daemon.ship.state import ShipState
    from daemon.testing.standing import Test


class Hindrances:
    """Looks at the ship."""

    def __init__(self, engine: Engine, ship: ShipState, clock: Clock) -> None:
        self._engine = engine
        self._ship = ship
        self._clock = clock

    def of(self, test: Test, item: str | None, hindrance: Hindrance) -> str | None:
        """Return why a test, or one item of it, has to wait; None: it need not for this."""
        match hindrance:
            case Hindrance.ALERT:
                return self._alert(test, item)
            case Hindrance.BLACKOUT:
                return self._blackout()
            case Hindrance.LEVEL_3:
                is_highest = self._ship.level is SecurityLevel.THREE
                return "the ship is at security level 3" if is_highest else None
            case Hindrance.THREAT:
                return "the ship is in a threat area" if self._ship.threat else None

    def _alert(self, test: Test, item: str | None) -> str | None:
        about = test.concerns if item is None else frozenset({item})
        for alert in self._engine.alerts():
            if alert.show is Classification.WATCH and alert.source.id in about:
                return f"an alert stands: {alert.title}, {alert.source.name}"
        return None

    def _blackout(self) -> str | None:
        blackout, now_s = self._ship.blackout, self._clock.now_s()
        if blackout is None or not (blackout.runs(now_s) or blackout.settles(now_s)):
            return None
        return f"a blackout is planned until {blackout.ends_utc:%H%M} UTC"
