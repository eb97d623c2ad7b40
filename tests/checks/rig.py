"""Tests (``daemon.testing.readiness``) with a clock, a gate and a disk that are moved by hand."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

from daemon.checks.api import CheckConfig, CheckSpec, Gathered, ItemsVerdict, Mode, Services
from daemon.errors import RecordError
from daemon.gate import CovertGate
from daemon.model import ClockStatus, Outcome, Regime, SecurityLevel, Situation, Verdict
from daemon.points.inbox import Inboxes
from daemon.points.points import Points
from daemon.record import codec, fold
from daemon.record.entry import Stamp
from daemon.testing import schedule
from daemon.testing.readiness import KEPT, Test, Tests
from daemon.testing.schedule import LastResult
from tests.clocks import ManualClock
from tests.makers import SHIP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from daemon.checks.api import CheckContext
    from daemon.model import Reading
    from daemon.record.entry import Draft, Entry

SHIP_TIME = timezone(timedelta(hours=8))
STAMP = Stamp(at="2026-11-22T02:10:00.000Z", clock=ClockStatus.SYNCED, up_ms=1, boot="b")


class HandJournal:
    """A record that takes real drafts; ``write`` is its disk, at once unless it ``hangs``."""

    def __init__(self) -> None:
        self.hangs = False
        self.drafts: list[Draft] = []
        self._waiting: deque[tuple[Draft, asyncio.Future[Entry]]] = deque()

    def submit(self, draft: Draft) -> asyncio.Future[Entry]:
        prepared = codec.prepare(draft)
        self.drafts.append(prepared)
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._waiting.append((prepared, future))
        if not self.hangs:
            self.write()
        return future

    def write(self, count: int | None = None) -> None:
        """Bring the oldest to the disk, or all."""
        for _ in range(len(self._waiting) if count is None else count):
            draft, future = self._waiting.popleft()
            seq = len(self.drafts) - len(self._waiting)
            future.set_result(
                codec.compose(draft, STAMP, segment=1, seq=seq, bseq=None, part_hashes={})
            )

    def lose(self) -> None:
        """Say of everything that waits that it will never be on disk."""
        while self._waiting:
            self._waiting.popleft()[1].set_exception(RecordError("no room"))


@dataclass(slots=True)
class Rig:
    """What a test of a check moves."""

    clock: ManualClock
    gate: CovertGate
    points: Points
    inboxes: Inboxes
    journal: HandJournal
    ship_time: timezone = SHIP_TIME
    shown: list[tuple[str, str, Outcome | None]] = field(default_factory=list)
    """Each time a test was shown: its id, its readiness, its last outcome."""
    board: Callable[[Test], None] | None = None
    """What shows a test beside that."""
    tests: Tests = field(init=False)

    def hears(self, *readings: Reading) -> None:
        """Take readings as the watch does."""
        for reading in readings:
            self.inboxes.offer(reading)
            self.points.update(reading)

    def show(self, test: Test) -> None:
        """Take what is shown, as the board does."""
        test.shown = self.tests.readiness(test)
        last = None if test.last is None else test.last.outcome
        self.shown.append((test.config.id, test.shown, last))
        if self.board is not None:
            self.board(test)

    async def come(self, utc: datetime) -> None:
        """Let a moment of the calendar come: the night before it is not waited through."""
        self.clock.step_utc((utc - self.clock.utc()).total_seconds() - 1.0)
        await self.clock.advance(1.0)

    def results(self) -> list[dict[str, object]]:
        """Return the open part of every result that was submitted."""
        return [dict(draft.open) for draft in self.journal.drafts if draft.type == "test.result"]

    def outcomes(self) -> list[object]:
        return [result["outcome"] for result in self.results()]

    def written(self, type_: str) -> list[Draft]:
        """Return every entry of a type that was submitted."""
        return [draft for draft in self.journal.drafts if draft.type == type_]

    def kept(self) -> dict[str, dict[str, dict[str, object]]]:
        """Return what the record would keep of all that was written."""
        state: dict[str, dict[str, dict[str, object]]] = {kind: {} for kind in (*KEPT, fold.RESULT)}
        for draft in self.journal.drafts:
            for change in fold.project(draft):
                of_kind = state.setdefault(change.kind, {})
                of_kind.pop(change.id, None)
                if change.body is not None:
                    of_kind[change.id] = dict(change.body)
        return state

    def take_up(self, before: Rig | None = None, *, last_seen: datetime | None = None) -> Rig:
        """Take up what another run left in its record, or an empty one."""
        kept = before.kept() if before is not None else self.kept()
        for id_, said in kept[fold.RESULT].items():
            test = self.tests.tests[id_]
            ended = datetime.fromisoformat(str(said["ended"]))
            outcome, reason = Outcome(str(said["outcome"])), str(said["reason"])
            test.last = LastResult(outcome, ended, 1, reason, day=schedule.day_of(said))  # type: ignore[arg-type]
        self.tests.take_up(kept, last_seen_utc=last_seen)  # type: ignore[arg-type]
        return self

    def test(self, test_id: str) -> Test:
        return self.tests.tests[test_id]


def rig(
    *tests: Test,
    demo: bool = False,
    clock: ManualClock | None = None,
    points: tuple[str, ...] = (),
    services: Services | None = None,
    regime: Callable[[], Regime] = lambda: Regime(Situation.PORT, SecurityLevel.ONE),
) -> Rig:
    """Put everything together; ``running`` runs it."""
    clock = clock or ManualClock()
    known = {p for test in tests for p in test.spec.points(test.config)} | {*points}
    made = Rig(
        clock,
        CovertGate(clock),
        Points(dict.fromkeys(known, 600.0), started_s=clock.now_s()),
        Inboxes(clock),
        HandJournal(),
    )
    services = services or Services()
    if services.listens_since_s is None:
        services = replace(services, listens_since_s=lambda _: 0.0)
    made.tests = Tests(
        tests,
        ship=SHIP,
        regime=regime,
        ship_time=lambda: made.ship_time,
        demo=demo,
        clock=clock,
        gate=made.gate,
        points=made.points,
        inboxes=made.inboxes,
        journal=made.journal,
        on_change=made.show,
        services=services,
    )
    return made


@asynccontextmanager
async def running(made: Rig) -> AsyncIterator[Rig]:
    """Run the tests of a rig for the length of a block."""
    task = asyncio.ensure_future(made.tests.run())
    await made.clock.advance(0.0)
    try:
        yield made
        assert not task.done(), "the tests ended by themselves"
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


def gathered(verdict: Verdict) -> Gathered:
    """Return what a check gathers of which ``judged`` says just this."""
    items, mode = None, None
    if isinstance(verdict, ItemsVerdict):
        items, mode = {**verdict.items}, verdict.mode
    facts = {
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "details": {**verdict.details},
        "items": items,
        "mode": mode,
    }
    return Gathered(verdict.readings, facts)


def judged(_: CheckConfig, said: Gathered) -> Verdict:
    """Return the verdict that was gathered."""
    facts = said.facts
    verdict = Verdict(Outcome(facts["outcome"]), facts["reason"], details=facts["details"])
    if facts["items"] is None:
        return verdict
    mode = None if facts["mode"] is None else Mode(facts["mode"])
    return ItemsVerdict(
        verdict.outcome, verdict.reason, details=verdict.details, items=facts["items"], mode=mode
    )


def gathering(run: Callable[[Any, Any], Any] | None) -> Callable[[Any, Any], Any] | None:
    """Return a run that gathers what another one says."""
    if run is None:
        return None

    async def gather(config: object, ctx: object) -> object:
        said = await run(config, ctx)
        return gathered(said) if isinstance(said, Verdict) else said

    return gather


class ScriptedConfig(CheckConfig):
    """A check that does what the test says."""

    kind: Literal["scripted"] = "scripted"


def scripted(
    run: Callable[[ScriptedConfig, CheckContext], object] | None = None,
    *,
    id_: str = "t-1",
    every: Literal["day", "week", "month", "quarter", "year"] = "day",
    at: str | None = None,
    equipment: str = "bell",
    verdicts: tuple[Outcome, ...] = (),
    **spec: object,
) -> Test:
    """Return a test that gives one verdict after the other, the last one again and again."""
    script = deque(verdicts or (Outcome.PASSED,))

    async def follow(config: ScriptedConfig, ctx: CheckContext) -> Verdict:
        outcome = script.popleft() if len(script) > 1 else script[0]
        return Verdict(outcome, f"said {outcome.value}")

    config = ScriptedConfig(
        id=id_, equipment=equipment, name="BELL", ssp_paragraph="1", every=every, at=at
    )
    return Test(
        config,
        CheckSpec(
            kind="scripted",
            config=ScriptedConfig,
            run=gathering(run or follow),  # type: ignore[arg-type]
            judge=judged,
            points=lambda _: (),
            **({**spec, "lead": gathering(spec.get("lead"))}),  # type: ignore[arg-type]
        ),
    )
