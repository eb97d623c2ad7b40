"""Which conditions follow from what the sensors say? Pure functions from a change to conditions.

Unknown is not closed (invariant 3): an open door whose sensor is lost stays open for us, a door first seen open after
nobody could see it is a caution of its own, and a line fault is neither open nor closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.model import ContactState, DoorClass, LinkState, Opening, OpeningKind

if TYPE_CHECKING:
    from daemon.points import Change

OPEN_KEYS = {
    DoorClass.BRIDGE: "door.bridge.open",
    DoorClass.MACHINERY: "door.machinery.open",
    DoorClass.VITAL: "door.vital.open",
    DoorClass.PERIMETER: "door.perimeter.open",
    DoorClass.GANGWAY: "door.perimeter.open",
    DoorClass.STORE: "door.store.open",
    DoorClass.ESCAPE: "door.escape.open",
}
"""The gangway door is a perimeter door for its alert; only its policy differs."""

BLIND = "door.blind_open"
UNKNOWN = "door.unknown"
LINE_FAULT = "sensor.line_fault"
SEAL = "seal.broken"


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says of one condition."""

    key: str
    active: bool
    detail: str = ""


def open_key(opening: Opening) -> str:
    """Return the key of the alert when this opening is found open."""
    return SEAL if opening.door_class is None else OPEN_KEYS[opening.door_class]


def contact(
    opening: Opening, change: Change, *, must_be_closed: bool, open_stands: bool, blind_stands: bool
) -> tuple[Said, ...]:
    """Return the conditions of one door or seal after its contact changed.

    Args:
        opening: The door or seal.
        change: What its contact says now.
        must_be_closed: The policy at this moment; a seal always must.
        open_stands: The open alert of this opening stands already: seen before it went blind or before a restart.
        blind_stands: The *blind, now open* alert stands already.
    """
    state = change.reading.value
    key = open_key(opening)
    match state:
        case None:
            return (Said(UNKNOWN, active=True),)
        case ContactState.CLOSED:
            return (
                Said(key, active=False),
                Said(BLIND, active=False),
                Said(UNKNOWN, active=False),
                Said(LINE_FAULT, active=False),
            )
        case ContactState.LINE_FAULT:
            # Whether the door behind it is open cannot be told, so what stood goes on standing.
            return (Said(UNKNOWN, active=False), Said(LINE_FAULT, active=True))
        case ContactState.OPEN:
            seen = (Said(UNKNOWN, active=False), Said(LINE_FAULT, active=False))
            wanted = must_be_closed or opening.kind is OpeningKind.SEAL
            found_open = (change.baseline and not open_stands) or blind_stands
            blind = Said(
                BLIND,
                active=wanted and found_open,
                detail=f"was blind {duration(change.blind_s)}, found open",
            )
            return (*seen, blind, Said(key, active=wanted and not found_open))
        case _:
            return ()


def feed(key: str, link: LinkState) -> Said:
    """Return the condition of a device's link."""
    return Said(key, active=link is not LinkState.UP)


def duration(seconds: float) -> str:
    """Return a time as an officer reads it: ``3 min 10 s``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
