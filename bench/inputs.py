"""What do 100 inputs at 10 Hz cost, and when does a subscriber know of a change? Beside a bare program and ThingsBoard.

One unit with 100 discrete inputs in a process of its own; one program at a time reads it ten times a second, each in
turns started anew: ``ispsd run`` with a door on each input and its record on disk; a bare program (pymodbus, a row a
change, paho); ThingsBoard's gateway with tags of 16 inputs, which is the most that one of its tags can have, and with
a tag for each. Three times a second one input changes that has not changed before, at a moment that has nothing to do
with the polls: from there to the message at a subscriber it is one clock, CLOCK_MONOTONIC. The processor time is that
of the program's process.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from bench.bare_modbus import POLL_S
from bench.cputime import cpu_s
from bench.latency import ROOT
from bench.peers import thingsboard_gateway
from bench.peers.product import NotMeasuredError
from bench.spread import percentile, pooled, ratios, turns
from bench.told import at_most
from daemon.computer.leash import leashed
from daemon.mqtt.embedded import embedded_broker
from daemon.simulate.processes import daemon_process, finish
from simulators.input_lines import read_lines
from simulators.io_unit import IoUnit
from tests import thin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from typing import Protocol

    from bench.told import Told

    class Change(Protocol):
        """Has an input show this; returns when, in ns."""

        async def __call__(self, number: int, *, closed: bool) -> int: ...


INPUTS = 100
SETTLE_S = 2.0
CHANGES = 20
EVERY_S = 1 / 3
START_S = 60.0
SEEN_ENOUGH = 2
"""Rounds with a tag for each input: the gateway takes long to start, and it is its dearer way."""
TELL_S = 5.0
NAMES = {
    "ours": "ispsd",
    "bare": "bare",
    "blocks": "ThingsBoard, tags of 16 inputs",
    "tags": "ThingsBoard, a tag for each",
}
Changes = dict[int, bool]
"""What a message says: closed or not, by the input's number."""


async def be_unit() -> None:
    """Show what standard input says, ``NUMBER STATE``; tell the moment of each, in ns."""
    unit = IoUnit(inputs=INPUTS, places={2: 0})
    await unit.start()
    for number in range(INPUTS):
        await unit.set_input(number, on=True)
    print(unit.port, flush=True)
    async for line in read_lines(sys.stdin.fileno()):
        number, state = line.split()
        await unit.set_input(int(number), on=state == b"on")
        print(time.monotonic_ns(), flush=True)
    await unit.stop()


class Follower:
    """A subscriber that notes when it is told of each input's state."""

    def __init__(self, port: int, topic: str, read: Callable[[str, bytes], Changes]) -> None:
        self._loop = asyncio.get_running_loop()
        self._read = read
        self._came: dict[tuple[int, bool], int] = {}
        self._news = asyncio.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(topic, 1)
        self._client.loop_start()

    async def told(self, number: int, *, closed: bool, within_s: float) -> int:
        """Return when it first was, in ns.

        Raises:
            TimeoutError: It never was.
        """
        async with asyncio.timeout(within_s):
            while (number, closed) not in self._came:
                self._news.clear()
                await self._news.wait()
        return self._came[number, closed]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, _client: Client, _: object, message: MQTTMessage) -> None:
        came_ns = time.monotonic_ns()
        if not message.retain and message.payload:
            for change in self._read(message.topic, message.payload).items():
                self._loop.call_soon_threadsafe(self._keep, change, came_ns)

    def _keep(self, change: tuple[int, bool], came_ns: int) -> None:
        self._came.setdefault(change, came_ns)
        self._news.set()


