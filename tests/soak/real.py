"""The sample ship as she runs: simulators, Mosquitto, daemon, page server, sounder and a browser, each a process.

A story of faults in real time, a look at every process each 5 s, a subscriber that hears everything; then all is
stopped, and nothing may be left.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from daemon import config
from daemon.control import control
from daemon.demo import crew
from daemon.mqtt.embedded import DEMO_USERS
from daemon.simulate import processes
from daemon.simulate.scenario import load
from tests.brokers import mosquitto
from tests.processes.rig import ROOT, marked, verified
from tests.soak import proc
from tests.soak.capture import Capture
from tests.soak.judge import Sample, Seen
from tests.soak.page import StationPage
from tests.web.rig import browser

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Awaitable, Callable

    from daemon.demo.crew import Crew
    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators
    from tests.soak.story import Step, Story

MARK = "ISPSD_SOAK_RUN"
SAMPLE_EVERY_S = 5.0
COLLECT_EVERY = 6
"""Every so many samples the page's garbage is collected before its heap is measured."""
READY_S = 30.0
USERS = (*DEMO_USERS, "office")
WATCHMAN = "L. Tupou"
BAD_WORDS = ("Traceback", "was never retrieved", "was destroyed but it is pending")
AFTER_S = 3.0
"""How long after the last process was stopped everything must be gone."""


class Program:
    """One of ispsd's own processes, which is started again after it was killed."""

    def __init__(
        self, name: str, words: tuple[str, ...], log: Path, *, says_ready: bool = False
    ) -> None:
        self.name = name
        self.log = log
        self._words = words
        self._says_ready = says_ready
        self._stack = AsyncExitStack()
        self.process: Process
        self.said = b""

    async def start(self) -> None:
        self._stack = AsyncExitStack()
        self.process = await self._stack.enter_async_context(
            processes.child("-m", "daemon", *self._words, log=self.log)
        )
        if self._says_ready:
            assert self.process.stdout is not None
            self.said = await asyncio.wait_for(self.process.stdout.readline(), READY_S)
            assert self.said, self.log.read_text("utf-8")

    async def stop(self) -> None:
        await self._stack.aclose()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()
        await self._stack.aclose()


@dataclass(slots=True)
class Ship:
    """Everything that runs."""

    story: Story
    folder: Path
    ship: Crew
    devices: Simulators
    broker: EmbeddedBroker
    programs: dict[str, Program]
    page: StationPage
    capture: Capture
    say: Callable[[str], None]
    names: dict[int, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    pids: dict[int, str] = field(default_factory=dict)
    """Every process that was ever seen, and when the kernel says that it was started."""

    @property
    def socket(self) -> Path:
        return self.folder / "control.sock"

    @property
    def at_s(self) -> float:
        return time.monotonic() - self.capture.began_s

    async def do(self, step: Step, ordinary: Any) -> None:
        """Do one step of the story."""
        if step.act is None:
            for unit, said in ordinary.commands:
                await crew.tell(self.devices, unit, said)
            if ordinary.request is not None:
                await control.ask(self.socket, ordinary.request)
            return
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "acknowledge": lambda: self.page.acknowledge(step.said["alert"]),
            "kill_daemon": self.programs["daemon"].kill,
            "start_daemon": self._start_daemon,
            "kill_broker": self._kill_broker,
            "start_broker": self._start_broker,
            "restart_web": self._restart_web,
            "reload_page": self.page.load_anew,
        }
        await acts[step.act]()

    async def _start_daemon(self) -> None:
        self.begun.append(self.at_s)
        await self.programs["daemon"].start()

    async def _kill_broker(self) -> None:
        self.away.append((self.at_s, float("inf")))
        await self.broker.kill()

    async def _start_broker(self) -> None:
        await self.broker.start()
        # The daemon and the subscriber come back each in their own time.
        self.away[-1] = (self.away[-1][0], self.at_s + READY_S)

    async def _restart_web(self) -> None:
        await self.programs["web"].stop()
        await self.programs["web"].start()

    async def look_for_ever(self) -> None:
        """Look at every process each 5 s."""
        turn = 0
        while True:
            turn += 1
            self._name()
            costs = []
            for pid in proc.family(os.getpid()):
                self.pids.setdefault(pid, proc.started(pid))
                if (found := proc.cost(pid, self.names)) is not None:
                    costs.append(found)
            page = await self.page.sample(collect=turn % COLLECT_EVERY == 0)
            self.samples.append(Sample(self.at_s, tuple(costs), page))
            await asyncio.sleep(
                turn * SAMPLE_EVERY_S - self.at_s if turn * SAMPLE_EVERY_S > self.at_s else 0
            )

    def _name(self) -> None:
        self.names |= {each.process.pid: name for name, each in self.programs.items()}
        self.names[self.devices._process.pid] = "simulators"
        with suppress(Exception):  # it does not run just now
            self.names[self.broker.pid] = "broker"


async def run(story: Story, say: Callable[[str], None]) -> Seen:
    """Run it all for as long as the story lasts, and stop it."""
    mark = uuid4().hex
    os.environ[MARK] = mark
    with tempfile.TemporaryDirectory(prefix="ispsd-soak-") as place:
        os.environ["TMPDIR"] = tempfile.tempdir = place
        try:
            return await _run(story, Path(place), mark, say)
        finally:
            tempfile.tempdir = None
            del os.environ["TMPDIR"], os.environ[MARK]


