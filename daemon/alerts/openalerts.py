"""Which alerts are open, and when does each of them become something else by itself?

Here the table moves the alerts and nothing else does: who asks for a move, and why, is the engine's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon.alerts import lifecycle
from daemon.alerts.alert import Alert, AlertChange
from daemon.alerts.catalogue import LOUDNESS
from daemon.alerts.dues import Dues
from daemon.alerts.lifecycle import Event
from daemon.errors import RefusedError
from daemon.model import AlertState, Priority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.alerts.alert import Acknowledgement, Now
    from daemon.alerts.conditions import Condition
    from daemon.alerts.escalation import Escalation

LAST_INSTANCE = 999_999
_BEGINS_TO_WAIT: Final = frozenset({Event.CONDITION_TRUE, Event.HAND_BACK})


class OpenAlerts:
    """Every alert that is not normal, by its id, with its timers and its instance."""

    def __init__(self, escalation: Escalation, last_instance: int) -> None:
        self.last_instance = last_instance
        self.promotes = False
        """A warning that waits for too long becomes an alarm; ``retime`` when this changes."""
        self._escalation = escalation
        self._alerts: dict[str, Alert] = {}
        self._instances: set[int] = set()
        self._dues: Dues[str] = Dues()
        self._next_s: dict[str, float] = {}
        """When a silence ends, or an alert that sounds does so again."""

    def __iter__(self) -> Iterator[Alert]:
        return iter(self._alerts.values())

    def get(self, identifier: str) -> Alert | None:
        """Return an open alert."""
        return self._alerts.get(identifier)

    def named(self, identifier: str, instance: int | None) -> Alert:
        """Return the alert that somebody means; without an instance whichever is open.

        Raises:
            RefusedError: It is normal now, or another instance.
        """
        alert = self._alerts.get(identifier)
        if alert is None:
            raise RefusedError("no such alert now: it is normal")
        if instance is not None and alert.instance != instance:
            raise RefusedError(f"stale: alert is at instance {alert.instance} now, not {instance}")
        return alert

    def new_instance(self) -> int:
        """Return a number that nobody can take for another alert.

        They go from 1 to 999,999, and from there to 1 again, past those that are open. Whoever remembers an alert by
        its number (a central alert panel, a page) would have to do so over 999,998 later ones.
        """
        while True:
            self.last_instance = self.last_instance % LAST_INSTANCE + 1
            if self.last_instance not in self._instances:
                return self.last_instance

    def take_up(self, alert: Alert, now_s: float) -> None:
        """Open an alert as it was before a restart; what it waits for, it waits for since now."""
        waits = alert.state in lifecycle.TO_TRANSFER and alert.priority is not Priority.CAUTION
        self._keep(replace(alert, waits_since_s=now_s if waits else None), now_s)

    def was_given(self, instance: int) -> None:
        """Take a number that was given before a restart: the next one comes after it, past the last one too."""
        self.last_instance = later(self.last_instance, instance)

    def take_away(self, alert: Alert, now: Now) -> AlertChange:
        """End an alert of which nobody is to be told now."""
        ended = self._change(
            alert,
            now,
            state=AlertState.NORMAL,
            priority=alert.priority,
            promoted=alert.promoted,
            acknowledged_by=alert.acknowledged_by,
        )
        return AlertChange(ended, Event.MUTE, lifecycle.NO_ROW)

    def move(
        self, alert: Alert, event: Event, now: Now, by: Acknowledgement | None = None
    ) -> list[AlertChange]:
        """Move an alert by the row that its state has for an event; return nothing where it has none."""
        row = lifecycle.step(alert.state, alert.priority, event)
        if row is None:
            return []
        acknowledged_by = alert.acknowledged_by
        if event is Event.ACKNOWLEDGE:
            acknowledged_by = by
        elif event is Event.CONDITION_TRUE:
            # Raised again after it was rectified: the old acknowledgement does not cover this.
            acknowledged_by = None
        moved = self._change(
            alert,
            now,
            state=row.to,
            priority=Priority.ALARM if row.promotes else alert.priority,
            promoted=alert.promoted or row.promotes,
            acknowledged_by=acknowledged_by,
            waits_since_s=now.s if event in _BEGINS_TO_WAIT else alert.waits_since_s,
            escalates=row.escalates,
            known=(alert.priority, by) if event is Event.ACKNOWLEDGE else alert.known,
        )
        return [AlertChange(moved, event, row.number, by)]

    def reprioritise(
        self, alert: Alert, priority: Priority, known: Condition, now: Now
    ) -> AlertChange:
        """Give an active alert another priority; louder than what was acknowledged is news."""
        by = known.acknowledged[1] if known.acknowledged is not None else None
        state, waits_since_s = alert.state, alert.waits_since_s
        if priority is Priority.CAUTION or known.covered(priority):
            state = AlertState.ACTIVE_ACKNOWLEDGED  # of a caution: active
        elif LOUDNESS.index(priority) > LOUDNESS.index(alert.priority):
            state, waits_since_s = AlertState.ACTIVE_UNACKNOWLEDGED, now.s
        moved = self._change(
            alert,
            now,
            state=state,
            priority=priority,
            promoted=alert.promoted and priority is Priority.ALARM,
            acknowledged_by=by if state is AlertState.ACTIVE_ACKNOWLEDGED else None,
            waits_since_s=waits_since_s,
            goes_on=state is alert.state,
            known=known.acknowledged,
        )
        return AlertChange(moved, Event.REPRIORITISE, lifecycle.NO_ROW)

    def retime(self, *, promotes: bool) -> None:
        """Take whether warnings are promoted from now on."""
        self.promotes = promotes
        for alert in self._alerts.values():
            self._put(alert)

    def next_due_s(self) -> float | None:
        """Return when the next one becomes something else."""
        return self._dues.next_s()

    def advance(self, now: Now) -> list[AlertChange]:
        """End silences, repeat, promote and count what is due."""
        changes: list[AlertChange] = []
        while due := self._dues.take(now.s):  # what was silenced may have to be promoted at once
            for identifier in due:
                alert = self._alerts[identifier]
                changes += self.move(alert, self._what_is_due(alert, now), now)
        return changes

    def _what_is_due(self, alert: Alert, now: Now) -> Event:
        if alert.state is AlertState.ACTIVE_SILENCED:
            return Event.SILENCE_ENDED
        promoted_s = self._promoted_s(alert)
        if promoted_s is not None and promoted_s <= now.s:
            return Event.PROMOTE
        return Event.REPEAT if alert.priority is Priority.WARNING else Event.ESCALATE

    def _change(
        self,
        alert: Alert,
        now: Now,
        *,
        state: AlertState,
        priority: Priority,
        promoted: bool = False,
        acknowledged_by: Acknowledgement | None = None,
        waits_since_s: float | None = None,
        escalates: bool = False,
        goes_on: bool = False,
        known: tuple[Priority, Acknowledgement | None] | None = None,
    ) -> Alert:
        """Keep an alert as it is from now on, under its next revision; return it.

        With ``goes_on`` its silence ends, or it sounds again, when it would have done.
        """
        waits = state in lifecycle.TO_TRANSFER and priority is not Priority.CAUTION
        changed = replace(
            alert,
            state=state,
            priority=priority,
            promoted=promoted,
            acknowledged_by=acknowledged_by,
            known=known,
            waits_since_s=waits_since_s if waits else None,
            changed_utc=now.utc,
            changed_s=now.s,
            revision=lifecycle.next_revision(alert.revision),
            escalation=lifecycle.next_escalation(alert.escalation)
            if escalates
            else alert.escalation,
        )
        self._keep(changed, now.s, next_s=self._next_s.get(alert.id) if goes_on else None)
        return changed

    def _keep(self, alert: Alert, now_s: float, *, next_s: float | None = None) -> None:
        self._next_s.pop(alert.id, None)
        self._dues.drop(alert.id)
        if alert.state is AlertState.NORMAL:
            self._alerts.pop(alert.id, None)
            self._instances.discard(alert.instance)
            return
        self._alerts[alert.id] = alert
        self._instances.add(alert.instance)
        is_silenced = alert.state is AlertState.ACTIVE_SILENCED
        if is_silenced or alert.sounding:
            lasts_s = lifecycle.SILENCE_S if is_silenced else self._escalation.after_s
            self._next_s[alert.id] = now_s + lasts_s if next_s is None else next_s
            self._put(alert)

    def _put(self, alert: Alert) -> None:
        next_s, promoted_s = self._next_s.get(alert.id), self._promoted_s(alert)
        if next_s is not None:
            self._dues.put(alert.id, next_s if promoted_s is None else min(next_s, promoted_s))

    def _promoted_s(self, alert: Alert) -> float | None:
        """Return when an alert that sounds becomes an alarm for want of an acknowledgement."""
        is_warning = alert.sounding and alert.priority is Priority.WARNING
        if not self.promotes or not is_warning or alert.waits_since_s is None:
            return None
        return alert.waits_since_s + self._escalation.promote_after_s


def later(one: int, other: int) -> int:
    """Return which of two instances was given later: as they begin again at 1, the one less than half a round ahead."""
    ahead = (other - one) % LAST_INSTANCE
    return other if one == 0 or ahead < LAST_INSTANCE // 2 else one
