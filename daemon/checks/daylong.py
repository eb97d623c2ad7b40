"""How did sensors stand through a day? Each is looked at every half minute, and its time is added up by what it said.

For checks that judge shares of a day. What nobody sees between two looks is no news here: alerts see every change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime

    from daemon.checks.api import CheckContext, Gathered
    from daemon.model import Json, Reading, Verdict

LOOK_S: Final = 30.0
KEPT_READINGS: Final = 100
"""The newest reading of each of so many sensors stands as evidence."""


@dataclass(slots=True)
class Tally:
    """How one sensor stood.

    Attributes:
        now: What it says now, in a word; None while nothing that counts is seen.
        now_s: For how long it has stood so.
        for_s: How long it said what.
        unseen_s: How long nothing that counts was seen.
    """

    now: str | None = None
    now_s: float = 0.0
    for_s: dict[str, float] = field(default_factory=dict)
    unseen_s: float = 0.0

    def look(self, word: str | None, since_s: float) -> None:
        """Take what it says now, and how long ago it was looked at before."""
        self.now_s = self.now_s + since_s if word == self.now else since_s
        self.now = word
        if word is None:
            self.unseen_s += since_s
        else:
            self.for_s[word] = self.for_s.get(word, 0.0) + since_s

    def as_fact(self) -> dict[str, Json]:
        """Return it as the record keeps it."""
        return {
            "now": self.now,
            "now_s": round(self.now_s, 1),
            "for_s": {word: round(seconds, 1) for word, seconds in self.for_s.items()},
            "unseen_s": round(self.unseen_s, 1),
        }


class Sampling:
    """Looks at sensors."""

    def __init__(
        self, ctx: CheckContext, words: Mapping[str, Callable[[Reading], str | None]]
    ) -> None:
        """Look at points; ``words`` says in a word what a reading of each that counts tells, None: nothing."""
        self.tallies = {point: Tally() for point in words}
        self._words = dict(words)
        self._ctx = ctx
        self._looked_s = ctx.clock.now_s()
        self._newest: dict[str, Reading] = {}

    def look(self) -> None:
        """Look at all of them."""
        now_s = self._ctx.clock.now_s()
        since_s, self._looked_s = now_s - self._looked_s, now_s
        for point, tally in self.tallies.items():
            reading = self._ctx.newest(point)
            word = None
            if reading is not None and self._ctx.accepts(reading):
                word = self._words[point](reading)
                self._newest[point] = reading
            tally.look(word, since_s)

    def readings(self) -> tuple[Reading, ...]:
        """Return what stands as evidence."""
        return tuple(self._newest.values())[:KEPT_READINGS]

    def facts(self) -> dict[str, dict[str, Json]]:
        """Return how each stood."""
        return {point: tally.as_fact() for point, tally in self.tallies.items()}


async def through_the_day(
    ctx: CheckContext,
    look: Callable[[], Awaitable[None] | None],
    gathered: Callable[[bool], Gathered],
    judge: Callable[[Gathered], Verdict],
) -> Gathered:
    """Look until the ship's day ends; return what the day has gathered (``gathered(True)``: it is over).

    In between a fault is told when it is found, and its end. That all is well is the day's own row, one a day.
    """
    has_failed = ctx.last_outcome is Outcome.FAILED
    while (left_s := ctx.day_ends_s() - ctx.clock.now_s()) > 0:
        await ctx.clock.sleep(min(LOOK_S, left_s))
        if (looking := look()) is not None:
            await looking
        now = gathered(False)  # noqa: FBT003 (it is not over)
        outcome = judge(now).outcome
        if outcome is Outcome.FAILED or (has_failed and outcome is Outcome.PASSED):
            has_failed = outcome is Outcome.FAILED
            ctx.report(now)
    return gathered(True)  # noqa: FBT003 (it is over)


def utc_fact(moment: datetime) -> str:
    """Return a moment of UTC as a fact; ``datetime.fromisoformat`` reads it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def span(facts: Mapping[str, Any]) -> str:
    """Return what of the day was watched, as logs have it."""
    return "24 h" if facts["since"] is None else f"since {facts['since']}"


def few(names: Iterable[str], most: int = 4) -> str:
    """Return names in one line, and how many more there are."""
    all_ = list(names)
    more = len(all_) - most
    return ", ".join(all_[:most]) + (f" and {more} more" if more > 0 else "")
