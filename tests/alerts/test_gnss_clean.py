"""No event on clean feeds: recorded receivers of other projects, and the sample ship's own voyage."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest

from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.gnss import GnssRule
from daemon.alerts.rules.gnss_limits import Antennas
from daemon.drivers.nmea_nav import NavReader
from daemon.drivers.sentences import SentenceError, parse
from daemon.model import Fix, Provenance, Reading
from simulators.ships import OWN_SHIP
from simulators.vessel import VesselSimulator
from tests.alerts.gnss_rig import NOW
from tests.clocks import ManualClock
from tests.makers import UTC_0210, reading
from tests.recorded import RECORDED, needs_recordings

LONGEST_GAP_S = 600.0


class Feed:
    """The lines of one receiver before the rule, by the receiver's own time."""

    def __init__(
        self, *names: str, antennas: Antennas | None = None, is_ashore: bool = False
    ) -> None:
        self.is_ashore = is_ashore
        self.rule = GnssRule(names, antennas=antennas, others=["log.water_speed"])
        self.readers = {name: NavReader(name) for name in names}
        for name in names:
            self.rule.link(name, up=True, now_s=0.0, reason="")
        self.suspect: list[str] = []
        self.alone: Counter[str] = Counter()

    def hear(self, name: str, line: bytes, now_s: float, utc: datetime) -> None:
        try:
            sentence = parse(line)
            read = self.readers[name].reads.get(sentence.formatter)
            seen = () if read is None else read(sentence, now_s)
        except SentenceError:
            return
        for point, value, quality in seen:
            if isinstance(value, Fix) and self.is_ashore:
                value = replace(value, altitude_m=None)  # noqa: PLW2901
            self.rule.take(
                Reading(
                    point=point,
                    value=value,
                    quality=quality,
                    provenance=Provenance.REPLAY,
                    received_utc=utc,
                    received_s=now_s,
                    source=name,
                ),
                None,
            )

    def look(self, now_s: float) -> None:
        list(self.rule.look(Moment(now_s, UTC_0210, NOW, {}, clock_is_synced=True)))
        suspicion = self.rule.suspicion
        self.alone.update({finding.witness.value for finding in suspicion.findings})
        if suspicion.suspect:
            self.suspect.append(suspicion.words)
        self.episodes = suspicion.episode or 0


def told(line: bytes, before: datetime | None) -> datetime | None:
    """Return the time that a line tells, which stands for the time at which it came."""
    fields = line.split(b",")
    formatter = fields[0][-3:]
    if formatter not in {b"GGA", b"RMC"} or len(fields) < 10 or len(fields[1]) < 6:
        return before
    try:
        text = fields[1][:6].decode()
        hour, minute, second = int(text[:2]), int(text[2:4]), int(text[4:6])
        if formatter == b"RMC" and len(fields[9]) == 6:
            day, month, year = (int(fields[9][at : at + 2]) for at in (0, 2, 4))
            year += 1900 if year >= 80 else 2000
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC_0210.tzinfo)
        return (before or UTC_0210).replace(hour=hour, minute=minute, second=second)
    except ValueError:
        return before


@needs_recordings
def test_no_recorded_receiver_is_suspect():
    """Receivers of cars, walkers, balloons: whatever is odd about one of them has one witness at most.

    Their height is that of the land they stood on, so the sea is asked nothing here.
    """
    suspect, logs, fixes = {}, 0, 0
    for path in sorted(RECORDED.glob("gpsd/*.log")):
        feed, now_s = Feed("gps1", is_ashore=True), 1000.0
        at: datetime | None = None
        for line in path.read_bytes().splitlines():
            told_utc = told(line, at)
            if told_utc is not None and told_utc != at:
                # Where a log was cut, or the date came late, a second passed.
                passed_s = 1.0 if at is None else (told_utc - at).total_seconds()
                now_s += passed_s if 0.0 < passed_s <= LONGEST_GAP_S else 1.0
                at = told_utc
                feed.look(now_s)
            feed.hear("gps1", line.strip(), now_s, at or UTC_0210)
        feed.look(now_s)
        logs += 1
        fix = feed.rule._receivers["gps1"].newest
        fixes += fix is not None
        if feed.suspect:
            suspect[path.name] = feed.suspect[:2]
    assert (logs, fixes) == (88, 69)
    assert suspect == {}


