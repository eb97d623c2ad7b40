"""What did the receivers really say? Their raw lines of the last minutes, with the time at which each came.

Kept so that an episode of GNSS interference can be looked at by somebody else's tools: IEC 61162-1 lines, unchanged,
each behind the UTC moment at which it was received. Pure, and bounded: a receiver's tape holds ``KEPT_S`` seconds and
never more than ``MOST_BYTES``; an episode holds as much of what was before it and as much of what follows. In CPython a
line costs some 130 bytes beside its text: a receiver of eight sentences a second takes 1.1 MB, 1.9 MB in an episode
(measured), and one whose line is never silent at most 14 MB.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

KEPT_S: Final = 670.0
"""Ten minutes, and the minute that passes before it is known that they are wanted, and some seconds."""
MOST_BYTES: Final = 2 * 1024 * 1024
"""Eleven minutes at 3.1 kB/s: a port at 38400 Bd that is never silent brings 3.8."""
TAPED: Final = frozenset(
    {
        *("GGA", "GNS", "GLL", "RMC", "VTG", "ZDA", "GSA", "GSV"),
        *("GBS", "GST", "GRS", "GFA", "DTM"),
    }
)
"""What a receiver says of position, time, sky and of its own trust in them. Whatever else comes by the same port, be it
a whole line of another device, is in no bundle: nothing covert can get into it (invariant 1)."""
TAPES: Final = "gnss tapes"
"""Under this name the drivers of a ship share them."""
_MILLISECONDS = len("2026-11-22T02:10:00.000")
"""Of an ISO 8601 moment in UTC without its offset."""
_STAMP_BYTES = _MILLISECONDS + len("Z ") + len("\r\n")

_Line: TypeAlias = "tuple[float, datetime, bytes]"
"""When it came, on both clocks, and the line; it is written out only when somebody wants it."""


@dataclass(slots=True)
class Cut:
    """Lines cut from a tape.

    Attributes:
        lost: Lines that had no room.
    """

    lines: list[bytes] = field(default_factory=list)
    lost: int = 0

    def text(self) -> bytes:
        return b"".join(self.lines)


class Tape:
    """The lines of one receiver."""

    def __init__(self, *, kept_s: float = KEPT_S, most_bytes: int = MOST_BYTES) -> None:
        self._kept_s = kept_s
        self._most_bytes = most_bytes
        self._lines: deque[_Line] = deque()
        self._bytes = 0
        self._dropped_s = float("-inf")
        """When the newest line came that was dropped before its time."""
        self._after: list[_Line] | None = None
        self._after_bytes = 0
        self._after_lost = 0

    @property
    def size(self) -> int:
        """Return how many bytes of lines are held now, as they will be written."""
        return self._bytes + self._after_bytes

    def take(self, line: bytes, *, now_s: float, now_utc: datetime) -> None:
        """Keep a line as it came, whatever it says."""
        held, size = (now_s, now_utc, line), len(line) + _STAMP_BYTES
        if self._after is not None:
            if self._after_bytes + size > self._most_bytes:
                self._after_lost += 1
            else:
                self._after.append(held)
                self._after_bytes += size
        lines = self._lines
        lines.append(held)
        self._bytes += size
        while lines and now_s - lines[0][0] > self._kept_s:
            self._bytes -= len(lines.popleft()[2]) + _STAMP_BYTES
        while self._bytes > self._most_bytes:
            self._dropped_s, _, dropped = lines.popleft()
            self._bytes -= len(dropped) + _STAMP_BYTES

    def mark(self, *, since_s: float) -> Cut:
        """Return what came from ``since_s`` on, and keep all that follows until ``cut``."""
        before = Cut([_written(line) for line in self._lines if line[0] >= since_s])
        before.lost = int(self._dropped_s >= since_s)
        self._after, self._after_bytes, self._after_lost = [], 0, 0
        return before

    def cut(self) -> Cut:
        """Return what followed the mark, and forget the mark."""
        after = Cut([_written(line) for line in self._after or ()], self._after_lost)
        self._after, self._after_bytes, self._after_lost = None, 0, 0
        return after


def _written(line: _Line) -> bytes:
    moment = line[1].isoformat(timespec="milliseconds")[:_MILLISECONDS]
    return b"%bZ %b\r\n" % (moment.encode("ascii"), line[2])


class Tapes:
    """The tapes of all receivers, by device."""

    def __init__(self) -> None:
        self._tapes: dict[str, Tape] = {}

    def of(self, device: str) -> Tape:
        """Return the tape of a receiver; the first who asks begins it."""
        return self._tapes.setdefault(device, Tape())

    def devices(self) -> list[str]:
        """Return the receivers that have one."""
        return sorted(self._tapes)

    def items(self) -> list[tuple[str, Tape]]:
        """Return all of them, by the names of their devices."""
        return sorted(self._tapes.items())
