"""What does a JPEG file look like whose scans come by RTP? The headers that are not sent are put before them.

Source: RFC 2435, types 0, 1, 64 and 65: baseline JPEG, YUV 4:2:2 or 4:2:0, with the tables of ISO/IEC 10918-1 annex K.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from daemon.errors import FrameError

MAIN_BYTES: Final = 8
RESTART_TYPES: Final = range(64, 128)
SENT_TABLES: Final = 128
"""From this Q on the quantisation tables are sent along."""
TABLES_BYTES: Final = 128

# ISO/IEC 10918-1 annex K.1, in zigzag order, as RFC 2435 4.2 and appendix A have them.
LUMA: Final = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51"
    "575f626768673e4d71797064785c656763"
)
CHROMA: Final = bytes.fromhex("1112121815182f1a1a2f63423842") + b"\x63" * 50

_DC: Final = bytes(range(12))
_LUMA_DC: Final = bytes.fromhex("00010501010101010100000000000000") + _DC
_CHROMA_DC: Final = bytes.fromhex("00030101010101010101010000000000") + _DC
_LUMA_AC: Final = bytes.fromhex(
    "0002010303020403050504040000017d"
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728"
    "292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a83848586878889"
    "8a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2"
    "e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_CHROMA_AC: Final = bytes.fromhex(
    "00020102040403040705040400010277"
    "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a26"
    "2728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a828384858687"
    "88898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9da"
    "e2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one packet brings of a picture."""

    offset: int
    kind: int
    width: int
    height: int
    restart_interval: int
    tables: bytes
    scan: bytes


def read_piece(payload: bytes) -> Piece:
    """Read the payload of one packet (RFC 2435 3.1).

    Raises:
        FrameError: It is too short, or of a type that is not known here.
    """
    if len(payload) < MAIN_BYTES:
        raise FrameError("short JPEG packet")
    offset = int.from_bytes(payload[1:4], "big")
    kind, quality, width, height = payload[4], payload[5], payload[6] * 8, payload[7] * 8
    rest, interval = payload[MAIN_BYTES:], 0
    if kind in RESTART_TYPES:
        if len(rest) < 4:  # noqa: PLR2004
            raise FrameError("short JPEG packet")
        interval, rest = int.from_bytes(rest[:2], "big"), rest[4:]
    if kind & 0x3F > 1:
        raise FrameError(f"JPEG of type {kind}")
    if not width or not height:
        raise FrameError("JPEG wider or higher than 2040 points")
    tables = b""
    if offset == 0:
        tables, rest = _tables(quality, rest)
    return Piece(offset, kind & 1, width, height, interval, tables, rest)


def jpeg_file(first: Piece, scan: bytes) -> bytes:
    """Return a whole file: the headers that the first piece tells of, the scan, and the end."""
    sampling = 0x22 if first.kind else 0x21
    halves = [first.tables[:64], first.tables[64:128]]
    parts = [b"\xff\xd8"]
    parts += [_segment(0xDB, bytes([number]) + table) for number, table in enumerate(halves)]
    if first.restart_interval:
        parts.append(_segment(0xDD, struct.pack(">H", first.restart_interval)))
    parts.append(
        _segment(
            0xC0,
            struct.pack(">BHHB", 8, first.height, first.width, 3)
            + bytes([1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1]),
        )
    )
    codes = ((0x00, _LUMA_DC), (0x10, _LUMA_AC), (0x01, _CHROMA_DC), (0x11, _CHROMA_AC))
    parts += [_segment(0xC4, bytes([number]) + table) for number, table in codes]
    parts.append(_segment(0xDA, bytes([3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])))
    return b"".join([*parts, scan, b"" if scan.endswith(b"\xff\xd9") else b"\xff\xd9"])


def _tables(quality: int, rest: bytes) -> tuple[bytes, bytes]:
    """Return both quantisation tables in zigzag order, and what is left of the packet."""
    if quality < SENT_TABLES:
        if not 1 <= quality <= 99:  # noqa: PLR2004 (RFC 2435 4.2)
            raise FrameError(f"JPEG of quality {quality}")
        scale = 5000 // quality if quality < 50 else 200 - quality * 2  # noqa: PLR2004
        scaled = (min(255, max(1, (each * scale + 50) // 100)) for each in LUMA + CHROMA)
        return bytes(scaled), rest
    if len(rest) < 4:  # noqa: PLR2004
        raise FrameError("short JPEG packet")
    length, rest = int.from_bytes(rest[2:4], "big"), rest[4:]
    if length != TABLES_BYTES or len(rest) < length:
        raise FrameError("JPEG whose quantisation tables are not two of 8 bits")
    return rest[:length], rest[length:]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
