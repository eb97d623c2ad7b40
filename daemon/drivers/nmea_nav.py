"""What does a GNSS receiver say: where, how fast, what time it is, and what it sees of the sky?

Source: IEC 61162-1: GGA, GNS, GLL; RMC, VTG; ZDA; GSA and GSV (``nmea_sky``). GGA and RMC are read in
``sentences``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pynmea2

from daemon.drivers.api import PointSpec
from daemon.drivers.nmea_reader import NOTHING, Kind, Thing
from daemon.drivers.nmea_sky import SkyCycle
from daemon.drivers.sentences import (
    MOST_KN,
    NO_GNSS_MODES,
    Dropped,
    Sentence,
    SentenceError,
    fields_of,
    number,
    position,
    read_fix,
    read_motion,
    whole,
)
from daemon.model import Fix, Motion, Quality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.drivers.nmea_reader import Read, Said, Seen

NAV_VALID_S = 10.0
"""Everything here comes once a second, GSV now and then once in five."""


class NavReader:
    """A GNSS receiver."""

    def __init__(self, device: str) -> None:
        self._sky = f"{device}.sky"
        self._fix = f"{device}.fix"
        self._warned_s = float("-inf")
        self._cycle = SkyCycle(NAV_VALID_S)
        things = (
            Thing(
                self._fix,
                NAV_VALID_S,
                Kind("GGA", read_gga),
                Kind("GNS", read_gns),
                Kind("GLL", read_gll),
                Kind("RMC", read_rmc_fix),
            ),
            Thing(f"{device}.motion", NAV_VALID_S, Kind("RMC", read_motion), Kind("VTG", read_vtg)),
            Thing(f"{device}.time", NAV_VALID_S, Kind("ZDA", read_zda), Kind("RMC", read_rmc_time)),
        )
        self._things: dict[str, list[Thing]] = {}
        for thing in things:
            for formatter in thing.formatters:
                self._things.setdefault(formatter, []).append(thing)
        self.points = (
            *(PointSpec(thing.point, NAV_VALID_S) for thing in things),
            PointSpec(self._sky, NAV_VALID_S),
        )
        self.reads: Mapping[str, Read] = {
            **dict.fromkeys(self._things, self._read),
            "GSA": self._read_satellites,
            "GSV": self._read_satellites,
        }

    def _read(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        seen: list[Seen] = []
        for thing in self._things[sentence.formatter]:
            seen += thing.read(sentence, now_s)
        if sentence.formatter == "RMC":
            self._warned_s = now_s if _warns(sentence) else float("-inf")
        if now_s - self._warned_s <= NAV_VALID_S:
            # GGA of some receivers goes on with the last fix: RMC says that it is none.
            seen = [self._doubted(each) for each in seen]
        # The first sentence that comes again begins the next cycle of the receiver.
        sky = self._cycle.heard(sentence.talker + sentence.formatter, now_s)
        if sky is not None:
            seen.append((self._sky, sky, Quality.GOOD))
        return seen

    def _doubted(self, seen: Seen) -> Seen:
        point, value, _ = seen
        return (point, value, Quality.SUSPECT) if point == self._fix and value is not None else seen

    def _read_satellites(self, sentence: Sentence, now_s: float) -> Sequence[Seen]:
        sky = self._cycle.take(sentence, now_s)
        return () if sky is None else ((self._sky, sky, Quality.GOOD),)


_GGA: dict[str, int] = pynmea2.GGA.name_to_idx
_GNS: dict[str, int] = pynmea2.GNS.name_to_idx
_GLL: dict[str, int] = pynmea2.GLL.name_to_idx
_VTG: dict[str, int] = pynmea2.VTG.name_to_idx
_ZDA: dict[str, int] = pynmea2.ZDA.name_to_idx
_RMC: dict[str, int] = pynmea2.RMC.name_to_idx
"""Which field stands where, by pynmea2's names."""
_GNS_FIELDS = 12
_GLL_FIELDS = 6
"""NMEA 0183 2.0; later editions add the mode (2.3)."""
_VTG_FIELDS = 8
"""The same; before it the units had no fields of their own, and such a VTG is not read."""
_ZDA_FIELDS = 4
_RMC_FIELDS = 9
_MOST_SATELLITES = 99
_MOST_HDOP = 1000.0

