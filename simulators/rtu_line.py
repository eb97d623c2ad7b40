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
import tty
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daemon.clock import SystemClock
from simulators.api import SimulatorSpec, flag, only, seconds, whole
from simulators.io_unit_wire import answer, picture, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.clock import Clock
    from simulators.api import Settings

QUESTION_BYTES = 8
"""Of every read request: unit, function, address, count, CRC."""
LONGEST_UNIT_ID = 247
MOST_UNITS = 32
"""RS-485: what one driver carries."""
MOST_INPUTS = 2000
LONGEST_DELAY_S = 60.0
SELDOMEST = 1000
READ_BYTES = 4096
NOISE = bytes.fromhex("ff 00 5a c3 00 ff ff 81")


@dataclass(slots=True)
class Unit:
    """One unit of the bus.

    Attributes:
        places: The address of the first input by function code.
        every: A flaky unit answers each so many-th question.
    """

    id: int
    inputs: list[bool]
    places: Mapping[int, int] = field(default_factory=lambda: {2: 0})
    fault: str | None = None
    code: int = 2
    by_s: float = 0.0
    every: int = 2

    def reply(self, pdu: bytes) -> bytes:
        """Return the answer to a request, or its refusal."""
        if self.fault == "exception":
            return refusal(pdu[0], self.code)
        return answer(pdu, self.inputs, self.places)


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
        self._pty: tuple[int, int] | None = None
        self._received = b""
        self._late: set[asyncio.Task[None]] = set()
        self.asked: Counter[int] = Counter()
        self.unanswered: Counter[int] = Counter()

    @property
    def endpoint(self) -> str:
        if self._pty is None:
            raise RuntimeError("the bus is not started")
        return str(self._link or os.ttyname(self._pty[1]))

    async def start(self) -> None:
        # Our own hold on the far end keeps the line up while nobody asks.
        line, port = os.openpty()
        self._pty = line, port
        tty.setraw(port)
        os.set_blocking(line, False)
        self._received = b""
        asyncio.get_running_loop().add_reader(line, self._on_readable, line)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(os.ttyname(port))

    async def stop(self) -> None:
        if self._pty is None:
            return
        late = list(self._late)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        asyncio.get_running_loop().remove_reader(self._pty[0])
        for descriptor in self._pty:
            os.close(descriptor)
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
            case "noise":
                only(command, "do")
                self._say(NOISE)
            case "unplug":
                only(command, "do")
                await self.stop()
            case "plug":
                only(command, "do")
                if self._pty is None:
                    await self.start()
            case verb:
                raise ValueError(
                    f"do is set, inputs, fault, clear, noise, unplug or plug, not {verb!r}"
                )

    def _do_fault(self, command: Mapping[str, object]) -> None:
        only(command, "do", "id", "fault", "code", "by_s", "every")
        unit = self._unit(command)
        fault = command.get("fault")
        if fault not in FAULTS:
            raise ValueError(f"fault is one of {', '.join(sorted(FAULTS))}, not {fault!r}")
        code = whole(command, "code", low=1, high=255, default=2)
        every = whole(command, "every", low=2, high=SELDOMEST, default=2)
        by_s = seconds(command, "by_s", high=LONGEST_DELAY_S) if "by_s" in command else 0.0
        unit.fault, unit.code, unit.every, unit.by_s = str(fault), code, every, by_s

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
            task = asyncio.create_task(self._say_late(words, unit.by_s))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        else:
            self._say(words)

    async def _say_late(self, words: bytes, by_s: float) -> None:
        await self._clock.sleep(by_s)
        self._say(words)

    def _say(self, words: bytes) -> None:
        if self._pty is None:
            raise ValueError("the bus is unplugged")
        with suppress(BlockingIOError):  # a line that is full for want of a reader loses the words
            os.write(self._pty[0], words)


def crc(words: bytes) -> bytes:
    """Return the CRC of a frame as it goes over the line, low byte first (6.2.2)."""
    register = 0xFFFF
    for byte in words:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


def frame(unit_id: int, pdu: bytes) -> bytes:
    """Return a frame as it should go out."""
    words = bytes([unit_id]) + pdu
    return words + crc(words)


def _bad_crc(unit_id: int, pdu: bytes) -> bytes:
    right = frame(unit_id, pdu)
    return right[:-1] + bytes([right[-1] ^ 0x01])


FAULTS: Final[Mapping[str, Callable[[int, bytes], bytes]]] = {
    # Right on the wire, or refusing; seldom, or late.
    "flaky": frame,
    "late": frame,
    "exception": frame,
    # Wrong on the wire, or nothing at all.
    "dead": lambda _unit_id, _pdu: b"",
    "bad_crc": _bad_crc,
    "other_unit": lambda unit_id, pdu: frame(unit_id % LONGEST_UNIT_ID + 1, pdu),
    "wrong_function": lambda unit_id, pdu: frame(unit_id, bytes([pdu[0] ^ 0x03]) + pdu[1:]),
    "wrong_byte_count": lambda unit_id, pdu: frame(unit_id, bytes([pdu[0], pdu[1] - 1]) + pdu[2:]),
    "short_frame": lambda unit_id, pdu: frame(unit_id, bytes([pdu[0], pdu[1] - 1]) + pdu[2:-1]),
    "cut_frame": lambda unit_id, pdu: frame(unit_id, pdu)[:-1],
    "twice": lambda unit_id, pdu: frame(unit_id, pdu) * 2,
    "noise": lambda _unit_id, _pdu: NOISE,
    "noise_before": lambda unit_id, pdu: NOISE[:1] + frame(unit_id, pdu),
}
"""Every way to answer wrongly, by name: what goes out for a unit and its right answer."""


def build(name: str, settings: Settings) -> RtuLine:
    """Return a bus from ``link`` and ``units``, each with ``id``, ``inputs``, ``function``, ``address``.

    Raises:
        ValueError: A setting is wrong; the message says which.
    """
    del name
    only(settings, "link", "units")
    link = settings.get("link")
    if link is not None and not (isinstance(link, str) and link.startswith("/")):
        raise ValueError(f"link is an absolute path, not {link!r}")
    tables = settings.get("units")
    if not isinstance(tables, list) or not 1 <= len(tables) <= MOST_UNITS:
        raise ValueError(f"units is a list of 1 to {MOST_UNITS} tables like {{ id = 5 }}")
    units = [_unit_of(table) for table in tables]
    if len({unit.id for unit in units}) < len(units):
        raise ValueError("two units have the same id")
    return RtuLine(units, link=None if link is None else Path(link))


def _unit_of(table: object) -> Unit:
    if not isinstance(table, dict):
        raise ValueError(f"a unit is a table like {{ id = 5 }}, not {table!r}")  # noqa: TRY004
    only(table, "id", "inputs", "function", "address")
    function = whole(table, "function", low=1, high=4, default=2)
    return Unit(
        id=whole(table, "id", low=1, high=LONGEST_UNIT_ID),
        inputs=[False] * whole(table, "inputs", low=1, high=MOST_INPUTS, default=8),
        places={function: whole(table, "address", low=0, high=65535, default=0)},
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
