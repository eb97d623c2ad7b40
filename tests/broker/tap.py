"""A cable to the broker that reads along: every packet both ways is held against MQTT 5, plain or in a WebSocket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.broker import packets
from tests.broker.conversation import Conversation
from tests.broker.packets import Violation

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
CONTINUATION, TEXT, BINARY = 0, 1, 2
CONTROL = 8


class Frames:
    """The binary messages of one direction of a WebSocket (RFC 6455), behind its HTTP header."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_open = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the wire; return what they carry.

        Raises:
            Violation: It is text, or compressed, so that nobody could read along.
        """
        self._buffer += data
        if not self._is_open:
            head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not end:
                return b""
            if (
                b"sec-websocket-accept" in head.lower()
                and b"sec-websocket-extensions" in head.lower()
            ):
                raise Violation("a WebSocket that is compressed")
            self._buffer, self._is_open = bytearray(rest), True
        carried = bytearray()
        while (frame := self._frame()) is not None:
            carried += frame
        return bytes(carried)

    def _frame(self) -> bytes | None:
        raw = self._buffer
        if len(raw) < 2:
            return None
        length, at = raw[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(raw) < at + size:
                return None
            length, at = int.from_bytes(raw[at : at + size], "big"), at + size
        mask = b""
        if raw[1] & 0x80:
            mask, at = bytes(raw[at : at + 4]), at + 4
        if len(raw) < at + length:
            return None
        body = bytes(raw[at : at + length])
        opcode = raw[0] & 0x0F
        del raw[: at + length]
        if opcode == TEXT:
            raise Violation("MQTT in a text frame [6.0.0-1]")
        if opcode >= CONTROL:
            return b""
        return bytes(byte ^ mask[index % 4] for index, byte in enumerate(body)) if mask else body


@dataclass(slots=True)
class Tap:
    """Listens on a port of its own for a broker's.

    Attributes:
        conversations: One for each connection that has said something.
        violations: In words, with who it was; the bytes went through all the same.
    """

    to_port: int
    websocket: bool = False
    conversations: list[Conversation] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _ends: list[asyncio.StreamWriter] = field(default_factory=list)
    _pouring: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._visit, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._pouring, return_exceptions=True)

    def cut(self) -> None:
        """Cut what is connected now."""
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    def ids(self) -> list[str]:
        """Return the client ids that were seen."""
        return [str(each.packets[0][1]["client_id"]) for each in self.conversations if each.packets]

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(HOST, self.to_port)
        except OSError:
            writer.transport.abort()
            return
        self._ends += [writer, back]
        talk = Conversation()
        self.conversations.append(talk)
        for source, sink, from_client in ((reader, back, True), (there, writer, False)):
            task = asyncio.ensure_future(
                self._pour(source, sink, self._judge(talk, from_client=from_client))
            )
            self._pouring.add(task)
            task.add_done_callback(self._pouring.discard)

    def _judge(self, talk: Conversation, *, from_client: bool) -> Callable[[bytes], None]:
        buffer, frames = bytearray(), Frames()

        def judge(data: bytes) -> None:
            try:
                buffer.extend(frames.feed(data) if self.websocket else data)
                for raw in packets.split(buffer):
                    talk.hear(packets.decode(raw), from_client=from_client)
            except Violation as err:
                who = talk.packets[0][1]["client_id"] if talk.packets else "nobody"
                self.violations.append(f"{who}: {'client' if from_client else 'broker'}: {err}")

        return judge

    async def _pour(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        judge: Callable[[bytes], None],
    ) -> None:
        try:
            while data := await source.read(65536):
                judge(data)
                sink.write(data)
                await sink.drain()
        except OSError:
            """One end is gone."""
        finally:
            sink.close()
