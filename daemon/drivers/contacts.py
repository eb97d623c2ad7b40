"""What does a door or seal contact say? From the inputs that it is wired to, and nothing else.

Supervision by a second contact: an intact pair always disagrees, so a pair that agrees is a cut, a
short or a contact that sticks, and neither closed nor open (invariant 3: unknown is not closed).
Supervision by current: resistors at the contact make one current while closed and another while open;
whatever is in neither band is a line fault, never a guess (NAMUR NE43 for what a transmitter may send).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from daemon.drivers.api import Wiring
from daemon.model import ContactState

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOP_BROKEN_MA = 3.6
"""NAMUR NE43: at this current or less, in mA, the loop is cut or its transmitter has failed."""
LOOP_SHORTED_MA = 21.0
"""NAMUR NE43: at this current or more, in mA, the loop is shorted or its transmitter has failed."""

Band: TypeAlias = tuple[float, float]
"""The lowest and the highest current of a band, in mA; both belong to it."""


@dataclass(frozen=True, slots=True)
class LoopBands:
    """Which current of a supervised loop means what.

    Raises:
        ValueError: A band is upside down or reaches into what NE43 calls a fault, or the two meet.
    """

    closed_ma: Band
    open_ma: Band

    def __post_init__(self) -> None:
        for name, (low, high) in (("closed_ma", self.closed_ma), ("open_ma", self.open_ma)):
            if not LOOP_BROKEN_MA < low < high < LOOP_SHORTED_MA:
                raise ValueError(
                    f"{name} is a band from low to high between {LOOP_BROKEN_MA:g} and "
                    f"{LOOP_SHORTED_MA:g} mA, not {low:g} to {high:g}"
                )
        lower, upper = sorted((self.closed_ma, self.open_ma))
        if lower[1] >= upper[0]:
            raise ValueError(
                f"the bands meet: closed {_band(self.closed_ma)}, open {_band(self.open_ma)}"
            )


def inputs_needed(wiring: Wiring) -> int:
    """Return how many inputs a contact takes when it is wired so."""
    return 2 if wiring is Wiring.DOUBLE else 1


def contact_state(inputs: Sequence[bool], wiring: Wiring) -> ContactState:
    """Return what the contact says.

    Raises:
        ValueError: The wiring takes another number of inputs, or no inputs of this kind.
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
        case Wiring.LOOP_4_20_MA:
            raise ValueError(f"{wiring} is told by a current, not by inputs that are on or off")


def loop_state(current_ma: float, bands: LoopBands) -> ContactState:
    """Return what a supervised loop says; a current in neither band is a line fault."""
    if bands.closed_ma[0] <= current_ma <= bands.closed_ma[1]:
        return ContactState.CLOSED
    if bands.open_ma[0] <= current_ma <= bands.open_ma[1]:
        return ContactState.OPEN
    return ContactState.LINE_FAULT


def _pair(*, on_while_closed: bool, on_while_open: bool) -> ContactState:
    if on_while_closed is on_while_open:
        return ContactState.LINE_FAULT
    return ContactState.CLOSED if on_while_closed else ContactState.OPEN


def _band(band: Band) -> str:
    return f"{band[0]:g} to {band[1]:g} mA"
