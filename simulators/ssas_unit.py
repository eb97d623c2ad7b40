"""An SSAS unit: the text port of a JRC JUE-95SA on a pty, the test lamp of that or of a SAILOR 6194.

Written from the JRC JUE-95SA instruction manual and the user manual of the SAILOR 6194 terminal control unit. The unit
only prints: whoever plays a scenario presses its button. Its lamp is wired to an I/O unit, so the scenario carries it
there: each change is told to ``on_lamp``. Whether the JRC prints a test when it begins or when it is out is not known;
here it prints when it is out. A SAILOR prints nothing: no such port of it is documented.
"""

from __future__ import annotations

import asyncio
import os
import random
import tty
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, only, seconds, whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from daemon.clock import Clock

MOST_TEXT_CHARACTERS = 2048
"""A pty keeps 4 KiB for a reader that is not there."""
MOST_ATTEMPTS = 1000
"""A line that stays full for so many turns of the loop loses the message, as paper that has run out."""
SENDS_AFTER_S = 30.0
"""Both makers: a button that is let go before sends nothing."""
JRC_SENDING_MIN = (5, 17, 29, 41, 53)
"""How long a JRC takes, about, for one to five addressees."""
SAILOR_TEST_ALONE_S = 3.0
"""How long the person holds TEST before the covert button."""
SHORTEST_STAGE_S = 3.0
"""Where time is shortened: less could not be seen for what it is."""
LONGEST_HOLD_S = 120.0
BLINK_HALF_S = 0.5
KNOWN = "press, test, alert, text, noise, cut, format, unplug, plug"
LINE_ENDS = {"crlf": "\r\n", "cr": "\r", "lf": "\n"}


@dataclass(frozen=True, slots=True)
class Stage:
    """What the lamp does for a while: lit, dark, or None for blinking; and whether the test is printed then."""

    lit: bool | None
    for_s: float
    prints: bool = False


