"""One test while it runs: its step, its persons, and what its check may see (``daemon.checks.api.CheckContext``).

The first answer to a step counts. Whoever answers the same step after it is told who was quicker; whoever answers
another step is told which one is shown.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from daemon.checks.api import Answer, Expects, Who, counts_as_evidence, refusal
from daemon.errors import RefusedError
from daemon.record.entry import Proof
from daemon.testing import schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from contextlib import AbstractContextManager
    from datetime import date, datetime, timezone

    from daemon.checks.api import Gathered, Services
    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json, Outcome, Reading, Ship
    from daemon.points.inbox import Inboxes, PointInbox


class Newest(Protocol):
    """Who knows what a point says now, as a check may see it."""

    def newest(self, point: str) -> Reading | None:
        """Return it; None where it was never seen."""
        ...


MOST_SEEN: Final = 20
"""Lines of what was seen so far that are shown beside a step; the schema says so."""
LONGEST_SEEN: Final = 120
MOST_KEPT: Final = 100
"""Readings that are kept of a test that was broken off."""
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
    who: Who = Who.TESTER


@dataclass(frozen=True, slots=True)
class Aborted:
    """Somebody broke the test off.

    Attributes:
        step: The step that was shown; 0 before the first.
    """

    person: str
    step: int
    reason: str
    station: str | None = None
    proof: Proof = Proof.NONE

    @property
    def words(self) -> str:
        """The reason of the result."""
        where = f"at step {self.step}" if self.step else "before the first step"
        return f"aborted by {self.person} {where}: {self.reason}"


@dataclass(slots=True)
class Session:
    """One test while it runs.

    Attributes:
        day: Ship's time that lies in the day that a continuous check watches; None for a test of one occasion.
        changes: How many changes of outcome were written in that day.
        proof: How the person who began it proved to be himself.
        given: What was answered, by step; of a step that is shown again the newest.
        witness: Who confirmed a step that is for a second person; the first of them.
        seen: What has been seen so far, in words, for the page.
        readings: What the check has taken as evidence so far.
        aborted: Who broke it off; ``ended`` is set then.
        answered: Whether every step that wanted an answer got one.
        queue: The items that come after this one.
        is_over: The check has ended.
        needs_no_window: It was done with the SSAS test window: that may close.
        signs_off: He may say that the test is not done, and says it.
    """

    began_utc: datetime
    person: str | None = None
    item: str | None = None
    day: datetime | None = None
    changes: int = 0
    progress: Progress | None = None
    answer: asyncio.Future[Answer] | None = None
    proof: Proof = Proof.NONE
    signs_off: bool = False
    given: dict[int, Answer] = field(default_factory=dict)
    whose: dict[int, Who] = field(default_factory=dict)
    witness: str | None = None
    seen: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    aborted: Aborted | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    answered: bool = True
    queue: tuple[str, ...] = ()
    is_over: bool = False

    def take(self, test: str, step: int, answer: Answer) -> Answer | None:
        """Take an answer to the step that is shown; return the one that was quicker, where there is one.

        Raises:
            RefusedError: The test does not wait for that answer, or not of that person.
        """
        progress, waiting = self.progress, self.answer
        is_waiting = not self.is_over and waiting is not None and not waiting.done()
        is_shown = is_waiting and progress is not None and progress.step == step
        if not is_shown and (before := self.given.get(step)) is not None:
            return before
        if waiting is None or progress is None or not is_waiting:
            raise RefusedError(f"{test} waits for no answer now")
        if step != progress.step:
            raise RefusedError(f"{test} is at step {progress.step}, not {step}: {progress.prompt}")
        if progress.expects is Expects.NOTHING:
            raise RefusedError(f"{test} waits for no answer now")
        if (reason := refusal(progress.expects, answer.text)) is not None:
            raise RefusedError(reason)
        self._must_be_another(progress.who, answer.person)
        self.given[step], self.whose[step] = answer, progress.who
        waiting.set_result(answer)
        return None

    def _must_be_another(self, who: Who, person: str) -> None:
        """Let nobody be tester and witness of the same test.

        Raises:
            RefusedError: He is the other one already.
        """
        mine = {self.whose[step] for step, each in self.given.items() if each.person == person}
        if who is Who.TESTER:
            if Who.WITNESS in mine:
                raise RefusedError(f"{person} is the witness of this test: somebody else answers")
            return
        if person == self.person or Who.TESTER in mine:
            raise RefusedError(
                f"{person} does this test: the confirmation of a second person is wanted"
            )
        self.witness = self.witness or person

    def so_far(self) -> dict[str, Json]:
        """Return what was answered and seen until now, for the result of a test that is broken off."""
        answers: list[Json] = [
            {
                "step": step,
                "person": each.person,
                "text": each.text,
                "station": each.station,
                "proof": each.proof,
            }
            for step, each in self.given.items()
        ]
        told: dict[str, Json] = {"answers": answers, "seen": list(self.seen)}
        return {name: said for name, said in told.items() if said}

    def abort(self, aborted: Aborted) -> None:
        """Break it off; the first who does counts."""
        if self.aborted is None:
            self.aborted = aborted
            self.ended.set()

    needs_no_window: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all checks of the ship have in common.

    Attributes:
        software: The version of ispsd that judges.
    """

    clock: Clock
    ship: Ship
    ship_time: Callable[[], timezone]
    demo: bool
    services: Services
    points: Newest
    inboxes: Inboxes
    entropy: Entropy
    software: str


