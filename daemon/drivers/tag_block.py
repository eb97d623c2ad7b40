"""What stands between the backslashes before a sentence: who sent it, when, with which others?

Source: NMEA 0183 4.10 and IEC 61162-450, 7.2.3 (``g:1-2-73,s:AI0001,n:157,c:1780000000*06``); IEC
62320-1 writes ``1G2:73``, ``x`` and ``i`` for ``g``, ``n`` and ``t``. Senders differ: the checksum comes in
small letters and of one digit, ``c`` in seconds or milliseconds. A block whose checksum is wrong or
missing is not believed; the sentence behind it has a checksum of its own and is read (as gpsd and
pyais do). A parameter that cannot be read is as one that is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import NamedTuple

LONGEST_TAG_BLOCK = 128
"""Characters between the backslashes (NMEA 0183 4.10: 80; some networks write more)."""
MOST_TAG_BLOCKS = 4
"""In front of one sentence."""
MILLISECONDS_FROM = 100_000_000_000
"""Seconds since 1970 reach so far in the year 5138; as milliseconds it was in 1973."""
LONGEST_WORD = 15
"""Characters of a source, a destination, a text."""


class Group(NamedTuple):
    """Sentences that belong together: this one's place, how many they are, what they are known by."""

    number: int
    total: int
    id: str


@dataclass(frozen=True, slots=True)
class TagBlock:
    """What one or more TAG blocks say; None where they do not.

    Attributes:
        is_intact: Every checksum was right; if not, nothing else is said.
        source: ``s``: the system function id of a shipboard network, or a receiver ashore.
        time_s: ``c``: when it was sent, in seconds since 1970 by the sender's clock.
        line: ``n``: 1 to 999, by which lost lines could be seen.
    """

    is_intact: bool = True
    source: str | None = None
    destination: str | None = None
    time_s: float | None = None
    line: int | None = None
    group: Group | None = None
    text: str | None = None


DAMAGED = TagBlock(is_intact=False)

_CHECKED = re.compile(rb"([\x20-\x7e]*)\*([0-9A-Fa-f]{1,2})")
_GROUP = re.compile(r"(\d{1,2})-(\d{1,2})-(\w{1,10})", re.ASCII)
_OLD_GROUP = re.compile(r"(\d{1,2})G(\d{1,2})", re.ASCII)
_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_TIME = re.compile(r"\d{1,13}(?:\.\d{1,6})?", re.ASCII)


def split_tags(line: bytes) -> tuple[list[bytes], bytes]:
    """Return the blocks in front of a sentence, and the sentence; no blocks where one does not end."""
    blocks: list[bytes] = []
    rest = line
    while rest[:1] == b"\\" and len(blocks) < MOST_TAG_BLOCKS:
        end = rest.find(b"\\", 1, LONGEST_TAG_BLOCK + 2)
        if end < 0:
            return [], line
        blocks.append(rest[1:end])
        rest = rest[end + 1 :]
    return blocks, rest


def read_tags(blocks: list[bytes]) -> TagBlock:
    """Return what blocks in front of one sentence say together; the first one that says a thing is believed."""
    tag = read_tag(blocks[0])
    for block in blocks[1:]:
        tag = _joined(tag, read_tag(block))
    return tag


def _joined(first: TagBlock, second: TagBlock) -> TagBlock:
    if not (first.is_intact and second.is_intact):
        return DAMAGED
    return TagBlock(
        source=first.source or second.source,
        destination=first.destination or second.destination,
        time_s=second.time_s if first.time_s is None else first.time_s,
        line=second.line if first.line is None else first.line,
        group=first.group or second.group,
        text=first.text or second.text,
    )


def read_tag(block: bytes) -> TagBlock:
    """Return what stands between two backslashes."""
    checked = _CHECKED.fullmatch(block)
    if checked is None or reduce(xor, checked[1], 0) != int(checked[2], 16):
        return DAMAGED
    parameters = (each.partition(":") for each in checked[1].decode("ascii").split(","))
    said = {key: value for key, colon, value in parameters if colon}
    return TagBlock(
        source=_word(said.get("s")),
        destination=_word(said.get("d")),
        time_s=_time_s(said.get("c", "")),
        line=_line(said.get("n") or said.get("x") or ""),
        group=_group(said),
        text=_word(said.get("t") or said.get("i")),
    )


def _word(text: str | None) -> str | None:
    return text if text and len(text) <= LONGEST_WORD else None


def _time_s(text: str) -> float | None:
    if _TIME.fullmatch(text) is None:
        return None
    value = float(text)
    return value / 1000 if value >= MILLISECONDS_FROM else value


def _line(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _group(said: dict[str, str]) -> Group | None:
    if found := _GROUP.fullmatch(said.get("g", "")):
        number, total, name = int(found[1]), int(found[2]), found[3]
    else:
        old = next((found for key in said if (found := _OLD_GROUP.fullmatch(key))), None)
        if old is None:
            return None
        number, total, name = int(old[1]), int(old[2]), said[old[0]][:10]
    return Group(number, total, name) if 1 <= number <= total else None
