"""Compass, log, alerting equipment and door system: what they say, read by the layouts of IEC 61162-1."""

from __future__ import annotations

import socket
from functools import reduce
from operator import xor
from typing import Any, Self

import pynmea2
import pytest

from simulators import equipment, heading, log, side_doors
from tests.clocks import ManualClock

DOORS = [
    {"name": "h01", "division": "A1", "number": 12, "text": "PILOT DOOR P"},
    {"name": "h02", "system": "WT", "number": 7},
]


class Unit:
    """A unit that sends datagrams, and somebody who hears them."""

    def __init__(self, build: Any, **settings: object) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.clock = ManualClock()
        to = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.unit = build("u1", {"to": to, **settings}, self.clock)

    async def __aenter__(self) -> Self:
        await self.unit.start()
        await self.after(0.0)  # its first turn
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.unit.stop()
        self._socket.close()

    async def after(self, seconds: float) -> list[str]:
        """Return what is said in so many seconds, without checksums, which are right."""
        self.said()
        await self.clock.advance(seconds)
        return self.said()

    async def on(self, **command: object) -> list[str]:
        """Return what is said at once on a command."""
        self.said()
        await self.unit.do(command)
        return self.said()

    def said(self) -> list[str]:
        lines = []
        while True:
            try:
                lines += self._socket.recv(9000).decode("ascii").splitlines()
            except BlockingIOError:
                break
        for line in lines:
            assert len(line) <= 80
            body, _, checksum = line[1:].partition("*")
            assert f"{reduce(xor, body.encode()):02X}" == checksum
        return [line[1:-3] for line in lines]


async def test_a_compass_says_its_heading_each_second():
    async with Unit(heading.HeadingSimulator, deg=20.5, sentences=["THS", "HDT"]) as unit:
        assert await unit.after(2.0) == ["HETHS,20.5,A", "HEHDT,20.5,T"] * 2
        await unit.on(do="heading", deg=359.9)
        await unit.on(do="mode", mode="E")
        assert await unit.after(1.0) == ["HETHS,359.9,E", "HEHDT,359.9,T"]
        await unit.on(do="mode", mode="V")
        assert await unit.after(1.0) == ["HETHS,,V", "HEHDT,,T"]
        await unit.on(do="silence")
        assert await unit.after(10.0) == []
        await unit.on(do="resume")
        assert await unit.after(1.0) == ["HETHS,,V", "HEHDT,,T"]


async def test_a_log_says_its_speed_each_second_and_nothing_when_it_is_not_valid():
    async with Unit(log.LogSimulator, kn=12.3) as unit:
        vbw, vhw = [pynmea2.parse("$" + line) for line in await unit.after(1.0)]
        assert (float(vbw.lon_water_spd), vbw.data_validity_water_spd) == (12.3, "A")
        assert (float(vhw.water_speed_knots), float(vhw.water_speed_km)) == (12.3, 22.8)
        await unit.on(do="speed", kn=-1.5)
        assert (await unit.after(1.0))[0].startswith("VWVBW,-1.5,,A,")
        await unit.on(do="valid", on=False)
        assert await unit.after(1.0) == ["VWVBW,,,V,,,V,,V,,V", "VWVHW,,T,,M,,N,,K"]


async def test_a_bnwas_sends_its_heartbeat_and_says_that_no_alert_stands():
    async with Unit(equipment.EquipmentSimulator, every_s=30) as unit:
        assert await unit.after(60.0) == [
            "BNHBT,30.0,A,1",
            "BNALR,,,V,V,",
            "BNHBT,30.0,A,2",
            "BNALR,,,V,V,",
        ]
        assert await unit.on(do="normal", on=False) == ["BNHBT,30.0,V,0"]
        assert (await unit.after(30.0))[0] == "BNHBT,30.0,V,3"


async def test_an_alert_of_the_older_layout_is_said_when_it_changes_and_again_while_it_stands():
    async with Unit(equipment.EquipmentSimulator, heartbeat=False) as unit:
        raised = "BNALR,021000.00,000,{},C1=AUT;C2=03;C3=1"
        assert await unit.on(do="alarm", id=0, on=True, text="C1=AUT;C2=03;C3=1") == [
            raised.format("A,V")
        ]
        again = raised.replace("021000", "021030")
        assert await unit.after(30.0) == [again.format("A,V")]
        assert await unit.on(do="ack", id=0) == [again.format("A,A")]
        assert await unit.on(do="alarm", id=0, on=False) == [again.format("V,A")]
        assert await unit.after(30.0) == ["BNALR,,,V,V,"]
        assert await unit.on(do="alarm", id=0, on=False) == []


async def test_an_alert_that_was_rectified_stands_until_it_is_acknowledged():
    async with Unit(equipment.EquipmentSimulator, heartbeat=False) as unit:
        await unit.on(do="alarm", id=1, on=True)
        assert await unit.on(do="alarm", id=1, on=False) == ["BNALR,021000.00,001,V,V,ALERT 1"]
        assert await unit.after(30.0) == ["BNALR,021030.00,001,V,V,ALERT 1"]
        assert await unit.on(do="ack", id=1) == ["BNALR,021030.00,001,V,A,ALERT 1"]


