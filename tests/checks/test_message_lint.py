"""The text of an SSAS unit: what is missing, of another ship, or said for which a flag would call back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.checks.flags import load_flag
from daemon.checks.message_lint import (
    Wanted,
    lint_copy,
    lint_programmed,
    moment_in,
    position_in,
)
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
        (GOOD + FIX.replace("15.84", "61.00"), "has no position"),
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
    "text", ["N01 15.84 E103 50.40", "01-15.84N 103-50.40E", "LAT,N01 15.84LON,E103 50.40"]
)
def test_a_position_is_read_as_units_write_it(text):
    found = position_in(text)
    assert found is not None
    assert abs(found.lat_deg - HERE.lat_deg) < 1e-6
    assert abs(found.lon_deg - HERE.lon_deg) < 1e-6


@pytest.mark.parametrize(
    "text", ["22.11.2026 02:10", "2026-11-22T02:10Z", "22 NOV 2026 0210", "22 Nov 2026 02:10 UTC"]
)
def test_a_time_is_read_as_units_write_it(text):
    assert moment_in(text) == SENT - timedelta(minutes=10)


@pytest.mark.parametrize("text", ["", "99.99.2026 02:10", "32 XYZ 2026 0210"])
def test_what_is_no_time_is_none(text):
    assert moment_in(text) is None
