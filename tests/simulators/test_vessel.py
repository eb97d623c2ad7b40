"""The simulated vessel: what comes out of its port, read by libraries that are not ours."""

from __future__ import annotations

import asyncio
from typing import Self

import pyais
import pynmea2
import pytest

from simulators.outlets import MOST_UNSENT_BYTES
from simulators.ships import OTHERS, OWN_SHIP
from simulators.vessel import SIMULATOR, VesselSimulator
from simulators.voice import GARBAGE
from tests.clocks import ManualClock


class Client:
    """Somebody who listens to the port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def line(self) -> str:
        async with asyncio.timeout(5):
            return (await self.reader.readuntil(b"\r\n")).decode("ascii").removesuffix("\r\n")

    async def lines(self, count: int) -> list[str]:
        return [await self.line() for _ in range(count)]

    async def ends(self) -> bool:
        async with asyncio.timeout(5):
            try:
                while await self.reader.read(4096):
                    continue
            except ConnectionResetError:
                return True
        return True


class Port:
    """A running unit with one client, whose clock a test moves second by second."""

    def __init__(self, **settings: object) -> None:
        self.clock = ManualClock()
        self.unit = VesselSimulator("v1", settings, self.clock)

    async def __aenter__(self) -> Self:
        await self.unit.start()
        self.client = await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.client.writer.close()
        await self.unit.stop()

    async def connect(self) -> Client:
        host, _, port = self.unit.endpoint.removeprefix("tcp://").partition(":")
        known = len(self.unit._voice.outlet.visits)
        client = Client(*await asyncio.open_connection(host, int(port)))
        async with asyncio.timeout(5):
            while len(self.unit._voice.outlet.visits) == known:  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0)
        return client

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            await self.clock.advance(1.0)


async def test_a_receiver_says_where_and_how_fast_each_second():
    async with Port(sends=["gnss"]) as port:
        for second in ("01", "02"):
            await port.seconds(1)
            gga, rmc = [pynmea2.parse(line, check=True) for line in await port.client.lines(2)]
            assert (gga.latitude, gga.longitude) == (pytest.approx(1.264), pytest.approx(103.84))
            assert (gga.gps_qual, gga.num_sats) == (1, "09")
            assert (rmc.status, rmc.spd_over_grnd, rmc.true_course) == ("A", 0.0, None)
            assert rmc.datetime == port.clock.utc()
            assert f"{gga.timestamp:%S}" == second


async def test_a_receiver_without_a_fix_says_so_and_leaves_the_position_empty():
    async with Port(sends=["gnss"]) as port:
        await port.unit.do({"do": "gnss", "on": False})
        await port.seconds(1)
        gga, rmc = [pynmea2.parse(line, check=True) for line in await port.client.lines(2)]
        assert (gga.gps_qual, gga.lat, gga.lon) == (0, "", "")
        assert (rmc.status, rmc.lat, rmc.spd_over_grnd) == ("V", "", None)
        await port.unit.do({"do": "gnss", "on": True})
        await port.seconds(1)
        assert pynmea2.parse(await port.client.line()).gps_qual == 1


def own(lines: list[str]) -> list[pyais.ANY_MESSAGE]:
    """Return the messages of own ship, whose parts follow one another."""
    messages, parts = [], []
    for line in lines:
        if "VDO" not in line:
            continue
        parts.append(line)
        if line.split(",")[1] == line.split(",")[2]:
            messages.append(pyais.decode(*parts, error_if_checksum_invalid=True))
            parts = []
    return messages


async def test_an_ais_unit_reports_own_ship_at_its_rate_and_her_name_every_six_seconds():
    async with Port(sends=["ais"], report_every_s=2) as port:
        await port.seconds(6)
        # Seconds 2, 4, 6 have a report, 3 and 6 three other ships, 6 the static data in two parts.
        lines = await port.client.lines(3 + 6 + 2)
    messages = own(lines)
    assert [message.msg_type for message in messages] == [1, 1, 1, 5]
    report, *_, static = messages
    assert (report.mmsi, report.lat, report.lon) == (299000019, 1.264, 103.84)
    assert (report.speed, int(report.status)) == (0.0, 5)
    assert (report.course, report.heading) == (360.0, 511)
    assert report.second == 2
    assert (static.mmsi, static.imo, static.shipname, static.callsign) == (
        299000019,
        9999993,
        "KESTREL STRAIT",
        "9VKS0",
    )
    assert (int(static.ship_type), static.destination, static.draught) == (71, "SGSIN", 13.2)
    assert (static.to_bow, static.to_stern, static.to_port, static.to_starboard) == (
        250,
        50,
        24,
        24,
    )
    assert {line.split(",")[4] for line in lines if "VDO,1,1" in line} == {"A", "B"}
    assert all(len(line) <= 80 for line in lines)
    others = {pyais.decode(line).mmsi for line in lines if "VDM" in line}
    assert others == {ship.mmsi for ship in OTHERS}


async def test_a_unit_that_is_off_still_hears_others():
    async with Port(sends=["ais"]) as port:
        await port.unit.do({"do": "ais", "on": False})
        await port.seconds(6)
        assert {line[1:6] for line in await port.client.lines(6)} == {"AIVDM"}
        await port.unit.do({"do": "ais", "on": True})
        await port.seconds(2)
        assert (await port.client.line()).startswith("!AIVDO")


async def test_a_changed_identity_stands_in_reports_and_static_data():
    async with Port(sends=["ais"]) as port:
        await port.unit.do({"do": "identity", "mmsi": 299000999})
        await port.seconds(6)
        assert {message.mmsi for message in own(await port.client.lines(11))} == {299000999}
    assert OWN_SHIP.mmsi == 299000019


async def test_silence_says_nothing_and_keeps_the_connection():
    async with Port(sends=["gnss"]) as port:
        await port.unit.do({"do": "silence"})
        await port.seconds(60)
        await port.unit.do({"do": "resume"})
        await port.seconds(1)
        assert pynmea2.parse(await port.client.line()).timestamp.minute == 11


async def test_garbage_is_as_many_lines_as_were_asked_for():
    async with Port(sends=["gnss"]) as port:
        await port.unit.do({"do": "garbage", "lines": 6})
        expected = b"".join(line + b"\r\n" for line in (*GARBAGE, GARBAGE[0]))
        async with asyncio.timeout(5):
            assert await port.client.reader.readexactly(len(expected)) == expected


async def test_drop_closes_every_connection_and_takes_new_ones():
    async with Port(sends=["gnss"]) as port:
        await port.unit.do({"do": "drop"})
        assert await port.client.ends()
        async with asyncio.timeout(5):
            while port.unit._voice.outlet.visits:  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0)
        again = await port.connect()
        await port.seconds(1)
        assert (await again.line()).startswith("$GPGGA")
        again.writer.close()


async def test_a_client_that_never_reads_is_cut_off():
    async with Port(sends=["gnss"]) as port:
        [writer] = port.unit._voice.outlet.visits.values()
        writer.transport.pause_reading()
        port.client.reader._transport.pause_reading()
        async with asyncio.timeout(20):
            while writer.transport.get_write_buffer_size() <= MOST_UNSENT_BYTES:
                await port.unit.do({"do": "garbage", "lines": 1000})
        await port.seconds(1)
        assert writer.transport.is_closing()


async def test_two_clients_hear_the_same():
    async with Port(sends=["gnss"]) as port:
        second = await port.connect()
        second.writer.write(b"nobody reads this")
        await port.seconds(1)
        assert await second.lines(2) == await port.client.lines(2)
        second.writer.close()


async def test_a_stopped_unit_leaves_nothing_and_comes_back_where_it_was():
    async with Port(sends=["gnss"]) as port:
        endpoint = port.unit.endpoint
        await port.unit.stop()
        await port.unit.stop()
        assert await port.client.ends()
        port.client.writer.close()
        with pytest.raises(ConnectionRefusedError):
            await port.connect()
        await port.unit.start()
        assert port.unit.endpoint == endpoint
        port.client = await port.connect()
        await port.seconds(1)
        assert (await port.client.line()).startswith("$GPGGA")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"do": "sink"}, "cannot do 'sink'"),
        ({}, "cannot do None"),
        ({"do": "ais"}, "on is true or false"),
        ({"do": "gnss", "on": 1}, "on is true or false"),
        ({"do": "drop", "now": True}, "unknown now"),
        ({"do": "identity", "mmsi": 1_000_000_000}, "mmsi is a whole number"),
        ({"do": "garbage", "lines": 0}, "lines is a whole number"),
        ({"do": "garbage", "lines": 1001}, "lines is a whole number"),
    ],
)
async def test_a_command_that_cannot_be_says_why(command, reason):
    with pytest.raises(ValueError, match=reason):
        await SIMULATOR.build("v1", {"sends": ["gnss"]}).do(command)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "sends is a list"),
        ({"sends": []}, "sends is a list"),
        ({"sends": "gnss"}, "sends is a list"),
        ({"sends": [["gnss"]]}, "sends is a list"),
        ({"sends": ["radar"]}, "sends is a list"),
        ({"sends": ["gnss"], "port": -1}, "port is a whole number"),
        ({"sends": ["ais"], "report_every_s": 0}, "report_every_s is a whole number"),
        ({"sends": ["ais"], "speed": 1}, "unknown speed"),
    ],
)
def test_a_setting_that_cannot_be_says_why(settings, reason):
    with pytest.raises(ValueError, match=reason):
        SIMULATOR.build("v1", settings)
