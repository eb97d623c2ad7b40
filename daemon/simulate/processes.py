"""The processes beside us, simulators and a daemon: started, spoken to, and gone within two seconds, whatever comes."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from daemon.computer.leash import leashed
from daemon.errors import IspsdError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

STOP_S = 1.6
START_S = 20.0


class Simulators:
    """The simulated devices, in a process of their own (``python -m simulators``)."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.endpoints: dict[str, str] = {}
        self._speaking = asyncio.Lock()

    async def ready(self) -> None:
        """Return when every device can be reached.

        Raises:
            IspsdError: One of them could not start.
        """
        while True:
            said = await self._next()
            if "error" in said:
                raise IspsdError(f"simulators: {said['error']}")
            if said.get("ready") == "all":
                return
            self.endpoints[str(said["ready"])] = str(said["endpoint"])

    async def do(self, unit: str, verb: str, **arguments: object) -> None:
        """Have a device do something.

        Raises:
            IspsdError: It cannot.
        """
        command = {"unit": unit, "do": verb, **arguments}
        if self._process.stdin is None:
            raise IspsdError("simulators: no way to speak to them")
        async with self._speaking:  # an answer belongs to the command before it
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            await self._process.stdin.drain()
            said = await self._next()
        if "error" in said:
            raise IspsdError(f"simulators: {said['error']}")

    def port(self, unit: str) -> str:
        """Return the TCP port of a device."""
        return self.endpoints[unit].rpartition(":")[2]

    async def _next(self) -> Mapping[str, object]:
        if self._process.stdout is None:
            raise IspsdError("simulators: no way to hear them")
        line = await self._process.stdout.readline()
        if not line:
            raise IspsdError("simulators: ended too early")
        said: dict[str, object] = json.loads(line)
        return said


@asynccontextmanager
async def simulators(config: Path) -> AsyncIterator[Simulators]:
    """Run the simulated devices of a file.

    Raises:
        IspsdError: They could not start.
    """
    async with child("-m", "simulators", str(config)) as process:
        devices = Simulators(process)
        try:
            async with asyncio.timeout(START_S):
                await devices.ready()
        except TimeoutError as err:
            raise IspsdError(f"simulators: not ready within {START_S:g} s") from err
        yield devices


@asynccontextmanager
async def daemon_process(config: Path, log: Path) -> AsyncIterator[Process]:
    """Run ``ispsd run``; what it logs goes to a file."""
    async with child("-m", "daemon", "run", "--config", str(config), log=log) as process:
        yield process


async def finish(process: Process) -> int:
    """End a process in good order, or by force when it does not listen; return its exit code."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
    return await process.wait()


@asynccontextmanager
async def child(*words: str, log: Path | None = None) -> AsyncIterator[Process]:
    """Run Python; in a session of its own, so that Ctrl-C reaches us first and we end it in order."""
    errors = log.open("ab") if log is not None else None
    try:
        process = await asyncio.create_subprocess_exec(
            *leashed(sys.executable, *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    finally:
        if errors is not None:
            errors.close()
    try:
        yield process
    finally:
        await asyncio.shield(finish(process))
