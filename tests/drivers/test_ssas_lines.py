"""Lines from the text port of an SSAS unit: a damaged character shows as such, a line without an end is bounded."""

from __future__ import annotations

import pytest

from daemon.drivers.links import LONGEST_LINE_BYTES
from daemon.drivers.ssas_lines import SILENCE_S, PortLines


def even(data: bytes) -> bytes:
    """Return seven bits and even parity."""
    return bytes(code | (code.bit_count() % 2) << 7 for code in data)


@pytest.mark.parametrize(
    ("data", "text", "is_clean"),
    [
        (b"TEST TEST\r", "TEST TEST", True),
        (even(b"TEST TEST\r"), "TEST TEST", True),
        (even(b"TEST TEST") + b"\n", "TEST TEST", True),
        (b"OK?\n", "OK?", True),
        (b"T\x00ST\n", "T?ST", False),
        (b"caf\xe9 TEST\n", "caf? TEST", False),
        (even(b"TEST ") + b"T" + even(b"EST\n"), "TEST ?EST", False),
        (b"\xff\xfe\n", "??", False),
    ],
)
def test_a_character_that_did_not_come_whole_is_a_question_mark_and_never_another(
    data, text, is_clean
):
    [line] = PortLines().feed(data, 1.0)
    assert (line.text, line.is_clean) == (text, is_clean)


def test_a_line_without_an_end_is_looked_at_only_while_it_is_within_the_bound():
    port = PortLines()
    assert port.waiting(99.0) is None
    port.feed(b"first\r\nsecond", 1.0)
    assert port.waiting(1.0 + SILENCE_S - 0.001) is None
    line = port.waiting(1.0 + SILENCE_S)
    assert line is not None
    assert (line.text, line.ended_s) == ("second", 1.0)
    assert [each.is_overlong for each in port.feed(b"x" * LONGEST_LINE_BYTES, 5.0)] == [True]
    port.feed(b"y", 6.0)
    assert port.waiting(99.0) is None
    assert port.feed(b"\r\nthird", 100.0) == []
    line = port.waiting(200.0)
    assert line is not None
    assert line.text == "third"
    port.end()
    assert port.waiting(300.0) is None
    assert [each.text for each in port.feed(b"fourth\r", 301.0)] == ["fourth"]
