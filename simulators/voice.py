"""How does a unit of IEC 61162-1 talk: by itself, again and again, and never asked?

What every such unit has in common: its port, its rhythm, and the faults that any of them can have.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

from simulators.api import only, whole
from simulators.outlets import outlet_of
from simulators.voice_faults import trouble_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from daemon.computer.clock import Clock
    from simulators.api import Settings
    from simulators.voice_faults import Trouble

MOST_GARBAGE_LINES = 1000
_SOURCE = re.compile(r"[!-)+\-./0-\[\]-~]{1,15}")
GARBAGE = (
    b"\x00\xff\xfe$GPG\x80\x81",
    b"$GPGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,*00",
    b"$GPRMC,021000.00,A,0115.84",
    b"!AIVDO,1,1,,A,14Q",
    b"$" + b"9" * 2000,
)
"""Noise, a wrong checksum, cut sentences, a line without an end."""
FAULTS = "silence, resume, garbage, drop, fault, clear, unplug, plug"
"""What every unit can do beside its own commands."""


class Voice:
    """One talking unit."""

    def __init__(
        self,
        unit_id: str,
        settings: Settings,
        clock: Clock,
        said: Callable[[int], Iterable[str]],
        *,
        every_s: float = 1.0,
    ) -> None:
        """Take the settings of an outlet; ``said`` returns what is said in a turn, counted from 0.

        Raises:
            ValueError: Names what is wrong with the settings.
        """
        self._id = unit_id
        self._clock = clock
        self._said = said
        self._every_s = every_s
        self._is_silent = False
        self._trouble: Trouble | None = None
        self._late: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._is_plugged = True
        self._talking: asyncio.Task[None] | None = None
        self._tag = tag_block(settings)
        self.outlet = outlet_of(settings)

    @property
    def endpoint(self) -> str:
        return self.outlet.endpoint

    async def start(self) -> None:
        await self.outlet.start()
        self._talking = asyncio.create_task(self._talk(), name=f"voice {self._id}")

    async def stop(self) -> None:
        if self._talking is None:
            return
        self._talking.cancel()
        ending = [self._talking, *self._late]
        for task in self._late:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._talking = None
        await self.outlet.stop()

    def say(self, lines: Iterable[str]) -> None:
        """Say something now, out of turn; a unit that is silent says nothing."""
        if self._is_silent:
            return
        said = [f"{self._tag}{line}".encode("ascii") for line in lines]
        if self._trouble is None:
            self.outlet.send(said)
        elif self._trouble.fault == "late":
            task = asyncio.create_task(self._say_late(said, self._trouble.by_s))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        elif spoilt := self._trouble.spoilt(said, self._turn):
            self.outlet.send_bytes(spoilt)

    async def obey(self, command: Mapping[str, object], *, known: str) -> None:
        """Carry out a command that is the same for every unit.

        Raises:
            ValueError: It is none of them; names those that are ``known`` too.
        """
        match command.get("do"):
            case "silence" | "resume" as verb:
                only(command, "do")
                self._is_silent = verb == "silence"
            case "garbage":
                only(command, "do", "lines")
                count = whole(command, "lines", low=1, high=MOST_GARBAGE_LINES)
                self.outlet.send(GARBAGE[number % len(GARBAGE)] for number in range(count))
            case "drop":
                only(command, "do")
                self.outlet.drop()
            case "fault":
                self._trouble = trouble_of(command)
            case "clear":
                only(command, "do")
                self._trouble = None
            case "unplug":
                only(command, "do")
                self._is_plugged = False
                await self.outlet.stop()
            case "plug":
                only(command, "do")
                if not self._is_plugged:
                    await self.outlet.start()
                    self._is_plugged = True
            case unknown:
                raise ValueError(f"{self._id} cannot do {unknown!r}; known are {known}, {FAULTS}")

    async def _say_late(self, said: list[bytes], by_s: float) -> None:
        await self._clock.sleep(by_s)
        self.outlet.send(said)

    async def _talk(self) -> None:
        for self._turn in itertools.count():
            self.say(self._said(self._turn))
            await self._clock.sleep(self._every_s)


class TalkingUnit:
    """What every simulator has that does nothing but talk."""

    _voice: Voice

    @property
    def endpoint(self) -> str:
        return self._voice.endpoint

    async def start(self) -> None:
        await self._voice.start()

    async def stop(self) -> None:
        await self._voice.stop()


def sentence(start: str, body: str) -> str:
    """Return a sentence with its checksum, without its CR LF."""
    return f"{start}{body}*{reduce(xor, body.encode('ascii')):02X}"


def tag_block(settings: Settings) -> str:
    r"""Return the TAG block of a network's sentence (NMEA 0183 4.10, ``\s:HE0001*cc\``), or nothing.

    Raises:
        ValueError: The source is no word of 1 to 15 characters, or has one that ends a TAG block's field.
    """
    source = settings.get("source")
    if source is None:
        return ""
    if not isinstance(source, str) or not _SOURCE.fullmatch(source):
        raise ValueError(f"source is a word of 1 to 15 characters, not {source!r}")
    return "\\" + sentence("", f"s:{source}") + "\\"


def talker(settings: Settings, default: str) -> str:
    """Return the talker that the settings ask for.

    Raises:
        ValueError: It is not two capital letters or digits.
    """
    given = settings.get("talker", default)
    if isinstance(given, str) and len(given) == 2 and given.isascii() and given.isalnum():  # noqa: PLR2004
        return given.upper()
    raise ValueError(f'talker is two letters like "{default}", not {given!r}')


def formatters(
    settings: Settings, known: Collection[str], *, usual: tuple[str, ...]
) -> tuple[str, ...]:
    """Return which of its sentences a unit sends, in their order.

    Raises:
        ValueError: It has no such sentence.
    """
    given = settings.get("sentences", list(usual))
    if isinstance(given, list) and given and all(item in known for item in given):
        return tuple(given)
    raise ValueError(f"sentences is a list of {', '.join(known)}, not {given!r}")


def number(
    fields: Mapping[str, object],
    name: str,
    *,
    low: float,
    high: float,
    default: float | None = None,
) -> float:
    """Return a number from ``low`` to ``high``.

    Raises:
        ValueError: It is missing without a default, or something else.
    """
    value = fields.get(name, default)
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return float(value)
    raise ValueError(f"{name} is a number from {low:g} to {high:g}, not {value!r}")


def plain(fields: Mapping[str, object], name: str, *, most: int, default: str | None = None) -> str:
    """Return a text that can stand in a sentence.

    Raises:
        ValueError: It is missing without a default, too long, or has characters that none has.
    """
    value = fields.get(name, default)
    if (
        isinstance(value, str)
        and len(value) <= most
        and value.isascii()
        and (not value or value.isprintable())
        and not set(value) & set("$!*,\\")
    ):
        return value
    raise ValueError(f"{name} is a text of at most {most} plain characters, not {value!r}")
