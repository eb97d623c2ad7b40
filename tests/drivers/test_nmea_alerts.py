"""What a piece of equipment says of itself: mirrored as it stands, and no longer than it stands."""

from __future__ import annotations

import pytest

from daemon.drivers.nmea_alerts import MOST_ALERTS, AlertsReader
from daemon.drivers.sentences import Dropped
from daemon.model import EquipmentAlert, EquipmentReport, Quality
from tests.drivers.nmea_rig import hear, reason

VSWR = "AIALR,101530.00,002,{},AIS: Antenna VSWR exceeds limit"
NO_ALERT = "AIALR,,,V,V,"
RAISED = "CSALF,2,1,0,101530.00,B,W,V,,3116,1,1,0,Impaired radio"
DETAILS = "CSALF,2,2,0,,,,,,3116,1,1,0,EGC SYNC loss"


@pytest.fixture
def reader():
    return AlertsReader("cs1")


def report(reader, *bodies, now_s=0.0) -> EquipmentReport:
    """Return the last report; each sentence gives one."""
    seen = hear(reader, *bodies, now_s=now_s)
    assert {(point, quality) for point, _, quality in seen} == {("cs1.alerts", Quality.GOOD)}
    assert len(seen) == len(bodies)
    return seen[-1][1]


def vswr(*, active: bool, acknowledged: bool) -> EquipmentAlert:
    text = "AIS: Antenna VSWR exceeds limit"
    return EquipmentAlert(2, None, text, active, acknowledged, None)


@pytest.mark.parametrize(
    ("fields", "alerts"),
    [
        ("A,V", (vswr(active=True, acknowledged=False),)),
        ("A,A", (vswr(active=True, acknowledged=True),)),
        ("V,V", (vswr(active=False, acknowledged=False),)),
        ("V,A", ()),
    ],
)
def test_the_four_states_of_alr(reader, fields, alerts):
    assert report(reader, VSWR.format("A,V"), VSWR.format(fields)) == EquipmentReport(None, alerts)


def test_the_keep_alive_of_a_unit_without_alerts_clears_its_list(reader):
    report(reader, VSWR.format("A,V"), VSWR.replace("002", "001").format("A,A"))
    assert report(reader, NO_ALERT) == EquipmentReport(None, ())


def test_the_keep_alive_of_alr_leaves_what_alf_said(reader):
    assert len(report(reader, RAISED, NO_ALERT).alerts) == 1


def test_a_bnwas_stage_is_an_alert_though_its_number_is_zero_and_its_time_empty(reader):
    said = report(reader, "BNALR,,000,A,V,C1=AUT;C2=03;C3=1")
    assert said.alerts == (EquipmentAlert(0, None, "C1=AUT;C2=03;C3=1", True, False, None),)


def test_a_text_with_bare_or_coded_commas_is_whole(reader):
    said = report(reader, "AIALR,,003,A,V,a, b^2C c^5E^0D", "AIALR,,004,A,V")
    assert [alert.text for alert in said.alerts] == ["a, b, c^^0D", ""]


@pytest.mark.parametrize(
    ("state", "active", "acknowledged"),
    [
        ("V", True, False),
        ("S", True, False),
        ("A", True, True),
        ("O", True, False),
        ("U", False, False),
    ],
)
def test_the_states_of_alf(reader, state, active, acknowledged):
    said = report(reader, RAISED.replace(",V,,", f",{state},,"))
    assert said.alerts == (EquipmentAlert(3116, 1, "Impaired radio", active, acknowledged, "W"),)


def test_a_sentence_that_stands_alone_may_be_counted_from_nought(reader):
    assert len(report(reader, RAISED.replace("CSALF,2,1", "CSALF,1,0")).alerts) == 1


def test_an_alf_that_is_normal_is_gone(reader):
    report(reader, RAISED, DETAILS)
    assert report(reader, RAISED.replace(",V,,", ",N,,")).alerts == ()
    assert report(reader, RAISED).alerts[0].text == "Impaired radio", "its details went with it"


def test_the_second_sentence_adds_to_the_title_and_a_repetition_keeps_it(reader):
    said = report(reader, RAISED, DETAILS)
    assert [alert.text for alert in said.alerts] == ["Impaired radio: EGC SYNC loss"]
    assert report(reader, RAISED) == said


def test_a_second_sentence_without_the_first_says_nothing(reader):
    assert reason(reader, DETAILS) is Dropped.INCOMPLETE


