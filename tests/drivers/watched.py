"""A driver that says what it waits for: a clock that the test moves, or an answer that takes real time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.model import Provenance
from daemon.supervision.supervise import Supervisor
from tests.clocks import FixedEntropy

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from daemon.drivers.api import Driver, DriverSpec, Emit, PointSpec
    from tests.clocks import ManualClock


class OwnClock:
    """The test's clock as one driver is given it: knows whether that driver waits for it."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.waits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    async def sleep(self, seconds: float) -> None:
        self.waits += 1
        try:
            await self._clock.sleep(seconds)
        finally:
            self.waits -= 1

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        self.waits += 1
        try:
            return await self._clock.wait(event, seconds)
        finally:
            self.waits -= 1


class Watched:
    """A driver whose clock is an ``OwnClock``."""

    def __init__(self, driver: Driver, clock: OwnClock) -> None:
        self._driver = driver
        self._clock = clock
        self._runs = False
        self.health = driver.health

    @property
    def is_busy(self) -> bool:
        """Whether it waits for somebody else than the clock: time must not pass meanwhile."""
        return self._runs and not self._clock.waits

    def points(self) -> Iterable[PointSpec]:
        return self._driver.points()

    async def run(self, emit: Emit) -> None:
        self._runs = True
        try:
            await self._driver.run(emit)
        finally:
            self._runs = False


def supervised(
    driver: Any, spec: DriverSpec, clock: ManualClock, *, device: str, **how: Any
) -> Supervisor:
    """Return a live device under a supervisor, with jitter that is always the same."""
    return Supervisor(
        device=device,
        driver=driver,
        spec=spec,
        provenance=Provenance.LIVE,
        clock=clock,
        entropy=FixedEntropy(),
        **how,
    )
