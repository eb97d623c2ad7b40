"""May an SSAS test start, as far as the flag's rules of notice, occasion and addressee go?

Flags differ and change their rules, so these are data with source and date (``config/flags``), to be verified with the
ship's recognized security organization (RSO). A flag without hours still wants those concerned told before
(MSC/Circ.1155 annex II.3 to 5). Times are UTC: a rule speaks of the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from daemon.checks.asking import Event
from daemon.checks.profiles import read_profile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Self

Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Hours = Annotated[float, Field(gt=0, le=24 * 31)]
Months = Annotated[int, Field(ge=1, le=60)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,39}$")]

YEARLY_MONTHS: Final = 12
VERIFY: Final = "verify with your RSO"
"""Behind every quotation: a flag's circulars are revised often, and these are copies."""
YEAR: Final = timedelta(days=365)
PLANNED_WITHIN: Final = timedelta(hours=2)
"""A notice is for the time that it announces: a test that starts further from it is another one. Ours, no flag's."""
CALENDAR_SLACK: Final = timedelta(days=31)
"""A test that is done once a year is not refused for coming some weeks earlier in the year than the last."""


class To(StrEnum):
    """What an addressee of the unit's message is."""

    ADMINISTRATION = "administration"
    """The flag, or who answers for it."""
    AUTHORITY = "authority"
    """A competent authority that the flag or the Company has named, an MRCC among them."""
    COMPANY = "company"


class OtherTime(BaseModel):
    """A time that a notice also says, beside UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}$")]
    offset_min: Annotated[int, Field(ge=-720, le=840)]
    """That time minus UTC, in minutes."""


class FlagProfile(BaseModel):
    """What one flag asks of an SSAS test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flag: Words
    rule: Words
    """To be quoted to whoever is refused."""
    as_of: Words
    """How old the rule is: its month, or the edition that was read."""
    read_on: date
    """When the source was read; of a copy without a date, the only date that there is."""
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
    limit_months: Months | None = None
    """A test is done at least once in so many months."""
    once_a_year: bool = False
    """The flag takes no second test within a year, but on an occasion of ``occasions``."""
    occasions: dict[Key, Words] = {}
    """On which occasions the flag takes a test, where that is limited."""
    only_on_occasion: bool = False
    """The notice names one of the occasions."""
    yearly_occasion: Key | None = None
    """One of the occasions that comes once in twelve months."""
    not_to: tuple[To, ...] = ()
    """Whom a test message may not be addressed to."""
    again_after: tuple[Event, ...] = ()
    """After which events a test is due again."""
    also_time: OtherTime | None = None
    """The notice says the planned time in this too."""
    message_says: tuple[Words, ...]
    """Words that the test message must carry."""
    message_never_says: tuple[Words, ...] = ()
    """Words for which the flag takes a test for more than it is."""
    message_encodings: tuple[Literal["ascii", "cp1252", "utf-8"], ...] = ()
    """As what the message may be sent; empty: nothing is known."""
    message_has_motion: bool = False
    """The message has course and speed too."""
    restore_wording: bool = False
    """The flag itself asks that the wording is set back afterwards."""
    notes: tuple[Words, ...] = ()

    @model_validator(mode="after")
    def _leaves_a_time(self) -> Self:
        if self.at_least_h and self.at_most_h and self.at_least_h >= self.at_most_h:
            raise ValueError("no notice could be in time: at_least_h is not below at_most_h")
        if (self.only_on_occasion or self.yearly_occasion) and not self.occasions:
            raise ValueError("occasions are wanted: which are they?")
        if self.yearly_occasion and self.yearly_occasion not in self.occasions:
            raise ValueError(f"yearly_occasion {self.yearly_occasion!r} is none of occasions")
        return self

    @property
    def quoted(self) -> str:
        """Return the rule as it is quoted."""
        heard = "" if self.seen == "instrument" else ", second hand"
        return f"{self.flag}: {self.rule}; rule as of {self.as_of}{heard}; {VERIFY}"


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
        occasion: On which of the flag's occasions the test is done; empty where none was named.
        planned_utc: For when the test was announced; None where the notice names no time.

    Raises:
        ValueError: A time without its zone.
    """

    flag: str
    sent_utc: datetime
    to: str
    reference: str
    entered_by: str
    entered_utc: datetime
    occasion: str = ""
    planned_utc: datetime | None = None

    def __post_init__(self) -> None:
        times = (self.sent_utc, self.entered_utc, self.planned_utc)
        if any(each is not None and each.utcoffset() is None for each in times):
            raise ValueError("the times of a notice are in UTC, and say so")


def load_flag(name: str) -> FlagProfile:
    """Return the profile ``config/flags/<name>.toml``.

    Raises:
        ValueError: There is none of that name, or it cannot be used.
    """
    try:
        return FlagProfile.model_validate(read_profile("flags", name))
    except ValidationError as err:
        wrong = "; ".join(f"{_member(each)}: {each['msg']}" for each in err.errors())
        raise ValueError(f"config/flags/{name}.toml: {wrong}") from err


def _member(finding: Any) -> str:
    return ".".join(str(step) for step in finding["loc"]) or "the file"


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
    of_flag = _of_flag(name, notices)
    if any(judge_notice(profile, notice, starts_utc) is None for notice in of_flag):
        return None
    return judge_notice(profile, of_flag[-1] if of_flag else None, starts_utc)


def judge_occasion(
    name: str,
    notices: Iterable[Notice],
    starts_utc: datetime,
    *,
    to: Iterable[To],
    last_utc: datetime | None,
    occasion: str = "",
) -> str | None:
    """Return why the flag takes no test now, with the rule quoted; None where it does.

    What the Company alone receives is the SSP's matter, not the flag's.

    Args:
        name: The flag's profile.
        notices: Those that were entered.
        starts_utc: When the test would start.
        to: What the addressees are.
        last_utc: When a test was sent last under this flag; None: never.
        occasion: The one on which this test is always done; empty: whichever the notice names.
    """
    profile, addressees = load_flag(name), frozenset(to)
    reason = addressee_fault(profile, addressees)
    holding = [
        each for each in _of_flag(name, notices) if judge_notice(profile, each, starts_utc) is None
    ]
    if reason is None and occasion and occasion not in {each.occasion for each in holding}:
        reason = f"no notice names the occasion {occasion}: {profile.occasions[occasion]}"
    if reason is None and To.ADMINISTRATION in addressees:
        on_occasion = any(each.occasion in profile.occasions for each in holding)
        reason = _occasion_fault(profile, starts_utc, last_utc, on_occasion=on_occasion)
    return None if reason is None else f"{reason} ({profile.quoted})"


def addressee_fault(profile: FlagProfile, to: Iterable[To]) -> str | None:
    """Return what is wrong with the addressees; None where nothing is."""
    wrong = [each.value for each in profile.not_to if each in to]
    return f"a test is not addressed to the {wrong[0]}" if wrong else None


def interval_fault(
    profile: FlagProfile, limit_days: int | None, *, occasion: str = ""
) -> str | None:
    """Return what is wrong with how long a test may stay undone; None where the flag sets no limit, or it is kept.

    ``limit_days`` is the longest; None: for ever. ``occasion`` is the one on which the test is always done: the
    flag's yearly one comes once a year, beside the others.
    """
    if profile.limit_months is None:
        return None
    is_yearly = bool(occasion) and occasion == profile.yearly_occasion
    months = YEARLY_MONTHS if is_yearly else profile.limit_months
    most = months * 365 // 12
    if limit_days is not None and limit_days <= most:
        return None
    says = "no limit is" if limit_days is None else f"{limit_days} days are"
    return f"{says} more than the flag's {months} months: say limit_days = {most}"


def occasion_fault(profile: FlagProfile, occasion: str) -> str | None:
    """Return what is wrong with the occasion on which a test is always done; None where nothing is."""
    if not occasion or occasion in profile.occasions:
        return None
    known = ", ".join(profile.occasions) or "it names none"
    return f"{occasion!r} is no occasion of this flag: {known}"


def yearly_fault(profile: FlagProfile, yearly: Iterable[tuple[str, int | None]]) -> str | None:
    """Return that no test is the flag's yearly one; None where one is, or the flag has none.

    ``yearly`` are the occasion of each test, and the most days that it may stay undone, None: for ever.
    """
    wanted, tests = profile.yearly_occasion, list(yearly)
    if wanted is None:
        return None
    most = YEARLY_MONTHS * 365 // 12
    if any(each == wanted and days is not None and days <= most for each, days in tests):
        if profile.limit_months is None or any(each != wanted for each, _ in tests):
            return None
        return f"no test is that of each {profile.limit_months} months: it has no occasion"
    return (
        f"no test is {profile.occasions[wanted]}: give one more its own id, "
        f'occasion = "{wanted}" and limit_days = {most} at most'
    )


def trigger_fault(profile: FlagProfile, after: Iterable[Event]) -> str | None:
    """Return which event makes a test due for the flag and not for the ship's file; None where none is missing."""
    missing = [each.value for each in profile.again_after if each not in {*after}]
    return f"the flag wants a test again: say after = {missing} too" if missing else None


