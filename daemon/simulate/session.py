"""Run the daemon on a ship's own file with a stand-in for every device, and let people move the doors.

Its record is a demo's, with a key of its own, in a folder of its own; the ship's folders are not touched, and a folder
that holds anything else is refused.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import threading
import time
import tomllib
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import config
from daemon.bam.settings import BamSection
from daemon.control import control
from daemon.errors import ConfigError, IspsdError, LinkError
from daemon.model import Situation
from daemon.mqtt.embedded import embedded_broker
from daemon.simulate import lines, processes, toml
from daemon.simulate.derive import derived, mapped
from daemon.simulate.expected import promised
from daemon.simulate.scenario import Scenario, load
from daemon.simulate.standins import planned, with_names

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Sequence

    from daemon.config import Config
    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators
    from daemon.simulate.standins import Command, Plan

MQTT_PORT = 1883
MARK = "# Derived by ispsd simulate: every device is simulated. Not for a ship.\n"
"""The first line of the configuration in a folder that is ours."""
DERIVED = "simulated.toml"
READY_S = 20.0
LOOK_S = 0.2
LONGEST_LINE = 4096
CHUNKS_AHEAD = 16
STANDARD_INPUT = 0
BAND = "SIMULATED DATA · no device of the ship is reached · SIMULATED DATA"
STOPPED = 130


async def run(path: Path, *, state: Path | None, scenario: Path | None, keep: bool) -> int:
    """Simulate a ship until Ctrl-C, or to the end of the scenario unless ``keep``; return the exit code.

    Args:
        path: The ship's own file.
        state: The folder of the simulated record; None for a temporary one that is removed.
        scenario: What happens when, from the moment that the daemon keeps the watch.
        keep: Go on after the scenario.

    Raises:
        ConfigError: The ship's file is not in order.
        IspsdError: It cannot be simulated there.
    """
    stage = _prepared(path, state, scenario, keep=keep)
    task = asyncio.ensure_future(_run(stage))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        say("stopped; nothing is left running")
        return STOPPED
    finally:
        stage.clear()


def refuse_ships_own(ship: Config, state: Path) -> None:
    """Refuse a folder in which anything but an earlier simulation lies.

    Raises:
        IspsdError: It is the ship's, or somebody else's.
    """
    here = state.resolve()
    theirs = {ship.record.directory.resolve(), ship.record.key_file.resolve().parent}
    if (
        here in theirs
        or any(each.is_relative_to(here) for each in theirs)
        or any(here.is_relative_to(each) for each in theirs)
    ):
        raise IspsdError(f"{state}: there the ship's own record or key lies; take another folder")
    ours = state / DERIVED
    if ours.is_file() and ours.read_text("utf-8").startswith(MARK):
        return
    if state.exists() and any(state.iterdir()):
        raise IspsdError(f"{state}: is not empty, and no earlier simulation")


@dataclass(frozen=True, slots=True)
class Stage:
    """All that is known before anything is started.

    Attributes:
        tree: The ship's file as it was read.
        folder: The temporary one, where no other was given.
    """

    tree: dict[str, Any]
    plan: Plan
    scenario: Scenario
    state: Path
    folder: tempfile.TemporaryDirectory[str] | None
    keep: bool

    def clear(self) -> None:
        """Leave nothing behind that was not asked for."""
        if self.folder is not None:
            self.folder.cleanup()


def _prepared(path: Path, state: Path | None, scenario: Path | None, *, keep: bool) -> Stage:
    ship = config.load(path)
    plan = planned(ship)
    played = Scenario()
    if scenario is not None:
        try:
            played = load(scenario, plan)
        except ConfigError as err:
            raise IspsdError(str(err)) from err
        plan = planned(
            replace(
                ship,
                situation=Situation(played.watch.get("situation", ship.situation)),
                bam=ship.bam if played.bam is None else BamSection.model_validate(played.bam),
            )
        )
    if state is not None:
        refuse_ships_own(ship, state)
        state.mkdir(parents=True, exist_ok=True)
    folder = tempfile.TemporaryDirectory(prefix="ispsd-simulate-") if state is None else None
    place = Path(folder.name) if folder is not None else (state or Path()).resolve()
    with_names(plan, place)
    (place / "units.toml").write_text(toml.written({"unit": plan.units}), "utf-8")
    tree = tomllib.loads(path.read_text("utf-8"))
    tree["watch"] |= played.watch
    tree["ais"] = {**tree.get("ais", {}), **played.ais}
    if played.bam is not None:
        tree["bam"] = dict(played.bam)
    return Stage(tree, plan, played, place, folder, keep or scenario is None)


async def _run(ready: Stage) -> int:
    say(BAND)
    plan, state = ready.plan, ready.state
    async with AsyncExitStack() as stage:
        broker = await _broker(stage)
        devices = await stage.enter_async_context(processes.simulators(state / "units.toml"))
        for command in plan.first:
            await _do(devices, command)
        configuration = _write(ready, devices, broker)
        _tell(ready, devices, broker)
        log = state / "daemon.log"
        process = await stage.enter_async_context(processes.daemon_process(configuration, log))
        socket = state / "control.sock"
        await _until_ready(process, socket, log)
        say("the daemon keeps the watch; type open d12, close d12, cut d12, or io1 set 3 off")
        ended = asyncio.ensure_future(process.wait())
        playing = asyncio.ensure_future(_play(devices, ready.scenario, socket))
        for task in (ended, playing, asyncio.ensure_future(_follow(devices, plan))):
            stage.callback(task.cancel)
        until: set[asyncio.Future[Any]] = {ended} if ready.keep else {ended, playing}
        await asyncio.wait(until, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise IspsdError(f"the daemon ended:\n{_end_of(log)}")
    return 0


def _write(ready: Stage, devices: Simulators, broker: EmbeddedBroker) -> Path:
    """Write the derived configuration; return where."""
    made = derived(
        ready.tree, ready.plan, devices.endpoints, state=ready.state, mqtt_port=broker.port
    )
    path = ready.state / DERIVED
    path.write_text(f"{MARK}\n{toml.written(made)}", "utf-8")
    return path


async def _broker(stage: AsyncExitStack) -> EmbeddedBroker:
    """Start a broker on MQTT's own port, or on any free one where somebody has that."""
    try:
        return await stage.enter_async_context(embedded_broker(port=MQTT_PORT))
    except LinkError:
        return await stage.enter_async_context(embedded_broker())


