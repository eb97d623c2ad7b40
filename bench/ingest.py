"""What does AIS and GNSS cost in the whole product, beside Signal K's server and gpsd? Same sentences, same run.

Each product is started anew in each round, in turns, and connects to the same two TCP ports (``bench.talker``): 300
ships and own ship, GGA and RMC once a second. Measured is the processor time of its process while the AIS sentences
come at 75/s and at 500/s, and how fast it takes a flood: until its own client can see the ship that came last. Ours is
``ispsd run`` with every rule on, its record on disk and its messages at a broker, where a subscriber hears all; Signal
K's has no plug-in and one client that hears all, or none; gpsd has one client that hears all. The broker's and the
clients' time is not counted.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from bench.cputime import cpu_s, resident_mib
from bench.latency import ROOT, START_S, Subscriber
from bench.peers import gpsd, signalk_server
from bench.peers.product import NotMeasuredError, Product
from bench.spread import ratios, turns
from bench.told import at_least, at_most
from daemon.computer.leash import leashed
from daemon.mqtt.embedded import embedded_broker
from daemon.simulate.processes import daemon_process
from tests import thin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bench.told import Told

OWN_REPORT = ROOT + "point/ais.own_report"
READ_S = 120.0
WARM_UP = (500, 700)
"""Each ship is heard once before it counts: a ship is new only once."""
STEADY = {75: 300, 500: 1500}
FLOOD = 50_000
REST_S = 2.0
"""Before the flood: ispsd tells a measured value at most once a second, and whoever was told of own ship just before
would measure the rest of that second."""
SEEN_ENOUGH = 2
"""Rounds of Signal K without a client: it hardly makes a difference."""
NAMES = {
    "ours": "ispsd",
    "signalk": "Signal K",
    "unheard": "Signal K that nobody hears",
    "gpsd": "gpsd",
}
AREAS = """
[ais.guard_zone]
radius_m = 20000
situations = ["anchor", "port", "sea"]
[ais.loitering]
radius_m = 20000
situations = ["anchor", "port", "sea"]
[ais.swarm]
radius_m = 20000
situations = ["anchor", "port", "sea"]
"""
Seen = dict[str, float]


async def measure(told: Told, disk: Path, *, rounds: int) -> None:
    """Say the ratios."""
    seen: dict[str, list[Seen]] = {who: [] for who in NAMES}
    why_not: dict[str, str] = {}
    for number in range(rounds):
        for who in turns(tuple(NAMES), number):
            if who in why_not or (who == "unheard" and number >= SEEN_ENOUGH):
                continue
            folder = disk / f"{who}-{number}"
            folder.mkdir(mode=0o755)
            try:
                seen[who].append(await _turn(who, folder))
            except (NotMeasuredError, TimeoutError) as err:
                why_not[who] = str(err) or "it was not up in time"
    if "ours" in why_not:
        raise RuntimeError(why_not["ours"])
    _tell(told, seen, why_not)


def _tell(told: Told, seen: dict[str, list[Seen]], why_not: dict[str, str]) -> None:
    def of(who: str, what: str) -> list[float]:
        return [each[what] for each in seen[who]]

    for who in ("signalk", "unheard", "gpsd"):
        peer = who == "signalk"
        for rate in STEADY:
            what = f"AIS and GNSS into all of ispsd: CPU per sentence at {rate}/s over {NAMES[who]}"
            budget = at_most(0.25) if peer else None
            if who in why_not:
                told.missing(what, why_not[who], budget=budget)
            else:
                both = len(seen[who])
                told.row(
                    what, ratios(of("ours", f"{rate}")[:both], of(who, f"{rate}")), budget=budget
                )
        what, budget = f"the same, speed under flood over {NAMES[who]}", at_least(4)
        if who in why_not:
            told.missing(what, why_not[who], budget=budget if peer else None)
        else:
            speeds = ratios(of("ours", "flood")[: len(seen[who])], of(who, "flood"))
            told.row(what, speeds, budget=budget if peer else None)
    for who, name in NAMES.items():
        if who in why_not:
            continue
        for rate in STEADY:
            told.row(f"{name}: CPU per AIS sentence at {rate}/s", of(who, f"{rate}"), unit="µs")
        told.row(f"{name}: speed under AIS flood", of(who, "flood"), unit="sentences/s")
        told.row(f"{name}: resident after it", of(who, "resident"), unit="MiB")


async def _turn(who: str, folder: Path) -> Seen:
    products = {
        "ours": _ours,
        "signalk": signalk_server.reading,
        "unheard": signalk_server.reading_unheard,
        "gpsd": gpsd.reading,
    }
    strangers = itertools.count(244_000_001)
    seen: Seen = {}
    async with _talker() as talker, products[who](folder, *talker.ports) as product:
        await talker.talk(product, *WARM_UP, next(strangers))
        for rate, count in STEADY.items():
            before_s = cpu_s(product.pid)
            await talker.talk(product, rate, count, next(strangers))
            seen[f"{rate}"] = 1e6 * (cpu_s(product.pid) - before_s) / count
        await asyncio.sleep(REST_S)
        began_s, ended_s = await talker.talk(product, 0, FLOOD, next(strangers))
        seen["flood"] = FLOOD / (ended_s - began_s)
        seen["resident"] = resident_mib(product.pid)
    return seen


class _Talker:
    def __init__(self, process: asyncio.subprocess.Process, ports: tuple[int, int]) -> None:
        self._process = process
        self.ports = ports

    async def talk(self, product: Product, rate: int, count: int, mmsi: int) -> tuple[float, float]:
        """Have so much said; return when it began, and when the product had read all of it.

        Raises:
            NotMeasuredError: It never had.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        speed_kn = 1 + mmsi % 100 / 10
        read = asyncio.ensure_future(product.read(mmsi, speed_kn))
        self._process.stdin.write(f"{rate} {count} {mmsi} {speed_kn}\n".encode())
        said = await self._process.stdout.readline()
        try:
            async with asyncio.timeout(READ_S):
                await read
        except TimeoutError as err:
            raise NotMeasuredError(f"the last of {count} sentences was never seen") from err
        return int(said.split()[0]) / 1e9, time.monotonic()


