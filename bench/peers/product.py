"""A whole product in a process of its own, as it is measured: what it takes, and when it has read all."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from daemon.computer.leash import leashed
from daemon.simulate.processes import finish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    Read: TypeAlias = Callable[[int, float], Awaitable[None]]

LISTENING_S = 90.0


class NotMeasuredError(Exception):
    """A peer is not installed, or does not do here what is to be measured: the row says why."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product that runs.

    Attributes:
        read: Returns when its clients can see a ship by this MMSI, or own ship at this speed in knots: it has read
            what came before.
    """

    pid: int
    read: Read


class Heard:
    """Notes when a client was told of a ship, without taking apart what it is told: that costs the computer, too."""

    def __init__(self) -> None:
        self._wanted = b""
        self._found = asyncio.Event()

    async def ship(self, mmsi: int, _speed_kn: float) -> None:
        """Return when she was told of."""
        self._wanted = str(mmsi).encode()
        self._found.clear()
        await self._found.wait()

    def line(self, line: bytes) -> None:
        if self._wanted and self._wanted in line:
            self._found.set()


@asynccontextmanager
async def running(
    log: Path, *command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> AsyncIterator[int]:
    """Run a program; give its process id, and end it."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *leashed(*command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        await asyncio.shield(finish(process))
