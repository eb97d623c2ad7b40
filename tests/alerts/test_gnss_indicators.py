"""Every indicator of the table shows what it is for, sits on its limit, and is quiet on a ship where all is well."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from daemon.alerts.rules import gnss_limits as limits
from daemon.alerts.rules.gnss_limits import Antennas
from daemon.alerts.rules.gnss_receiver import Lasting
from daemon.alerts.rules.gnss_signal import Signals
from daemon.alerts.rules.gnss_time import GnssTime
from daemon.model import EquipmentAlert, EquipmentReport, Fix, Motion, Position, Quality, Sky
from tests.alerts.gnss_rig import METRES_A_DEGREE, Ship
from tests.makers import UTC_0210, reading

ROLLOVER = timedelta(weeks=1024)


def test_a_ship_where_all_is_well_has_nothing_against_her_position():
    ship = Ship(sog_kn=12.0, water_kn=12.5, heading_deg=2.0)
    for gps in ship.gps.values():
        gps.cog_deg = 358.0
    for _ in range(300):
        ship.second()
        assert ship.words() == []


# --- the fix itself ---


@pytest.mark.parametrize(
    ("satellites", "hdop", "found"),
    [
        (5, 4.0, []),
        (4, 0.9, ["GPS1 uses 4 satellites"]),
        (9, 4.1, ["GPS1 has HDOP 4.1"]),
    ],
)
def test_a_fix_is_poor_with_few_satellites_or_a_bad_geometry(satellites, hdop, found):
    ship = Ship()
    ship.gps["gps1"].satellites, ship.gps["gps1"].hdop = satellites, hdop
    assert ship.pass_s(1) == found


@pytest.mark.parametrize(
    ("height_m", "found"),
    [
        (72.0, []),
        (72.1, ["GPS2 says a height of 72 m"]),
        (12.0, []),
        (11.4, ["GPS2 says a height of 11 m"]),
        (None, []),
    ],
)
def test_an_antenna_is_where_the_sea_is(height_m, found):
    ship = Ship(antennas=Antennas(apart_m=11.0, height_m=42.0))
    ship.gps["gps1"].height_m, ship.gps["gps2"].height_m = 42.0, height_m
    assert ship.pass_s(1) == found


@pytest.mark.parametrize(
    ("height_m", "found"),
    [(-30.1, True), (-30.0, False), (48.0, False), (130.0, False), (130.1, True)],
)
def test_where_nobody_said_how_high_her_antenna_stands_any_ships_height_will_do(height_m, found):
    ship = Ship(("gps1",))
    ship.gps["gps1"].height_m = height_m
    assert (ship.pass_s(1) == [f"GPS1 says a height of {height_m:.0f} m"]) is found


# --- the other receiver ---


def test_two_receivers_at_one_point_are_noticed_after_a_minute():
    ship = Ship()
    ship.pass_s(30)
    ship.gps["gps2"].north_m = 5.4
    assert ship.pass_s(60) == []
    assert ship.pass_s(1) == ["GPS1 and GPS2 are at one point, their antennas 11 m apart"]
    ship.gps["gps2"].north_m = 5.6
    assert ship.pass_s(1) == [], "half of the distance is their ordinary error"


@pytest.mark.parametrize("names_moment", [True, False])
@pytest.mark.parametrize(("north_m", "spoofed"), [(11.0, False), (-11.0, False), (0.0, True)])
def test_under_way_only_fixes_of_one_moment_are_held_together(north_m, spoofed, names_moment):
    """The second receiver's sentence comes 0.6 s late: without its own time it would be 11 m off by then."""
    ship = Ship(sog_kn=12.0, vdo_north_m=None)
    rule, metre_s = ship.rule, 12.0 * 1852 / 3600
    found: set[str] = set()
    for second in range(150):
        for name, at_m, late_s in (("gps1", 0.0, 0.0), ("gps2", north_m, 0.6)):
            ship.now_s = second + late_s
            place = Position(1.0 + (at_m + metre_s * second) / METRES_A_DEGREE, 104.0)
            moment_s = float(second) if names_moment else None
            ship.say(f"{name}.motion", Motion(12.0, 0.0))
            ship.say(f"{name}.fix", Fix(place, 1, 9, 0.9, None, moment_s))
            found.update(ship.words())
    said = any("at one point" in words for words in found)
    assert said is (spoofed and names_moment), "without a moment it cannot be known at this speed"
    assert rule.suspicion.suspect is False


