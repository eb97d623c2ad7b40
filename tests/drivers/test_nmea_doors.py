"""How shell doors stand that a system of their own watches."""

from __future__ import annotations

import pytest

from daemon.drivers.api import PointSpec, SideDoor
from daemon.drivers.nmea_doors import DoorsReader
from daemon.drivers.sentences import Dropped
from daemon.model import ContactState, Quality
from tests.drivers.nmea_rig import hear, reason

PILOT = SideDoor("h01", "HD", "A1", 12)
BUNKER = SideDoor("h02", "HD", "B2", 12)
WATERTIGHT = SideDoor("w01", "WT", "A1", 12)
DOR = "HDDOR,E,101530.00,HD,A1,001,012,C,C,PILOT DOOR PS"


@pytest.fixture
def reader():
    return DoorsReader([PILOT, BUNKER, WATERTIGHT])


@pytest.mark.parametrize(
    ("letter", "state"),
    [
        ("O", ContactState.OPEN),
        ("C", ContactState.CLOSED),
        ("S", ContactState.CLOSED),
        ("F", ContactState.OPEN),
        ("X", ContactState.LINE_FAULT),
    ],
)
def test_a_door_stands_as_its_system_says(reader, letter, state):
    said = hear(reader, DOR.replace(",C,C,", f",{letter},C,"))
    assert said == [("h01", state, Quality.GOOD)]


@pytest.mark.parametrize(
    "body",
    [
        DOR.replace("012", "013"),
        DOR.replace("A1", "A2"),
        DOR.replace("A1", ""),
        DOR.replace(",HD,", ",FD,"),
        DOR.replace("DOR,E", "DOR,F").replace("012", "013"),
    ],
)
def test_a_door_that_nobody_configured_is_ignored(reader, body):
    assert hear(reader, body) == []


def test_the_status_of_a_section_sets_no_door(reader):
    assert hear(reader, DOR.replace("DOR,E", "DOR,S")) == []


@pytest.mark.parametrize(
    ("body", "doors"),
    [
        (DOR.replace("DOR,E", "DOR,F"), ["h01"]),
        (DOR.replace("DOR,E", "DOR,F").replace("012", ""), ["h01"]),
        ("HDDOR,F,,HD,,,,X,,", ["h01", "h02"]),
        ("WTDOR,F,,WT,,,,X,,", ["w01"]),
    ],
)
def test_a_fault_is_one_of_every_door_that_it_may_be_of(reader, body, doors):
    assert hear(reader, body) == [(door, ContactState.LINE_FAULT, Quality.GOOD) for door in doors]


@pytest.mark.parametrize(
    "body",
    [
        DOR.replace(",C,C,", ",,C,"),
        DOR.replace(",C,C,", ",Z,C,"),
        DOR.replace("012", ""),
        DOR.replace("012", "x"),
        DOR.replace("DOR,E", "DOR,"),
        DOR.replace("DOR,E", "DOR,Z"),
        "HDDOR,E,101530.00,HD,A1,001,012",
    ],
)
def test_what_cannot_be_is_malformed_and_is_no_state(reader, body):
    assert reason(reader, body) is Dropped.MALFORMED


def test_a_text_is_not_needed(reader):
    assert hear(reader, DOR.removesuffix(",PILOT DOOR PS")) == [
        ("h01", ContactState.CLOSED, Quality.GOOD)
    ]


def test_each_door_is_a_point_by_its_own_name():
    assert DoorsReader([PILOT], 60.0).points == (PointSpec("h01", 60.0),)
