"""What have people ordered that ends by itself? Inhibits, out of service, a planned blackout, the visitor view.

Every end is kept twice: in UTC for the eye and for the record, and in seconds since boot, which is what counts
(invariant 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from daemon.model import SecurityLevel

VISITOR_VIEW_S: Final = 3600.0
"""It lifts itself after an hour."""
SETTLES_S: Final = 60.0
"""After a planned blackout equipment comes back in any order: a minute of baseline, as after a boot."""


@dataclass(frozen=True, slots=True)
class Inhibit:
    """One alert, of one source, that is not to be told for a time."""

    alert: str
    """The alert's id: its key and its source."""
    key: str
    source: str
    name: str
    """The short name of what it is about."""
    title: str
    reason: str
    minutes: int
    """For how long it was given."""
    ends_utc: datetime
    ends_s: float
    by: str


@dataclass(frozen=True, slots=True)
class OutOfService:
    """One piece of equipment, or one sensor, that is out of service for a time; class ``sso`` beyond the bare fact.

    Attributes:
        measure: What is done instead.
        hours: For how long it was given.
        by: The SSO, or the Master.
        with_master: The Master, where the SSO needed him too.
        covert: SSAS: nothing of it leaves ``sso/``.
    """

    equipment: str
    name: str
    reason: str
    measure: str
    hours: int
    ends_utc: datetime
    ends_s: float
    by: str
    with_master: str | None = None
    covert: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the electro-technical officer proposes to take out of service; it does nothing until it is taken."""

    equipment: str
    name: str
    reason: str
    measure: str
    hours: int
    by: str
    at_utc: datetime
    covert: bool = False


@dataclass(frozen=True, slots=True)
class Blackout:
    """A planned blackout of the ship."""

    begins_utc: datetime
    begins_s: float
    ends_utc: datetime
    ends_s: float
    minutes: int
    """For how long it was given."""
    by: str

    def runs(self, now_s: float) -> bool:
        """Return whether it is on."""
        return self.begins_s <= now_s < self.ends_s

    def settles(self, now_s: float) -> bool:
        """Return whether it has just ended, and equipment is still coming back."""
        return self.ends_s <= now_s < self.ends_s + SETTLES_S


@dataclass(frozen=True, slots=True)
class VisitorView:
    """A stranger stands at a screen: until it ends no page shows places, ages and ends."""

    ends_utc: datetime
    ends_s: float


@dataclass(frozen=True, slots=True)
class LevelCommand:
    """The newest change of the ship's security level (A/7.5 and A/7.6: acknowledge it, and say when it is in force).

    Attributes:
        acknowledged_utc: When it was entered, which is when the ship acknowledged it.
        set_s: The same in seconds since boot; less than none where that was before this boot.
        notified_utc: When the ship was told.
        in_force_utc: Since when its measures are in force, as a person said; None: nobody has said so yet.
    """

    level: SecurityLevel
    told_by: str
    acknowledged_utc: datetime
    set_s: float
    notified_utc: datetime | None = None
    in_force_utc: datetime | None = None

    @property
    def is_owed(self) -> bool:
        """Whether somebody has still to say that its measures are in force; of level 1 nobody has to."""
        return self.level > 1 and self.in_force_utc is None
