"""A Modbus driver on a clock that the test moves, against whatever listens on a real socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from daemon.drivers.api import Contact, DriverContext, TestLamp, Wiring
from daemon.drivers.modbus import ModbusConfig, build
from daemon.gate import CovertGate
from daemon.model import Provenance, Reading
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from daemon.drivers.modbus_unit import ModbusUnit
    from daemon.gate import Gate

POLL_S = 0.125
"""A power of two, so that a thousand polls add up to what they should."""

DOORS = (
    Contact("d01", (0,), Wiring.NC),
    Contact("d02", (1,), Wiring.NO),
    Contact("d04", (4, 5), Wiring.DOUBLE),
)
LAMP = TestLamp("p1_lamp", 14, lit_when=True)


class PollClock(ManualClock):
    """Tells when the driver has done a poll: it goes to sleep then."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = asyncio.Semaphore(0)
        self.asked_for: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.asked_for.append(seconds)
        self.slept.release()
        await super().sleep(seconds)


class Rig:
    """One driver, what it has emitted, and the hand on its clock."""

    def __init__(
        self,
        port: int,
        *,
        contacts: tuple[Contact, ...] = DOORS,
        lamps: tuple[TestLamp, ...] = (),
        gate: Gate | None = None,
        clock: PollClock | None = None,
        **config: object,
    ) -> None:
        self.clock = clock or PollClock()
        self.emitted: list[Reading] = []
        self.driver: ModbusUnit = build(
            config_for(port, **config),
            DriverContext(
                device="io1",
                clock=self.clock,
                gate=gate or CovertGate(self.clock),
                provenance=Provenance.LIVE,
                contacts=contacts,
                test_lamps=lamps,
            ),
        )
        self.task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """Run the driver; its first poll is done on entry."""
        self.task = asyncio.create_task(self.driver.run(self.emitted.append))
        try:
            await self.slept()
            yield self
        finally:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def poll(self, times: int = 1, *, every_s: float = POLL_S) -> list[Reading]:
        """Let the driver poll again; return what it emitted meanwhile."""
        before = len(self.emitted)
        for _ in range(times):
            await self.clock.advance(every_s)
            await self.slept()
        return self.emitted[before:]

    async def fails(self) -> BaseException:
        """Let the next poll come due; return what ended the driver."""
        assert self.task is not None
        await self.clock.advance(POLL_S)
        await asyncio.wait({self.task}, timeout=PATIENCE_S)
        assert self.task.done(), "the driver goes on"
        error = self.task.exception()
        assert error is not None
        return error

    async def slept(self) -> None:
        """Return when the driver has done with its poll; raise what ended it."""
        assert self.task is not None
        slept = asyncio.ensure_future(self.clock.slept.acquire())
        await asyncio.wait(
            {slept, self.task}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
        )
        if slept.done():
            return
        slept.cancel()
        assert self.task.done(), "the driver neither polls nor ends"
        self.task.result()


def config_for(port: int, **config: object) -> ModbusConfig:
    fields = {"host": "127.0.0.1", "poll_s": POLL_S, "timeout_s": 2.0, **config}
    fields.setdefault("profile", "moxa-iologik-e1210")
    return ModbusConfig.model_validate({"kind": "modbus_tcp", "port": port, **fields})


def told(readings: list[Reading]) -> list[tuple[str, object]]:
    return [(reading.point, reading.value) for reading in readings]