class SsasUnitSimulator:
    """One SSAS unit."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings.

        ``link`` is the path of a symbolic link to the pty, if one is wanted; ``maker`` is jrc or sailor; ``speed``
        shortens each stage of a test so many times; ``line_end`` is crlf, cr or lf.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "link", "maker", "speed", "line_end")
        link = settings.get("link")
        if link is not None and not (isinstance(link, str) and link.startswith("/")):
            raise ValueError(f"link is an absolute path, not {link!r}")
        self.on_lamp: Callable[[bool], Awaitable[None]] | None = None
        """Told of each change of the lamp; set it before ``start``, which tells what it shows at rest."""
        self._is_jrc = _one_of(settings, "maker", ("jrc", "sailor")) == "jrc"
        self._speed = whole(settings, "speed", low=1, high=1000, default=1)
        self._line_end = LINE_ENDS[_one_of(settings, "line_end", tuple(LINE_ENDS))]
        self._is_7e1 = False
        self._testing: asyncio.Task[None] | None = None
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
        await self._show(lit=not self._is_jrc)

    async def stop(self) -> None:
        if self._pty is None:
            return
        testing, self._testing = self._testing, None
        if testing is not None:
            testing.cancel()
            await asyncio.wait({testing})
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        for descriptor in self._pty:
            os.close(descriptor)
        self._pty = None
        if testing is not None and not testing.cancelled():
            testing.result()

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "press":
                only(command, "do", "seconds")
                held_s = seconds(command, "seconds", high=LONGEST_HOLD_S)
                self._play([Stage(lit=self._is_jrc, for_s=held_s)])
            case "test" if "addressees" in command or not self._is_jrc:
                self._test(command)
            case "test" | "alert" as what:
                only(command, "do")
                if self._is_jrc:
                    await self._print(self._message(is_test=what == "test"))
            case "text":
                only(command, "do", "text")
                await self._print(_text(command.get("text")))
            case "noise":
                only(command, "do", "bytes")
                count = whole(command, "bytes", low=1, high=MOST_TEXT_CHARACTERS, default=64)
                noise = random.Random(self._id).randbytes(count)  # noqa: S311 (the same in each run)
                await self._print(noise.decode("latin-1"))
            case "cut":
                only(command, "do", "after")
                text = self._message(is_test=True)
                await self._print(text[: whole(command, "after", low=1, high=len(text) - 1)])
            case "format":
                only(command, "do", "as")
                self._is_7e1 = _one_of(command, "as", ("8N1", "7E1")) == "7E1"
            case "unplug" | "plug" as verb:
                only(command, "do")
                await (self.stop() if verb == "unplug" else self._plug())
            case unknown:
                raise ValueError(f"an SSAS unit cannot do {unknown!r}; known are {KNOWN}")

    async def _plug(self) -> None:
        if self._pty is None:
            await self.start()

    def _test(self, command: Mapping[str, object]) -> None:
        only(command, "do", "addressees", "held_s")
        addressees = whole(command, "addressees", low=1, high=len(JRC_SENDING_MIN), default=1)
        held_s = 35.0
        if "held_s" in command:
            held_s = seconds(command, "held_s", high=LONGEST_HOLD_S)
        stages = jrc_test(addressees, held_s) if self._is_jrc else sailor_test(held_s)
        self._play([self._shortened(stage) for stage in stages])

    def _shortened(self, stage: Stage) -> Stage:
        for_s = max(stage.for_s / self._speed, min(stage.for_s, SHORTEST_STAGE_S))
        return Stage(stage.lit, for_s, prints=stage.prints)

    def _play(self, stages: Sequence[Stage]) -> None:
        if self._pty is None:
            raise ValueError(f"{self._id} is not started")
        if self._testing is not None and not self._testing.done():
            raise ValueError("its test button is pressed already, or a test is going out")
        self._testing = asyncio.ensure_future(self._go_through(stages))

    async def _go_through(self, stages: Sequence[Stage]) -> None:
        for stage in stages:
            if stage.prints:
                await self._print(self._message(is_test=True))
            if stage.lit is None:
                await self._blink(stage.for_s)
            else:
                await self._show(lit=stage.lit)
                await self._clock.sleep(stage.for_s)
        await self._show(lit=not self._is_jrc)

    async def _blink(self, for_s: float) -> None:
        for number in range(round(for_s / BLINK_HALF_S)):
            await self._show(lit=number % 2 == (0 if not self._is_jrc else 1))
            await self._clock.sleep(BLINK_HALF_S)

    async def _show(self, *, lit: bool) -> None:
        if self.on_lamp is not None:
            await self.on_lamp(lit)

    def _message(self, *, is_test: bool) -> str:
        marker = "TEST TEST" if is_test else "SECURITY SECURITY"
        return message(marker, self._clock.utc()).replace("\r\n", self._line_end)

    async def _print(self, text: str) -> None:
        if self._pty is None:
            raise ValueError(f"{self._id} is not started")
        if not self._is_jrc:
            raise ValueError("a SAILOR 6194 has no text port")
        unit, line = self._pty
        printed = text.encode("latin-1")
        if self._is_7e1:
            printed = bytes(_even(code & 0x7F) for code in printed)
        for _ in range(MOST_ATTEMPTS):
            if _taken(unit, printed) == len(printed):
                return
            # Nobody has read for long: what the line holds is old, so the newest takes its place.
            with suppress(BlockingIOError):
                while os.read(line, 4096):
                    """Thrown away."""
            await asyncio.sleep(0)  # the kernel moves what is on its way in its own time


def jrc_test(addressees: int, held_s: float) -> list[Stage]:
    """Return what a JRC's lamp does while TEST and SECURITY are held so long: off, lit, blinking, lit, off."""
    if held_s <= SENDS_AFTER_S:
        return [Stage(lit=True, for_s=held_s)]
    sending_s = JRC_SENDING_MIN[addressees - 1] * 60.0
    return [
        Stage(lit=True, for_s=SENDS_AFTER_S),
        Stage(lit=None, for_s=sending_s),
        Stage(lit=True, for_s=SHORTEST_STAGE_S, prints=True),
    ]


def sailor_test(held_s: float) -> list[Stage]:
    """Return what a SAILOR's lamp does while TEST and a covert button are held so long: lit, dark, flashing, lit.

    What it shows after 30 s is not documented; here it is dark until the buttons are let go.
    """
    flashing_s = min(held_s, SENDS_AFTER_S)
    stages = [Stage(lit=False, for_s=SAILOR_TEST_ALONE_S), Stage(lit=None, for_s=flashing_s)]
    return [*stages, Stage(lit=False, for_s=held_s - flashing_s)] if held_s > flashing_s else stages


def _even(code: int) -> int:
    """Return seven bits with the eighth that makes the count of ones even."""
    return code | (code.bit_count() % 2) << 7


def _one_of(fields: Mapping[str, object], name: str, allowed: tuple[str, ...]) -> str:
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
