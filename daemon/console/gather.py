"""How does everything stand at this moment? Plain JSON for ``ispsd status``, from the daemon's own parts.

Every age is reckoned from seconds since boot (invariants 8 and 13). What a screen on the bridge may not show, SSAS
above all, is left out unless the SSO asks for it (invariant 14); what was left out leaves no trace in the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.alerts.rules.gnss import SOURCE as GNSS
from daemon.alerts.rules.gnss import SUSPECT
from daemon.console import ordering
from daemon.model import AlertState, Classification, Json, Priority, Regime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timezone

    from daemon.alerts.alert import Alert
    from daemon.alerts.engine import Engine
    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.model import InterferenceArea, Opening, Permit
    from daemon.points.points import Points
    from daemon.points.proving import Proving
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Entry
    from daemon.record.log import Record
    from daemon.ship.state import ShipState
    from daemon.stations.stations import Stations, StationStatus
    from daemon.supervision.supervise import Supervisor
    from daemon.testing.readiness import Test, Tests

PRIORITY_ORDER: Final = tuple(Priority)
"""Alarm, warning, caution (MSC.302(87) 6.2)."""
STATE_ORDER: Final = (
    AlertState.ACTIVE_UNACKNOWLEDGED,
    AlertState.ACTIVE_SILENCED,
    AlertState.RECTIFIED_UNACKNOWLEDGED,
    AlertState.RESPONSIBILITY_TRANSFERRED,
    AlertState.ACTIVE_ACKNOWLEDGED,
    AlertState.NORMAL,
)
"""Within a priority: what nobody has acknowledged comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a running daemon that a status is gathered from.

    Attributes:
        regime: What the ship is doing now.
        ship_time: The ship's offset from UTC now.
        permits: The permits to open now, by door.
        connected: Whether the broker is reached now.
        broker_reason: Why it is not.
        odd: What speaks against the ship's position now, one indication alone too.
        interference: The known interference area that she is in.
        sounds_at: Where an alert sounds now.
        panel: The port of the central alert panel, as a device's link is shown; None where the ship has none.
        exporters: Whoever tells other systems, shown in the same way.
        ordered: What people have ordered that ends by itself.
    """

    config: Config
    clock: Clock
    engine: Engine
    points: Points
    proving: Proving
    stations: Stations
    supervisors: Sequence[Supervisor]
    tests: Tests
    record: Record
    regime: Callable[[], Regime]
    ship_time: Callable[[], timezone]
    permits: Callable[[], Mapping[str, Permit]]
    connected: Callable[[], bool]
    broker_reason: Callable[[], str | None] = lambda: None
    odd: Callable[[], tuple[str, ...]] = tuple
    interference: Callable[[], InterferenceArea | None] = lambda: None
    sounds_at: Callable[[Alert], Sequence[str]] = lambda _: ()
    panel: Callable[[], Json] = lambda: None
    exporters: Callable[[], Sequence[Json]] = tuple
    ordered: ShipState | None = None


class Status:
    """Answers the request ``status``. Made before the record is opened: it learns of each entry and each head."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._newest: int | None = None
        self._head: Checkpoint | None = None
        parts.record.on_commit(self._committed)
        parts.record.on_seal(self._sealed)

    def gather(self, *, sso: bool) -> dict[str, Json]:
        """Return how everything stands; never waits for disk, broker or device."""
        parts = self._parts
        now_s = parts.clock.now_s()
        offset = parts.ship_time().utcoffset(None)
        regime = parts.regime()
        return {
            "up": forms.milliseconds(now_s),
            "utc": forms.utc(parts.clock.utc()),
            "clock": parts.clock.status().value,
            "ship_time_offset_min": int(offset.total_seconds() // 60),
            "ship": parts.config.ship.name,
            "imo_number": parts.config.ship.imo_number,
            "simulated": parts.config.is_demo,
            "situation": regime.situation.value,
            "security_level": int(regime.level),
            "threat": regime.threat,
            "position": self._position(),
            "broker": parts.connected(),
            "broker_reason": parts.broker_reason(),
            "sso": sso,
            "ordered": None
            if parts.ordered is None
            else ordering.ordered(parts.ordered, now_s=now_s, sso=sso),
            "stations": self._stations(now_s),
            "alerts": [
                _alert(alert, now_s, parts.sounds_at(alert))
                for alert in in_order(parts.engine.alerts())
                if sso or alert.show is Classification.WATCH
            ],
            "openings": [self._opening(opening, now_s) for opening in parts.config.openings],
            "devices": [
                _device(supervisor, now_s)
                for supervisor in parts.supervisors
                if not supervisor.spec.covert
            ]
            + [panel for panel in (parts.panel(),) if panel is not None]
            + [*parts.exporters()],
            "tests": [
                self._test(test)
                for test in parts.tests.tests.values()
                if sso or test.classification is Classification.WATCH
            ],
            "record": self._record(now_s),
        }

    def _position(self) -> Json:
        """Return what speaks against the position, and whether that is enough to doubt it."""
        area = self._parts.interference()
        return {
            "suspect": self._parts.engine.holds(SUSPECT, GNSS),
            "indications": list(self._parts.odd()),
            "interference_area": None if area is None else area.name,
        }

    def _stations(self, now_s: float) -> list[Json]:
        called = (self._parts.sounds_at(alert) for alert in self._parts.engine.alerts())
        sounding = {*self._parts.stations.sounding()}.union(*called)
        return [
            _station(status, now_s, sounds=status.id in sounding)
            for status in self._parts.stations.status()
        ]

    def _opening(self, opening: Opening, now_s: float) -> Json:
        points, proving = self._parts.points, self._parts.proving
        reading = points.newest(opening.id)
        if reading is not None:
            reading = proving.shown(reading)
        return {
            "id": opening.id,
            "name": opening.name,
            "kind": opening.kind.value,
            "state": None if reading is None or reading.value is None else str(reading.value),
            "quality": "unknown" if reading is None else reading.quality.value,
            "proved": proving.is_proved(opening.id),
            "age_s": _age_s(points.seen_s(opening.id), now_s),
            "valid_for_s": points.valid_for_s(opening.id) if opening.id in points.ids() else None,
            "permit": _permit(self._parts.permits().get(opening.id), now_s),
        }

    def _test(self, test: Test) -> Json:
        tests = self._parts.tests
        due = tests.next_due_utc(test)
        return {
            "id": test.config.id,
            "name": test.config.name,
            "readiness": tests.readiness(test),
            "outcome": None if test.last is None else test.last.outcome.value,
            "due": None if due is None else forms.utc(due),
        }

    def _record(self, now_s: float) -> Json:
        health, head = self._parts.record.health(), self._head
        return {
            "newest": self._newest,
            "sealed": None if head is None else head.size,
            "origin": None if head is None else head.origin,
            "head": None if head is None else head.root.hex()[:20],
            "pending": health.pending,
            "pending_age_s": _age_s(health.oldest_pending_s, now_s),
            "writable": health.writable,
            "lost": health.lost,
            "reason": health.reason,
        }

    def _committed(self, entry: Entry) -> None:
        self._newest = entry.seq

    def _sealed(self, head: Checkpoint) -> None:
        self._head = head


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Return alerts as an alert list shows them: by priority, then what nobody acknowledged, then the newest."""
    return sorted(
        alerts,
        key=lambda alert: (
            PRIORITY_ORDER.index(alert.priority),
            STATE_ORDER.index(alert.state),
            -alert.changed_s,
        ),
    )


def _alert(alert: Alert, now_s: float, sounds_at: Sequence[str]) -> Json:
    return {
        "id": alert.id,
        "priority": alert.priority.value,
        "state": alert.state.value,
        "age_s": _age_s(alert.changed_s, now_s),
        "title": alert.title,
        "name": alert.source.name,
        "sounds_at": list(sounds_at),
        "action": alert.action,
        "detail": alert.detail,
    }


def _permit(permit: Permit | None, now_s: float) -> Json:
    if permit is None:
        return None
    left_s = forms.milliseconds(permit.ends_s - now_s)
    return {"person": permit.person, "work": permit.work, "left_s": left_s}


def _station(status: StationStatus, now_s: float, *, sounds: bool) -> Json:
    return {
        "id": status.id,
        "person": status.person,
        "watch_age_s": _age_s(status.since_s, now_s),
        "live": status.live(now_s),
        "sound_armed": status.sound_armed(now_s),
        "lacks": [lack.value for lack in status.lacks(now_s)],
        "heard": None if status.heard is None else forms.utc(status.heard.at_utc),
        "heard_by": None if status.heard is None else status.heard.person,
        "sounder": status.sounder.value,
        "alive_age_s": _age_s(status.last_alive_s, now_s),
        "sounds": sounds,
    }


def _device(supervisor: Supervisor, now_s: float) -> Json:
    status, health = supervisor.status, supervisor.health
    return {
        "id": status.device,
        "link": status.link.value,
        "age_s": _age_s(status.since_s, now_s),
        "last_good_age_s": _age_s(health.last_good_s, now_s),
        "good": health.good,
        "dropped": sum(health.dropped.values()),
        "noticed": dict(health.noticed),
        "reason": status.reason or health.remark,
    }


def _age_s(since_s: float | None, now_s: float) -> float | None:
    return None if since_s is None else forms.milliseconds(max(0.0, now_s - since_s))
