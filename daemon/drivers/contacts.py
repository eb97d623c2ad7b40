"""What does a door or seal contact say? From the inputs that it is wired to, and nothing else.

Supervision by a second contact: an intact pair always disagrees, so a pair that agrees is a cut, a
short or a contact that sticks, and neither closed nor open (invariant 3: unknown is not closed).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.drivers.api import Wiring
from daemon.model import ContactState

if TYPE_CHECKING:
    from collections.abc import Sequence


def inputs_needed(wiring: Wiring) -> int:
    """Return how many inputs a contact takes when it is wired so."""
    return 2 if wiring is Wiring.DOUBLE else 1


def contact_state(inputs: Sequence[bool], wiring: Wiring) -> ContactState:
    """Return what the contact says.

    Raises:
        ValueError: The wiring takes another number of inputs.
    """
    if len(inputs) != inputs_needed(wiring):
        raise ValueError(f"{wiring} takes {inputs_needed(wiring)} inputs, got {len(inputs)}")
    match wiring:
        case Wiring.NC:
            return ContactState.CLOSED if inputs[0] else ContactState.OPEN
        case Wiring.NO:
            return ContactState.OPEN if inputs[0] else ContactState.CLOSED
        case Wiring.DOUBLE:
            return _pair(on_while_closed=inputs[0], on_while_open=inputs[1])


def _pair(*, on_while_closed: bool, on_while_open: bool) -> ContactState:
    if on_while_closed is on_while_open:
        return ContactState.LINE_FAULT
    return ContactState.CLOSED if on_while_closed else ContactState.OPEN
