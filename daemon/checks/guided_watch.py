"""When did a sensor come into a state, while a person was led through the steps?

A change counts from when its own step was shown, or the one before where somebody pressed at that: the hand is often
quicker than the press that tells of it. What stood already then is no change, nor is the first thing that is seen after
nothing was (invariant 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.checks.api import CheckContext, Inbox
    from daemon.checks.guided_steps import Step
    from daemon.model import Json, Reading


class Lookout:
    """What the sensors of one test have shown so far."""

    def __init__(self, points: Iterable[str], ctx: CheckContext, inbox: Inbox) -> None:
        self._points = tuple(points)
        self._ctx = ctx
        self._inbox = inbox
        self._heard: list[Reading] = []
        """Everything since the test began, whether it counts or not."""
        self._at_show: dict[int, tuple[int, dict[str, Reading | None]]] = {}
        self._now = {point: ctx.newest(point) for point in self._points}

    async def shown(self, place: int) -> None:
        """Note how all stands as a step is shown."""
        if not self._points:
            return
        await self._hear(until_s=self._ctx.clock.now_s())
        self._at_show[place] = len(self._heard), dict(self._now)

    async def look(
        self, since: int, step: Step, *, until_s: float
    ) -> tuple[dict[str, Json], Reading | None]:
        """Return when the step's point came into its state, and the reading that shows it; None where it did not.

        What came since the step ``since`` was shown counts.
        """
        at, before = self._at_show[since]
        was = before[step.point or ""]
        is_away = was is not None and self._ctx.accepts(was) and not step.shows(was)
        was_away = is_away
        while True:
            for reading in self._heard[at:]:
                if reading.point != step.point:
                    continue
                if not self._ctx.accepts(reading):
                    is_away = False
                elif not step.shows(reading):
                    is_away = was_away = True
                elif is_away:
                    return {"at_s": reading.received_s, "was_away": True}, reading
            at = len(self._heard)
            if self._ctx.clock.now_s() >= until_s:
                break
            await self._hear(until_s=until_s, one=True)
        newest = self._now[step.point or ""]
        answers = self._ctx.services.answers
        counts = (
            newest is not None
            and self._ctx.accepts(newest)
            and (answers is None or answers(newest.point))
        )
        return {"at_s": None, "was_away": was_away, "seen": counts}, newest if counts else None

    async def _hear(self, *, until_s: float, one: bool = False) -> None:
        """Take what has arrived; wait for one reading more where one is wanted."""
        while (reading := await self._inbox.next(until_s=until_s)) is not None:
            self._heard.append(reading)
            self._now[reading.point] = reading
            if one:
                return
