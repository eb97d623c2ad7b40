"""Which tables does a unit have beside its inputs, and what do their words mean?

Parts of a profile (``modbus_profile``): facts from the maker's manual, and pure arithmetic on them. Every table is
read and none is ever written: a latch that wants a write to be cleared stays as it is (invariant 10).
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from daemon.drivers.contacts import LINES, Band, LineBands, LoopBands, line_state, loop_state

if TYPE_CHECKING:
    from daemon.model import ContactState

ADDRESSES = 65536
BITS_PER_WORD = 16
REGISTER_FUNCTIONS = frozenset({3, 4})
"""Functions that read words: sixteen inputs each, bit 0 is the first."""

Address = Annotated[int, Field(ge=0, lt=ADDRESSES)]
"""Counted from 0 as on the wire, not from 1 as in most manuals."""
LineName = Literal["rosslare-nc-single", "rosslare-nc-double", "tyco-rm-nc", "tyco-rm-no"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(BaseModel):
    """Where a fact of the profile is written down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manual: Annotated[str, Field(min_length=1)]
    page: Annotated[str, Field(min_length=1)]


class Counters(_Part):
    """How often each input has moved, counted by the module: one counter for each input, in their order."""

    function: Literal[3, 4]
    address: Address
    words: Literal[1, 2] = 2
    first: Literal["high", "low"] = "high"
    """Which word of a counter of two comes first."""
    edges: Literal["on", "off", "both"] = "on"
    """What is counted: an input that goes on, that goes off, or both."""

    @property
    def modulus(self) -> int:
        """Return the number at which a counter begins at 0 again."""
        return 1 << 16 * self.words

    def count(self, words: tuple[int, ...], number: int) -> int:
        """Return the count of one input; no other input's words are looked at."""
        at = number * self.words
        if self.words == 1:
            return words[at]
        high, low = words[at : at + 2] if self.first == "high" else words[at : at + 2][::-1]
        return high << 16 | low


class Latches(_Part):
    """Which inputs have been on, and which off, since somebody cleared the latches."""

    function: Literal[1, 2]
    on_address: Address
    off_address: Address


class LineStatus(_Part):
    """One word for each analogue input: 0 is in order, anything else a fault of its line."""

    function: Literal[3, 4]
    address: Address


class Loops(_Part):
    """How the analogue inputs of a model tell the current of supervised 4-20 mA loops."""

    counts_full: Annotated[int, Field(ge=1, le=65535)]
    """The word at ``ma_at_full``; a higher one is no current and so a line fault."""
    ma_at_zero: Annotated[float, Field(ge=0, le=4)]
    """The current at the word 0, in mA."""
    ma_at_full: Annotated[float, Field(ge=20, le=25)]
    closed_ma: Annotated[Band, Field(strict=False)]
    """From the lowest to the highest current of a closed contact, in mA; made by its resistors."""
    open_ma: Annotated[Band, Field(strict=False)]
    status: LineStatus | None = None
    """What the module itself says of each loop: burnt out, over range, under range."""

    @model_validator(mode="after")
    def _bands_can_tell(self) -> Self:
        _ = self.bands
        return self

    @cached_property
    def bands(self) -> LoopBands:
        """Which current means what; checked once, and looked at for each contact at each poll."""
        return LoopBands(self.closed_ma, self.open_ma)

    def state(self, counts: int) -> ContactState:
        """Return what a contact says by its word."""
        return loop_state(self.current_ma(counts), self.bands)

    def current_ma(self, counts: int) -> float:
        """Return the current of a word, in mA; beyond the full scale more than any loop has."""
        if counts > self.counts_full:
            return math.inf
        return self.ma_at_zero + (self.ma_at_full - self.ma_at_zero) * counts / self.counts_full


class Resistances(_Part):
    """How the analogue inputs of a model tell the resistance of lines with resistors at their end."""

    ohm_per_count: Annotated[float, Field(gt=0, le=1000)]
    counts_full: Annotated[int, Field(ge=1, le=65535)]
    """From this word on the line is open: more ohms than the module can measure."""
    line: LineName
    """Which resistors are at the contact: one of ``contacts.LINES``."""

    @property
    def bands(self) -> LineBands:
        """Return which resistance means what."""
        return LINES[self.line]

    def state(self, counts: int) -> ContactState:
        """Return what a contact says by its word."""
        return line_state(self.ohm(counts), self.bands)

    def ohm(self, counts: int) -> float:
        """Return the resistance of a word, in ohms."""
        return math.inf if counts >= self.counts_full else counts * self.ohm_per_count
