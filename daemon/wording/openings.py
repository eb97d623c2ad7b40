"""What does a contact say in words, by what it watches? For pages, dashboards and drawings. Pure."""

from __future__ import annotations

from typing import Final

from daemon.model import ContactState, OpeningKind

WORDS: Final = {
    OpeningKind.DOOR: ("closed", "open"),
    OpeningKind.SEAL: ("whole", "broken"),
    OpeningKind.LOCK: ("locked", "not locked"),
    OpeningKind.MOTION: ("nothing moves", "something moves"),
    OpeningKind.TAMPER: ("case shut", "case open"),
    OpeningKind.SIDE_DOOR: ("closed", "open"),
    OpeningKind.LIGHT: ("lit", "not lit"),
    OpeningKind.MAINS: ("on mains", "on battery"),
    OpeningKind.BATTERY: ("battery good", "battery low"),
}
"""What a closed and an open contact mean, by kind."""
LINE_FAULT: Final = "line fault"


def word(kind: OpeningKind, state: ContactState) -> str:
    """Return what a contact of that kind says, in words."""
    if state is ContactState.LINE_FAULT:
        return LINE_FAULT
    closed, opened = WORDS[kind]
    return closed if state is ContactState.CLOSED else opened
