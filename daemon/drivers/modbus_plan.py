"""Which input of a unit is which door, seal or test lamp, and which of them may be looked at?

Pure. Built once from the configuration; refuses wiring that cannot be. An input that is wired to
nothing is never looked at either: whatever somebody hangs on it later does not exist for ispsd.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from daemon.drivers.api import Wiring
from daemon.drivers.contacts import (
    contact_state,
    inputs_needed,
    is_measured,
)
from daemon.drivers.gauges import figure, gauged_state, is_told
from daemon.drivers.modbus_frames import inputs_as_number, words_of
from daemon.drivers.modbus_tables import Loops
from daemon.model import ContactState, LampState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from daemon.drivers.api import Contact, TestLamp
    from daemon.drivers.modbus_profile import Profile
    from daemon.drivers.modbus_tables import Resistances


@dataclass(frozen=True, slots=True)
class Seen:
    """What one answer says, in the order of the plan.

    Attributes:
        contacts: None for a contact of which nothing is known.
        lamps: None when they may not be looked at.
    """

    contacts: tuple[ContactState | None, ...]
    lamps: tuple[LampState | None, ...] | None


class Plan(Protocol):
    """The wiring of one unit; made by ``plan_inputs``."""

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Return the contacts in the order in which they are seen."""
        ...

    @property
    def lamps(self) -> tuple[TestLamp, ...]:
        """Return the test lamps in the order in which they are seen."""
        ...

    def see(self, payload: bytes, *, lamps_admitted: bool) -> Seen:
        """Return what the inputs say; without admittance no lamp is looked at."""
        ...


@dataclass(frozen=True, slots=True)
class InputPlan:
    """The wiring of a unit whose inputs are on or off.

    Attributes:
        contact_bits: The inputs of all contacts, as a number.
        lamp_bits: The inputs of all test lamps, as a number; shares no bit with the contacts.
        inverted: An input reads 0 while it is on.
    """

    function: int
    contacts: tuple[Contact, ...]
    lamps: tuple[TestLamp, ...]
    contact_bits: int
    lamp_bits: int
    inverted: bool = False
    _tables: tuple[tuple[int, dict[int, ContactState]], ...] = field(init=False, repr=False)
    """For each contact: its inputs, and what every state of them says. A table is read a thousand times a second."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tables", tuple(_table(contact) for contact in self.contacts))

    def see(self, payload: bytes, *, lamps_admitted: bool) -> Seen:
        """Return what the inputs say; without admittance the lamps' bits are cleared first."""
        visible = self.contact_bits | (self.lamp_bits if lamps_admitted else 0)
        inputs = inputs_as_number(self.function, payload, visible=visible)
        if self.inverted:
            inputs ^= visible
        contacts = tuple([states[inputs & bits] for bits, states in self._tables])
        if not lamps_admitted:
            return Seen(contacts, None)
        return Seen(contacts, tuple(_lamp_state(inputs, lamp) for lamp in self.lamps))


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """The wiring of a unit whose inputs are analogue: no test lamp is ever on one."""

    tells: Loops | Resistances
    contacts: tuple[Contact, ...]

    @property
    def lamps(self) -> tuple[TestLamp, ...]:
        return ()

    def see(self, payload: bytes, *, lamps_admitted: bool) -> Seen:
        """Return what the loops or lines say: one word for each input, high byte first."""
        words = words_of(payload)
        states = tuple(self._state(contact, words[contact.inputs[0]]) for contact in self.contacts)
        return Seen(states, () if lamps_admitted else None)

    def figures(self, payload: bytes) -> dict[int, float]:
        """Return what the loops measure, by the place of their contact."""
        if not isinstance(self.tells, Loops):
            return {}
        words = words_of(payload)
        told = {
            place: figure(self.tells.current_ma(words[contact.inputs[0]]), contact.gauge)
            for place, contact in enumerate(self.contacts)
            if contact.gauge is not None
        }
        return {place: said for place, said in told.items() if said is not None}

    def _state(self, contact: Contact, counts: int) -> ContactState | None:
        loops = self.tells if isinstance(self.tells, Loops) else None
        if loops is not None and contact.gauge is not None:
            return gauged_state(loops.current_ma(counts), contact.gauge)
        state = self.tells.state(counts)
        if contact.has_between and state is ContactState.LINE_FAULT and loops is not None:
            return None if is_told(loops.current_ma(counts)) else state
        return state


