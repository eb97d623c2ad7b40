"""What does a door or seal contact say? From the inputs that it is wired to, and nothing else.

Supervision by a second contact: an intact pair always disagrees, so a pair that agrees is a cut, a
short or a contact that sticks, and neither closed nor open (invariant 3: unknown is not closed).
Supervision by current or resistance: resistors at the contact make one value while closed and another while
open; whatever is in neither band is a line fault, never a guess (NAMUR NE43 for what a transmitter may send).
Supervision by a NAMUR input (IEC 60947-5-6): the module tells the state in one bit and a broken or shorted line
in another, and the second wins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from daemon.drivers.api import Wiring
from daemon.model import ContactState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOOP_BROKEN_MA = 3.6
"""NAMUR NE43: at this current or less, in mA, the loop is cut or its transmitter has failed."""
LOOP_SHORTED_MA = 21.0
"""NAMUR NE43: at this current or more, in mA, the loop is shorted or its transmitter has failed."""

Band: TypeAlias = tuple[float, float]
"""The lowest and the highest value of a band; both belong to it."""
WITHIN = 0.15
"""How far a resistor with its line may be from its value: 5 % parts, heat, and 100 ohms of cable. Our choice."""
LEAST_OPEN_OHM = 30_000.0
"""From here on nothing is connected (Tyco RM, TST-100 manual p. 8)."""
MOST_TOLD = 3
"""So many movements between two polls are told one by one, which is enough for chatter; more are no more news."""


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


@dataclass(frozen=True, slots=True)
class LineBands:
    """Which resistance of a line with resistors at its end means what.

    Raises:
        ValueError: A band is upside down or begins at a short, or the two meet.
    """

    closed_ohm: Band
    open_ohm: Band
    source: str

    def __post_init__(self) -> None:
        for name, (low, high) in (("closed_ohm", self.closed_ohm), ("open_ohm", self.open_ohm)):
            if not 0 < low < high:
                raise ValueError(f"{name} is a band from low to high above 0 ohm")
        lower, upper = sorted((self.closed_ohm, self.open_ohm))
        if lower[1] >= upper[0]:
            raise ValueError("the bands of closed and open meet")


def _about(ohm: float) -> Band:
    return ohm * (1 - WITHIN), ohm * (1 + WITHIN)


_ROSSLARE = "Rosslare AC-425 manual, p. 24"
_TYCO = "Tyco TST-100 manual, p. 8: RM, 1 k + 1 k"
LINES: Final[Mapping[str, LineBands]] = {
    # One resistor: an open contact and a cut cable are the same, so both are open.
    "rosslare-nc-single": LineBands(_about(2200), (LEAST_OPEN_OHM, math.inf), _ROSSLARE),
    "rosslare-nc-double": LineBands(_about(2200), _about(10_400), _ROSSLARE),
    "tyco-rm-nc": LineBands(_about(1000), _about(2000), _TYCO),
    "tyco-rm-no": LineBands(_about(1000), _about(500), _TYCO),
}
"""Resistors at a contact as makers prescribe them: 0 ohm, a cut cable and every gap between are line faults."""

_PAIRS = frozenset({Wiring.DOUBLE, Wiring.NAMUR})
_MEASURED = frozenset({Wiring.LOOP_4_20_MA, Wiring.RESISTANCE})


def inputs_needed(wiring: Wiring) -> int:
    """Return how many inputs a contact takes when it is wired so."""
    return 2 if wiring in _PAIRS else 1


def is_measured(wiring: Wiring) -> bool:
    """Return whether a contact that is wired so is told by a measured value, not by inputs on or off."""
    return wiring in _MEASURED


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
        case Wiring.NAMUR:
            return _namur(on_while_closed=inputs[0], line_is_faulty=inputs[1])
        case Wiring.LOOP_4_20_MA:
            raise ValueError(f"{wiring} is told by a current, not by inputs that are on or off")
        case Wiring.RESISTANCE:
            raise ValueError(f"{wiring} is told by its ohms, not by inputs that are on or off")


def loop_state(current_ma: float, bands: LoopBands) -> ContactState:
    """Return what a supervised loop says; a current in neither band is a line fault."""
    return _measured_state(current_ma, closed=bands.closed_ma, opened=bands.open_ma)


def line_state(ohm: float, bands: LineBands) -> ContactState:
    """Return what a line with resistors at its end says; a value in neither band is a line fault."""
    return _measured_state(ohm, closed=bands.closed_ohm, opened=bands.open_ohm)


def moved_between(
    wiring: Wiring,
    cycles: Sequence[int],
    before: ContactState | None,
    after: ContactState | None,
) -> tuple[ContactState, ...]:
    """Return what a contact was seen to do between two polls, in order and with how it is now at the end.

    Args:
        wiring: How it is wired.
        cycles: How often each of its inputs left its state and came back, unseen by the polls.
        before: What the contact said at the poll before.
        after: What it says now.

    Empty where nothing moved, and where one of the two is not known: unknown is not closed, and what lies
    between is not counted (invariant 3). A pair of which one input alone has moved was a line fault for a moment.
    """
    if before not in _CLEAR or after not in _CLEAR or not any(cycles):
        return ()
    other = ContactState.OPEN if after is ContactState.CLOSED else ContactState.CLOSED
    states = [after] if before is not after else []
    if wiring is Wiring.DOUBLE:
        times = min(cycles)
        if max(cycles) > times:
            states += [ContactState.LINE_FAULT, after]
    else:  # the second bit of a NAMUR input is its line's
        times = cycles[0]
    states += [other, after] * min(times, MOST_TOLD)
    return tuple(states) if len(states) > 1 else ()


_CLEAR = frozenset({ContactState.CLOSED, ContactState.OPEN})


def _measured_state(value: float, *, closed: Band, opened: Band) -> ContactState:
    if closed[0] <= value <= closed[1]:
        return ContactState.CLOSED
    if opened[0] <= value <= opened[1]:
        return ContactState.OPEN
    return ContactState.LINE_FAULT


def _namur(*, on_while_closed: bool, line_is_faulty: bool) -> ContactState:
    if line_is_faulty:
        return ContactState.LINE_FAULT
    return ContactState.CLOSED if on_while_closed else ContactState.OPEN


def _pair(*, on_while_closed: bool, on_while_open: bool) -> ContactState:
    if on_while_closed is on_while_open:
        return ContactState.LINE_FAULT
    return ContactState.CLOSED if on_while_closed else ContactState.OPEN


def _band(band: Band) -> str:
    return f"{band[0]:g} to {band[1]:g} mA"
