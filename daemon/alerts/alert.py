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


def alert_id(key: str, source: str) -> str:
    """Return the id of the alert of a key and source, as it stands in topics."""
    return f"{key}.{source}"


WHOLE_SHIP = frozenset({"ispsd", "ship"})
"""Devices that are none: an alert about one of them explains what depends on it wherever it is."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who acknowledged, silenced or took over, and where; a central alert panel is station ``cam``, and nobody."""

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
    waits_since_s: float | None = None
    """Since when it has waited for its acknowledgement, in seconds since boot; None where it does not wait."""
    promoted: bool = False
    """It was a warning, and is an alarm because nobody acknowledged it (row 13)."""
    known: tuple[Priority, Acknowledgement | None] | None = None
    """At which priority it was acknowledged since it began, and by whom: up to that it is no news from then on."""

    @property
    def sounding(self) -> bool:
        """Whether attended stations sound it now."""
        return (
            self.state is AlertState.ACTIVE_UNACKNOWLEDGED and self.priority is not Priority.CAUTION
        )

    @property
    def rectified(self) -> bool:
        """Whether it is over, and waits for somebody to see that it was."""
        return self.state is AlertState.RECTIFIED_UNACKNOWLEDGED

    @property
    def acknowledged(self) -> bool:
        """Whether somebody acknowledged it; an active caution has the same letter, and nobody did."""
        return (
            self.state is AlertState.ACTIVE_ACKNOWLEDGED and self.priority is not Priority.CAUTION
        )


@dataclass(frozen=True, slots=True)
class Now:
    """One moment by both clocks: seconds since boot, and the calendar."""

    s: float
    utc: datetime


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
