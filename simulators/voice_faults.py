"""What comes out of a talker's port when something is wrong with it, or when another device is on the plug? Pure.

Each fault makes the bytes of one turn of the lines that the unit would have said.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulators.api import only, seconds, whole
from simulators.misread import HIGHEST_BAUD, misread, with_even_parity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LONGEST_DELAY_S = 60.0
SELDOMEST = 100
NOISE_BYTES = 64
OTHERS: Final[Mapping[str, bytes]] = {
    "gnss": b"$GPGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,*6E\r\n",
    "ais": b"!AIVDM,1,1,,A,14QILMP0007Np90@rKH028b0P000,0*63\r\n",
    "compass": b"$HETHS,20.0,A*1F\r\n",
    "modbus": bytes.fromhex("0502000000087848 0502010960be 0502000000087848 0502010960be"),
}
"""What another device would say; of Modbus questions of a master and answers of unit 5."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault and its measures.

    Attributes:
        sent_baud: How fast the unit talks, and how fast its port is read, with ``baud``.
        other: Who is on the plug instead, with ``other``.
        by_s: How late its words come, with ``late``.
        every: It speaks in each so many-th turn, with ``slow``.
    """

    fault: str
    sent_baud: int = 38400
    read_baud: int = 4800
    other: str = "ais"
    by_s: float = 0.0
    every: int = 1

    def spoilt(self, lines: Sequence[bytes], turn: int) -> bytes:
        """Return what goes out instead of the lines of a turn, which have no ends yet."""
        return FAULTS[self.fault](self, lines, turn)


def _said(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\r\n" for line in lines)


def _noise(turn: int) -> bytes:
    return random.Random(turn).randbytes(NOISE_BYTES)  # noqa: S311 (the same in each run)


def _bad_checksum(line: bytes) -> bytes:
    return line[:-1] + (b"0" if line[-1:] != b"0" else b"1")


FAULTS: Final[Mapping[str, Callable[[Trouble, Sequence[bytes], int], bytes]]] = {
    "slow": lambda trouble, lines, turn: b"" if turn % trouble.every else _said(lines),
    "late": lambda _trouble, lines, _turn: _said(lines),
    "bad_checksum": lambda _trouble, lines, _turn: _said([_bad_checksum(line) for line in lines]),
    "cut": lambda _trouble, lines, _turn: _said([line[: len(line) // 2] for line in lines]),
    "no_line_ends": lambda _trouble, lines, _turn: b"".join(lines),
    "noise": lambda _trouble, _lines, turn: _noise(turn),
    "noisy": lambda _trouble, lines, turn: _noise(turn) + b"\r\n" + _said(lines),
    "baud": lambda trouble, lines, _turn: misread(
        _said(lines), sent_baud=trouble.sent_baud, read_baud=trouble.read_baud
    ),
    "parity": lambda _trouble, lines, _turn: with_even_parity(_said(lines)),
    "other": lambda trouble, _lines, _turn: OTHERS[trouble.other],
}
"""Every way to talk wrongly, by name."""


def trouble_of(command: Mapping[str, object]) -> Trouble:
    """Return the fault that a command asks for.

    Raises:
        ValueError: There is none of that name, or a measure is wrong.
    """
    only(command, "do", "fault", "sent_baud", "read_baud", "as", "by_s", "every")
    fault = command.get("fault")
    if not isinstance(fault, str) or fault not in FAULTS:
        raise ValueError(f"fault is one of {', '.join(sorted(FAULTS))}, not {fault!r}")
    other = command.get("as", "ais")
    if not isinstance(other, str) or other not in OTHERS:
        raise ValueError(f"as is one of {', '.join(OTHERS)}, not {other!r}")
    return Trouble(
        fault,
        sent_baud=whole(command, "sent_baud", low=50, high=HIGHEST_BAUD, default=38400),
        read_baud=whole(command, "read_baud", low=50, high=HIGHEST_BAUD, default=4800),
        other=other,
        by_s=seconds(command, "by_s", high=LONGEST_DELAY_S) if "by_s" in command else 0.0,
        every=whole(command, "every", low=2, high=SELDOMEST, default=2),
    )
