"""An SSAS unit: the text port of a JRC JUE-95SA on a pty, the test lamp of that or of a SAILOR 6194.

Written from the JRC JUE-95SA instruction manual and the user manual of the SAILOR 6194 terminal control unit. The unit
only prints: whoever plays a scenario presses its button. Its lamp is wired to an I/O unit, so the scenario carries it
there: each change is told to ``on_lamp``. Whether the JRC prints a test when it begins or when it is out is not known;
here it prints when it is out. A SAILOR prints nothing: no such port of it is documented.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, flag, only, seconds, whole
from simulators.text_port import VERBS, TextPort, one_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from daemon.computer.clock import Clock

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
NO_PORT = "a SAILOR 6194 has no text port"


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

        ``link`` and ``line_end`` are a text port's; ``maker`` is jrc or sailor; ``speed`` shortens each stage of a
        test so many times; with ``open_end`` nothing ends the last line of a message.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "link", "maker", "speed", "line_end", "open_end")
        self.on_lamp: Callable[[bool], Awaitable[None]] | None = None
        """Told of each change of the lamp; set it before ``start``, which tells what it shows at rest."""
        self._is_jrc = one_of(settings, "maker", ("jrc", "sailor")) == "jrc"
        self._speed = whole(settings, "speed", low=1, high=1000, default=1)
        self._has_open_end = flag({"open_end": False, **settings}, "open_end")
        self._port = TextPort(unit_id, settings)
        self._testing: asyncio.Task[None] | None = None
        self._id = unit_id
        self._clock = clock or SystemClock()

    @property
    def endpoint(self) -> str:
        return self._port.endpoint

    async def start(self) -> None:
        self._port.start()
        await self._show(lit=not self._is_jrc)

    async def stop(self) -> None:
        testing, self._testing = self._testing, None
        if testing is not None:
            testing.cancel()
            await asyncio.wait({testing})
        self._port.stop()
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
            case "cut":
                only(command, "do", "after")
                text = self._message(is_test=True)
                await self._print(text[: whole(command, "after", low=1, high=len(text) - 1)])
            case "text" | "noise" if not self._is_jrc:
                raise ValueError(NO_PORT)
            case unknown:
                if not await self._port.do(command):
                    raise ValueError(
                        f"an SSAS unit cannot do {unknown!r}; known are press, test, alert, cut, {VERBS}"
                    )

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
        if not self._port.is_started:
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
        text = message(marker, self._clock.utc()).replace("\r\n", self._port.line_end)
        return text.removesuffix(self._port.line_end) if self._has_open_end else text

    async def _print(self, text: str) -> None:
        if not self._is_jrc:
            raise ValueError(NO_PORT)
        await self._port.print(text)


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


SIMULATOR = SimulatorSpec(kind="ssas_unit", build=SsasUnitSimulator)
