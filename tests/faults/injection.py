"""Spoil the disk and the clock of one process while it runs: ``shim.c``, compiled here, and the knobs that it obeys."""

from __future__ import annotations

import atexit
import mmap
import os
import shutil
import struct
import subprocess
from contextlib import contextmanager
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from tests.needed import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).with_name("shim.c")
NUMBER = struct.Struct("=q")
SIZE = 4 * NUMBER.size
DISK, DELAY_MS, CLOCK_MS, MET = (NUMBER.size * place for place in range(4))


class Disk(IntEnum):
    """How the disk is: the words of ``shim.c``."""

    HEALTHY = 0
    FULL = 1
    READ_ONLY = 2
    SLOW = 3
    HANGING = 4
    LYING = 5
    """It says that it has what it never wrote: no ship's daemon can do anything about that, but the judge sees it."""


class Knobs:
    """What one process is spoilt by."""

    def __init__(self, path: Path, folder: Path) -> None:
        path.write_bytes(bytes(SIZE))
        self._path, self._folder = path, folder
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)

    def environment(self) -> dict[str, str]:
        """Return what the process needs in its environment."""
        return {
            "LD_PRELOAD": str(library()),
            "FAULTS_KNOBS": str(self._path),
            "FAULTS_FOLDER": str(self._folder),
        }

    def disk(self, state: Disk, *, delay_ms: int = 0) -> None:
        """Have the disk be so from now on."""
        self._set(DELAY_MS, delay_ms)
        self._set(DISK, state)

    def clock(self, ahead_s: float) -> None:
        """Step the wall clock to so many seconds ahead of the computer's."""
        self._set(CLOCK_MS, round(ahead_s * 1000))

    def met(self) -> int:
        """Return how many calls were spoilt: with none there was no fault."""
        return int(NUMBER.unpack_from(self._map, MET)[0])

    def _set(self, place: int, value: int) -> None:
        NUMBER.pack_into(self._map, place, int(value))


@cache
def library() -> Path:
    """Compile the shim once."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    needs(compiler, "a C compiler is not installed (Debian: apt install gcc libc6-dev)")
    assert compiler is not None
    folder = Path(mkdtemp(prefix="ispsd-shim-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = folder / "shim.so"
    words = (*("-std=gnu11", "-O2", "-Wall", "-Werror", "-shared", "-fPIC"), "-o", str(made))
    subprocess.run([compiler, *words, str(SOURCE), "-ldl"], check=True)
    return made


@contextmanager
def small_disk(folder: Path, *, mib: int) -> Iterator[bool]:
    """Give a folder a disk of its own where this user may; say whether it has one."""
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "faults", str(folder)],
        check=False,
        capture_output=True,
    ).returncode  # fmt: skip
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