_QUALITY_OF_MODE = {"R": 4, "F": 5, "P": 3, "D": 2, "A": 1, "E": 6, "M": 7, "S": 8}
"""GGA's fix quality for the mode letters of GNS and GLL, best first."""
_NO_FIX = "N"


def read_gga(sentence: Sentence) -> Said:
    """Return the fix of a GGA sentence with the height of the antenna, where it tells one.

    Raises:
        SentenceError: A field cannot be read.
    """
    fix, quality = read_fix(sentence)
    if fix is None:
        return fix, quality
    height_m = _height_m(sentence.fields[_GGA["altitude"]])
    of_day_s = _of_day_s(sentence.fields[_GGA["timestamp"]])
    return replace(fix, altitude_m=height_m, of_day_s=of_day_s), quality


def _height_m(text: str) -> float | None:
    """Return a height over the geoid; what cannot be read says nothing, and costs no position."""
    return float(text) if _HEIGHT.fullmatch(text) else None


def _of_day_s(text: str) -> float | None:
    """Return the second of the day of hhmmss.sss; what cannot be read says nothing, as above."""
    clock = _TIME.fullmatch(text)
    if clock is None:
        return None
    hour, minute, second, fraction = clock.groups()
    return int(hour) * 3600.0 + int(minute) * 60.0 + int(second) + float(f"0.{fraction or 0}")


_HEIGHT = re.compile(r"-?\d{1,6}(?:\.\d{0,9})?", re.ASCII)


def read_gns(sentence: Sentence) -> Said | None:
    """Return the fix of a GNS sentence: as good as its best constellation.

    None where it tells of one constellation of several: beside the one of all (talker GN) such receivers send one for
    each, with satellites and the age of corrections, and neither position nor mode (Trimble, *NMEA-0183 message: GNS*).

    Raises:
        SentenceError: A field cannot be read.
    """
    fields = fields_of(sentence, _GNS_FIELDS)
    modes = fields[_GNS["mode_indicator"]]
    if set(modes) - {*_QUALITY_OF_MODE, _NO_FIX}:
        raise SentenceError(Dropped.MALFORMED)
    best = next((mode for mode in _QUALITY_OF_MODE if mode in modes), _NO_FIX)
    where = fields[_GNS["lat"] : _GNS["lon_dir"] + 1]
    place = position(where)
    if not modes and not any(where):
        return None
    satellites = whole(fields[_GNS["num_sats"]], _MOST_SATELLITES)
    hdop = number(fields[_GNS["hdop"]], _MOST_HDOP)
    if best == _NO_FIX or place is None:
        return NOTHING
    height_m = _height_m(fields[_GNS["altitude"]])
    of_day_s = _of_day_s(fields[_GNS["timestamp"]])
    fix = Fix(place, _QUALITY_OF_MODE[best], satellites, hdop, height_m, of_day_s)
    return fix, _quality(best)


def read_gll(sentence: Sentence) -> Said:
    """Return the fix of a GLL sentence, which knows neither satellites nor dilution.

    Raises:
        SentenceError: A field cannot be read.
    """
    fields = fields_of(sentence, _GLL_FIELDS)
    status = fields[_GLL["status"]]
    mode = fields[_GLL["faa_mode"]] if len(fields) > _GLL["faa_mode"] else "A"
    if status not in {"A", "V"} or mode not in {*_QUALITY_OF_MODE, _NO_FIX, ""}:
        raise SentenceError(Dropped.MALFORMED)
    if status == "V" or mode == _NO_FIX:  # whatever stands in the other fields then
        return NOTHING
    place = position(fields[_GLL["lat"] : _GLL["lon_dir"] + 1])
    if place is None:
        return NOTHING
    return Fix(place, _QUALITY_OF_MODE[mode or "A"], None, None), _quality(mode)


