"""The simulated vessel: what comes out of its port, read by libraries that are not ours."""

from __future__ import annotations

import asyncio
from datetime import time
from typing import Any, Self

import pyais
import pynmea2
import pytest

from simulators.outlets import MOST_UNSENT_BYTES
from simulators.ships import METRES_PER_DEGREE, OTHERS, OWN_SHIP
from simulators.vessel import SIMULATOR, VesselSimulator
from simulators.voice import GARBAGE
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S


class Client:
    """Somebody who listens to the port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def line(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return (await self.reader.readuntil(b"\r\n")).decode("ascii").removesuffix("\r\n")

    async def lines(self, count: int) -> list[str]:
        return [await self.line() for _ in range(count)]

    async def ends(self) -> bool:
        async with asyncio.timeout(PATIENCE_S):
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
        async with asyncio.timeout(PATIENCE_S):
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
        async with asyncio.timeout(PATIENCE_S):
            assert await port.client.reader.readexactly(len(expected)) == expected


async def test_drop_closes_every_connection_and_takes_new_ones():
    async with Port(sends=["gnss"]) as port:
        await port.unit.do({"do": "drop"})
        assert await port.client.ends()
        async with asyncio.timeout(PATIENCE_S):
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
        async with asyncio.timeout(PATIENCE_S):
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


async def said(port: Port, count: int = 1) -> list[Any]:
    """Return what the receiver says in the next second."""
    await port.seconds(1)
    return [pynmea2.parse(line, check=True) for line in await port.client.lines(count)]


EVERYTHING = ["GGA", "GNS", "GLL", "RMC", "VTG", "ZDA", "GSA", "GSV"]


async def test_a_receiver_says_the_sentences_that_it_is_told_to():
    async with Port(sends=["gnss"], sentences=EVERYTHING) as port:
        gga, gns, gll, rmc, vtg, zda, gsa, *gsv = await said(port, 7 + 3)
        assert {line.talker for line in (gga, gns, gll, rmc, vtg, zda, gsa, *gsv)} == {"GP"}
        assert (gns.latitude, gns.longitude) == (gll.latitude, gll.longitude)
        assert (gns.mode_indicator, gll.status, gll.faa_mode) == ("A", "A", "A")
        assert (vtg.true_track, vtg.spd_over_grnd_kts) == (None, 0.0)
        assert zda.datetime == port.clock.utc()
        assert (gsa.mode_fix_type, gsa.sv_id09, gsa.sv_id10, gsa.pdop) == ("3", "32", "", "1.6")
        assert [(line.num_messages, line.msg_num, line.num_sv_in_view) for line in gsv] == [
            ("3", "1", "09"),
            ("3", "2", "09"),
            ("3", "3", "09"),
        ]
        assert (gsv[0].sv_prn_num_1, gsv[0].elevation_deg_1, gsv[0].snr_1) == ("02", "24", "42")


async def test_a_receiver_of_several_constellations_speaks_as_gn_and_lists_each():
    async with Port(sends=["gnss"], talker="GN", sentences=["GSA", "GSV"]) as port:
        await port.seconds(1)
        lines = [line.split("*")[0] for line in await port.client.lines(2 + 3 + 1)]
    assert [line[:6] for line in lines] == ["$GNGSA", "$GNGSA", *["$GPGSV"] * 3, "$GAGSV"]
    assert [line.split(",")[-1] for line in lines[:2]] == ["1", "3"]


async def test_a_receiver_without_a_fix_uses_no_satellite_though_it_sees_them():
    async with Port(sends=["gnss"], sentences=EVERYTHING) as port:
        await port.unit.do({"do": "gnss", "on": False})
        _, gns, gll, _, vtg, zda, gsa, *gsv = await said(port, 7 + 3)
    assert (gns.mode_indicator, gns.lat) == ("N", "")
    assert (gll.status, gll.lat) == ("V", "")
    assert (vtg.spd_over_grnd_kts, vtg.faa_mode) == (None, "N")
    assert zda.year == 2026
    assert (gsa.mode_fix_type, gsa.sv_id01) == ("1", "")
    assert gsv[0].num_sv_in_view == "09"


async def test_a_signal_that_falls_is_lower_for_all_and_lost_for_the_weakest():
    async with Port(sends=["gnss"], sentences=["GSV"]) as port:
        await port.unit.do({"do": "signal", "down_db": 18})
        first, second, third = await said(port, 3)
    assert [first.snr_1, first.snr_2, first.snr_3, first.snr_4] == ["24", "26", "29", "20"]
    assert (second.snr_4, third.snr_1) == ("", "28")


def metres(line: Any) -> tuple[int, int]:
    """Return how far a position is from the berth, north and east."""
    north_m = (line.latitude - OWN_SHIP.lat_deg) * METRES_PER_DEGREE
    east_m = (line.longitude - OWN_SHIP.lon_deg) * METRES_PER_DEGREE * 0.99976
    return round(north_m), round(east_m)


async def test_an_antenna_stands_where_it_was_told_to():
    antenna = {"antenna_north_m": -100.0, "antenna_east_m": 11}
    async with Port(sends=["gnss"], sentences=["GGA"], **antenna) as port:
        [gga] = await said(port)
        assert metres(gga) == (-100, 11)


async def test_a_jump_is_at_once_and_a_shift_takes_its_time():
    async with Port(sends=["gnss"], sentences=["GGA"]) as port:
        await port.unit.do({"do": "jump", "north_m": 500, "east_m": -300})
        assert metres((await said(port))[0]) == (500, -300)
        await port.unit.do({"do": "shift", "east_m": 300, "over_s": 10})
        await port.seconds(4)
        assert [metres(pynmea2.parse(line))[1] for line in await port.client.lines(4)] == [
            -270,
            -240,
            -210,
            -180,
        ]
        await port.seconds(10)
        assert metres(pynmea2.parse((await port.client.lines(10))[-1])) == (500, 0)


async def test_a_ship_under_way_moves_along_her_course():
    async with Port(sends=["gnss"]) as port:
        await port.unit.do({"do": "sog", "kn": 36.0, "cog_deg": 90.0})
        await port.seconds(10)
        gga, rmc = [pynmea2.parse(line) for line in await port.client.lines(20)][-2:]
        assert metres(gga) == (0, 185)
        assert (rmc.spd_over_grnd, rmc.true_course) == (36.0, 90.0)
        await port.unit.do({"do": "sog", "kn": 0})
        await port.seconds(10)
        gga, rmc = [pynmea2.parse(line) for line in await port.client.lines(20)][-2:]
        assert metres(gga) == (0, 185)
        assert (rmc.spd_over_grnd, rmc.true_course) == (0.0, None)


async def test_status_and_speed_stand_in_the_reports_of_the_ais_unit():
    async with Port(sends=["ais"]) as port:
        await port.unit.do({"do": "status", "value": 0})
        await port.unit.do({"do": "sog", "kn": 12.3, "cog_deg": 270})
        await port.seconds(2)
        [report] = own([await port.client.line()])
    assert (int(report.status), report.speed, report.course) == (0, 12.3, 270.0)
    assert report.lon < OWN_SHIP.lon_deg


async def test_a_step_of_time_is_the_receivers_alone():
    async with Port(sends=["gnss"], sentences=["ZDA"]) as port:
        await port.unit.do({"do": "time_step", "seconds": -90})
        await port.unit.do({"do": "time_step", "seconds": 0.5})
        [zda] = await said(port)
        assert zda.timestamp.replace(tzinfo=None) == time(2, 8, 31)


async def test_alerts_of_the_unit_are_said_at_once_and_again_until_they_are_gone():
    async with Port(sends=["ais"]) as port:

        async def alerts(seconds: int) -> list[str]:
            await port.seconds(seconds)
            await port.unit.do({"do": "alr", "id": 99, "on": False})  # an end to read to
            lines = []
            while "ALR" not in (line := await port.client.line()) or ",099," not in line:
                lines += [line.split("*")[0]] if "ALR" in line else []
            return lines

        assert await alerts(30) == ["$AIALR,,,V,V,"]
        await port.unit.do({"do": "alr", "id": 1, "on": True})
        said = "$AIALR,0210{},001,{},AIS: Tx malfunction"
        assert await alerts(0) == [said.format("30.00", "A,V")]
        assert await alerts(30) == [said.replace("0210", "0211").format("00.00", "A,V")]
        await port.unit.do({"do": "alr", "id": 1, "on": False, "acknowledged": False})
        await port.unit.do({"do": "alr", "id": 1, "on": False})
        gone = [said.replace("0210", "0211").format("00.00", state) for state in ("V,V", "V,A")]
        assert await alerts(30) == [*gone, "$AIALR,,,V,V,"]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"do": "jump", "north_m": "far"}, "north_m is a number"),
        ({"do": "jump", "over_s": 3}, "unknown over_s"),
        ({"do": "shift", "north_m": 1}, "over_s is a number"),
        ({"do": "sog", "kn": -1}, "kn is a number"),
        ({"do": "sog", "kn": 1, "cog_deg": 360}, "cog_deg is a number"),
        ({"do": "status", "value": 16}, "value is a whole number"),
        ({"do": "signal", "down_db": -1}, "down_db is a whole number"),
        ({"do": "time_step"}, "seconds is a number"),
        ({"do": "alr", "id": 1}, "on is true or false"),
        ({"do": "alr", "id": 1000, "on": True}, "id is a whole number"),
        ({"do": "sink"}, "cannot do 'sink'"),
        ({}, "cannot do None"),
        ({"do": "ais"}, "on is true or false"),
        ({"do": "gnss", "on": 1}, "on is true or false"),
        ({"do": "drop", "now": True}, "unknown now"),
        ({"do": "identity", "mmsi": 1_000_000_000}, "mmsi is a whole number"),
        ({"do": "target"}, "mmsi is a whole number"),
        ({"do": "target", "mmsi": 1, "north_m": 1e6}, "north_m is a number"),
        ({"do": "target", "mmsi": 1, "name": "X"}, "unknown name"),
        ({"do": "voyage", "draught_m": 30}, "draught_m is a number"),
        ({"do": "voyage", "eta": [11, 22]}, "eta is month, day, hour and minute"),
        ({"do": "voyage", "destination": "$"}, "destination is a text"),
        ({"do": "trl", "for_min": 5}, "ago_min is a number"),
        ({"do": "trl", "for_min": 5, "ago_min": 5, "reason": 6}, "reason is a whole number"),
        ({"do": "garbage", "lines": 0}, "lines is a whole number"),
        ({"do": "garbage", "lines": 1001}, "lines is a whole number"),
    ],
)
async def test_a_command_that_cannot_be_says_why(command, reason):
    with pytest.raises(ValueError, match=reason):
        await SIMULATOR.build("v1", {"sends": ["gnss"]}).do(command)


async def ais_lines(port: Port, count: int) -> list[Any]:
    """Return what pyais makes of the next messages of one sentence."""
    lines = await port.client.lines(count)
    return [pyais.decode(line) for line in lines if line.startswith(("!AIVDM,1,1,", "!AIVDO,1,1,"))]


async def test_another_ship_comes_goes_on_and_is_taken_away():
    async with Port(sends=["ais"]) as port:
        await port.unit.do(
            {"do": "target", "mmsi": 299000201, "north_m": 1852, "kn": 20, "class_b": True}
        )
        await port.unit.do({"do": "target", "mmsi": OWN_SHIP.mmsi, "east_m": 5000, "status": 5})
        await port.seconds(3)  # own report, three others, these two
        said = {(m.mmsi, m.msg_type): m for m in await ais_lines(port, 6)}
        boat, double = said[299000201, 18], said[OWN_SHIP.mmsi, 1]
        assert (boat.speed, boat.course) == (20.0, 0.0)
        assert boat.lat - OWN_SHIP.lat_deg == pytest.approx(1 / 60 + 3 * 20 / 3600 / 60, abs=1e-5)
        assert double.lon > OWN_SHIP.lon_deg + 0.04
        await port.unit.do({"do": "target", "mmsi": 299000201, "on": False})
        await port.seconds(3)
        assert 299000201 not in {m.mmsi for m in await ais_lines(port, 8)}


async def test_voyage_data_are_as_they_were_set():
    async with Port(sends=["ais"]) as port:
        eta = [11, 25, 6, 30]
        await port.unit.do({"do": "voyage", "draught_m": 9.1, "destination": "NLRTM", "eta": eta})
        await port.seconds(6)
        lines = await port.client.lines(8)
        static = pyais.decode(*[line for line in lines if ",2,1," in line or ",2,2," in line])
        assert (static.draught, static.destination) == (9.1, "NLRTM")
        assert [static.month, static.day, static.hour, static.minute] == eta


async def test_the_units_own_log_is_said_when_somebody_asks():
    async with Port(sends=["ais"]) as port:
        await port.unit.do({"do": "trl", "ago_min": 60, "for_min": 30, "reason": 2})
        await port.unit.do({"do": "trl"})
        log, empty = await port.client.lines(2)
        assert log.startswith("$AITRL,1,1,0,22112026,011000.00,22112026,014000.00,2*")
        assert empty.startswith("$AITRL,0,,,,,,,*")


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
        ({"sends": ["gnss"], "sentences": ["RMB"]}, "sentences is a list"),
        ({"sends": ["gnss"], "talker": "GPS"}, "talker is two letters"),
        ({"sends": ["gnss"], "antenna_north_m": 501}, "antenna_north_m is a number"),
        ({"sends": ["gnss"], "to": "here"}, "to is an address"),
    ],
)
def test_a_setting_that_cannot_be_says_why(settings, reason):
    with pytest.raises(ValueError, match=reason):
        SIMULATOR.build("v1", settings)


async def said_of(port: Port, lines: int) -> dict[str, Any]:
    """Return what the receiver says in the next second, by formatter."""
    await port.seconds(1)
    said = [pynmea2.parse(line, check=True) for line in await port.client.lines(lines)]
    return {each.sentence_type: each for each in said}


async def test_a_frozen_receiver_stays_where_it_was_while_the_ship_goes_on():
    async with Port(sends=["gnss"]) as port:
        await port.unit.do({"do": "sog", "kn": 12, "cog_deg": 0})
        await port.unit.do({"do": "frozen", "on": True})
        first = (await said_of(port, 2))["GGA"].latitude
        await port.seconds(60)
        await port.client.lines(120)
        assert (await said_of(port, 2))["GGA"].latitude == first
        await port.unit.do({"do": "frozen", "on": False})
        assert (await said_of(port, 2))["GGA"].latitude > first + 0.003


async def test_a_receiver_in_a_spoofed_field_is_where_the_transmitter_has_it():
    async with Port(sends=["gnss"], antenna_north_m=11) as port:
        apart_deg = 11 / METRES_PER_DEGREE
        assert (await said_of(port, 2))["GGA"].latitude == pytest.approx(
            1.264 + apart_deg, abs=2e-6
        )
        await port.unit.do({"do": "one_point", "on": True})
        await port.unit.do({"do": "height", "m": 80})
        gga = (await said_of(port, 2))["GGA"]
        assert (gga.latitude, gga.altitude) == (pytest.approx(1.264, abs=2e-6), 80.0)


async def test_uniform_signals_are_all_the_same():
    async with Port(sends=["gnss"], sentences=["GSV"]) as port:
        await port.unit.do({"do": "uniform", "on": True})
        await port.seconds(1)
        for line in await port.client.lines(3):
            seen = pynmea2.parse(line, check=True).data[3:]
            assert set(seen[3::4]) == {"43"}


async def test_a_receivers_time_runs_away_and_goes_on_from_there():
    async with Port(sends=["gnss"], sentences=["RMC"]) as port:
        await port.unit.do({"do": "time_drift", "ppm": 100_000})
        await port.seconds(9)
        await port.unit.do({"do": "time_drift", "ppm": 0})
        await port.client.lines(9)
        told = (await said_of(port, 1))["RMC"].datetime
        assert (told - port.clock.utc()).total_seconds() == pytest.approx(0.9, abs=0.91)
