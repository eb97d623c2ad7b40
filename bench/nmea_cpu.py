"""What does a sentence cost, beside a bare program that reads the same?

A child process sends sentences over TCP at a steady rate; another reads them, either our driver or
a bare asyncio loop that decodes with pyais (AIS type 1 of many ships) or pynmea2 (GGA and RMC, the
fields that we use read). All rules of the sample ship that hear the feed are on, those for other
ships and of GNSS too.
The child that reads tells its own CPU time. The two take turns at being first, and each round gives
one ratio, ours over bare: wake-ups dominate at 75/s and 500/s and depend on what else the computer
does, so a ratio is printed with its spread and means little without it.

    python -m bench nmea

Rate 0 is a flood, written in blocks: were it written by the line, the sender would be measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyais
import pynmea2

from bench.spread import Spread, ratios, turns
from bench.told import at_least, at_most
from daemon import config
from daemon.alerts import catalogue, policy
from daemon.alerts.engine import Engine
from daemon.alerts.rules.api import Moment
from daemon.assets import asset
from daemon.computer.clock import SystemClock
from daemon.config.other_ships import AisSection
from daemon.drivers.api import DriverContext
from daemon.drivers.nmea import DRIVER
from daemon.errors import LinkError
from daemon.fitting import rulebook
from daemon.gate import CovertGate
from daemon.model import Fix, Position, Provenance, Quality, Reading, Regime
from daemon.points.points import Points
from daemon.watch.judging import Judging
from simulators.ships import OWN_SHIP, Vessel
from simulators.vessel_ais import ais, position_report
from simulators.vessel_gnss import gga, rmc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.told import Told
    from daemon.alerts.rules.api import Rule
    from daemon.record.entry import Draft, Entry

AIS, GPS = "ais", "gps1"
FLOOD_SENTENCES = 200_000
FOR_EVER = -1
SECONDS = 3.0
RATES = {"ais": (75, 500, 0), "nav": (75, 0)}
BLOCK_SENTENCES = 500
END = b"$END\r\n"
WHAT = {
    "ais": ("AIS with all rules on", "bare asyncio + pyais"),
    "nav": ("GGA and RMC with the GNSS rules on", "bare pynmea2 that reads five fields"),
}


def sentences(feed: str, count: int) -> list[bytes]:
    chance, start = random.Random(7), datetime(2026, 11, 22, tzinfo=UTC)
    lines = []
    for number in range(count):
        utc = start + timedelta(seconds=number)
        if feed == "nav":
            lines.append((gga if number % 2 else rmc)(OWN_SHIP, utc))
        else:
            place = chance.uniform(-80, 80), chance.uniform(-179, 179)
            ship = Vessel(200_000_000 + number, *place, sog_kn=chance.randrange(300) / 10)
            # Own report each 2 s among 500 others a second would be 1 in 1000; here 1 in 100.
            lines += ais("VDM" if number % 100 else "VDO", "A", position_report(ship, utc))
    return [line.encode("ascii") + b"\r\n" for line in lines]


def in_blocks(lines: list[bytes], rate: int) -> list[bytes]:
    size = 1 if rate else BLOCK_SENTENCES
    return [b"".join(lines[at : at + size]) for at in range(0, len(lines), size)]


def pin(core: int) -> None:
    """Keep sender and reader out of each other's way where there is room for both."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[core]})


async def send(feed: str, rate: int, seconds: float) -> None:
    """Serve one client, then end; a flood ``FOR_EVER`` goes on, over and over, until he has had enough."""
    lines = sentences(feed, max(0, int(rate * seconds)) or FLOOD_SENTENCES)
    done = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start = time.monotonic()
        try:
            for number, line in enumerate(
                in_blocks([*lines, *([] if seconds == FOR_EVER else [END])], rate)
            ):
                if rate:
                    await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
                writer.write(line)
                await writer.drain()
            while seconds == FOR_EVER:
                for block in in_blocks(lines, rate):
                    writer.write(block)
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await (
                    writer.wait_closed()
                )  # drain leaves up to 64 KiB, which an ending loop would lose
            done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await done.wait()


