"""Where do the samples go? To ALSA through ``aplay``, or for tests and simulators into a file or nowhere.

An output is fed without a pause, silence too: only so is it known at every moment that it still takes what it is given.
What a pipe alone would hold is not counted as taken (invariant 7).
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import struct
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final, Protocol, Self

from daemon.computer.leash import leashed
from daemon.errors import IspsdError
from daemon.sound.tones import BYTES_A_SAMPLE, BYTES_A_SECOND, RATE_HZ

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path
    from typing import BinaryIO

    from daemon.computer.clock import Clock

HUNG_S: Final = 2.0
"""An output that takes nothing for so long hangs."""
PIPE_BYTES: Final = 4096
"""An eighth of a second: more would only make an alert late."""
BUFFER_US: Final = 300_000
"""ALSA's own buffer, in microseconds: enough for a computer that is busy for a moment."""
LAST_WORDS_S: Final = 1.0
WAV_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
OPEN_ENDED: Final = 0xFFFF_FFFF


class OutputError(IspsdError):
    """Nothing can be played now; worth another try."""


class Output(Protocol):
    """One opened output, closed when it is left."""

    heard: bool
    """Whether anybody could hear it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def give(self, samples: bytes) -> int:
        """Hand over samples; return how many bytes it has surely taken since it was opened.

        Raises:
            OutputError: It takes nothing, or is gone.
        """
        ...


class Alsa:
    """``aplay`` of alsa-utils, fed through a pipe."""

    heard = True

    def __init__(self, device: str, *, clock: Clock, program: str = "aplay") -> None:
        self._words = (
            *(program, "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE_HZ)),
            *("-D", device, f"--buffer-time={BUFFER_US}"),
        )
        self._program = program
        self._clock = clock
        self._given = 0
        self._process: Process | None = None
        self._pipe_bytes = PIPE_BYTES

    async def __aenter__(self) -> Self:
        if shutil.which(self._program) is None:
            raise OutputError(f"{self._program} is not installed (Debian: apt install alsa-utils)")
        try:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(*self._words),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as err:
            raise OutputError(f"{self._program}: {err.strerror}") from err
        pipe = _stdin(self._process).transport.get_extra_info("pipe")
        self._pipe_bytes = fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        # What asyncio would keep is handed to the kernel before `drain` returns.
        _stdin(self._process).transport.set_write_buffer_limits(high=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if (process := self._process) is None:
            return
        # What is left in a pipe that nobody reads would be kept, and waited for, for ever.
        if not (pipe := _stdin(process).transport).is_closing():
            pipe.abort()
        # Without its pipe it ends by itself, unless the device hangs; and where the kernel hangs, nothing ends it.
        if not await _ends(process):
            process.kill()
            await _ends(process)

    async def give(self, samples: bytes) -> int:
        process = self._process
        if process is None:
            raise OutputError(f"{self._program} does not run")
        pipe = _stdin(process)
        try:
            pipe.write(samples)
            await self._within(pipe)
        except (BrokenPipeError, ConnectionResetError) as err:
            raise OutputError(await self._last_words(process)) from err
        if process.returncode is not None:
            raise OutputError(await self._last_words(process))
        self._given += len(samples)
        return max(0, self._given - self._pipe_bytes)

    async def _within(self, pipe: asyncio.StreamWriter) -> None:
        draining = asyncio.ensure_future(pipe.drain())
        taken = asyncio.Event()
        draining.add_done_callback(lambda _: taken.set())
        try:
            if not await self._clock.wait(taken, HUNG_S):
                raise OutputError(f"{self._program} took nothing for {HUNG_S:g} s")
            await draining
        finally:
            draining.cancel()

    async def _last_words(self, process: Process) -> str:
        """Return what it said before it ended."""
        said = b""
        if process.stderr is not None:
            try:
                async with asyncio.timeout(LAST_WORDS_S):
                    said = await process.stderr.read(2000)
            except TimeoutError:
                pass
        lines = said.decode("utf-8", "replace").strip().splitlines()
        # Of the program's name and the place in its source that stand before it nobody needs to know.
        return f"{self._program}: {lines[-1]}" if lines else f"{self._program} ended without a word"


class WavFile:
    """A file, for tests and simulators: as long as the time that has passed; nobody hears it."""

    heard = False

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._file: BinaryIO | None = None
        self._given = 0

    async def __aenter__(self) -> Self:
        try:
            self._file = _created(self._path)
        except OSError as err:
            raise OutputError(f"{self._path}: {err.strerror}") from err
        self._given = 0
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._file is not None:
            _finished(self._file, self._given)

    async def give(self, samples: bytes) -> int:
        if self._file is None:
            raise OutputError(f"{self._path}: not open")
        try:
            self._file.write(samples)
            self._file.flush()
        except OSError as err:
            raise OutputError(f"{self._path}: {err.strerror}") from err
        self._given += len(samples)
        await self._clock.sleep(len(samples) / BYTES_A_SECOND)
        return self._given


class Nowhere:
    """No output at all: it takes everything, in time, and nobody hears it."""

    heard = False

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._given = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def give(self, samples: bytes) -> int:
        self._given += len(samples)
        await self._clock.sleep(len(samples) / BYTES_A_SECOND)
        return self._given


async def _ends(process: Process) -> bool:
    """Return whether a process ends soon."""
    try:
        async with asyncio.timeout(LAST_WORDS_S):
            await process.wait()
    except TimeoutError:
        return False
    return True


def _stdin(process: Process) -> asyncio.StreamWriter:
    if process.stdin is None:
        raise OutputError("no pipe to it")
    return process.stdin


def _header(size: int) -> bytes:
    """Return the header of a WAV file of so many bytes of samples."""
    return WAV_HEADER.pack(
        *(b"RIFF", min(OPEN_ENDED, size + WAV_HEADER.size - 8), b"WAVE", b"fmt ", 16),
        *(1, 1, RATE_HZ, BYTES_A_SECOND, BYTES_A_SAMPLE, 8 * BYTES_A_SAMPLE),
        *(b"data", min(OPEN_ENDED, size)),
    )


def _created(path: Path) -> BinaryIO:
    file = path.open("wb")
    file.write(_header(OPEN_ENDED))  # how long it gets is not known; whoever is killed leaves it so
    file.flush()
    return file


def _finished(file: BinaryIO, size: int) -> None:
    # Where the disk refuses, the samples are there all the same, under the header of a file whose length is not known.
    with suppress(OSError), closing(file):
        file.seek(0)
        file.write(_header(size))