def _of_flag(name: str, notices: Iterable[Notice]) -> list[Notice]:
    return sorted((n for n in notices if n.flag == name), key=lambda n: n.sent_utc)


def _occasion_fault(
    profile: FlagProfile, starts_utc: datetime, last_utc: datetime | None, *, on_occasion: bool
) -> str | None:
    known = "; ".join(f"{key}: {words}" for key, words in profile.occasions.items())
    if profile.only_on_occasion and not on_occasion:
        return f"the notice names no occasion on which the flag takes a test ({known})"
    again = last_utc is not None and starts_utc - last_utc < YEAR - CALENDAR_SLACK
    if profile.once_a_year and again and not on_occasion:
        return f"a test was sent on {last_utc:%Y-%m-%d}, less than a year ago"
    return None


def _fault(profile: FlagProfile, notice: Notice, starts_utc: datetime) -> str | None:
    before = starts_utc - notice.sent_utc
    if notice.entered_utc > starts_utc or before < timedelta(0):
        return "a notice that is sent or entered after the start does not count"
    if not (notice.to.strip() and notice.entered_by.strip()):
        return "the notice does not say whom it went to, or who says so"
    if profile.needs_agreement and not notice.reference.strip():
        return "the notice names no agreement or booking as its reference"
    if notice.occasion and notice.occasion not in profile.occasions:
        known = ", ".join(profile.occasions) or "it names none"
        return f"{notice.occasion!r} is no occasion of this flag: {known}"
    return _planned_fault(notice, starts_utc) or _time_fault(profile, before)


def _planned_fault(notice: Notice, starts_utc: datetime) -> str | None:
    if notice.planned_utc is None or abs(starts_utc - notice.planned_utc) <= PLANNED_WITHIN:
        return None
    most = _hours(PLANNED_WITHIN)
    return (
        f"the notice is for {notice.planned_utc:%Y-%m-%d %H%M}Z, and covers {most} before and after"
    )


def _time_fault(profile: FlagProfile, before: timedelta) -> str | None:
    if profile.at_least_h is not None and before < timedelta(hours=profile.at_least_h):
        return f"notice was sent {_hours(before)} before, too late"
    if profile.at_most_h is not None and before > timedelta(hours=profile.at_most_h):
        return f"notice was sent {_hours(before)} before, too early"
    return None


def _hours(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"
