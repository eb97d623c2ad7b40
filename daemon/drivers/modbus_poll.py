"""How is a unit asked once for everything that it tells, on whatever line it hangs?

Each request takes its own turn on the line and its own time: a unit with many tables keeps its neighbours waiting
no longer than one with a single table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon.drivers.modbus_frames import NOT_THERE, MismatchError, Question, Refusal
from daemon.drivers.modbus_reach import Part, Reach, inputs_of, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Protocol

    from daemon.computer.clock import Clock
    from daemon.drivers.api import Health
    from daemon.drivers.modbus_profile import Profile
    from daemon.drivers.modbus_reach import Block, Span

    class Line(Protocol):
        """Something on which a unit can be asked."""

        def turn(self) -> AbstractAsyncContextManager[None]:
            """Return what to hold while asking: others may have a turn on the same line first."""
            ...

        async def ask(self, question: Question, *, timeout_s: float) -> bytes | Refusal:
            """Return the answer to the question.

            Raises:
                LinkError: None came, or something else; nothing more can be asked on this line.
            """
            ...

        def close(self) -> None:
            """Leave the line; whatever is still on it is lost."""
            ...


RETRY_S: Final = 60.0
"""What a unit does not have is asked for again after so long: no restart of anything is to be needed."""


@dataclass(slots=True)
class Answers:
    """What one poll brought.

    Attributes:
        payloads: Each table as it came, by what it tells; not in it where the unit refused it altogether.
        untold: The inputs that are not told, by table.
        refusals: Why a table or a part of it was not told.
    """

    began_s: float = math.inf
    ended_s: float = math.inf
    payloads: dict[Part, bytes] = field(default_factory=dict)
    untold: dict[Part, frozenset[int]] = field(default_factory=dict)
    refusals: dict[Part, Refusal] = field(default_factory=dict)


class Poller:
    """Asks one unit over one connection; remembers what the unit does not have."""

    def __init__(
        self,
        line: Line,
        profile: Profile,
        tables: Sequence[Block],
        *,
        unit_id: int,
        timeout_s: float,
        health: Health,
        clock: Clock,
        transaction: Callable[[], int],
    ) -> None:
        self._line = line
        self._profile = profile
        self._unit_id = unit_id
        self._timeout_s = timeout_s
        self._health = health
        self._clock = clock
        self._transaction = transaction
        self._ready_at_s = 0.0
        self._retry_at_s = clock.now_s() + RETRY_S
        self.reaches = [
            Reach(block, longest=profile.most_words if block.is_words else profile.most_bits)
            for block in tables
        ]

    def drop(self, part: Part) -> None:
        """Ask for a table no longer."""
        self.reaches = [reach for reach in self.reaches if reach.block.part is not part]

    async def poll(self) -> Answers:
        """Ask for every table.

        Raises:
            LinkError: The unit does not answer, or not rightly.
        """
        answers = Answers()
        if self._clock.now_s() >= self._retry_at_s:
            self._retry_at_s = self._clock.now_s() + RETRY_S
            for reach in self.reaches:
                reach.retry()
        for reach in self.reaches:
            await self._ask_table(reach, answers)
        answers.ended_s = self._clock.now_s()
        return answers

    async def _ask_table(self, reach: Reach, answers: Answers) -> None:
        block, told = reach.block, {}
        refusal: Refusal | None = None
        untold = list(reach.missing)
        for span in reach.spans:
            answer = await self._ask(block, span, answers)
            if isinstance(answer, Refusal):
                refusal = answer
                untold.append(span)
                self._health.drop(answer.reason)
                if answer.code in NOT_THERE:
                    reach.refuse(span)
            else:
                told[span] = answer
        if told:
            answers.payloads[block.part] = joined(block, told)
        if refusal is not None:
            answers.refusals[block.part] = refusal
        reach.learn()
        if untold:
            answers.untold[block.part] = frozenset(
                number for span in untold for number in inputs_of(span, block)
            )

    async def _ask(self, block: Block, span: Span, answers: Answers) -> bytes | Refusal:
        if self._profile.pause_s:
            await self._clock.sleep(max(0.0, self._ready_at_s - self._clock.now_s()))
        question = Question(
            transaction=self._transaction(),
            unit=self._unit_id,
            function=block.function,
            address=block.address + span.first,
            count=span.count,
        )
        async with self._line.turn():
            if answers.began_s == math.inf:
                answers.began_s = self._clock.now_s()  # the wait for the turn is not the unit's
            try:
                return await self._line.ask(question, timeout_s=self._timeout_s)
            except MismatchError as err:
                self._health.drop(f"{err.reason} mismatch")
                raise
            finally:
                self._ready_at_s = self._clock.now_s() + self._profile.pause_s
