"""A transponder and a receiver behind TCP ports: the same sentences for whoever connects.

    python -m bench.talker

On standard output the two ports, AIS first. Then for each line ``RATE COUNT SHIP SPEED`` on standard input: so many AIS
sentences at this rate (0: as fast as they are taken), then one report of a ship that was not heard before and own
ship's at that speed, by which whoever listens can tell that all has been read. When they are on their way it says
CLOCK_MONOTONIC, in ns, of the first and of the last. The receiver says GGA and RMC once a second.

Half of the 300 ships lie, half make 10 knots; one report in a hundred is own ship's. So it is in a roadstead. A flood
is of the others alone, so that own ship's report behind it is told at once (``bench.ingest``).
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from simulators.input_lines import read_lines
from simulators.ships import OWN_SHIP, Vessel
from simulators.vessel_ais import ais, position_report
from simulators.vessel_gnss import gga, rmc

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPS = 300
FIRST_MMSI = 235_000_000
PASSES = 20
"""Reports of each ship that are ready made; then it begins again."""
OWN_EVERY = 100
OWN = b"!AIVDO"
BLOCK = 500
"""Sentences at once in a flood: were it written by the line, the talker would be measured."""


def round_of_reports() -> list[bytes]:
    utc, made = datetime(2026, 11, 22, tzinfo=UTC), []
    for turn in range(PASSES):
        for number in range(SHIPS):
            ship = Vessel(
                FIRST_MMSI + number,
                OWN_SHIP.lat_deg + (number % 20 - 10) / 60,
                OWN_SHIP.lon_deg + (number // 20 - 7) / 60,
                sog_kn=10.0 * (number % 2),
                navigation_status=0 if number % 2 else 1,
                cog_deg=number * 7 % 360.0,
            )
            ship = ship.moved(*ship.way_m(10.0 * turn))
            made += said("VDM", ship, utc + timedelta(seconds=turn))
            if number % OWN_EVERY == 0:
                made += said("VDO", OWN_SHIP, utc + timedelta(seconds=turn))
    return made


def said(formatter: str, ship: Vessel, utc: datetime) -> list[bytes]:
    lines = ais(formatter, "A", position_report(ship, utc))
    return [line.encode("ascii") + b"\r\n" for line in lines]


class Talker:
    """Talks to whoever is connected last."""

    def __init__(self) -> None:
        self._ais: asyncio.StreamWriter | None = None
        reports = round_of_reports()
        others = [line for line in reports if not line.startswith(OWN)]
        self._reports: Iterator[bytes] = itertools.cycle(reports)
        self._others: Iterator[bytes] = itertools.cycle(others)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ais = writer
        writer.write(b"".join(said("VDO", OWN_SHIP, datetime.now(UTC))))  # it is on
        await reader.read()  # nobody has anything to say to a transponder's display port
        writer.close()

    async def tell_fixes(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                utc = datetime.now(UTC)
                for line in (gga(OWN_SHIP, utc), rmc(OWN_SHIP, utc)):
                    writer.write(line.encode("ascii") + b"\r\n")
                await writer.drain()
                await asyncio.sleep(1.0)
        except ConnectionError:
            writer.close()

    async def talk(self, rate: int, count: int, last: list[bytes]) -> None:
        writer = self._ais
        if writer is None:
            raise SystemExit("nobody listens")
        began_ns = time.monotonic_ns()
        if rate:
            for number, line in enumerate(itertools.islice(self._reports, count)):
                due_s = began_ns / 1e9 + number / rate
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                writer.write(line)
        else:
            for _ in range(0, count, BLOCK):
                writer.write(b"".join(itertools.islice(self._others, BLOCK)))
                await writer.drain()
        writer.write(b"".join(last))
        await writer.drain()
        print(began_ns, time.monotonic_ns(), flush=True)


async def main() -> None:
    talker = Talker()
    ais_port = await asyncio.start_server(talker.take, "127.0.0.1", 0)
    nav_port = await asyncio.start_server(talker.tell_fixes, "127.0.0.1", 0)
    print(*(each.sockets[0].getsockname()[1] for each in (ais_port, nav_port)), flush=True)
    async for line in read_lines(sys.stdin.fileno()):
        rate, count, mmsi, speed = line.split()
        utc = datetime.now(UTC)
        stranger = Vessel(int(mmsi), OWN_SHIP.lat_deg, OWN_SHIP.lon_deg + 0.2)
        last = said("VDM", stranger, utc)
        last += said("VDO", replace(OWN_SHIP, sog_kn=float(speed)), utc)
        try:
            await talker.talk(int(rate), int(count), last)
        except ConnectionError:
            sys.exit("who listened has gone")


if __name__ == "__main__":
    asyncio.run(main())
