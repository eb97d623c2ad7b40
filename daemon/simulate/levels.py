"""Which inputs of a unit are on while a contact is closed, open or cut? The inverse of what the driver reads.

Written from the wiring and the unit's profile, not from the driver's decoding: an inverse that shared its code would
hide its mistakes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from daemon.drivers.api import Wiring
from daemon.model import ContactState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.drivers.api import Contact, Gauge, TestLamp
    from daemon.drivers.modbus_profile import Profile
    from daemon.drivers.modbus_tables import Loops, Resistances

BITS_PER_WORD = 16


def bits(profile: Profile) -> int:
    """Return how many inputs the stand-in has: an analogue input is a word of them."""
    return profile.inputs * (BITS_PER_WORD if profile.is_analogue else 1)


def of_contact(contact: Contact, state: ContactState, profile: Profile) -> dict[int, bool]:
    """Return the inputs that a contact drives in a state; ``LINE_FAULT`` is a cable that is cut."""
    if profile.loops is not None:
        return _word(contact, _of_current(profile.loops, state, contact.gauge))
    if profile.resistances is not None:
        return _word(contact, _of_ohms(profile.resistances, state))
    is_on = _is_on(contact.wiring, state)
    return {
        number: on is not profile.inverted for number, on in zip(contact.inputs, is_on, strict=True)
    }


def at_rest(contacts: Iterable[Contact], lamps: Iterable[TestLamp], profile: Profile) -> list[int]:
    """Return the inputs that are on while every contact is closed and every test lamp dark."""
    levels: dict[int, bool] = {}
    if profile.inverted:
        levels = dict.fromkeys(range(bits(profile)), True)
    for contact in contacts:
        levels |= of_contact(contact, ContactState.CLOSED, profile)
    for lamp in lamps:
        levels[lamp.input] = (not lamp.lit_when) is not profile.inverted
    return sorted(number for number, on in levels.items() if on)


def _is_on(wiring: Wiring, state: ContactState) -> tuple[bool, ...]:
    closed, opened = state is ContactState.CLOSED, state is ContactState.OPEN
    match wiring:
        case Wiring.NC:
            return (closed,)
        case Wiring.NO:
            return (opened,)
        case Wiring.NAMUR:
            return (closed, state is ContactState.LINE_FAULT)
        case _:
            return (closed, opened)


def _word(contact: Contact, counts: int) -> dict[int, bool]:
    first = contact.inputs[0] * BITS_PER_WORD
    return {first + bit: bool(counts >> bit & 1) for bit in range(BITS_PER_WORD)}


def _of_current(loops: Loops, state: ContactState, gauge: Gauge | None) -> int:
    """Return the word of a current in the middle of its band; none flows where the cable is cut."""
    bands: Mapping[ContactState, tuple[float, float]] = {
        ContactState.CLOSED: loops.closed_ma,
        ContactState.OPEN: loops.open_ma,
    }
    if gauge is not None:
        limit_ma = 4 + 16 * (gauge.low - gauge.at_4_ma) / (gauge.at_20_ma - gauge.at_4_ma)
        bands = {ContactState.CLOSED: (limit_ma, 20.0), ContactState.OPEN: (4.0, limit_ma)}
    if state not in bands:
        return 0
    low, high = bands[state]
    share = ((low + high) / 2 - loops.ma_at_zero) / (loops.ma_at_full - loops.ma_at_zero)
    return round(share * loops.counts_full)


def _of_ohms(resistances: Resistances, state: ContactState) -> int:
    """Return the word of a resistance in the middle of its band; no resistance, a short, is a fault of any line."""
    bands = {
        ContactState.CLOSED: resistances.bands.closed_ohm,
        ContactState.OPEN: resistances.bands.open_ohm,
    }
    if state not in bands:
        return 0
    low, high = bands[state]
    ohm = low if math.isinf(high) else (low + high) / 2
    return min(resistances.counts_full, round(ohm / resistances.ohm_per_count))
