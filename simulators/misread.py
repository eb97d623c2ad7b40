"""What does a receiver make of a sender that is set otherwise: another speed, another parity? Pure.

Written from how a UART works, not from what garbage looks like: the sender's characters become levels on the line
in time; the receiver waits for a falling edge and samples the middle of each of its own bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HIGHEST_BAUD = 921_600


def misread(sent: bytes, *, sent_baud: int, read_baud: int) -> bytes:
    """Return what a receiver of 8N1 at one speed makes of 8N1 at another; bytes without a stop bit come too."""
    if sent_baud == read_baud:
        return sent
    levels = [level for code in sent for level in _levels(code)]
    # One bit of the receiver is so many of the sender's: exact as a ratio of the two.
    return bytes(_sampled(levels, sent_baud, read_baud))


def with_even_parity(sent: bytes) -> bytes:
    """Return what 8N1 reads of a sender of 7E1: the parity is the eighth bit."""
    return bytes(code & 0x7F | ((code & 0x7F).bit_count() % 2) << 7 for code in sent)


def _levels(code: int) -> Iterator[bool]:
    yield False  # the start bit
    for bit in range(8):
        yield bool(code >> bit & 1)
    yield True  # the stop bit


def _sampled(levels: list[bool], sent_baud: int, read_baud: int) -> Iterator[int]:
    """Yield characters; time is counted in bits of the sender, as whole multiples of 1 / (2 x read_baud)."""
    bit = 2 * read_baud  # one bit of the sender
    step = 2 * sent_baud  # one bit of the receiver
    end = len(levels) * bit
    at = 0
    while (edge := _falling(levels, at // bit)) is not None:
        at = max(at, edge * bit)
        middle = at + step // 2
        code = 0
        for number in range(8):
            if _level(levels, (middle + (number + 1) * step) // bit):
                code |= 1 << number
        yield code
        at += step // 2 + 9 * step
        if at >= end:
            return


def _falling(levels: list[bool], first: int) -> int | None:
    """Return the first bit that is low from there on; None where the line is idle to the end."""
    for number in range(first, len(levels)):
        if not levels[number]:
            return number
    return None


def _level(levels: list[bool], number: int) -> bool:
    return levels[number] if number < len(levels) else True  # an idle line is high