async def test_an_alert_of_the_newer_layout_is_a_pair_with_its_revision():
    settings = {"talker": "CS", "layout": "alf", "heartbeat": False}
    async with Unit(equipment.EquipmentSimulator, **settings) as unit:
        assert await unit.on(
            do="alarm",
            id=3116,
            instance=1,
            on=True,
            title="Impaired radio",
            text="EGC SYNC loss",
            priority="C",
        ) == [
            "CSALF,2,1,1,021000.00,B,C,V,,3116,1,1,0,Impaired radio",
            "CSALF,2,2,1,,,,,,3116,1,1,0,EGC SYNC loss",
        ]
        assert (await unit.on(do="ack", id=3116, instance=1))[0] == (
            "CSALF,2,1,2,021000.00,B,C,A,,3116,1,2,0,Impaired radio"
        )
        assert (await unit.on(do="alarm", id=3116, instance=1, on=False))[0] == (
            "CSALF,2,1,3,021000.00,B,C,N,,3116,1,3,0,Impaired radio"
        )
        assert await unit.after(30.0) == ["CSALC,01,01,01,0"]
        assert await unit.on(do="alarm", id=9, on=True) == [
            "CSALF,1,1,4,021030.00,B,W,V,,9,,1,0,ALERT 9"
        ]
        await unit.on(do="alarm", id=10, instance=2, on=True)
        await unit.on(do="alarm", id=11, on=True)
        assert (await unit.after(30.0))[-2:] == [
            "CSALC,02,01,02,2,,9,,1,,10,2,1",
            "CSALC,02,02,02,1,,11,,1",
        ]


async def test_a_door_system_says_each_door_when_it_changes_and_again_and_again():
    async with Unit(side_doors.SideDoorsSimulator, doors=DOORS, every_s=60) as unit:
        pilot = "HDDOR,E,021100.00,HD,A1,,012,{},O,PILOT DOOR P"
        assert await unit.after(60.0) == [
            pilot.format("C"),
            "HDDOR,E,021100.00,WT,,,007,C,O,H02",
        ]
        for verb, letter in side_doors.STATES.items():
            assert await unit.on(do=verb, door="h01") == [pilot.format(letter)]
        assert (await unit.after(60.0))[0] == pilot.format("X").replace("0211", "0212")


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        (heading.SIMULATOR, {}),
        (log.SIMULATOR, {}),
        (equipment.SIMULATOR, {}),
        (side_doors.SIMULATOR, {"doors": DOORS}),
    ],
)
async def test_each_unit_starts_and_stops_on_its_own(spec, settings):
    unit = spec.build("u1", settings)
    await unit.stop()
    await unit.start()
    assert unit.endpoint.startswith("tcp://127.0.0.1:")
    await unit.do({"do": "garbage", "lines": 3})
    await unit.do({"do": "drop"})
    await unit.stop()


@pytest.mark.parametrize(
    ("spec", "settings", "command", "reason"),
    [
        (heading.SIMULATOR, {}, {"do": "sink"}, "known are heading, mode, silence"),
        (heading.SIMULATOR, {}, {"do": "heading", "deg": 360}, "deg is a number"),
        (heading.SIMULATOR, {}, {"do": "heading", "deg": True}, "deg is a number"),
        (heading.SIMULATOR, {}, {"do": "mode", "mode": "AE"}, "mode is one of"),
        (log.SIMULATOR, {}, {"do": "speed"}, "kn is a number"),
        (log.SIMULATOR, {}, {"do": "valid", "on": 1}, "on is true or false"),
        (equipment.SIMULATOR, {}, {"do": "ack", "id": 1}, "no alert 1 stands"),
        (equipment.SIMULATOR, {}, {"do": "alarm", "on": True}, "id is a whole number"),
        (equipment.SIMULATOR, {}, {"do": "alarm", "id": 1}, "on is true or false"),
        (
            equipment.SIMULATOR,
            {},
            {"do": "alarm", "id": 1, "on": True, "priority": "X"},
            "priority is one of",
        ),
        (
            equipment.SIMULATOR,
            {},
            {"do": "alarm", "id": 1, "on": True, "text": "a*b"},
            "text is a text of at most 40 plain characters",
        ),
        (side_doors.SIMULATOR, {"doors": DOORS}, {"do": "open", "door": "h09"}, "no door 'h09'"),
        (side_doors.SIMULATOR, {"doors": DOORS}, {"do": "lock"}, "known are open, close"),
    ],
)
async def test_a_command_that_cannot_be_says_why(spec, settings, command, reason):
    with pytest.raises(ValueError, match=reason):
        await spec.build("u1", settings).do(command)


@pytest.mark.parametrize(
    ("spec", "settings", "reason"),
    [
        (heading.SIMULATOR, {"talker": "H"}, "talker is two letters"),
        (heading.SIMULATOR, {"sentences": ["GGA"]}, "sentences is a list of THS, HDT"),
        (heading.SIMULATOR, {"speed": 1}, "unknown speed"),
        (log.SIMULATOR, {"sentences": []}, "sentences is a list of VBW, VHW"),
        (equipment.SIMULATOR, {"layout": "alc"}, "layout is alr or alf"),
        (equipment.SIMULATOR, {"every_s": 0}, "every_s is a whole number"),
        (equipment.SIMULATOR, {"heartbeat": 1}, "heartbeat is true or false"),
        (side_doors.SIMULATOR, {}, "doors is a list of doors"),
        (side_doors.SIMULATOR, {"doors": ["h01"]}, "a door has a name and a number"),
        (side_doors.SIMULATOR, {"doors": [{"name": "h01"}]}, "number is a whole number"),
        (side_doors.SIMULATOR, {"doors": [DOORS[0], DOORS[0]]}, "a door has a name of its own"),
        (
            side_doors.SIMULATOR,
            {"doors": [{**DOORS[0], "system": "XX"}]},
            "one of the systems",
        ),
    ],
)
def test_a_setting_that_cannot_be_says_why(spec, settings, reason):
    with pytest.raises(ValueError, match=reason):
        spec.build("u1", settings)
