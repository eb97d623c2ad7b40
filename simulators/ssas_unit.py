"""The text port of an SSAS unit on a pty, as a JRC JUE-95SA prints its messages.

Written from the layout in the JRC JUE-95SA instruction manual. The unit only prints: whoever plays
a scenario presses its button, and drives its test lamp on the I/O unit that the lamp is wired to.
"""

from __future__ import annotations

import asyncio
import os
import tty
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, only

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from daemon.clock import Clock

MOST_TEXT_CHARACTERS = 2048
"""A pty keeps 4 KiB for a reader that is not there."""
MOST_ATTEMPTS = 1000
"""A line that stays full for so many turns of the loop loses the message, as paper that has run out."""


class SsasUnitSimulator:
    """One SSAS unit."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: ``link``, the path of a symbolic link to the pty, if one is wanted.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "link")
        link = settings.get("link")
        if link is not None and not (isinstance(link, str) and link.startswith("/")):
            raise ValueError(f"link is an absolute path, not {link!r}")
        self._id = unit_id
        self._clock = clock or SystemClock()
        self._link = None if link is None else Path(link)
        self._pty: tuple[int, int] | None = None

    @property
    def endpoint(self) -> str:
        if self._pty is None:
            raise RuntimeError(f"{self._id} is not started")
        return str(self._link or os.ttyname(self._pty[1]))

    async def start(self) -> None:
        # Our own hold on the reader's end keeps the line up while nobody listens.
        unit, line = os.openpty()
        self._pty = unit, line
        tty.setraw(line)
        os.set_blocking(unit, False)
        os.set_blocking(line, False)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(os.ttyname(line))

    async def stop(self) -> None:
        if self._pty is None:
            return
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        for descriptor in self._pty:
            os.close(descriptor)
        self._pty = None

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "test":
                only(command, "do")
                await self._print(message("TEST TEST", self._clock.utc()))
            case "alert":
                only(command, "do")
                await self._print(message("SECURITY SECURITY", self._clock.utc()))
            case "text":
                only(command, "do", "text")
                await self._print(_text(command.get("text")))
            case unknown:
                raise ValueError(f"an SSAS unit cannot do {unknown!r}; known are test, alert, text")

    async def _print(self, text: str) -> None:
        if self._pty is None:
            raise ValueError(f"{self._id} is not started")
        unit, line = self._pty
        printed = text.encode("latin-1")
        for _ in range(MOST_ATTEMPTS):
            if _taken(unit, printed) == len(printed):
                return
            # Nobody has read for long: what the line holds is old, so the newest takes its place.
            with suppress(BlockingIOError):
                while os.read(line, 4096):
                    """Thrown away."""
            await asyncio.sleep(0)  # the kernel moves what is on its way in its own time


def _taken(unit: int, printed: bytes) -> int:
    """Return how many bytes the line took; it takes none when it is full."""
    try:
        return os.write(unit, printed)
    except BlockingIOError:
        return 0


def message(marker: str, utc: datetime) -> str:
    """Return what is printed; only the marker line tells a test from a real alert."""
    lines = (
        "SHIP SECURITY MESSAGE",
        "Ship name :KESTREL STRAIT",
        "Call sign :9VKS0",
        "MMSI :299000019",
        "",
        marker,
        "MES NO, 429900001",
        f"LAT,N01 15.84LON,E103 50.40,UTC,{utc:%d.%m.%Y %H:%M},SOG,",
        "0.0KT,COG,20DEG",
    )
    return "".join(f"{line}\r\n" for line in lines)


def _text(given: object) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= MOST_TEXT_CHARACTERS:
        raise ValueError(f"text has 1 to {MOST_TEXT_CHARACTERS} characters")
    try:
        given.encode("latin-1")
    except UnicodeEncodeError as err:
        raise ValueError("text has a character above U+00FF, which no such port prints") from err
    return given


SIMULATOR = SimulatorSpec(kind="ssas_unit", build=SsasUnitSimulator)
