"""What goes over a serial Modbus line, and the ways in which an answer can be wrong. Pure.

Written from MODBUS over Serial Line V1.02 (2.5.1, 6.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.misread import misread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_UNIT_ID = 247
NOISE = bytes.fromhex("ff 00 5a c3 00 ff ff 81")
TALKER = b"$GPGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,*6E\r\n"
"""What comes where a receiver is on the plug of the bus."""
SENT_BAUD, READ_BAUD = 19200, 9600
"""A unit whose switches say another speed than the bus has."""


def crc(words: bytes) -> bytes:
    """Return the CRC of a frame as it goes over the line, low byte first (6.2.2)."""
    register = 0xFFFF
    for byte in words:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


def frame(unit_id: int, pdu: bytes) -> bytes:
    """Return a frame as it should go out."""
    words = bytes([unit_id]) + pdu
    return words + crc(words)


def _bad_crc(unit_id: int, pdu: bytes) -> bytes:
    right = frame(unit_id, pdu)
    return right[:-1] + bytes([right[-1] ^ 0x01])


FAULTS: Final[Mapping[str, Callable[[int, bytes], bytes]]] = {
    # Right on the wire, or refusing; seldom, or late.
    "flaky": frame,
    "late": frame,
    "exception": frame,
    "slow": frame,
    # Wrong on the wire, or nothing at all.
    "baud": lambda unit_id, pdu: misread(
        frame(unit_id, pdu), sent_baud=SENT_BAUD, read_baud=READ_BAUD
    ),
    "talker": lambda _unit_id, _pdu: TALKER,
    "dead": lambda _unit_id, _pdu: b"",
    "bad_crc": _bad_crc,
    "other_unit": lambda unit_id, pdu: frame(unit_id % LONGEST_UNIT_ID + 1, pdu),
    "wrong_function": lambda unit_id, pdu: frame(unit_id, bytes([pdu[0] ^ 0x03]) + pdu[1:]),
    "wrong_byte_count": lambda unit_id, pdu: frame(unit_id, bytes([pdu[0], pdu[1] - 1]) + pdu[2:]),
    "short_frame": lambda unit_id, pdu: frame(unit_id, bytes([pdu[0], pdu[1] - 1]) + pdu[2:-1]),
    "cut_frame": lambda unit_id, pdu: frame(unit_id, pdu)[:-1],
    "twice": lambda unit_id, pdu: frame(unit_id, pdu) * 2,
    "noise": lambda _unit_id, _pdu: NOISE,
    "noise_before": lambda unit_id, pdu: NOISE[:1] + frame(unit_id, pdu),
}
"""Every way to answer wrongly, by name: what goes out for a unit and its right answer."""
