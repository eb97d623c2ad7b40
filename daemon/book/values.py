"""Is what a person typed into a field of a form what that field wants?

Everything arrives as text, from the command line or a page; what goes into an entry has its own type. A refusal names
the field, what is wanted and what was found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from daemon import forms
from daemon.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.model import Json

LONGEST_TEXT: Final = 400
"""Of a field whose form says no other bound."""
MOST_TOLD: Final = 20
MOST_NAMES: Final = 100
LONGEST_NAME: Final = 60
EARLIEST_UTC: Final = datetime(2004, 7, 1, tzinfo=UTC)
"""When the ISPS Code came into force: nothing that it asks for was done before."""
LATEST_UTC: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""What lies behind it is no date but a way to say *never*; calendars and time zones end somewhere too."""
EARLIEST_DAY: Final = date(1990, 1, 1)
_YES_NO: Final = {"yes": True, "no": False}
_WHOLE: Final = re.compile(r"-?\d{1,9}")


class Is(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    MOMENT = "moment"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"
    TOLD = "told"
    NAMES = "names"


_WANTS: Final[Mapping[Is, str]] = {
    Is.TEXT: "a text of at most {most} characters",
    Is.NUMBER: "a whole number from {least} to {most}",
    Is.MOMENT: "a moment in UTC: 2026-11-22T02:10Z",
    Is.DATE: "a date: 2026-11-22",
    Is.YES_NO: "yes or no",
    Is.CHOICE: "one of {of}",
    Is.NAMES: "names, several with ; between",
    Is.TOLD: "who @ when, several with ; between: Master @ 2026-11-22T02:10Z",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form.

    Attributes:
        name: Its member in the entry.
        says: What is wanted, for the person who types.
        private: Only for the SSO and the Master, in an entry that the watch may read.
        least: The smallest number.
        most: The largest number, or the most characters of a text.
        of: What may be chosen.
        after: The field whose moment this one may not be before.
        within: The field whose number this one may not be above.
        future: The moment may lie ahead.
    """

    name: str
    is_: Is
    says: str
    optional: bool = False
    private: bool = False
    least: int = 0
    most: int = LONGEST_TEXT
    of: tuple[str, ...] = ()
    after: str | None = None
    within: str | None = None
    future: bool = False

    def wants(self) -> str:
        """Return what may be typed, in words."""
        bounds = {"least": self.least, "most": self.most, "of": ", ".join(self.of)}
        return _WANTS[self.is_].format_map(bounds)

    def told(self) -> dict[str, Json]:
        """Return what it asks for, for whoever fills it in."""
        return {
            "name": self.name,
            "says": self.says,
            "wants": self.wants(),
            "optional": self.optional,
            "is": self.is_.value,
            "least": self.least,
            "most": self.most,
            "of": [*self.of],
            "private": self.private,
        }


def value_of(field: Field, typed: str, *, now_utc: datetime | None) -> Json:
    """Return what goes into the entry; nothing typed is null where that is allowed.

    Args:
        field: Of which form.
        typed: By a person.
        now_utc: Nothing was done later than this; None where the clock cannot be trusted.

    Raises:
        RefusedError: It is not what the field wants.
    """
    typed = typed.strip()
    if not typed:
        if field.optional:
            return None
        raise RefusedError(f"{field.name} is wanted: {field.says}")
    return _READERS[field.is_](field, typed, now_utc)


def in_zone(field: Field, typed: str, zone: tzinfo) -> str:
    """Return what was typed, with its zone behind each moment that says none: pages have a clock without one."""
    if field.is_ is Is.MOMENT:
        return with_zone(typed, zone)
    if field.is_ is not Is.TOLD:
        return typed
    told = (line.partition("@") for line in typed.split(";"))
    return ";".join(f"{who}{at}{with_zone(when, zone)}" for who, at, when in told)


def with_zone(typed: str, zone: tzinfo) -> str:
    """Return a moment with its zone; anything else as it is."""
    try:
        found = datetime.fromisoformat(typed.strip())
    except ValueError:
        return typed
    return typed if found.tzinfo is not None else found.replace(tzinfo=zone).isoformat()


def check_together(fields: Mapping[str, Field], values: Mapping[str, Json]) -> None:
    """Refuse values that each may be, but not beside the others.

    Raises:
        RefusedError: A moment before the one that it follows, a part larger than the whole.
    """
    for field in fields.values():
        if (reason := _against(field, values)) is not None:
            raise RefusedError(reason, wants={"fields": {field.name: reason}})


def _against(field: Field, values: Mapping[str, Json]) -> str | None:
    """Return what speaks against a field's value beside the others; None where nothing does."""
    value = values.get(field.name)
    if field.after is not None and isinstance(value, str):
        earlier = values.get(field.after)
        if isinstance(earlier, str) and value < earlier:
            return f"{field.name} ({value}) is before {field.after} ({earlier})"
    if field.within is not None and isinstance(value, int):
        whole = values.get(field.within)
        if isinstance(whole, int) and value > whole:
            return f"{field.name} ({value}) is more than {field.within} ({whole})"
    return None


def moment(name: str, typed: str) -> datetime:
    """Return a moment in UTC.

    Raises:
        RefusedError: It is none, says no zone, or lies before the ISPS Code.
    """
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None:
        raise RefusedError(f"{name} is a moment with its zone, 2026-11-22T02:10Z: {typed[:40]!r}")
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        raise RefusedError(f"{name}: {typed[:40]} is out of every calendar") from None
    if found < EARLIEST_UTC:
        raise RefusedError(f"{name}: {typed[:40]} is before {EARLIEST_UTC:%d %b %Y}")
    if found >= LATEST_UTC:
        raise RefusedError(
            f"{name}: {typed[:40]} is too far ahead; leave it out where there is no end"
        )
    return found


def _text(field: Field, typed: str, _: datetime | None) -> Json:
    if len(typed) > field.most or not typed.isprintable():
        raise RefusedError(f"{field.name} is {field.wants()}, all of them printable")
    return typed


def _number(field: Field, typed: str, _: datetime | None) -> Json:
    if not _WHOLE.fullmatch(typed) or not field.least <= int(typed) <= field.most:
        raise RefusedError(f"{field.name} is {field.wants()}: {typed[:40]!r}")
    return int(typed)


def _moment(field: Field, typed: str, now_utc: datetime | None) -> Json:
    found = moment(field.name, typed)
    if now_utc is not None and found > now_utc and not field.future:
        raise RefusedError(
            f"{field.name}: {found:%Y-%m-%dT%H:%MZ} lies ahead; it is {now_utc:%Y-%m-%dT%H:%MZ} now"
        )
    return forms.utc(found)


def _date(field: Field, typed: str, _: datetime | None) -> Json:
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        raise RefusedError(f"{field.name} is {field.wants()}: {typed[:40]!r}") from None
    if not EARLIEST_DAY <= found < LATEST_UTC.date():
        raise RefusedError(
            f"{field.name}: {typed[:40]} is none of 1990 to 2199; leave it out where there is no end"
        )
    return found.isoformat()


def _yes_no(field: Field, typed: str, _: datetime | None) -> Json:
    if typed.lower() not in _YES_NO:
        raise RefusedError(f"{field.name} is yes or no: {typed[:40]!r}")
    return _YES_NO[typed.lower()]


def _choice(field: Field, typed: str, _: datetime | None) -> Json:
    if typed not in field.of:
        raise RefusedError(f"{field.name} is {field.wants()}: {typed[:40]!r}")
    return typed


def _told(field: Field, typed: str, now_utc: datetime | None) -> Json:
    lines = [line.strip() for line in typed.split(";") if line.strip()]
    if len(lines) > MOST_TOLD:
        raise RefusedError(f"{field.name}: at most {MOST_TOLD} persons")
    found = []
    for line in lines:
        who, _, at = (word.strip() for word in line.partition("@"))
        if not who or not at or not who.isprintable() or len(who) > LONGEST_TEXT:
            raise RefusedError(f"{field.name} is {field.wants()}: {line[:40]!r}")
        found.append({"who": who, "at": _moment(field, at, now_utc)})
    return found


def _names(field: Field, typed: str, _: datetime | None) -> Json:
    names = [name.strip() for name in typed.split(";") if name.strip()]
    if not names or len(names) > MOST_NAMES:
        raise RefusedError(f"{field.name}: 1 to {MOST_NAMES} names")
    for name in names:
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise RefusedError(f"{field.name} is {field.wants()}: {name[:40]!r}")
    return [*dict.fromkeys(names)]


_Reader: TypeAlias = "Callable[[Field, str, datetime | None], Json]"
_READERS: Final[Mapping[Is, _Reader]] = {
    Is.TEXT: _text,
    Is.NUMBER: _number,
    Is.MOMENT: _moment,
    Is.DATE: _date,
    Is.YES_NO: _yes_no,
    Is.CHOICE: _choice,
    Is.TOLD: _told,
    Is.NAMES: _names,
}
