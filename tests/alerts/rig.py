"""An engine over the real catalogue, and the regimes that tests name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.alerts import catalogue
from daemon.alerts.alert import Acknowledgement, AlertChange, Noted, Source
from daemon.alerts.engine import Engine
from daemon.assets import asset
from daemon.model import Regime, SecurityLevel, Situation
from tests.makers import UTC_0210

if TYPE_CHECKING:
    from daemon.alerts.alert import Alert

KINDS = catalogue.load(asset("alerts.toml"))
HATCH = Source("d12", "STRG GEAR ESC", "io1")
UNIT = Source("io1", "IO1", "io1")
BY = Acknowledgement("gangway", "L. Tupou")
PANEL = Acknowledgement("cam", None)


def regime(situation: Situation = Situation.PORT, level: int = 1, **how: Any) -> Regime:
    """Return a regime; in port at level 1 unless said."""
    return Regime(situation, SecurityLevel(level), **how)


def engine(of: Regime | None = None, **how: Any) -> Engine:
    return Engine(KINDS, of or regime(), **how)


def advance(alerts: Engine, now_s: float) -> list[tuple[str, str]]:
    """Advance; return the alerts that changed, with the letter of their new state."""
    changes = alerts.advance(now_s=now_s, now_utc=UTC_0210)
    return [(c.alert.id, c.alert.state.value) for c in changes if isinstance(c, AlertChange)]


def noted(alerts: Engine, now_s: float) -> list[str]:
    """Advance; return the keys that are to be written down only."""
    changes = alerts.advance(now_s=now_s, now_utc=UTC_0210)
    return [c.key for c in changes if isinstance(c, Noted)]


def become(alerts: Engine, of: Regime, now_s: float) -> list[tuple[str, str]]:
    """Take another regime; return the alerts that changed, with priority and state."""
    changes = alerts.become(of, now_s=now_s, now_utc=UTC_0210)
    return [(c.alert.id, c.alert.priority.value + c.alert.state.value) for c in changes]


def acknowledge(alerts: Engine, alert: Alert, now_s: float) -> None:
    """Acknowledge an alert as the gangway does."""
    alerts.acknowledge(alert.id, alert.instance, BY, now_s=now_s, now_utc=UTC_0210)


def raised(key: str = "door.escape.open", *, of: Regime | None = None, **how: Any) -> Engine:
    """Return an engine in which the hatch's alert of this key was raised at 10 s, after its delay."""
    alerts = engine(of, **how)
    alerts.condition(key, HATCH, active=True, now_s=0.0)
    advance(alerts, max(10.0, KINDS[key].on_delay_s))
    return alerts


def the(alerts: Engine, key: str = "door.escape.open", source: str = "d12") -> Alert:
    """Return the open alert of a key."""
    alert = alerts.find(key, source)
    assert alert is not None, f"{key} is not open"
    return alert
