"""Sentences for a reader, without a port."""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

import pytest

from daemon.drivers.sentences import Dropped, Sentence, SentenceError, parse

if TYPE_CHECKING:
    from daemon.drivers.nmea_reader import Reader, Seen


def framed(body: str, start: str = "$") -> str:
    return f"{start}{body}*{reduce(xor, body.encode('ascii')):02X}"


def sentence(body: str) -> Sentence:
    return parse(framed(body).encode("ascii"))


def hear(reader: Reader, *bodies: str, now_s: float = 0.0) -> list[Seen]:
    """Return everything that a reader makes of these sentences."""
    seen: list[Seen] = []
    for body in bodies:
        said = sentence(body)
        seen += reader.reads[said.formatter](said, now_s)
    return seen


def newest(reader: Reader, *bodies: str, now_s: float = 0.0) -> dict[str, object]:
    """Return the last value of each point."""
    return {point: value for point, value, _ in hear(reader, *bodies, now_s=now_s)}


def reason(reader: Reader, body: str, now_s: float = 0.0) -> Dropped:
    with pytest.raises(SentenceError) as caught:
        hear(reader, body, now_s=now_s)
    return caught.value.reason