class Context:
    """What one running check sees."""

    def __init__(
        self,
        around: Surroundings,
        session: Session,
        *,
        last_outcome: Outcome | None,
        changed: Callable[[], None],
        report: Callable[[Gathered], None],
        in_question: Callable[[datetime], Collection[str]],
        keep: Callable[[Gathered], None],
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
        self._keep = keep
        self._in_question = in_question

    @property
    def day(self) -> date:
        return self._local.date()

    @property
    def in_question(self) -> Collection[str]:
        return self._in_question(self._local.replace(hour=0, minute=0, second=0, microsecond=0))

    @property
    def watched_since(self) -> str | None:
        day = self._session.day
        if day is None:
            return None
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
        began = self._session.began_utc.astimezone(day.tzinfo)
        return None if (began - midnight).total_seconds() <= LATE_S else f"{began:%H:%M}"

    def accepts(self, reading: Reading) -> bool:
        counts = counts_as_evidence(reading, demo=self._around.demo)
        kept = self._session.readings
        if counts and len(kept) < MOST_KEPT and reading not in kept[-1:]:
            kept.append(reading)
        return counts

    def newest(self, point: str) -> Reading | None:
        return self._around.points.newest(point)

    def listen(self, points: Iterable[str]) -> AbstractContextManager[PointInbox]:
        return self._around.inboxes.listen(points)

    async def prompt(
        self, step: int, text: str, *, expects: Expects, for_s: float, who: Who = Who.TESTER
    ) -> Answer | None:
        ends_s = self.clock.now_s() + for_s if for_s > 0 else None
        self._session.progress = Progress(step, text, expects, ends_s, who)
        self._session.given.pop(step, None)
        answered = asyncio.Event()
        self._session.answer = asyncio.get_running_loop().create_future()
        self._session.answer.add_done_callback(lambda _: answered.set())
        self._changed()
        if expects is Expects.NOTHING:
            return None
        await self.clock.wait(answered, for_s)
        if self._session.answer.done():
            return self._session.answer.result()
        self._session.answer.cancel()  # who comes too late is told so, and not taken as quick
        self._session.answered = False
        return None

    def saw(self, text: str) -> None:
        self._session.seen = [*self._session.seen, text[:LONGEST_SEEN]][-MOST_SEEN:]
        self._changed()

    def done_with_window(self) -> None:
        self._session.needs_no_window = True

    def keep(self, gathered: Gathered) -> None:
        self._keep(gathered)

    def day_ends_s(self) -> float:
        ends = schedule.day_after(self._local, ship_time=self._around.ship_time())
        return self.clock.now_s() + (ends - self.clock.utc()).total_seconds()

    def report(self, gathered: Gathered) -> None:
        self._report(gathered)

    @property
    def _local(self) -> datetime:
        """Ship's time that lies in the day of this check."""
        return self._session.day or self._session.began_utc.astimezone(self._around.ship_time())
