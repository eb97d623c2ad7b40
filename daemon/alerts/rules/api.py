"""What is a rule? The contract that every file of this folder keeps. No I/O, no clock: every call is told the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from daemon.alerts.alert import Source
    from daemon.model import Permit, Priority, Reading, Regime
    from daemon.points.points import Change

Holds: TypeAlias = Callable[[str, str], bool]
"""Whether the condition of a key and source is wanted or stands already, as after a restart."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says of one condition."""

    key: str
    source: Source
    active: bool
    detail: str = ""
    at_most: Priority | None = None
    """Told no louder than this; None leaves it to the catalogue."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that a rule may hang on beside its readings.

    Attributes:
        now_s: Seconds since boot.
        permits: The permits to open, by door; one that has ended stays while its door is open.
        ais_off_by: Whose order it is that AIS is off; None where there is none.
        interference_area: The ship is in a known GNSS interference area, as a person entered.
        position_is_suspect: GNSS SUSPECT holds: no rule may trust where the ship is.
        clock_is_synced: Something disciplines this computer's clock.
    """

    now_s: float
    now_utc: datetime
    regime: Regime
    permits: Mapping[str, Permit]
    ais_off_by: str | None = None
    interference_area: bool = False
    position_is_suspect: bool = False
    clock_is_synced: bool = False


class Rule(Protocol):
    """One thing that is watched."""

    points: frozenset[str]
    """The points that it wants to hear of."""
    devices: frozenset[str]
    """The devices whose link it wants to hear of."""
    says: frozenset[tuple[str, str]]
    """Every key and source of which it may speak; an open alert of which no rule does is taken back at a start."""

    def take(self, reading: Reading, change: Change | None) -> None:
        """Take a reading of one of the points; ``change`` is None where it only repeats what is known."""
        ...

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        """Take a change of the link of one of the devices; ``reason`` says why it is lost."""
        ...

    def look(self, moment: Moment) -> Iterable[Said]:
        """Say of every condition of which something is known whether it holds."""
        ...


class Deaf:
    """What most rules share: they hang on no device's link."""

    devices: frozenset[str] = frozenset()

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        """Take no notice."""


def duration(seconds: float) -> str:
    """Return a time as an officer reads it: ``3 min 10 s``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
