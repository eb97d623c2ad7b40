"""Lines from standard input, whatever it is: a pipe, a file, a terminal, or nothing."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LONGEST_LINE_BYTES = 64 * 1024
_CHUNK_BYTES = 4096
_CHUNKS_AHEAD = 16


async def read_lines(fd: int) -> AsyncIterator[bytes]:
    """Yield each line without its end; of a line that is too long, more bytes than it may have.

    A thread reads: the loop cannot wait for a file, and a pipe made non-blocking would be so for
    whoever shares it. It reads ahead a little and no more.
    """
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(_CHUNKS_AHEAD)
    loop = asyncio.get_running_loop()

    def pump() -> None:
        chunk = b"first"
        while chunk:
            room.acquire()
            chunk = os.read(fd, _CHUNK_BYTES)
            try:
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            except RuntimeError:  # the loop is closed: nobody listens any more
                return

    # A daemon thread: one that waits for input that never comes must not keep the process.
    threading.Thread(target=pump, name="input", daemon=True).start()
    splitter = Splitter()
    while chunk := await chunks.get():
        room.release()
        for line in splitter.feed(chunk):
            yield line
    if rest := splitter.rest():
        yield rest


class Splitter:
    """Cuts chunks into lines and holds no more than one line's worth."""

    def __init__(self) -> None:
        self._held = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that end in this chunk, and the head of one that has grown too long."""
        *ended, self._held = (self._held + chunk).split(b"\n")
        for line in ended:
            if self._skipping:
                self._skipping = False
            elif line.strip():
                yield line
        if self._skipping:
            self._held = b""
        elif len(self._held) > LONGEST_LINE_BYTES:
            yield self._held
            self._held, self._skipping = b"", True

    def rest(self) -> bytes:
        """Return what stands after the last line end."""
        return self._held.strip()
