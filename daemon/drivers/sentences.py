"""What does one line of NMEA 0183 say, and may it be believed at all?

Source: IEC 61162-1 (NMEA 0183): framing and checksum, GGA, RMC. ``parse`` checks the frame;
``read_fix`` and ``read_motion`` read the fields, as the readers of the other formatters do with
what stands at the end of this file. pynmea2 knows their order; their numbers are read here, because
it makes latitude 0.0 of an empty field and leaves a number that it cannot read a string. An empty
field is None, never zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import xor

import pynmea2

from daemon.drivers.tag_block import TagBlock, read_tags, split_tags
from daemon.errors import FrameError
from daemon.model import Fix, Motion, Position, Quality

LONGEST_PARAMETRIC = 100
"""Characters of a ``$`` sentence without its CR LF (IEC 61162-1: 80); receivers that give a position
to the centimetre write some ten more."""
LONGEST_PAYLOAD = 168
"""AIS characters of six bits in one message: five slots, 1008 bits (ITU-R M.1371)."""
LONGEST_ENCAPSULATED = len("!AIVDM,1,1,9,A,") + LONGEST_PAYLOAD + len(",0*hh")
"""Characters of a ``!`` sentence: beyond the 82, some receivers put a whole message into one."""
MOST_KN = 1000.0
"""No ship; what says more is no speed."""
NO_GNSS_MODES = frozenset("EMS")
"""Dead reckoning, typed in by hand, simulator: a position or motion that no satellites gave."""


class Dropped(StrEnum):
    """Why a line counts for nothing: the whole set."""

    OVERLONG = "overlong"
    GARBAGE = "garbage"
    """No sentence: another start, a missing checksum, characters that none has."""
    CHECKSUM = "checksum"
    UNSUPPORTED = "unsupported"
    """A sentence or AIS message that is not read here."""
    MALFORMED = "malformed"
    """The checksum is right and a field is not: missing, no number, out of its range."""
    TRUNCATED = "truncated"
    """AIS: fewer bits than its message type has."""
    INCOMPLETE = "incomplete"
    """AIS: a part of a message without the others."""


class SentenceError(FrameError):
    """A line that cannot be read; ``reason`` is what it is counted under."""

    def __init__(self, reason: Dropped) -> None:
        self.reason = reason
        super().__init__(reason.value)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence whose frame and checksum are right.

    Attributes:
        talker: Who speaks: ``GP``, ``GN``, ``AI``.
        formatter: What is said: ``GGA``.
        fields: Everything after the address, as sent.
        tag: What stood in front of it; None where nothing did.
    """

    talker: str
    formatter: str
    fields: list[str]
    tag: TagBlock | None = None


def parse(line: bytes) -> Sentence:
    """Return the sentence of a line that has neither CR nor LF, with what the TAG blocks before it say.

    Raises:
        SentenceError: It is none, with the reason.
    """
    tag = None
    if line[:1] == b"\\":
        blocks, line = split_tags(line)
        tag = read_tags(blocks) if blocks else None
    longest = LONGEST_PARAMETRIC if line[:1] == b"$" else LONGEST_ENCAPSULATED
    if len(line) > longest:
        raise SentenceError(Dropped.OVERLONG)
    framed = _FRAME.fullmatch(line)
    if framed is None:
        raise SentenceError(Dropped.GARBAGE)
    body, checksum = framed.groups()
    if reduce(xor, body) != int(checksum, 16):
        raise SentenceError(Dropped.CHECKSUM)
    address, *fields = body.decode("ascii").split(",")
    return Sentence(address[:2], address[2:], fields, tag)


_FRAME = re.compile(rb"[$!]([A-Z0-9]{3,8},[\x20-\x7e]*)\*([0-9A-Fa-f]{2})")
"""Start, address, fields, checksum; a proprietary address (``PGRME``) is like no formatter."""


_GGA: dict[str, int] = pynmea2.GGA.name_to_idx
_RMC: dict[str, int] = pynmea2.RMC.name_to_idx
"""Which field stands where, by pynmea2's names."""
_GGA_FIELDS = 14
_RMC_FIELDS = 11
"""NMEA 0183 2.0; later editions add the mode (2.3) and the navigational status (4.1)."""
_NO_GNSS_QUALITIES = frozenset({6, 7, 8})
"""GGA: the three of ``NO_GNSS_MODES``."""
_HIGHEST_QUALITY = 8
_MOST_SATELLITES = 99
_MOST_HDOP = 1000.0


