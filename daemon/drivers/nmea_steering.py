"""Where does the bow point, and how fast does she go through the water?

Source: IEC 61162-1: THS and HDT of a gyro or satellite compass; VBW and VHW of a log. What comes
from no compass (estimated, typed in, simulated) is suspect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.drivers.api import PointSpec
from daemon.drivers.nmea_reader import NOTHING, Kind, Thing
from daemon.drivers.sentences import MOST_KN, Dropped, Sentence, SentenceError, fields_of, number
from daemon.model import Heading, Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.drivers.nmea_reader import Read, Said

HEADING_VALID_S = 10.0
LOG_VALID_S = 10.0
"""Both come once a second or oftener."""

_THS_MODES = frozenset("AEMSV")
_VBW_FIELDS = 3
"""Longitudinal and transverse speed through the water, status; older logs end there or after six."""
_VHW_FIELDS = 8
_VHW_KN = 4


class HeadingReader:
    """A compass."""

    def __init__(self, device: str) -> None:
        point = f"{device}.heading"
        heading = Thing(point, HEADING_VALID_S, Kind("THS", read_ths), Kind("HDT", read_hdt))
        self.points = (PointSpec(point, HEADING_VALID_S),)
        self.reads: Mapping[str, Read] = dict.fromkeys(heading.formatters, heading.read)


class LogReader:
    """A speed log."""

    def __init__(self, device: str) -> None:
        point = f"{device}.water_speed"
        speed = Thing(point, LOG_VALID_S, Kind("VBW", read_vbw), Kind("VHW", read_vhw))
        self.points = (PointSpec(point, LOG_VALID_S, unit="kn"),)
        self.reads: Mapping[str, Read] = dict.fromkeys(speed.formatters, speed.read)


def read_ths(sentence: Sentence) -> Said:
    """Return the heading of THS; none where its mode says that it is not valid.

    Raises:
        SentenceError: A field cannot be read.
    """
    heading, mode = fields_of(sentence, 2)[:2]
    true_deg = number(heading, 360.0)
    if mode not in _THS_MODES:
        raise SentenceError(Dropped.MALFORMED)
    if true_deg is None or mode == "V":
        return NOTHING
    return Heading(true_deg % 360.0, mode), Quality.GOOD if mode == "A" else Quality.SUSPECT


def read_hdt(sentence: Sentence) -> Said:
    """Return the heading of HDT, which says nothing of how it came to it.

    Raises:
        SentenceError: A field cannot be read.
    """
    heading, reference = fields_of(sentence, 2)[:2]
    true_deg = number(heading, 360.0)
    if reference not in {"T", ""}:
        raise SentenceError(Dropped.MALFORMED)
    return NOTHING if true_deg is None else (Heading(true_deg % 360.0, None), Quality.GOOD)


def read_vbw(sentence: Sentence) -> Said:
    """Return the longitudinal speed through the water of VBW, in knots, negative astern.

    Raises:
        SentenceError: A field cannot be read.
    """
    ahead, _, status = fields_of(sentence, _VBW_FIELDS)[:_VBW_FIELDS]
    speed_kn = _signed(ahead)
    if status not in {"A", "V", ""}:
        raise SentenceError(Dropped.MALFORMED)
    return NOTHING if speed_kn is None or status != "A" else (speed_kn, Quality.GOOD)


def read_vhw(sentence: Sentence) -> Said:
    """Return the speed through the water of VHW, in knots.

    Raises:
        SentenceError: A field cannot be read.
    """
    speed_kn = _signed(fields_of(sentence, _VHW_FIELDS)[_VHW_KN])
    return NOTHING if speed_kn is None else (speed_kn, Quality.GOOD)


def _signed(text: str) -> float | None:
    magnitude_kn = number(text.removeprefix("-"), MOST_KN)
    if magnitude_kn is None and text:
        raise SentenceError(Dropped.MALFORMED)
    return -magnitude_kn if magnitude_kn and text.startswith("-") else magnitude_kn
