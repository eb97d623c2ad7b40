"""What a Modbus unit answers, and the ways in which an answer can be wrong. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from simulators.api import seconds, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HEADER = struct.Struct(">HHHB")
"""Transaction, protocol, length of what follows it, unit (Messaging on TCP/IP 3.1.3)."""
_READ = struct.Struct(">BHH")
"""Function, first address, count (Application Protocol 6.1 to 6.4)."""

BIT_FUNCTIONS = frozenset({1, 2})
MOST_BITS = 2000
MOST_WORDS = 125
ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
BITS_PER_WORD = 16
LONGEST_DELAY_S = 60.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer as it should go out.

    Attributes:
        pdu: Function code and what follows it.
    """

    transaction: int
    protocol: int
    unit: int
    pdu: bytes

    def frame(self) -> bytes:
        """Return it as bytes."""
        return HEADER.pack(self.transaction, self.protocol, len(self.pdu) + 1, self.unit) + self.pdu


ANALOGUE_FUNCTION = 4


@dataclass(slots=True)
class Analogue:
    """Analogue inputs, one input register each.

    Attributes:
        address: Of the first one.
        currents_ma: What flows in each loop, in mA.
        counts_full: The word at ``ma_at_full``.
        ma_at_zero: The current at the word 0, in mA.
    """

    address: int
    currents_ma: list[float]
    counts_full: int = 65535
    ma_at_zero: float = 0.0
    ma_at_full: float = 20.0

    def asked(self, pdu: bytes) -> bytes | None:
        """Return the words that a request asks for; None where it asks for anything else."""
        if len(pdu) != _READ.size:
            return None
        function, address, count = _READ.unpack(pdu)
        first = address - self.address
        if function != ANALOGUE_FUNCTION or first < 0 or count < 1:
            return None
        wanted = self.currents_ma[first : first + count]
        if len(wanted) < count:
            return None
        return b"".join(self._word(current_ma).to_bytes(2, "big") for current_ma in wanted)

    def _word(self, current_ma: float) -> int:
        """Return the word of a current; what is outside the range stands at its end."""
        share = (current_ma - self.ma_at_zero) / (self.ma_at_full - self.ma_at_zero)
        return min(max(round(share * self.counts_full), 0), self.counts_full)


def answer(
    pdu: bytes,
    inputs: Sequence[bool],
    places: Mapping[int, int],
    analogue: Analogue | None = None,
) -> bytes:
    """Return the answer to one request, by the flow charts of 6.1 to 6.4.

    ``places`` is the address of the first input by function code; other functions are refused.
    """
    if analogue is not None and (values := analogue.asked(pdu)) is not None:
        return bytes([ANALOGUE_FUNCTION, len(values)]) + values
    function = pdu[0]
    if function not in places:
        return refusal(function, ILLEGAL_FUNCTION)
    if len(pdu) != _READ.size:
        return refusal(function, ILLEGAL_VALUE)
    _, address, count = _READ.unpack(pdu)
    bits = function in BIT_FUNCTIONS
    if not 1 <= count <= (MOST_BITS if bits else MOST_WORDS):
        return refusal(function, ILLEGAL_VALUE)
    first = address - places[function]
    there = len(inputs) if bits else -(-len(inputs) // 16)
    if first < 0 or first + count > there:
        return refusal(function, ILLEGAL_ADDRESS)
    if bits:
        values = _packed(inputs[first : first + count], 8)
    else:
        words = _packed(inputs[first * 16 : (first + count) * 16], 16)
        values = b"".join(words[n : n + 2][::-1] for n in range(0, len(words), 2))
    return bytes([function, len(values)]) + values


def asks_for(pdu: bytes, number: int, places: Mapping[int, int]) -> bool:
    """Return whether a read request covers an input."""
    if len(pdu) != _READ.size or pdu[0] not in places:
        return False
    function, address, count = _READ.unpack(pdu)
    first, size = address - places[function], 1 if function in BIT_FUNCTIONS else BITS_PER_WORD
    return bool(first <= number // size < first + count)


def refusal(function: int, code: int) -> bytes:
    """Return an exception answer (7)."""
    return bytes([function | 0x80, code])


def measures_of(command: Mapping[str, object], inputs: int) -> tuple[int, float, int | None]:
    """Return the measures of a fault: exception code, delay in seconds, and the one input that it is of, if any.

    Raises:
        ValueError: One is wrong.
    """
    code = whole(command, "code", low=1, high=255, default=2)
    by_s = seconds(command, "by_s", high=LONGEST_DELAY_S) if "by_s" in command else 0.0
    if "input" not in command:
        return code, by_s, None
    return code, by_s, whole(command, "input", low=0, high=inputs - 1)


def picture(on: object, inputs: int) -> list[bool]:
    """Return so many inputs of which the listed ones are on: what a scenario starts with.

    Raises:
        ValueError: It is no list of inputs.
    """
    numbers = range(inputs)
    if not isinstance(on, list) or any(type(n) is not int or n not in numbers for n in on):
        raise ValueError(f"on is a list of inputs from 0 to {numbers[-1]}, not {on!r}")
    return [number in on for number in numbers]


def _packed(inputs: Sequence[bool], at_a_time: int) -> bytes:
    """Return the inputs, first in the lowest bit of the first byte, filled up with zeros."""
    number = sum(1 << n for n, on in enumerate(inputs) if on)
    return number.to_bytes(-(-len(inputs) // at_a_time) * at_a_time // 8, "little")


def _right(right: Exchange, _previous: bytes) -> bytes:
    return right.frame()


FAULTS: Final[Mapping[str, Callable[[Exchange, bytes], bytes]]] = {
    # Right on the wire; the unit itself is late, or refuses.
    "late": _right,
    "slow": _right,
    "exception": _right,
    # Right on the wire; the connection ends after each answer, or is forgotten by the unit.
    "closes": _right,
    "half_open": _right,
    # Wrong on the wire: from the right answer and the one before it.
    "dead": lambda _right, _previous: b"",
    "hang": lambda _right, _previous: b"",
    "previous": lambda _right, previous: previous,
    "wrong_transaction": lambda right, _: replace(
        right, transaction=(right.transaction + 1) % 0x10000
    ).frame(),
    "zero_transaction": lambda right, _: replace(right, transaction=0).frame(),
    "wrong_protocol": lambda right, _: replace(right, protocol=1).frame(),
    "wrong_unit": lambda right, _: replace(right, unit=(right.unit + 1) % 0x100).frame(),
    "zero_unit": lambda right, _: replace(right, unit=0).frame(),
    "wrong_function": lambda right, _: replace(
        right, pdu=bytes([right.pdu[0] ^ 0x03]) + right.pdu[1:]
    ).frame(),
    "wrong_byte_count": lambda right, _: replace(
        right, pdu=right.pdu[:1] + bytes([right.pdu[1] - 1]) + right.pdu[2:]
    ).frame(),
    "short_frame": lambda right, _: replace(
        right, pdu=right.pdu[:1] + bytes([right.pdu[1] - 1]) + right.pdu[2:-1]
    ).frame(),
    "cut_frame": lambda right, _: right.frame()[:-1],
    "twice": lambda right, _: right.frame() * 2,
}
"""Every way to answer wrongly, by name."""