def test_antennas_that_stand_together_cannot_be_at_one_point():
    ship = Ship(antennas=Antennas(apart_m=limits.ONE_POINT_FROM_M - 0.1))
    ship.gps["gps2"].north_m = 0.0
    assert ship.pass_s(120) == []


# --- log and compass ---


def test_a_position_that_stands_still_while_the_log_runs_is_frozen():
    ship = Ship(sog_kn=10.0, water_kn=10.0)
    ship.pass_s(30)
    ship.gps["gps1"].moves = False
    ship.gps["gps1"].north_m += ship.way_m
    found = ship.pass_s(61)
    assert "GPS1 stands still, log says 10.0 kn" in found
    ship.gps["gps1"].moves = True
    ship.gps["gps1"].north_m = 0.0
    assert not any("stands still" in words for words in ship.pass_s(1))


@pytest.mark.parametrize(("water_kn", "frozen"), [(1.0, False), (1.1, True), (None, False)])
def test_a_moored_receiver_that_pins_its_position_is_not_frozen(water_kn, frozen):
    ship = Ship(water_kn=water_kn)
    for gps in ship.gps.values():
        gps.moves = False
    assert any("stands still" in words for words in ship.pass_s(70)) is frozen


@pytest.mark.parametrize(
    ("current_kn", "off_kn", "found"), [(2.0, 2.0, 0), (2.0, 2.1, 1), (4.0, 3.9, 0)]
)
def test_speed_over_ground_and_log_part_by_the_stream_at_most(current_kn, off_kn, found):
    ship = Ship(("gps1",), antennas=Antennas(current_kn=current_kn), sog_kn=10.0 + off_kn)
    ship.water_kn = 10.0
    assert ship.pass_s(60) == []
    assert len(ship.pass_s(1)) == found


@pytest.mark.parametrize(
    ("cog_deg", "heading_deg", "knots", "found"),
    [
        (350.0, 10.0, 8.0, 0),
        (349.0, 10.0, 8.0, 1),
        (10.0, 349.0, 8.0, 1),
        (100.0, 10.0, 3.0, 0),
        (None, 10.0, 8.0, 0),
    ],
)
def test_course_and_heading_part_by_drift_at_most(cog_deg, heading_deg, knots, found):
    ship = Ship(("gps1",), sog_kn=knots, water_kn=knots, heading_deg=heading_deg)
    ship.gps["gps1"].cog_deg = cog_deg
    assert ship.pass_s(60) == []
    assert len(ship.pass_s(1)) == found


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.UNKNOWN])
def test_a_speed_that_the_receiver_tells_no_more_is_not_held_against_the_log(quality):
    """RMC warns, or a filter lets GGA alone through, and she slows down."""
    ship = Ship(("gps1",), sog_kn=12.0, water_kn=12.0, heading_deg=0.0)
    assert ship.pass_s(70) == []
    ship.rule.take(reading("gps1.motion", None, at_s=ship.now_s, quality=quality), None)
    found = set()
    for _ in range(90):
        ship.now_s += 1.0
        place = Position(1.0 + ship.now_s / METRES_A_DEGREE, 104.0)
        ship.say("gps1.fix", Fix(place, 1, 9, 0.9))
        ship.say("log.water_speed", 3.0)
        found.update(ship.words())
    assert not any("log says" in words for words in found)


@pytest.mark.parametrize(("off_deg", "found"), [(29.0, 0), (31.0, 1)])
def test_a_stream_from_abeam_sets_a_slow_ship_far_off_her_heading(off_deg, found):
    """3 kn across a ship that makes 6: her course is 30 degrees off when she steers against it."""
    ship = Ship(("gps1",), antennas=Antennas(current_kn=3.0), sog_kn=6.0, water_kn=6.0)
    ship.heading_deg, ship.gps["gps1"].cog_deg = 0.0, off_deg
    assert len(ship.pass_s(62)) == found


def test_a_log_that_is_silent_says_nothing():
    ship = Ship(("gps1",), sog_kn=12.0, water_kn=2.0)
    assert len(ship.pass_s(61)) == 1
    ship.water_kn = None
    assert ship.pass_s(11) == []


# --- the signals ---


class Antenna:
    """The signals at one antenna, told each five seconds."""

    def __init__(self, usual_db_hz: float = 43.0) -> None:
        self.signals, self.now_s = Signals(), 0.0
        self.pass_s(130, usual_db_hz)

    def pass_s(self, seconds: float, mean_db_hz: float | None, *, tracked: int = 10) -> str | None:
        for _ in range(round(seconds / 5)):
            self.now_s += 5.0
            self.signals.take(Sky(10, 9, mean_db_hz, 1.6, tracked, 3.5), self.now_s)
        return self.signals.words(self.now_s)


