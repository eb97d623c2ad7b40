"""What was seen and said in an SSAS test, as plain facts: the record keeps them, and judging reads nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from daemon.checks.denials import denies, says_neither

if TYPE_CHECKING:
    from daemon.checks.api import Answer, Gathered
    from daemon.model import Json, Reading

Fact: TypeAlias = "Mapping[str, Json]"


def said(answer: Answer | None) -> dict[str, Json] | None:
    """Return an answer as a fact; None where nobody answered."""
    return None if answer is None else {"person": answer.person, "text": answer.text}


def seen(reading: Reading | None, readings: list[Reading]) -> dict[str, Json] | None:
    """Keep a reading among those that are evidence; return the fact that it showed something, None where none did."""
    if reading is None:
        return None
    readings.append(reading)
    return {"point": reading.point, "reading": len(readings) - 1}


def backed(gathered: Gathered, *proofs: str) -> dict[str, Json]:
    """Return the facts, those of ``proofs`` left out that say that a reading showed it and have no such reading."""
    facts = dict(gathered.facts)
    for key in proofs:
        found = fact(facts, key)
        if found is not None and "point" in found and not _is_there(found, gathered.readings):
            facts[key] = None
    return facts


def _is_there(found: Fact, readings: Sequence[Reading]) -> bool:
    number = found.get("reading")
    if not isinstance(number, int) or not 0 <= number < len(readings):
        return False
    return readings[number].point == found["point"]


def fact(facts: Mapping[str, Json], key: str) -> Fact | None:
    """Return what was seen or said under a key; None where nothing was."""
    found = facts.get(key)
    return found if isinstance(found, Mapping) else None


def text(found: Fact | None) -> str:
    """Return the words of an answer; none where there is no answer, or one that says neither yes nor no."""
    plain = words(found)
    return "" if says_neither(plain) else plain


def is_no(found: Fact | None) -> bool:
    """Return whether a person said no, with or without more words."""
    return denies(words(found))


def words(found: Fact | None) -> str:
    """Return what was typed, whatever it says; nothing where nobody answered."""
    return "" if found is None else str(found.get("text", "")).strip()


def who(found: Fact | None) -> str:
    """Return who saw it, in words: ispsd on a point, or a named person."""
    if found is None:
        return "not seen"
    if "point" in found:
        return f"seen by ispsd on {found['point']}"
    plain = words(found)
    return f"said by {found['person']}: {plain}" if plain else f"said by {found['person']}"