def test_alerts_are_told_apart_by_maker_number_and_instance_and_come_in_order(reader):
    said = report(
        reader,
        RAISED.replace("3116,1", "3116,2"),
        RAISED,
        RAISED.replace("3116,1", "3008,"),
        RAISED.replace(",V,,", ",V,SAL,"),
    )
    assert [(alert.number, alert.instance) for alert in said.alerts] == [
        (3008, None),
        (3116, 1),
        (3116, 1),
        (3116, 2),
    ]


def test_what_the_list_of_standing_alerts_does_not_name_is_gone(reader):
    report(reader, RAISED, RAISED.replace("3116,1", "3116,2"), VSWR.format("A,V"))
    assert len(report(reader, "CSALC,01,01,00,2,,3116,1,1,,3116,2,4").alerts) == 3
    said = report(reader, "CSALC,02,01,01,1,,3116,2,4", "CSALC,02,02,01,1,,9,,1")
    assert [(alert.number, alert.instance) for alert in said.alerts] == [(2, None), (3116, 2)]
    said = report(reader, "CSALC,01,01,02,0")
    assert [alert.number for alert in said.alerts] == [2], "ALR has a list of its own"


def test_an_alert_without_an_instance_is_listed_with_none_or_with_nought(reader):
    said = report(reader, RAISED.replace("3116,1", "3116,"), "CSALC,01,01,00,1,,3116,0,1")
    assert [alert.instance for alert in said.alerts] == [None]


def test_a_list_of_which_a_part_is_missing_forgets_nothing(reader):
    report(reader, RAISED, "CSALC,03,01,01,0")
    assert reason(reader, "CSALC,03,03,01,0") is Dropped.INCOMPLETE
    assert reason(reader, "CSALC,03,02,01,0") is Dropped.INCOMPLETE
    assert len(report(reader, RAISED).alerts) == 1


@pytest.mark.parametrize(("state", "in_order"), [("A", True), ("V", False)])
def test_a_heartbeat_says_whether_the_equipment_is_in_order(reader, state, in_order):
    assert report(reader, f"BNHBT,30.0,{state},4") == EquipmentReport(in_order, ())


def test_order_is_unknown_when_heartbeats_stop(reader):
    report(reader, "BNHBT,30.0,A,4")
    assert report(reader, NO_ALERT, now_s=75.0).in_order is True
    assert report(reader, NO_ALERT, now_s=75.1).in_order is None
    assert report(reader, "BNHBT,,A,4", now_s=100.0).in_order is True
    assert report(reader, NO_ALERT, now_s=250.0).in_order is True
    assert report(reader, NO_ALERT, now_s=250.1).in_order is None


@pytest.mark.parametrize(
    "body",
    [
        "AIALR,,002,A",
        "AIALR,,xx,A,V,",
        "AIALR,,10000000,A,V,",
        "AIALR,,002,,V,",
        "AIALR,,002,A,N,",
        "AIALR,,,A,V,",
        "AIALR,,,V,A,",
        "CSALF,1,1,0,,B,W,V,,3116,1,1",
        RAISED.replace("CSALF,2,1", "CSALF,1,2"),
        RAISED.replace("CSALF,2,1", "CSALF,3,1"),
        RAISED.replace("CSALF,2,1", "CSALF,x,1"),
        RAISED.replace(",W,V,", ",,V,"),
        RAISED.replace(",W,V,", ",A,x,"),
        RAISED.replace(",W,V,", ",X,V,"),
        RAISED.replace("3116", ""),
        RAISED.replace("3116", "x01"),
        RAISED.replace("3116,1", "3116,x"),
        RAISED.replace("3116,1", "3116,1000000"),
        "CSALC,01,01,00",
        "CSALC,00,00,00,0",
        "CSALC,01,02,00,0",
        "CSALC,01,01,00,",
        "CSALC,01,01,00,1,,3116,1",
        "CSALC,01,01,00,0,,3116,1,1",
        "CSALC,01,01,00,1,,,1,1",
        "CSALC,01,01,00,1,,x,1,1",
        "BNHBT,30.0",
        "BNHBT,30.0,X,4",
        "BNHBT,1000,A,4",
        "BNHBT,-1,A,4",
    ],
)
def test_what_cannot_be_is_malformed_and_changes_nothing(reader, body):
    before = report(reader, RAISED)
    assert reason(reader, body) is Dropped.MALFORMED
    assert report(reader, RAISED) == before


def test_a_flood_of_alerts_pushes_out_the_oldest(reader):
    for number in range(MOST_ALERTS + 5):
        said = report(reader, f"AIALR,,{number:03d},A,V,")
    assert [alert.number for alert in said.alerts] == list(range(5, MOST_ALERTS + 5))
