"""Recorded input of other projects, read as a ship's feed would be."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from daemon.drivers.nmea_alerts import AlertsReader
from daemon.drivers.nmea_doors import DoorsReader
from daemon.drivers.nmea_nav import NavReader
from daemon.drivers.sentences import Dropped, SentenceError, parse
from daemon.model import Quality
from tests.recorded import RECORDED, needs_recordings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.drivers.nmea_reader import Reader, Seen


pytestmark = needs_recordings


def heard(reader: Reader, lines: list[bytes], counts: Counter[str]) -> Iterator[Seen]:
    """Yield everything that is seen; one sentence a second of a receiver's time is all the same here."""
    for line in lines:
        try:
            sentence = parse(line)
            read = reader.reads.get(sentence.formatter)
            yield from () if read is None else read(sentence, 0.0)
        except SentenceError as err:
            counts[err.reason] += 1


def reports(check: Path, kind: str) -> list[dict[str, float]]:
    start = f'{{"class":"{kind}"'
    lines = check.read_text("latin-1").splitlines()
    return [json.loads(line) for line in lines if line.startswith(start)]


def test_receivers_stand_where_gpsd_says_by_whatever_sentence_they_say_it():
    counts: Counter[str] = Counter()
    places, elsewhere = 0, {}
    for check in sorted(RECORDED.glob("gpsd/*.log.chk")):
        expected = {(tpv["lat"], tpv["lon"]) for tpv in reports(check, "TPV") if "lat" in tpv}
        near = {(round(lat, 4), round(lon, 4)) for lat, lon in expected}
        lines = check.with_suffix("").read_bytes().splitlines()
        seen = {
            (round(fix.position.lat_deg, 4), round(fix.position.lon_deg, 4))
            for point, fix, quality in heard(NavReader("g"), lines, counts)
            if point == "g.fix" and quality is Quality.GOOD
        }
        places += len(seen)
        if not seen <= near:
            elsewhere[check.name] = seen - near
    assert elsewhere == {}
    # Five fewer than without RMC, which warns while a receiver acquires.
    assert places == 136


def test_receivers_see_as_many_satellites_as_gpsd_says():
    counts: Counter[str] = Counter()
    skies = alike = 0
    for check in sorted(RECORDED.glob("gpsd/*.log.chk")):
        expected = {(sky.get("nSat"), sky.get("uSat")) for sky in reports(check, "SKY")}
        lines = check.with_suffix("").read_bytes().splitlines()
        for point, sky, _ in heard(NavReader("g"), lines, counts):
            if point == "g.sky":
                skies += 1
                alike += (sky.in_view, sky.in_use) in expected
    # What differs: gpsd says view and use apart where they come apart, and nothing without a fix; some
    # receivers number their satellites as no other does.
    assert (skies, alike) == (910, 770)


def test_alerts_heartbeats_and_doors_of_other_projects_are_read_or_counted():
    rows = (RECORDED / "alert_vectors_dev.tsv").read_text("utf-8").splitlines()[1:]
    results: Counter[tuple[str, str]] = Counter()
    for row in rows:
        _, formatter, _, _, line = row.split("\t")
        reader: Reader = DoorsReader(()) if formatter == "DOR" else AlertsReader("e")
        if formatter not in reader.reads:
            continue
        counts: Counter[str] = Counter()
        list(heard(reader, [line.encode("ascii")], counts))
        results[formatter, next(iter(counts), "read")] += 1
    assert results == {
        ("ALC", "read"): 5,
        ("ALC", Dropped.MALFORMED): 6,
        ("ALF", "read"): 6,
        ("ALF", Dropped.MALFORMED): 6,
        ("ALR", "read"): 13,
        ("ALR", Dropped.MALFORMED): 3,
        ("DOR", "read"): 3,
        ("DOR", Dropped.MALFORMED): 2,
        ("HBT", "read"): 5,
        ("HBT", Dropped.MALFORMED): 2,
        ("HBT", Dropped.CHECKSUM): 1,
    }
