"""gpsd, from Debian, with one client that wants everything as JSON."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bench.peers.product import LISTENING_S, Heard, NotMeasuredError, Product, running
from daemon.mqtt.embedded import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
"""Debian puts it where not every user looks."""
WATCH = b'?WATCH={"enable":true,"json":true};\n'
LONGEST_LINE = 1 << 20


def program() -> str | None:
    return shutil.which("gpsd", path=PATH)


def version() -> str:
    """Return its version, empty where it is not installed."""
    found = program()
    if found is None:
        return ""
    said = subprocess.run([found, "-V"], check=False, stdout=subprocess.PIPE, text=True).stdout
    number = re.search(r"(\d+\.\d+\S*)", said)
    return number[1] if number else ""


@asynccontextmanager
async def reading(folder: Path, ais_port: int, nav_port: int) -> AsyncIterator[Product]:
    """Run it on both ports."""
    found = program()
    if found is None:
        raise NotMeasuredError("gpsd is not installed")
    port = free_port()
    sources = [f"tcp://127.0.0.1:{each}" for each in (ais_port, nav_port)]
    async with running(folder / "gpsd.log", found, "-N", "-n", "-S", str(port), *sources) as pid:
        reader, writer = await _connected(port)
        writer.write(WATCH)
        heard = Heard()
        listening = asyncio.create_task(_listen(heard, reader))
        try:
            yield Product(pid, heard.ship)
        finally:
            listening.cancel()
            writer.close()


async def _listen(heard: Heard, reader: asyncio.StreamReader) -> None:
    while line := await reader.readline():
        heard.line(line)


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(LISTENING_S):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port, limit=LONGEST_LINE)
            except OSError:
                await asyncio.sleep(0.05)