def read_rmc_fix(sentence: Sentence) -> Said:
    """Return the fix of an RMC sentence, of a receiver that sends no other; it knows no more than GLL does.

    Raises:
        SentenceError: A field cannot be read.
    """
    fields = fields_of(sentence, _RMC_FIELDS)
    mode = fields[_RMC["mode_indicator"]] if len(fields) > _RMC["mode_indicator"] else ""
    if _warns(sentence) or mode == _NO_FIX:  # whatever stands in the other fields then
        return NOTHING
    place = position(fields[_RMC["lat"] : _RMC["lon_dir"] + 1])
    if place is None:
        return NOTHING
    return Fix(place, _QUALITY_OF_MODE.get(mode, 1), None, None), _quality(mode)


def _warns(sentence: Sentence) -> bool:
    """Return whether RMC has the navigation receiver warning."""
    return sentence.fields[_RMC["status"]] == "V"


def read_vtg(sentence: Sentence) -> Said:
    """Return the motion of a VTG sentence.

    Raises:
        SentenceError: A field cannot be read.
    """
    fields = fields_of(sentence, _VTG_FIELDS)
    cog_deg = number(fields[_VTG["true_track"]], 360.0)
    sog_kn = number(fields[_VTG["spd_over_grnd_kts"]], MOST_KN)
    mode = fields[_VTG["faa_mode"]] if len(fields) > _VTG["faa_mode"] else ""
    if mode == _NO_FIX or (sog_kn is None and cog_deg is None):
        return NOTHING
    return Motion(sog_kn, cog_deg), _quality(mode)


def read_zda(sentence: Sentence) -> Said:
    """Return the UTC moment of a ZDA sentence, as text; the local zone is not asked for.

    Raises:
        SentenceError: A field cannot be read.
    """
    fields = fields_of(sentence, _ZDA_FIELDS)
    day, month, year = (fields[_ZDA[name]] for name in ("day", "month", "year"))
    time = fields[_ZDA["timestamp"]]
    if not (time and day and month and year):
        return NOTHING
    return _moment(time, f"{day:0>2}{month:0>2}{year}"), Quality.GOOD


def read_rmc_time(sentence: Sentence) -> Said:
    """Return the UTC moment of an RMC sentence, as text; suspect while the receiver warns.

    Raises:
        SentenceError: A field cannot be read.
    """
    fields = fields_of(sentence, _RMC_FIELDS)
    time, date = fields[_RMC["timestamp"]], fields[_RMC["datestamp"]]
    if not time or date in {"", "000000"}:  # no date yet, as some receivers write it
        return NOTHING
    # Two digits of the year: what GNSS has not lived through is not meant.
    century = "19" if date[4:] >= _FIRST_GNSS_YEAR else "20"
    quality = Quality.GOOD if fields[_RMC["status"]] == "A" else Quality.SUSPECT
    return _moment(time, date[:4] + century + date[4:]), quality


_FIRST_GNSS_YEAR = "80"
"""GPS counts its weeks from January 1980."""

_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(?:\.(\d{0,9}))?", re.ASCII)
_DATE = re.compile(r"(\d\d)(\d\d)(\d{4})", re.ASCII)
_LEAP_SECOND = "60"


def _moment(time: str, date: str) -> str:
    """Return hhmmss.sss and ddmmyyyy as ``2026-11-22T02:10:00.000Z``."""
    clock, calendar = _TIME.fullmatch(time), _DATE.fullmatch(date)
    if clock is None or calendar is None:
        raise SentenceError(Dropped.MALFORMED)
    hour, minute, second, fraction = clock.groups()
    day, month, year = calendar.groups()
    try:
        midnight = datetime(int(year), int(month), int(day), tzinfo=UTC)
        if second == _LEAP_SECOND:  # a moment that others call the first one of the next minute
            moment = midnight + timedelta(hours=int(hour), minutes=int(minute) + 1)
            return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
    except (ValueError, OverflowError) as err:
        raise SentenceError(Dropped.MALFORMED) from err
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction or '':0<3.3}Z"


def _quality(mode: str) -> Quality:
    return Quality.SUSPECT if mode in NO_GNSS_MODES else Quality.GOOD
