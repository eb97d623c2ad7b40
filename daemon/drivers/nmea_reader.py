"""What is a reader? One for each feed: it turns the sentences of one port into values of points.

A reader knows what came before (parts of a message, satellites of a cycle, alerts that stand) and is
made anew for each connection. It does no I/O: it is given sentences and the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from daemon.model import Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.drivers.api import PointSpec
    from daemon.drivers.sentences import Sentence
    from daemon.model import Value

Seen: TypeAlias = "tuple[str, Value | None, Quality]"
"""The point, what was seen, how good it is."""
Read: TypeAlias = "Callable[[Sentence, float], Sequence[Seen]]"
"""Reads a sentence that came at a time, in seconds since boot; raises SentenceError."""
Said: TypeAlias = "tuple[Value | None, Quality]"
"""What one sentence says of one thing."""

NOTHING: Said = (None, Quality.UNKNOWN)
"""A sentence that says that there is no value."""


class Reader(Protocol):
    """What one feed says."""

    @property
    def points(self) -> tuple[PointSpec, ...]:
        """Return every point that it may speak of."""
        ...

    @property
    def reads(self) -> Mapping[str, Read]:
        """Return how each formatter is read; one that is not among them is not read on this feed."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One formatter that says a thing, and how it is read."""

    formatter: str
    read: Callable[[Sentence], Said | None]
    """Returns what is said; None: nothing at all, not even that there is no value."""


class Thing:
    """One thing that several formatters say: the richest of those that came lately is believed.

    A receiver that sends GGA and GLL says its position twice, and not always the same: were both
    read, they would fight.
    """

    def __init__(self, point: str, valid_s: float, *richest_first: Kind) -> None:
        self.point = point
        self._valid_s = valid_s
        self._kinds = {kind.formatter: kind.read for kind in richest_first}
        self._came_s = dict.fromkeys(self._kinds, float("-inf"))

    @property
    def formatters(self) -> tuple[str, ...]:
        return tuple(self._kinds)

    def read(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        """Return what a sentence of one of its formatters says, nothing where a richer one does.

        Raises:
            SentenceError: It is asked for, and cannot be read.
        """
        spoken = sentence.formatter
        for formatter, came_s in self._came_s.items():
            if formatter == spoken:
                break
            if now_s - came_s <= self._valid_s:
                return ()  # not even read: nobody asks for what it says
        said = self._kinds[spoken](sentence)
        if said is None:
            return ()
        self._came_s[spoken] = now_s
        return ((self.point, *said),)
