"""A contact that will not rest: a loose plug, a door that bangs, a relay that chatters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.api import only, seconds, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableSequence
    from typing import Self

    from daemon.computer.clock import Clock

MOST_TIMES = 10_000
LONGEST_EVERY_S = 600.0


@dataclass(frozen=True, slots=True)
class Flapping:
    """An input that changes so many times, each so long after the one before."""

    input: int
    times: int
    every_s: float

    @classmethod
    def of(cls, command: Mapping[str, object], inputs: int) -> Self:
        """Return what a command asks for.

        Raises:
            ValueError: Something is wrong with it.
        """
        only(command, "do", "id", "input", "times", "every_s")
        return cls(
            whole(command, "input", low=0, high=inputs - 1),
            whole(command, "times", low=1, high=MOST_TIMES, default=20),
            seconds({"every_s": 1.0, **command}, "every_s", high=LONGEST_EVERY_S),
        )

    async def run(self, inputs: MutableSequence[bool], clock: Clock) -> None:
        """Let it flap; after an even number of times it is as it was."""
        for _ in range(self.times):
            inputs[self.input] = not inputs[self.input]
            await clock.sleep(self.every_s)
