"""How does an AIS message become one of a ship that nobody knows, bit for bit otherwise the same? Pure.

Source: ITU-R M.1371-5 annex 8 (where each field stands), IEC 61162-1 (the six-bit code). Fields are changed where
they stand, so that spare bits, fill bits and what makers do otherwise stay as they came. A message of a type that is
not in ``LAYOUTS`` may name ships where nobody looks: it is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MMSI: Final = (8, 30)
MINUTES_TO_TEN_THOUSANDTHS: Final = 10_000
OWN_MMSI, OWN_IMO, OWN_NAME, OWN_CALL_SIGN = 299000019, 9999993, "KESTREL STRAIT", "9VKS0"
"""What own ship becomes: the sample ship, which nobody built."""
LAT_NONE_DEG, LON_NONE_DEG = 91, 181
NORTHERNMOST_DEG = 89
LONGEST_BITS = 1064


class Layout(NamedTuple):
    """Where in a message of one type what stands that must be masked: first bit and bits."""

    lon: tuple[int, int] | None = None
    lat: tuple[int, int] | None = None
    per_minute: int = MINUTES_TO_TEN_THOUSANDTHS
    imo: tuple[int, int] | None = None
    call_sign: tuple[int, int] | None = None
    name: tuple[int, int] | None = None
    blank: tuple[int, int] | None = None
    mother: tuple[int, int] | None = None


_POSITION = Layout((61, 28), (89, 27))
_BASE = Layout((79, 28), (107, 27))
LAYOUTS: Final[Mapping[int, Layout]] = {
    1: _POSITION,
    2: _POSITION,
    3: _POSITION,
    4: _BASE,
    5: Layout(imo=(40, 30), call_sign=(70, 42), name=(112, 120), blank=(302, 120)),
    9: _POSITION,
    11: _BASE,
    18: Layout((57, 28), (85, 27)),
    19: Layout((57, 28), (85, 27), name=(143, 120)),
    21: Layout((164, 28), (192, 27), name=(43, 120), blank=(272, 84)),
    27: Layout((44, 18), (62, 17), per_minute=10),
}
"""``blank`` is the destination of message 5, the rest of the name of 21. For message 24 see ``_static_part``."""
PART_A = Layout(name=(40, 120))
PART_B = Layout(call_sign=(90, 42), blank=(48, 42))
"""``blank`` is the maker's id and the unit's serial number."""
PART_B_OF_AUXILIARY = PART_B._replace(mother=(132, 30))
"""A craft that belongs to a ship tells that one's number in place of its own size (table 79)."""
AUXILIARY: Final = 98
"""The first two digits of such a craft's number (ITU-R M.585)."""
SHORTEST_BITS: Final = 38


@dataclass(frozen=True, slots=True)
class Shift:
    """How far every position is moved, in ten-thousandths of a minute; kept nowhere."""

    lat: int
    lon: int

    def moved(self, lat: int, lon: int) -> tuple[int, int]:
        """Return a position elsewhere, in the same unit; across the date line where it has to be."""
        most_lat, half = NORTHERNMOST_DEG * 600_000, 180 * 600_000
        lat = max(-most_lat, min(most_lat, lat + self.lat))
        return lat, (lon + self.lon + half) % (2 * half) - half


@dataclass(slots=True)
class Masks:
    """Who became whom, in one capture.

    Attributes:
        own_mmsi: Of the ship that captures.
        shift: Of every position.
        others: The number of each other station, in the order in which they were heard.
    """

    own_mmsi: int
    shift: Shift
    others: dict[int, int] = field(default_factory=dict)

    def mmsi(self, mmsi: int) -> int:
        """Return another number of the same kind (ITU-R M.585): ship, coast station, aid to navigation, ..."""
        if mmsi == self.own_mmsi:
            return OWN_MMSI
        number = self.number(mmsi)
        digits = f"{mmsi:09d}"
        for prefix, ours in (
            ("00", "00299"), ("0", "0299"), ("111", "111299"), ("970", "970"), ("972", "972"),
            ("974", "974"), ("98", "98299"), ("99", "99299"),
        ):  # fmt: skip
            if digits.startswith(prefix):
                return int(f"{ours}{number:0{9 - len(ours)}d}"[:9])
        return 298_000_000 + number  # 298 is nobody's country

    def number(self, mmsi: int) -> int:
        """Return which of the others it is; the 999 first are told apart."""
        return self.others.setdefault(mmsi, min(len(self.others) + 1, 999))


