"""A serial bus with several Modbus RTU units on it, on one pty; each can be made to misbehave.

Written from MODBUS over Serial Line V1.02 (2.5.1, 6.2) with no Modbus library in it. In commands
``id`` is the unit's Modbus id, because ``unit`` names the simulator. Alone: ``python -m
simulators.rtu_line --ids 5 6 --link /tmp/rtu1``, JSON lines on standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import SimulatorSpec, flag, only, whole
from simulators.flapping import Flapping
from simulators.io_unit_wire import answer, asks_for, measures_of, picture, refusal
from simulators.io_unit_zeros import Zeros, zeros_of
from simulators.pty_ports import opened, path_of
from simulators.rtu_line_wire import FAULTS, LONGEST_UNIT_ID, NOISE, TALKER, crc, frame

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from pathlib import Path

    from daemon.computer.clock import Clock
    from simulators.api import Settings
    from simulators.pty_ports import Pty

QUESTION_BYTES = 8
"""Of every read request: unit, function, address, count, CRC."""
MOST_UNITS = 32
"""RS-485: what one driver carries."""
MOST_INPUTS = 2000
SELDOMEST = 1000
READ_BYTES = 4096


@dataclass(slots=True)
class Unit:
    """One unit of the bus.

    Attributes:
        places: The address of the first input by function code.
        every: A flaky unit answers each so many-th question.
        only_input: A unit that refuses does so only where this input is asked for.
    """

    id: int
    inputs: list[bool]
    places: Mapping[int, int] = field(default_factory=lambda: {2: 0})
    fault: str | None = None
    code: int = 2
    by_s: float = 0.0
    every: int = 2
    only_input: int | None = None
    zeros: Zeros = field(default_factory=Zeros)

    def reply(self, pdu: bytes) -> bytes:
        """Return the answer to a request, or its refusal."""
        if self.fault == "exception" and (
            self.only_input is None or asks_for(pdu, self.only_input, self.places)
        ):
            return refusal(pdu[0], self.code)
        return self.zeros.answer(pdu) or answer(pdu, self.inputs, self.places)


class RtuLine:
    """One bus.

    Attributes:
        asked: How many questions each unit got, by its id.
        unanswered: To how many of them there was no right answer at once.
    """

    def __init__(
        self, units: list[Unit], *, link: Path | None = None, clock: Clock | None = None
    ) -> None:
        """Take nothing yet; ``link`` is the path of a symbolic link to the pty, if one is wanted."""
        self._units = {unit.id: unit for unit in units}
        self._link = link
        self._clock = clock or SystemClock()
        self._pty: Pty | None = None
        self._received = b""
        self._beside: set[asyncio.Task[None]] = set()
        self.asked: Counter[int] = Counter()
        self.unanswered: Counter[int] = Counter()

    @property
    def endpoint(self) -> str:
        if self._pty is None:
            raise RuntimeError("the bus is not started")
        return self._pty.endpoint

    async def start(self) -> None:
        self._pty = opened(self._link)
        self._received = b""
        line = self._pty.unit
        asyncio.get_running_loop().add_reader(line, self._on_readable, line)

    async def stop(self) -> None:
        if self._pty is None:
            return
        beside = list(self._beside)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        asyncio.get_running_loop().remove_reader(self._pty.unit)
        self._pty.close()
        self._pty = None

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "set":
                only(command, "do", "id", "input", "on")
                unit = self._unit(command)
                number = whole(command, "input", low=0, high=len(unit.inputs) - 1)
                unit.inputs[number] = flag(command, "on")
            case "inputs":
                only(command, "do", "id", "on")
                unit = self._unit(command)
                unit.inputs = picture(command.get("on"), len(unit.inputs))
            case "fault":
                self._do_fault(command)
            case "clear":
                only(command, "do", "id")
                self._unit(command).fault = None
            case "flap":
                self._flap(command)
            case "noise" | "talker" as verb:
                only(command, "do")
                self._say(NOISE if verb == "noise" else TALKER)
            case "unplug" | "plug" as verb:
                only(command, "do")
                if verb == "unplug":
                    await self.stop()
                elif self._pty is None:
                    await self.start()
            case verb:
                raise ValueError(
                    f"do is set, inputs, flap, fault, clear, noise, talker, unplug or plug, not {verb!r}"
                )

    def _do_fault(self, command: Mapping[str, object]) -> None:
        only(command, "do", "id", "fault", "code", "by_s", "every", "input")
        unit = self._unit(command)
        fault = command.get("fault")
        if fault not in FAULTS:
            raise ValueError(f"fault is one of {', '.join(sorted(FAULTS))}, not {fault!r}")
        every = whole(command, "every", low=2, high=SELDOMEST, default=2)
        unit.code, unit.by_s, unit.only_input = measures_of(command, len(unit.inputs))
        unit.fault, unit.every = str(fault), every

    def _flap(self, command: Mapping[str, object]) -> None:
        inputs = self._unit(command).inputs
        self._start_beside(Flapping.of(command, len(inputs)).run(inputs, self._clock))

    def _start_beside(self, doing: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(doing)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _unit(self, command: Mapping[str, object]) -> Unit:
        id_ = whole(command, "id", low=1, high=LONGEST_UNIT_ID)
        if id_ not in self._units:
            raise ValueError(f"no unit {id_}; known are {', '.join(map(str, self._units))}")
        return self._units[id_]

    def _on_readable(self, line: int) -> None:
        self._received = (self._received + os.read(line, READ_BYTES))[-QUESTION_BYTES:]
        question = self._received
        if len(question) == QUESTION_BYTES and crc(question[:-2]) == question[-2:]:
            self._received = b""
            self._take(question)

    def _take(self, question: bytes) -> None:
        unit = self._units.get(question[0])
        if unit is None:
            return
        self.asked[unit.id] += 1
        is_dropped = unit.fault == "flaky" and self.asked[unit.id] % unit.every > 0
        if is_dropped or unit.fault not in {None, "flaky", "exception"}:
            self.unanswered[unit.id] += 1
        if is_dropped:
            return
        bend = FAULTS[unit.fault] if unit.fault else frame
        words = bend(unit.id, unit.reply(question[1:-2]))
        if unit.fault == "late":
            self._start_beside(self._say_late(words, unit.by_s))
        elif unit.fault == "slow":
            half = len(words) // 2
            self._say(words[:half])
            self._start_beside(self._say_late(words[half:], unit.by_s))
        else:
            self._say(words)

    async def _say_late(self, words: bytes, by_s: float) -> None:
        await self._clock.sleep(by_s)
        self._say(words)

    def _say(self, words: bytes) -> None:
        if self._pty is None:
            raise ValueError("the bus is unplugged")
        with suppress(BlockingIOError):  # a line that is full for want of a reader loses the words
            os.write(self._pty.unit, words)


def build(name: str, settings: Settings) -> RtuLine:
    """Return a bus from ``link`` and ``units``, each with ``id``, ``inputs``, ``function``, ``address``.

    Raises:
        ValueError: A setting is wrong; the message says which.
    """
    del name
    only(settings, "link", "units")
    link = path_of(settings)
    tables = settings.get("units")
    if not isinstance(tables, list) or not 1 <= len(tables) <= MOST_UNITS:
        raise ValueError(f"units is a list of 1 to {MOST_UNITS} tables like {{ id = 5 }}")
    units = [_unit_of(table) for table in tables]
    if len({unit.id for unit in units}) < len(units):
        raise ValueError("two units have the same id")
    return RtuLine(units, link=link)


def _unit_of(table: object) -> Unit:
    if not isinstance(table, dict):
        raise ValueError(f"a unit is a table like {{ id = 5 }}, not {table!r}")  # noqa: TRY004
    only(table, "id", "inputs", "function", "address", "zeros")
    function = whole(table, "function", low=1, high=4, default=2)
    return Unit(
        id=whole(table, "id", low=1, high=LONGEST_UNIT_ID),
        inputs=[False] * whole(table, "inputs", low=1, high=MOST_INPUTS, default=8),
        places={function: whole(table, "address", low=0, high=65535, default=0)},
        zeros=zeros_of(table.get("zeros", [])),
    )


SIMULATOR = SimulatorSpec(kind="rtu_line", build=build)


def main() -> int:
    """Run one bus alone."""
    from simulators.runner import alone  # noqa: PLC0415 (the runner is not needed inside it)

    parser = argparse.ArgumentParser(prog="python -m simulators.rtu_line", description=__doc__)
    parser.add_argument("--link")
    parser.add_argument("--ids", type=int, nargs="+", default=[1])
    parser.add_argument("--inputs", type=int, default=8)
    given = parser.parse_args()
    units = [{"id": id_, "inputs": given.inputs} for id_ in given.ids]
    return alone(SIMULATOR, {"units": units} | ({"link": given.link} if given.link else {}))


if __name__ == "__main__":
    sys.exit(main())
