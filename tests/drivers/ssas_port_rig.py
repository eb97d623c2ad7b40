"""An SSAS unit on a pty, a driver that may listen to it, and the gate between; time is moved by hand."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sys
import termios
import tty
from pathlib import Path

from daemon.drivers import ssas_at, ssas_text
from daemon.drivers.api import DriverContext, DriverSpec
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import Provenance, Reading
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S

WINDOW_S = 600.0
SETTLE_S = 0.5
JRC = {"kind": "ssas_text", "profile": "jrc-jue-95sa-text"}
MODEM = {"kind": "ssas_at", "profile": "iridium-sbd"}


def spec_of(profile: dict[str, str]) -> DriverSpec:
    return {"ssas_text": ssas_text.DRIVER, "ssas_at": ssas_at.DRIVER}[profile["kind"]]


class PassThrough:
    """A gate that admits everything: what must show that the gate is what decides."""

    def __init__(self, gate: CovertGate) -> None:
        self._gate = gate
        self.wait_open, self.wait_closed, self.is_open = (
            gate.wait_open,
            gate.wait_closed,
            gate.is_open,
        )

    def admits(self, **_: object) -> bool:
        return True


class Heard:
    """What a driver emitted."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self._came = asyncio.Event()

    def __call__(self, reading: Reading) -> None:
        self.readings.append(reading)
        self._came.set()

    async def count(self, wanted: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.readings) < wanted:
                self._came.clear()
                await self._came.wait()


class ListenerClock(ManualClock):
    """A clock that tells when the driver has begun to let the line settle: the port is open then."""

    def __init__(self) -> None:
        super().__init__()
        self.settling = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.settling.set()
        await super().sleep(seconds)


class Unit:
    """The unit, the driver and the gate."""

    def __init__(
        self, profile: dict[str, str] = JRC, *, pass_through: bool = False, **config: object
    ) -> None:
        self.device, self._port = os.openpty()
        tty.setraw(self._port)
        os.set_blocking(self.device, False)
        self.path = os.ttyname(self._port)
        self.clock = ListenerClock()
        self.gate = CovertGate(self.clock)
        gate = PassThrough(self.gate) if pass_through else self.gate
        link = {"kind": "serial", "port": self.path, **config}
        spec = spec_of(profile)
        self.driver = spec.build(
            spec.config.model_validate({**profile, "link": link}),
            DriverContext("ssas", self.clock, gate, Provenance.SIMULATED),
        )
        self.heard = Heard()
        self.task = asyncio.create_task(self.driver.run(self.heard))

    def is_listened_to(self) -> bool:
        """Return whether anybody but this unit has the port open."""
        count = 0
        for entry in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                count += str(entry.readlink()) == self.path
        return count > 1

    async def until_listened_to(self, is_listened_to: bool) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.is_listened_to() is not is_listened_to:  # noqa: ASYNC110 (the kernel's list)
                await asyncio.sleep(0)

    async def open_window(self, *, settle: bool = True) -> None:
        self.clock.settling.clear()
        self.gate.open(duration_s=WINDOW_S, opened_by=("Master", "SSO"))
        async with asyncio.timeout(PATIENCE_S):
            await self.clock.settling.wait()
        assert self.is_listened_to()
        if settle:
            await self.clock.advance(SETTLE_S)

    def say(self, data: bytes) -> None:
        assert os.write(self.device, data) == len(data)

    async def until_held(self, size: int) -> None:
        """Return when the line holds so many bytes that nobody has read."""
        held = bytearray(4)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                fcntl.ioctl(self._port, termios.FIONREAD, held)
                if int.from_bytes(held, sys.byteorder) == size:
                    return
                await asyncio.sleep(0)

    async def close(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, LinkError):
            await self.task
        assert not self.is_listened_to()
        for descriptor in (self.device, self._port):
            os.close(descriptor)
