"""Signal K's server, from npm: ``make bench-peers``. No plug-in is on; one client hears all deltas, or none does."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from bench.peers.product import LISTENING_S, Heard, NotMeasuredError, Product, running
from daemon.mqtt.embedded import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOME = Path(__file__).parent / "signalk"
SERVER = HOME / "node_modules" / "signalk-server"
LOOK_S = 0.1
ANSWER_S = 20.0


def version() -> str:
    """Return its version, empty where it is not installed or no Node is there."""
    package = SERVER / "package.json"
    if not package.exists() or shutil.which("node") is None:
        return ""
    return str(json.loads(package.read_text("utf-8"))["version"])


@asynccontextmanager
async def reading(folder: Path, ais_port: int, nav_port: int) -> AsyncIterator[Product]:
    """Run it on both ports, with a client that hears all."""
    async with _running(folder, ais_port, nav_port) as (pid, port), aiohttp.ClientSession() as http:
        stream = f"ws://127.0.0.1:{port}/signalk/v1/stream?subscribe=all"
        async with http.ws_connect(stream, max_msg_size=0) as deltas:
            heard = Heard()
            listening = asyncio.create_task(_listen(heard, deltas))
            try:
                yield Product(pid, heard.ship)
            finally:
                listening.cancel()


@asynccontextmanager
async def reading_unheard(folder: Path, ais_port: int, nav_port: int) -> AsyncIterator[Product]:
    """Run it on both ports, with nobody who hears it: at its cheapest."""
    async with _running(folder, ais_port, nav_port) as (pid, port):
        yield Product(pid, lambda mmsi, _: _known(f"{_api(port)}/urn:mrn:imo:mmsi:{mmsi}/mmsi"))


async def _listen(heard: Heard, deltas: aiohttp.ClientWebSocketResponse) -> None:
    async for message in deltas:
        heard.line(str(message.data).encode())


def _api(port: int) -> str:
    return f"http://127.0.0.1:{port}/signalk/v1/api/vessels"


@asynccontextmanager
async def _running(folder: Path, ais_port: int, nav_port: int) -> AsyncIterator[tuple[int, int]]:
    node = shutil.which("node")
    if not version() or node is None:
        raise NotMeasuredError("signalk-server is not installed (make bench-peers)")
    port = free_port()
    settings = {
        "interfaces": {},
        "mdns": False,
        "port": port,
        "pipedProviders": [_provider("ais", ais_port), _provider("nav", nav_port)],
    }
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    env = {
        **os.environ,
        "SIGNALK_NODE_CONFIG_DIR": str(folder),
        "SIGNALK_DISABLE_SERVER_UPDATES": "true",
        "PORT": str(port),
        "HOME": str(folder),
    }
    program = str(SERVER / "bin" / "signalk-server")
    async with running(folder / "signalk.log", node, program, env=env, cwd=folder) as pid:
        async with asyncio.timeout(LISTENING_S):
            await _known(
                f"{_api(port)}/self/navigation/position"
            )  # then both providers are connected
        yield pid, port


async def _known(url: str) -> None:
    while await asyncio.to_thread(_asked, url) is None:  # noqa: ASYNC110 - it is another process that knows
        await asyncio.sleep(LOOK_S)


def _provider(name: str, port: int) -> dict[str, object]:
    link = {"type": "tcp", "host": "127.0.0.1", "port": str(port)}
    options = {"type": "NMEA0183", "subOptions": link, "logging": False}
    return {
        "id": name,
        "enabled": True,
        "pipeElements": [{"type": "providers/simple", "options": options}],
    }


def _asked(url: str) -> object:
    """Return what it answers, None where it has no such thing yet."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None
