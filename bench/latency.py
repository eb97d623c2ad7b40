"""How long from a unit's answer to a subscriber, beside the bare program? Same unit, broker, disk and poll.

A seal's contact is flipped at a moment that has nothing to do with the polls. The unit says when its first answer
with the new state went out, the subscriber when the message came in: one clock, CLOCK_MONOTONIC. The bare program
tells after its commit. Ours tells the point at once and never waits for the disk; the ``event`` comes after the
commit of a signed record's entry, so it is the event that does what the bare program does.

Both are begun anew, each with an empty store, after as few flips: what a program does for the first times takes it
longer than what it has done sixty times.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from bench.bare_modbus import POLL_S, TOPIC
from bench.spread import percentile, pooled, pooled_ratio, ratios, turns
from bench.told import at_most
from daemon.computer.leash import leashed
from daemon.control import control
from daemon.mqtt.embedded import embedded_broker
from daemon.simulate.processes import daemon_process
from tests import thin

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bench.told import Told

ROOT = "ispsd/9999993/v1/"
FOLLOWED = (TOPIC, ROOT + "point/s01", ROOT + "event")
WAIT_S = 10.0
START_S = 60.0
FLIPS_OF_ONE = 4
"""Openings and closings that one daemon is shown: a third opening within a minute is chatter."""
SEAL = {"do": "seal", "alert": "seal.broken.s01", "number": "1", "by": "R. Menon"}
Samples = dict[str, list[float]]


class Subscriber:
    """Notes when each message came, in paho's own thread."""

    def __init__(self, port: int, followed: tuple[str, ...] = FOLLOWED) -> None:
        self._loop = asyncio.get_running_loop()
        self._came: dict[str, asyncio.Queue[tuple[dict[str, Any], int]]] = {
            topic: asyncio.Queue() for topic in followed
        }
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(name, 1) for name in followed])
        self._client.loop_start()

    async def next(
        self, topic: str, holds: Callable[[dict[str, Any]], bool], *, within_s: float = WAIT_S
    ) -> int:
        """Return when the next such message of a topic came, in ns; others of it are passed over."""
        async with asyncio.timeout(within_s):
            while True:
                body, came_ns = await self._came[topic].get()
                if holds(body):
                    return came_ns

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, _client: Client, _: object, message: MQTTMessage) -> None:
        came_ns = time.monotonic_ns()
        if message.retain or not message.payload:
            return  # what the broker kept from the turn before
        body = json.loads(message.payload)
        queue = self._came[message.topic]
        self._loop.call_soon_threadsafe(queue.put_nowait, (body, came_ns))


