"""Somebody at the broker who keeps to no library's manners: bytes over TLS, or over WebSocket and TLS, as he likes."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp

from tests.broker import packets
from tests.broker.packets import Kind, Packet
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

HOST = "127.0.0.1"


class Way(Protocol):
    """A stream of bytes both ways."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes: ...

    async def close(self) -> None: ...


class Tcp:
    """MQTT as it is, with TLS where a context is given."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext | None) -> Tcp:
        name = HOST if context is not None else None
        return cls(*await asyncio.open_connection(HOST, port, ssl=context, server_hostname=name))

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> bytes:
        return await self._reader.read(65536)

    async def close(self) -> None:
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()


class WebSocket:
    """MQTT in binary messages, as a page sends it."""

    def __init__(
        self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self._session, self._socket = session, socket

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext | None) -> WebSocket:
        session = aiohttp.ClientSession()
        scheme = "ws" if context is None else "wss"
        try:
            socket = await session.ws_connect(
                f"{scheme}://{HOST}:{port}/mqtt", ssl=context or False, protocols=("mqtt",)
            )
        except BaseException:
            await session.close()
            raise
        return cls(session, socket)

    async def send(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    async def receive(self) -> bytes:
        message = await self._socket.receive()
        return message.data if message.type is aiohttp.WSMsgType.BINARY else b""

    async def close(self) -> None:
        with suppress(OSError):
            async with asyncio.timeout(1):
                await self._socket.close()
        await self._session.close()


class Attacker:
    """Sends packets, and keeps every one that comes."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.heard: list[Packet] = []
        self.is_out = asyncio.Event()
        """The broker has hung up."""
        self._news = asyncio.Event()
        self._ids = 0

    async def listen(self) -> None:
        buffer = bytearray()
        with suppress(OSError):
            while data := await self.way.receive():
                buffer += data
                for raw in packets.split(buffer):
                    packet = packets.decode(raw)
                    if packet.kind is Kind.PUBLISH and packet["qos"]:
                        await self.send(packets.puback(packet.id))
                    self.heard.append(packet)
                    self._news.set()
        self.is_out.set()
        self._news.set()

    async def send(self, data: bytes) -> None:
        """Send bytes; that nobody is there any more shows in ``is_out``."""
        with suppress(OSError):
            await self.way.send(data)

    async def said(self, kind: Kind, id_: int = 0) -> Packet | None:
        """Return the broker's answer of that kind; None where it hung up instead."""

        def answers() -> list[Packet]:
            return [each for each in self.heard if each.kind is kind and each.id == id_]

        await self.until(lambda: answers() or self.is_out.is_set())
        return next(iter(answers()), None)

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something is true of what was heard."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def enter(self, client_id: str = "", **how: Any) -> int | None:
        """Say CONNECT; return the broker's reason, None where it hangs up without a word."""
        await self.send(packets.connect(client_id, **how))
        answer = await self.said(Kind.CONNACK)
        return None if answer is None else answer.reason

    async def publish(self, topic: str | bytes, payload: bytes = b"{}", **how: Any) -> int | None:
        """Publish with QoS 1; return the broker's reason, None where it hangs up."""
        self._ids += 1
        await self.send(packets.publish(topic, payload, id_=self._ids, **how))
        answer = await self.said(Kind.PUBACK, self._ids)
        return None if answer is None else answer.reason

    async def subscribe(self, *filters: str, **how: Any) -> list[int] | None:
        """Subscribe; return the broker's reasons, None where it hangs up."""
        self._ids += 1
        await self.send(packets.subscribe(filters, id_=self._ids, **how))
        answer = await self.said(Kind.SUBACK, self._ids)
        return None if answer is None else answer["reasons"]

    async def goodbye(self) -> int | None:
        """Wait until the broker hangs up; return the reason that it gives in a DISCONNECT, None where it gives none."""
        async with asyncio.timeout(PATIENCE_S):
            await self.is_out.wait()
        said = [packet for packet in self.heard if packet.kind is Kind.DISCONNECT]
        return said[0].reason if said else None

    def delivered(self) -> list[Packet]:
        """Return what was delivered."""
        return [packet for packet in self.heard if packet.kind is Kind.PUBLISH]

    def topics(self) -> set[str]:
        return {packet["topic"] for packet in self.delivered()}


@asynccontextmanager
async def attacker(
    port: int, *, authority: Path | None, websocket: bool = False
) -> AsyncIterator[Attacker]:
    """Come to a listener, with TLS where it has an authority; nothing is said yet."""
    context = None if authority is None else ssl.create_default_context(cafile=str(authority))
    way: Way = await (WebSocket if websocket else Tcp).open(port, context)
    one = Attacker(way)
    listening = asyncio.ensure_future(one.listen())
    try:
        yield one
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await way.close()
