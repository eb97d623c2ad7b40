"""What is a check? The contract that every file of this folder keeps.

A check gathers evidence about one piece of equipment and judges it. Gathering is a thin coroutine over
``CheckContext``; judging is a pure function. A check that crashes, times out, or saw missing, stale, suspect or
simulated data is inconclusive, never passed (invariant 2).

To add one: write ``daemon/checks/<kind>.py`` with a ``CHECK = CheckSpec(...)``; nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from daemon.model import Classification, Reading, Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from contextlib import AbstractContextManager

    from daemon.clock import Clock
    from daemon.model import Ship


class Mode(StrEnum):
    """Who does the test."""

    AUTOMATIC = "automatic"
    ASSISTED = "assisted"
    """A person is led through it while the drivers watch."""


class CheckConfig(BaseModel):
    """What every test of the ship's file has; each check's is a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]
    """The test's name in the record: ``t-ais``."""
    equipment: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]
    """The equipment it is a test of: ``ais``."""
    name: Annotated[str, Field(min_length=1, max_length=40)]
    """The equipment's name on screen and paper."""
    ssp_paragraph: Annotated[str, Field(min_length=1, max_length=40)]
    """The paragraph of the Ship Security Plan that asks for it (ISPS A/9.4.16)."""
    every: Literal["day", "week", "month", "quarter", "year"]
    """The calendar period, in ship's time, in which it is done once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered to a prompt.

    Attributes:
        text: What was typed; empty for a mere *done*.
    """

    person: str
    text: str = ""


class Expects(StrEnum):
    """What a prompt wants of the person."""

    NOTHING = "nothing"
    """The drivers will see it."""
    DONE = "done"
    REFERENCE = "reference"
    """A text that names the proof: whose message, when, which file."""


class Inbox(Protocol):
    """The readings of some points from the moment it was opened."""

    async def next(self, *, until_s: float) -> Reading | None:
        """Return the next reading; None when ``until_s`` (seconds since boot) has come."""
        ...


class CheckContext(Protocol):
    """What a check may see and ask."""

    clock: Clock
    ship: Ship

    def accepts(self, reading: Reading) -> bool:
        """Return whether a reading counts as evidence in this record."""
        ...

    def newest(self, point: str) -> Reading | None:
        """Return what a point says now."""
        ...

    def listen(self, points: Iterable[str]) -> AbstractContextManager[Inbox]:
        """Collect the readings of points while the context is open."""
        ...

    async def prompt(
        self, step: int, text: str, *, expects: Expects, for_s: float
    ) -> Answer | None:
        """Show a step to the person; return the answer, or None when none came in time or none is expected."""
        ...


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """How the registry finds a check.

    Attributes:
        steps: How many steps a person is led through; 0 for an automatic check.
        points: The points it listens to, so that a configuration that names none is refused.
        needs_window: It runs only inside an SSAS test window.
    """

    kind: str
    config: type[CheckConfig]
    run: Callable[[Any, CheckContext], Awaitable[Verdict]]
    points: Callable[[Any], tuple[str, ...]]
    mode: Mode = Mode.AUTOMATIC
    classification: Classification = Classification.WATCH
    steps: int = 0
    needs_window: bool = False
