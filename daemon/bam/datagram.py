"""How do sentences travel on a shipboard network? With a header, and a TAG block before each. Pure.

Source: IEC 61162-450, 7: ``UdPbC`` and a zero, then for each sentence ``s`` who sent it, ``n`` the how-manieth line of
his it is, and ``g`` where several sentences are one message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from itertools import cycle
from operator import xor
from typing import TYPE_CHECKING, Final

from daemon.drivers.datagrams import IEC_61162_450_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.bam.outbox import Line

LAST_GROUP_ID: Final = 99
LAST_LINE: Final = 999
_FORMATTER: Final = slice(3, 6)


@dataclass(slots=True)
class Wrapping:
    """Puts lines into datagrams."""

    sfi: str
    _ids: Iterator[int] = field(default_factory=lambda: cycle(range(1, LAST_GROUP_ID + 1)))
    _lines: Iterator[int] = field(default_factory=lambda: cycle(range(1, LAST_LINE + 1)))
    _open: dict[str, int] = field(default_factory=dict)
    """By formatter, the group that its newest message has: a list is sent in pieces, alerts between them."""

    def datagram(self, lines: Sequence[Line]) -> bytes:
        """Return the datagram of these lines."""
        return IEC_61162_450_HEADER + b"".join(self._wrapped(line) for line in lines)

    def _wrapped(self, line: Line) -> bytes:
        parameters = [f"s:{self.sfi}", f"n:{next(self._lines)}"]
        if line.total > 1:
            formatter = line.text[_FORMATTER]
            if line.part == 1:
                self._open[formatter] = next(self._ids)
            group = self._open.get(formatter, LAST_GROUP_ID)
            parameters.insert(0, f"g:{line.part}-{line.total}-{group}")
        block = ",".join(parameters).encode("ascii")
        return b"\\%b*%02X\\%b\r\n" % (block, reduce(xor, block), line.text.encode("ascii"))
