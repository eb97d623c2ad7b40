"""A picture as a JPEG camera would pack it: fields of one brightness each, with the noise of a sensor.

Written from ISO/IEC 10918-1 (annexes F and K) and RFC 2435: the scan of a baseline JPEG 4:2:2 in which every block has
its mean brightness and nothing else, and the RTP payloads that carry it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 320, 240
BLOCK = 8
COLUMNS, ROWS = WIDTH // BLOCK, HEIGHT // BLOCK
QUALITY = 50
"""RFC 2435: the tables of annex K as they are."""
LUMA_STEP = 16 / BLOCK
"""What one count of the first coefficient is worth in brightness: the table's 16 by the 8 of the transform."""
DC_CODES = ("00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110")
END_OF_LUMA_BLOCK = "1010"
GREY_CHROMA_BLOCK = "00" + "00"
"""No difference, and the end of the block: as annex K codes them for chroma."""
PAYLOAD_BYTES = 1300
BULKHEAD = tuple(
    round(110 + 50 * math.sin(row / 5) + 30 * math.cos(column / 7))
    for row in range(ROWS)
    for column in range(COLUMNS)
)
"""Its brightness in each field, light on it."""


def scan(brightness: Sequence[int]) -> bytes:
    """Return the packed picture of so many fields, row by row from the top left."""
    bits: list[str] = []
    before = 0
    for index in range(0, COLUMNS * ROWS, 2):
        for value in brightness[index : index + 2]:
            count = round((value - 128) / LUMA_STEP)
            bits.append(_difference(count - before) + END_OF_LUMA_BLOCK)
            before = count
        bits.append(GREY_CHROMA_BLOCK * 2)
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    packed = int(text, 2).to_bytes(len(text) // 8, "big")
    return packed.replace(b"\xff", b"\xff\x00")


def payloads(packed: bytes) -> Iterator[bytes]:
    """Yield the payloads of a picture's packets (RFC 2435 3.1)."""
    for offset in range(0, len(packed), PAYLOAD_BYTES):
        head = bytes([0]) + offset.to_bytes(3, "big") + bytes([0, QUALITY, WIDTH // 8, HEIGHT // 8])
        yield head + packed[offset : offset + PAYLOAD_BYTES]


def view(turn: int, noise: Sequence[int]) -> list[int]:
    """Return what the camera sees: a bulkhead with light on it, something that moves, and noise."""
    place = turn % COLUMNS
    return [
        max(0, min(255, BULKHEAD[index] + noise[index] + 60 * (index % COLUMNS == place)))
        for index in range(COLUMNS * ROWS)
    ]


def flat(value: int, noise: Sequence[int]) -> list[int]:
    """Return a picture of nothing: a cap on the lens, or a bag over the camera."""
    return [max(0, min(255, value + each)) for each in noise]


def _difference(count: int) -> str:
    size = abs(count).bit_length()
    if size == 0:
        return DC_CODES[0]
    value = count if count > 0 else count + (1 << size) - 1
    return DC_CODES[size] + format(value, f"0{size}b")
