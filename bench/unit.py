"""The simulated unit, which says when it answered with what it was told to show.

On standard input ``open`` or ``shut`` a line: what its seal contact (inputs 6 and 7) shows from the next request on.
On standard output first its port, then for each line the moment (CLOCK_MONOTONIC, in ns) at which the first answer
with it was handed to the kernel.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

from simulators.input_lines import read_lines
from simulators.io_unit import IoUnit

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

SEAL_CLOSED, SEAL_OPEN = 6, 7
ALL_SHUT = (2, 3, 4, SEAL_CLOSED)


class TellingUnit(IoUnit):
    """Tells when the first answer after a change has gone out."""

    changed = False
    answering = False

    async def show(self, *, opened: bool) -> None:
        await self.set_input(SEAL_CLOSED, not opened)
        await self.set_input(SEAL_OPEN, opened)
        self.changed = True

    def _answer(self, unit: int, pdu: bytes) -> bytes:
        self.answering, self.changed = self.changed, False
        return super()._answer(unit, pdu)

    async def _exchange(self, reader: StreamReader, writer: StreamWriter) -> bool:
        goes_on = await super()._exchange(reader, writer)
        if self.answering:
            self.answering = False
            print(time.monotonic_ns(), flush=True)
        return goes_on


async def main() -> None:
    unit = TellingUnit()
    await unit.start()
    for number in ALL_SHUT:
        await unit.set_input(number, on=True)
    print(unit.port, flush=True)
    async for line in read_lines(sys.stdin.fileno()):
        await unit.show(opened=line == b"open")
    await unit.stop()


asyncio.run(main())
