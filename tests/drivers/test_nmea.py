"""The NMEA driver on real sockets and ptys: what it emits, counts and survives."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from functools import reduce
from operator import xor
from typing import Self

import pytest
from pydantic import ValidationError

from daemon.drivers.api import DriverContext, PointSpec
from daemon.drivers.nmea import DRIVER, NmeaConfig
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import (
    AisIdentity,
    AisReport,
    Classification,
    Fix,
    Motion,
    Position,
    Provenance,
    Quality,
    Reading,
)
from simulators.ships import OTHERS, OWN_SHIP
from simulators.vessel_ais import ais, position_report, static_data
from simulators.vessel_gnss import gga, rmc
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S

TCP = {"kind": "tcp", "host": "127.0.0.1", "port": 10110}


def configured(feed: str = "nav", link: object = TCP, **more: object) -> NmeaConfig:
    return NmeaConfig.model_validate({"kind": "nmea", "feed": feed, "link": link, **more})


class Bench:
    """A device on a TCP port, and a driver that listens to it."""

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self.clock = ManualClock()
        self.readings: list[Reading] = []
        self._changed = asyncio.Event()
        self._visits: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        config = configured(self.feed, {**TCP, "port": port})
        self.driver = DRIVER.build(
            config,
            DriverContext("gps1", self.clock, CovertGate(self.clock), Provenance.SIMULATED),
        )
        self.task = asyncio.create_task(self.driver.run(self._emit))
        async with asyncio.timeout(PATIENCE_S):
            self.device = await self._visits.get()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.device.close()
        self._server.close()

    async def _visit(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._visits.put_nowait(writer)

    def _emit(self, reading: Reading) -> None:
        self.readings.append(reading)
        self._changed.set()

    def say(self, *lines: str | bytes) -> None:
        for line in lines:
            self.device.write((line.encode("ascii") if isinstance(line, str) else line) + b"\r\n")

    async def count(self, wanted: int) -> list[Reading]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.readings) < wanted:
                self._changed.clear()
                await self._changed.wait()
        return self.readings


async def test_a_fix_a_motion_and_a_time_are_readings_with_their_time_and_source():
    async with Bench("nav") as bench:
        bench.say(gga(OWN_SHIP, bench.clock.utc()), rmc(OWN_SHIP, bench.clock.utc()))
        fix, motion, time = await bench.count(3)
    common = {
        "quality": Quality.GOOD,
        "provenance": Provenance.SIMULATED,
        "received_utc": bench.clock.utc(),
        "received_s": bench.clock.now_s(),
        "source": "gps1",
        "classification": Classification.WATCH,
    }
    place = Position(pytest.approx(1.264), pytest.approx(103.84))
    assert fix == Reading(point="gps1.fix", value=Fix(place, 1, 9, 0.9), **common)
    assert motion == Reading(point="gps1.motion", value=Motion(0.0, None), **common)
    assert time == Reading(point="gps1.time", value="2026-11-22T02:10:00.000Z", **common)
    assert bench.driver.health.good == 2
    assert bench.driver.health.last_good_s == bench.clock.now_s()


async def test_a_receiver_without_a_fix_makes_fix_and_motion_unknown_and_its_clock_suspect():
    async with Bench("nav") as bench:
        bench.say(gga(None, bench.clock.utc()), rmc(None, bench.clock.utc()))
        readings = await bench.count(3)
    assert [(reading.value, reading.quality) for reading in readings] == [
        (None, Quality.UNKNOWN),
        (None, Quality.UNKNOWN),
        ("2026-11-22T02:10:00.000Z", Quality.SUSPECT),
    ]


async def test_own_ship_is_read_and_other_ships_only_counted():
    async with Bench("ais") as bench:
        now = bench.clock.utc()
        bench.say(*ais("VDM", "A", position_report(OTHERS[0], now)))
        bench.say(*ais("VDO", "", position_report(OWN_SHIP, now)))
        bench.say(*ais("VDM", "A", static_data(OTHERS[0])))
        bench.say(*ais("VDO", "A", static_data(OWN_SHIP)))
        readings = await bench.count(2)
    assert [(reading.point, reading.value) for reading in readings] == [
        (
            "gps1.own_report",
            AisReport(299000019, 1, None, Position(1.264, 103.84), 0.0, navigation_status=5),
        ),
        (
            "gps1.own_identity",
            AisIdentity(
                *(299000019, 9999993, "KESTREL STRAIT", "9VKS0"), 71, 300, 48, 13.2, "SGSIN", None
            ),
        ),
    ]
    assert (bench.driver.health.good, bench.driver.health.dropped) == (6, {})


async def test_a_message_of_which_a_part_is_missing_is_counted():
    async with Bench("ais") as bench:
        first, second = ais("VDO", "A", static_data(OWN_SHIP))
        bench.say(second, first, first, second)
        await bench.count(1)
    assert bench.driver.health.dropped == {"incomplete": 2}


def framed(body: str) -> str:
    return f"${body}*{reduce(xor, body.encode('ascii')):02X}"


BAD = [
    (b"\x00\xff\xfe\x80", {"garbage": 1}),
    (b"$GPGGA,021000.00,0115.84", {"garbage": 1}),
    (b"x" * 1025, {"overlong": 1}),
    (b"x" * 100_000, {"overlong": 1}),
    (b"$GPGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,*00", {"checksum": 1}),
    (framed("GPGST,021000,,,,,,,"), {"unsupported": 1}),
    (framed("GPGSV,1,1"), {"malformed": 1}),
    (framed("AITXT,01,02"), {"malformed": 1}),
    (framed("PGRME,15.0,M"), {"unsupported": 1}),
    (framed("GPGGA,1"), {"malformed": 1}),
    (framed("GPRMC," + "x" * 100), {"overlong": 1}),
    (
        framed("GPGGA,021000,9900.0000,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,"),
        {"malformed": 1},
    ),
    (b"", {}),
]


@pytest.mark.parametrize(("bad", "dropped"), BAD)
async def test_bad_input_is_counted_and_is_never_a_state_nor_fatal(bad, dropped):
    async with Bench("nav") as bench:
        bench.say(bad, gga(OWN_SHIP, bench.clock.utc()))
        [reading] = await bench.count(1)
    assert reading.value is not None
    assert (bench.driver.health.good, bench.driver.health.dropped) == (1, dropped)


async def test_an_ais_sentence_on_a_navigation_feed_is_not_read():
    async with Bench("nav") as bench:
        bench.say(*ais("VDO", "A", position_report(OWN_SHIP, bench.clock.utc())))
        bench.say(rmc(OWN_SHIP, bench.clock.utc()))
        await bench.count(1)
    assert bench.driver.health.dropped == {"unsupported": 1}


async def test_what_is_not_good_leaves_the_time_of_the_last_good_sentence_alone():
    async with Bench("nav") as bench:
        bench.say(rmc(OWN_SHIP, bench.clock.utc()))
        await bench.count(1)
        await bench.clock.advance(5.0)
        bench.say(b"garbage", framed("GPGST,021000"), b"$GPRMC,*00", b"", b"x")
        bench.say(rmc(OWN_SHIP, bench.clock.utc())[:-1])
        async with asyncio.timeout(PATIENCE_S):
            while sum(bench.driver.health.dropped.values()) < 5:  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0)
    assert bench.driver.health.last_good_s == bench.clock.now_s() - 5.0
    assert [each.point for each in bench.readings] == ["gps1.fix", "gps1.motion", "gps1.time"]


async def test_the_end_of_the_connection_is_a_link_error_and_the_next_run_reads_on():
    async with Bench("nav") as bench:
        bench.device.write(gga(OWN_SHIP, bench.clock.utc())[:30].encode("ascii"))
        bench.device.close()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(LinkError, match="closed by the other side"):
                await bench.task
        bench.task = asyncio.create_task(bench.driver.run(bench._emit))
        bench.device = await bench._visits.get()
        bench.say(gga(OWN_SHIP, bench.clock.utc()))
        await bench.count(1)
    assert bench.driver.health.dropped == {}


async def test_a_refused_connection_is_a_link_error():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    clock = ManualClock()
    context = DriverContext("gps1", clock, CovertGate(clock), Provenance.LIVE)
    with pytest.raises(LinkError, match=f"{port}"):
        await DRIVER.build(configured(link={**TCP, "port": port}), context).run(print)


async def test_a_flood_starves_nobody():
    async with Bench("ais") as bench:
        [line] = ais("VDO", "A", position_report(OWN_SHIP, bench.clock.utc()))
        bench.device.write(f"{line}\r\n".encode("ascii") * 2000)
        turns = 0
        async with asyncio.timeout(PATIENCE_S):
            while len(bench.readings) < 2000:
                turns += 1
                await asyncio.sleep(0)
    # At most 16 KiB a turn: everybody else has his turn at least every 350 sentences.
    assert turns >= 2000 * (len(line) + 2) / (16 * 1024)


async def test_a_serial_port_is_read_as_a_tcp_port_is():
    device, port = os.openpty()
    tty.setraw(port)
    clock = ManualClock()
    context = DriverContext("gps1", clock, CovertGate(clock), Provenance.LIVE)
    link = {"kind": "serial", "port": os.ttyname(port), "baud": 4800}
    os.set_blocking(device, False)
    readings: list[Reading] = []
    task = asyncio.create_task(DRIVER.build(configured(link=link), context).run(readings.append))
    async with asyncio.timeout(PATIENCE_S):
        while not readings:
            # What is said before the port is open is flushed: so say it until it is heard.
            with contextlib.suppress(BlockingIOError):
                os.write(device, f"{gga(OWN_SHIP, clock.utc())}\r\n".encode("ascii"))
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    os.close(device)
    os.close(port)
    assert readings[0].point == "gps1.fix"


def test_a_feed_says_which_points_it_has_and_how_long_they_hold():
    clock = ManualClock()
    context = DriverContext("a1", clock, CovertGate(clock), Provenance.LIVE)
    assert DRIVER.build(configured("nav"), context).points() == (
        PointSpec("a1.fix", 10.0),
        PointSpec("a1.motion", 10.0),
        PointSpec("a1.time", 10.0),
        PointSpec("a1.sky", 10.0),
    )
    assert DRIVER.build(configured("ais"), context).points() == (
        PointSpec("a1.own_report", 540.0),
        PointSpec("a1.own_identity", 900.0),
        PointSpec("a1.traffic", 240.0),
        PointSpec("a1.off_log", 86_400.0),
        PointSpec("a1.alerts", 120.0),
    )
    assert DRIVER.build(configured("heading"), context).points() == (PointSpec("a1.heading", 10.0),)
    assert DRIVER.build(configured("log"), context).points() == (
        PointSpec("a1.water_speed", 10.0, unit="kn"),
    )
    assert DRIVER.build(configured("equipment"), context).points() == (
        PointSpec("a1.alerts", 120.0),
    )
    longer = configured("equipment", report_valid_s=600)
    assert DRIVER.build(longer, context).points() == (PointSpec("a1.alerts", 600.0),)
    shorter = configured("ais", own_report_valid_s=6)
    assert DRIVER.build(shorter, context).points()[0] == PointSpec("a1.own_report", 6.0)


@pytest.mark.parametrize(
    ("config", "silent_after_s", "alert"),
    [
        (configured("nav"), 10.0, "feed.nav"),
        (configured("ais"), 30.0, "feed.ais"),
        (configured("ais", silent_after_s=5), 5.0, "feed.ais"),
        (configured("heading"), 10.0, "feed.nav"),
        (configured("log"), 10.0, "feed.nav"),
        (configured("equipment"), 150.0, None),
        (configured("doors"), 150.0, None),
    ],
)
def test_a_feed_says_when_it_is_lost(config, silent_after_s, alert):
    assert DRIVER.silent_after_s(config) == silent_after_s
    assert DRIVER.lost_alert(config) == alert
    assert not DRIVER.covert


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"feed": "radar"}, "feed"),
        ({"silent_after_s": 0}, "silent_after_s"),
        ({"own_report_valid_s": -1}, "own_report_valid_s"),
        ({"baud": 4800}, "baud"),
    ],
)
def test_a_wrong_setting_names_its_place(changed, place):
    with pytest.raises(ValidationError) as caught:
        NmeaConfig.model_validate({"kind": "nmea", "feed": "nav", "link": TCP, **changed})
    assert caught.value.errors()[0]["loc"] == (place,)
