"""A system that watches shell doors.

Written from IEC 61162-1: DOR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, only, whole
from simulators.outlets import OUTLET_SETTINGS
from simulators.voice import TalkingUnit, Voice, plain, sentence, talker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.computer.clock import Clock

STATES = {"open": "O", "close": "C", "secure": "S", "free": "F", "fault": "X"}
"""What a door can be told, and the letter that is said then."""
SYSTEMS = ("WT", "WS", "FD", "HD", "OT")


@dataclass(frozen=True, slots=True)
class Door:
    """One door, as its system names it."""

    system: str
    division: str
    number: int
    text: str


class SideDoorsSimulator(TalkingUnit):
    """One door system."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: an outlet's, ``talker``, ``every_s``, ``doors``.

        Each door has a ``name`` for commands, and ``system``, ``division``, ``number``, ``text``.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "talker", "every_s", "doors", *OUTLET_SETTINGS)
        self._clock = clock or SystemClock()
        self._talker = talker(settings, "HD")
        self._doors = _doors(settings.get("doors"))
        self._states = dict.fromkeys(self._doors, "C")
        every_s = whole(settings, "every_s", low=1, high=600, default=30)
        self._voice = Voice(unit_id, settings, self._clock, self._sentences, every_s=float(every_s))

    async def do(self, command: Mapping[str, object]) -> None:
        verb = command.get("do")
        if not isinstance(verb, str) or verb not in STATES:
            await self._voice.obey(command, known=", ".join(STATES))
            return
        only(command, "do", "door")
        name = command.get("door")
        if not isinstance(name, str) or name not in self._doors:
            raise ValueError(f"no door {name!r}; known are {', '.join(self._doors)}")
        self._states[name] = STATES[verb]
        self._voice.say([self._dor(name)])

    def _sentences(self, _turn: int) -> Iterable[str]:
        return [self._dor(name) for name in self._doors]

    def _dor(self, name: str) -> str:
        door, time = self._doors[name], f"{self._clock.utc():%H%M%S}.00"
        place = f"{door.system},{door.division},,{door.number:03d}"
        return sentence(
            "$", f"{self._talker}DOR,E,{time},{place},{self._states[name]},O,{door.text}"
        )


def _doors(given: object) -> dict[str, Door]:
    if not isinstance(given, list) or not given:
        raise ValueError(f"doors is a list of doors, not {given!r}")
    doors: dict[str, Door] = {}
    for table in given:
        if not isinstance(table, dict):
            raise ValueError(f"a door has a name and a number, not {table!r}")  # noqa: TRY004
        only(table, "name", "system", "division", "number", "text")
        name = plain(table, "name", most=20)
        system = plain(table, "system", most=2, default="HD")
        if not name or name in doors or system not in SYSTEMS:
            raise ValueError(
                f"a door has a name of its own and one of the systems {SYSTEMS}: {table!r}"
            )
        doors[name] = Door(
            system,
            plain(table, "division", most=3, default=""),
            whole(table, "number", low=0, high=999),
            plain(table, "text", most=20, default=name.upper()),
        )
    return doors


SIMULATOR = SimulatorSpec(kind="side_doors", build=SideDoorsSimulator)
