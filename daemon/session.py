"""One test while it runs: its step, its person, and what its check may see (``daemon.checks.api.CheckContext``)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from daemon import schedule
from daemon.checks.api import Answer, Expects, counts_as_evidence
from daemon.record.entry import Proof

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from datetime import datetime, timezone

    from daemon.checks.api import Services
    from daemon.clock import Clock
    from daemon.inbox import Inboxes, PointInbox
    from daemon.model import Outcome, Reading, Ship, Verdict


class Newest(Protocol):
    """Who knows what a point says now, as a check may see it."""

    def newest(self, point: str) -> Reading | None:
        """Return it; None where it was never seen."""
        ...


LATE_S = 60.0
"""A continuous check that begins later in the day than this says since when it watched."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An assisted test as its page shows it."""

    step: int
    prompt: str
    expects: Expects
    ends_s: float | None
    """When the step's time is over, in seconds since boot."""


@dataclass(slots=True)
class Session:
    """One test while it runs.

    Attributes:
        day: Ship's time that lies in the day that a continuous check watches; None for a test of one occasion.
        changes: How many changes of outcome were written in that day.
        proof: How the person who began it proved to be himself.
    """

    began_utc: datetime
    person: str | None = None
    item: str | None = None
    day: datetime | None = None
    changes: int = 0
    progress: Progress | None = None
    answer: asyncio.Future[Answer] | None = None
    proof: Proof = Proof.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all checks of the ship have in common."""

    clock: Clock
    ship: Ship
    ship_time: Callable[[], timezone]
    demo: bool
    services: Services
    points: Newest
    inboxes: Inboxes


class Context:
    """What one running check sees."""

    def __init__(
        self,
        around: Surroundings,
        session: Session,
        *,
        last_outcome: Outcome | None,
        changed: Callable[[], None],
        report: Callable[[Verdict], None],
    ) -> None:
        self.clock = around.clock
        self.ship = around.ship
        self.services = around.services
        self.item = session.item
        self.last_outcome = last_outcome
        self._around = around
        self._session = session
        self._changed = changed
        self._report = report

    @property
    def watched_since(self) -> str | None:
        day = self._session.day
        if day is None:
            return None
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
        began = self._session.began_utc.astimezone(day.tzinfo)
        return None if (began - midnight).total_seconds() <= LATE_S else f"{began:%H:%M}"

    def accepts(self, reading: Reading) -> bool:
        return counts_as_evidence(reading, demo=self._around.demo)

    def newest(self, point: str) -> Reading | None:
        return self._around.points.newest(point)

    def listen(self, points: Iterable[str]) -> AbstractContextManager[PointInbox]:
        return self._around.inboxes.listen(points)

    async def prompt(
        self, step: int, text: str, *, expects: Expects, for_s: float
    ) -> Answer | None:
        ends_s = self.clock.now_s() + for_s if expects is not Expects.NOTHING else None
        self._session.progress = Progress(step, text, expects, ends_s)
        answered = asyncio.Event()
        self._session.answer = asyncio.get_running_loop().create_future()
        self._session.answer.add_done_callback(lambda _: answered.set())
        self._changed()
        if ends_s is None:
            return None
        came = await self.clock.wait(answered, for_s)
        return self._session.answer.result() if came else None

    def day_ends_s(self) -> float:
        day = self._session.day or self._session.began_utc.astimezone(self._around.ship_time())
        ends = schedule.day_after(day, ship_time=self._around.ship_time())
        return self.clock.now_s() + (ends - self.clock.utc()).total_seconds()

    def report(self, verdict: Verdict) -> None:
        self._report(verdict)
