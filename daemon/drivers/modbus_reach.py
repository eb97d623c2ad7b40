"""What does a poll ask a unit for, and which of it does the unit not have?

Pure. A table is asked for in as few requests as the model takes. A unit that refuses a request as a whole because its
map is shorter than asked, or has a hole (exception 2; some say 3), is asked for the halves at the next poll, and so
on until what it does not have is found: the rest lives. What is missing is asked for again once in a while, for a
module is put back, or a controller started, without the connection knowing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from daemon.drivers.modbus_tables import BITS_PER_WORD, REGISTER_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.drivers.modbus_profile import Profile

MOST_SPANS = 16
"""So many requests for one table in a poll are enough to look for a hole."""
MOST_RETRIED = 4
"""So many requests for what is missing may a poll have besides."""


class Part(Enum):
    """What a table tells."""

    LINES = auto()
    """What the module says of its analogue lines."""
    COUNTERS = auto()
    LATCHED_ON = auto()
    LATCHED_OFF = auto()
    STATES = auto()


@dataclass(frozen=True, slots=True)
class Block:
    """One table: so many bits or words from an address on.

    Attributes:
        words_per_input: 0 where each input is one bit, be it of a word.
    """

    part: Part
    function: int
    address: int
    count: int
    words_per_input: int = 0

    @property
    def is_words(self) -> bool:
        """Return whether it is read in words."""
        return self.function in REGISTER_FUNCTIONS


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a table that one request asks for, counted from the table's first address."""

    first: int
    count: int


def blocks(profile: Profile, *, counters: bool, latches: bool) -> Iterator[Block]:
    """Yield what a poll reads, in this order: the states last.

    A counter or latch that is read before the states never knows of a movement that the states do not show yet.
    """
    if profile.loops is not None and (status := profile.loops.status) is not None:
        yield Block(Part.LINES, status.function, status.address, profile.inputs, 1)
    if counters and (table := profile.counters) is not None:
        count = table.words * profile.inputs
        yield Block(Part.COUNTERS, table.function, table.address, count, table.words)
    if latches and (both := profile.latches) is not None:
        yield Block(Part.LATCHED_ON, both.function, both.on_address, profile.inputs)
        yield Block(Part.LATCHED_OFF, both.function, both.off_address, profile.inputs)
    yield Block(
        Part.STATES, profile.function, profile.address, profile.count, int(profile.is_analogue)
    )


class Reach:
    """What of one table a unit tells, learnt from its refusals; one for each connection.

    Attributes:
        spans: What to ask for.
        missing: What the unit does not have.
        is_hopeless: It has nothing of it.
    """

    def __init__(self, block: Block, *, longest: int) -> None:
        self.block = block
        self._longest = longest
        self._whole = _cut(Span(0, block.count), longest)
        self.spans = self._whole
        self.missing: tuple[Span, ...] = ()
        self._refused: set[Span] = set()
        self._was_joined = False
        self.is_hopeless = False

    def refuse(self, span: Span) -> None:
        """Note that the unit does not have all of a span; ``learn`` draws the conclusion."""
        self._refused.add(span)

    def learn(self) -> None:
        """Prepare the next poll by what was refused in this one."""
        refused, self._refused = self._refused, set()
        if not refused:
            self.is_hopeless = False
            self._join()
            return
        if self.is_hopeless:
            return
        self.missing += tuple(span for span in refused if span.count == 1)
        left = [span for span in self.spans if span not in self.missing]
        room = MOST_SPANS - len(left)
        if room == 0 and (last := [span for span in left if span in refused][-1:]):
            # No room to halve any: a map that is too short lacks its end, so the end is given up first.
            self.missing += tuple(last)
            left.remove(last[0])
            room = 1
        spans: list[Span] = []
        for span in left:
            if span in refused and room > 0:
                half = span.count // 2
                spans += [Span(span.first, half), Span(span.first + half, span.count - half)]
                room -= 1
            else:
                spans.append(span)
        if spans:
            self.spans = tuple(spans)
            return
        # Nothing of it is there: it is asked for as a whole, for the day that it is.
        self.spans, self.missing, self.is_hopeless = self._whole, (), True

    def retry(self) -> None:
        """Ask in the next poll for some of what is missing, beside all that is told; search anew where nothing was.

        A coupler that is starting refuses everything, and may then be there without one of its modules.
        """
        self.is_hopeless = False
        again, self.missing = self.missing[:MOST_RETRIED], self.missing[MOST_RETRIED:]
        self.spans = tuple(sorted((*self.spans, *again), key=lambda span: span.first))

    def _join(self) -> None:
        """Ask for neighbours in one request again, once everything that is asked for was answered.

        Only once where something is missing: a unit that does not like the joined requests gets the short ones again.
        """
        if self.spans == self._whole or (self._was_joined and self.missing):
            return
        self._was_joined = True
        joined: list[Span] = []
        for span in self.spans:
            last = joined[-1] if joined else None
            if last is not None and last.first + last.count == span.first:
                joined[-1] = Span(last.first, last.count + span.count)
            else:
                joined.append(span)
        self.spans = tuple(part for span in joined for part in _cut(span, self._longest))


def joined(block: Block, answers: dict[Span, bytes]) -> bytes:
    """Return the table as one payload; what was not answered is 0."""
    if len(answers) == 1:
        [(span, payload)] = answers.items()
        if span.count == block.count:
            return payload
    if block.is_words:
        words = bytearray(2 * block.count)
        for span, payload in answers.items():
            words[2 * span.first : 2 * (span.first + span.count)] = payload
        return bytes(words)
    bits = 0
    for span, payload in answers.items():
        bits |= (int.from_bytes(payload, "little") & (1 << span.count) - 1) << span.first
    return bits.to_bytes(-(-block.count // 8), "little")


def inputs_of(span: Span, block: Block) -> range:
    """Return the inputs that a span of a table holds."""
    if block.is_words and block.words_per_input == 0:
        return range(span.first * BITS_PER_WORD, (span.first + span.count) * BITS_PER_WORD)
    each = max(1, block.words_per_input)
    return range(span.first // each, -(-(span.first + span.count) // each))


def _cut(span: Span, longest: int) -> tuple[Span, ...]:
    ends = span.first + span.count
    return tuple(
        Span(first, min(longest, ends - first)) for first in range(span.first, ends, longest)
    )
