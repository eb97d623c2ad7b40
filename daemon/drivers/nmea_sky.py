"""What does a GNSS receiver see of its satellites?

Source: IEC 61162-1 GSA (in use, dilution) and GSV (in view, signal), all constellations together. A
receiver says its sentences in a cycle, once a second or so; what one cycle says is put together when
the next one begins. With NMEA 0183 4.11 a satellite comes once for each of its signals: it counts
once, with its best signal.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, TypeAlias

import pynmea2

from daemon.drivers.sentences import Dropped, SentenceError, fields_of, number, whole
from daemon.model import Sky

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.drivers.sentences import Sentence

LONGEST_CYCLE_S = 3.0
"""A port that sends GSA and GSV alone has no sentence by which its cycles are known."""
MOST_SERIES = 64
MOST_SATELLITES = 256
"""In one cycle; all constellations together have some 150, of which a third is above the horizon."""

_GSA: dict[str, int] = pynmea2.GSA.name_to_idx
_GSV: dict[str, int] = pynmea2.GSV.name_to_idx
_FIRST_USED, _LAST_USED = _GSA["sv_id01"], _GSA["sv_id12"]
_GSA_FIELDS = 17
_GSA_SYSTEM = 17
"""GNSS system id, which NMEA 0183 4.11 adds."""
_GSV_HEAD = 3
_GSV_SATELLITE = 4
"""Number, elevation, azimuth, signal in dB-Hz: four fields."""
_MOST_IN_SENTENCE = 4
_MOST_SENTENCES = 9
_MOST_ID = 999
_MOST_CN0_DB_HZ = 99.0
_MOST_DOP = 1000.0

_Series: TypeAlias = tuple[str, str]
"""Talker and signal id of GSV sentences that belong together."""
_Satellite: TypeAlias = tuple[str, int]
"""Talker or system, and number."""


@dataclass(slots=True)
class _Cycle:
    """What was said since the cycle began."""

    began_s: float
    heard: set[str] = field(default_factory=set)
    used: set[_Satellite] | None = None
    pdop: float | None = None
    viewed: dict[_Satellite, float] | None = None
    """The signal by satellite, zero for one that is not tracked."""
    is_view_whole: bool = True


class SkyCycle:
    """The satellites of one receiver, put together cycle by cycle."""

    def __init__(self, valid_s: float) -> None:
        """Know nothing.

        Args:
            valid_s: How long what the last cycle said of one part holds while a cycle says nothing of it.
        """
        self._valid_s = valid_s
        self._cycle: _Cycle | None = None
        self._next_part: dict[_Series, int] = {}
        self._used_s = self._viewed_s = float("-inf")
        self._sky = Sky(None, None, None, None)

    def heard(self, address: str, now_s: float) -> Sky | None:
        """Note a sentence that comes once a cycle; return the sky when it ends one that spoke of it."""
        cycle, sky = self._cycle, None
        if cycle is not None and address in cycle.heard:
            sky = self._end(now_s)
            cycle = None
        if cycle is None:
            cycle = self._cycle = _Cycle(now_s)
        cycle.heard.add(address)
        return sky

    def take(self, sentence: Sentence, now_s: float) -> Sky | None:
        """Take GSA or GSV; return the sky when the cycle before has lasted too long.

        Raises:
            SentenceError: It cannot be read, or a part before it is missing.
        """
        sky = None
        if self._cycle is not None and now_s - self._cycle.began_s > LONGEST_CYCLE_S:
            sky = self._end(now_s)
        if self._cycle is None:
            self._cycle = _Cycle(now_s)
        cycle = self._cycle
        if sentence.formatter == "GSA":
            _use(cycle, sentence)
        else:
            try:
                self._view(cycle, sentence)
            except SentenceError:
                cycle.is_view_whole = False
                raise
        return sky

    def _end(self, now_s: float) -> Sky | None:
        """Return the sky at the end of a cycle, None where it said nothing of it."""
        cycle, self._cycle = self._cycle, None
        is_view_whole = not self._next_part
        self._next_part.clear()
        if cycle is None or (cycle.used is None and cycle.viewed is None):
            return None
        sky = self._sky
        if cycle.used is not None:
            self._used_s = now_s
            sky = replace(sky, in_use=len(cycle.used), pdop=cycle.pdop)
        elif now_s - self._used_s > self._valid_s:
            sky = replace(sky, in_use=None, pdop=None)
        if cycle.viewed is not None and cycle.is_view_whole and is_view_whole:
            self._viewed_s = now_s
            signals = [each for each in cycle.viewed.values() if each > 0.0]
            sky = replace(
                sky,
                in_view=len(cycle.viewed),
                mean_cn0_db_hz=_mean(signals),
                tracked=len(signals),
                cn0_sigma_db=_sigma(signals),
            )
        elif now_s - self._viewed_s > self._valid_s:
            sky = replace(sky, in_view=None, mean_cn0_db_hz=None, tracked=None, cn0_sigma_db=None)
        self._sky = sky
        return sky

    def _view(self, cycle: _Cycle, sentence: Sentence) -> None:
        fields = fields_of(sentence, _GSV_HEAD)
        satellites, odd = divmod(len(fields) - _GSV_HEAD, _GSV_SATELLITE)
        signal = fields[-1] if odd == 1 else ""
        total = whole(fields[_GSV["num_messages"]], _MOST_SENTENCES)
        part = whole(fields[_GSV["msg_num"]], _MOST_SENTENCES)
        if odd > 1 or satellites > _MOST_IN_SENTENCE or not total or not part or part > total:
            raise SentenceError(Dropped.MALFORMED)
        self._follow((sentence.talker, signal), part, total, cycle)
        viewed = {} if cycle.viewed is None else cycle.viewed
        if len(viewed) + satellites > MOST_SATELLITES:
            raise SentenceError(Dropped.MALFORMED)
        for at in range(_GSV_HEAD, _GSV_HEAD + satellites * _GSV_SATELLITE, _GSV_SATELLITE):
            satellite = whole(fields[at], _MOST_ID)
            cn0_db_hz = number(fields[at + 3], _MOST_CN0_DB_HZ) or 0.0
            if satellite is not None:
                key = sentence.talker, satellite
                viewed[key] = max(cn0_db_hz, viewed.get(key, 0.0))
        cycle.viewed = viewed

    def _follow(self, series: _Series, part: int, total: int, cycle: _Cycle) -> None:
        """Note where a series stands.

        Raises:
            SentenceError: A part of it is missing.
        """
        if series not in self._next_part:
            # Some two-band receivers (Quectel LC79D) count one series through all signals of a talker.
            ours = (other for other in self._next_part if other[0] == series[0])
            series = next((other for other in ours if self._next_part[other] == part), series)
        wanted = self._next_part.pop(series, 1)
        if part not in {1, wanted}:
            raise SentenceError(Dropped.INCOMPLETE)
        if part != wanted:
            cycle.is_view_whole = False
        if part < total and len(self._next_part) < MOST_SERIES:
            self._next_part[series] = part + 1


def _use(cycle: _Cycle, sentence: Sentence) -> None:
    fields = fields_of(sentence, _GSA_FIELDS)
    system = fields[_GSA_SYSTEM] if len(fields) > _GSA_SYSTEM else sentence.talker
    numbers = [whole(text, _MOST_ID) for text in fields[_FIRST_USED : _LAST_USED + 1]]
    pdop = number(fields[_GSA["pdop"]], _MOST_DOP)
    used = {(system, satellite) for satellite in numbers if satellite is not None}
    used |= cycle.used or set()
    if len(used) > MOST_SATELLITES:
        raise SentenceError(Dropped.MALFORMED)
    cycle.used, cycle.pdop = used, pdop


def _mean(tracked_db_hz: Sequence[float]) -> float | None:
    """Return the mean of the signals that are tracked."""
    return round(fmean(tracked_db_hz), 1) if tracked_db_hz else None


def _sigma(tracked_db_hz: Sequence[float]) -> float | None:
    """Return how far they scatter: one transmitter makes all alike."""
    return round(pstdev(tracked_db_hz), 2) if len(tracked_db_hz) > 1 else None
