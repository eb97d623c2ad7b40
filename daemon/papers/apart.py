"""How does the daemon have a paper made? By a process of its own: lowest priority, bounded, on a leash, no shell."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from daemon.computer.leash import end, idling, leashed
from daemon.errors import IspsdError
from daemon.papers import steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.papers.steps import Say

MAKER: Final = "daemon.papers.maker"
"""Named and not imported: what this process alone needs is in no memory of ours."""
LONGEST_S: Final = 1800.0
LONGEST_LINE: Final = 64 * 1024
MOST_LINES: Final = 200_000
PASSED_ON: Final = ("PATH", "ISPSD_DATA", "TMPDIR")
"""What the process learns of our surroundings."""


async def made(
    asked: Mapping[str, Any], *, say: Say, within_s: float = LONGEST_S
) -> Mapping[str, Any]:
    """Have a paper made; return what the process says came of it.

    Args:
        asked: What ``daemon.papers.maker`` reads.
        say: Told how far it has come.
        within_s: After so many seconds it is killed.

    Raises:
        IspsdError: It cannot be made, or the process was killed or took too long; nothing of it goes on.
    """
    process = await _started()
    try:
        async with asyncio.timeout(within_s):
            said = await _told(process, json.dumps(asked).encode() + b"\n", say)
            await process.wait()
    except TimeoutError as err:
        raise IspsdError(f"it took more than {within_s / 60:.0f} minutes") from err
    finally:
        await end(process)
    if "made" in said and process.returncode == steps.MADE:
        found: Mapping[str, Any] = said["made"]
        return found
    raise IspsdError(str(said.get("failed") or _how(process.returncode)))


async def _started() -> asyncio.subprocess.Process:
    program = (sys.executable, "-I", "-m", MAKER)
    try:
        return await asyncio.create_subprocess_exec(
            *leashed(*idling(*program)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            start_new_session=True,
            limit=LONGEST_LINE,
        )
    except OSError as err:
        raise IspsdError(f"the process that makes papers cannot be started: {err}") from err


async def _told(process: asyncio.subprocess.Process, asked: bytes, say: Say) -> Mapping[str, Any]:
    """Give the process its order, pass its steps on, and return its last word.

    Raises:
        IspsdError: It says what no maker of papers says.
    """
    into, out = process.stdin, process.stdout
    if into is None or out is None:
        raise IspsdError("the process that makes papers has no pipes")
    with suppress(ConnectionError):  # it has ended already: its end says why
        into.write(asked)
        await into.drain()
    into.close()
    last: Mapping[str, Any] = {}
    try:
        for _ in range(MOST_LINES):
            if not (line := await out.readline()):
                return last
            said: Mapping[str, Any] = dict(json.loads(line).items())
            if "step" in said:
                say(steps.read(said["step"]))
            else:
                last = said
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise IspsdError("the process that makes papers said what cannot be read") from err
    raise IspsdError("the process that makes papers does not come to an end")


def _how(code: int | None) -> str:
    if code == -signal.SIGABRT:  # what sets the pages ends so where it gets no more memory
        return steps.TOO_LARGE
    if code is not None and code < 0:
        return f"the process that made it was killed ({signal.Signals(-code).name})"
    return f"the process that made it broke off (exit code {code})"
