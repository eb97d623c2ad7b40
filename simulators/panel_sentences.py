"""The sentences between a central alert panel and its sources, as the panel reads and writes them.

Written from IEC 61162-1 ALF, ALC, ARC, HBT, ALR, ACN, ACK and IEC 61162-450, and from what the makers of such panels
print of them. Strict: whatever is not as the standard has it is a ``ValueError``, so that a source is found out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 82
HEADER = b"UdPbC\x00"
NULL = ""
_SENTENCE = re.compile(rb"\$([A-Z][A-Z0-9])([A-Z]{3}),([\x20-\x7d]*)\*([0-9A-F]{2})")
_TAGGED = re.compile(rb"\\([^\\*]{1,74})\*([0-9A-F]{2})\\(.*)", re.DOTALL)
_HEX = re.compile(r"\^([0-9A-F]{2})")
_CLOCK = re.compile(r"\d{6}\.\d\d")
ALF_FIELDS, ALC_HEAD, ALC_ENTRY = 13, 4, 4


@dataclass(frozen=True)
class Heard:
    """A sentence, and on a network what its TAG block says."""

    talker: str
    formatter: str
    fields: tuple[str, ...]
    tags: tuple[tuple[str, str], ...] = ()


def checksum(text: bytes) -> int:
    """Return the exclusive or of all characters."""
    total = 0
    for code in text:
        total ^= code
    return total


def written(talker: str, formatter: str, *fields: str) -> bytes:
    """Return a sentence with its end."""
    body = ",".join([talker + formatter, *fields]).encode("ascii")
    return b"$" + body + f"*{checksum(body):02X}\r\n".encode()


def heard(line: bytes) -> Heard:
    """Return what stands in a line with its end, TAG block included.

    Raises:
        ValueError: It is not as the standard has it.
    """
    tags: tuple[tuple[str, str], ...] = ()
    if line.startswith(b"\\"):
        block = _TAGGED.fullmatch(line)
        if block is None or checksum(block[1]) != int(block[2], 16):
            raise ValueError("a TAG block that is none")
        pairs = [each.split(":", 1) for each in block[1].decode("ascii").split(",")]
        tags = tuple((pair[0], pair[1]) for pair in pairs)
        line = block[3]
    if len(line) > LONGEST:
        raise ValueError(f"{len(line)} characters")
    if not line.endswith(b"\r\n"):
        raise ValueError("no CR LF")
    parts = _SENTENCE.fullmatch(line[:-2])
    if parts is None:
        raise ValueError("no sentence")
    if checksum(line[1 : line.rindex(b"*")]) != int(parts[4], 16):
        raise ValueError("checksum")
    talker, formatter, fields = (parts[at].decode("ascii") for at in (1, 2, 3))
    return Heard(talker, formatter, tuple(fields.split(",")), tags)


def text_of(field: str) -> str:
    """Return a text whose reserved characters were sent as codes.

    Raises:
        ValueError: A reserved character stands there as it is.
    """
    if any(each in field.replace("^", "") for each in "$!\\~*") or "^" in _HEX.sub("", field):
        raise ValueError(f"a reserved character in {field!r}")
    return _HEX.sub(lambda code: chr(int(code[1], 16)), field)


def number(field: str, low: int, high: int) -> int:
    """Return a whole number in its range.

    Raises:
        ValueError: It is none.
    """
    if not field.isascii() or not field.isdecimal() or not low <= int(field) <= high:
        raise ValueError(f"{field!r} is no number from {low} to {high}")
    return int(field)


def letter(field: str, allowed: str) -> str:
    """Return one of these letters.

    Raises:
        ValueError: It is another.
    """
    if len(field) != 1 or field not in allowed:
        raise ValueError(f"{field!r} is none of {allowed}")
    return field


def clock(field: str) -> str:
    """Return a time of day.

    Raises:
        ValueError: It is none.
    """
    if not _CLOCK.fullmatch(field):
        raise ValueError(f"{field!r} is no time")
    return field
