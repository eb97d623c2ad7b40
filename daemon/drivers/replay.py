"""How is a recording played as a device said it: the same lines, the same pauses?

Times are taken from TAG blocks (``c:``), from a time in front of each line (ISO 8601 UTC, or seconds
or milliseconds since 1970 before a sentence: kplex, Signal K and most loggers), or from the time
behind it (USCG and other AIS networks); without any, so many lines a second are said.
"""

from __future__ import annotations

import asyncio
import re
import stat
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from daemon.drivers.byte_source import READ_BYTES
from daemon.drivers.line_splitter import OVERLONG, LineSplitter
from daemon.drivers.tag_block import MILLISECONDS_FROM, read_tag, split_tags
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from daemon.drivers.links import ReplayLink

Thing = TypeVar("Thing")

BLOCK_BYTES = 64 * 1024
LONGEST_PAUSE_S = 3600.0
"""A longer pause of a recording is one that was stopped, or a clock that was set: it is not waited for."""

_ISO = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)Z[ \t;,]+(.+)", re.DOTALL)
_EPOCH = re.compile(
    rb"\[?(\d{9,13}(?:\.\d{1,9})?)\]?[ \t;:,](?:[^$!\\]{0,64}[ \t;,])?([$!\\].+)", re.DOTALL
)
_BEHIND = re.compile(
    rb"([$!][^*]{1,200}\*[0-9A-Fa-f]{2}),(?:[^,]{0,64},){0,16}(\d{9,13}(?:\.\d{1,9})?)"
)


class Recorded(NamedTuple):
    """A line of a recording, and when it was said in seconds since 1970, where that is known."""

    line: bytes
    at_s: float | None


def recorded(line: bytes) -> Recorded | None:
    """Return what a line of a recording holds; None for a remark."""
    if line == OVERLONG or line.startswith(b"#"):
        return None
    if line.startswith(b"\\"):
        blocks, _ = split_tags(line)
        tags = [read_tag(block) for block in blocks]
        return Recorded(line, next((tag.time_s for tag in tags if tag.time_s is not None), None))
    if found := _ISO.fullmatch(line):
        with suppress(ValueError):
            text = found[1].decode("ascii")[:26]  # microseconds: what the standard library reads
            said = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return Recorded(found[2], said.timestamp())
    if found := _EPOCH.fullmatch(line):
        return Recorded(found[2], _seconds(found[1]))
    if found := _BEHIND.fullmatch(line):
        return Recorded(found[1], _seconds(found[2]))
    return Recorded(line, None)


def _seconds(text: bytes) -> float:
    value = float(text)
    return value / 1000 if value >= MILLISECONDS_FROM else value


class Schedule:
    """When each line is due, in seconds since the replay began."""

    def __init__(self, *, speed: float, per_s: float) -> None:
        self._speed = speed
        self._every_s = 1 / per_s
        self._due_s = 0.0
        self._last_at_s: float | None = None

    def due_s(self, at_s: float | None) -> float:
        """Return when a line is due that was said at a time, or at none."""
        if at_s is not None:
            if self._last_at_s is not None and 0 < at_s - self._last_at_s <= LONGEST_PAUSE_S:
                self._due_s += (at_s - self._last_at_s) / self._speed
            self._last_at_s = at_s
        elif self._last_at_s is None:  # among lines with times, one without is said with the last
            self._due_s += self._every_s / self._speed
        return self._due_s


class ReplaySource:
    """A recording, to be read by one task."""

    def __init__(self, link: ReplayLink) -> None:
        """Open nothing yet: the first read does."""
        self._link = link
        self._schedule = Schedule(speed=link.speed, per_s=link.sentences_per_s)
        self._splitter = LineSplitter()
        self._loop = asyncio.get_running_loop()
        self._file: BinaryIO | None = None
        self._work: asyncio.Future[Any] | None = None
        """What a thread does with the file, or did last."""
        self._began_s = 0.0
        self._next: deque[tuple[float, bytes]] = deque()
        self._skip_until_s = float("-inf")

    async def read(self) -> bytes:
        """Wait until lines are due, and return them.

        Raises:
            LinkError: It cannot be read, or is at its end.
        """
        said = b""
        while not said:
            await self._fill()
            await asyncio.sleep(max(0.0, self._next[0][0] - self._now_s()))
            said = self._due()
        return said

    async def connected(self) -> None:
        """Return at once: the recording is there."""

    def discard(self) -> None:
        self._skip_until_s = self._now_s()

    def silence(self) -> str | None:
        return "the recording is silent"

    def stop(self) -> None:
        if self._work is None:
            return
        if self._work.done():
            self._close(self._work)
        else:  # closing a file that a thread reads would wait for the disk, and everything with it
            self._work.add_done_callback(self._close)

    def _close(self, work: asyncio.Future[Any]) -> None:
        if not work.cancelled():
            work.exception()  # looked at: whoever reads has heard of it, unless he has gone
        if self._file is not None:
            self._file.close()

    def _now_s(self) -> float:
        return self._loop.time() - self._began_s

    def _due(self) -> bytes:
        now_s = self._now_s()
        said = bytearray()
        while self._next and self._next[0][0] <= now_s:
            due_s, line = self._next[0]
            if len(said) + len(line) + 2 > READ_BYTES:
                break
            self._next.popleft()
            if due_s > self._skip_until_s:
                said += line + b"\r\n"
        return bytes(said)

    async def _fill(self) -> None:
        while not self._next:
            block = await self._block()
            for line in self._splitter.feed(block or b"\n"):
                if (one := recorded(line)) is not None:
                    self._next.append((self._schedule.due_s(one.at_s), one.line))
            if not block and not self._next:
                raise LinkError(f"{self._link.name}: at its end")

    async def _block(self) -> bytes:
        # In a thread: a disk that is asleep takes seconds, and nobody waits for it.
        try:
            if self._file is None:
                await self._in_thread(self._open)
                self._began_s = self._loop.time()
            return await self._in_thread(self._read_block)
        except OSError as err:
            raise LinkError(f"{self._link.name}: {err.strerror}") from err

    async def _in_thread(self, work: Callable[[], Thing]) -> Thing:
        self._work = working = asyncio.ensure_future(asyncio.to_thread(work))
        return await asyncio.shield(working)

    def _open(self) -> None:
        self._file = _opened(self._link.path)

    def _read_block(self) -> bytes:
        assert self._file is not None  # noqa: S101 (opened before)
        return self._file.read(BLOCK_BYTES)


def _opened(path: str) -> BinaryIO:
    # What is no file (a port, a pipe) would hold up a thread for ever, or be read beside its owner.
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise OSError(0, "is no file")
    return Path(path).open("rb")