async def measure(told: Told, disk: Path, *, rounds: int) -> None:
    """Say the ratios."""
    chance = random.Random(7)
    cpu: dict[str, list[float]] = {who: [] for who in NAMES}
    took_ms: dict[str, list[list[float]]] = {who: [] for who in NAMES}
    lost: dict[str, list[float]] = {who: [] for who in NAMES}
    why_not: dict[str, str] = {}
    for number in range(rounds):
        for who in turns(tuple(NAMES), number):
            if who in why_not or (who == "tags" and number >= SEEN_ENOUGH):
                continue
            folder = disk / f"{who}-{number}"
            folder.mkdir()
            try:
                share, samples = await turn(who, folder, chance)
            except (NotMeasuredError, TimeoutError) as err:
                why_not[who] = str(err) or "it was not up in time"
                continue
            cpu[who].append(share)
            took_ms[who].append(samples)
            lost[who].append(CHANGES - len(samples))
    if ours := why_not.get("ours") or why_not.get("bare"):
        raise RuntimeError(ours)
    _tell(told, cpu, took_ms, why_not)
    for who, name in NAMES.items():
        if lost[who]:
            told.row(
                f"{INPUTS} inputs at {1 / POLL_S:g} Hz: changes not told within {TELL_S:g} s, {name}",
                lost[who],
                unit=f"of {CHANGES}",
                budget=at_most(0) if who == "ours" else None,
            )


def _tell(
    told: Told,
    cpu: dict[str, list[float]],
    took_ms: dict[str, list[list[float]]],
    why_not: dict[str, str],
) -> None:
    what = f"{INPUTS} inputs at {1 / POLL_S:g} Hz"
    told.row(f"{what}: CPU over bare", ratios(cpu["ours"], cpu["bare"]), budget=at_most(3))
    for who in ("blocks", "tags"):
        said, budget = f"{what}: CPU over {NAMES[who]}", at_most(0.2)
        flips = f"{what}: flip → subscriber over {NAMES[who]}, p50"
        if who in why_not:
            told.missing(said, why_not[who], budget=budget)
            told.missing(flips, why_not[who])
        else:
            both = len(cpu[who])
            told.row(said, ratios(cpu["ours"][:both], cpu[who]), budget=budget)
            middles = [
                [percentile(each, 0.5) for each in took_ms[name][:both]] for name in ("ours", who)
            ]
            told.row(flips, ratios(*middles))
    for who, name in NAMES.items():
        if who in why_not:
            continue
        told.row(f"{what}: CPU, {name}", cpu[who], unit="% of a core")
        for share in (0.5, 0.99):
            told.row(
                f"{what}: flip → subscriber, {name}, p{100 * share:.0f}",
                pooled(took_ms[who], share),
                unit="ms",
                budget=at_most(POLL_S * 1000 + 25) if (who, share) == ("ours", 0.99) else None,
            )


async def turn(who: str, folder: Path, chance: random.Random) -> tuple[float, list[float]]:
    """Return the share of a core in % while inputs change, and how long each change that was told took, in ms."""
    async with embedded_broker() as broker, _unit() as (port, change):
        follower = Follower(broker.port, *_FOLLOWED[who])
        try:
            async with _program(who, folder, port, broker.port) as pid:
                await _begun(follower, change)
                await asyncio.sleep(SETTLE_S)
                began_s, before_s = time.monotonic(), cpu_s(pid)
                changed = [
                    await _changed(follower, change, number, chance)
                    for number in range(1, 1 + CHANGES)
                ]
                samples = [took_ms for took_ms in changed if took_ms is not None]
                if len(samples) < CHANGES / 2:
                    raise NotMeasuredError(f"told {len(samples)} of {CHANGES} changes")
                share = (cpu_s(pid) - before_s) / (time.monotonic() - began_s)
                return 100 * share, samples
        finally:
            follower.close()


async def _begun(follower: Follower, change: Change) -> None:
    """Return when the program tells of the first input: it is moved until it does."""
    async with asyncio.timeout(START_S):
        for number in itertools.count():
            await change(0, closed=number % 2 == 1)
            with suppress(TimeoutError):
                await follower.told(0, closed=False, within_s=1.0)
                return


