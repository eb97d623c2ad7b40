"""What goes over a serial Modbus line, and is what came back the answer to what was asked?

MODBUS over Serial Line V1.02, 2.5.1 (RTU framing, silent intervals) and 6.2 (CRC). Pure: no ports, no time.

An RTU frame carries no transaction number and its end is a silence, so only a whole, intact frame of
the right unit, function and length is an answer, and only when nothing stands before or behind it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from daemon.drivers.modbus_frames import EXCEPTION_BIT, REQUESTS, MismatchError, Refusal

if TYPE_CHECKING:
    from daemon.drivers.modbus_frames import Question

QUESTION_BYTES = 8
REFUSAL_BYTES = 5
LONGEST_FRAME_BYTES = 256
_AROUND_PAYLOAD_BYTES = 5
"""Unit, function, byte count; and the CRC of two."""
_CRC_BYTES = 2
_START = struct.Struct(">BBB")


def question_frame(question: Question) -> bytes:
    """Return the bytes to send."""
    request = REQUESTS[question.function](
        address=question.address, count=question.count, dev_id=question.unit
    )
    return FramerRTU(DecodePDU(is_server=False)).buildFrame(request)


def answer_bytes(question: Question) -> int:
    """Return how long the answer is on the wire."""
    return question.payload_bytes + _AROUND_PAYLOAD_BYTES


def read_answer(question: Question, received: bytes) -> bytes | Refusal | None:
    """Return the inputs as they stand in the answer, or its refusal; None for anything else."""
    if len(received) not in {answer_bytes(question), REFUSAL_BYTES} or not is_intact(received):
        return None
    unit, function, third = _START.unpack_from(received)
    if unit != question.unit:
        return None
    if function == question.function | EXCEPTION_BIT and len(received) == REFUSAL_BYTES:
        return Refusal(third)
    if (function, third) != (question.function, question.payload_bytes):
        return None
    if len(received) != answer_bytes(question):  # it announces inputs, and has none
        return None
    return received[_START.size : -_CRC_BYTES]


def why_not(question: Question, received: bytes) -> MismatchError:
    """Return what is wrong with what came instead of an answer.

    Values are named of an intact frame only. Of anything else they could be inputs that have slipped
    into the place of a header, and an input may be the test lamp of an SSAS unit (invariant 1).
    """
    if not is_intact(received):
        return MismatchError("crc", "not one intact frame")
    for field, seen, asked in (
        ("unit", received[0], question.unit),
        ("function", received[1], question.function),
    ):
        if seen != asked:
            return MismatchError(field, f"got {seen}, not {asked}")
    return MismatchError("length", f"got {len(received)}, not {answer_bytes(question)}")


def is_intact(received: bytes) -> bool:
    """Return whether the bytes are one frame with the right CRC."""
    if not REFUSAL_BYTES <= len(received) <= LONGEST_FRAME_BYTES:
        return False
    crc = FramerRTU.compute_CRC(received[:-_CRC_BYTES])
    return crc == int.from_bytes(received[-_CRC_BYTES:], "big")
