"""Recorded receivers of many makers, read as gpsd reads them, or otherwise for a listed reason."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from daemon.drivers.nmea_alerts import AlertsReader
from daemon.drivers.nmea_doors import DoorsReader
from daemon.drivers.nmea_nav import NavReader
from daemon.drivers.nmea_steering import HeadingReader, LogReader
from daemon.drivers.nmea_words import understood
from daemon.drivers.sentences import SentenceError, parse
from daemon.model import Fix, Motion, Quality
from tests.recorded import RECORDED, differences, lines, listed, needs_recordings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.drivers.nmea_reader import Seen

pytestmark = needs_recordings

METRES_PER_S_IN_KN = 3600 / 1852
NEAR = 60
"""Lines: gpsd reports once a cycle, some time after a sentence; the longest cycle has some fifty."""
APART = {"position": 1e-6, "speed": 0.002, "track": 0.001}
"""Degrees, knots, degrees: gpsd prints so many digits."""
WHAT = ("position", "speed", "track", "time")


def said(point: str, value: object) -> Iterator[tuple[str, tuple[float, ...] | str]]:
    """Yield what one value of ours says, in gpsd's terms."""
    if isinstance(value, Fix):
        yield "position", (value.position.lat_deg, value.position.lon_deg)
    elif isinstance(value, Motion):
        if value.sog_kn is not None:
            yield "speed", (value.sog_kn,)
        if value.cog_deg is not None:
            yield "track", (value.cog_deg % 360,)
    elif point == "g.time" and isinstance(value, str):
        yield "time", value


def reported(report: dict[str, Any]) -> Iterator[tuple[str, tuple[float, ...] | str]]:
    """Yield what one TPV report says."""
    if "lat" in report and "lon" in report:
        yield "position", (report["lat"], report["lon"])
    if "speed" in report:
        yield "speed", (report["speed"] * METRES_PER_S_IN_KN,)
    if "track" in report:
        yield "track", (report["track"] % 360,)
    if "time" in report:
        yield "time", report["time"]


class Listened:
    """One log, heard by us and by gpsd line by line: a check file holds both."""

    def __init__(self, check: str) -> None:
        self.ours: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        self.gpsd: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        self.fixes_without = 0
        self.without_fixes = 0
        self._at = 0
        self._reader = NavReader("g")
        self._fix: tuple[object, Quality] = (None, Quality.UNKNOWN)
        for line in lines(check):
            if line.startswith(b'{"class":"TPV"'):
                self._report(json.loads(line))
            elif not line.startswith(b"{"):
                self._at += 1
                self._hear(line)

    def _report(self, report: dict[str, Any]) -> None:
        for what, value in reported(report):
            self.gpsd[what].append((self._at, value))
        if report.get("mode", 0) <= 1:
            self.without_fixes += 1
            self.fixes_without += self._fix[1] is Quality.GOOD

    def _hear(self, line: bytes) -> None:
        for point, value, quality in seen(self._reader, line):
            if point == "g.fix":
                self._fix = value, quality
            if quality is Quality.GOOD:
                for what, each in said(point, value):
                    self.ours[what].append((self._at, each))

    def alone(self, what: str) -> dict[str, int]:
        """Return how many values one says, by whom, that the other does not say near by."""
        ours, gpsd = self.ours[what], self.gpsd[what]
        return {
            "ours": sum(not _is_among(value, at, gpsd, what) for at, value in ours),
            "gpsd": sum(not _is_among(value, at, ours, what) for at, value in gpsd),
        }


def _is_among(value: Any, at: int, others: list[tuple[int, Any]], what: str) -> bool:
    near = (other for place, other in others if abs(place - at) <= NEAR)
    if what == "time":
        return value in near
    apart = APART[what]
    return any(
        all(abs(a - b) <= apart for a, b in zip(value, other, strict=True)) for other in near
    )


def seen(reader: NavReader, line: bytes) -> tuple[Seen, ...]:
    try:
        sentence = parse(line)
        read = reader.reads.get(sentence.formatter)
        return () if read is None else tuple(read(sentence, 0.0))
    except SentenceError:
        return ()


def test_receivers_say_what_gpsd_hears_of_them_or_otherwise_for_a_listed_reason():
    list_ = listed("gnss")
    found: dict[tuple, int] = {}
    compared: Counter[str] = Counter()
    for check in sorted(RECORDED.glob("gpsd/*.log.chk")):
        log = Listened(f"gpsd/{check.name}")
        name = check.name.removesuffix(".log.chk")
        for what in WHAT:
            compared[what] += len(log.ours[what]) + len(log.gpsd[what])
            for who, count in log.alone(what).items():
                if count:
                    found[name, what, who] = count
        compared["no fix"] += log.without_fixes
        if log.fixes_without:
            found[name, "no fix", "ours"] = log.fixes_without
    assert found == differences(list_["difference"], list_["reasons"])
    assert compared == list_["compared"]


def outcome(path: str) -> dict[str, int]:
    """Return how often each point was said, good or doubtful, and what was not read, by reason."""
    reader = NavReader("g")
    counts: Counter[str] = Counter()
    for line in lines(path):
        try:
            sentence = parse(line)
            read = reader.reads.get(sentence.formatter)
            if read is None:
                counts[understood(sentence)] += 1
                continue
            for point, _, quality in read(sentence, 0.0):
                counts[f"{point.removeprefix('g.')} {quality}"] += 1
        except SentenceError as err:
            counts[err.reason] += 1
    return dict(counts)


def test_receivers_of_which_gpsd_tells_nothing_are_read_as_is_listed():
    expected = listed("gnss")["read"]
    logs = sorted(
        path.name
        for path in RECORDED.glob("gpsd/*.log")
        if not path.with_name(f"{path.name}.chk").exists()
    )
    assert {name: outcome(f"gpsd/{name}") for name in logs} == expected


def test_a_sample_of_sentences_of_a_whole_ship_is_read_as_is_listed():
    """marnav's sample; each formatter by the feed that reads it."""
    readers = [
        NavReader("g"),
        HeadingReader("h"),
        LogReader("l"),
        AlertsReader("e"),
        DoorsReader(()),
    ]
    reads = {formatter: read for reader in readers for formatter, read in reader.reads.items()}
    counts: Counter[str] = Counter()
    for line in lines("nmea-sample.txt"):
        if line.startswith(b"#"):
            continue
        try:
            sentence = parse(line)
            read = reads.get(sentence.formatter)
            if read is None:
                understood(sentence)
            else:
                read(sentence, 0.0)
            counts[sentence.formatter] += 1
        except SentenceError as err:
            counts[err.reason] += 1
    assert counts == listed("gnss")["sample"]