def without(seen: Seen, plan: Plan, untold: Collection[int]) -> Seen:
    """Return the same, with nothing known of whatever hangs on an input that the unit did not tell."""
    contacts = tuple(
        None if any(number in untold for number in contact.inputs) else state
        for contact, state in zip(plan.contacts, seen.contacts, strict=True)
    )
    if seen.lamps is None:
        return Seen(contacts, None)
    lamps = zip(plan.lamps, seen.lamps, strict=True)
    return Seen(contacts, tuple(None if lamp.input in untold else state for lamp, state in lamps))


def with_faulty(seen: Seen, plan: Plan, faulty: Collection[int]) -> Seen:
    """Return the same, with a line fault wherever the module itself says that an input's line has one."""
    contacts = tuple(
        ContactState.LINE_FAULT
        if state is not None and any(number in faulty for number in contact.inputs)
        else state
        for contact, state in zip(plan.contacts, seen.contacts, strict=True)
    )
    return Seen(contacts, seen.lamps)


def see_nothing(plan: Plan, *, lamps_admitted: bool) -> Seen:
    """Return what a unit says that refuses to tell."""
    return Seen(
        contacts=(None,) * len(plan.contacts),
        lamps=(None,) * len(plan.lamps) if lamps_admitted else None,
    )


def plan_inputs(
    profile: Profile, contacts: tuple[Contact, ...], lamps: tuple[TestLamp, ...]
) -> Plan:
    """Return the plan of a unit.

    Raises:
        ValueError: An input is not there, has two users or is of the wrong kind, or a contact has
            the wrong number of them; the message names the points.
    """
    user_of: dict[int, str] = {}
    for point, number in _uses(contacts, lamps):
        if not 0 <= number < profile.inputs:
            raise ValueError(
                f"{point}: no input {number}; a {profile.maker} {profile.model} has "
                f"0 to {profile.inputs - 1}"
            )
        if number in user_of:
            raise ValueError(f"{point}: input {number} is already that of {user_of[number]}")
        user_of[number] = point
    for contact in contacts:
        if len(contact.inputs) != (needed := inputs_needed(contact.wiring)):
            raise ValueError(
                f"{contact.point}: wiring {contact.wiring} takes {needed} "
                f"{'input' if needed == 1 else 'inputs'}, got {len(contact.inputs)}"
            )
    _refuse_wrong_kind(profile, contacts, lamps)
    if (tells := profile.loops or profile.resistances) is not None:
        return LoopPlan(tells, contacts)
    return InputPlan(
        function=profile.function,
        contacts=contacts,
        lamps=lamps,
        contact_bits=_as_number(number for contact in contacts for number in contact.inputs),
        lamp_bits=_as_number(lamp.input for lamp in lamps),
        inverted=profile.inverted,
    )


def _refuse_wrong_kind(
    profile: Profile, contacts: Iterable[Contact], lamps: Iterable[TestLamp]
) -> None:
    is_analogue = profile.is_analogue
    measured = Wiring.RESISTANCE if profile.resistances is not None else Wiring.LOOP_4_20_MA
    kind = "on or off"
    if is_analogue:
        kind = "analogue" if profile.loops is not None else "resistances"
    for contact in contacts:
        fits = contact.wiring is measured if is_analogue else not is_measured(contact.wiring)
        if not fits:
            raise ValueError(
                f"{contact.point}: wiring {contact.wiring} cannot be; the inputs of a "
                f"{profile.maker} {profile.model} are {kind}"
            )
    for lamp in lamps:
        if is_analogue:
            raise ValueError(f"{lamp.point}: a test lamp wants an input that is on or off")


def _uses(contacts: Iterable[Contact], lamps: Iterable[TestLamp]) -> Iterator[tuple[str, int]]:
    for contact in contacts:
        for number in contact.inputs:
            yield contact.point, number
    for lamp in lamps:
        yield lamp.point, lamp.input


def _table(contact: Contact) -> tuple[int, dict[int, ContactState]]:
    """Return the inputs of a contact, as a number, and its state by how they stand."""
    states = {
        _as_number(number for number, on in zip(contact.inputs, each, strict=True) if on): (
            contact_state(each, contact.wiring)
        )
        for each in itertools.product((False, True), repeat=len(contact.inputs))
    }
    return _as_number(contact.inputs), states


def _as_number(inputs: Iterable[int]) -> int:
    return sum(1 << number for number in inputs)


def _is_on(inputs: int, number: int) -> bool:
    return bool(inputs >> number & 1)


def _lamp_state(inputs: int, lamp: TestLamp) -> LampState:
    return LampState.LIT if _is_on(inputs, lamp.input) is lamp.lit_when else LampState.DARK
