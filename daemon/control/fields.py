"""The fields of a request that came over the control socket: each is what it must be, or is refused by name."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import RefusedError
from daemon.people.claims import Claim

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TEXT: Final = 400
EARLIEST_YEAR: Final = 1990
LATEST_YEAR: Final = 2200
SHORTEST_PIN: Final = 4
LONGEST_PIN: Final = 64


def text(request: Mapping[str, Any], field: str) -> str:
    """Return a text that is there and can stand in an entry.

    Raises:
        RefusedError: It is not.
    """
    value = request.get(field)
    if not isinstance(value, str) or not value:
        raise RefusedError(f"{field} is wanted, as text")
    return writable(value, field)


def optional_text(request: Mapping[str, Any], field: str) -> str | None:
    """Return a text; None where the field is missing or null.

    Raises:
        RefusedError: It is something else.
    """
    return None if request.get(field) is None else text(request, field)


def writable(value: str, field: str) -> str:
    """Return a text that can stand in an entry: JSON lets half a character through, UTF-8 does not.

    Raises:
        RefusedError: It cannot.
    """
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise RefusedError(f"{field} has at most {LONGEST_TEXT} characters, all of them printable")
    return value


def as_writable(words: str) -> str:
    """Return words as a text takes them: a space for what is not printable, and no more than it holds."""
    return "".join(each if each.isprintable() else " " for each in words)[:LONGEST_TEXT]


def moment(request: Mapping[str, Any], field: str) -> datetime:
    """Return a moment in UTC: ``2026-11-22T02:10Z``.

    Raises:
        RefusedError: It is none, or says no zone.
    """
    try:
        found = datetime.fromisoformat(text(request, field))
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None:
        raise RefusedError(f"{field} is a moment with its zone: 2026-11-22T02:10Z")
    if not EARLIEST_YEAR <= found.year < LATEST_YEAR:  # beyond them calendars and zones end
        raise RefusedError(f"{field} lies in {EARLIEST_YEAR} to {LATEST_YEAR - 1}")
    return found


def number(request: Mapping[str, Any], field: str) -> int:
    """Return a whole number.

    Raises:
        RefusedError: It is none.
    """
    value = request.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RefusedError(f"{field} is wanted, as a number")
    return value


def names(request: Mapping[str, Any], *, count: int) -> list[str]:
    """Return the names in ``by``.

    Raises:
        RefusedError: Not so many.
    """
    found = request.get("by")
    if (
        not isinstance(found, list)
        or len(found) != count
        or not all(isinstance(name, str) for name in found)
    ):
        persons = "one person" if count == 1 else f"{count} persons"
        raise RefusedError(f"by is wanted: {persons}, by name")
    return found


def pin(value: object, field: str) -> str | None:
    """Return a PIN or a code as it was typed; None where none was given. It is never in the reason of a refusal.

    Raises:
        RefusedError: It can be none.
    """
    if value is None:
        return None
    if (
        not isinstance(value, str)
        or not SHORTEST_PIN <= len(value) <= LONGEST_PIN
        or not value.isprintable()
    ):
        raise RefusedError(f"{field} has {SHORTEST_PIN} to {LONGEST_PIN} printable characters")
    return value


def claim(request: Mapping[str, Any]) -> Claim:
    """Return who says that he acts: ``by``, and ``pin`` where he gives one.

    Raises:
        RefusedError: No name, or a PIN that can be none.
    """
    return Claim(text(request, "by"), pin(request.get("pin"), "pin"))


def claims(request: Mapping[str, Any], *, count: int) -> list[Claim]:
    """Return who say that they act together: ``by``, and in ``pins`` one for each, or null.

    Raises:
        RefusedError: Not so many, or a PIN that can be none.
    """
    found = names(request, count=count)
    pins = request.get("pins")
    if pins is None:
        pins = [None] * count
    if not isinstance(pins, list) or len(pins) != count:
        raise RefusedError("pins has as many as by, in the same order")
    return [
        Claim(writable(name, "by"), pin(said, "pins"))
        for name, said in zip(found, pins, strict=True)
    ]