class Unit:
    """The telling unit, in a process of its own."""

    def __init__(self, process: Process, port: int) -> None:
        self._process = process
        self.port = port

    async def flip(self, *, opened: bool) -> int:
        """Show this from now on; return when it was first answered, in ns."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"open\n" if opened else b"shut\n")
        async with asyncio.timeout(WAIT_S):
            return int(await self._process.stdout.readline())


@asynccontextmanager
async def telling_unit() -> AsyncIterator[Unit]:
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", "bench.unit"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield Unit(process, int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


async def measure(told: Told, disk: Path, *, rounds: int, flips: int) -> None:
    """Say the ratios."""
    chance, seen = random.Random(7), []
    async with embedded_broker() as broker, telling_unit() as unit:
        for number in range(rounds):
            took: dict[str, Samples] = {}
            for who in turns(("ours", "bare"), number):
                folder = disk / f"{who}-{number}"
                folder.mkdir()
                one = _bare if who == "bare" else _ours
                took[who] = await one(folder, unit, broker.port, flips=flips, chance=chance)
            seen.append({**took["bare"], **took["ours"]})
    bare = [each["bare"] for each in seen]
    for what, does in (("point", "told first"), ("event", "its entry is on disk")):
        ours = [each[what] for each in seen]
        said = f"Modbus answer → subscriber of `{what}` ({does}), over a bare program (read, commit, tell)"
        middles = [[percentile(each, 0.5) for each in who] for who in (ours, bare)]
        told.row(f"{said}, p50", ratios(*middles), budget=at_most(2))
        # A hundredth of one round is less than one flip, so the rounds are taken together.
        told.row(f"{said}, p99", pooled_ratio(ours, bare, 0.99), budget=at_most(2))
    for what in ("bare", "point", "event"):
        for share in (0.5, 0.99):
            figure = pooled([each[what] for each in seen], share)
            told.row(f"Modbus answer → subscriber: {what}, p{share * 100:.0f}", figure, unit="ms")


async def _bare(
    folder: Path, unit: Unit, port: int, *, flips: int, chance: random.Random
) -> Samples:
    """Flip as for ours: a program that has done it sixty times is faster than one that has just begun."""
    took: Samples = {"bare": []}
    for begin in range(0, flips, FLIPS_OF_ONE):
        some = min(FLIPS_OF_ONE, flips - begin)
        store = folder / f"bare-{begin}.db"
        took["bare"] += await _bare_leg(store, unit, port, flips=some, chance=chance)
    return took


async def _bare_leg(
    store: Path, unit: Unit, port: int, *, flips: int, chance: random.Random
) -> list[float]:
    command = ("-m", "bench.bare_modbus", str(unit.port), str(port), str(store))
    process = await asyncio.create_subprocess_exec(*leashed(sys.executable, *command))
    subscriber = Subscriber(port)
    took = []
    try:
        await subscriber.next(TOPIC, lambda body: body["value"] == "closed", within_s=START_S)
        for opened in _turns(flips):
            await _pause(chance)
            answered = asyncio.ensure_future(unit.flip(opened=opened))
            value = "open" if opened else "closed"
            came_ns = await subscriber.next(TOPIC, lambda body, value=value: body["value"] == value)
            took.append((came_ns - await answered) / 1e6)
    finally:
        subscriber.close()
        process.kill()
        await process.wait()
    return took


async def _ours(
    folder: Path, unit: Unit, port: int, *, flips: int, chance: random.Random
) -> Samples:
    """Flip for as long as a daemon takes each opening for one, then go on with a fresh one and a fresh record."""
    took: Samples = {"point": [], "event": []}
    for begin in range(0, flips, FLIPS_OF_ONE):
        leg = folder / f"leg-{begin}"
        leg.mkdir()
        some = min(FLIPS_OF_ONE, flips - begin)
        for what, samples in (await _leg(leg, unit, port, flips=some, chance=chance)).items():
            took[what] += samples
    return took


async def _leg(
    folder: Path, unit: Unit, port: int, *, flips: int, chance: random.Random
) -> Samples:
    config = folder / "ispsd.toml"
    config.write_text(only_io(folder, unit.port, port), "utf-8")
    subscriber = Subscriber(port)
    took: Samples = {"point": [], "event": []}
    async with daemon_process(config, folder / "daemon.log"):
        try:
            await subscriber.next(
                ROOT + "point/s01", lambda body: body.get("value") == "closed", within_s=START_S
            )
            for opened in _turns(flips):
                await _pause(chance)
                answered = asyncio.ensure_future(unit.flip(opened=opened))
                value = "open" if opened else "closed"
                point_ns = await subscriber.next(
                    ROOT + "point/s01", lambda body, value=value: body.get("value") == value
                )
                answered_ns = await answered
                took["point"].append((point_ns - answered_ns) / 1e6)
                if opened:
                    event_ns = await subscriber.next(ROOT + "event", _seal("V"))
                    took["event"].append((event_ns - answered_ns) / 1e6)
                else:
                    await control.ask(folder / "control.sock", SEAL)
                    await subscriber.next(ROOT + "event", _seal("U"))
        finally:
            subscriber.close()
    return took


def only_io(folder: Path, unit_port: int, broker_port: int) -> str:
    """Return the demo's configuration with its remote I/O unit alone."""
    text = thin.text(state=folder, mqtt_port=broker_port, io1_port=unit_port)
    before, _, rest = text.partition("[device.gps1]")
    text = before + "[[door]]" + rest.partition("[[door]]")[2]
    text = text.partition("[[test]]")[0]
    assert f"poll_s = {POLL_S}" in text
    return text.partition("[ssas]")[0]


def _turns(flips: int) -> list[bool]:
    return [number % 2 == 0 for number in range(flips)]


def _seal(state: str) -> Callable[[dict[str, Any]], bool]:
    """Return what tells the event in which the seal's alert came to this state."""

    def holds(body: dict[str, Any]) -> bool:
        said = body["entry"]["open"]
        return bool(said.get("key") == "seal.broken" and said["state"] == state)

    return holds


async def _pause(chance: random.Random) -> None:
    """Wait for any part of a poll's period, so that a flip meets it anywhere."""
    await asyncio.sleep(chance.uniform(0.02, 0.02 + POLL_S))
