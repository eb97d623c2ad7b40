"""What a compass and a log say."""

from __future__ import annotations

import pytest

from daemon.drivers.nmea_steering import HeadingReader, LogReader
from daemon.drivers.sentences import Dropped
from daemon.model import Heading, Quality
from tests.drivers.nmea_rig import hear, reason

NOTHING = (None, Quality.UNKNOWN)


@pytest.mark.parametrize(
    ("body", "heading", "quality"),
    [
        ("HETHS,20.5,A", Heading(20.5, "A"), Quality.GOOD),
        ("HETHS,0.0,A", Heading(0.0, "A"), Quality.GOOD),
        ("HETHS,360.0,A", Heading(0.0, "A"), Quality.GOOD),
        ("HETHS,20.5,E", Heading(20.5, "E"), Quality.SUSPECT),
        ("HETHS,20.5,M", Heading(20.5, "M"), Quality.SUSPECT),
        ("HETHS,20.5,S", Heading(20.5, "S"), Quality.SUSPECT),
        ("HETHS,20.5,V", *NOTHING),
        ("HETHS,,V", *NOTHING),
        ("HETHS,,A", *NOTHING),
        ("HEHDT,20.5,T", Heading(20.5, None), Quality.GOOD),
        ("HEHDT,,T", *NOTHING),
        ("HEHDT,,", *NOTHING),
    ],
)
def test_a_heading_is_true_and_what_no_compass_gave_is_suspect(body, heading, quality):
    assert hear(HeadingReader("h1"), body) == [("h1.heading", heading, quality)]


@pytest.mark.parametrize(
    "body",
    [
        "HETHS,360.1,A",
        "HETHS,-1.0,A",
        "HETHS,x,A",
        "HETHS,20.5,X",
        "HETHS,20.5,",
        "HETHS,20.5",
        "HEHDT,400,T",
        "HEHDT,20.5,M",
        "HEHDT,20.5",
    ],
)
def test_a_heading_that_cannot_be_is_malformed(body):
    assert reason(HeadingReader("h1"), body) is Dropped.MALFORMED


def test_ths_is_richer_than_hdt_until_it_stops():
    reader = HeadingReader("h1")
    hear(reader, "HETHS,,V")
    assert hear(reader, "HEHDT,20.5,T", now_s=10.0) == []
    assert hear(reader, "HEHDT,20.5,T", now_s=10.1) == [
        ("h1.heading", Heading(20.5, None), Quality.GOOD)
    ]


@pytest.mark.parametrize(
    ("body", "speed"),
    [
        ("VWVBW,12.3,0.1,A,12.0,0.0,A,,V,,V", (12.3, Quality.GOOD)),
        ("VWVBW,-1.5,,A,,,V", (-1.5, Quality.GOOD)),
        ("VWVBW,-0.0,,A", (0.0, Quality.GOOD)),
        ("VWVBW,0.0,,A", (0.0, Quality.GOOD)),
        ("VWVBW,12.3,,V,,,V", NOTHING),
        ("VWVBW,12.3,,,,,", NOTHING),
        ("VWVBW,,,A,12.0,,A", NOTHING),
        ("VWVHW,,T,,M,12.3,N,22.8,K", (12.3, Quality.GOOD)),
        ("VWVHW,245.1,T,245.1,M,,N,,K", NOTHING),
    ],
)
def test_speed_through_the_water_is_read_and_an_empty_one_is_none(body, speed):
    assert hear(LogReader("l1"), body) == [("l1.water_speed", *speed)]


@pytest.mark.parametrize(
    "body",
    [
        "VWVBW,1000.1,,A",
        "VWVBW,--1,,A",
        "VWVBW,-,,A",
        "VWVBW,x,,A",
        "VWVBW,12.3,,X",
        "VWVBW,12.3,",
        "VWVHW,,T,,M,1e2,N,22.8,K",
        "VWVHW,,T,,M,12.3,N",
    ],
)
def test_a_speed_that_cannot_be_is_malformed(body):
    assert reason(LogReader("l1"), body) is Dropped.MALFORMED


def test_vbw_is_richer_than_vhw():
    reader = LogReader("l1")
    hear(reader, "VWVBW,12.3,,A")
    assert hear(reader, "VWVHW,,T,,M,11.0,N,20.4,K", now_s=10.0) == []
    assert hear(reader, "VWVHW,,T,,M,11.0,N,20.4,K", now_s=10.1) != []