async def read_bare(feed: str, port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while (line := await reader.readline()) != END:
        if feed == "ais":
            pyais.decode(line, error_if_checksum_invalid=True)
        else:
            read_fields(pynmea2.parse(line.decode("ascii"), check=True))
        count += 1
    writer.close()
    return count


def read_fields(sentence: pynmea2.TalkerSentence) -> tuple[object, ...]:
    if sentence.sentence_type == "GGA":
        place = sentence.latitude, sentence.longitude
        return *place, sentence.gps_qual, sentence.num_sats, sentence.horizontal_dil
    return sentence.status, sentence.spd_over_grnd, sentence.true_course


async def read_ours(feed: str, port: int, watch: Watch) -> int:
    clock = SystemClock()
    link = {"kind": "tcp", "host": "127.0.0.1", "port": port}
    settings = DRIVER.config.model_validate({"kind": "nmea", "feed": feed, "link": link})
    driver = DRIVER.build(
        settings,
        DriverContext(
            GPS if feed == "nav" else AIS, clock, CovertGate(clock), Provenance.SIMULATED
        ),
    )
    try:
        await driver.run(watch.take)
    except LinkError:
        assert list(watch.points)
    return driver.health.good


class Watch:
    """What the daemon does with a reading, but for MQTT and record: the newest of each point, and every rule."""

    def __init__(self, feed: str) -> None:
        now_s = SystemClock().now_s()
        own = {f"{GPS}.fix": 10.0, f"{GPS}.motion": 10.0, f"{GPS}.time": 10.0, f"{GPS}.sky": 30.0}
        of_ais = ("own_report", "own_identity", "traffic", "off_log", "alerts")
        self._feed = feed
        valid_s = (
            own
            if feed == "nav"
            else {**dict.fromkeys((f"{AIS}.{name}" for name in of_ais), 540.0), **own}
        )
        self.points = Points(valid_s, started_s=now_s)
        ship = config.load(asset("ispsd.toml"))
        area = {"radius_m": 20_000, "situations": ["anchor", "port", "sea"]}
        on = AisSection.model_validate({"guard_zone": area, "loitering": area, "swarm": area})
        self._regime = Regime(ship.situation, ship.security_level)
        kinds = dict(catalogue.load(asset("alerts.toml")))
        self._judging = Judging(
            engine=Engine(kinds, self._regime), points=self.points, journal=NoJournal()
        )
        every = rulebook.rules(
            replace(ship, ais=on.rules()),
            policy=policy.load(asset("policy.toml")),
            points=tuple(valid_s),
            valid_for_s=self.points.valid_for_s,
            holds=lambda _key, _source: False,
        )
        self._judging.follow(rule for rule in every if rule.points & valid_s.keys())
        self._judging.link(feed, up=True, now_s=now_s, reason="")
        self._looked_s = 0.0

    def take(self, reading: Reading) -> None:
        change = self.points.update(reading)
        rules = self._judging.take(reading, change)
        if reading.received_s - self._looked_s > 1.0:
            self._look(reading)
        elif change is not None:
            self._say(rules, reading)

    def _look(self, reading: Reading) -> None:
        """Ask every rule, as once a second; in an AIS feed the ship lies where she always does."""
        self._looked_s = reading.received_s
        if self._feed == "ais":
            fix = Fix(Position(1.264, 103.84), 1, 9, 0.9)
            own = replace(reading, point=f"{GPS}.fix", value=fix, quality=Quality.GOOD)
            self._judging.take(own, None)
        self._say(self._judging.rules, reading)

    def _say(self, rules: Sequence[Rule], reading: Reading) -> None:
        moment = Moment(reading.received_s, reading.received_utc, self._regime, {})
        self._judging.say(rules, moment)


class NoJournal:
    """Writes nothing: this measures no disk."""

    def submit(self, draft: Draft) -> asyncio.Future[Entry]:
        raise AssertionError(draft.type)  # a rule has failed


def read(who: str, feed: str, port: int) -> None:
    watch = Watch(feed)  # before the clock runs: a ship's file is read once a voyage
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.monotonic()
    reading = read_bare(feed, port) if who == "bare" else read_ours(feed, port, watch)
    count = asyncio.run(reading)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    grown_kib = after.ru_maxrss - before.ru_maxrss
    print(count, cpu_s, time.monotonic() - started, grown_kib)


def turn(who: str, feed: str, rate: int, seconds: float) -> tuple[float, float, int]:
    """Return CPU microseconds a sentence, sentences a second, and by how many KiB the process grew."""
    me = [sys.executable, "-m", "bench.nmea_cpu"]
    with subprocess.Popen(
        [*me, "send", feed, str(rate), str(seconds)], stdout=subprocess.PIPE, text=True
    ) as sender:
        assert sender.stdout is not None
        port = sender.stdout.readline().strip()
        out = subprocess.run(
            [*me, "read", who, feed, port], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
    count, cpu_s, took_s, grown_kib = out.split()
    wanted = int(rate * seconds) or FLOOD_SENTENCES
    assert int(count) == wanted, f"{who} read {count} of {wanted}"
    return float(cpu_s) / int(count) * 1e6, int(count) / float(took_s), int(grown_kib)


def measure(told: Told, *, rounds: int) -> None:
    """Say the ratios."""
    for feed, rates in RATES.items():
        for rate in rates:
            compare(told, feed, rate, rounds)


def compare(told: Told, feed: str, rate: int, rounds: int) -> None:
    cpu_us: dict[str, list[float]] = {"ours": [], "bare": []}
    speed: dict[str, list[float]] = {"ours": [], "bare": []}
    grown: list[float] = []
    for number in range(rounds):
        for who in turns(("ours", "bare"), number):
            cost_us, sentences_s, grown_kib = turn(who, feed, rate, SECONDS)
            cpu_us[who].append(cost_us)
            speed[who].append(sentences_s)
            if who == "ours":
                grown.append(grown_kib / 1024)
    what, floor = WHAT[feed]
    how = f"{rate}/s" if rate else "flood"
    told.row(
        f"{what}: CPU per sentence over {floor}, {how}",
        ratios(cpu_us["ours"], cpu_us["bare"]),
        budget=at_most(1.5) if feed == "ais" else None,
    )
    for who in ("bare", "ours"):
        told.row(f"{what}: CPU per sentence, {how}, {who}", cpu_us[who], unit="µs", detail=True)
    if rate:
        return
    told.row(
        f"{what}: speed under flood over {floor}",
        ratios(speed["ours"], speed["bare"]),
        budget=at_least(0.7) if feed == "ais" else None,
    )
    told.row(f"{what}: speed under flood", speed["ours"], unit="sentences/s")
    if feed == "ais":
        told.row(
            f"{what}: memory that {FLOOD_SENTENCES:,} ships heard once each add",
            Spread.of(grown),
            unit="MiB",
        )


def main() -> None:
    """Be one of the children."""
    if sys.argv[1] == "send":
        pin(0)
        asyncio.run(send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
    else:
        pin(1)
        read(sys.argv[2], sys.argv[3], int(sys.argv[4]))


if __name__ == "__main__":
    main()
