"""Which alerts stand now? Conditions go in with their delays, the state table moves the alerts, changes come out.

No I/O and no clock: every call is told the time. ``next_due_s`` says when the engine wants to be called again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from daemon.alerts import lifecycle
from daemon.alerts.alert import Acknowledgement, Alert, AlertChange, Noted, Source
from daemon.alerts.catalogue import LOG, LOUDNESS
from daemon.alerts.lifecycle import Event
from daemon.errors import RefusedError
from daemon.model import AlertState, Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from daemon.alerts.catalogue import AlertKind
    from daemon.model import Regime

LAST_INSTANCE = 999_999
LOOK_AGAIN_S = 1.0
"""How often a condition that something else explains is looked at again."""
NOTE_AGAIN_S = 1800.0
"""A condition that is only written down is written at most so often, however it comes and goes."""


@dataclass(slots=True)
class _Condition:
    """What a rule says of one (key, source), and what stands after the delays."""

    source: Source
    wanted: bool = False
    standing: bool = False
    due_s: float | None = None
    detail: str = ""
    acknowledged: tuple[Priority, Acknowledgement | None] | None = None
    """At which priority it was acknowledged since it began to stand, and by whom."""
    is_noted: bool = False
    noted_s: float | None = None
    at_most: Priority | None = None
    """Told no louder than this, as its rule says; None: as the catalogue has it."""
    is_recapped: bool = False
    """That has just changed."""

    def capped(self, priority: Priority | None) -> Priority | None:
        """Return the priority of the catalogue, or what the rule caps it to."""
        if priority is None or self.at_most is None:
            return priority
        return min(priority, self.at_most, key=LOUDNESS.index)

    def covered(self, priority: Priority) -> bool:
        """Return whether somebody acknowledged it at this priority or a higher one."""
        return (
            self.acknowledged is not None
            and priority is not Priority.CAUTION
            and LOUDNESS.index(priority) <= LOUDNESS.index(self.acknowledged[0])
        )

    def end(self) -> None:
        """Forget who knew of it: when it holds again, that is news."""
        self.acknowledged, self.is_noted = None, False


@dataclass(slots=True)
class _Timers:
    silence_ends_s: float | None = None
    repeat_s: float | None = None


@dataclass(slots=True)
class Engine:
    """Every condition and every open alert of the ship."""

    catalogue: Mapping[str, AlertKind]
    regime: Regime
    last_instance: int = 0
    _conditions: dict[tuple[str, str], _Condition] = field(default_factory=dict)
    _alerts: dict[str, Alert] = field(default_factory=dict)
    _timers: dict[str, _Timers] = field(default_factory=dict)

    def restore(self, alerts: Iterable[Alert], *, now_s: float) -> None:
        """Take up the alerts that were open when the daemon last stopped; nothing sounds for it.

        An alert that was silenced then counts as silenced now; its 30 s begin again.
        """
        for alert in alerts:
            self._alerts[alert.id] = alert
            self.last_instance = max(self.last_instance, alert.instance)
            standing = alert.state is not AlertState.RECTIFIED_UNACKNOWLEDGED
            condition = _Condition(
                alert.source, wanted=standing, standing=standing, detail=alert.detail
            )
            if _is_acknowledged(alert):
                condition.acknowledged = alert.priority, alert.acknowledged_by
            # What was told quietly goes on so until its rule speaks again.
            quiet = alert.priority is Priority.CAUTION and alert.key in self.catalogue
            if quiet and self.catalogue[alert.key].priority(self.regime) is not Priority.CAUTION:
                condition.at_most = Priority.CAUTION
            self._conditions[alert.key, alert.source.id] = condition
            self._timers[alert.id] = self._fresh_timers(alert, now_s)

    def condition(
        self,
        key: str,
        source: Source,
        *,
        active: bool,
        now_s: float,
        detail: str = "",
        at_most: Priority | None = None,
    ) -> None:
        """Say whether a condition holds; it takes effect in ``advance`` after the catalogue's delay.

        Raises:
            KeyError: The catalogue has no such key.
        """
        kind = self.catalogue[key]
        condition = self._conditions.setdefault((key, source.id), _Condition(source))
        condition.source = source  # a restored one knows no bus
        if active:
            condition.detail = detail  # what is said when it is raised is what holds then
            condition.is_recapped |= condition.at_most is not at_most
            condition.at_most = at_most
        if condition.wanted is active:
            return
        condition.wanted = active
        if not active and not condition.standing:
            condition.end()
        if active is condition.standing:
            condition.due_s = None
        elif active:
            condition.due_s = now_s + kind.on_delay_s
        elif not kind.latch:
            condition.due_s = now_s + kind.off_delay_s

    def release(self, alert_id: str, *, now_s: float) -> None:
        """Let a latched alert go: the named act was done.

        Raises:
            RefusedError: No such latched alert, or its condition still holds.
        """
        alert = self._alerts.get(alert_id)
        if alert is None or not self.catalogue[alert.key].latch:
            raise RefusedError(f"there is no latched alert {alert_id!r}")
        condition = self._conditions[alert.key, alert.source.id]
        if condition.wanted:
            raise RefusedError(f"{alert.source.name} is not intact yet")
        condition.due_s = now_s

    def become(self, regime: Regime, *, now_s: float, now_utc: datetime) -> list[AlertChange]:
        """Take another regime: open alerts get the priority that they have now, or end where they have none.

        A higher priority than was acknowledged is news and sounds; a lower one never does.
        """
        self.regime = regime
        changes: list[AlertChange] = []
        for alert in list(self._alerts.values()):
            known = self._conditions[alert.key, alert.source.id]
            priority = known.capped(self.catalogue[alert.key].priority(regime))
            if priority is alert.priority or alert.state is AlertState.RECTIFIED_UNACKNOWLEDGED:
                continue
            if priority is not None:
                changes.append(self._reprioritise(alert, priority, now_s, now_utc))
            elif not self.catalogue[alert.key].latch:
                condition = self._conditions[alert.key, alert.source.id]
                condition.standing = False
                condition.due_s = now_s + LOOK_AGAIN_S if condition.wanted else None
                changes += self._move(alert.id, Event.CONDITION_FALSE, now_s, now_utc)
        return changes

    def advance(self, *, now_s: float, now_utc: datetime) -> list[AlertChange | Noted]:
        """Apply everything that has fallen due; return what changed, in order."""
        changes: list[AlertChange | Noted] = []
        for (key, _), condition in list(self._conditions.items()):
            if condition.due_s is not None and condition.due_s <= now_s:
                changes += self._settle(key, condition, now_s, now_utc)
            elif condition.is_recapped:
                changes += self._recap(key, condition, now_s, now_utc)
        for alert_id, timers in list(self._timers.items()):
            if timers.silence_ends_s is not None and timers.silence_ends_s <= now_s:
                changes += self._move(alert_id, Event.SILENCE_ENDED, now_s, now_utc)
            elif timers.repeat_s is not None and timers.repeat_s <= now_s:
                changes += self._move(alert_id, Event.REPEAT, now_s, now_utc)
        return changes

    def next_due_s(self) -> float | None:
        """Return when ``advance`` has something to do; None for never."""
        dues = [c.due_s for c in self._conditions.values() if c.due_s is not None]
        for timers in self._timers.values():
            dues += [t for t in (timers.silence_ends_s, timers.repeat_s) if t is not None]
        return min(dues, default=None)

    def acknowledge(
        self, alert_id: str, instance: int, by: Acknowledgement, *, now_s: float, now_utc: datetime
    ) -> AlertChange | None:
        """Acknowledge one alert; return None where somebody already did.

        Raises:
            RefusedError: No such alert now, another instance of it, or a caution.
        """
        alert = self._alerts.get(alert_id)
        if alert is None:
            raise RefusedError("no such alert now: it is normal")
        if alert.instance != instance:
            raise RefusedError(f"stale: alert is at instance {alert.instance} now, not {instance}")
        if alert.priority is Priority.CAUTION:
            raise RefusedError("a caution is not acknowledged")
        if alert.state is AlertState.ACTIVE_ACKNOWLEDGED:
            return None
        moved = self._move(alert_id, Event.ACKNOWLEDGE, now_s, now_utc, by)
        if not moved:
            raise RefusedError(f"cannot be acknowledged while {alert.state.name.lower()}")
        if _is_acknowledged(moved[0].alert):
            self._conditions[alert.key, alert.source.id].acknowledged = alert.priority, by
        return moved[0]

    def silence(self, by: Acknowledgement, *, now_s: float, now_utc: datetime) -> list[AlertChange]:
        """Silence every sounding alert for 30 s; one that is raised later sounds."""
        changes: list[AlertChange] = []
        for alert in list(self._alerts.values()):
            if alert.sounding:
                changes += self._move(alert.id, Event.SILENCE, now_s, now_utc, by)
        return changes

    def alerts(self) -> list[Alert]:
        """Return every open alert."""
        return list(self._alerts.values())

    def find(self, key: str, source: str) -> Alert | None:
        """Return the open alert of a key and source."""
        return self._alerts.get(alert_id(key, source))

    def holds(self, key: str, source: str) -> bool:
        """Return whether a condition is wanted or stands."""
        condition = self._conditions.get((key, source))
        return condition is not None and (condition.wanted or condition.standing)

    def _settle(
        self, key: str, condition: _Condition, now_s: float, now_utc: datetime
    ) -> Iterable[AlertChange | Noted]:
        source, kind = condition.source, self.catalogue[key]
        identifier = alert_id(key, source.id)
        if not condition.wanted or condition.standing:
            condition.due_s, condition.standing = None, False
            condition.end()
            return self._move(identifier, Event.CONDITION_FALSE, now_s, now_utc)
        if self._explained(kind, source):
            condition.due_s = now_s + LOOK_AGAIN_S
            return ()
        priority = condition.capped(kind.priority(self.regime))
        condition.is_recapped = False
        if priority is None:
            condition.due_s = now_s + LOOK_AGAIN_S
            return self._noted(key, condition, now_s) if kind.letter(self.regime) == LOG else ()
        condition.due_s, condition.standing = None, True
        alert = self._alerts.get(identifier)
        if alert is None:
            alert = self._new(key, source, priority, now_s, now_utc)
        elif priority is Priority.CAUTION:
            alert = replace(
                alert, state=AlertState.NORMAL
            )  # a caution is never rectified: active or normal
        self._alerts[identifier] = replace(alert, priority=priority, detail=condition.detail)
        if condition.covered(priority):
            return [self._reprioritise(self._alerts[identifier], priority, now_s, now_utc)]
        return self._move(identifier, Event.CONDITION_TRUE, now_s, now_utc)

    def _recap(
        self, key: str, condition: _Condition, now_s: float, now_utc: datetime
    ) -> list[AlertChange]:
        """Give an open alert the priority that its rule allows now; louder than it was is news."""
        condition.is_recapped = False
        alert = self._alerts.get(alert_id(key, condition.source.id))
        priority = condition.capped(self.catalogue[key].priority(self.regime))
        if alert is None or not condition.standing or priority in {None, alert.priority}:
            return []
        assert priority is not None  # noqa: S101 (for the type checker)
        return [self._reprioritise(alert, priority, now_s, now_utc)]

    def _new(
        self, key: str, source: Source, priority: Priority, now_s: float, now_utc: datetime
    ) -> Alert:
        """Return an alert that is still normal, under a number that was never used."""
        kind = self.catalogue[key]
        self.last_instance = self.last_instance % LAST_INSTANCE + 1
        return Alert(
            id=alert_id(key, source.id),
            key=key,
            instance=self.last_instance,
            number=kind.number,
            title=kind.title,
            source=source,
            priority=priority,
            state=AlertState.NORMAL,
            raised_utc=now_utc,
            changed_utc=now_utc,
            changed_s=now_s,
            action=kind.action,
            show=kind.show,
            revision=0,
        )

    def _noted(self, key: str, condition: _Condition, now_s: float) -> Iterable[Noted]:
        """Return what is to be written down: once, however often it is looked at."""
        if condition.is_noted:
            return
        if condition.noted_s is None or now_s - condition.noted_s >= NOTE_AGAIN_S:
            condition.is_noted, condition.noted_s = True, now_s
            kind = self.catalogue[key]
            yield Noted(key, kind.title, condition.source, condition.detail, kind.show)

    def _reprioritise(
        self, alert: Alert, priority: Priority, now_s: float, now_utc: datetime
    ) -> AlertChange:
        condition = self._conditions[alert.key, alert.source.id]
        by = condition.acknowledged[1] if condition.acknowledged is not None else None
        state = alert.state
        if priority is Priority.CAUTION or condition.covered(priority):
            state = AlertState.ACTIVE_ACKNOWLEDGED  # of a caution: active
        elif LOUDNESS.index(priority) > LOUDNESS.index(alert.priority):
            state = AlertState.ACTIVE_UNACKNOWLEDGED
        moved = replace(
            alert,
            priority=priority,
            state=state,
            changed_utc=now_utc,
            changed_s=now_s,
            acknowledged_by=by if state is AlertState.ACTIVE_ACKNOWLEDGED else None,
            revision=lifecycle.next_revision(alert.revision),
        )
        self._alerts[alert.id] = moved
        self._timers[alert.id] = self._fresh_timers(moved, now_s)
        return AlertChange(moved, Event.REPRIORITISE, lifecycle.REPRIORITISED_ROW)

    def _explained(self, kind: AlertKind, source: Source) -> bool:
        return any(
            other.standing or other.wanted
            for (key, _), other in self._conditions.items()
            if key in kind.depends_on and other.source.device in {source.device, source.bus}
        )

    def _move(
        self,
        identifier: str,
        event: Event,
        now_s: float,
        now_utc: datetime,
        by: Acknowledgement | None = None,
    ) -> list[AlertChange]:
        alert = self._alerts.get(identifier)
        row = lifecycle.step(alert.state, alert.priority, event) if alert is not None else None
        if alert is None or row is None:
            return []
        moved = replace(
            alert,
            state=row.to,
            priority=Priority.ALARM if row.promotes else alert.priority,
            changed_utc=now_utc,
            changed_s=now_s,
            acknowledged_by=by if event is Event.ACKNOWLEDGE else alert.acknowledged_by,
            revision=lifecycle.next_revision(alert.revision),
            escalation=lifecycle.next_escalation(alert.escalation)
            if row.escalates
            else alert.escalation,
        )
        if event is Event.CONDITION_TRUE:
            # Raised again after it was rectified: the old acknowledgement does not cover this.
            moved = replace(moved, acknowledged_by=None)
        if row.to is AlertState.NORMAL:
            del self._alerts[identifier]
            self._timers.pop(identifier, None)
        else:
            self._alerts[identifier] = moved
            self._timers[identifier] = self._fresh_timers(moved, now_s)
        return [AlertChange(moved, event, row.number, by)]

    @staticmethod
    def _fresh_timers(alert: Alert, now_s: float) -> _Timers:
        if alert.state is AlertState.ACTIVE_SILENCED:
            return _Timers(silence_ends_s=now_s + lifecycle.SILENCE_S)
        if alert.sounding and alert.priority is Priority.WARNING:
            return _Timers(repeat_s=now_s + lifecycle.REPEAT_AFTER_S)
        return _Timers()


def alert_id(key: str, source: str) -> str:
    """Return the id of the alert of a key and source, as it stands in topics."""
    return f"{key}.{source}"


def _is_acknowledged(alert: Alert) -> bool:
    """Return whether somebody acknowledged it; an active caution has the same letter, and nobody did."""
    return alert.state is AlertState.ACTIVE_ACKNOWLEDGED and alert.priority is not Priority.CAUTION
