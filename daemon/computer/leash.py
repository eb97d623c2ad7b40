"""Start a child process that cannot outlive us, however we end (prctl(2), PR_SET_PDEATHSIG), and end one."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from typing import Final

LOWEST: Final = 19
"""Niceness."""
PIECE: Final = 64 * 1024

# Runs first in the child: asks to be killed with its parent, then becomes the program.
_LEASH = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("parent is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""


def leashed(*command: str) -> tuple[str, ...]:
    """Return the command that runs a command on a leash of this process.

    The kernel binds it to the thread that starts it: start it from one that lives as long as the process.
    """
    return (sys.executable, "-I", "-c", _LEASH, str(os.getpid()), *command)


def idling(*command: str) -> tuple[str, ...]:
    """Return the command that runs a command only where nothing else wants the processor or the disk."""
    disk = ("ionice", "-c", "3") if shutil.which("ionice") else ()
    return (*disk, "nice", "-n", str(LOWEST), *command)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that began a session of its own, with all that it started, and wait for its end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await asyncio.shield(_ended(process))


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a process that was killed: asyncio sees it only when nothing is left in its pipe."""
    while process.stdout is not None and await process.stdout.read(PIECE):
        pass
    await process.wait()
