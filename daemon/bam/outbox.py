"""What is sent next to the panel, and when? The newest state of each alert, never a backlog of states. Pure.

A line of 4800 Bd carries some six sentences a second, and a bad night can change more alerts than that. So an alert
that waits to be sent waits once, however often it changes meanwhile: what goes out is how it stands then. The loudest
goes first. The cyclic list takes turns with the alerts, so that neither holds up the other; refusals and heartbeats,
which are few, go before both.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from daemon.alerts.catalogue import LOUDNESS
from daemon.bam import codec
from daemon.model import AlertState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daemon.alerts.alert import Alert
    from daemon.model import Priority

BITS_A_CHARACTER: Final = 10
"""8N1: a start bit, eight, a stop bit."""
MOST_REFUSALS: Final = 32
"""Beyond so many that wait the oldest is dropped: a panel that is answered so late has repeated its command."""


class Line(NamedTuple):
    """One sentence to send, and to which message it belongs."""

    text: str
    part: int = 1
    total: int = 1


@dataclass(slots=True)
class Pace:
    """When the line is free again."""

    baud: int
    free_s: float = 0.0

    def take(self, lines: Sequence[Line], now_s: float) -> None:
        """Count sentences as sent now."""
        characters = sum(len(line.text) + len("\r\n") for line in lines)
        self.free_s = max(self.free_s, now_s) + characters * BITS_A_CHARACTER / self.baud


@dataclass(slots=True)
class Waiting:
    """Alerts of which something is to be told."""

    _waiting: dict[tuple[int, int], tuple[Alert, bool]] = field(default_factory=dict)
    """By number and instance: how it stands now, and whether with its description; who waits longest stands first."""
    _told: dict[tuple[int, int], Priority] = field(default_factory=dict)
    """Of which the panel has heard that they stand, and as what."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, alert: Alert, *, whole: bool = False) -> None:
        """Let an alert be told as it stands now; its description is told once, and again with ``whole``."""
        key = alert.number, alert.instance
        if alert.state is AlertState.NORMAL and key not in self._told:
            self._waiting.pop(key, None)  # of which nobody there has ever heard
            return
        _, was_whole = self._waiting.get(key, (alert, False))
        self._waiting[key] = alert, whole or was_whole or key not in self._told

    def take(self) -> tuple[Alert, bool] | None:
        """Return the loudest, and of those the one that waits longest; None where nothing waits."""
        if not self._waiting:
            return None
        key = max(self._waiting, key=lambda key: LOUDNESS.index(self._waiting[key][0].priority))
        alert, whole = self._waiting.pop(key)
        if alert.state is AlertState.NORMAL:
            self._told.pop(key, None)
        else:
            self._told[key] = alert.priority
        return alert, whole

    def was_told(self, alert: Alert) -> bool:
        """Return whether the panel can have shown an alert as loud as it is."""
        told = self._told.get((alert.number, alert.instance))
        return told is not None and LOUDNESS.index(told) >= LOUDNESS.index(alert.priority)

    def start_anew(self, standing: Iterable[Alert]) -> None:
        """Tell everything that stands from the beginning: whoever listens now may have heard nothing."""
        self._waiting.clear()
        self._told.clear()
        for alert in standing:
            self.put(alert)


@dataclass(slots=True)
class Outbox:
    """Everything that waits to be sent."""

    pace: Pace
    alerts: Waiting = field(default_factory=Waiting)
    first: deque[Line] = field(default_factory=lambda: deque(maxlen=MOST_REFUSALS))
    """Refusals and heartbeats."""
    cyclic: deque[Line | int] = field(default_factory=deque)
    """What is left of the list that is being sent: lines, and numbers whose line is written when it is sent."""
    _is_lists_turn: bool = True

    @property
    def is_empty(self) -> bool:
        return not (self.first or self.cyclic or len(self.alerts))

    def take(self) -> Line | int | tuple[Alert, bool] | None:
        """Return what is next, if anything waits; an alert and a number are to be put into sentences as they stand."""
        if self.first:
            return self.first.popleft()
        is_lists_turn, self._is_lists_turn = self._is_lists_turn, not self._is_lists_turn
        if self.cyclic and (is_lists_turn or not len(self.alerts)):
            return self.cyclic.popleft()
        return self.alerts.take()


def listed(alerts: Iterable[Alert], maker: str) -> list[codec.Listed]:
    """Return the entries of the cyclic list, the loudest first."""
    loudest_first = sorted(
        alerts, key=lambda alert: (-LOUDNESS.index(alert.priority), alert.instance)
    )
    entries = []
    for each in loudest_first:
        # One that no sentence can name must not keep the others from being listed.
        with suppress(ValueError):
            entries.append(codec.Listed(maker, each.number, each.instance, each.revision))
    return entries
