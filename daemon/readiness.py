"""Run the tests: what is due by itself, what a person asks for, one result in the record for each.

A check that crashes is inconclusive, not passed; its result says so. Tests of class ``sso`` are shown to the SSO's
stations only, and run only inside a test window.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from daemon import forms, logs, schedule
from daemon.checks.api import Answer, CheckConfig, CheckSpec, Expects, Mode
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, ClockStatus, Outcome, Provenance, Quality, Verdict
from daemon.record.entry import Actor, Draft, Evidence
from daemon.schedule import LastResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from datetime import datetime, timezone

    from daemon.clock import Clock
    from daemon.gate import Gate
    from daemon.inbox import Inboxes, PointInbox
    from daemon.model import Json, Reading, SecurityLevel, Ship, Situation
    from daemon.points import Points
    from daemon.record.entry import Entry

LOOK_S = 1.0
"""How often the calendar is asked."""


class Journal(Protocol):
    """Where results go: the record."""

    def submit(self, draft: Draft) -> asyncio.Future[Entry]:
        """Take an entry; the future ends when it is on disk."""
        ...


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
    """One test while it runs."""

    began_utc: datetime
    person: str | None
    progress: Progress | None = None
    answer: asyncio.Future[Answer] | None = None


@dataclass(slots=True)
class Test:
    """One test of the ship and how it stands."""

    __test__ = False

    config: CheckConfig
    spec: CheckSpec
    last: LastResult | None = None
    session: Session | None = None
    waits_for_disk: bool = False
    """It has ended, and its result is not on disk yet: nobody is told (invariant 4)."""
    not_before_s: float = 0.0
    """Seconds since boot before which it is not run by itself again."""
    shown: str = ""
    """The readiness that was shown last: it also changes with the calendar alone."""


class Tests:
    """Every test of the ship."""

    __test__ = False

    def __init__(
        self,
        tests: Iterable[Test],
        *,
        ship: Ship,
        situation: Situation,
        level: SecurityLevel,
        ship_time: timezone,
        demo: bool,
        clock: Clock,
        gate: Gate,
        points: Points,
        inboxes: Inboxes,
        journal: Journal,
        on_change: Callable[[Test], None],
    ) -> None:
        self.tests = {test.config.id: test for test in tests}
        self.ship = ship
        self.clock = clock
        self.points = points
        self.inboxes = inboxes
        self.demo = demo
        self._situation = situation
        self._level = level
        self._ship_time = ship_time
        self._gate = gate
        self._journal = journal
        self._on_change = on_change
        self._log = logs.get("tests")
        self._running: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Start what falls due, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._running = group
            while True:
                for test in self.tests.values():
                    if test.spec.mode is Mode.AUTOMATIC and self._starts(test):
                        self._begin(test, None)
                    elif not test.waits_for_disk and self.readiness(test) != test.shown:
                        self._on_change(test)
                await self.clock.sleep(LOOK_S)

    def start(self, test_id: str, person: str) -> Test:
        """Start a test because a person asks for it.

        Raises:
            RefusedError: No such test, it runs already, or it needs a test window.
        """
        test = self._known(test_id)
        if test.session is not None:
            raise RefusedError(f"{test_id} is running already")
        if test.spec.needs_window and not self._gate.is_open():
            raise RefusedError(f"{test_id} runs only inside a test window; open one first")
        self._begin(test, person)
        return test

    def answer(self, test_id: str, step: int, answer: Answer) -> None:
        """Give a person's answer to the step that is shown.

        Raises:
            RefusedError: The test does not wait for that answer.
        """
        test = self._known(test_id)
        session = test.session
        progress = session.progress if session is not None else None
        if session is None or progress is None or session.answer is None:
            raise RefusedError(f"{test_id} waits for no answer now")
        if step != progress.step:
            raise RefusedError(f"{test_id} is at step {progress.step}, not {step}")
        if progress.expects is Expects.NOTHING or session.answer.done():
            raise RefusedError(f"{test_id} waits for no answer now")
        if progress.expects is Expects.REFERENCE and not answer.text.strip():
            raise RefusedError("a reference is wanted: whose confirmation, when, which file")
        session.answer.set_result(answer)

    def readiness(self, test: Test) -> str:
        """Return how the test's equipment stands, in the words that are shown."""
        return schedule.readiness(
            test.config.every,
            test.last,
            now_utc=self.clock.utc(),
            ship_time=self._ship_time,
            clock=self.clock.status(),
            under_test=test.session is not None,
        ).value

    def next_due_utc(self, test: Test) -> datetime | None:
        """Return when the test is due next; None for now."""
        return schedule.next_due_utc(test.config.every, test.last, ship_time=self._ship_time)

    def changed(self, test: Test) -> None:
        """Say that a test stands differently now."""
        self._on_change(test)

    def _starts(self, test: Test) -> bool:
        return (
            test.session is None
            and not test.waits_for_disk
            and self.clock.now_s() >= test.not_before_s
            and self.clock.status() is not ClockStatus.UNSET
            and schedule.is_due(
                test.config.every,
                test.last,
                now_utc=self.clock.utc(),
                ship_time=self._ship_time,
            )
        )

    def _begin(self, test: Test, person: str | None) -> None:
        if self._running is None:
            raise RefusedError("the daemon is not running tests yet")
        test.session = Session(self.clock.utc(), person)
        self._on_change(test)
        self._running.create_task(self._carry_out(test, test.session))

    async def _carry_out(self, test: Test, session: Session) -> None:
        context = _Context(self, test, session)
        try:
            verdict = await self._within_window(test, context)
        except Exception as err:  # noqa: BLE001 (a check that crashed is inconclusive, never a pass)
            if test.spec.classification is Classification.WATCH:
                self._log.exception("check.crashed", test=test.config.id)
            verdict = Verdict(Outcome.INCONCLUSIVE, f"the check crashed: {type(err).__name__}")
        ended_utc = self.clock.utc()
        test.session, test.waits_for_disk = None, True
        try:
            entry = await self._journal.submit(self._result(test, session, verdict, ended_utc))
        except RecordError:
            # Lost, which the record says itself. Not run again at once, for that would be lost as well.
            test.not_before_s = self.clock.now_s() + schedule.RETRY_AFTER.total_seconds()
        else:
            test.last = LastResult(verdict.outcome, ended_utc, entry.seq, verdict.reason)
        test.waits_for_disk = False
        self._on_change(test)

    async def _within_window(self, test: Test, context: _Context) -> Verdict:
        """Run the check; where it needs a window, the window's end is its end."""
        checking = asyncio.ensure_future(test.spec.run(test.config, context))
        if not test.spec.needs_window:
            return await checking
        closing = asyncio.ensure_future(self._gate.wait_closed())
        try:
            await asyncio.wait({checking, closing}, return_when=asyncio.FIRST_COMPLETED)
            if checking.done():
                return checking.result()
        finally:
            for task in (checking, closing):
                task.cancel()
            await asyncio.gather(checking, closing, return_exceptions=True)
        return Verdict(Outcome.INCONCLUSIVE, "the test window closed before the test was complete")

    def _result(self, test: Test, session: Session, verdict: Verdict, ended_utc: datetime) -> Draft:
        config, spec = test.config, test.spec
        samples = "".join(
            json.dumps(forms.reading(r), separators=(",", ":")) + "\n" for r in verdict.readings
        )
        details: dict[str, Json] = {"performer": session.person, **verdict.details}
        private = spec.classification is Classification.SSO
        return Draft(
            kind=".10",
            type="test.result",
            subject=config.equipment,
            classification=spec.classification,
            actor=Actor(person=session.person),
            open={
                "test": config.id,
                "equipment": config.equipment,
                "name": config.name,
                "mode": spec.mode.value,
                "outcome": verdict.outcome.value,
                "reason": verdict.reason,
                "began": forms.utc(session.began_utc),
                "ended": forms.utc(ended_utc),
                "situation": self._situation.value,
                "security_level": int(self._level),
                "ssp_paragraph": config.ssp_paragraph,
                "simulated": self.demo,
                "readings": len(verdict.readings),
            },
            parts={Classification.SSO: details} if private else {},
            evidence=(Evidence("application/jsonl", samples.encode()),) if samples else (),
        )

    def _known(self, test_id: str) -> Test:
        try:
            return self.tests[test_id]
        except KeyError:
            raise RefusedError(f"there is no test {test_id!r}") from None


