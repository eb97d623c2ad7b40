"""A gyro compass, or whatever stands in for it.

Written from IEC 61162-1: THS, HDT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, only
from simulators.outlets import OUTLET_SETTINGS
from simulators.voice import TalkingUnit, Voice, formatters, number, sentence, talker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.computer.clock import Clock

FORMATTERS = ("THS", "HDT")
MODES = "AEMSV"
KNOWN = "heading, mode"


class HeadingSimulator(TalkingUnit):
    """One compass."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: an outlet's, ``talker``, ``sentences``, ``deg``.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "talker", "sentences", "deg", *OUTLET_SETTINGS)
        self._talker = talker(settings, "HE")
        self._formatters = formatters(settings, FORMATTERS, usual=("THS",))
        self._heading_deg = number(settings, "deg", low=0, high=359.9, default=20.0)
        self._mode = "A"
        self._voice = Voice(unit_id, settings, clock or SystemClock(), self._sentences)

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "heading":
                only(command, "do", "deg")
                self._heading_deg = number(command, "deg", low=0, high=359.9)
            case "mode":
                only(command, "do", "mode")
                self._mode = _mode(command.get("mode"))
            case _:
                await self._voice.obey(command, known=KNOWN)

    def _sentences(self, _turn: int) -> Iterable[str]:
        heading = "" if self._mode == "V" else f"{self._heading_deg:.1f}"
        said = {"THS": f"THS,{heading},{self._mode}", "HDT": f"HDT,{heading},T"}
        for formatter in self._formatters:
            yield sentence("$", self._talker + said[formatter])


def _mode(given: object) -> str:
    if isinstance(given, str) and len(given) == 1 and given in MODES:
        return given
    raise ValueError(f"mode is one of {', '.join(MODES)}, not {given!r}")


SIMULATOR = SimulatorSpec(kind="heading", build=HeadingSimulator)
