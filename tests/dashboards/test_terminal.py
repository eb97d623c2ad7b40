"""Every command that docs/dashboards.md shows does what it says there, at a real Mosquitto with a whole ship."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.needed import needs
from tests.ship import HATCH, ROOT, sailing
from tests.soon import BREATH_S, PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.ship import Ship

PAGE = (Path(__file__).parents[2] / "docs/dashboards.md").read_text("utf-8")
SECTIONS = re.findall(r"^### (.+)\n([^#]*)", PAGE, re.MULTILINE)
COMMANDS = {
    title: command
    for title, text in SECTIONS
    for command in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
}
[SHIP_IS] = re.findall(r"^SHIP=.*$", PAGE, re.MULTILINE)
ALERTS, OPENED, AGES = "Open alerts now", "What is not closed", "Ages"
EVENTS, THERE, ACK = "Follow what is recorded", "Is anybody there", "Acknowledge the loudest alert"
REPLAY = "Ask for events again"
HATCH_OPEN = "alert/door.escape.open.d12"


def test_every_command_of_the_page_is_one_of_these():
    assert set(COMMANDS) == {ALERTS, OPENED, AGES, EVENTS, THERE, ACK, REPLAY}


class Running:
    """A command of the page while it runs."""

    def __init__(self, program: asyncio.subprocess.Process) -> None:
        self.lines: list[list[str]] = []
        self.ended = False
        self._program = program

    async def read(self) -> None:
        assert self._program.stdout is not None
        async for line in self._program.stdout:
            self.lines.append(line.decode().rstrip("\n").split("\t"))
        await self._program.wait()
        self.ended = True


@asynccontextmanager
async def typed(ship: Ship, title: str) -> AsyncIterator[Running]:
    """Run a command as somebody types it; its options are in the file that the page names."""
    for name in ("mosquitto_sub", "mosquitto_rr", "jq"):
        needs(
            shutil.which(name),
            f"{name} is not installed (Debian: apt install mosquitto-clients jq)",
        )
    home = ship.folder / "home/.config"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("mosquitto_sub", "mosquitto_rr"):
        (home / name).write_text(f"-h 127.0.0.1\n-p {ship.daemon.config.mqtt.port}\n")
    program = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"{SHIP_IS}\n{COMMANDS[title]}"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "HOME": str(home.parent), "XDG_CONFIG_HOME": str(home)},
        start_new_session=True,
    )
    running = Running(program)
    reading = asyncio.create_task(running.read())
    try:
        yield running
    finally:
        if not running.ended:
            os.killpg(program.pid, signal.SIGKILL)
        await reading


async def said(ship: Ship, title: str) -> list[list[str]]:
    """Run a command to its end, and return its lines."""
    async with typed(ship, title) as running:
        await until(ship, lambda: running.ended)
        return running.lines


async def until(ship: Ship, holds: Callable[[], object]) -> None:
    """Let the ship's time pass, which brings heartbeats, until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await ship.pass_time(0.5)
            await asyncio.sleep(BREATH_S)  # the other program's turn


async def opened(ship: Ship) -> None:
    await ship.unit.set_input(HATCH, False)
    await ship.until(lambda: ship.state(HATCH_OPEN))


async def test_open_alerts_are_those_that_are_open(tmp_path):
    async with sailing(tmp_path) as ship:
        await opened(ship)
        lines = await said(ship, ALERTS)
        assert len(lines) == sum(name.startswith("alert/") for name in ship.newest)
        [hatch] = [line for line in lines if line[2] == "ESC HATCH OPEN"]
        alert = ship.newest[HATCH_OPEN]
        assert hatch == ["W", alert["state"], alert["title"], "STRG GEAR ESC", alert["action"]]


async def test_what_is_not_closed_has_what_is_not_known_in_it(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.until(lambda: ship.state("point/d12"))
        assert not [line for line in await said(ship, OPENED) if line[0] == "STRG GEAR ESC"]
        await opened(ship)
        lines = await said(ship, OPENED)
        assert ["STRG GEAR ESC", "door", "open", "good"] in lines
        await ship.unit.stop()
        await ship.until(lambda: ship.newest["point/d12"]["value"] is None)
        lines = await said(ship, OPENED)
        assert [line[2] for line in lines if line[0] == "STRG GEAR ESC"] == ["NOT KNOWN"]


async def test_ages_grow_until_they_are_too_old(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.until(lambda: ship.state("point/d12"))
        async with typed(ship, AGES) as running:

            def hatch() -> list[list[str]]:
                return [line for line in running.lines if line[0] == "STRG GEAR ESC"]

            await until(ship, hatch)
            assert hatch()[0][1:3] == ["door", "closed"]
            assert 0.0 <= float(hatch()[0][3]) <= ship.newest["point/d12"]["valid_for"]
            beat = {**ship.newest["heartbeat"], "up": ship.newest["heartbeat"]["up"] + 60.0}
            await ship._connection.deliver(f"{ROOT}heartbeat", json.dumps(beat).encode())
            await until(ship, lambda: "TOO OLD" in [line[2] for line in hatch()])


async def test_events_are_followed_and_one_that_is_missing_is_told(tmp_path):
    async with sailing(tmp_path) as ship, typed(ship, EVENTS) as running:
        await until(ship, lambda: follows(ship, running))
        newest = [json.loads(m.payload) for m in ship.heard if m.topic == f"{ROOT}event"][-1]
        for bseq in (newest["bseq"] + 3, newest["bseq"] + 3):
            event = {**newest, "bseq": bseq}
            await ship._connection.deliver(f"{ROOT}event", json.dumps(event).encode())
        await until(ship, lambda: any(line[0].startswith("MISSING") for line in running.lines))
        first = newest["bseq"]
        assert running.lines[-2:] == [
            [f"MISSING: {first + 1} to {first + 2}"],
            [f"{first + 3} {newest['entry']['type']} {newest['entry']['subject']}"],
        ]


def follows(ship: Ship, running: Running) -> bool:
    """Open or shut the hatch until an event of it is printed: it follows then."""
    if running.lines:
        return True
    ship.daemon._write("test.mark", {})
    return False


async def test_nothing_heard_is_said(tmp_path):
    async with sailing(tmp_path) as ship, typed(ship, THERE) as running:
        await ship.pass_time(8.0)
        assert running.lines == []
        (ship.folder / "home/.config/mosquitto_sub").write_text("-h 127.0.0.1\n-p 1\n")
        await until(ship, lambda: running.ended)
        assert running.lines == [["NOTHING HEARD FOR 5 S: what every page shows is old"]]


async def test_an_alert_is_acknowledged_and_its_reply_read(tmp_path):
    async with sailing(tmp_path) as ship:
        await opened(ship)
        [[answer]] = await said(ship, ACK)
        assert re.fullmatch(r"acknowledged, no\. \d+", answer)
        loudest = ship.newest[HATCH_OPEN]
        assert (loudest["state"], loudest["acknowledged_by"]["station"]) == ("A", "bridge")


async def test_events_are_told_again(tmp_path):
    async with sailing(tmp_path) as ship:
        [[answer]] = await said(ship, REPLAY)
        assert re.fullmatch(r"\d+ told again", answer)
        assert answer != "0 told again"
