"""The text port of a simulated unit: a pty that prints, and whose cable can be pulled."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from typing import TYPE_CHECKING

from simulators.api import Settings, only, whole
from simulators.misread import with_even_parity
from simulators.pty_ports import opened, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.pty_ports import Pty

MOST_TEXT_CHARACTERS = 2048
"""A pty keeps 4 KiB for a reader that is not there."""
MOST_ATTEMPTS = 1000
"""A line that stays full for so many turns of the loop loses the message, as paper that has run out."""
VERBS = "text, noise, format, unplug, plug"
LINE_ENDS = {"crlf": "\r\n", "cr": "\r", "lf": "\n"}


class TextPort:
    """One port. Between ``start`` and ``stop`` it is there, unless its plug is pulled."""

    def __init__(self, unit_id: str, settings: Settings) -> None:
        """Take ``link``, the path of a symbolic link to the pty, if one is wanted, and ``line_end``: crlf, cr or lf.

        Raises:
            ValueError: Names what is wrong.
        """
        self._link = path_of(settings)
        self.line_end = LINE_ENDS[one_of(settings, "line_end", tuple(LINE_ENDS))]
        self._id = unit_id
        self._pty: Pty | None = None
        self._path: str | None = None
        """Where it is, or was until its plug was pulled."""
        self._is_7e1 = False

    @property
    def endpoint(self) -> str:
        if self._path is None:
            raise RuntimeError(f"{self._id} is not started")
        return self._path

    @property
    def is_started(self) -> bool:
        """Return whether it was started; its plug may be pulled all the same."""
        return self._path is not None

    def start(self) -> None:
        """Take a pty."""
        self._pty = opened(self._link)
        self._path = self._pty.endpoint

    def stop(self) -> None:
        """Give the pty back."""
        self._unplug()
        self._path = None

    async def do(self, command: Mapping[str, object]) -> bool:
        """Carry out what every text port can do; return whether it was one of ``VERBS``.

        Raises:
            ValueError: Something is wrong with it.
        """
        match command.get("do"):
            case "text":
                only(command, "do", "text")
                await self.print(_text(command.get("text")))
            case "noise":
                only(command, "do", "bytes")
                count = whole(command, "bytes", low=1, high=MOST_TEXT_CHARACTERS, default=64)
                noise = random.Random(self._id).randbytes(count)  # noqa: S311 (the same in each run)
                await self.print(noise.decode("latin-1"))
            case "format":
                only(command, "do", "as")
                self._is_7e1 = one_of(command, "as", ("8N1", "7E1")) == "7E1"
            case "unplug":
                only(command, "do")
                self._unplug()
            case "plug":
                only(command, "do")
                if self._pty is None:
                    self.start()
            case _:
                return False
        return True

    async def print(self, text: str) -> None:
        """Print a text; nothing of it is left where no cable is.

        Raises:
            ValueError: It is not started.
        """
        if self._path is None:
            raise ValueError(f"{self._id} is not started")
        if self._pty is None:
            return
        printed = text.encode("latin-1")
        if self._is_7e1:
            printed = with_even_parity(printed)
        for _ in range(MOST_ATTEMPTS):
            if _taken(self._pty.unit, printed) == len(printed):
                return
            # Nobody has read for long: what the line holds is old, so the newest takes its place.
            with suppress(BlockingIOError):
                while os.read(self._pty.port, 4096):
                    """Thrown away."""
            await asyncio.sleep(0)  # the kernel moves what is on its way in its own time

    def _unplug(self) -> None:
        if self._pty is not None:
            self._pty.close()
            self._pty = None


def one_of(fields: Mapping[str, object], name: str, allowed: tuple[str, ...]) -> str:
    """Return one of the allowed words, the first where none is given.

    Raises:
        ValueError: It is another.
    """
    value = fields.get(name, allowed[0])
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
    return str(value)


def _taken(unit: int, printed: bytes) -> int:
    """Return how many bytes the line took; it takes none when it is full."""
    try:
        return os.write(unit, printed)
    except BlockingIOError:
        return 0


def _text(given: object) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= MOST_TEXT_CHARACTERS:
        raise ValueError(f"text has 1 to {MOST_TEXT_CHARACTERS} characters")
    try:
        given.encode("latin-1")
    except UnicodeEncodeError as err:
        raise ValueError("text has a character above U+00FF, which no such port prints") from err
    return given
