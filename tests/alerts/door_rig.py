"""One opening with its rule, over real points: what its contact says goes in, what the rule says comes out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from daemon.alerts import policy
from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.openings import OpeningRule
from daemon.assets import asset
from daemon.model import (
    ContactState,
    DoorClass,
    Opening,
    OpeningKind,
    Permit,
    Quality,
    Regime,
    SecurityLevel,
    Situation,
)
from daemon.points.points import Points
from tests.makers import UTC_0210, reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.alerts.policy import Policy

POLICY = policy.load(asset("policy.toml"))
CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
PORT_1 = Regime(Situation.PORT, SecurityLevel.ONE)
LOCK = "d05.lock"
VALID_S = 1e9


def door(letter: str = "E", *, kind: OpeningKind = OpeningKind.DOOR) -> Opening:
    """Return an opening of a kind; a door is of this class."""
    door_class = DoorClass(letter) if kind is OpeningKind.DOOR else None
    return Opening("d05", "UPPER DK STBD", kind, "sea side", door_class, "io1")


class DoorRig:
    """An opening that began to be watched at 0 s."""

    def __init__(
        self,
        opening: Opening | None = None,
        *,
        of: Regime = PORT_1,
        locked: bool | None = None,
        holds: Callable[[str, str], bool] = lambda _key, _source: False,
        table: Policy = POLICY,
    ) -> None:
        self.opening = opening or door()
        self.regime = of
        self.permits: dict[str, Permit] = {}
        self.now_s = 0.0
        self.points = Points({"d05": VALID_S, LOCK: VALID_S}, started_s=0.0)
        self.rule = OpeningRule(
            self.opening,
            bus="rtu1",
            lock=None if locked is None else LOCK,
            policy=table,
            holds=holds,
        )
        self.details: dict[str, str] = {}
        if locked is not None:
            self.lock(CLOSED if locked else OPEN)

    def sees(self, state: ContactState | None, *, at_s: float | None = None) -> set[str]:
        """Let the contact say something; return the keys that hold then."""
        return self._take("d05", state, at_s)

    def lock(self, state: ContactState | None, *, at_s: float | None = None) -> set[str]:
        """Let the lock's contact say something; closed means locked."""
        return self._take(LOCK, state, at_s)

    def holds(self, *, at_s: float | None = None) -> set[str]:
        """Return the keys of which the rule says that they hold."""
        return {key for key, active in self.says(at_s=at_s).items() if active}

    def says(self, *, at_s: float | None = None) -> dict[str, bool]:
        """Return everything that the rule says; what it does not speak of is not there."""
        self.now_s = self.now_s if at_s is None else at_s
        moment = Moment(
            self.now_s, UTC_0210 + timedelta(seconds=self.now_s), self.regime, self.permits
        )
        said = list(self.rule.look(moment))
        assert len({s.key for s in said}) == len(said), "each condition is said once"
        assert {(s.source.id, s.source.device, s.source.bus) for s in said} <= {
            ("d05", "io1", "rtu1")
        }
        self.details |= {s.key: s.detail for s in said}
        return {s.key: s.active for s in said}

    def permit(self, *, minutes: float, person: str = "R. dela Cruz") -> None:
        """Permit the door from now on."""
        ends_s = self.now_s + minutes * 60.0
        ends_utc = UTC_0210 + timedelta(seconds=ends_s)
        self.permits["d05"] = Permit("d05", person, "paint", ends_utc, ends_s, "J. Santos")

    def _take(self, point: str, state: ContactState | None, at_s: float | None) -> set[str]:
        self.now_s = self.now_s if at_s is None else at_s
        said = reading(
            point,
            state,
            at_s=self.now_s,
            quality=Quality.UNKNOWN if state is None else Quality.GOOD,
        )
        self.rule.take(said, self.points.update(said))
        return self.holds()
