"""A unit of the ship's network with a page: an access controller, a recorder. It answers HEAD and GET, and can fail.

Written from RFC 9112: one request, one answer, the connection closed. Alone: ``python -m simulators.web_unit``.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import SimulatorSpec, only, whole
from simulators.tcp_unit import TcpUnit

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from daemon.computer.clock import Clock
    from simulators.api import Settings

BODY = b"sign in\n"
LONGEST_REQUEST_BYTES = 4096


class WebUnit(TcpUnit):
    """One unit on loopback.

    Attributes:
        status: What it answers; 0: nothing at all.
        requests: The first line of each request, as it came.
    """

    def __init__(self, port: int = 0, *, status: int = 401, clock: Clock | None = None) -> None:
        super().__init__(port, clock or SystemClock(), self._answer, idle_close_s=None)
        self.status = status
        self.requests: list[str] = []

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "status":
                only(command, "do", "code")
                self.status = whole(command, "code", low=0, high=599)
            case "unplug" | "plug" as verb:
                only(command, "do")
                if verb == "unplug":
                    await self.stop()
                elif self._server is None:
                    await self.start()
            case verb:
                raise ValueError(f"do is status, unplug or plug, not {verb!r}")

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        if len(head) > LONGEST_REQUEST_BYTES:
            return False
        line = head.split(b"\r\n", 1)[0].decode("ascii", "replace")
        self.requests.append(line)
        if self.status == 0:
            await reader.read()  # until the visitor goes
            return False
        says = (
            f"HTTP/1.1 {self.status} .\r\nContent-Length: {len(BODY)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(says.encode("ascii"))
        if not line.startswith("HEAD "):
            writer.write(BODY)
        await writer.drain()
        return False


def build(name: str, settings: Settings) -> WebUnit:
    """Return a unit from ``port`` and ``status``.

    Raises:
        ValueError: A setting is wrong; the message says which.
    """
    del name
    only(settings, "port", "status")
    return WebUnit(
        whole(settings, "port", low=0, high=65535, default=0),
        status=whole(settings, "status", low=0, high=599, default=401),
    )


SIMULATOR = SimulatorSpec(kind="web_unit", build=build)


def main() -> int:
    """Run one unit alone."""
    from simulators.runner import alone  # noqa: PLC0415 (the runner is not needed inside it)

    parser = argparse.ArgumentParser(prog="python -m simulators.web_unit", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    return alone(SIMULATOR, vars(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
