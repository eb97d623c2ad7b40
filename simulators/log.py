"""A speed log.

Written from IEC 61162-1: VBW, VHW.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, flag, only
from simulators.outlets import OUTLET_SETTINGS
from simulators.voice import TalkingUnit, Voice, formatters, number, sentence, talker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.computer.clock import Clock

FORMATTERS = ("VBW", "VHW")
KMH_PER_KNOT = 1.852
KNOWN = "speed, valid"


class LogSimulator(TalkingUnit):
    """One log."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: an outlet's, ``talker``, ``sentences``, ``kn``.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "talker", "sentences", "kn", *OUTLET_SETTINGS)
        self._talker = talker(settings, "VW")
        self._formatters = formatters(settings, FORMATTERS, usual=FORMATTERS)
        self._speed_kn = number(settings, "kn", low=-30, high=60, default=0.0)
        self._is_valid = True
        self._voice = Voice(unit_id, settings, clock or SystemClock(), self._sentences)

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "speed":
                only(command, "do", "kn")
                self._speed_kn = number(command, "kn", low=-30, high=60)
            case "valid":
                only(command, "do", "on")
                self._is_valid = flag(command, "on")
            case _:
                await self._voice.obey(command, known=KNOWN)

    def _sentences(self, _turn: int) -> Iterable[str]:
        speed = f"{self._speed_kn:.1f}" if self._is_valid else ""
        kmh = f"{self._speed_kn * KMH_PER_KNOT:.1f}" if self._is_valid else ""
        said = {
            "VBW": f"VBW,{speed},,{'A' if self._is_valid else 'V'},,,V,,V,,V",
            "VHW": f"VHW,,T,,M,{speed},N,{kmh},K",
        }
        for formatter in self._formatters:
            yield sentence("$", self._talker + said[formatter])


SIMULATOR = SimulatorSpec(kind="log", build=LogSimulator)
