"""What do the answers of one poll say of each contact, now and since the poll before?

Pure but for the memory of the poll before. Everything that a test window alone may show is cut away here, at decode:
a lamp's bit unless it is admitted, and its counter and its latches always (invariant 1).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.drivers.contacts import moved_between
from daemon.drivers.gauges import DIGITS, held_low
from daemon.drivers.modbus_between import Between, Marks
from daemon.drivers.modbus_frames import inputs_as_number, words_of
from daemon.drivers.modbus_plan import InputPlan, LoopPlan, see_nothing, with_faulty, without
from daemon.drivers.modbus_reach import Part
from daemon.model import ContactState

if TYPE_CHECKING:
    from daemon.drivers.modbus_plan import Plan, Seen
    from daemon.drivers.modbus_poll import Answers
    from daemon.drivers.modbus_profile import Profile
    from daemon.drivers.modbus_unit import UnitConfig

NONE: frozenset[int] = frozenset()
_CLEAR = frozenset({ContactState.CLOSED, ContactState.OPEN})


class Reader:
    """Reads one unit; one for each connection."""

    def __init__(self, plan: Plan, profile: Profile, config: UnitConfig) -> None:
        self._plan = plan
        self._profile = profile
        self._between: Between | None = None
        if (config.counters or config.latches) and isinstance(plan, InputPlan):
            counters = profile.counters
            self._between = (
                Between()
                if counters is None
                else Between(modulus=counters.modulus, edges=counters.edges)
            )
        self._contacts: tuple[ContactState | None, ...] = (None,) * len(plan.contacts)
        self.spent: frozenset[str] = frozenset()
        """The contacts of which a latch was on before anybody looked, so that it can tell nothing."""
        self._gauges = tuple(
            (place, c.gauge) for place, c in enumerate(plan.contacts) if c.gauge is not None
        )
        self.figures: dict[str, float | None] = {}
        """What the loops of the unit measure, by the point of each gauge; None where it is not known."""

    def read(
        self, answers: Answers, *, lamps_admitted: bool
    ) -> tuple[Seen, list[tuple[str, tuple[ContactState, ...]]]]:
        """Return what the inputs say, and what the contacts did since the poll before, by point."""
        seen = self._see(answers, lamps_admitted=lamps_admitted)
        if self._gauges and isinstance(self._plan, LoopPlan):
            seen = self._measure(seen, self._plan, answers)
        before, self._contacts = self._contacts, seen.contacts
        if self._between is None or not isinstance(self._plan, InputPlan):
            return seen, []
        return seen, self._moved(self._between, self._plan, before, seen, answers)

    def untold(self, answers: Answers) -> frozenset[str]:
        """Return the contacts of which the unit does not have all inputs."""
        if not (untold := answers.untold.get(Part.STATES)):
            return frozenset()
        return frozenset(
            c.point for c in self._plan.contacts if any(number in untold for number in c.inputs)
        )

    def _see(self, answers: Answers, *, lamps_admitted: bool) -> Seen:
        payload = answers.payloads.get(Part.STATES)
        if payload is None:
            return see_nothing(self._plan, lamps_admitted=lamps_admitted)
        seen = self._plan.see(payload, lamps_admitted=lamps_admitted)
        if lines := answers.payloads.get(Part.LINES):
            faulty = {number for number, word in enumerate(words_of(lines)) if word}
            seen = with_faulty(seen, self._plan, faulty)
        if untold := answers.untold.get(Part.STATES):
            seen = without(seen, self._plan, untold)
        return seen

    def _measure(self, seen: Seen, plan: LoopPlan, answers: Answers) -> Seen:
        """Note what is measured, and keep low what is not well above its limit yet."""
        payload = answers.payloads.get(Part.STATES)
        told = {} if payload is None else plan.figures(payload)
        states = list(seen.contacts)
        for place, gauge in self._gauges:
            is_known = states[place] in _CLEAR
            said = told.get(place) if is_known else None
            self.figures[gauge.point] = None if said is None else round(said, DIGITS)
            if said is not None and held_low(said, gauge, self._contacts[place]):
                states[place] = ContactState.OPEN
        return replace(seen, contacts=tuple(states))

    def _moved(
        self,
        between: Between,
        plan: InputPlan,
        before: tuple[ContactState | None, ...],
        seen: Seen,
        answers: Answers,
    ) -> list[tuple[str, tuple[ContactState, ...]]]:
        """Return what was counted or latched; of the inputs of contacts, and of no test lamp ever."""
        payload = answers.payloads.get(Part.STATES)
        untold = answers.untold.get(Part.STATES, NONE)
        watched = [n for contact in plan.contacts for n in contact.inputs if n not in untold]
        inputs = 0
        if payload is None:
            watched = []
        else:
            inputs = inputs_as_number(plan.function, payload, visible=plan.contact_bits)
        marks = self._marks(plan, answers)
        self._note_spent(plan, inputs, marks)
        cycles = between.cycles(inputs, watched, marks, answers.ended_s)
        if not cycles:
            return []
        moved = []
        for contact, was, now in zip(plan.contacts, before, seen.contacts, strict=True):
            of_inputs = [cycles.get(number, 0) for number in contact.inputs]
            if states := moved_between(contact.wiring, of_inputs, was, now):
                moved.append((contact.point, states))
        return moved

    def _marks(self, plan: InputPlan, answers: Answers) -> Marks:
        counts: dict[int, int] = {}
        counters = self._profile.counters
        payload = answers.payloads.get(Part.COUNTERS)
        if counters is not None and payload is not None:
            words = words_of(payload)
            untold = answers.untold.get(Part.COUNTERS, NONE)
            for contact in plan.contacts:
                for number in contact.inputs:
                    if number not in untold:
                        counts[number] = counters.count(words, number)
        return Marks(
            counts,
            self._latched(plan, answers, Part.LATCHED_ON),
            self._latched(plan, answers, Part.LATCHED_OFF),
        )

    def _latched(self, plan: InputPlan, answers: Answers, part: Part) -> int | None:
        payload = answers.payloads.get(part)
        latches = self._profile.latches
        # A table of which a part is missing is as good as none: what is 0 there would look cleared.
        if latches is None or payload is None or part in answers.untold:
            return None
        return inputs_as_number(latches.function, payload, visible=plan.contact_bits)

    def _note_spent(self, plan: InputPlan, inputs: int, marks: Marks) -> None:
        """Note the contacts whose latch of the state that they are not in now is on."""
        if marks.latched_on is None or marks.latched_off is None:
            self.spent = frozenset()
            return
        spent = (marks.latched_off & inputs) | (marks.latched_on & ~inputs)
        self.spent = frozenset(
            contact.point
            for contact in plan.contacts
            if any(spent >> number & 1 for number in contact.inputs)
        )
