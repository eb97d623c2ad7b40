"""A scenario's file: what happens on a simulated ship and what should come of it, or every fault with its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon import config
from daemon.assets import asset
from daemon.errors import ConfigError
from daemon.model import LinkState, Priority
from daemon.simulate import scenario as scenarios
from daemon.simulate.expected import ExpectedAlert, ExpectedDevice, promised
from daemon.simulate.scenario import load
from daemon.simulate.standins import planned

WHOLE = """\
title = "Escape hatch"
lasts_s = 60
[start]
situation = "sea"
security_level = 2
ship_time_offset_min = -210
utc = "2026-11-22T10:10:00+08:00"
[[step]]
at_s = 0
do = "open"
door = "d12"
[[step]]
at_s = 1.5
unit = "rtu5"
do = "fault"
fault = "dead"
[[step]]
at_s = 2
order = "permit"
by = "J. Santos"
door = "d12"
worker = "R. dela Cruz"
work = "greasing"
minutes = 20
[[step]]
at_s = 2
order = "seal"
by = "R. Menon"
alert = "seal.broken.s01"
number = "KS 1"
[expect]
entries = { "permit.given" = 1 }
[[expect.alerts]]
title = "ESC HATCH OPEN"
name = "STRG GEAR ESC"
priority = "C"
raised_s = [0.3, 1]
ended_s = [2, 5]
then = ["W"]
"""


@pytest.fixture(scope="module")
def plan():
    return planned(config.load(asset("ispsd.toml")))


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        path = tmp_path / "story.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_doors_move_devices_are_told_and_persons_ask(plan, written):
    read = load(written(WHOLE), plan)
    door, device, order, seal = read.steps
    assert door.commands == (("bus-rtu", {"do": "set", "id": 5, "input": 3, "on": False}),)
    assert (device.at_s, device.commands) == (
        1.5,
        (("bus-rtu", {"id": 5, "do": "fault", "fault": "dead"}),),
    )
    said = {"door": "d12", "worker": "R. dela Cruz", "work": "greasing", "minutes": 20}
    assert order.request == {"do": "order", "verb": "permit", "by": "J. Santos", "said": said}
    assert seal.request == {
        "do": "seal",
        "by": "R. Menon",
        "alert": "seal.broken.s01",
        "number": "KS 1",
    }


def test_it_says_how_it_begins_and_what_should_come(plan, written):
    read = load(written(WHOLE), plan)
    assert (read.title, read.lasts_s) == ("Escape hatch", 60.0)
    assert read.watch == {"situation": "sea", "security_level": 2, "ship_time_offset_min": -210}
    assert read.utc == datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
    assert read.entries == {"permit.given": 1}
    names = ("ESC HATCH OPEN", "STRG GEAR ESC")
    assert read.alerts == (
        ExpectedAlert(*names, Priority.CAUTION, (0.3, 1.0), (2.0, 5.0), (Priority.WARNING,)),
    )


def test_it_may_set_the_rules_for_other_ships(plan, written):
    begins = "[start.ais.guard_zone]\nradius_m = {}\n[[step]]\nat_s = 7\ndo = 'cut'\ndoor = 'd11'"
    assert load(written(begins.format(500)), plan).ais == {"guard_zone": {"radius_m": 500}}
    with pytest.raises(ConfigError, match=r"start\.ais"):
        load(written(begins.format(5)), plan)


def test_what_is_left_out_is_as_the_ship_has_it(plan, written):
    read = load(written("[[step]]\nat_s = 7\ndo = 'cut'\ndoor = 'd11'"), plan)
    assert (read.watch, read.utc, read.lasts_s, read.alerts) == ({}, None, 7.0, ())


def step(text: str) -> str:
    return f"[[step]]\n{text}"


def alert(text: str) -> str:
    return f'[[expect.alerts]]\ntitle = "T"\nname = "N"\n{text}'


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("not toml", ["file: Expected"]),
        ("x = 1", ["file: unknown x"]),
        ("step = 3", ["step: is not a list of tables"]),
        ("start = 3", ["start: is not a table"]),
        ("lasts_s = inf", ["lasts_s: at_s is a time"]),
        (f'title = "{"x" * 101}"', ["title: a text of at most 100"]),
        ("title = 3", ["title: a text"]),
        (step("at_s = -1\ndo = 'open'\ndoor = 'd12'"), ["step[0]: at_s is a time from 0"]),
        (step("at_s = true\nunit = 'io1'\ndo = 'x'"), ["step[0]: at_s is a time from 0"]),
        (step("at_s = 1\ndo = 'x'"), ["step[0]: unit and do are wanted"]),
        (
            step("at_s = 1\ndo = 'opn'\ndoor = 'd12'"),
            [
                "step[0]: unit and do are wanted, as texts; of a door, do is open, close, cut, not 'opn'"
            ],
        ),
        (step("at_s = 1\nunit = 'io9'\ndo = 'x'"), ["step[0]: no simulator 'io9'"]),
        (step("at_s = 1\ndo = 'open'\ndoor = 'd99'"), ["step[0]: no door 'd99'"]),
        (step("at_s = 1\ndo = 'open'\ndoor = 'd1'\nx = 1"), ["step[0]: unknown x"]),
        (step("at_s = 1\norder = 'mutiny'\nby = 'X'"), ["step[0]: there is no order 'mutiny'"]),
        (step("at_s = 1\norder = 'threat'\non = true"), ["step[0]: by is wanted"]),
        (step("at_s = 1\norder = 'threat'\nby = 'X'\non = 3"), ["step[0]: on must be true or"]),
        (step("at_s = 1\norder = 'seal'\nby = 'X'\nx = 1"), ["step[0]: unknown x"]),
        ("[start]\nsituation = 'dock'", ["start.situation: 'dock' is not a valid"]),
        ("[start]\nsecurity_level = 4", ["start.security_level: 4 is not a valid"]),
        ("[start]\nship_time_offset_min = 900", ["start.ship_time_offset_min: minutes from"]),
        ("[start]\nutc = 'noon'", ["start.utc: "]),
        ("[start]\nutc = '2026-01-01T00:00:00'", ["start.utc: a moment like"]),
        ("[start]\nthreat = true", ["start: unknown threat"]),
        ("[expect]\nentries = { a = 0, b = true }", ["expect.entries.a: is a", "expect.entries.b"]),
        ("[expect]\nnothing = 1", ["expect: unknown nothing"]),
        (alert("priority = 'W'"), ["expect.alerts[0]: wanted: raised_s"]),
        (alert("priority = 'X'\nraised_s = [0, 1]"), ["expect.alerts[0]: 'X' is not"]),
        (alert("priority = 'W'\nraised_s = 1"), ["expect.alerts[0]: a time is [not before"]),
        (alert("priority = 'W'\nraised_s = [2, 1]"), ["expect.alerts[0]: 2 s is after 1 s"]),
        (alert("priority = 'W'\nraised_s = [0, 1]\nthen = 'A'"), ["expect.alerts[0]: then is"]),
        (alert("priority = 'W'\nraised_s = [0, 1]\nx = 1"), ["expect.alerts[0]: unknown x"]),
        (
            "lasts_s = 1\n"
            + step("at_s = 2\ndo = 'open'\ndoor = 'd12'\n")
            + step("at_s = 1\ndo = 'open'\ndoor = 'd12'\n")
            + step("at_s = 3\ndo = 'jump'\ndoor = 'd12'\n"),
            ["step[1]: at_s goes back to 1", "step[2]: unit and do"],
        ),
        ("lasts_s = 1\n" + step("at_s = 2\ndo = 'open'\ndoor = 'd12'"), ["lasts_s: ends before"]),
        (step("at_s = 1\ndo = 'step_clock'"), ["step[0]: by_s is wanted"]),
        (step("at_s = 1\ndo = 'step_clock'\nby_s = true"), ["step[0]: by_s is wanted"]),
        (step("at_s = 1\ndo = 'step_clock'\nby_s = 1e12"), ["step[0]: a step of the clock"]),
        ("[[expect.devices]]\ndevice = 'io9'", ["expect.devices[0]: no device 'io9'"]),
        ("[[expect.devices]]\ndevice = 'io1'", ["expect.devices[0]: 'None' is not a valid"]),
        ("[[expect.devices]]\ndevice = 'io1'\nx = 1", ["expect.devices[0]: unknown x"]),
    ],
)
def test_every_fault_is_said_with_its_place(plan, written, text, faults):
    path = written(text)
    with pytest.raises(ConfigError) as caught:
        load(path, plan)
    said = str(caught.value).splitlines()
    assert len(said) == len(faults)
    for line, fault in zip(said, faults, strict=True):
        assert line.startswith(f"{path}: {fault}")


def test_a_file_that_is_not_there_or_too_long_is_no_scenario(plan, tmp_path, written, monkeypatch):
    with pytest.raises(ConfigError, match=r"none\.toml: file: .*No such file"):
        load(tmp_path / "none.toml", plan)
    monkeypatch.setattr(scenarios, "LARGEST_BYTES", 10)
    with pytest.raises(ConfigError, match="longer than 10 bytes"):
        load(written("title = 'abc'"), plan)


def test_devices_at_the_end_details_and_a_stepped_clock_are_read(plan, written):
    read = load(
        written(
            "[[step]]\nat_s = 1\ndo = 'step_clock'\nby_s = -3600\n"
            + alert("priority = 'C'\nraised_s = [0, 1]\ndetail = 'hears AIS'\n")
            + "[[expect.devices]]\ndevice = 'gps1'\nlink = 'down'\nreason = 'AIS'\ndropped = ['crc']"
        ),
        plan,
    )
    assert read.steps[0].clock_by_s == -3600
    assert read.alerts[0].detail == "hears AIS"
    assert read.devices == (ExpectedDevice("gps1", LinkState.DOWN, "AIS", ("crc",)),)
    assert list(promised(read.alerts, read.devices)) == ["C T N, 0 to 1 s", "gps1 down, AIS"]


@pytest.mark.parametrize(
    ("status", "differs"),
    [
        ({"link": "down", "reason": "it hears AIS", "dropped": {"crc mismatch": 1}}, None),
        ({"link": "up", "reason": None, "dropped": {}}, "gps1 is up, not down"),
        ({"link": "down", "reason": None, "dropped": {}}, "gps1: 'AIS' is not in None"),
        ({"link": "down", "reason": "AIS", "dropped": {"end": 1}}, "gps1: ['crc'] not among"),
    ],
)
def test_a_device_is_held_against_what_should_be(status, differs):
    said = ExpectedDevice("gps1", LinkState.DOWN, "AIS", ("crc",)).differs(status)
    assert said is None if differs is None else said.startswith(differs)
