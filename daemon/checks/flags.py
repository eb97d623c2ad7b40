"""May an SSAS test start, as far as the flag's rule of notice goes?

Flags differ and change their rules, so these are data with source and date (``config/flags``). A flag without hours
still wants those concerned told before (MSC/Circ.1155 annex II.3 to 5). Times are UTC: a rule speaks of the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from daemon.checks.profiles import read_profile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Self

Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Hours = Annotated[float, Field(gt=0, le=24 * 31)]


class FlagProfile(BaseModel):
    """What one flag asks of an SSAS test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flag: Words
    rule: Words
    """To be quoted to whoever is refused."""
    as_of: Words
    """How old the rule is: its month, or the edition that was read."""
    source: Words
    seen: Literal["instrument", "second hand"]
    """Whether the flag's own text or an official copy was read; second hand is to be checked by the ship."""
    to: Words
    """Who is told."""
    at_least_h: Hours | None = None
    """Notice is sent at least so many hours before the test."""
    at_most_h: Hours | None = None
    """And at most so many."""
    needs_agreement: bool = False
    """The flag agrees, or books the test, before it starts: the notice's reference names it."""
    message_says: tuple[Words, ...]
    """Words that the test message must carry."""
    notes: tuple[Words, ...] = ()

    @model_validator(mode="after")
    def _leaves_a_time(self) -> Self:
        if self.at_least_h and self.at_most_h and self.at_least_h >= self.at_most_h:
            raise ValueError("no notice could be in time: at_least_h is not below at_most_h")
        return self

    @property
    def quoted(self) -> str:
        """Return the rule as it is quoted."""
        heard = "" if self.seen == "instrument" else ", second hand"
        return f"{self.flag}: {self.rule}; rule as of {self.as_of}{heard}"


@dataclass(frozen=True, slots=True)
class Notice:
    """That a flag was told of a test, as a named person entered it.

    Attributes:
        flag: The flag's profile: ``singapore``.
        sent_utc: When it was sent.
        to: Whom it went to.
        reference: The mail, booking or agreement that proves it.
        entered_by: The person who says so.
        entered_utc: When that was entered here.

    Raises:
        ValueError: A time without its zone.
    """

    flag: str
    sent_utc: datetime
    to: str
    reference: str
    entered_by: str
    entered_utc: datetime

    def __post_init__(self) -> None:
        if self.sent_utc.utcoffset() is None or self.entered_utc.utcoffset() is None:
            raise ValueError("the times of a notice are in UTC, and say so")


def load_flag(name: str) -> FlagProfile:
    """Return the profile ``config/flags/<name>.toml``.

    Raises:
        ValueError: There is none of that name, or it cannot be used.
    """
    return FlagProfile.model_validate(read_profile("flags", name))


FlagName = Annotated[
    str,
    Field(min_length=1, max_length=40),
    AfterValidator(lambda name: load_flag(name) and name),
]
"""A file of ``config/flags`` without its ``.toml``."""


def judge_notice(profile: FlagProfile, notice: Notice | None, starts_utc: datetime) -> str | None:
    """Return why a test may not start at that time, with the rule quoted; None where it may."""
    reason = "no notice is entered" if notice is None else _fault(profile, notice, starts_utc)
    return None if reason is None else f"{reason} ({profile.quoted})"


def judge_notices(name: str, notices: Iterable[Notice], starts_utc: datetime) -> str | None:
    """Return why a test may not start with these notices: one that holds is enough, else the newest is judged."""
    profile = load_flag(name)
    of_flag = sorted((n for n in notices if n.flag == name), key=lambda n: n.sent_utc)
    if any(judge_notice(profile, notice, starts_utc) is None for notice in of_flag):
        return None
    return judge_notice(profile, of_flag[-1] if of_flag else None, starts_utc)


def _fault(profile: FlagProfile, notice: Notice, starts_utc: datetime) -> str | None:
    before = starts_utc - notice.sent_utc
    if notice.entered_utc > starts_utc or before < timedelta(0):
        return "a notice that is sent or entered after the start does not count"
    if not (notice.to.strip() and notice.entered_by.strip()):
        return "the notice does not say whom it went to, or who says so"
    if profile.needs_agreement and not notice.reference.strip():
        return "the notice names no agreement or booking as its reference"
    if profile.at_least_h is not None and before < timedelta(hours=profile.at_least_h):
        return f"notice was sent {_hours(before)} before, too late"
    if profile.at_most_h is not None and before > timedelta(hours=profile.at_most_h):
        return f"notice was sent {_hours(before)} before, too early"
    return None


def _hours(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"
