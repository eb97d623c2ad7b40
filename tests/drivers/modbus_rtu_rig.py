"""Units on one RTU bus, on a clock that the test moves, against whatever is at the other end of a pty."""

from __future__ import annotations

import asyncio
import fcntl
import heapq
import sys
import termios
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from daemon.drivers.api import Contact, DriverContext, Shared, TestLamp, Wiring
from daemon.drivers.links import SerialLink
from daemon.drivers.modbus_rtu import DRIVER, ModbusRtuConfig, build
from daemon.gate import CovertGate
from daemon.model import Provenance, Reading
from daemon.supervision.supervise import DeviceStatus, Supervisor
from simulators.rtu_line import RtuLine, Unit
from tests.clocks import FixedEntropy, ManualClock
from tests.soon import soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from daemon.drivers.links import Link
    from daemon.drivers.modbus_unit import ModbusUnit
    from daemon.gate import Gate

POLL_S = 0.5
TIMEOUT_S = 0.25
LONGEST_STEP_S = 0.05
"""Less than any time-out: a port is opened in a thread, and may ask its first question meanwhile."""
SAME_S = 1e-6
PROFILE = "waveshare-rtu-relay-d"
DOORS = (
    Contact("d11", (0, 1), Wiring.DOUBLE),
    Contact("d12", (3,), Wiring.NC),
)


class CountedLine(RtuLine):
    """Counts what goes out to us."""

    said_bytes = 0

    def _say(self, words: bytes) -> None:
        self.said_bytes += len(words)
        super()._say(words)


