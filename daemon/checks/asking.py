"""When is a test asked for, and by whose word? What the catalogue and the ship's file say of it beside what it tests.

The same settings stand in ``config/tests.toml``, as they are shipped, and in the ship's file, as her Ship Security Plan
has them (ISPS A/9.4.15, A/9.4.16): the plan decides.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from daemon.checks import intervals
from daemon.model import Situation
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS: Final = 3
Line = Annotated[str, Field(min_length=1, max_length=200), LINE]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]


class Event(StrEnum):
    """What makes a test due outside the calendar; each is read from the record."""

    DEPARTURE = "departure"
    """From the berth or the anchorage to manoeuvring or to sea."""
    ARRIVAL = "arrival"
    """The other way round."""
    LEVEL = "level change"
    """The ship's security level is another than before."""
    THREAT = "threat area"
    """She enters a threat area."""
    REPAIR = "repair"
    """The equipment is back in service, or a unit of it was replaced; a defect waits for its re-test anyway."""
    SHIP = "name change"
    """The ship's name, call sign or MMSI is another than before."""
    FLAG = "flag change"
    SOFTWARE = "software change"
    """ispsd itself is another version than before."""


class Hindrance(StrEnum):
    """What a test waits for to be over before it starts."""

    ALERT = "alert"
    """A real alert of that equipment, or of the item that is to be tested, stands."""
    BLACKOUT = "blackout"
    """A planned blackout runs."""
    LEVEL_3 = "level 3"
    """The ship is at security level 3."""
    THREAT = "threat area"


class Source(StrEnum):
    """Whose word an interval is."""

    PRACTICE = "practice"
    """What ships usually do; no source says so."""
    MAKER = "maker"
    FLAG = "flag"
    CLASS = "class"
    IMO = "IMO"
    SSP = "SSP"
    """The ship's own plan."""


def _of_each_level(said: Any) -> Any:
    """Return a setting for each security level: one that is said once counts at all three."""
    if isinstance(said, list | tuple):
        if len(said) != LEVELS:
            raise ValueError(f"{len(said)} values: one for all security levels, or three of them")
        return tuple(said)
    return (said,) * LEVELS


def _intervals(said: Any) -> Any:
    found = _of_each_level(said)
    for every in found:
        if not isinstance(every, str):
            raise ValueError(f"{every!r} is not a text")  # noqa: TRY004 (pydantic tells a ValueError)
        if (reason := intervals.fault(every)) is not None:
            raise ValueError(reason)
    return found


def _days(least: int) -> Callable[[Any], Any]:
    def checked(said: Any) -> Any:
        if said is None:
            return None
        found = _of_each_level(said)
        for days in found:
            if not isinstance(days, int) or not least <= days <= intervals.MOST_DAYS:
                raise ValueError(
                    f"{days!r}: a whole number of days, {least} to {intervals.MOST_DAYS}"
                )
        return found

    return checked


Intervals: TypeAlias = Annotated[
    tuple[str, str, str],
    BeforeValidator(_intervals, json_schema_input_type=str | tuple[str, str, str]),
]
"""One for each security level."""
LimitDays: TypeAlias = Annotated[
    tuple[int, int, int] | None,
    BeforeValidator(_days(1), json_schema_input_type=int | tuple[int, int, int]),
]


class Asked(BaseModel):
    """When a test is asked for, what stands in its way, and by whose word."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every: Intervals
    """How often, in ship's time: a calendar period in which it is done once (``day`` to ``year``), ``14 days`` after
    the last pass, ``cron 0 10 * * sat``, or ``never``; a list has one for each security level."""
    every_in: dict[Situation, Intervals] = Field(default_factory=dict)
    """The same in single situations, where it is another: ``{ port = "week" }``."""
    at: str | None = None
    """When the period begins, in ship's time: ``sat 10:00`` of a week; None: with its first midnight."""
    limit_days: LimitDays = None
    """Days since the last pass after which it is overdue; None: the period's own limit."""
    grace_days: Annotated[int, Field(ge=0, le=31)] = 0
    """So long after a period's end the test is still its late doing, and no missed entry is written."""
    after: tuple[Event, ...] = ()
    """What makes it due besides the calendar."""
    after_days: Annotated[int, Field(ge=0, le=92)] = 7
    """Days after such an event in which it is to be done."""
    only_in: tuple[Situation, ...] = ()
    """Where it can be done; none named: everywhere."""
    inhibited_by: tuple[Hindrance, ...] = ()
    """What it waits for to be over."""
    interval_source: Source = Source.SSP
    """Whose word the interval is."""
    source: str = Field(default="", max_length=120)
    """Which text says so, and of when."""
    clause: str = Field(default="", max_length=80)
    """What asks for the test: ``ISPS B/9.43``."""
    sat_when: str = Field(default="", max_length=200)
    """When it is SAT, in words."""

    @model_validator(mode="after")
    def _at_fits_the_period(self) -> Self:
        if self.at is not None and (reason := intervals.at_fault(self.every[0], self.at)):
            raise ValueError(reason)
        return self

    def every_at(self, situation: Situation, level: int) -> str:
        """Return how often it is asked for now."""
        return self.every_in.get(situation, self.every)[level - 1]


PLAN_SETTINGS: Final = (
    "every",
    "every_in",
    "limit_days",
    "grace_days",
    "after",
    "after_days",
    "only_in",
    "inhibited_by",
    "sat_when",
)
"""What the ship may have otherwise than the catalogue only by her plan's paragraph and somebody's approval."""


class Used(BaseModel):
    """By whose word the ship's test is another than the catalogue's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: Id | None = None
    """The entry of the catalogue (``config/tests.toml``) that it is; None: the ship's own."""
    approved_by: Annotated[str, Field(min_length=1, max_length=60), LINE] | None = None
    """Who approved what the ship's file says otherwise than the catalogue."""
    approved_on: date | None = None
