"""What a GNSS receiver says beside GGA and RMC, and which of its sentences are believed."""

from __future__ import annotations

import pytest

from daemon.drivers.nmea_nav import NAV_VALID_S, NavReader
from daemon.drivers.sentences import Dropped, SentenceError
from daemon.model import Fix, Motion, Position, Quality, Sky
from tests.drivers.nmea_rig import hear, newest, reason

PLACE = Position(pytest.approx(1.264), pytest.approx(103.84))
HERE = "0115.8400,N,10350.4000,E"
GGA = f"GPGGA,021000.00,{HERE},1,09,0.9,12.0,M,8.0,M,,"
GNS = f"GNGNS,021000.00,{HERE},AAN,13,0.8,12.0,8.0,,"
GLL = f"GPGLL,{HERE},021000.00,A,A"
RMC = f"GPRMC,021000.00,A,{HERE},12.3,213.4,221126,,,A"
VTG = "GPVTG,213.4,T,,M,12.3,N,22.8,K,A"
ZDA = "GPZDA,021000.00,22,11,2026,00,00"
NOTHING = (None, Quality.UNKNOWN)


@pytest.fixture
def nav():
    return NavReader("g1")


@pytest.mark.parametrize(
    ("body", "fix"),
    [
        (GGA, Fix(PLACE, 1, 9, 0.9)),
        (GNS, Fix(PLACE, 1, 13, 0.8)),
        (GLL, Fix(PLACE, 1, None, None)),
        (f"GPGLL,{HERE},021000.00,A", Fix(PLACE, 1, None, None)),
        (f"GPGLL,{HERE},021000.00,A,D", Fix(PLACE, 2, None, None)),
        (GNS.replace("AAN", "DAN"), Fix(PLACE, 2, 13, 0.8)),
        (GNS.replace("AAN", "NR"), Fix(PLACE, 4, 13, 0.8)),
        (GNS.replace("13,0.8", ","), Fix(PLACE, 1, None, None)),
    ],
)
def test_each_formatter_of_a_position_gives_a_fix(nav, body, fix):
    assert hear(nav, body) == [("g1.fix", fix, Quality.GOOD)]


@pytest.mark.parametrize(
    ("body", "fix_quality"),
    [(GNS.replace("AAN", "EE"), 6), (GNS.replace("AAN", "S"), 8), (GLL[:-1] + "M", 7)],
)
def test_a_position_that_no_satellites_gave_is_suspect(nav, body, fix_quality):
    [(_, fix, quality)] = hear(nav, body)
    assert (fix.fix_quality, quality) == (fix_quality, Quality.SUSPECT)


@pytest.mark.parametrize(
    "body",
    [
        GNS.replace("AAN", "NNN"),
        "GNGNS,021000.00,,,,,N,,,,,,",
        GNS.replace("AAN", ""),
        GNS.replace(HERE, ",,,"),
        GNS.replace("0115.8400", ""),
        GLL.replace("A,A", "V,N"),
        GLL.replace("A,A", "V,A"),
        GLL.replace("A,A", "A,N"),
        "GPGLL,,,,,,V,N",
    ],
)
def test_no_fix_is_unknown_and_never_null_island(nav, body):
    assert hear(nav, body) == [("g1.fix", *NOTHING)]


def test_gns_of_one_constellation_beside_that_of_all_takes_no_fix_away(nav):
    """Satellites and the age of corrections, no position and no mode: it says nothing of whether there is a fix."""
    hear(nav, GNS)
    for talker, satellites in (("GP", "8"), ("GL", "5")):
        assert hear(nav, f"{talker}GNS,021000.00,,,,,,{satellites},,,,1.0,23") == []
    later = hear(nav, GLL)
    assert later == [], "and GNS is still the richest that comes"


@pytest.mark.parametrize(
    "body",
    [
        GNS.replace("AAN", "X"),
        GNS.replace("13,0.8", "xx,0.8"),
        GNS.replace("0115", "9115"),
        GNS.replace(",12.0,8.0,,", ""),
        GLL.replace("A,A", "X,A"),
        GLL.replace("A,A", "A,X"),
        GLL.replace("10350", "18150"),
        f"GPGLL,{HERE}",
        VTG.replace("213.4", "360.1"),
        VTG.replace("12.3", "-1"),
        "GPVTG,213.4,,12.3,22.8",
        ZDA.replace("22,11", "31,02"),
        ZDA.replace("22,11", "22,13"),
        ZDA.replace("2026", "26"),
        ZDA.replace("2026", "0000"),
        ZDA.replace("021000.00", "241000.00"),
        ZDA.replace("021000.00", "235960.00").replace("22,11,2026", "31,12,9999"),
        ZDA.replace("021000.00", "021061"),
        ZDA.replace("021000.00", "0210"),
        ZDA.replace("021000.00", "0210xx"),
        "GPZDA,021000.00,22,11",
        RMC.replace("221126", "310226"),
        RMC.replace("221126", "2211"),
        RMC.replace("021000.00", "x"),
    ],
)
def test_what_cannot_be_is_malformed(nav, body):
    assert reason(nav, body) is Dropped.MALFORMED