@pytest.mark.parametrize(
    ("fall_db", "found"),
    [
        (5.9, None),
        (6.0, "signals fell 6 dB"),
        (10.0, "signals fell far: 10 dB"),
        (-4.0, None),
        (-4.1, "signals rose 4 dB"),
    ],
)
def test_signals_that_fall_or_rise_together_are_noticed(fall_db, found):
    antenna = Antenna()
    assert antenna.pass_s(5, 43.0 - fall_db) == found
    if found is not None:
        assert antenna.pass_s(900, 43.0 - fall_db) == found, (
            "what fell is not the usual sky so soon"
        )
        assert antenna.pass_s(5, 43.0) is None


@pytest.mark.parametrize(("tracked", "found"), [(11, "signals rose 6 dB"), (12, None), (18, None)])
def test_a_ship_that_leaves_the_shade_of_the_cranes_is_under_no_attack(tracked, found):
    antenna = Antenna(37.0)
    assert antenna.pass_s(300, 43.0, tracked=tracked) == found


def test_signals_that_are_lost_altogether_fell_too():
    ship = Ship(("gps1",))
    ship.pass_s(130)
    ship.gps["gps1"].mean_db_hz = None
    assert ship.pass_s(1) == ["GPS1 tracks no signal"]


def test_a_sky_that_changes_slowly_is_the_sky():
    antenna = Antenna()
    for quarters in range(40):
        assert antenna.pass_s(60, 43.0 - quarters / 4) is None


def test_a_sky_that_nobody_disputes_for_half_an_hour_is_the_usual_one():
    antenna = Antenna()
    assert antenna.pass_s(1800, 33.0) == "signals fell far: 10 dB"
    assert antenna.pass_s(200, 33.0) is None


@pytest.mark.parametrize(("sigma_db", "alike"), [(1.99, True), (2.0, False), (None, False)])
def test_signals_of_one_transmitter_are_alike(sigma_db, alike):
    ship = Ship(("gps1",))
    ship.gps["gps1"].sigma_db = sigma_db
    assert ship.pass_s(30) == []
    assert (ship.pass_s(1) == ["GPS1 signals are alike within 2.0 dB"]) is alike


# --- the time ---


@pytest.mark.parametrize(("step_s", "stepped"), [(1.0, False), (1.1, True), (-1.1, True)])
def test_a_step_of_a_receivers_time_is_noticed(step_s, stepped):
    ship = Ship(("gps1",))
    ship.pass_s(60)
    ship.gps["gps1"].fast_s = step_s
    assert ship.pass_s(5) == ([f"GPS1 time stepped {step_s:+.0f} s"] if stepped else [])


def test_one_sentence_that_came_late_is_no_step():
    ship = Ship(("gps1",))
    ship.pass_s(60)
    ship.gps["gps1"].fast_s = -3.0
    assert ship.pass_s(4) == []
    ship.gps["gps1"].fast_s = 0.0
    assert ship.pass_s(60) == []


def test_a_time_that_nobody_takes_back_is_believed_after_ten_minutes():
    ship = Ship(("gps1",))
    ship.pass_s(60)
    ship.gps["gps1"].fast_s = 30.0
    assert ship.pass_s(600) == ["GPS1 time stepped +30 s"]
    assert ship.pass_s(30) == []


@pytest.mark.parametrize("weeks", [1, 2, -1])
@pytest.mark.parametrize("hours", [0, 23, -23])
def test_a_week_count_that_began_again_is_named(weeks, hours):
    time = GnssTime()
    told = UTC_0210 - weeks * ROLLOVER + timedelta(hours=hours)
    time.take(told, now_utc=UTC_0210, now_s=5.0)
    side = "behind" if weeks > 0 else "ahead"
    assert time.words(clock_is_synced=True) == f"date is {abs(weeks) * 1024} weeks {side}"


@pytest.mark.parametrize("off", [timedelta(weeks=1023), timedelta(days=900), timedelta(0)])
def test_another_date_is_no_rollover(off):
    time = GnssTime()
    time.take(UTC_0210 - off, now_utc=UTC_0210, now_s=5.0)
    assert time.words(clock_is_synced=True) is None


