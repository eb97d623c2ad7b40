"""Which alerts stand now? Conditions go in with their delays, the state table moves the alerts, changes come out.

No I/O and no clock: every call is told the time. ``next_due_s`` says when the engine wants to be called again. What
something else explains, what a person muted and what this regime does not judge stands all the same, and is told when
that ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from daemon.alerts import lifecycle
from daemon.alerts.alert import (
    Acknowledgement,
    Alert,
    AlertChange,
    Noted,
    Now,
    Source,
    alert_id,
)
from daemon.alerts.catalogue import LOG
from daemon.alerts.conditions import Conditions
from daemon.alerts.escalation import DEFAULT, Escalation
from daemon.alerts.lifecycle import Event
from daemon.alerts.openalerts import LAST_INSTANCE, OpenAlerts
from daemon.errors import RefusedError
from daemon.model import AlertState, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from daemon.alerts.catalogue import AlertKind
    from daemon.alerts.conditions import Condition
    from daemon.model import Regime

    Muted: TypeAlias = Callable[[str, Source], bool]

__all__ = ["LAST_INSTANCE", "NOTE_AGAIN_S", "Engine"]

NOTE_AGAIN_S = 1800.0
"""A condition that is only written down is written at most so often, however it comes and goes."""


def never(key: str, source: Source) -> bool:  # noqa: ARG001 (the form of ``muted``)
    """Say that nothing is muted."""
    return False


class Engine:
    """Every condition and every open alert of the ship."""

    def __init__(
        self,
        catalogue: Mapping[str, AlertKind],
        regime: Regime,
        *,
        muted: Muted = never,
        escalation: Escalation = DEFAULT,
        last_instance: int = 0,
    ) -> None:
        """Begin with nothing open.

        Args:
            catalogue: What can be told, by key.
            regime: What the ship does, and how careful she must be.
            muted: Whether a key and source is not to be told now: inhibited, or out of service. Asked when something
                would be told, and of everything by ``reconsider``.
            escalation: What becomes of what nobody acknowledges.
            last_instance: The newest number that an alert was given.
        """
        self.catalogue = catalogue
        self.regime = regime
        self._muted = muted
        self._escalation = escalation
        self._open = OpenAlerts(escalation, last_instance)
        self._open.retime(promotes=escalation.promotes(regime))
        self._conditions = Conditions(catalogue)
        self._muted_at_start: list[Alert] = []

    @property
    def last_instance(self) -> int:
        """Return the newest number that an alert was given."""
        return self._open.last_instance

    @last_instance.setter
    def last_instance(self, instance: int) -> None:
        self._open.last_instance = instance

    def restore(self, alerts: Iterable[Alert], *, now_s: float) -> None:
        """Take up the alerts that were open when the daemon last stopped; nothing sounds for it.

        An alert that was silenced then counts as silenced now; its 30 s begin again. One that is muted by now is not
        opened, and the next ``advance`` tells that it has ended. Where the regime has another priority by now, that is
        applied by the next ``advance`` too.
        """
        for alert in alerts:
            condition = self._conditions.take_up(alert)
            self._open.was_given(alert.instance)
            if self._muted(alert.key, alert.source):
                self._muted_at_start.append(alert)
                if condition.standing:
                    self._conditions.rest(condition)
                continue
            if condition.standing:
                condition.acknowledged = alert.known
            if alert.acknowledged and alert.known is None:  # its entry is of an older version
                condition.acknowledged = alert.priority, alert.acknowledged_by
            by_catalogue = condition.kind.priority(self.regime)
            # What was told quietly goes on so until its rule speaks again.
            if alert.priority is Priority.CAUTION and by_catalogue is not Priority.CAUTION:
                condition.at_most = Priority.CAUTION
            promoted = alert.priority is Priority.ALARM and by_catalogue is Priority.WARNING
            restored = replace(alert, promoted=promoted)
            self._open.take_up(restored, now_s)
            if self._priority(condition, restored) is not alert.priority:
                self._conditions.look_again(condition, now_s)

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
        self._conditions.say(
            key, source, active=active, now_s=now_s, detail=detail, at_most=at_most
        )

    def release(self, alert_id: str, *, now_s: float) -> None:
        """Let a latched alert go, told or not: the named act was done.

        Raises:
            RefusedError: No such latched alert, or its condition still holds.
        """
        self._conditions.release(alert_id, now_s=now_s)

    def become(self, regime: Regime, *, now_s: float, now_utc: datetime) -> list[AlertChange]:
        """Take another regime: open alerts get the priority that they have now, or end where they have none.

        A higher priority than was acknowledged is news and sounds; a lower one never does. What was not told before is
        looked at by the next ``advance``.
        """
        self.regime, now = regime, Now(now_s, now_utc)
        self._open.retime(promotes=self._escalation.promotes(regime))
        for condition in self._conditions.resting():
            self._conditions.look_again(condition, now_s)
        changes: list[AlertChange] = []
        for alert in self.alerts():
            condition = self._conditions.of(alert)
            if self._priority(condition, alert) is not None:
                changes += self._judge_anew(condition, alert, now)
            elif not condition.kind.latch and not alert.rectified:
                changes += self._open.move(alert, Event.CONDITION_FALSE, now)
                self._conditions.rest(condition)
                self._conditions.look_again(condition, now_s)
        return changes

    def reconsider(self, *, now_s: float, now_utc: datetime) -> list[AlertChange]:
        """Ask of everything whether it is muted: what is open and is, ends; what stands and is no more, is raised.

        It is raised as a new instance, without its on-delay, and whoever acknowledged it before it was muted did not
        acknowledge this.
        """
        now = Now(now_s, now_utc)
        changes = self._end_what_was_muted(now)
        for alert in self.alerts():
            condition = self._conditions.of(alert)
            if self._muted(condition.key, condition.source):
                changes.append(self._open.take_away(alert, now))
                condition.acknowledged = None
                if condition.standing:
                    self._conditions.rest(condition)
        for condition in self._conditions.resting():
            if self._priority(condition) is None:
                self._conditions.look_again(condition, now_s)
            elif condition.holds:
                changes += [c for c in self._tell(condition, now) if isinstance(c, AlertChange)]
        return changes

    def advance(self, *, now_s: float, now_utc: datetime) -> list[AlertChange | Noted]:
        """Apply everything that has fallen due; return what changed, in order."""
        now = Now(now_s, now_utc)
        changes: list[AlertChange | Noted] = [*self._end_what_was_muted(now)]
        for condition in self._conditions.take(now_s):
            changes += self._settle(condition, now)
        changes += self._open.advance(now)
        return changes

    def next_due_s(self) -> float | None:
        """Return when ``advance`` has something to do; None for never."""
        dues = (
            self._conditions.next_due_s(),
            self._open.next_due_s(),
            *(alert.changed_s for alert in self._muted_at_start),
        )
        return min((due_s for due_s in dues if due_s is not None), default=None)

    def acknowledge(
        self, alert_id: str, instance: int, by: Acknowledgement, *, now_s: float, now_utc: datetime
    ) -> AlertChange | None:
        """Acknowledge one alert; return None where somebody already did.

        Raises:
            RefusedError: No such alert now, another instance of it, or a caution.
        """
        alert = self._open.named(alert_id, instance)
        if alert.priority is Priority.CAUTION:
            raise RefusedError("a caution is not acknowledged")
        if alert.state is AlertState.ACTIVE_ACKNOWLEDGED:
            return None
        moved = self._open.move(alert, Event.ACKNOWLEDGE, Now(now_s, now_utc), by)
        if not moved:
            raise RefusedError(f"cannot be acknowledged while {_words(alert)}")
        if moved[0].alert.acknowledged:
            self._conditions.of(alert).acknowledged = alert.priority, by
        return moved[0]

    def silence(
        self,
        by: Acknowledgement,
        *,
        alert_id: str | None = None,
        instance: int | None = None,
        now_s: float,
        now_utc: datetime,
    ) -> list[AlertChange]:
        """Silence every sounding alert for 30 s, or one; one that is raised later sounds.

        Raises:
            RefusedError: The one does not sound, or is another instance.
        """
        now = Now(now_s, now_utc)
        if alert_id is None:
            sounding = [alert for alert in self._open if alert.sounding]
            return [c for alert in sounding for c in self._open.move(alert, Event.SILENCE, now, by)]
        alert = self._open.named(alert_id, instance)
        if not alert.sounding:
            raise RefusedError(f"it does not sound: it is {_words(alert)}")
        return self._open.move(alert, Event.SILENCE, now, by)

    def transfer(
        self, alert_id: str, instance: int, by: Acknowledgement, *, now_s: float, now_utc: datetime
    ) -> AlertChange:
        """Give the responsibility for an alert to the function that asks for it (row 6): it is silent here.

        Raises:
            RefusedError: No such alert now, another instance of it, or one that does not wait to be acknowledged.
        """
        alert = self._open.named(alert_id, instance)
        moved = self._open.move(alert, Event.TRANSFER, Now(now_s, now_utc), by)
        if not moved:
            raise RefusedError(f"responsibility cannot be transferred while {_words(alert)}")
        return moved[0]

    def hand_back(
        self, by: Acknowledgement | None = None, *, now_s: float, now_utc: datetime
    ) -> list[AlertChange]:
        """Take every alert back whose responsibility was transferred (row 7): who had it is lost, or gives it back."""
        now = Now(now_s, now_utc)
        return [
            c
            for alert in list(self._open)
            for c in self._open.move(alert, Event.HAND_BACK, now, by)
        ]

    def alerts(self) -> list[Alert]:
        """Return every open alert."""
        return list(self._open)

    def find(self, key: str, source: str) -> Alert | None:
        """Return the open alert of a key and source."""
        return self._open.get(alert_id(key, source))

    def holds(self, key: str, source: str) -> bool:
        """Return whether a condition is wanted or stands."""
        condition = self._conditions.find((key, source))
        return condition is not None and (condition.wanted or condition.standing)

    def _end_what_was_muted(self, now: Now) -> list[AlertChange]:
        """End what was open before a restart and is muted since: before anything of the same name is raised."""
        ended = [self._open.take_away(alert, now) for alert in self._muted_at_start]
        self._muted_at_start.clear()
        return ended

    def _settle(self, condition: Condition, now: Now) -> Iterable[AlertChange | Noted]:
        if condition.holds:
            condition.standing = True
            return self._tell(condition, now)
        self._conditions.end(condition, now.s)
        alert = self.find(*condition.place)
        return () if alert is None else self._open.move(alert, Event.CONDITION_FALSE, now)

    def _tell(self, condition: Condition, now: Now) -> Iterable[AlertChange | Noted]:
        """Tell of what stands, or let it wait while it is explained, muted or not judged."""
        alert = self.find(*condition.place)
        if alert is not None and not alert.rectified:
            return self._judge_anew(condition, alert, now)
        self._conditions.wake(condition)
        if self._conditions.is_explained(condition):
            self._conditions.wait(condition)
            return ()
        priority = self._priority(condition, alert)
        is_muted = self._muted(condition.key, condition.source)
        if priority is not None and not is_muted:
            return (self._raise(condition, alert, priority, now),)
        self._conditions.rest(condition)
        is_logged = condition.kind.letter(self.regime) == LOG and not is_muted
        return self._noted(condition, now.s) if is_logged else ()

    def _raise(
        self, condition: Condition, rectified: Alert | None, priority: Priority, now: Now
    ) -> AlertChange:
        """Raise an alert, or the same instance again where it is not acknowledged yet."""
        alert = rectified or self._new(condition, priority, now)
        alert = replace(
            alert,
            priority=priority,
            promoted=alert.promoted and priority is Priority.ALARM,
            detail=condition.detail,
            known=condition.acknowledged,
            # A caution is never rectified: it is active or normal.
            state=AlertState.NORMAL if priority is Priority.CAUTION else alert.state,
        )
        if condition.covered(priority):
            return self._open.reprioritise(alert, priority, condition, now)
        (change,) = self._open.move(alert, Event.CONDITION_TRUE, now)
        return change

    def _new(self, condition: Condition, priority: Priority, now: Now) -> Alert:
        """Return an alert that is still normal, under a number of its own."""
        kind = condition.kind
        return Alert(
            id=alert_id(*condition.place),
            key=condition.key,
            instance=self._open.new_instance(),
            number=kind.number,
            title=kind.title,
            source=condition.source,
            priority=priority,
            state=AlertState.NORMAL,
            raised_utc=now.utc,
            changed_utc=now.utc,
            changed_s=now.s,
            action=kind.action,
            show=kind.show,
            revision=0,
        )

    def _judge_anew(self, condition: Condition, alert: Alert, now: Now) -> list[AlertChange]:
        """Give an open alert the priority that it has now; one that is over keeps what the officer heard."""
        priority = self._priority(condition, alert)
        if priority in {None, alert.priority} or alert.rectified:
            return []
        assert priority is not None  # noqa: S101 (for the type checker)
        return [self._open.reprioritise(alert, priority, condition, now)]

    def _priority(self, condition: Condition, alert: Alert | None = None) -> Priority | None:
        """Return what a condition is told as now: by regime, as its rule caps it, promoted where that counts."""
        priority = condition.capped(condition.kind.priority(self.regime))
        promoted = alert is not None and alert.promoted and self._open.promotes
        return Priority.ALARM if promoted and priority is Priority.WARNING else priority

    def _noted(self, condition: Condition, now_s: float) -> Iterable[Noted]:
        """Yield what is to be written down: once, however often it is looked at."""
        if condition.is_noted:
            return
        if condition.noted_s is not None and now_s < condition.noted_s + NOTE_AGAIN_S:
            self._conditions.look_again(condition, condition.noted_s + NOTE_AGAIN_S)
            return
        condition.is_noted, condition.noted_s = True, now_s
        kind = condition.kind
        yield Noted(condition.key, kind.title, condition.source, condition.detail, kind.show)


def _words(alert: Alert) -> str:
    return lifecycle.words(alert.state, alert.priority)