def test_a_receiver_that_sends_all_three_is_believed_by_the_richest(nav):
    assert newest(nav, GGA)["g1.fix"].satellites == 9
    assert hear(nav, GNS, GLL, now_s=NAV_VALID_S) == []
    # GGA has not come for so long: the next best takes over, and gives way when it is back.
    assert newest(nav, GLL, now_s=NAV_VALID_S + 10.1)["g1.fix"].satellites is None
    assert newest(nav, GNS, now_s=NAV_VALID_S + 10.2)["g1.fix"].satellites == 13
    assert hear(nav, GLL, now_s=NAV_VALID_S + 10.2) == []
    assert newest(nav, GGA, now_s=NAV_VALID_S + 10.3)["g1.fix"].satellites == 9


def test_a_richer_sentence_without_a_fix_is_believed_too(nav):
    assert hear(nav, "GPGGA,021000.00,,,,,0,00,99.9,,M,,M,,", GLL) == [("g1.fix", *NOTHING)]


def test_a_richer_sentence_that_cannot_be_read_holds_nothing_up(nav):
    assert reason(nav, "GPGGA,1") is Dropped.MALFORMED
    assert hear(nav, GLL) == [("g1.fix", Fix(PLACE, 1, None, None), Quality.GOOD)]


@pytest.mark.parametrize(
    ("body", "motion", "quality"),
    [
        (VTG, Motion(12.3, 213.4), Quality.GOOD),
        (VTG[:-2], Motion(12.3, 213.4), Quality.GOOD),
        (VTG.replace("213.4", ""), Motion(12.3, None), Quality.GOOD),
        (VTG.replace("12.3", "0.0"), Motion(0.0, 213.4), Quality.GOOD),
        (VTG[:-1] + "E", Motion(12.3, 213.4), Quality.SUSPECT),
        (VTG[:-1] + "N", *NOTHING),
        ("GPVTG,,T,,M,,N,,K,N", *NOTHING),
        ("GPVTG,,T,,M,,N,,K", *NOTHING),
    ],
)
def test_vtg_gives_motion(nav, body, motion, quality):
    assert hear(nav, body) == [("g1.motion", motion, quality)]


def test_rmc_is_richer_than_vtg(nav):
    assert newest(nav, RMC.replace("12.3", "11.1"), VTG)["g1.motion"] == Motion(11.1, 213.4)


MOMENT = "2026-11-22T02:10:00.000Z"


@pytest.mark.parametrize(
    ("body", "time"),
    [
        (ZDA, MOMENT),
        (ZDA.replace(",00,00", ",-08,00"), MOMENT),
        (ZDA.replace("021000.00", "021000"), MOMENT),
        (ZDA.replace("021000.00", "021000."), MOMENT),
        (ZDA.replace("021000.00", "021000.1239"), "2026-11-22T02:10:00.123Z"),
        (ZDA.replace("22,11", "2,1"), "2026-01-02T02:10:00.000Z"),
        (
            ZDA.replace("021000.00", "235960.00").replace("22,11", "31,12"),
            "2027-01-01T00:00:00.000Z",
        ),
        (RMC, MOMENT),
        (RMC.replace("221126", "221199"), "1999-11-22T02:10:00.000Z"),
        (RMC.replace("221126", "221179"), "2079-11-22T02:10:00.000Z"),
    ],
)
def test_a_time_is_a_utc_moment(nav, body, time):
    assert ("g1.time", time, Quality.GOOD) in hear(nav, body)


@pytest.mark.parametrize(
    "body",
    [
        "GPZDA,,,,,,",
        ZDA.replace("22,11,2026", ",,"),
        ZDA.replace("2026", ""),
        ZDA.replace("021000.00", ""),
        RMC.replace("221126", ""),
        RMC.replace("221126", "000000"),
        RMC.replace("021000.00", ""),
    ],
)
def test_without_its_date_there_is_no_time(nav, body):
    assert ("g1.time", *NOTHING) in hear(nav, body)


def test_the_time_of_a_receiver_that_warns_is_suspect(nav):
    warning = RMC.replace(",A,0115", ",V,0115")
    assert ("g1.time", MOMENT, Quality.SUSPECT) in hear(nav, warning)


def test_zda_is_richer_than_rmc(nav):
    assert "g1.time" in newest(nav, ZDA)
    assert "g1.time" not in newest(nav, RMC)


GSA = "GPGSA,A,3,02,08,10,,,,,,,,,,1.6,0.9,1.3"
GSV1 = "GPGSV,2,1,05,02,24,310,42,08,37,282,44,10,73,011,46,18,19,128,"
GSV2 = "GPGSV,2,2,05,23,36,068,40"


def sky(nav, *bodies, now_s=0.0):
    return newest(nav, *bodies, now_s=now_s).get("g1.sky")


