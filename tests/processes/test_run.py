"""``ispsd run`` as a service manager sees it: how it starts, ends, refuses, and does without a broker."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from daemon.control import control
from daemon.errors import IspsdError
from tests.processes.berth import HATCH, alongside
from tests.processes.rig import witness
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.processes.berth import Berth


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_daemon_that_is_told_to_stop_says_so_everywhere_and_seals(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with alongside(tmp_path) as berth:
        seen = berth.witness
        async with berth.daemon() as process:
            session = await seen.session()
            process.send_signal(number)
            async with asyncio.timeout(PATIENCE_S):
                assert await process.wait() == 0
        record = berth.stored()
        last = json.loads(record[max(record)])
        assert last["type"] == "daemon.stopped"
        assert not (tmp_path / "control.sock").exists()
        await seen.until(lambda: seen.newest["status"]["state"] == "stopped")
        # It was told to the end: the last entry came as an event, the newest head is over all of it.
        await seen.until(lambda: last["bseq"] in seen.notes.events)
        await seen.until(lambda: max(seen.notes.heads) == len(record))
        await berth.verify(seen.notes.newest_head())
        # A subscriber that comes later finds the same, from the broker's memory.
        async with witness(berth.broker) as late:
            await late.until(lambda: "status" in late.newest)
            assert late.newest["status"]["state"] == "stopped"
            assert late.newest["status"]["session"] == session


BROKEN = {
    "no TOML": ("[ship]", "[ship"),
    "an unknown key": ("[ship]", "[ship]\nsister = true"),
    "a door on a device that is not there": ('device = "io1"', 'device = "io9"'),
}


@pytest.mark.parametrize(("right", "wrong"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_configuration_starts_nothing(
    tmp_path: Path, right: str, wrong: str
) -> None:
    async with alongside(tmp_path) as berth:
        text = berth.config.read_text("utf-8")
        assert right in text
        berth.config.write_text(text.replace(right, wrong, 1), "utf-8")
        before = sorted(tmp_path.iterdir())
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "daemon", "run", "--config", str(berth.config)),
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE_S):
            _, said = await process.communicate()
        assert process.returncode == 2
        assert str(berth.config) in said.decode()
        assert "nothing was started" in said.decode()
        assert "Traceback" not in said.decode()
        assert sorted(tmp_path.iterdir()) == before, "no key, no record, no socket"
        assert berth.witness.newest == {}


async def asked(berth: Berth, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the control socket as soon as there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await control.ask(berth.folder / "control.sock", request)
            except IspsdError:
                await asyncio.sleep(0.02)


async def open_until_recorded(berth: Berth) -> int:
    """Open and shut the hatch until its alert is recorded; return the entry, with the hatch open.

    More than once, since nobody can see without a broker when the daemon has first seen it shut.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await berth.devices.do("io1", "set", input=HATCH, on=False)
            await asyncio.sleep(0.5)  # the alert's delay is 0.3 s
            answer = await asked(berth, {"do": "log", "type": "alert.changed"})
            for body in map(json.loads, answer["entries"]):
                if body["open"]["key"] == "door.escape.open":
                    return int(body["seq"])
            await berth.devices.do("io1", "set", input=HATCH, on=True)
            await asyncio.sleep(0.2)  # two polls


@pytest.mark.timeout("60")
async def test_without_a_broker_doors_are_recorded_and_told_when_it_comes(tmp_path: Path) -> None:
    async with alongside(tmp_path) as berth:
        await berth.broker.stop()
        async with berth.daemon():
            seq = await open_until_recorded(berth)
            await berth.broker.start()
            async with witness(berth.broker) as seen:
                await seen.until(lambda: any(e[0][0] == seq for e in seen.notes.events.values()))
                came = list(dict.fromkeys(seen.notes.order))
                assert came == list(range(1, len(came) + 1))
                alert = await seen.until(lambda: seen.newest.get("alert/door.escape.open.d12"))
                assert (alert["state"], alert["recorded"]) == ("V", seq)
                record = berth.stored()
                assert all(
                    record[number] == body for [(number, body), *_] in seen.notes.events.values()
                )