class BusClock(ManualClock):
    """Knows when the line waits for an answer: nothing else of the driver waits for an event."""

    def __init__(self) -> None:
        super().__init__()
        self.simulator: CountedLine | None = None
        self.is_waiting = False
        self.turns = 0
        self.unanswered_before = 0
        self.said_bytes_before = 0
        self._until_s = 0.0

    async def wake_one(self, most_s: float) -> None:
        """Let time pass to the next sleeper and wake him alone, or by as much as there is."""
        await self.let_others_run()
        end_s = self.now_s() + most_s
        due_s = self.next_due_s()
        if due_s is None or due_s > end_s:
            self._move_to(end_s)
        else:
            self._move_to(max(due_s, self.now_s()))
            heapq.heappop(self._sleepers)[2].set_result(None)
        await self.let_others_run()

    async def let_others_run(self) -> None:
        """Give every ready task of the loop several turns; no time passes, and no sleeper wakes."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        assert self.simulator is not None
        until_s = self.now_s() + (seconds or 0.0)
        if abs(until_s - self._until_s) > SAME_S:  # a new question, not more of the same answer
            self._until_s = until_s
            self.unanswered_before = self.simulator.unanswered.total()
            self.said_bytes_before = self.simulator.said_bytes
        self.is_waiting = True
        self.turns += 1
        try:
            return await super().wait(event, seconds)
        finally:
            self.is_waiting = False
            self.turns += 1


class Bus:
    """One bus of the daemon, its units by id, and the simulator at its other end.

    Time passes only while no answer is on its way, so that how fast this machine is makes no difference.
    """

    def __init__(self, units: list[Unit] | None = None, *, path: Path | None = None) -> None:
        self.clock = BusClock()
        self.simulator = CountedLine(units or [Unit(5, [False] * 8)], link=path, clock=self.clock)
        self.clock.simulator = self.simulator
        self.shared = Shared()
        self.gate = CovertGate(self.clock)
        self.link: Link | None = None
        self.emitted: list[Reading] = []

    def driver(
        self,
        unit: int = 5,
        *,
        contacts: tuple[Contact, ...] = DOORS,
        lamps: tuple[TestLamp, ...] = (),
        gate: Gate | None = None,
        **config: object,
    ) -> ModbusUnit:
        link = self.link or SerialLink(kind="serial", port=self.simulator.endpoint, baud=9600)
        context = DriverContext(
            device=f"rtu{unit}",
            clock=self.clock,
            gate=gate or self.gate,
            provenance=Provenance.LIVE,
            contacts=contacts,
            test_lamps=lamps,
            buses={"rtu1": link},
            shared=self.shared,
        )
        return build(config_for(unit, **config), context)

    @asynccontextmanager
    async def started(self) -> AsyncIterator[Bus]:
        await self.simulator.start()
        try:
            yield self
        finally:
            await self.simulator.stop()

    @asynccontextmanager
    async def running(self, *drivers: ModbusUnit) -> AsyncIterator[list[asyncio.Task[None]]]:
        """Run drivers without a supervisor; each has done its first poll on entry."""
        tasks = [asyncio.create_task(driver.run(self.emitted.append)) for driver in drivers]
        try:
            await self.until(lambda: all(d.health.last_good_s is not None for d in drivers))
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def supervised(self, driver: ModbusUnit, statuses: list[DeviceStatus]) -> Supervisor:
        return Supervisor(
            device=driver.points()[0].id,
            driver=driver,
            spec=DRIVER,
            silent_after_s=10.0,
            lost_alert="io.unit_lost",
            provenance=Provenance.LIVE,
            clock=self.clock,
            entropy=FixedEntropy(),
            emit=self.emitted.append,
            on_status=statuses.append,
        )

    async def until(self, condition: Callable[[], object], *, within_s: float = 60.0) -> None:
        """Let time pass until it is so."""
        until_s = self.clock.now_s() + within_s
        while not condition():
            assert self.clock.now_s() < until_s, f"not within {within_s} s"
            await self.step(LONGEST_STEP_S)

    async def pass_time(self, seconds: float) -> list[Reading]:
        """Let time pass; return what was emitted meanwhile."""
        before = len(self.emitted)
        until_s = self.clock.now_s() + seconds
        while (left_s := until_s - self.clock.now_s()) > 0:
            await self.step(min(left_s, LONGEST_STEP_S))
        while (due_s := self.clock.next_due_s()) is not None and due_s <= self.clock.now_s():
            await self.step(0.0)
        return self.emitted[before:]

    async def step(self, most_s: float) -> None:
        """Let time pass to the next thing that waits for it, and the bytes come to rest.

        Of several that wait for the same moment one goes on alone: else the next would be on its way, or not
        yet, by how fast this machine brings the answer to the first.
        """
        await self._rest()
        await self.clock.wake_one(most_s)
        await self._rest()

    async def _rest(self) -> None:
        """Return when an answer that came has led to all that it leads to without time."""
        turns = -1
        while turns != self.clock.turns:
            await soon(self._is_at_rest)
            turns = self.clock.turns
            await self.clock.let_others_run()

    def _is_at_rest(self) -> bool:
        """Return whether no port is being opened and no answer on its way: only time can go on."""
        line = self.shared._things.get("modbus_rtu rtu1")
        if line is None:
            return True
        if line._port is None:
            return not line._turn.locked()
        if not self.clock.is_waiting:
            return True
        missing = self.simulator.said_bytes - self.clock.said_bytes_before
        is_spoilt = self.simulator.unanswered.total() > self.clock.unanswered_before
        return is_spoilt and len(line._port._received) >= missing

    def unread_bytes(self) -> int:
        """Return how many bytes wait at our end of the line."""
        assert self.simulator._pty is not None
        return int.from_bytes(
            fcntl.ioctl(self.simulator._pty.port, termios.FIONREAD, bytes(4)), sys.byteorder
        )


def config_for(unit: int, **config: object) -> ModbusRtuConfig:
    fields = {"profile": PROFILE, "poll_s": POLL_S, "timeout_s": TIMEOUT_S, **config}
    return ModbusRtuConfig.model_validate(
        {"kind": "modbus_rtu", "bus": "rtu1", "unit": unit, **fields}
    )