def masked(payload: str, masks: Masks) -> str | None:
    """Return the payload of a whole message, of the same length; None where it must be left out."""
    if not payload or any(code not in _VALUES for code in payload):
        return None
    bits = "".join(f"{_VALUES[code]:06b}" for code in payload)
    if not SHORTEST_BITS <= len(bits) <= LONGEST_BITS:
        return None
    kind = _number(bits, (0, 6))
    layout = _static_part(bits) if kind == 24 else LAYOUTS.get(kind)  # noqa: PLR2004 (static data in parts)
    if layout is None:
        return None
    mmsi = _number(bits, MMSI)
    is_own = mmsi == masks.own_mmsi
    other = masks.number(mmsi)
    bits = _with(bits, MMSI, masks.mmsi(mmsi))
    bits = _with(bits, layout.imo, OWN_IMO if is_own else 0)
    bits = _with_text(bits, layout.call_sign, OWN_CALL_SIGN if is_own else f"X{other:03d}")
    bits = _with_text(bits, layout.name, OWN_NAME if is_own else f"VESSEL {other:03d}")
    bits = _with_text(bits, layout.blank, "")
    bits = _with(bits, layout.mother, _mother(bits, layout, masks))
    bits = _moved(bits, layout, masks.shift)
    return "".join(_CODES[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def _static_part(bits: str) -> Layout | None:
    part = _number(bits, (38, 2)) if len(bits) >= SHORTEST_BITS + 2 else None
    is_auxiliary = _number(bits, MMSI) // 10_000_000 == AUXILIARY
    part_b = PART_B_OF_AUXILIARY if is_auxiliary else PART_B
    return {0: PART_A, 1: part_b}.get(-1 if part is None else part)


def _mother(bits: str, layout: Layout, masks: Masks) -> int:
    """Return who is to be told as the mother ship; nobody where nobody was, or the message ends within."""
    if layout.mother is None or len(bits) < sum(layout.mother):
        return 0
    told = _number(bits, layout.mother)
    return masks.mmsi(told) if told else 0


def _moved(bits: str, layout: Layout, shift: Shift) -> str:
    if layout.lat is None or layout.lon is None or len(bits) < sum(layout.lat):
        return _cut(bits, layout)
    scale = MINUTES_TO_TEN_THOUSANDTHS // layout.per_minute
    lat, lon = _signed(bits, layout.lat), _signed(bits, layout.lon)
    per_degree = 60 * layout.per_minute
    if abs(lat) >= LAT_NONE_DEG * per_degree or abs(lon) >= LON_NONE_DEG * per_degree:
        return bits  # not available
    new_lat, new_lon = shift.moved(lat * scale, lon * scale)
    bits = _with(bits, layout.lat, round(new_lat / scale))
    return _with(bits, layout.lon, round(new_lon / scale))


def _cut(bits: str, layout: Layout) -> str:
    """Return a message that ends within its position without what there is of it."""
    for place in (layout.lon, layout.lat):
        if place is not None:
            bits = bits[: place[0]] + "0" * len(bits[place[0] :])
    return bits


def _number(bits: str, place: tuple[int, int]) -> int:
    first, width = place
    return int(bits[first : first + width] or "0", 2)


def _signed(bits: str, place: tuple[int, int]) -> int:
    value, width = _number(bits, place), place[1]
    return value - (1 << width) if value >> (width - 1) else value


def _with(bits: str, place: tuple[int, int] | None, value: int) -> str:
    """Return the bits with another number at a place; of a message that ends there, as much as there is."""
    if place is None:
        return bits
    first, width = place
    new = f"{value & ((1 << width) - 1):0{width}b}"
    return bits[:first] + new[: max(0, len(bits) - first)] + bits[first + width :]


def _with_text(bits: str, place: tuple[int, int] | None, words: str) -> str:
    """Return the bits with six-bit text (table 47) at a place, filled up with ``@``."""
    if place is None:
        return bits
    letters = words.ljust(place[1] // 6, "@")[: place[1] // 6]
    return _with(bits, place, int("".join(f"{ord(each) & 0x3F:06b}" for each in letters), 2))


_CODES: Final = [chr(value + (48 if value < 40 else 56)) for value in range(64)]  # noqa: PLR2004 ("W", then "`")
_VALUES: Final = {code: value for value, code in enumerate(_CODES)}