@asynccontextmanager
async def _talker() -> AsyncIterator[_Talker]:
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", "bench.talker"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        first, second = (await process.stdout.readline()).split()
        yield _Talker(process, (int(first), int(second)))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def _ours(folder: Path, ais_port: int, nav_port: int) -> AsyncIterator[Product]:
    async with embedded_broker() as broker:
        config = folder / "ispsd.toml"
        config.write_text(_only_feeds(folder, broker.port, ais_port, nav_port), "utf-8")
        subscriber = Subscriber(broker.port, (OWN_REPORT,))
        everything = _hearing_all(broker.port)

        async def read(_: int, speed_kn: float) -> None:
            await subscriber.next(
                OWN_REPORT,
                lambda body: (body.get("value") or {}).get("sog_kn") == speed_kn,
                within_s=READ_S,
            )

        async with daemon_process(config, folder / "daemon.log") as process:
            try:
                await subscriber.next(OWN_REPORT, lambda _: True, within_s=START_S)
                yield Product(process.pid, read)
            finally:
                subscriber.close()
                everything.disconnect()
                everything.loop_stop()


def _hearing_all(port: int) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.connect("127.0.0.1", port)
    client.subscribe("#", 1)
    client.loop_start()
    return client


def _only_feeds(folder: Path, broker_port: int, ais_port: int, nav_port: int) -> str:
    """Return the demo's configuration with its receiver and its transponder alone."""
    text = thin.text(state=folder, mqtt_port=broker_port, ais_port=ais_port, gps1_port=nav_port)
    before, _, rest = text.partition("[device.io1]")
    _, _, feeds = rest.partition("[device.gps1]")
    feeds = feeds.partition("[device.ssas]")[0]
    return f"{before}[device.gps1]{feeds}{AREAS}"