def test_the_sky_of_a_cycle_comes_when_the_next_one_begins(nav):
    assert sky(nav, GGA, GSA, GSV1, GSV2, RMC) is None
    assert sky(nav, GGA) == Sky(in_view=5, in_use=3, mean_cn0_db_hz=43.0, pdop=1.6)
    assert sky(nav, RMC) is None, "the next cycle says nothing of it yet"


def test_all_constellations_count_together_and_a_satellite_with_two_signals_once(nav):
    heard = (
        GGA,
        "GNGSA,A,3,02,08,,,,,,,,,,,1.1,0.9,1.3,1",
        "GNGSA,A,3,02,,,,,,,,,,,,1.1,0.9,1.3,3",
        "GNGSA,A,1,,,,,,,,,,,,,1.1,0.9,1.3,4",
        "GPGSV,1,1,02,02,24,310,40,08,37,282,42,1",
        "GPGSV,1,1,02,02,24,310,50,08,37,282,20,8",
        "GAGSV,1,1,01,02,46,057,46,7",
        "GAGSV,1,1,01,30,05,304,,0",
        "GLGSV,1,1,00",
    )
    assert sky(nav, *heard, GGA) == Sky(in_view=4, in_use=3, mean_cn0_db_hz=46.0, pdop=1.1)


def test_no_satellite_is_zero_and_no_dilution_is_none(nav):
    heard = (GGA, "GPGSA,A,1,,,,,,,,,,,,,,,", "GPGSV,1,1,00", GGA)
    assert sky(nav, *heard) == Sky(in_view=0, in_use=0, mean_cn0_db_hz=None, pdop=None)


def test_satellites_that_are_not_tracked_have_no_part_in_the_mean(nav):
    heard = (GGA, "GPGSV,1,1,03,02,24,310,40,08,37,282,00,10,73,011,", GGA)
    assert sky(nav, *heard) == Sky(in_view=3, in_use=None, mean_cn0_db_hz=40.0, pdop=None)


def test_what_a_cycle_leaves_out_holds_until_it_is_too_old(nav):
    sky(nav, GGA, GSA, GSV1, GSV2)
    assert sky(nav, GGA, GSA, now_s=1.0) == Sky(5, 3, 43.0, 1.6)
    assert sky(nav, GGA, GSA, now_s=11.0) == Sky(5, 3, 43.0, 1.6)
    assert sky(nav, GGA, GSV1, GSV2, now_s=11.1) == Sky(None, 3, None, 1.6)
    assert sky(nav, GGA, now_s=30.0) == Sky(5, None, 43.0, None)
    assert sky(nav, GGA, now_s=40.0) is None, "it said nothing of it"


def test_a_view_of_which_a_part_is_missing_is_not_believed(nav):
    sky(nav, GGA, GSV1, GSV2)
    hear(nav, GGA, GSA, GSV1, now_s=1.0)  # the second part never comes
    assert sky(nav, GGA, now_s=2.0) == Sky(5, 3, 43.0, 1.6)
    assert reason(nav, GSV2, now_s=2.0) is Dropped.INCOMPLETE
    hear(nav, "GPGSV,1,1,01,02,24,310,42", GSA, now_s=2.0)
    assert sky(nav, GGA, now_s=3.0) == Sky(5, 3, 43.0, 1.6)


def test_a_series_that_begins_anew_before_its_end_is_not_believed(nav):
    assert sky(nav, GGA, GSA, GSV1, GSV1, GSV2, GGA) == Sky(None, 3, None, 1.6)


def test_a_port_of_gsa_and_gsv_alone_has_cycles_of_three_seconds(nav):
    assert sky(nav, GSA, GSV1, GSV2, now_s=3.0) is None
    assert sky(nav, GSA, now_s=6.0) is None
    assert sky(nav, GSA, now_s=6.1) == Sky(5, 3, 43.0, 1.6)


@pytest.mark.parametrize(
    "body",
    [
        "GPGSA,A,3,02,08",
        GSA.replace("02", "xx"),
        GSA.replace("1.6", "1e1"),
        "GPGSV,2,1",
        "GPGSV,1,2,05",
        "GPGSV,0,0,05",
        "GPGSV,,1,05",
        "GPGSV,1,1,01,02,24,310,142",
        "GPGSV,1,1,01,02,24",
        "GPGSV,1,1,05" + ",2,,,42" * 5,
    ],
)
def test_a_sky_that_cannot_be_is_malformed(nav, body):
    assert reason(nav, body) is Dropped.MALFORMED


def test_a_flood_of_satellites_takes_no_memory(nav):
    dropped = 0
    for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            body = f"{first}{second}GSV,2,1,05,1,,,40,2,,,40,3,,,40,4,,,40"
            try:
                hear(nav, body)
            except SentenceError:
                dropped += 1
    cycle = nav._cycle._cycle
    assert dropped == 26 * 26 - 256 // 4
    assert len(cycle.viewed) == 256
    assert len(nav._cycle._next_part) <= 64