async def _changed(
    follower: Follower, change: Change, number: int, chance: random.Random
) -> float | None:
    """Open one input, and wait for the next; return how long it took, in ms, or None if it was not told."""
    began_s = time.monotonic()
    changed_ns = await change(number, closed=False)
    try:
        told_ns = await follower.told(number, closed=False, within_s=TELL_S)
    except TimeoutError:
        return None
    wait_s = EVERY_S + chance.uniform(-POLL_S / 2, POLL_S / 2)
    await asyncio.sleep(max(0.0, began_s + wait_s - time.monotonic()))
    return (told_ns - changed_ns) / 1e6


@asynccontextmanager
async def _unit() -> AsyncIterator[tuple[int, Change]]:
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", "bench.inputs"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None

    async def change(number: int, *, closed: bool) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{number} {'on' if closed else 'off'}\n".encode())
        return int(await process.stdout.readline())

    try:
        yield int(await process.stdout.readline()), change
    finally:
        process.kill()
        await process.wait()


def _program(
    who: str, folder: Path, unit_port: int, broker_port: int
) -> AbstractAsyncContextManager[int]:
    if who == "ours":
        return _ours(folder, unit_port, broker_port)
    if who == "bare":
        return _bare(folder, unit_port, broker_port)
    return thingsboard_gateway.polling(
        folder,
        unit_port=unit_port,
        broker_port=broker_port,
        inputs=INPUTS,
        single=who == "tags",
    )


@asynccontextmanager
async def _ours(folder: Path, unit_port: int, broker_port: int) -> AsyncIterator[int]:
    config = folder / "ispsd.toml"
    config.write_text(hundred_doors(folder, unit_port, broker_port), "utf-8")
    async with daemon_process(config, folder / "daemon.log") as process:
        yield process.pid


@asynccontextmanager
async def _bare(folder: Path, unit_port: int, broker_port: int) -> AsyncIterator[int]:
    words = (str(unit_port), str(broker_port), str(folder / "bare.db"), str(INPUTS))
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", "bench.bare_inputs", *words)
    )
    try:
        yield process.pid
    finally:
        await finish(process)


def hundred_doors(folder: Path, unit_port: int, broker_port: int) -> str:
    """Return the demo's configuration with one unit and a door on each of its inputs.

    They are of the class that may be used and is an alert only after ten minutes: a change is told, kept and judged, as
    the bare program's is.
    """
    text = thin.text(state=folder, mqtt_port=broker_port, io1_port=unit_port)
    before = text.partition("[device.io1]")[0]
    unit = (
        f'[device.io1]\nkind = "modbus_tcp"\nhost = "127.0.0.1"\nport = {unit_port}\n'
        f'profile = "wago-750-352"\ninputs = {INPUTS}\npoll_s = {POLL_S}\n'
    )
    doors = "".join(
        f'\n[[door]]\nid = "d{number}"\nname = "DOOR {number}"\nplace = "deck"\nclass = "M"\n'
        f'device = "io1"\ninputs = [{number}]\nwiring = "nc"\n'
        for number in range(INPUTS)
    )
    return before + unit + doors


def _of_ours(topic: str, payload: bytes) -> Changes:
    name = topic.rpartition("/")[2]
    value = json.loads(payload).get("value")
    if not name.removeprefix("d").isdigit() or value not in {"open", "closed"}:
        return {}
    return {int(name[1:]): value == "closed"}


def _of_bare(topic: str, payload: bytes) -> Changes:
    return {int(topic.rpartition("/")[2]): json.loads(payload)["value"] == "closed"}


_FOLLOWED: dict[str, tuple[str, Callable[[str, bytes], Changes]]] = {
    "ours": (ROOT + "point/+", _of_ours),
    "bare": ("bare/+", _of_bare),
    "blocks": (thingsboard_gateway.TELEMETRY, thingsboard_gateway.changes),
    "tags": (thingsboard_gateway.TELEMETRY, thingsboard_gateway.changes),
}


if __name__ == "__main__":
    asyncio.run(be_unit())
