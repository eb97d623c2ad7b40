"""What may stand in an entry? JSON of a smaller world, as a copy that nobody else holds.

No floats, integers that every reader holds exactly, keys of lower-case ASCII, whole characters, and not too deep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from daemon.record.entry import DEEPEST, LARGEST_INTEGER, EntryError

if TYPE_CHECKING:
    from daemon.model import Json

KNOWN_KEYS = 4096
"""Of which it is remembered that they are in order: a ship has some hundred."""
_KEY = re.compile(r"[a-z0-9_]+")


def plain_copy(value: Json, place: str, deeper: int) -> Json:
    """Return a copy in the plainest types; ``place`` is for the person who reads the error.

    Raises:
        EntryError: Something in it cannot stand in an entry, or is nested deeper than that.
    """
    try:
        return _copied(value, deeper)
    except _MisfitError as misfit:
        raise EntryError(f"{place}{misfit.within}: {misfit.reason}") from None


def plain_object(value: Mapping[str, Json], place: str) -> dict[str, Json]:
    """Return the copy of an object.

    Raises:
        EntryError: It is none, or something in it cannot stand in an entry.
    """
    copy = plain_copy(value, place, DEEPEST)
    if not isinstance(copy, dict):
        raise EntryError(f"{place}: want an object")
    return copy


class _MisfitError(Exception):
    """What cannot stand in an entry, and how deep within what was given; the place is put together on the way out."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.within = ""


def _copied(value: Json, deeper: int) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise _MisfitError("half a character (a lone surrogate)")
        return str(value)
    if isinstance(value, int):
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise _MisfitError(f"{value} is beyond 2^53 - 1; write it as text")
        return int(value)
    if isinstance(value, float):
        raise _MisfitError(f"{value} is a float; use an integer of a smaller unit, or text")
    if deeper == 0:
        raise _MisfitError(f"nested deeper than {DEEPEST}")
    if isinstance(value, Mapping):
        return _copied_object(value, deeper - 1)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_within(f"[{index}]", inner, deeper - 1) for index, inner in enumerate(value)]
    raise _MisfitError(f"{type(value).__name__} cannot stand in JSON")


def _copied_object(value: Mapping[str, Json], deeper: int) -> dict[str, Json]:
    copy: dict[str, Json] = {}
    for key, inner in value.items():
        if not _is_key(key):
            raise _MisfitError(f"key {key!r}: want [a-z0-9_]+")
        if type(inner) is str and inner.isascii():  # most are
            copy[str(key)] = inner
            continue
        try:
            copy[str(key)] = _copied(inner, deeper)
        except _MisfitError as misfit:
            misfit.within = f".{key}{misfit.within}"
            raise
    return copy


@lru_cache(maxsize=KNOWN_KEYS)
def _is_key(key: object) -> bool:
    return isinstance(key, str) and _KEY.fullmatch(key) is not None


def _within(place: str, value: Json, deeper: int) -> Json:
    try:
        return _copied(value, deeper)
    except _MisfitError as misfit:
        misfit.within = place + misfit.within
        raise
