"""How do the shell doors stand that a system of their own watches?

Source: IEC 61162-1 DOR. A door that nobody configured is ignored. The status of a whole section says
how many doors are open, not which: it sets no door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.drivers.api import PointSpec, SideDoor
from daemon.drivers.sentences import Dropped, SentenceError, fields_of, whole
from daemon.model import ContactState, Quality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.drivers.nmea_reader import Read, Seen
    from daemon.drivers.sentences import Sentence

DOOR_VALID_S = 150.0
"""Door systems repeat the state of each door, once a minute or oftener."""

_FIELDS = 8
_HIGHEST_NUMBER = 999
_SECTION, _DOOR, _FAULT = "S", "E", "F"
_STATES = {
    "O": ContactState.OPEN,
    "C": ContactState.CLOSED,
    "S": ContactState.CLOSED,  # closed and secured
    "F": ContactState.OPEN,  # free: no longer secured, nothing says that it is closed
    "X": ContactState.LINE_FAULT,
}


class DoorsReader:
    """A system that watches doors."""

    def __init__(self, doors: Sequence[SideDoor], valid_s: float = DOOR_VALID_S) -> None:
        self._doors = tuple(doors)
        self.points = tuple(PointSpec(door.point, valid_s) for door in doors)
        self.reads: Mapping[str, Read] = {"DOR": self._read}

    def _read(self, sentence: Sentence, _now_s: float) -> Sequence[Seen]:
        about, _, system, division, _, number_text, state, _ = fields_of(sentence, _FIELDS)[
            :_FIELDS
        ]
        number = whole(number_text, _HIGHEST_NUMBER)
        if about == _SECTION:
            return ()
        if about == _DOOR and number is not None and state in _STATES:
            seen = _STATES[state]
        elif about == _FAULT:
            seen = ContactState.LINE_FAULT
        else:
            raise SentenceError(Dropped.MALFORMED)
        # A fault that names no door, or no division, is one of every door of its system.
        return [
            (door.point, seen, Quality.GOOD)
            for door in self._doors
            if door.system == system
            and (door.division == division or (about == _FAULT and not division))
            and (door.number == number or (about == _FAULT and number is None))
        ]
