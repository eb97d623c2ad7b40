"""Where is a ship, by a message that is only looked at when somebody asks?

Most of what an AIS unit hears is never looked at: a ship reports each few seconds, and the targets are judged
each five. So of a message of others only type and MMSI are read when it comes; place, speed, status and name
are read from its bits here, when they are wanted. Source: ITU-R M.1371-5 annex 8; pyais, which reads every
field of every message, is what this is tested against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from daemon.model import Position

PER_DEGREE: Final = 600_000.0
"""Ten-thousandths of a minute."""
PER_DEGREE_LONG_RANGE: Final = 600.0
"""Tenths of a minute, in message 27."""
SIX_BIT: Final = "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?"
"""ITU-R M.1371-5 table 47."""
NAME_CHARACTERS: Final = 20


class Bits(Protocol):
    """The bits of a message, as pyais holds them."""

    def __len__(self) -> int: ...

    def get(self, start: int, width: int) -> int:
        """Return an unsigned number of so many bits."""
        ...

    def get_signed(self, start: int, width: int) -> int:
        """Return a signed one."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """In which bits a message says what, from 0; None for what it has not."""

    lon: int
    lat: int
    lon_bits: int = 28
    lat_bits: int = 27
    per_degree: float = PER_DEGREE
    speed: int | None = None
    speed_bits: int = 10
    per_knot: int = 10
    status: int | None = None


_CLASS_A = Layout(lon=61, lat=89, speed=50, status=38)
_CLASS_B = Layout(lon=57, lat=85, speed=46)
_STATION = Layout(lon=79, lat=107)
PLACES: Final[dict[int, Layout]] = {
    1: _CLASS_A,
    2: _CLASS_A,
    3: _CLASS_A,
    4: _STATION,
    9: Layout(lon=61, lat=89, speed=50, per_knot=1),
    18: _CLASS_B,
    19: _CLASS_B,
    21: Layout(lon=164, lat=192),
    27: Layout(
        44, 62, 18, 17, PER_DEGREE_LONG_RANGE, speed=79, speed_bits=6, per_knot=1, status=40
    ),
}
"""The messages that say where a station is."""
NAMES: Final = {5: 112, 19: 143, 21: 43, 24: 40}
"""The messages that say its name, and where that begins; 24 in part A only."""
PART_OF_24: Final = (38, 2)


def position(bits: Bits, layout: Layout) -> Position | None:
    """Return where it says that it is; None where it does not know."""
    lat_deg = bits.get_signed(layout.lat, layout.lat_bits) / layout.per_degree
    lon_deg = bits.get_signed(layout.lon, layout.lon_bits) / layout.per_degree
    return place(lat_deg, lon_deg)


def place(lat_deg: float, lon_deg: float) -> Position | None:
    """Return the position; None for 91° and 181°, which say that there is none."""
    if abs(lat_deg) > 90.0 or abs(lon_deg) > 180.0:  # noqa: PLR2004 (the ends of the earth)
        return None
    return Position(lat_deg, lon_deg)


def speed_kn(bits: Bits, layout: Layout) -> float | None:
    """Return the speed over ground in knots; None where it has or says none."""
    if layout.speed is None:
        return None
    said = bits.get(layout.speed, layout.speed_bits)
    # The highest number says that it is not available, in each of the three scales.
    return None if said == (1 << layout.speed_bits) - 1 else said / layout.per_knot


def status(bits: Bits, layout: Layout) -> int | None:
    """Return the navigational status; None for a message that has none."""
    return None if layout.status is None else bits.get(layout.status, 4)


def name(bits: Bits, message_type: int) -> str | None:
    """Return the name up to its end mark, without padding; None for a message that has none."""
    if message_type not in NAMES or (message_type == 24 and bits.get(*PART_OF_24) != 0):  # noqa: PLR2004
        return None
    begins = NAMES[message_type]
    letters = (SIX_BIT[bits.get(at, 6)] for at in range(begins, begins + 6 * NAME_CHARACTERS, 6))
    return text("".join(letters))


def text(sixbit: str) -> str:
    """Return a text up to its end mark (ITU-R M.1371-5 table 47: ``@``), without padding."""
    return sixbit.partition("@")[0].strip()
