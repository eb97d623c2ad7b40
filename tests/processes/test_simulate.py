"""``ispsd simulate`` as an integrator meets it: her own file, doors that move, and Ctrl-C that leaves nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from daemon.demo.gangway import gangway
from daemon.mqtt.wire import Broker
from daemon.simulate.session import DERIVED, MARK
from tests.processes.rig import line_with, marked, verified
from tests.test_simulate import DEVICES, HEAD

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

RUN = "ISPSD_TEST_RUN"
DOORS = ("d1", "d2", "d3", "m1", "h1")


class Simulation:
    """A running simulation, in a session of its own; everything that it starts inherits its mark."""

    def __init__(self, process: Process, mark: str) -> None:
        self.process = process
        self.mark = mark
        self.said: list[str] = []

    async def until(self, word: str) -> str:
        """Return the first line with this word, as soon as it is said."""
        return await line_with(word, self.process, self.said)

    def type(self, line: str | bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((line.encode() if isinstance(line, str) else line) + b"\n")

    async def to_the_end(self) -> int:
        assert self.process.stdout is not None
        self.said += (await self.process.stdout.read()).decode().splitlines()
        return await self.process.wait()

    def family(self) -> list[int]:
        """Return every living process that carries the mark."""
        return [*marked(f"{RUN}={self.mark}")]


@asynccontextmanager
async def simulating(folder: Path, *words: object) -> AsyncIterator[Simulation]:
    """Simulate the ship of the derivation's tests; nothing is left of it at the end, whatever happens."""
    path = folder / "ispsd.toml"
    path.write_text(HEAD.format(folder=folder) + DEVICES, "utf-8")
    mark = uuid4().hex
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "simulate", str(path), *map(str, words)),
        env={**os.environ, RUN: mark, "TMPDIR": str(folder)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    running = Simulation(process, mark)
    try:
        yield running
    finally:
        for pid in running.family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await process.wait()


@pytest.mark.timeout("60")
async def test_every_device_of_the_ships_file_is_simulated_and_her_doors_move(tmp_path: Path):
    state = tmp_path / "state"
    async with simulating(tmp_path, "--state", state) as running:
        port = (await running.until("mosquitto_sub")).partition("-p ")[2].split()[0]
        await running.until("keeps the watch")
        async with gangway(Broker(port=int(port)), "9999993") as station:
            see = station.newest

            def shows(door: str, value: str) -> dict[str, Any] | None:
                body = see.get(f"point/{door}")
                return body if body is not None and body["value"] == value else None

            for door in DOORS:
                body = await station.until(
                    f"{door} closed", lambda door=door: shows(door, "closed")
                )
                assert body["provenance"] == "simulated"
            await station.until(
                "SIMULATED DATA", lambda: any("data.simulated" in name for name in see)
            )
            for device in ("gps1", "gps2", "ais", "gyro", "speed", "bnwas", "shell"):

                def is_up(device: str = device) -> bool:
                    return see.get(f"driver/{device}", {}).get("link") == "up"

                await station.until(f"{device} heard", is_up)
            running.type("open d1")
            await station.until("d1 open", lambda: shows("d1", "open"))
            running.type("cut d3")
            await station.until("d3 cut", lambda: shows("d3", "line_fault"))
            running.type("open h1")
            await station.until("h1 open", lambda: shows("h1", "open"))
            running.type("close d1")
            await station.until("d1 closed", lambda: shows("d1", "closed"))
            running.type(b"\xff\xfe no text")
            running.type("x" * 10_000)
            running.type("open d99")
            await running.until("no door 'd99'")
            head = await station.until("a signed head", lambda: station.heads)
        assert not [name for name in see if "ssas" in name]
        running.process.send_signal(signal.SIGINT)
        assert await running.to_the_end() == 130
        assert running.said[-1] == "stopped; nothing is left running"
        assert running.family() == []
    assert "Traceback" not in "\n".join(running.said)
    assert not (tmp_path / "var").exists(), "the ship's own folders were not touched"
    assert (state / DERIVED).read_text("utf-8").startswith(MARK)
    code, words = await verified(state / "record", state / "record-key.pub", head[-1])
    assert code == 0, words
    assert "demo/9999993/1" in words


async def test_a_scenario_is_played_to_its_end_and_leaves_no_folder(tmp_path: Path):
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        "[[step]]\nat_s = 0\nunit = 'r5'\ndo = 'set'\ninput = 0\non = false\n"
        "[[step]]\nat_s = 0.1\ndo = 'close'\ndoor = 'd3'\n"
        "[[step]]\nat_s = 0.2\nunit = 'io1'\ndo = 'set'\ninput = 99\non = true\n",
        "utf-8",
    )
    async with simulating(tmp_path, "--scenario", scenario) as running:
        assert await running.to_the_end() == 0
        assert running.family() == []
    steps = [line for line in running.said if line.startswith("step ")]
    assert steps[:2] == [
        "step 1: bus-aft set id=5 input=0 on=False",
        "step 2: bus-aft set id=5 input=0 on=True and 1 more",
    ]
    assert steps[2].startswith("step 3: simulators: io1: input is a whole number from 0 to 11")
    assert {path.name for path in tmp_path.iterdir()} == {"ispsd.toml", "scenario.toml"}


async def test_it_is_refused_in_the_ships_own_folder(tmp_path: Path):
    (tmp_path / "var").mkdir()
    async with simulating(tmp_path, "--state", tmp_path / "var") as running:
        assert await running.to_the_end() == 1
    assert "the ship's own record or key" in running.said[-1]
    assert list((tmp_path / "var").iterdir()) == []


async def test_a_scenario_that_cannot_be_read_starts_nothing(tmp_path: Path):
    async with simulating(tmp_path, "--scenario", tmp_path / "none.toml") as running:
        assert await running.to_the_end() == 1
    assert "none.toml" in running.said[-1]
    assert {path.name for path in tmp_path.iterdir()} == {"ispsd.toml"}


async def test_a_daemon_that_dies_ends_the_simulation_with_its_reason(tmp_path: Path):
    async with simulating(tmp_path) as running:
        await running.until("keeps the watch")
        daemons = [
            pid
            for pid in running.family()
            if b"\0run\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert len(daemons) == 1
        os.kill(daemons[0], signal.SIGKILL)
        assert await running.to_the_end() == 1
        assert running.family() == []
    assert any("the daemon ended" in line for line in running.said)
