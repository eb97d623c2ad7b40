"""Every feed on a real port with a unit that talks; and what no bytes can make of any of them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.drivers.api import DriverContext, Shared, SideDoor
from daemon.drivers.nmea import DRIVER, NmeaConfig
from daemon.gate import CovertGate
from daemon.model import (
    AisIdentity,
    AisOffLog,
    AisReport,
    AisTraffic,
    ContactState,
    EquipmentAlert,
    EquipmentReport,
    Fix,
    Heading,
    Motion,
    Provenance,
    Quality,
    Reading,
    Sky,
)
from simulators.equipment import EquipmentSimulator
from simulators.heading import HeadingSimulator
from simulators.log import LogSimulator
from simulators.ships import METRES_PER_DEGREE
from simulators.side_doors import SideDoorsSimulator
from simulators.vessel import FORMATTERS, VesselSimulator
from tests.clocks import ManualClock
from tests.drivers.nmea_rig import framed
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from simulators.api import Simulator

FEEDS = ("nav", "ais", "heading", "log", "equipment", "doors")
DOORS = (SideDoor("h01", "HD", "A1", 12), SideDoor("h02", "HD", "", 7))
UDP: dict[str, object] = {"to": "127.0.0.1:0"}


def driver_of(device: str, clock: ManualClock, shared: Shared, **config: object) -> Any:
    context = DriverContext(
        device,
        clock,
        CovertGate(clock),
        Provenance.SIMULATED,
        side_doors=DOORS,
        shared=shared,
    )
    return DRIVER.build(NmeaConfig.model_validate({"kind": "nmea", **config}), context)


def link_to(endpoint: str) -> dict[str, object]:
    if endpoint.startswith("/"):
        return {"kind": "serial", "port": endpoint}
    kind, _, rest = endpoint.partition("://")
    host, _, port = rest.partition(":")
    return {"kind": kind, "host": host, "port": int(port)}


class Bridge:
    """Units that talk and the drivers that listen to them."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.clock = ManualClock()
        self.shared = Shared()
        self.newest: dict[str, Reading] = {}
        self.drivers: dict[str, Any] = {}
        self._stack = stack

    async def start(self, unit: Simulator) -> str:
        await unit.start()
        self._stack.push_async_callback(unit.stop)
        return unit.endpoint

    def listen(self, device: str, link: object, **config: object) -> None:
        self.drivers[device] = driver_of(
            device,
            self.clock,
            self.shared,
            link=link_to(link) if isinstance(link, str) else link,
            **config,
        )
        task = asyncio.create_task(self.drivers[device].run(self._emit))

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(stop)

    def _emit(self, reading: Reading) -> None:
        self.newest[reading.point] = reading

    async def value(self, point: str, wanted: object = ...) -> object:
        """Let time pass until a point has a value, and the one that is wanted where one is."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for _ in range(50):
                    reading = self.newest.get(point)
                    if reading is not None and reading.value in (
                        [reading.value] if wanted is ... else [wanted]
                    ):
                        return reading.value
                    await asyncio.sleep(0)
                await self.clock.advance(1.0)


@asynccontextmanager
async def bridge() -> AsyncIterator[Bridge]:
    async with AsyncExitStack() as stack:
        yield Bridge(stack)


async def test_two_gnss_receivers_stay_two():
    async with bridge() as ship:
        ends = [
            await ship.start(VesselSimulator(name, settings, ship.clock))
            for name, settings in {
                "g1": {"sends": ["gnss"], "serial": True, "antenna_north_m": 5.5},
                "g2": {"sends": ["gnss"], "talker": "GN", "antenna_north_m": -5.5},
            }.items()
        ]
        for device, end in zip(("g1", "g2"), ends, strict=True):
            ship.listen(device, end, feed="nav")
        first, second = await ship.value("g1.fix"), await ship.value("g2.fix")
    apart_m = (first.position.lat_deg - second.position.lat_deg) * METRES_PER_DEGREE
    assert apart_m == pytest.approx(11.0, abs=0.5)
    assert {point: reading.source for point, reading in ship.newest.items()} == {
        f"{device}.{name}": device for device in ("g1", "g2") for name in ("fix", "motion", "time")
    }


async def test_two_gnss_receivers_on_one_port_stay_two_by_their_talkers():
    async with bridge() as ship:
        end = await ship.start(VesselSimulator("g1", {"sends": ["gnss"], **UDP}, ship.clock))
        to = end.removeprefix("udp://")
        far = {"sends": ["gnss"], "talker": "GN", "antenna_east_m": 400, "to": to}
        await ship.start(VesselSimulator("g2", far, ship.clock))
        ship.listen("g1", end, feed="nav", talkers=["GP"])
        ship.listen("g2", end, feed="nav", talkers=["GN"])
        first, second = await ship.value("g1.fix"), await ship.value("g2.fix")
        for _ in range(5):
            await ship.clock.advance(1.0)
        assert ship.newest["g1.fix"].value == first
        assert ship.newest["g2.fix"].value == second
        assert first != second
        assert ship.drivers["g1"].health.dropped == ship.drivers["g2"].health.dropped == {}
        assert ship.drivers["g1"].health.good > 0


@pytest.mark.parametrize("outlet", [UDP, {"serial": True}, {}], ids=["udp", "serial", "tcp"])
async def test_a_receiver_that_says_everything_gives_every_point_of_its_feed(outlet):
    async with bridge() as ship:
        settings = {"sends": ["gnss"], "talker": "GN", "sentences": list(FORMATTERS), **outlet}
        ship.listen("g1", await ship.start(VesselSimulator("g1", settings, ship.clock)), feed="nav")
        assert await ship.value("g1.sky") == Sky(13, 13, pytest.approx(43.0, abs=1.0), 1.6)
        assert (await ship.value("g1.fix")).satellites == 13
        assert await ship.value("g1.motion") == Motion(0.0, None)
        assert (await ship.value("g1.time")).startswith("2026-11-22T")
        assert ship.drivers["g1"].health.dropped == {}


async def test_a_compass_and_a_log_on_one_udp_port_are_two_feeds():
    async with bridge() as ship:
        compass = HeadingSimulator("h1", {"deg": 20.5, **UDP}, ship.clock)
        end = await ship.start(compass)
        log = LogSimulator("l1", {"kn": -1.5, "to": end.removeprefix("udp://")}, ship.clock)
        await ship.start(log)
        ship.listen("h1", end, feed="heading", talkers=["HE"])
        ship.listen("l1", end, feed="log", talkers=["VW"])
        assert await ship.value("h1.heading") == Heading(20.5, "A")
        assert await ship.value("l1.water_speed") == -1.5
        assert ship.newest["l1.water_speed"].unit == "kn"
        await compass.do({"do": "mode", "mode": "V"})
        await log.do({"do": "valid", "on": False})
        assert await ship.value("h1.heading", None) is None
        assert await ship.value("l1.water_speed", None) is None
        assert {driver.health.dropped == {} for driver in ship.drivers.values()} == {True}


async def test_equipment_on_one_udp_port_is_mirrored_each_by_its_own():
    async with bridge() as ship:
        bnwas = EquipmentSimulator("bn1", UDP, ship.clock)
        end = await ship.start(bnwas)
        to = end.removeprefix("udp://")
        terminal = EquipmentSimulator(
            "cs1", {"talker": "CS", "layout": "alf", "to": to}, ship.clock
        )
        await ship.start(terminal)
        ship.listen("bn1", end, feed="equipment", talkers=["BN"])
        ship.listen("cs1", end, feed="equipment", talkers=["CS"])
        well = EquipmentReport(in_order=True, alerts=())
        assert await ship.value("bn1.alerts", well)
        assert await ship.value("cs1.alerts", well)
        await terminal.do(
            {
                "do": "alarm",
                "id": 3116,
                "instance": 1,
                "on": True,
                "title": "Impaired radio",
                "text": "EGC SYNC loss",
                "priority": "C",
            }
        )
        alert = EquipmentAlert(3116, 1, "Impaired radio: EGC SYNC loss", True, False, "C")
        assert await ship.value("cs1.alerts", EquipmentReport(True, (alert,)))
        await bnwas.do({"do": "alarm", "id": 0, "on": True, "text": "C1=AUT;C2=03;C3=1"})
        await bnwas.do({"do": "normal", "on": False})
        stage = EquipmentAlert(0, None, "C1=AUT;C2=03;C3=1", True, False, None)
        assert await ship.value("bn1.alerts", EquipmentReport(False, (stage,)))
        await bnwas.do({"do": "alarm", "id": 0, "on": False})
        await bnwas.do({"do": "ack", "id": 0})
        assert await ship.value("bn1.alerts", EquipmentReport(False, ()))
        assert ship.newest["cs1.alerts"].value.alerts == (alert,)


async def test_the_alerts_of_an_ais_unit_come_on_its_own_port():
    async with bridge() as ship:
        unit = VesselSimulator("a1", {"sends": ["ais"]}, ship.clock)
        ship.listen("a1", await ship.start(unit), feed="ais")
        assert await ship.value("a1.alerts", EquipmentReport(None, ()))
        await unit.do({"do": "alr", "id": 9, "on": True})
        alert = EquipmentAlert(9, None, "AIS: GNSS position mismatch", True, False, None)
        assert await ship.value("a1.alerts", EquipmentReport(None, (alert,)))
        await unit.do({"do": "alr", "id": 9, "on": False})
        assert await ship.value("a1.alerts", EquipmentReport(None, ()))
        assert await ship.value("a1.own_report")


async def test_shell_doors_stand_as_their_system_says():
    async with bridge() as ship:
        doors = [
            {"name": "h01", "division": "A1", "number": 12},
            {"name": "h02", "number": 7},
            {"name": "h03", "number": 8},
        ]
        unit = SideDoorsSimulator("hd", {"doors": doors, **UDP}, ship.clock)
        ship.listen("hd", await ship.start(unit), feed="doors")
        assert await ship.value("h01", ContactState.CLOSED)
        assert await ship.value("h02", ContactState.CLOSED)
        await unit.do({"do": "open", "door": "h02"})
        assert await ship.value("h02", ContactState.OPEN)
        await unit.do({"do": "fault", "door": "h02"})
        assert await ship.value("h02", ContactState.LINE_FAULT)
        await unit.do({"do": "close", "door": "h02"})
        assert await ship.value("h02", ContactState.CLOSED)
        assert set(ship.newest) == {"h01", "h02"}
        assert ship.newest["h01"].value is ContactState.CLOSED


async def test_only_the_doors_feed_tells_of_side_doors():
    for feed in FEEDS:
        config = NmeaConfig.model_validate(
            {"kind": "nmea", "feed": feed, "link": {"kind": "udp", "port": 10110}}
        )
        assert DRIVER.side_doors(config) is (feed == "doors")


async def test_a_shipboard_network_datagram_with_a_tag_block_is_read():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind(("127.0.0.1", 0))
        port = device.getsockname()[1]
    async with bridge() as ship:
        ship.listen("h1", {"kind": "udp", "port": port}, feed="heading")
        said = "\\s:HE0001,n:157*{}\\" + framed("HETHS,20.5,A") + "\r\n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            # Some networks write the checksum of the block in small letters, and without its zero.
            for checksum in ("1A", "1a", "9"):
                ship.newest.clear()
                async with asyncio.timeout(PATIENCE_S):
                    while "h1.heading" not in ship.newest:
                        datagram = b"UdPbC\0" + said.format(checksum).encode("ascii")
                        device.sendto(datagram, ("127.0.0.1", port))
                        await asyncio.sleep(0)
        assert ship.drivers["h1"].health.dropped == {}


async def test_a_new_connection_knows_nothing_of_what_stood_before():
    async with bridge() as ship:
        unit = EquipmentSimulator("bn1", {"heartbeat": False}, ship.clock)
        end = await ship.start(unit)
        driver = driver_of("bn1", ship.clock, ship.shared, link=link_to(end), feed="equipment")
        await unit.do({"do": "alarm", "id": 1, "on": True})
        for alerts in ((1,), ()):
            running = asyncio.create_task(driver.run(ship._emit))
            async with asyncio.timeout(PATIENCE_S):
                while not unit._voice.outlet.visits:  # noqa: ASYNC110 (nothing tells)
                    await asyncio.sleep(0)
            ship.newest.clear()
            report = await ship.value("bn1.alerts")
            assert tuple(alert.number for alert in report.alerts) == alerts
            await unit.do({"do": "drop"})
            await asyncio.gather(running, return_exceptions=True)
            async with asyncio.timeout(PATIENCE_S):
                while unit._voice.outlet.visits:  # noqa: ASYNC110 (nothing tells)
                    await asyncio.sleep(0)
            unit._alerts.clear()


KINDS = {
    "fix": Fix,
    "motion": Motion,
    "time": str,
    "sky": Sky,
    "own_report": AisReport,
    "own_identity": AisIdentity,
    "traffic": AisTraffic,
    "off_log": AisOffLog,
    "alerts": EquipmentReport,
    "heading": Heading,
    "water_speed": float,
    "h01": ContactState,
    "h02": ContactState,
}
FORMATTERS_READ = (
    *("GGA", "GNS", "GLL", "RMC", "VTG", "ZDA"),
    *("GSA", "GSV", "THS", "HDT", "VBW", "VHW"),
    *("ALR", "ALF", "ALC", "HBT", "DOR", "VDO", "TRL"),
)
CHARACTERS = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
FIELD = st.one_of(
    st.sampled_from(["", "A", "V", "E", "N", "1", "2", "12", "HD", "A1", "0115.84", "10350.4"]),
    st.from_regex(r"[0-9]{1,6}(\.[0-9]{0,3})?", fullmatch=True),
    st.text(CHARACTERS, max_size=8),
)
SENTENCE = st.builds(
    lambda formatter, fields: framed(f"GP{formatter}," + ",".join(fields)).encode("ascii"),
    st.sampled_from(FORMATTERS_READ),
    st.lists(FIELD, max_size=20),
)


@given(st.sampled_from(FEEDS), st.lists(st.one_of(SENTENCE, st.binary(max_size=90)), max_size=12))
@example("nav", [framed("GPHBT,,A").encode("ascii")])
@example("doors", [framed("HDDOR,F,,HD,,,,X,").encode("ascii")])
def test_no_bytes_make_anything_but_declared_points_of_their_type(feed, lines):
    clock = ManualClock()
    driver = driver_of("d1", clock, Shared(), feed=feed, link={"kind": "udp", "port": 10110})
    declared = {point.id: point for point in driver.points()}
    readings: list[Reading] = []
    reader = driver._reader()
    for line in lines:
        driver._take(line, reader, readings.append)
    for reading in readings:
        assert reading.unit == declared[reading.point].unit
        kind = KINDS[reading.point.removeprefix("d1.")]
        assert isinstance(reading.value, kind) or reading.quality is Quality.UNKNOWN
    health = driver.health
    counted = health.good + sum(health.dropped.values()) + sum(health.noticed.values())
    assert counted >= len(lines)
