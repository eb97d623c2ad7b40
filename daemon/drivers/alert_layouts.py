"""Which field stands where in the sentences about alerts? Shared by who reads them and by who writes them.

Source: IEC 61162-1 ALF, ALC, ALR. A layout is the fields as they are sent, texts all of them; what they may hold is for
the reader or the writer to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from daemon.drivers.sentences import fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.drivers.sentences import Sentence


class Alr(NamedTuple):
    """ALR up to its text: one alert of the older layout."""

    time: str
    number: str
    condition: str
    """A: exceeded, V: not."""
    acknowledged: str


class Alf(NamedTuple):
    """ALF up to its text: one alert, title and description in a sentence each."""

    total: str
    part: str
    message: str
    """0 to 9; the same in both sentences of a pair."""
    time: str
    category: str
    priority: str
    state: str
    maker: str
    number: str
    instance: str
    revision: str
    escalation: str


class AlcHead(NamedTuple):
    """ALC up to its entries: a part of the list of all alerts."""

    total: str
    part: str
    message: str
    """00 to 99; the same in all sentences of a list."""
    entries: str


class AlcEntry(NamedTuple):
    """One alert of the list."""

    maker: str
    number: str
    instance: str
    revision: str


def alr_of(sentence: Sentence) -> tuple[Alr, list[str]]:
    """Return the fields of ALR, and its text, in which some equipment leaves commas as they are.

    Raises:
        SentenceError: There are too few fields; so do the others.
    """
    fields = fields_of(sentence, len(Alr._fields))
    return Alr(*fields[: len(Alr._fields)]), fields[len(Alr._fields) :]


def alf_of(sentence: Sentence) -> tuple[Alf, list[str]]:
    """Return the fields of ALF, and its text."""
    fields = fields_of(sentence, len(Alf._fields))
    return Alf(*fields[: len(Alf._fields)]), fields[len(Alf._fields) :]


def alc_of(sentence: Sentence) -> tuple[AlcHead, list[str]]:
    """Return the head of ALC, and the fields of its entries."""
    fields = fields_of(sentence, len(AlcHead._fields))
    return AlcHead(*fields[: len(AlcHead._fields)]), fields[len(AlcHead._fields) :]


def entries_of(fields: Sequence[str]) -> list[AlcEntry]:
    """Return the entries of fields whose number is a multiple of an entry's."""
    size = len(AlcEntry._fields)
    return [AlcEntry(*fields[at : at + size]) for at in range(0, len(fields), size)]
