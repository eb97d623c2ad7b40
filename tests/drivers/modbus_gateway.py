"""A Modbus TCP server made of tables, one set for each unit id: what a gateway or a module with counters looks like.

Written from MODBUS Application Protocol V1.1b3 and MODBUS Messaging on TCP/IP V1.0b, with no Modbus library in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = struct.Struct(">HHHB")
READ = struct.Struct(">BHH")
BUSY, NO_ANSWER = 6, 11


@dataclass
class Tables:
    """One unit: its bits and words by function; an address that is in none of them is refused (exception 2)."""

    bits: dict[int, dict[int, bool]] = field(default_factory=dict)
    words: dict[int, dict[int, int]] = field(default_factory=dict)
    busy: int = 0
    """So many requests are answered by exception 6 first."""
    busy_code: int = BUSY
    longest: int = 2000
    """A request for more is refused (exception 3)."""
    is_dead: bool = False
    """The gateway gets no answer from it (exception 11)."""
    is_mute: bool = False
    """Nobody answers anything at all."""

    @classmethod
    def of_inputs(cls, count: int, function: int = 2) -> Self:
        return cls(bits={function: dict.fromkeys(range(count), False)})

    def add_words(self, function: int, address: int, count: int) -> Self:
        self.words.setdefault(function, {}).update(
            dict.fromkeys(range(address, address + count), 0)
        )
        return self

    def add_bits(self, function: int, address: int, count: int) -> Self:
        self.bits.setdefault(function, {}).update(
            dict.fromkeys(range(address, address + count), False)
        )
        return self

    def _refusal(self, table: dict[int, bool] | dict[int, int], asked: range) -> int:
        """Return the exception's code; 0: none."""
        if self.is_dead:
            return NO_ANSWER
        if self.busy:
            self.busy -= 1
            return self.busy_code
        if not table:
            return 1
        if len(asked) > self.longest:
            return 3
        return 0 if all(number in table for number in asked) else 2

    def set_counter(self, number: int, count: int, *, address: int = 16, function: int = 4) -> None:
        self.words[function][address + 2 * number] = count >> 16 & 0xFFFF
        self.words[function][address + 2 * number + 1] = count & 0xFFFF

    def answer(self, pdu: bytes) -> bytes | None:
        if self.is_mute:
            return None
        function, address, count = READ.unpack(pdu)
        asked = range(address, address + count)
        table = self.bits.get(function) or self.words.get(function) or {}
        if code := self._refusal(table, asked):
            return bytes([function | 0x80, code])
        if function in self.bits:
            number = sum(1 << n for n, at in enumerate(asked) if table[at])
            payload = number.to_bytes(-(-count // 8), "little")
        else:
            payload = struct.pack(f">{count}H", *(table[at] for at in asked))
        return bytes([function, len(payload)]) + payload


class Gateway:
    """Some units behind one port of loopback."""

    def __init__(self, units: dict[int, Tables]) -> None:
        self.units = units
        self.port = 0
        self.asked: list[tuple[int, int, int, int]] = []
        """Unit, function, address and count of every request."""
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def visitors(self) -> int:
        return len(self._writers)

    def asks(self, unit: int | None = None) -> Counter[tuple[int, int, int]]:
        return Counter(ask[1:] for ask in self.asked if unit is None or ask[0] == unit)

    @contextlib.asynccontextmanager
    async def serving(self):
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self.hang_up()
            await self._server.wait_closed()
            self._server = None

    def hang_up(self) -> None:
        """Close every connection, as a gateway does with those that are idle."""
        for writer in self._writers:
            writer.close()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    head = HEADER.unpack(await reader.readexactly(HEADER.size))
                    for frame in self._frames(head, await reader.readexactly(head[2] - 1)):
                        writer.write(frame)
        finally:
            self._writers.discard(writer)
            writer.close()

    def _frames(self, head: tuple[int, int, int, int], pdu: bytes) -> Iterator[bytes]:
        transaction, _, _, unit = head
        self.asked.append((unit, *READ.unpack(pdu)))
        tables = self.units.get(unit)
        answer = bytes([pdu[0] | 0x80, NO_ANSWER]) if tables is None else tables.answer(pdu)
        if answer is not None:
            yield HEADER.pack(transaction, 0, len(answer) + 1, unit) + answer