async def _until_ready(process: Process, socket: Path, log: Path) -> None:
    try:
        async with asyncio.timeout(READY_S):
            while not await control.answers(socket):
                if process.returncode is not None:
                    raise IspsdError(f"the daemon ended at once:\n{_end_of(log)}")
                await asyncio.sleep(LOOK_S)
    except TimeoutError as err:
        raise IspsdError(f"the daemon did not come up:\n{_end_of(log)}") from err


async def _play(devices: Simulators, scenario: Scenario, socket: Path) -> None:
    """Do the steps of a scenario, each at its time; one that cannot be done stops none."""
    began_s = time.monotonic()
    for number, step in enumerate(scenario.steps, start=1):
        await asyncio.sleep(began_s + step.at_s - time.monotonic())
        try:
            for command in step.commands:
                await _do(devices, command)
            if step.request is not None:
                await control.ask(socket, step.request)
        except IspsdError as err:
            say(f"step {number}: {err}")
        else:
            say(f"step {number}: {_in_words(step.commands) if step.commands else step.asked()}")
    await asyncio.sleep(began_s + scenario.lasts_s - time.monotonic())
    for words in promised(scenario.alerts, scenario.devices):
        say(f"expected: {words}")


async def _follow(devices: Simulators, plan: Plan) -> None:
    """Do what is typed."""
    async for line in _typed():
        try:
            asked = lines.commands(line, plan)
            for command in asked:
                await _do(devices, command)
        except (ValueError, IspsdError) as err:
            say(str(err))
        else:
            if asked:
                say(f"done: {_in_words(asked)}")


async def _typed() -> AsyncIterator[str]:
    """Yield the lines of standard input; a thread reads, since a file or a terminal cannot be waited for."""
    chunks: asyncio.Queue[bytes] = asyncio.Queue(CHUNKS_AHEAD)
    loop = asyncio.get_running_loop()

    def pump() -> None:
        chunk = b"first"
        # Not through sys.stdin: whoever waits in it at the end of the process brings that down.
        while chunk:
            chunk = os.read(STANDARD_INPUT, LONGEST_LINE) if sys.stdin is not None else b""
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                asyncio.run_coroutine_threadsafe(chunks.put(chunk), loop).result()

    # A daemon thread: one that waits for input that never comes must not keep the process.
    threading.Thread(target=pump, name="typed", daemon=True).start()
    held = b""
    while chunk := await chunks.get():
        *typed, held = (held + chunk).split(b"\n")
        held = held[-LONGEST_LINE:]  # of a line without an end no more is kept
        for line in typed:
            yield line.decode("utf-8", "replace")


async def _do(devices: Simulators, command: Command) -> None:
    unit, said = command
    rest: dict[str, Any] = {key: value for key, value in said.items() if key != "do"}
    await devices.do(unit, said["do"], **rest)


def _in_words(commands: Sequence[Command]) -> str:
    unit, said = commands[0]
    words = " ".join(f"{key}={value}" for key, value in said.items() if key != "do")
    more = f" and {len(commands) - 1} more" if commands[1:] else ""
    return f"{unit} {said['do']} {words}".rstrip() + more


def _tell(ready: Stage, devices: Simulators, broker: EmbeddedBroker) -> None:
    """Say what stands in for what, and how to watch it."""
    rows = mapped(ready.tree, ready.plan, devices.endpoints)
    name_width, real_width = (max(len(row[at]) for row in rows) for at in (0, 1))
    for name, real, stand_in in rows:
        say(f"{name:<{name_width}}  {real:<{real_width}}  {stand_in}")
    for note in ready.plan.notes:
        say(f"note: {note}")
    for device in ready.plan.left_out:
        say(f"note: {device} is left out; what hangs on it is shown as not seen")
    state = ready.state
    say(f"configuration, record and log: {state}")
    say(f"watch: ispsd status --socket {state / 'control.sock'}")
    say(f"watch: mosquitto_sub -V 5 -p {broker.port} -v -t 'ispsd/#'  (open to all on loopback)")


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", errors="replace")[-2000:]


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
