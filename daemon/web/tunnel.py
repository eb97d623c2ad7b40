"""How does a page reach a broker whose WebSocket speaks no MQTT 5? By its TCP port: bytes are carried, none is read.

For a demonstration alone: the broker there lets everybody in, so only a page of this computer is served. What a command
has to carry (its expiry) goes from the page to the broker as it is, and nothing has to be asked less strictly.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from daemon.web.settings import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST: Final = "127.0.0.1"
LARGEST_MESSAGE: Final = 1024 * 1024
"""Of a page; its commands have some hundred bytes."""
AT_ONCE: Final = 64 * 1024
"""Bytes of the broker that are handed on at once."""


@asynccontextmanager
async def tunnel(port: int) -> AsyncIterator[int]:
    """Carry pages' WebSockets to a TCP port of this computer; yield where they come in."""

    async def carry(request: web.BaseRequest) -> web.StreamResponse:
        return await _carry(request, port)

    server = web.Server(carry, access_log=None)
    listening = await asyncio.get_running_loop().create_server(server, HOST, 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await server.shutdown(timeout=1.0)


async def _carry(request: web.BaseRequest, port: int) -> web.StreamResponse:
    if urlsplit(request.headers.get("Origin", "")).hostname not in LOOPBACK:
        return web.Response(status=403, text="for pages of this computer\n")
    page = web.WebSocketResponse(protocols=("mqtt",), max_msg_size=LARGEST_MESSAGE)
    if not page.can_prepare(request):
        return web.Response(status=426, text="a WebSocket for MQTT, and nothing else\n")
    await page.prepare(request)
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except (
        OSError
    ):  # the broker is not there: the page is told by the end of its connection, and tries again
        await page.close()
        return page
    down = asyncio.ensure_future(_down(reader, page))
    try:
        with suppress(OSError):
            async for message in page:
                if message.type is WSMsgType.BINARY:
                    writer.write(message.data)
                    await writer.drain()
    finally:
        down.cancel()
        writer.close()
        await asyncio.gather(down, return_exceptions=True)
    return page


async def _down(reader: asyncio.StreamReader, page: web.WebSocketResponse) -> None:
    """Hand on what the broker says; end the page's connection with the broker's."""
    with suppress(OSError):
        while said := await reader.read(AT_ONCE):
            await page.send_bytes(said)
    await page.close()
