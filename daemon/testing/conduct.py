"""Carry a test out: on one occasion, or all day long; one result in the record for each.

A check gathers, and ``daemon.checks.judged`` judges. One that crashes, or takes longer than it may, is inconclusive,
not passed; its result says so (invariant 2). What an automatic test finds again in the same period is no second row,
nor what a continuous one finds again in the same day. A test that needs a test window ends with it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from daemon import forms
from daemon.checks.api import Gathered, ItemsVerdict
from daemon.checks.judged import as_kept, judged
from daemon.computer import logs
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, Outcome, Verdict
from daemon.record.entry import EntryError, Proof
from daemon.record.waiting import let_go
from daemon.testing import results, schedule
from daemon.testing.schedule import LastResult
from daemon.testing.session import Context, Session, Surroundings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import date, datetime

    from daemon.checks.api import CheckContext
    from daemon.gate import Gate
    from daemon.model import Regime
    from daemon.record.entry import Draft, Entry
    from daemon.record.journal import Journal
    from daemon.testing.standing import Test

    _Run: TypeAlias = Callable[[Any, CheckContext], Awaitable[Gathered | None]]

MOST_CHANGES = 6
"""Changes of outcome of one day that are all written; after them only what is worse."""
DAY_MARGIN_S = 6 * 3600.0
"""How much longer than its day a continuous check may take."""
SET_BACK_S = 26 * 3600.0
"""How much longer a day of ship's time may be than it was at its begin: at the date line UTC+14 becomes UTC-12."""
EARLY_S = 300.0
"""A continuous check that ends so little before its day has seen its end: the clock was set back meanwhile."""
_WORSE: Final = {Outcome.PASSED: 0, Outcome.SKIPPED: 1, Outcome.INCONCLUSIVE: 1, Outcome.FAILED: 2}


@dataclass(frozen=True, slots=True)
class Found:
    """How a test came out.

    Attributes:
        gathered: What it was judged by; None where nothing was judged.
    """

    verdict: Verdict
    gathered: Gathered | None = None


