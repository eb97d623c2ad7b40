"""The text of an SSAS unit: what is missing, of another ship, or said for which a flag would call back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.checks.flags import load_flag
from daemon.checks.message_lint import (
    Wanted,
    lint_copy,
    lint_programmed,
    unread_in,
)
from daemon.checks.message_reading import moment_in, place_in
from daemon.model import Position
from tests.makers import SHIP

SENT = datetime(2026, 11, 22, 2, 20, tzinfo=UTC)
HERE = Position(1 + 15.84 / 60, 103 + 50.40 / 60)
GOOD = f"TEST\n{SHIP.name}\nIMO {SHIP.imo_number}\n{SHIP.call_sign}\nMMSI :{SHIP.mmsi}\n"
JRC = f"SHIP SECURITY MESSAGE\n{GOOD}"
FIX = "LAT,N01 15.84LON,E103 50.40,UTC,22.11.2026 02:10,SOG,\n10.0KT,COG,20DEG"


def wanted(flag: str = "singapore", own: Position | None = HERE) -> Wanted:
    return Wanted(
        ship=SHIP,
        flag=load_flag(flag),
        own=own,
        sent_utc=SENT,
        within_m=1852.0,
        fix_age_min=60.0,
    )


@pytest.mark.parametrize(
    ("text", "flag", "finding"),
    [
        (GOOD, "panama", None),
        (JRC, "singapore", None),
        (JRC, "panama", "says SECURITY, for which Panama takes a test for more than it is"),
        (f"SSAS  alert {GOOD}", "panama", "says SSAS ALERT"),
        (f"INSECURITY {GOOD}", "panama", None),
        (GOOD.replace("TEST", "TESTED"), "singapore", "does not say TEST"),
        (GOOD.replace(SHIP.name, "OLD NAME"), "singapore", "does not have the ship's name"),
        (GOOD.replace(SHIP.call_sign, ""), "singapore", "does not have the call sign"),
        (GOOD.replace(str(SHIP.mmsi), "123456789"), "singapore", "has MMSI 123456789, not the"),
        (GOOD.replace(f"MMSI :{SHIP.mmsi}", ""), "singapore", "does not have the MMSI"),
        (GOOD.replace(str(SHIP.imo_number), "9074729"), "singapore", "has IMO number 9074729"),
        (GOOD.replace("IMO ", "IMO"), "singapore", None),
        (f"\x07{GOOD}", "panama", "has signs that cannot be printed"),
    ],
)
def test_what_is_programmed_is_read_against_register_and_flag(text, flag, finding):
    found = lint_programmed(text, SHIP, load_flag(flag))
    if finding is None:
        assert found == []
    else:
        assert any(each.startswith(finding) for each in found), found


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (GOOD + FIX, None),
        (GOOD, "has no position"),
        (GOOD + FIX.replace("22.11.2026 02:10", ""), "has no date and time of the position"),
        (GOOD + FIX.replace("02:10", "01:10"), "has a position of 70 min before the sending"),
        (GOOD + FIX.replace("02:10", "02:30"), "has a position of 10 min after the sending"),
        (GOOD + FIX.replace("N01", "S01"), "has a position 151.8 nm from ours, limit 1.0 nm"),
    ],
)
def test_the_copy_ashore_is_read_field_by_field(text, finding):
    found = lint_copy(text, wanted())
    if finding is None:
        assert found == []
    else:
        assert any(each.startswith(finding) for each in found), found


def test_without_our_own_position_the_copys_is_not_compared():
    assert lint_copy(GOOD + FIX.replace("N01", "S01"), wanted(own=None)) == []


def test_liberia_wants_course_and_speed_too():
    without = GOOD + FIX.partition(",SOG")[0]
    assert lint_copy(GOOD + FIX, wanted("liberia")) == []
    assert lint_copy(without, wanted("liberia")) == ["has no course and speed"]
    assert lint_copy(without, wanted("singapore")) == []


@pytest.mark.parametrize(
    "text",
    [
        "N01 15.84 E103 50.40",
        "01-15.84N 103-50.40E",
        "LAT,N01 15.84LON,E103 50.40",
        "01 15.84 N 103 50.40 E 02 10 UTC",
        "POS 01-15.84N 103-50.40E\nTIME 02:10 UTC 22.11.2026 02:10",
        "DATE 22 11 2026\nPOS 01-15.84N 103-50.40E",
        "TELEPHONE 65 12 34567\nPOS 01-15.84N 103-50.40E",
        "0115.84N 10350.40E",
        "01°15'50.4\"N, 103°50'24\"E",
        "01-15-50.4N 103-50-24E",
        "01:15:50.4N 103:50:24E",
        "LAT 1.2640 LON 103.8400",
        "Latitude: 1.2640, Longitude: 103.8400",
        "1.2640N 103.8400E",
        "1.2640° N, 103.8400° E",
        "E103 50.40 N01 15.84",
    ],
)
def test_a_position_is_read_as_units_write_it(text):
    found = place_in(text)
    assert found is not None
    assert abs(found.position.lat_deg - HERE.lat_deg) < 1e-6
    assert abs(found.position.lon_deg - HERE.lon_deg) < 1e-6


@pytest.mark.parametrize(
    ("text", "lat_deg", "lon_deg"),
    [
        ("S33 51.5 W070 30.0", -(33 + 51.5 / 60), -70.5),
        ("33-51.5S 009-30.0W", -(33 + 51.5 / 60), -9.5),
        ("LAT -33.8583 LON -70.5000", -33.8583, -70.5),
        ("3351.5S, 00930.0W", -(33 + 51.5 / 60), -9.5),
        ("33°51'30\"S 9°30'00\"W", -(33 + 51.5 / 60), -9.5),
    ],
)
def test_south_and_west_are_negative_however_they_are_written(text, lat_deg, lon_deg):
    found = place_in(text)
    assert found is not None
    assert abs(found.position.lat_deg - lat_deg) < 1e-6
    assert abs(found.position.lon_deg - lon_deg) < 1e-6


@pytest.mark.parametrize(
    "text",
    [
        "22.11.2026 02:10",
        "2026-11-22T02:10Z",
        "22 NOV 2026 0210",
        "22 Nov 2026 02:10 UTC",
        "22/11/2026 02:10",
        "22-NOV-2026 02:10",
        "0210 UTC 22 NOV 2026",
        "02:10:30 UTC 22.11.26",
        "220210Z NOV 26",
        "2026-11-22 10:10 (+0800)",
        "22.11.2026, 10:10 +08:00",
    ],
)
def test_a_time_is_read_as_units_write_it(text):
    assert moment_in(text) == SENT - timedelta(minutes=10)


@pytest.mark.parametrize("text", ["", "99.99.2026 02:10", "32 XYZ 2026 0210", "MMSI 299000019"])
def test_what_is_no_time_is_none(text):
    assert moment_in(text) is None


@pytest.mark.parametrize(
    "head", ["Sent: 2026-11-21 10:25 (+0800)\n", "From MPA 20 NOV 2026 1200\n"]
)
def test_the_time_beside_the_position_is_its_own_and_not_the_mails(head):
    text = f"{head}{GOOD}POS 01-15.84N 103-50.40E 22 NOV 2026 02:10"
    assert lint_copy(text, wanted()) == []


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        (GOOD + FIX, []),
        (GOOD, []),
        (GOOD + FIX.replace("15.84", "61.00"), ["position"]),
        (GOOD + "POS one degree north", ["position"]),
        (GOOD + FIX.replace("22.11.2026", "the 22nd"), ["date and time"]),
    ],
)
def test_what_cannot_be_read_accuses_nobody(text, unread):
    assert unread_in(text) == unread
    assert not [f for f in lint_copy(text, wanted()) if any(f"no {each}" in f for each in unread)]