async def test_the_sample_ships_voyage_has_nothing_against_it():
    """Alongside, under way, turning, stopped; two receivers 11 m apart, as the simulators say it."""
    clock = ManualClock()
    said = {"sends": ["gnss"], "sentences": ["GGA", "RMC", "ZDA", "GSA", "GSV"]}
    units = {
        name: VesselSimulator(name, {**said, "antenna_north_m": 11.0 * at}, clock)
        for at, name in enumerate(("gps1", "gps2"))
    }
    feed = Feed(*units, antennas=Antennas(apart_m=11.0, height_m=12.0))
    legs = {100: (6, 90.0), 200: (12, 90.0), 300: (18, 110.0), 600: (18, 200.0), 900: (0, 200.0)}
    for second in range(1000):
        now_s = clock.now_s()
        for name, unit in units.items():
            if second in legs:
                knots, course_deg = legs[second]
                unit._move({"do": "sog", "kn": knots, "cog_deg": course_deg})
            for line in unit._sentences(second):
                feed.hear(name, line.encode(), now_s, clock.utc())
        feed.look(now_s)
        await clock.advance(1.0)
    assert (feed.suspect, dict(feed.alone)) == ([], {})
    newest = feed.rule._receivers["gps1"].fix
    assert isinstance(newest, Fix)
    assert abs(newest.position.lon_deg - OWN_SHIP.lon_deg) > 0.02, "she went somewhere"


SHOWN = {
    "gps1 frozen": ({"do": "frozen", "on": True}, 75, "GPS1 stands still, log says 12.0 kn"),
    "gps2 one point": (
        {"do": "one_point", "on": True},
        75,
        "GPS1 and GPS2 are at one point, their antennas 11 m apart",
    ),
    "gps1 height": ({"do": "height", "m": 80}, 2, "GPS1 says a height of 80 m"),
    "gps1 signal": ({"do": "signal", "down_db": 12}, 5, "GPS1 signals fell far: 12 dB"),
    "gps1 uniform": ({"do": "uniform", "on": True}, 40, "GPS1 signals are alike within 0.0 dB"),
    "gps1 step": ({"do": "time_step", "seconds": 4}, 8, "GPS1 time stepped +4 s"),
    "gps1 rollover": (
        {"do": "time_step", "seconds": -1024 * 604_800},
        2,
        "GPS1 date is 1024 weeks behind",
    ),
    "gps1 gnss": ({"do": "gnss", "on": False}, 2, "GPS1 has no fix"),
    "gps1 jump": ({"do": "jump", "north_m": 900}, 2, "GPS1 jumped 9"),
}


@pytest.mark.parametrize("name", SHOWN)
async def test_a_stand_in_shows_each_indicator(name):
    """Under way at 12 kn; what is told to the one receiver is seen by the rule that a ship has."""
    command, seconds, words = SHOWN[name]
    clock = ManualClock()
    said = {"sends": ["gnss"], "sentences": ["GGA", "RMC", "ZDA", "GSA", "GSV"]}
    units = {
        id_: VesselSimulator(id_, {**said, "antenna_north_m": 11.0 * at}, clock)
        for at, id_ in enumerate(("gps1", "gps2"))
    }
    feed = Feed(*units, antennas=Antennas(apart_m=11.0, height_m=12.0))
    for unit in units.values():
        await unit.do({"do": "sog", "kn": 12, "cog_deg": 90})
    for second in range(70 + seconds):
        if second == 70:
            assert feed.alone == {}
            await units[name.partition(" ")[0]].do(command)
        feed.rule.take(reading("log.water_speed", 12.0, at_s=clock.now_s()), None)
        for id_, unit in units.items():
            for line in unit._sentences(second):
                feed.hear(id_, line.encode(), clock.now_s(), clock.utc())
        feed.look(clock.now_s())
        await clock.advance(1.0)
    seen = [finding.words for finding in feed.rule.suspicion.findings]
    assert any(each.startswith(words) for each in seen), seen