class Conduct:
    """Carries out the ship's tests, as tasks of ``group``."""

    def __init__(
        self,
        around: Surroundings,
        *,
        gate: Gate,
        journal: Journal,
        regime: Callable[[], Regime],
        on_change: Callable[[Test], None],
    ) -> None:
        self.group: asyncio.TaskGroup | None = None
        self._around = around
        self._clock = around.clock
        self._gate = gate
        self._journal = journal
        self._regime = regime
        self._on_change = on_change
        self._log = logs.get("tests")

    def begin(
        self, test: Test, person: str | None, item: str | None, *, proof: Proof = Proof.NONE
    ) -> Session:
        """Begin a test of one occasion; return it.

        Raises:
            RefusedError: Nothing runs yet.
        """
        group = self._group()
        test.session = session = Session(self._clock.utc(), person, item, proof=proof)
        if person is not None:
            self.submit(results.begun(test, session))
        self._on_change(test)
        run: _Run = test.spec.run if item is None or test.spec.lead is None else test.spec.lead
        group.create_task(self._carry_out(test, session, run))
        return session

    def resume(self, test: Test, session: Session, so_far: Gathered) -> None:
        """Go on with a test that ispsd did not survive, from what was kept of it.

        Raises:
            RefusedError: Nothing runs yet, or it is none that can go on.
        """
        if test.spec.resume is None:
            raise RefusedError(f"{test.config.id} cannot go on after a restart")
        test.session, session.needs_no_window = session, True
        run = partial(_resumed, test.spec.resume, so_far)
        self._on_change(test)
        self._group().create_task(self._carry_out(test, session, run))

    def watch(self, test: Test) -> None:
        """Begin a continuous check: one ship's day after the other."""
        group = self._group()
        test.watching = Session(self._clock.utc(), day=self._day_after(None))
        group.create_task(self._watch(test, test.watching))

    def write(
        self, test: Test, session: Session, found: Found, ended_utc: datetime
    ) -> asyncio.Future[Entry]:
        """Write a result; it is taken, and shown, when it is on disk (invariant 4).

        Raises:
            RefusedError: Nothing runs yet.
        """
        group = self._group()
        try:
            written = self._submit(test, session, found, ended_utc)
        except EntryError:
            # A check that says what no entry can hold has proved nothing, and must not end the others.
            found = _inconclusive("the check's result cannot be written")
            written = self._submit(test, session, found, ended_utc)
        test.said = found.verdict.outcome
        group.create_task(self._take(test, session, found.verdict, ended_utc, written))
        return written

    def _keep(self, test: Test, session: Session, said: Gathered) -> None:
        around = self._around
        pieces = results.basis_of(
            test,
            as_kept(said),
            demo=around.demo,
            software=around.software,
            salt=around.entropy.salt,
        )
        self.submit(results.kept(test, session, pieces))

    def _submit(
        self, test: Test, session: Session, found: Found, ended_utc: datetime
    ) -> asyncio.Future[Entry]:
        around = self._around
        own_position = around.services.own_position
        draft = results.result(
            test,
            session,
            found.verdict,
            ended_utc=ended_utc,
            regime=self._regime(),
            demo=around.demo,
            position=None if own_position is None else own_position(),
            kept=results.evidence_of(
                test,
                found.verdict,
                found.gathered,
                demo=around.demo,
                software=around.software,
                salt=around.entropy.salt,
            ),
        )
        return self._journal.submit(draft)

    def submit(self, draft: Draft) -> None:
        """Write an entry that nothing waits for; one that is lost is counted by the record."""
        let_go(self._journal.submit(draft))

    async def _take(
        self,
        test: Test,
        session: Session,
        verdict: Verdict,
        ended_utc: datetime,
        written: asyncio.Future[Entry],
    ) -> None:
        try:
            entry = await written
        except RecordError:
            # Lost, which the record says itself. Not run again at once, for that would be lost as well.
            test.said = None
            test.not_before_s = self._clock.now_s() + schedule.RETRY_AFTER.total_seconds()
        else:
            sent = verdict.details.get(results.SENT)
            sent_utc = forms.from_utc(sent) if isinstance(sent, str) else None
            result = LastResult(
                verdict.outcome,
                ended_utc,
                entry.seq,
                verdict.reason,
                sent_utc=sent_utc,
                day=None if session.day is None else session.day.date(),
            )
            if verdict.outcome is Outcome.SKIPPED and not session.signs_off:
                test.unsigned = result
            else:
                test.take(result, _outcomes(verdict))
        test.waits_for_disk = False
        self._on_change(test)

    # On one occasion

    async def _carry_out(self, test: Test, session: Session, run: _Run) -> None:
        ends_s = self._clock.now_s() + test.spec.limit_s
        found = await self._found(test, session, run, lambda: ends_s - self._clock.now_s())
        ended_utc = self._clock.utc()
        test.session, session.is_over = None, True
        if found is None:
            found = _inconclusive("the check said nothing")
        if found.verdict.outcome is not Outcome.PASSED and session.person is None:
            test.not_before_s = self._clock.now_s() + schedule.RETRY_AFTER.total_seconds()
            if self._is_said_already(test, found.verdict):
                self._on_change(test)
                return
        test.waits_for_disk = True
        self.write(test, session, found, ended_utc)

    def _is_said_already(self, test: Test, verdict: Verdict) -> bool:
        """Return whether an automatic test has found in this period what it finds again."""
        if test.last is None:
            return False
        ship_time = self._around.ship_time()
        begins_utc = schedule.begins_utc(
            test.plan, test.past, now_utc=self._clock.utc(), ship_time=ship_time
        )
        if test.last.ended_utc < begins_utc:
            test.told_again = 0
            return False
        if test.last.outcome is not verdict.outcome:
            return False
        if not test.finds_other(verdict.outcome, verdict.reason, _outcomes(verdict)):
            return True
        test.told_again += 1
        return False

    # All day long

    async def _watch(self, test: Test, session: Session) -> None:
        while True:
            found = await self._found(test, session, test.spec.run, self._day_limit(session))
            if self._left_s(session) > EARLY_S:
                # It crashed, was ended by force, or ended before the day did: not begun again at once.
                self._say(test, session, found or _inconclusive("the check ended before the day"))
                test.not_before_s = self._clock.now_s() + schedule.RETRY_AFTER.total_seconds()
                test.watching = None
                return
            if found is not None:
                self.write(test, session, found, self._ended_utc(session))
            session = Session(self._clock.utc(), day=self._day_after(_day(session).date()))
            test.watching = session

    def _ended_utc(self, session: Session) -> datetime:
        """Return the last moment of a day: its result belongs to it, not to the next."""
        ended = schedule.day_after(_day(session), ship_time=self._around.ship_time())
        # Westbound over the date line a day is over, by the calendar, before it began: now, then.
        now_utc = self._clock.utc()
        return now_utc if ended <= session.began_utc else ended - timedelta(milliseconds=1)

    def _report(self, test: Test, session: Session, said: Gathered) -> None:
        self._say(test, session, self._judge(test, said))

    def _say(self, test: Test, session: Session, found: Found) -> None:
        outcome = found.verdict.outcome
        before = test.said or (test.last.outcome if test.last is not None else None)
        if outcome is before or self._clock.now_s() < test.not_before_s:
            return
        flickers = session.changes >= MOST_CHANGES
        # Then only what is worse is still told, until the day's own result.
        if flickers and before is not None and _WORSE[outcome] <= _WORSE[before]:
            return
        session.changes += 1
        self.write(test, session, found, self._clock.utc())

    def _left_s(self, session: Session) -> float:
        ends = schedule.day_after(_day(session), ship_time=self._around.ship_time())
        return (ends - self._clock.utc()).total_seconds()

    def _day_limit(self, session: Session) -> Callable[[], float]:
        """Return what tells how many seconds a day's check has left, whatever becomes of clock and ship's time."""
        latest_s = self._clock.now_s() + self._left_s(session) + SET_BACK_S + DAY_MARGIN_S
        return lambda: min(self._left_s(session) + DAY_MARGIN_S, latest_s - self._clock.now_s())

    def _day_after(self, finished: date | None) -> datetime:
        """Return ship's time of today; of tomorrow where today is finished, for a clock was set back a little."""
        now = self._clock.utc().astimezone(self._around.ship_time())
        return now + timedelta(days=1) if now.date() == finished else now

    # Judging

    def _judge(self, test: Test, said: Gathered) -> Found:
        gathered = as_kept(said)
        return Found(judged(test.spec, test.config, gathered, demo=self._around.demo), gathered)

    async def _found(
        self,
        test: Test,
        session: Session,
        run: _Run,
        left_s: Callable[[], float],
    ) -> Found | None:
        context = Context(
            self._around,
            session,
            last_outcome=None if test.last is None else test.last.outcome,
            changed=partial(self._on_change, test),
            report=partial(self._report, test, session),
            in_question=test.in_question,
            keep=partial(self._keep, test, session),
        )
        try:
            return await self._within(test, session, run(test.config, context), left_s)
        except Exception as err:  # noqa: BLE001 (a check that crashed is inconclusive, never a pass)
            if test.classification is Classification.WATCH:
                self._log.exception("check.crashed", test=test.config.id)
            return _inconclusive(f"the check crashed: {type(err).__name__}")

    async def _within(
        self,
        test: Test,
        session: Session,
        check: Awaitable[Gathered | None],
        left_s: Callable[[], float],
    ) -> Found | None:
        """Run the check; while it needs a window, the window's end is its end, as its time limit is, and an abort."""
        began_s = self._clock.now_s()
        checking = asyncio.ensure_future(check)
        limit = asyncio.ensure_future(self._used_up(left_s))
        closing = asyncio.ensure_future(self._window_closed(test, session))
        aborting = asyncio.ensure_future(session.ended.wait())
        ends = (checking, limit, closing, aborting)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if checking.done():
                said = checking.result()
                return None if said is None else self._judge(test, said)
            ended = closing.done()
        finally:
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if session.aborted is not None:
            reason = session.aborted.words
        elif ended:
            reason = "the test window closed before the test was complete"
        else:
            reason = f"ended by force after {(self._clock.now_s() - began_s) / 60:.0f} min"
        readings, details = tuple(session.readings), session.so_far()
        return Found(Verdict(Outcome.INCONCLUSIVE, reason, readings, details))

    async def _used_up(self, left_s: Callable[[], float]) -> None:
        """Return when a time is used up that may become longer meanwhile."""
        while (wait_s := left_s()) > 0:
            await self._clock.sleep(wait_s)

    async def _window_closed(self, test: Test, session: Session) -> None:
        """Return when a window is closed that the test needs."""
        if test.spec.needs_window:
            await self._gate.wait_closed()
            if not session.needs_no_window:
                return
        await asyncio.Event().wait()

    def _group(self) -> asyncio.TaskGroup:
        if self.group is None:
            raise RefusedError("the daemon is not running tests yet")
        return self.group


async def _resumed(
    resume: Callable[[Any, CheckContext, Gathered], Awaitable[Gathered]],
    so_far: Gathered,
    config: Any,
    ctx: CheckContext,
) -> Gathered | None:
    return await resume(config, ctx, so_far)


def _inconclusive(reason: str) -> Found:
    return Found(Verdict(Outcome.INCONCLUSIVE, reason))


def _outcomes(verdict: Verdict) -> dict[str, Outcome]:
    """Return how each item came out; nothing where the verdict is on one thing."""
    items = verdict.items if isinstance(verdict, ItemsVerdict) else {}
    return {item: Outcome(str(said["outcome"])) for item, said in items.items()}


def _day(session: Session) -> datetime:
    return session.day or session.began_utc
