"""The fields of a request that came over the control socket: each is what it must be, or is refused by name."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import RefusedError
from daemon.people.claims import Claim

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TEXT: Final = 400


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


def claim(request: Mapping[str, Any]) -> Claim:
    """Return who says that he acts: ``by``, and ``pin`` where he gives one.

    Raises:
        RefusedError: No name, or a PIN that is no text.
    """
    return Claim(text(request, "by"), optional_text(request, "pin"))