def read_fix(sentence: Sentence) -> tuple[Fix | None, Quality]:
    """Return the fix of a GGA sentence; None and unknown where it says that there is none.

    Raises:
        SentenceError: A field cannot be read.
    """
    fields = fields_of(sentence, _GGA_FIELDS)
    fix_quality = whole(fields[_GGA["gps_qual"]], _HIGHEST_QUALITY)
    if not fix_quality:  # whatever stands in the other fields then
        return None, Quality.UNKNOWN
    place = position(fields[_GGA["lat"] : _GGA["lon_dir"] + 1])
    satellites = whole(fields[_GGA["num_sats"]], _MOST_SATELLITES)
    hdop = number(fields[_GGA["horizontal_dil"]], _MOST_HDOP)
    if place is None:
        return None, Quality.UNKNOWN
    fix = Fix(place, fix_quality, satellites, hdop)
    # Old receivers, and some new ones, say a fix of no satellites while they have lost them all.
    is_of_gnss = fix_quality not in _NO_GNSS_QUALITIES and satellites != 0
    return fix, Quality.GOOD if is_of_gnss else Quality.SUSPECT


def read_motion(sentence: Sentence) -> tuple[Motion | None, Quality]:
    """Return the motion of an RMC sentence; None and unknown where it warns or says nothing.

    Raises:
        SentenceError: A field cannot be read.
    """
    fields = fields_of(sentence, _RMC_FIELDS)
    status = fields[_RMC["status"]]
    if status not in {"A", "V"}:
        raise SentenceError(Dropped.MALFORMED)
    sog_kn = number(fields[_RMC["spd_over_grnd"]], MOST_KN)
    cog_deg = number(fields[_RMC["true_course"]], 360.0)
    mode = fields[_RMC["mode_indicator"]] if len(fields) > _RMC["mode_indicator"] else ""
    if status == "V" or mode == "N" or (sog_kn is None and cog_deg is None):
        return None, Quality.UNKNOWN
    return Motion(sog_kn, cog_deg), Quality.SUSPECT if mode in NO_GNSS_MODES else Quality.GOOD


def fields_of(sentence: Sentence, least: int) -> list[str]:
    """Return the fields of a sentence that has so many at least; later editions add some at the end.

    Raises:
        SentenceError: It has fewer.
    """
    if len(sentence.fields) < least:
        raise SentenceError(Dropped.MALFORMED)
    return sentence.fields


def position(fields: list[str]) -> Position | None:
    """Return the position of latitude, N or S, longitude, E or W; None where one is empty.

    Raises:
        SentenceError: It is no place on earth.
    """
    lat, north_south, lon, east_west = fields
    lat_deg = _degrees(lat, north_south, ("N", "S"), 90.0)
    lon_deg = _degrees(lon, east_west, ("E", "W"), 180.0)
    return None if lat_deg is None or lon_deg is None else Position(lat_deg, lon_deg)


_ANGLE = re.compile(r"(\d{1,3})(\d\d(?:\.\d{0,9})?)", re.ASCII)
"""Degrees, then two digits of minutes and their decimals."""
_MINUTES_PER_DEGREE = 60.0


def _degrees(angle: str, side: str, sides: tuple[str, str], limit_deg: float) -> float | None:
    if not angle or not side:
        return None
    parts = _ANGLE.fullmatch(angle)
    if parts is None or side not in sides:
        raise SentenceError(Dropped.MALFORMED)
    minutes = float(parts[2])
    value_deg = int(parts[1]) + minutes / _MINUTES_PER_DEGREE
    if minutes >= _MINUTES_PER_DEGREE or value_deg > limit_deg:
        raise SentenceError(Dropped.MALFORMED)
    return value_deg if side == sides[0] else -value_deg


_DECIMAL = re.compile(r"\d{1,6}(?:\.\d{0,9})?|\.\d{1,9}", re.ASCII)


def number(text: str, limit: float) -> float | None:
    """Return a number from zero to the limit, None for an empty field.

    Raises:
        SentenceError: It is something else.
    """
    if not text:
        return None
    if _DECIMAL.fullmatch(text) is None or (value := float(text)) > limit:
        raise SentenceError(Dropped.MALFORMED)
    return value


def whole(text: str, limit: int) -> int | None:
    """Return a whole number from zero to the limit, None for an empty field.

    Raises:
        SentenceError: It is something else.
    """
    if not text:
        return None
    if len(text) > len(str(limit)) or not text.isdecimal() or (value := int(text)) > limit:
        raise SentenceError(Dropped.MALFORMED)
    return value
