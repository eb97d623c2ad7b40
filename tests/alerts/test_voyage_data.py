"""Voyage data: what people set on the AIS beside what the ship does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon.alerts.rules.voyage_data import faults
from daemon.model import Situation
from tests.makers import own_identity, own_report

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNDER_WAY = {"navigation_status": 0, "sog_kn": 12.0}
SET = {"draught_m": 9.1, "destination": "NLRTM", "eta": "11-25 06:00"}


def said(situation=Situation.SEA, now_utc=NOON, voyage=None, **report) -> list[str]:
    identity = own_identity(**(SET | (voyage or {})))
    report = own_report(**(UNDER_WAY | report))
    return faults(report, identity, situation, now_utc=now_utc)


def test_a_ship_that_is_set_right_has_no_fault():
    assert said() == []


@pytest.mark.parametrize(
    ("voyage", "fault"),
    [
        ({"draught_m": None}, "draught not set"),
        ({"destination": None}, "destination not set"),
        ({"eta": "11-22 05:59"}, "time of arrival 11-22 05:59 UTC is past"),
        ({"eta": "06-01 00:00"}, "time of arrival 06-01 00:00 UTC is past"),
    ],
)
def test_at_sea_what_is_not_set_or_past_is_said(voyage, fault):
    assert said(voyage=voyage) == [fault]
    for situation, status in ((Situation.ANCHOR, 1), (Situation.PORT, 5)):
        assert said(situation, voyage=voyage, navigation_status=status, sog_kn=0.0) == []


@pytest.mark.parametrize("eta", [None, "11-22 06:00", "02-29 00:00", "04-30 00:00"])
def test_an_arrival_that_slips_or_is_not_set_is_none(eta):
    assert said(voyage={"eta": eta}) == []


def test_the_year_is_the_one_that_brings_it_nearest():
    new_year = datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert said(now_utc=new_year, voyage={"eta": "01-02 06:00"}) == []
    january = datetime(2027, 1, 2, 6, tzinfo=UTC)
    assert said(now_utc=january, voyage={"eta": "12-31 23:00"}) != []


@pytest.mark.parametrize("status", [0, 2])
def test_a_ship_that_drifts_is_under_way_and_one_whose_anchor_holds_is_not(status):
    """She is at *anchor* here while she drifts; to set *at anchor* on the AIS would be untrue."""
    for sog_kn, is_right in ((1.2, True), (None, True), (0.1, False)):
        found = said(Situation.ANCHOR, navigation_status=status, sog_kn=sog_kn)
        assert (found == []) is is_right, found
    assert said(Situation.ANCHOR, navigation_status=5, sog_kn=1.2) != []


def test_a_status_that_speed_belies_is_said():
    how = {"navigation_status": 1, "sog_kn": 3.1}
    assert said(Situation.ANCHOR, **how) == ["says at anchor at 3.1 kn"]
    assert said(Situation.ANCHOR, **{**how, "sog_kn": 3.0}) == []
    assert said(Situation.MANOEUVRING, navigation_status=5, sog_kn=6.0) == ["says moored at 6.0 kn"]
    assert said(Situation.MANOEUVRING, navigation_status=0) == []


def test_of_what_was_not_heard_nothing_is_said():
    assert faults(own_report(**UNDER_WAY), None, Situation.SEA, now_utc=NOON) == []
