"""Stand in for a whole ship: start simulators, do what is asked of them line by line, stop at once.

One JSON object a line. Out: ``{"ready": "io1", "endpoint": "tcp://127.0.0.1:1502"}`` for each unit
and ``{"ready": "all"}``; then ``{"done": 1}`` or ``{"error": "...", "line": 1}`` for each line that
came in, and ``{"played": 1}`` for each step of a scenario. In: ``{"unit": "io1", "do": "set",
"input": 3, "on": true}``; a lone unit needs no name. The end of the input or SIGTERM stops all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from daemon.computer.clock import SystemClock
from daemon.errors import ConfigError
from simulators.input_lines import LONGEST_LINE_BYTES, read_lines
from simulators.plan import load_scenario, load_units

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from daemon.computer.clock import Clock
    from simulators.api import Settings, Simulator, SimulatorSpec
    from simulators.plan import Step

    Say = Callable[[Mapping[str, object]], None]

STOP_WITHIN_S = 1.5
"""So that two seconds are enough for the whole process."""

EXIT_FAILED = 1
EXIT_CONFIG = 2


async def run(
    units: Mapping[str, Simulator],
    lines: AsyncIterator[bytes],
    say: Say,
    *,
    steps: Sequence[Step] = (),
    clock: Clock,
    stop: asyncio.Event,
) -> int:
    """Run the units until the lines end or ``stop`` is set; return the exit code."""
    try:
        if not await _start(units, say):
            return EXIT_FAILED
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(follow(units, lines, say))
            stopping = tasks.create_task(stop.wait())
            playing = tasks.create_task(play(units, steps, say, clock=clock))
            await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (following, stopping, playing):
                task.cancel()
    finally:
        stopped = await _stop(units, say)
    return 0 if stopped else EXIT_FAILED


async def follow(units: Mapping[str, Simulator], lines: AsyncIterator[bytes], say: Say) -> None:
    """Do what the lines say, one after the other."""
    number = 0
    async for line in lines:
        number += 1
        try:
            await _do(units, _command(line))
        except ValueError as err:
            say({"error": str(err), "line": number})
        else:
            say({"done": number})


async def play(
    units: Mapping[str, Simulator], steps: Sequence[Step], say: Say, *, clock: Clock
) -> None:
    """Do the steps of a scenario, each at its time; a step that cannot be done stops none."""
    start_s = clock.now_s()
    for number, step in enumerate(steps, start=1):
        await clock.sleep(start_s + step.at_s - clock.now_s())
        try:
            await units[step.unit].do(step.command)
        except ValueError as err:
            say({"error": f"{step.unit}: {err}", "step": number})
        else:
            say({"played": number})
    if steps:
        say({"played": "all"})


def alone(spec: SimulatorSpec, settings: Settings) -> int:
    """Run one simulator as a program of its own; return the exit code."""
    try:
        unit = spec.build(spec.kind, settings)
    except ValueError as err:
        sys.stderr.write(f"{spec.kind}: {err}\n")
        return EXIT_CONFIG
    return asyncio.run(_run_with_signals({spec.kind: unit}, ()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulators of a file; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    parser.add_argument("config", type=Path, help="simulator file (TOML)")
    parser.add_argument("--scenario", type=Path, help="what happens when (TOML)")
    given = parser.parse_args(arguments)
    try:
        units = load_units(given.config)
        steps = load_scenario(given.scenario, units) if given.scenario else ()
    except ConfigError as err:
        sys.stderr.write(f"{err}\n")
        return EXIT_CONFIG
    return asyncio.run(_run_with_signals(units, steps))


async def _run_with_signals(units: Mapping[str, Simulator], steps: Sequence[Step]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lines = read_lines(sys.stdin.fileno())
    return await run(
        units, lines, _speaker(sys.stdout), steps=steps, clock=SystemClock(), stop=stop
    )


def _speaker(out: TextIO) -> Say:
    def say(words: Mapping[str, object]) -> None:
        out.write(json.dumps(words) + "\n")
        out.flush()

    return say


async def _start(units: Mapping[str, Simulator], say: Say) -> bool:
    for name, unit in units.items():
        try:
            await unit.start()
        except (OSError, ValueError) as err:
            say({"error": f"{name}: {err}"})
            return False
        say({"ready": name, "endpoint": unit.endpoint})
    say({"ready": "all"})
    return True


async def _stop(units: Mapping[str, Simulator], say: Say) -> bool:
    """Stop all at once; return whether all stopped in time."""
    stops = {asyncio.ensure_future(unit.stop()): name for name, unit in units.items()}
    done, late = await asyncio.wait(stops, timeout=STOP_WITHIN_S)
    for task in late:
        task.cancel()
        say({"error": f"{stops[task]}: does not stop"})
    for task in done:
        if (err := task.exception()) is not None:
            say({"error": f"{stops[task]}: {err!r}"})
    return not late and all(task.exception() is None for task in done)


def _command(line: bytes) -> dict[str, object]:
    if len(line) > LONGEST_LINE_BYTES:
        raise ValueError(f"a line is at most {LONGEST_LINE_BYTES} bytes")
    try:
        command = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise ValueError(f"not JSON: {err}") from err
    if not isinstance(command, dict):
        raise ValueError('not an object like {"unit": "io1", "do": "clear"}')  # noqa: TRY004
    return command


async def _do(units: Mapping[str, Simulator], command: dict[str, object]) -> None:
    lone = next(iter(units)) if len(units) == 1 else None
    name = command.pop("unit", lone)
    if not isinstance(name, str) or name not in units:
        raise ValueError(f"no unit {name!r}; known are {', '.join(units)}")
    try:
        await units[name].do(command)
    except ValueError as err:
        raise ValueError(f"{name}: {err}") from err
