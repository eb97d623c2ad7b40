"""A remote I/O unit with digital inputs that speaks Modbus TCP, and can be made to misbehave.

Written from MODBUS Application Protocol V1.1b3 (6.1 to 6.4, 7) and MODBUS Messaging on TCP/IP
V1.0b (3.1.3), with no Modbus library in it: the driver's library is not its own judge. As delivered
it has the map of a Moxa ioLogik E1210: the inputs at function 2 address 0, and as words at function
4 address 0x30; with ``analogue`` it has the analogue inputs of an E1242 too, at function 4 address
0x200. Alone: ``python -m simulators.io_unit --port 1502``, JSON lines on standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import SimulatorSpec, flag, only, seconds, whole
from simulators.flapping import Flapping
from simulators.io_unit_wire import (
    FAULTS,
    HEADER,
    Analogue,
    Exchange,
    answer,
    asks_for,
    measures_of,
    picture,
    refusal,
)
from simulators.io_unit_zeros import Zeros, zeros_of
from simulators.tcp_unit import TcpUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.computer.clock import Clock
    from simulators.api import Settings

E1210_MAP = {2: 0x0000, 4: 0x0030}
GATEWAY_TARGET_SILENT = 11
"""What a unit says to a unit id that is not its own (7, exception 0x0B)."""
SHORTEST_LENGTH = 2
LONGEST_LENGTH = 254
"""What the header's length may be: the unit and a PDU of 1 to 253 bytes (4.1)."""
LONGEST_IDLE_S = 3600.0
MOST_INPUTS = 2000
E1242_ANALOGUE_ADDRESS = 0x0200
MOST_ANALOGUE = 125
ANALOGUE = ("analogue", "analogue_address")
HIGHEST_MA = 25.0