def noon_offset_min(now: datetime) -> int:
    """Return the ship's time, in minutes ahead of UTC, with which it is about noon on board now.

    Whatever hour the computer has, the story is one of a day: in port at night doors are to be shut at once.
    """
    return (12 * 60 - now.hour * 60 - now.minute) // 15 * 15


async def _run(story: Story, place: Path, mark: str, say: Callable[[str], None]) -> Seen:
    folder = place / "ship"
    folder.mkdir()
    ship = crew.muster(folder)
    ship.tree["watch"]["ship_time_offset_min"] = noon_offset_min(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        running, ports = await _started(story, folder, ship, say, stack)
        began_utc_s = datetime.now(UTC).timestamp() - running.at_s
        looking = asyncio.ensure_future(running.look_for_ever())
        stack.callback(looking.cancel)
        say(f"0 s: the watch is kept; the story takes {story.lasts_s:.0f} s")
        heads: list[str] = []
        await _play(running, heads)
        if looking.done():
            looking.result()
        looking.cancel()
        faults = list(running.page.screen.faults)
    say("all is stopped")
    left = await _left(running, mark, ports, place)
    faults += _bad_words(folder)
    head = heads[0] if heads else running.capture.newest("record/head")["note"]
    return Seen(
        story, running.samples, running.capture.messages, frozenset(running.capture.topics), running.away,
        running.begun,
        lambda utc: datetime.fromisoformat(utc).timestamp() - began_utc_s,
        await verified(folder / "record", folder / "record-key.pub", head), left, faults,
    )  # fmt: skip


async def _started(
    story: Story, folder: Path, ship: Crew, say: Callable[[str], None], stack: AsyncExitStack
) -> tuple[Ship, set[int]]:
    broker = await stack.enter_async_context(mosquitto(users=USERS))
    devices = await stack.enter_async_context(ship.simulators())
    await ship.begin(devices)
    path = ship.write_config(devices, broker)
    loaded = config.load(path)
    assert loaded.web is not None
    password = folder / "password-office"
    password.write_text(broker.passwords["office"] + "\n", "utf-8")
    password.chmod(0o600)
    sounder = (
        *("--station", "office", "--broker", f"127.0.0.1:{broker.port}", "--ship", "9999993"),
        *("--user", "office", "--password-file", str(password), "--sink", "null"),
    )
    programs = {
        "daemon": Program("daemon", ("run", "--config", str(path)), folder / "daemon.log"),
        "web": Program("web", ("web", "--config", str(path)), folder / "web.log", says_ready=True),
        "sound": Program("sound", ("sound", *sounder), folder / "sound.log"),
    }
    capture = Capture(broker, ROOT)
    hearing = asyncio.ensure_future(capture.run())
    stack.callback(hearing.cancel)
    for program in programs.values():
        await program.start()
        stack.push_async_callback(program.stop)
    chromium = await stack.enter_async_context(browser())
    address = programs["web"].said.decode().rpartition(" ")[2].strip()
    page = await StationPage.open(chromium, address, "gangway", broker.passwords["gangway"])
    await page.take_watch(WATCHMAN)
    capture.began_s = time.monotonic()
    capture.messages[:] = [
        (0.0, *rest) for _, *rest in capture.messages
    ]  # what stood at the beginning
    ports = {broker.port, broker.ws_port, loaded.web.port}
    return Ship(story, folder, ship, devices, broker, programs, page, capture, say), ports


async def _play(running: Ship, heads: list[str]) -> None:
    """Do the story's steps, each at its time; keep a head from its middle."""
    story = running.story
    ordinary = iter(load(story.written(running.folder), running.ship.plan).steps)
    for step in story.steps:
        await asyncio.sleep(max(0.0, step.at_s - running.at_s))
        if not heads and running.at_s > story.lasts_s / 2:
            heads.append(running.capture.newest("record/head")["note"])
        if not step.episode.startswith("routine"):
            what = {key: value for key, value in step.said.items() if key != "by"}
            running.say(
                f"{story.clock(step.at_s)} {step.episode}: {' '.join(map(str, what.values()))}"
            )
        await running.do(step, None if step.act else next(ordinary))
    await asyncio.sleep(max(0.0, story.lasts_s - running.at_s))


async def _left(running: Ship, mark: str, ports: set[int], place: Path) -> list[str]:
    """Return what is there still: processes, sockets, files."""
    until_s = time.monotonic() + AFTER_S
    while True:
        left = [f"process {pid}: {line}" for pid, line in marked(f"{MARK}={mark}").items()]
        left += [
            f"process {pid}"
            for pid, started in running.pids.items()
            if proc.alive(pid) and proc.started(pid) == started and pid in proc.family(os.getpid())
        ]
        left += [f"somebody listens on port {port}" for port in proc.listening(ports)]
        left += [f"file {each.name}" for each in place.iterdir() if each.name != "ship"]
        left += [f"socket {each.name}" for each in (place / "ship").iterdir() if each.is_socket()]
        if not left or time.monotonic() > until_s:
            return left
        await asyncio.sleep(0.1)


def _bad_words(folder: Path) -> list[str]:
    return [
        f"{log.name}: {line[:300]}"
        for log in sorted(folder.glob("*.log"))
        for line in log.read_text("utf-8", errors="replace").splitlines()
        if any(word in line for word in BAD_WORDS)
    ]