def drifted(ppm: float, hours: float) -> GnssTime:
    """A receiver whose time runs away, by sentences that come up to 0.4 s late."""
    time = GnssTime()
    for minute in range(round(hours * 60)):
        now_s = minute * 60.0
        late_s = 0.4 * (minute % 5) / 4
        told: datetime = UTC_0210 + timedelta(seconds=now_s * (1 + ppm * 1e-6) - late_s)
        time.take(told, now_utc=UTC_0210 + timedelta(seconds=now_s), now_s=now_s)
    return time


@pytest.mark.parametrize(
    ("ppm", "hours", "words"),
    [
        (6.0, 6.5, "time drifts +6 ppm"),
        (-6.0, 6.5, "time drifts -6 ppm"),
        (4.0, 6.5, None),
        (20.0, 5.9, None),
    ],
)
def test_a_drift_against_a_disciplined_clock_is_noticed_after_six_hours(ppm, hours, words):
    assert drifted(ppm, hours).words(clock_is_synced=True) == words


def test_a_clock_that_nothing_disciplines_proves_no_drift():
    assert drifted(50.0, 7.0).words(clock_is_synced=False) is None


def pass_hours(time: GnssTime, hours: range, *, fast_s: float = 0.0, synced: bool = True) -> None:
    """Let hours pass on a clock that runs 20 ppm fast while nothing disciplines it."""
    for minute in range(hours.start * 60, hours.stop * 60):
        now_s = minute * 60.0
        told = UTC_0210 + timedelta(seconds=now_s * (1.0 if synced else 1 + 20e-6) + fast_s)
        time.take(told, now_utc=UTC_0210 + timedelta(seconds=now_s), now_s=now_s)
        assert time.words(clock_is_synced=synced) is None


def test_what_the_clock_ran_away_by_before_it_was_disciplined_is_no_drift():
    time = GnssTime()
    pass_hours(time, range(7), synced=False)
    pass_hours(time, range(7, 8), fast_s=7 * 3600 * 20e-6)


@pytest.mark.parametrize("leap_s", [-1.0, 1.0])
def test_a_leap_second_is_neither_a_step_nor_a_drift(leap_s):
    time = GnssTime()
    pass_hours(time, range(4))
    pass_hours(time, range(4, 16), fast_s=leap_s)


def test_a_receiver_without_a_fix_has_yet_to_learn_the_time():
    ship = Ship(("gps1",))
    ship.pass_s(60)
    ship.gps["gps1"].quality, ship.gps["gps1"].fast_s = 0, -ROLLOVER.total_seconds()
    assert ship.pass_s(20) == ["GPS1 has no fix"]


# --- the AIS unit ---


@pytest.mark.parametrize(("off_m", "found"), [(110.0, False), (112.0, True)])
def test_an_ais_unit_that_puts_own_ship_elsewhere_is_noticed_at_its_second_report(off_m, found):
    ship = Ship(("gps1",), vdo_north_m=0.0)
    ship.gps["gps1"].moves = False
    ship.pass_s(20)
    ship.vdo_north_m = off_m
    assert ship.pass_s(19) == []
    assert ship.pass_s(1) == ([f"AIS is {off_m:.0f} m from GPS1"] if found else [])
    ship.vdo_north_m = 0.0
    assert ship.pass_s(10) == []


@pytest.mark.parametrize("number", [7, 9, 25, 26, 1])
def test_what_the_ais_unit_says_of_its_own_position_is_taken(number):
    ship = Ship()
    said = EquipmentAlert(number, None, "", active=True, acknowledged=False, priority=None)
    ship.say("ais.alerts", EquipmentReport(None, (said,)))
    named = limits.AIS_ALERTS.get(number)
    assert ship.pass_s(1) == ([] if named is None else [f"AIS alert {number:03d}: {named}"])
    ship.say("ais.alerts", EquipmentReport(None, ()))
    assert ship.pass_s(1) == []


def test_what_a_lost_ais_feed_said_counts_no_more():
    ship = Ship()
    said = EquipmentAlert(26, None, "", active=True, acknowledged=False, priority=None)
    ship.say("ais.alerts", EquipmentReport(None, (said,)))
    ship.rule.link("ais", up=False, now_s=1.0, reason="")
    assert ship.pass_s(1) == []


def test_lasting_means_without_a_break():
    lasting = Lasting(60.0)
    lasting.see(0.0, is_so=True)
    assert (lasting.holds(59.9), lasting.holds(60.0)) == (False, True)
    lasting.see(60.0, is_so=False)
    lasting.see(61.0, is_so=True)
    assert not lasting.holds(120.0)
