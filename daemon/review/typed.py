"""What may be typed into a form? Each field is of a kind that bounds it; what is no such thing is refused by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from daemon.control import fields
from daemon.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.model import Json

MOST_FIELDS: Final = 200
LONGEST_NAME: Final = 80
MOST_DIGITS: Final = 15
"""Of the highest number that a record has."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")


class Field(Protocol):
    """One field of a form, or several that belong together."""

    @property
    def name(self) -> str:
        """What it is called, in the form and in the request."""
        ...

    def read(self, typed: Mapping[str, str]) -> Json:
        """Return what was typed; None where nothing was and nothing had to be.

        Raises:
            RefusedError: It is not what this field takes.
        """
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Some words on one line; the ends of typed lines become blanks."""

    name: str
    wanted: bool = True
    longest: int = fields.LONGEST_TEXT

    def read(self, typed: Mapping[str, str]) -> Json:
        said = " ".join(typed.get(self.name, "").split())
        if not said:
            _must_not_be_wanted(self.name, wanted=self.wanted)
            return None
        if len(said) > self.longest:
            raise RefusedError(f"{words(self.name)} has at most {self.longest} characters")
        return fields.writable(said, self.name)


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    name: str
    wanted: bool = True
    least: int = 0
    most: int = 999_999_999

    def read(self, typed: Mapping[str, str]) -> Json:
        said = typed.get(self.name, "").strip()
        if not said:
            _must_not_be_wanted(self.name, wanted=self.wanted)
            return None
        if _NUMBER.fullmatch(said) is None or not self.least <= int(said) <= self.most:
            raise RefusedError(f"{words(self.name)} is a number from {self.least} to {self.most}")
        return int(said)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    name: str
    among: tuple[str, ...]
    wanted: bool = True

    def read(self, typed: Mapping[str, str]) -> Json:
        if not (said := typed.get(self.name, "")):
            _must_not_be_wanted(self.name, wanted=self.wanted)
            return None
        if said not in self.among:
            raise RefusedError(f"{words(self.name)} is one of: {', '.join(self.among)}")
        return said


@dataclass(frozen=True, slots=True)
class Pin:
    """A PIN, typed anew for this one act; it is never shown again, nor kept."""

    name: str = "pin"
    wanted: bool = True

    def read(self, typed: Mapping[str, str]) -> Json:
        if not (said := typed.get(self.name, "")):
            _must_not_be_wanted(self.name, wanted=self.wanted)
            return None
        return fields.pin(said, words(self.name))


def read(wanted: Iterable[Field], typed: Mapping[str, str]) -> dict[str, Json]:
    """Return what a form says, without what was left empty; what is no field of it is not read.

    Raises:
        RefusedError: A field is not what it must be.
    """
    found = {field.name: field.read(typed) for field in wanted}
    return {name: said for name, said in found.items() if said is not None}


def shown_again(wanted: Iterable[Field], typed: Mapping[str, str]) -> dict[str, Json]:
    """Return what was typed, for a form that was refused; no PIN is among it."""
    secret = {field.name for field in wanted if isinstance(field, Pin)}
    return {name: said for name, said in typed.items() if name not in secret and "pin" not in name}


def texts(said: object, what: str) -> dict[str, str]:
    """Return names and texts as a browser sends them.

    Raises:
        RefusedError: It is something else, or too much.
    """
    if said is None:
        return {}
    if not isinstance(said, dict) or len(said) > MOST_FIELDS:
        raise RefusedError(f"{what} is an object with at most {MOST_FIELDS} texts")
    for name, value in said.items():
        if not isinstance(value, str) or len(name) > LONGEST_NAME:
            raise RefusedError(f"{what} is an object of texts")
    return said


def number(said: str) -> int | None:
    """Return the number of an entry, or of a byte, that an address asks for; None for what is none."""
    is_one = said.isdecimal() and said.isascii() and len(said) <= MOST_DIGITS
    return int(said) if is_one else None


def words(name: str) -> str:
    """Return a field's name as people read it."""
    return name.rpartition(".")[2].replace("_", " ")


def _must_not_be_wanted(name: str, *, wanted: bool) -> None:
    if wanted:
        raise RefusedError(f"{words(name)} is wanted")
