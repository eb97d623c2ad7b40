"""What lines does the text port of an SSAS unit print, whatever its bits and line ends?

Units print 8N1 or 7E1, and a port that is set to the other still hands over every character: seven bits
and a parity bit arrive as a byte whose ones are even in number. Lines end with CR, LF, both, or, the
last one of a message, with nothing but silence. Pure: bytes and times in, lines out. What noise has
made of a character is a question mark and never another character.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemon.drivers.line_splitter import OVERLONG, LineSplitter

SILENCE_S = 2.0
"""A line without an end is over when nothing has come for so long; 4800 Bd prints a thousand
characters meanwhile."""


@dataclass(frozen=True, slots=True)
class PortLine:
    """One line, or what stands in its place.

    Attributes:
        text: Without its end and without spaces around it; "" for a line longer than the bound.
        is_clean: Every character came as it was printed.
        is_overlong: It was longer than the bound.
        began_s: When its first byte had come, in seconds since boot.
        ended_s: When its last byte had come.
    """

    text: str
    is_clean: bool
    is_overlong: bool
    began_s: float
    ended_s: float


class PortLines:
    """Lines from the bytes of a text port."""

    def __init__(self) -> None:
        self._splitter = LineSplitter()
        self._began_s = 0.0
        self._came_s = 0.0
        """When bytes came last."""

    def feed(self, data: bytes, at_s: float) -> list[PortLine]:
        """Return the lines that these bytes, come at this time, complete."""
        began_s = self._began_s if self._splitter.is_within_line else at_s
        lines = []
        for line in self._splitter.feed(data.translate(_LINE_ENDS)):
            lines.append(_read(line, began_s, at_s))
            began_s = at_s
        self._began_s, self._came_s = began_s, at_s
        return lines

    def waiting(self, now_s: float) -> PortLine | None:
        """Return the line that has no end, when nothing has followed it for long enough."""
        tail = self._splitter.pending
        if not tail or now_s - self._came_s < SILENCE_S:
            return None
        return _read(tail, self._began_s, self._came_s)

    def end(self) -> None:
        """Forget the line that has no end."""
        self._splitter.feed(b"\n")


def _read(line: bytes, began_s: float, ended_s: float) -> PortLine:
    if line == OVERLONG:
        return PortLine("", is_clean=False, is_overlong=True, began_s=began_s, ended_s=ended_s)
    printed = line.translate(_SEVEN_AND_PARITY if _has_parity(line) else _EIGHT)
    text = printed.replace(_LOST, b"?").decode("ascii").strip()
    return PortLine(text, _LOST not in printed, is_overlong=False, began_s=began_s, ended_s=ended_s)


def _has_parity(line: bytes) -> bool:
    """Return whether a line is seven bits and even parity.

    About half of all characters have an odd number of ones. Of seven bits and even parity they come
    with the eighth bit set, of eight bits without it: noise must hit most of them to mislead.
    """
    high_and_even = len(line) - len(line.translate(None, _HIGH_AND_EVEN))
    odd = len(line) - len(line.translate(None, _ODD))
    return high_and_even > odd


_LOST = b"\0"
"""Stands for a character that was not printed, until the line is read."""


def _printed(code: int) -> int:
    return code if ord(" ") <= code <= ord("~") else _LOST[0]


_ODD = bytes(code for code in range(256) if code.bit_count() % 2)
_HIGH_AND_EVEN = bytes(code for code in range(0x80, 256) if code.bit_count() % 2 == 0)
_EIGHT = bytes(_printed(code) for code in range(256))
_SEVEN_AND_PARITY = bytes(
    _LOST[0] if code.bit_count() % 2 else _printed(code & 0x7F) for code in range(256)
)
_CR_AND_PARITY = 0x8D
"""CR has three ones; LF, which has two, is the same byte with even parity."""
_LINE_ENDS = bytes(ord("\r") if code == _CR_AND_PARITY else code for code in range(256))
