"""What do we ask a unit, and is what came back the answer to it?

MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (the seven-byte header) and MODBUS
Application Protocol V1.1b3, 6.1 to 6.4 and 7 (exceptions). Pure: no sockets, no time.

The answer must match the question in every field. A library that lets one field pass, as most do
for a transaction or unit of zero or for a wrong byte count, sooner or later shows the state of one
door as that of another (``docs/decisions/0004-modbus-strictness.md``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from daemon.drivers.modbus_tables import REGISTER_FUNCTIONS
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymodbus.pdu import ModbusPDU

REQUESTS: Final[Mapping[int, type[ModbusPDU]]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
"""Every request that this driver can make: all of them read (invariant 10)."""

EXCEPTION_BIT = 0x80
KNOWN_EXCEPTIONS = frozenset({1, 2, 3, 4, 5, 6, 8, 10, 11})
"""Application Protocol 7; any other code is counted under one name, so that names stay few."""

MEANINGS: Final[Mapping[int, str]] = {
    1: "it does not know this function: is it the right profile?",
    2: "it does not have these addresses: is it the right profile, and are there so many inputs?",
    3: "it does not take so many at once, or not these",
    4: "it reports a failure of its own",
    5: "it has begun with something that takes long",
    6: "it is busy",
    10: "the gateway has no way to it",
    11: "the gateway gets no answer from it",
}
"""Application Protocol 7, in words for who has to mend it."""
BUSY = frozenset({5, 6})
NOT_THERE = frozenset({2, 3})
"""What a request meets that asks for more than there is."""
OF_GATEWAY = frozenset({10, 11})
"""Said by the gateway, not by the unit."""

_HEADER = struct.Struct(">HHHBB")
"""Transaction, protocol, length of what follows it, unit; and the function, which is the PDU's."""
_LENGTH_ENDS = 6
_EXCEPTION_LENGTH = 3


class MismatchError(LinkError):
    """What came is not the answer to what was asked; nothing on this connection can be trusted.

    Attributes:
        reason: Which field, from a small fixed set; never a word about the inputs themselves.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(f"{reason} mismatch: {detail}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The unit's exception answer: it lives, but does not tell."""

    code: int

    @property
    def reason(self) -> str:
        """Return the name that it is counted by."""
        return f"exception {self.code if self.code in KNOWN_EXCEPTIONS else 'other'}"

    @property
    def meaning(self) -> str:
        """Return what it means, in plain words."""
        return f"{MEANINGS.get(self.code, 'it says no more')} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Question:
    """One read request, and so what its answer must look like."""

    transaction: int
    unit: int
    function: int
    address: int
    count: int

    def frame(self) -> bytes:
        """Return the bytes to send."""
        request = REQUESTS[self.function](
            address=self.address,
            count=self.count,
            dev_id=self.unit,
            transaction_id=self.transaction,
        )
        return FramerSocket(DecodePDU(is_server=False)).buildFrame(request)

    @property
    def payload_bytes(self) -> int:
        """Return how many bytes of inputs the answer holds."""
        return self.count * 2 if self.function in REGISTER_FUNCTIONS else -(-self.count // 8)


def read_answer(question: Question, received: bytes) -> bytes | Refusal | None:
    """Return the inputs as they stand in the answer, or its refusal; None while it is incomplete.

    Raises:
        MismatchError: It is not, or not only, the answer to this question.
    """
    if len(received) < _HEADER.size:
        return None
    transaction, protocol, length, unit, function = _HEADER.unpack_from(received)
    _must_be("transaction", transaction, question.transaction)
    _must_be("protocol", protocol, 0)
    _must_be("unit", unit, question.unit)
    refused = function == question.function | EXCEPTION_BIT
    if not refused:
        _must_be("function", function, question.function)
    _must_be("length", length, _EXCEPTION_LENGTH if refused else 3 + question.payload_bytes)
    ends = _LENGTH_ENDS + length
    if len(received) < ends:
        return None
    _must_be("end", len(received), ends)
    if refused:
        return Refusal(received[_HEADER.size])
    _must_be("byte count", received[_HEADER.size], question.payload_bytes)
    return received[_HEADER.size + 1 :]


def words_of(payload: bytes) -> tuple[int, ...]:
    """Return the words of an answer, each sent high byte first."""
    return struct.unpack(f">{len(payload) // 2}H", payload)


def inputs_as_number(function: int, payload: bytes, *, visible: int) -> int:
    """Return the inputs as one number, input 0 in bit 0, with all but the visible ones cleared.

    The mask is applied here, at decode, so that nobody else ever holds a bit that must not be seen.
    """
    if function in REGISTER_FUNCTIONS:
        # The first word holds the first sixteen inputs.
        words = words_of(payload)
        payload = struct.pack(f"<{len(words)}H", *words)
    return int.from_bytes(payload, "little") & visible


def _must_be(field: str, seen: int, asked: int) -> None:
    if seen != asked:
        raise MismatchError(field, f"got {seen}, not {asked}")
