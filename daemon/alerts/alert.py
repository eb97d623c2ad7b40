"""What is an alert, and what is it about? The words that engine, rules and everybody who tells of alerts share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.model import AlertState, Classification, Priority

if TYPE_CHECKING:
    from datetime import datetime

    from daemon.alerts.lifecycle import Event


@dataclass(frozen=True, slots=True)
class Source:
    """What an alert is about.

    Attributes:
        id: The point or device.
        name: The short name that watch stations show.
        device: The device behind it, for ``depends_on``.
        bus: The bus that the device hangs on; None where it has a line of its own.
    """

    id: str
    name: str
    device: str
    bus: str | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who acknowledged, and where."""

    station: str
    person: str | None


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, from its raising to normal; ``instance`` never comes again."""

    id: str
    key: str
    instance: int
    number: int
    title: str
    source: Source
    priority: Priority
    state: AlertState
    raised_utc: datetime
    changed_utc: datetime
    changed_s: float
    """Seconds since boot when it last changed."""
    action: str
    detail: str = ""
    show: Classification = Classification.WATCH
    acknowledged_by: Acknowledgement | None = None
    revision: int = 1
    escalation: int = 0

    @property
    def sounding(self) -> bool:
        """Whether attended stations sound it now."""
        return (
            self.state is AlertState.ACTIVE_UNACKNOWLEDGED and self.priority is not Priority.CAUTION
        )


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert that has just changed.

    Attributes:
        event: What moved it.
        row: The row of the table that was used.
        by: The station whose act it was; None where no person did it.
    """

    alert: Alert
    event: Event
    row: int
    by: Acknowledgement | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """A condition that is written down and not told: the letter L of the catalogue."""

    key: str
    title: str
    source: Source
    detail: str
    show: Classification