class _Context:
    """What one running check sees (``daemon.checks.api.CheckContext``)."""

    def __init__(self, tests: Tests, test: Test, session: Session) -> None:
        self.clock = tests.clock
        self.ship = tests.ship
        self._tests = tests
        self._test = test
        self._session = session

    def accepts(self, reading: Reading) -> bool:
        counts = {Provenance.LIVE, Provenance.TEST}
        if self._tests.demo:
            counts.add(Provenance.SIMULATED)
        return reading.quality is Quality.GOOD and reading.provenance in counts

    def newest(self, point: str) -> Reading | None:
        return self._tests.points.newest(point)

    def listen(self, points: Iterable[str]) -> AbstractContextManager[PointInbox]:
        return self._tests.inboxes.listen(points)

    async def prompt(
        self, step: int, text: str, *, expects: Expects, for_s: float
    ) -> Answer | None:
        ends_s = self.clock.now_s() + for_s if expects is not Expects.NOTHING else None
        self._session.progress = Progress(step, text, expects, ends_s)
        answered = asyncio.Event()
        self._session.answer = asyncio.get_running_loop().create_future()
        self._session.answer.add_done_callback(lambda _: answered.set())
        self._tests.changed(self._test)
        if ends_s is None:
            return None
        came = await self.clock.wait(answered, for_s)
        return self._session.answer.result() if came else None
