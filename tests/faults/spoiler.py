"""A process that the ship's lines pass: it carries what devices say, and pours rubbish into each on command.

Started with JSON on its command line: ``{"tcp": {name: port of the device}, "serial": [name]}``. A serial line is a pty
that says a heading twice a second by itself. It prints where each line is to be reached, then obeys ``rubbish`` and
``clean`` on standard input. In a process of its own: it pours as fast as it is read.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tty
from collections import Counter
from contextlib import suppress
from itertools import count

HEADING_S = 0.5
PIECE = 16 * 1024


def rubbish() -> list[bytes]:
    """Return pieces of everything that is wrong: noise, lines without end, sentences that nearly hold."""
    chance = random.Random(2026)
    noise = [chance.randbytes(PIECE) for _ in range(8)]
    endless = b"$GPGGA," + b"9" * PIECE
    checked = b"".join(
        _checked(b"GPGGA,%d,%d,N,%d" % (n, n * 7919, n * 104729)) for n in range(300)
    )
    hollow = b"".join(_checked(b"GPRMC" + b"," * n) for n in range(90))
    radio = b"".join(
        _checked(b"AIVDM,9,%d,%d,A,%s,7" % (n % 11, n, b"w" * 56), b"!") for n in range(150)
    )
    wrong = b"$HEHDT,045.0,T*00\r\n" * 500
    modbus = b"".join(
        n.to_bytes(2, "big") + b"\0\0" + (n % 260).to_bytes(2, "big") + chance.randbytes(n % 260)
        for n in range(100)
    )
    return [*noise, endless, checked, hollow, radio, wrong, modbus]


def _checked(body: bytes, start: bytes = b"$") -> bytes:
    """Return a sentence whose checksum holds, whatever it says."""
    total = 0
    for byte in body:
        total ^= byte
    return b"%b%b*%02X\r\n" % (start, body, total)


class Spoiler:
    """All lines."""

    def __init__(self) -> None:
        self._dirty = asyncio.Event()
        self._clean = asyncio.Event()
        self._clean.set()
        self._pieces = rubbish()
        self.poured: Counter[str] = Counter()

    def become(self, word: str) -> None:
        """Pour, or carry again."""
        now, before = (
            (self._dirty, self._clean) if word == "rubbish" else (self._clean, self._dirty)
        )
        before.clear()
        now.set()

    async def carry(self, name: str, port: int) -> int:
        """Listen for the daemon in a device's place; return where."""

        async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                works = (
                    self._copy(reader, far_writer),
                    self._copy(far_reader, writer),
                    self._pour(name, writer),
                )
                tasks = [asyncio.ensure_future(work) for work in works]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                far_writer.close()
            writer.close()

        server = await asyncio.start_server(visit, "127.0.0.1", 0)
        found: int = server.sockets[0].getsockname()[1]
        return found

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            if self._clean.is_set():
                writer.write(piece)
                await writer.drain()

    async def _pour(self, name: str, writer: asyncio.StreamWriter) -> None:
        for number in count():
            await self._dirty.wait()
            piece = self._pieces[number % len(self._pieces)]
            writer.write(piece)
            await writer.drain()
            self.poured[name] += len(piece)
            await asyncio.sleep(0)

    async def talk(self, name: str, near: int) -> None:
        """Say a heading on a pty; pour while it is dirty."""
        for number in count():
            if self._dirty.is_set():
                piece = self._pieces[number % len(self._pieces)]
                with suppress(BlockingIOError):
                    self.poured[name] += os.write(near, piece)
                await asyncio.sleep(0.001)
            else:
                with suppress(BlockingIOError):
                    os.write(near, _checked(b"HEHDT,045.0,T"))
                await asyncio.sleep(HEADING_S)


async def main() -> None:
    """Serve until standard input ends."""
    wanted = json.loads(sys.argv[1])
    spoiler = Spoiler()
    places = {name: str(await spoiler.carry(name, port)) for name, port in wanted["tcp"].items()}
    talking = []
    for name in wanted["serial"]:
        near, far = os.openpty()
        tty.setraw(far)
        os.set_blocking(near, False)
        places[name] = os.ttyname(far)
        talking.append(asyncio.ensure_future(spoiler.talk(name, near)))
    print(json.dumps(places), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async for line in reader:
        spoiler.become(line.decode().strip())
        print(json.dumps({name: spoiler.poured[name] for name in places}), flush=True)
    for task in talking:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
