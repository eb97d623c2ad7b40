"""What was seen and said in an SSAS test, as plain facts: the record keeps them, and judging reads nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from daemon.checks.api import Answer
    from daemon.model import Json, Reading

Fact: TypeAlias = "Mapping[str, Json]"


def said(answer: Answer | None) -> dict[str, Json] | None:
    """Return an answer as a fact; None where nobody answered."""
    return None if answer is None else {"person": answer.person, "text": answer.text}


def seen(reading: Reading | None) -> dict[str, Json] | None:
    """Return that a reading showed it; None where none did."""
    return None if reading is None else {"point": reading.point}


def fact(facts: Mapping[str, Json], key: str) -> Fact | None:
    """Return what was seen or said under a key; None where nothing was."""
    found = facts.get(key)
    return found if isinstance(found, Mapping) else None


def text(found: Fact | None) -> str:
    """Return the words of an answer; none where there is no answer."""
    return "" if found is None else str(found.get("text", "")).strip()


def is_no(found: Fact | None) -> bool:
    """Return whether a person said no, with or without more words."""
    return text(found).lower().replace(",", " ").replace(":", " ").split()[:1] == ["no"]


def who(found: Fact | None) -> str:
    """Return who saw it, in words: ispsd on a point, or a named person."""
    if found is None:
        return "not seen"
    if "point" in found:
        return f"seen by ispsd on {found['point']}"
    words = text(found)
    return f"said by {found['person']}: {words}" if words else f"said by {found['person']}"