class IoUnit(TcpUnit):
    """One unit on loopback.

    Attributes:
        asked: How many requests came, by function code.
    """

    def __init__(
        self,
        port: int = 0,
        inputs: int = 16,
        *,
        unit: int = 1,
        places: Mapping[int, int] | None = None,
        analogue: Analogue | None = None,
        idle_close_s: float | None = None,
        zeros: Zeros | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Take nothing yet; ``port`` and ``idle_close_s`` as of ``TcpUnit``, ``places`` of ``answer``."""
        super().__init__(port, clock or SystemClock(), self._exchange, idle_close_s=idle_close_s)
        self._unit = unit
        self._inputs = [False] * inputs
        self._places = dict(places or E1210_MAP)
        self._analogue = analogue
        self._zeros = zeros or Zeros()
        self._fault: str | None = None
        self._exception = 0
        self._delay_s = 0.0
        self._only_input: int | None = None
        self._last_reply = b""
        self._answered = asyncio.Condition()
        self.asked: Counter[int] = Counter()

    async def set_input(self, number: int, on: bool) -> None:  # noqa: FBT001 (an input is on or off)
        """Set one input.

        Raises:
            ValueError: There is no such input.
        """
        if not 0 <= number < len(self._inputs):
            raise ValueError(f"input is 0 to {len(self._inputs) - 1}, not {number}")
        self._inputs[number] = on

    async def misbehave(
        self,
        fault: str | None,
        *,
        code: int = 2,
        by_s: float = 0.0,
        only_input: int | None = None,
    ) -> None:
        """Answer wrongly from the next request on; None: answer rightly again.

        With ``only_input`` it refuses only what asks for that input: one point that is not there.

        Raises:
            ValueError: No such fault.
        """
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"no fault {fault!r}; known are {', '.join(sorted(FAULTS))}")
        self._fault, self._exception, self._delay_s = fault, code, by_s
        self._only_input = only_input
        self._forgets_all = fault == "half_open"
        if self._forgets_all:
            self._forgotten.update(self._visits)

    async def requests(self, count: int) -> None:
        """Return when so many more requests have come and their answers, if any, are sent."""
        async with self._answered:
            until = self.asked.total() + count
            await self._answered.wait_for(lambda: self.asked.total() >= until)

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "set":
                only(command, "do", "input", "on")
                number = whole(command, "input", low=0, high=len(self._inputs) - 1)
                await self.set_input(number, flag(command, "on"))
            case "inputs":
                only(command, "do", "on")
                self._inputs[:] = picture(command.get("on"), len(self._inputs))
            case "flap":
                self._flap(command)
            case "current":
                only(command, "do", "input", "ma")
                self._set_current(command)
            case "fault" | "clear":
                await self._do_fault(command)
            case "drop":
                only(command, "do")
                await self.drop()
            case "unplug" | "plug" as verb:
                only(command, "do")
                if verb == "unplug":
                    await self.stop()
                elif self._server is None:
                    await self.start()
            case verb:
                raise ValueError(
                    f"do is set, inputs, flap, current, fault, clear, drop, unplug or plug, not {verb!r}"
                )

    def _flap(self, command: Mapping[str, object]) -> None:
        flapping = Flapping.of(command, len(self._inputs))
        self._start_beside(flapping.run(self._inputs, self._clock))

    def _set_current(self, command: Mapping[str, object]) -> None:
        if self._analogue is None:
            raise ValueError("this unit has no analogue inputs")
        currents_ma = self._analogue.currents_ma
        number = whole(command, "input", low=0, high=len(currents_ma) - 1)
        currents_ma[number] = milliamps(command, "ma")

    async def _do_fault(self, command: Mapping[str, object]) -> None:
        if command["do"] == "clear":
            only(command, "do")
            await self.misbehave(None)
            return
        only(command, "do", "fault", "code", "by_s", "input")
        fault = command.get("fault")
        if not isinstance(fault, str):
            raise ValueError(f"fault is one of {', '.join(sorted(FAULTS))}, not {fault!r}")  # noqa: TRY004
        code, by_s, only_input = measures_of(command, len(self._inputs))
        await self.misbehave(fault, code=code, by_s=by_s, only_input=only_input)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one request and answer it; return whether the connection goes on."""
        transaction, protocol, length, unit = HEADER.unpack(await self._head(reader, HEADER.size))
        if protocol != 0 or not SHORTEST_LENGTH <= length <= LONGEST_LENGTH:
            return False
        pdu = await reader.readexactly(length - 1)
        self.asked[pdu[0]] += 1
        right = Exchange(transaction, 0, unit, self._answer(unit, pdu))
        reply = FAULTS[self._fault](right, self._last_reply) if self._fault else right.frame()
        self._last_reply = right.frame()
        if asyncio.current_task() in self._forgotten:
            reply = b""
        await self._say(writer, reply)
        async with self._answered:
            self._answered.notify_all()
        return self._fault != "closes"

    async def _say(self, writer: asyncio.StreamWriter, reply: bytes) -> None:
        if self._fault == "late":
            await self._clock.sleep(self._delay_s)
        if self._fault == "slow":
            half = len(reply) // 2
            writer.write(reply[:half])
            await writer.drain()
            await self._clock.sleep(self._delay_s)
            reply = reply[half:]
        writer.write(reply)
        await writer.drain()

    def _answer(self, unit: int, pdu: bytes) -> bytes:
        if unit != self._unit:
            return refusal(pdu[0], GATEWAY_TARGET_SILENT)
        if self._fault == "exception" and (
            self._only_input is None or asks_for(pdu, self._only_input, self._places)
        ):
            return refusal(pdu[0], self._exception)
        zeros = self._zeros.answer(pdu)
        return zeros or answer(pdu, self._inputs, self._places, self._analogue)


def build(name: str, settings: Settings) -> IoUnit:
    """Return a unit from ``port``, ``inputs``, ``unit``, and ``function`` with ``address``.

    ``analogue`` is how many analogue inputs it has beside them, from ``analogue_address`` on; ``zeros`` are tables
    that are there and read 0, each as function, address and count.

    Raises:
        ValueError: A setting is wrong; the message says which.
    """
    del name
    only(
        settings,
        "port",
        "inputs",
        "unit",
        "function",
        "address",
        "zeros",
        "idle_close_s",
        *ANALOGUE,
    )
    places = None
    if "function" in settings:
        function = whole(settings, "function", low=1, high=4)
        places = {function: whole(settings, "address", low=0, high=65535, default=0)}
    elif "address" in settings:
        raise ValueError("address needs function beside it")
    return IoUnit(
        port=whole(settings, "port", low=0, high=65535, default=0),
        inputs=whole(settings, "inputs", low=1, high=MOST_INPUTS, default=16),
        unit=whole(settings, "unit", low=0, high=255, default=1),
        places=places,
        analogue=_analogue(settings),
        idle_close_s=seconds(settings, "idle_close_s", high=LONGEST_IDLE_S)
        if "idle_close_s" in settings
        else None,
        zeros=zeros_of(settings.get("zeros", [])),
    )


def _analogue(settings: Settings) -> Analogue | None:
    if "analogue" not in settings:
        if "analogue_address" in settings:
            raise ValueError("analogue_address needs analogue beside it")
        return None
    number = whole(settings, "analogue", low=1, high=MOST_ANALOGUE)
    address = whole(settings, "analogue_address", low=0, high=65535, default=E1242_ANALOGUE_ADDRESS)
    return Analogue(address, [0.0] * number)


def milliamps(fields: Mapping[str, object], name: str) -> float:
    """Return a current, in mA.

    Raises:
        ValueError: It is missing or something else.
    """
    value = fields.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= HIGHEST_MA:
        return float(value)
    raise ValueError(f"{name} is a current from 0 to {HIGHEST_MA:g} mA, not {value!r}")


SIMULATOR = SimulatorSpec(kind="io_unit", build=build)


def main() -> int:
    """Run one unit alone."""
    from simulators.runner import alone  # noqa: PLC0415 (the runner is not needed inside it)

    parser = argparse.ArgumentParser(prog="python -m simulators.io_unit", description=__doc__)
    parser.add_argument("--port", type=int, default=1502)
    parser.add_argument("--inputs", type=int, default=16)
    parser.add_argument("--unit", type=int, default=1)
    return alone(SIMULATOR, vars(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
