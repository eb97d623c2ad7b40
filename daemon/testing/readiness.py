"""Which tests are there, which of them falls due, and what do people ask of them?

What is due and automatic starts by itself; a period that ended without its test becomes an entry. Everything else is
``daemon.testing.conduct``'s, which carries a test out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.checks.api import Mode, Services
from daemon.computer import logs
from daemon.computer.entropy import Entropy
from daemon.errors import RefusedError
from daemon.model import ClockStatus, Outcome, Readiness, Verdict
from daemon.record import fold
from daemon.record.entry import Proof
from daemon.testing import planning, reasons, results, schedule, worklist
from daemon.testing.conduct import Conduct, Found
from daemon.testing.occasions import TYPES, Occasions, in_order
from daemon.testing.schedule import LastResult
from daemon.testing.session import Aborted, Newest, Session, Surroundings
from daemon.testing.standing import Test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, timezone

    from daemon.checks.api import Answer, Gathered
    from daemon.checks.asking import Event, Hindrance
    from daemon.computer.clock import Clock
    from daemon.gate import Gate
    from daemon.model import Json, Regime, SecurityLevel, Ship, Situation
    from daemon.points.inbox import Inboxes
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal
    from daemon.testing.occasions import Happened
    from daemon.testing.schedule import Period

__all__ = ["KEPT", "Test", "Tests"]

LOOK_S = 1.0
"""How often the calendar is asked."""
KEPT: Final = (
    fold.PROVEN,
    fold.ITEM,
    fold.MISSED,
    fold.PLANNED,
    fold.BEGUN,
    fold.SKIP,
    fold.SENT,
)
"""What the record keeps of tests, for ``Tests.take_up``."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """What was found in a test before ispsd stopped.

    Attributes:
        witness: Who had confirmed a step as the second person.
    """

    gathered: Gathered
    witness: str | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """What of the ship's file is not in the written plan: it asks more often, or after these events."""

    more_often: bool = False
    asks: frozenset[Event] = frozenset()


class Tests:
    """Every test of the ship."""

    __test__ = False

    def __init__(
        self,
        tests: Iterable[Test],
        *,
        ship: Ship,
        regime: Callable[[], Regime],
        ship_time: Callable[[], timezone],
        demo: bool,
        clock: Clock,
        gate: Gate,
        points: Newest,
        inboxes: Inboxes,
        journal: Journal,
        on_change: Callable[[Test], None],
        services: Services | None = None,
        entropy: Entropy | None = None,
        software: str = "",
    ) -> None:
        """Put the parts together.

        ``regime`` and ``ship_time`` are asked whenever they are needed; ``on_change`` is told of every test that
        stands differently. ``software`` is the version that judges, for whoever judges the record again.
        """
        self.also_to_do: list[Callable[[], Iterable[worklist.Item]]] = []
        """Who has lines for the worklist beside the tests."""
        self.is_defective: Callable[[str, str], bool] = lambda _test, _equipment: False
        """Whether a defect of a test, or of its equipment, is open that a person entered."""
        self.out_of_service: Callable[[str], bool] = lambda _: False
        """Whether a piece of equipment is out of service."""
        self.hindrance: Callable[[Test, str | None, Hindrance], str | None] = lambda *_: None
        """Why a test, or one item of it, has to wait for something to be over; None: it need not."""
        self.occasions = Occasions()
        self._regime = regime
        self._log = logs.get("tests")
        self.tests = {test.config.id: test for test in tests}
        for test in self.tests.values():
            test.regime, test.ship_time = regime, ship_time
        self.clock = clock
        self._ship_time = ship_time
        self._gate = gate
        self._on_change = on_change
        self._conduct = Conduct(
            Surroundings(
                clock=clock,
                ship=ship,
                ship_time=ship_time,
                demo=demo,
                services=services or Services(),
                points=points,
                inboxes=inboxes,
                entropy=entropy or Entropy(),
                software=software,
            ),
            gate=gate,
            journal=journal,
            regime=regime,
            on_change=on_change,
        )
        self._off_from_utc: datetime | None = None
        self._on_utc = clock.utc()
        self._was_unset = clock.status() is ClockStatus.UNSET
        """Whether the clock was not set at the start."""
        self._is_unset = self._was_unset
        """Whether it has not been set since, either."""
        self._unplanned: dict[str, _Change] = {}
        self._led: dict[str, Session] = {}
        """The newest session that a person began, of each test; its answers are known when it is over, too."""
        self._broken_off: list[tuple[Test, Session, SoFar | None]] = []
        self._seen: tuple[Situation, SecurityLevel] | None = None

    def take_up(
        self,
        kept: Mapping[str, Mapping[str, Mapping[str, Json]]],
        *,
        last_seen_utc: datetime | None,
        so_far: Mapping[str, SoFar] | None = None,
    ) -> None:
        """Take up what the record keeps of tests beside their newest results.

        Args:
            kept: The record's states, by each kind of ``KEPT``.
            last_seen_utc: When ispsd was last seen running before this start; None: never.
            so_far: What was found in tests that go on after this start, by test.
        """
        self._off_from_utc, self._on_utc = last_seen_utc, self.clock.utc()
        for id_, test in self.tests.items():
            if (proven := kept[fold.PROVEN].get(id_)) is not None:
                test.proven = _from_entry(proven)
            for item in test.spec.items(test.config):
                if (said := kept[fold.ITEM].get(f"{id_}/{item}")) is not None:
                    test.items[item] = _from_entry(said)
            test.sent_utc = _moment(kept[fold.SENT].get(id_), "at")
            test.settled_utc = _moment(kept[fold.MISSED].get(id_), "until")
            test.asked_settled_utc = _moment(kept[fold.MISSED].get(f"{id_}/after"), "asked")
            if (begun := kept[fold.BEGUN].get(id_)) is not None:
                found = None if so_far is None else so_far.get(id_)
                self._broken_off.append((test, _session_in(begun, found), found))
            if (word := kept[fold.SKIP].get(id_)) is not None:
                test.unsigned = _from_entry(word)
            plan = kept[fold.PLANNED].get(id_)
            if plan is None:
                self._unplanned[id_] = _Change()
                continue
            planning.take_up(test, plan)
            if not planning.is_as_planned(test, plan):
                self._unplanned[id_] = _Change(
                    planning.is_more_often(test, plan), planning.asks_anew(test, plan)
                )

    def recall(self, entries: Iterable[tuple[str, Mapping[str, Json], datetime]]) -> None:
        """Take up what happened before the start, the oldest first: type, open part and time of entries."""
        known = list(entries)
        moments = [at_utc for _, _, at_utc in known]
        if self.clock.status() is not ClockStatus.UNSET:
            moments = in_order(moments, now_utc=self.clock.utc(), doubt=schedule.CLOCK_DOUBT)
        for (type_, said, _), at_utc in zip(known, moments, strict=True):
            self._ask(self.occasions.take(type_, said, at_utc), before_start=True)
        self._look_at_regime()

    def happened(self, type_: str, said: Mapping[str, Json], at_utc: datetime) -> None:
        """Take an entry that was written just now."""
        if type_ not in TYPES:
            return
        asked = self._ask(self.occasions.take(type_, said, at_utc))
        self._look_at_regime()
        for test in asked:
            self._on_change(test)

    def _ask(self, happened: Iterable[Happened], *, before_start: bool = False) -> list[Test]:
        """Let what has happened make tests due; return those."""
        asked = []
        for each in happened:
            for test in self.tests.values():
                if each.event not in test.config.after or self._asked_nothing(
                    test, each, before_start=before_start
                ):
                    continue
                about = each.of & test.concerns
                items = sorted(about.intersection(test.spec.items(test.config)))
                if each.of and not about:
                    continue
                if items:
                    test.only_since(each.at_utc, items)
                else:
                    test.asked = each
                asked.append(test)
        return asked

    def _asked_nothing(self, test: Test, happened: Happened, *, before_start: bool) -> bool:
        """Return whether such an event did not make the test due yet by the plan of that time."""
        change = self._unplanned.get(test.config.id)
        if before_start and change is not None and happened.event in change.asks:
            return True
        since_utc = test.asks_utc.get(happened.event)
        return since_utc is not None and happened.at_utc <= since_utc

    def _look_at_regime(self) -> None:
        """Take it that situation or level may be others: plans are stricter or laxer since then."""
        regime = self._regime()
        self._seen = regime.situation, regime.level
        for test in self.tests.values():
            test.stands_utc = self.occasions.stands_utc(test.config, regime)

    async def run(self) -> None:
        """Start what falls due, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._conduct.group = group
            self._write_broken_off(last_seen_utc=self._off_from_utc)
            while True:
                if self._seen != (self._regime().situation, self._regime().level):
                    self._look_at_regime()
                if self.clock.status() is not ClockStatus.UNSET:
                    if self._is_unset:
                        self._is_unset, self._on_utc = False, self.clock.utc()
                    self._write_plan()
                    for test in self.tests.values():
                        self._no_event_ahead(test)
                        self._settle(test)
                        self._start_by_itself(test)
                for test in self.tests.values():
                    self._go_on(test)
                    if not test.waits_for_disk and self.readiness(test) != test.shown:
                        self._on_change(test)
                await self.clock.sleep(LOOK_S)

    def start(
        self,
        test_id: str,
        person: str,
        *,
        item: str | None = None,
        then: tuple[str, ...] = (),
        proof: Proof = Proof.NONE,
    ) -> Test:
        """Start a test because a person asks for it; of several items, of one of them, ``then`` of others.

        Raises:
            RefusedError: No such test or item, it runs already, it needs a test window, or nobody knows the date.
        """
        test = self._known(test_id)
        self._must_have_a_date(test_id)
        if test.session is not None:
            raise RefusedError(f"{test_id} is running already")
        items = test.spec.items(test.config)
        if test.spec.continuous and test.spec.lead is None:
            raise RefusedError(f"{test_id} watches by itself all day")
        if item is not None and item not in items:
            raise RefusedError(f"{test_id} has no item {item[:40]!r}")
        if items and item is None:
            raise RefusedError(f"{test_id} is done item by item: {', '.join(items)}")
        if test.spec.needs_window and not self._gate.is_open():
            raise RefusedError(f"{test_id} runs only inside a test window; open one first")
        if (reason := self.waits(test, item)) is not None:
            raise RefusedError(f"{test_id} waits: {reason}")
        self._begin(test, person, item, then, proof)
        return test

    def remaining(self, test_id: str) -> tuple[str, ...]:
        """Return the items of a test that have not passed in the period that runs now.

        Raises:
            RefusedError: There is no such test.
        """
        test = self._known(test_id)
        if not test.spec.items(test.config):
            return ()
        begins_utc = schedule.begins_utc(
            test.plan, test.past, now_utc=self.clock.utc(), ship_time=self._ship_time()
        )
        return test.remaining(begins_utc)

    def _begin(
        self, test: Test, person: str, item: str | None, then: tuple[str, ...], proof: Proof
    ) -> None:
        session = self._conduct.begin(test, person, item, proof=proof)
        session.queue = then
        self._led[test.config.id] = session

    def _go_on(self, test: Test) -> None:
        """Begin the next item of those that a person does one after the other."""
        led = self._led.get(test.config.id)
        if led is None or not led.is_over or not led.queue or test.session is not None:
            return
        items, led.queue = led.queue, ()
        # Who did not answer, or broke it off, is not there for the next.
        if led.person is None or not led.answered or led.aborted is not None:
            return
        for place, item in enumerate(items, start=1):
            # What has come up since the first was begun stands in the way of the others as of any test.
            if self.waits(test, item) is None:
                self._begin(test, led.person, item, items[place:], led.proof)
                return

    def skip(
        self, test_id: str, person: str, reason: str, *, proof: Proof = Proof.NONE
    ) -> asyncio.Future[Entry]:
        """Take a person's word that a test cannot be done now: NOT DONE, with the reason.

        Raises:
            RefusedError: No such test, it runs, no reason is given, or nobody knows the date.
        """
        test = self._known(test_id)
        self._must_have_a_date(test_id)
        if test.session is not None:
            raise RefusedError(f"{test_id} is running")
        if not reason.strip():
            raise RefusedError("a reason is wanted")
        session = Session(self.clock.utc(), person, proof=proof, signs_off=True)
        found = Found(Verdict(Outcome.SKIPPED, reason))
        return self._conduct.write(test, session, found, self.clock.utc())

    def waits(self, test: Test, item: str | None = None) -> str | None:
        """Return what stands in a test's way, by its plan; None: nothing does."""
        only_in = test.config.only_in
        situation = self._regime().situation
        if only_in and situation not in only_in:
            where = ", ".join(each.value for each in only_in)
            return f"it is done in {where}; the ship's situation is {situation.value}"
        for each in test.config.inhibited_by:
            if (reason := self.hindrance(test, item, each)) is not None:
                return reason
        return None

    def answer(self, test_id: str, step: int, answer: Answer) -> Answer | None:
        """Give a person's answer to the step that is shown; return the one that was quicker, where there is one.

        Raises:
            RefusedError: The test does not wait for that answer, or not of that person.
        """
        test = self._known(test_id)
        session = test.session or self._led.get(test_id)
        if session is None:
            raise RefusedError(f"{test_id} waits for no answer now")
        return session.take(test_id, step, answer)

    def abort(self, test_id: str, aborted: Aborted) -> None:
        """Break off a test that a person has begun: NOT PROVEN, with what was seen so far.

        Raises:
            RefusedError: No such test, or it is not led now.
        """
        session = self.led(test_id)
        step = 0 if session.progress is None else session.progress.step
        session.abort(replace(aborted, step=step))

    def led(self, test_id: str) -> Session:
        """Return the test that a person is led through now.

        Raises:
            RefusedError: No such test, or it is not led now.
        """
        session = self._known(test_id).session
        if session is None or session.person is None:
            raise RefusedError(f"{test_id} is not under way")
        return session

    def show(self, test: Test) -> None:
        """Show a test again: something that it is judged by has changed."""
        self._on_change(test)

    def readiness(self, test: Test) -> str:
        """Return how the test's equipment stands, in the words that are shown."""
        if test.session is None and self.out_of_service(test.config.equipment):
            return Readiness.OUT_OF_SERVICE.value
        if test.session is None and self.is_defective(test.config.id, test.config.equipment):
            return Readiness.DEFECT.value
        return schedule.readiness(
            test.plan,
            test.past,
            now_utc=self.clock.utc(),
            ship_time=self._ship_time(),
            clock=self.clock.status(),
            under_test=test.session is not None,
            proven=test.is_proven,
        ).value

    def overdue(self) -> list[str]:
        """Return the names of the tests that are overdue now."""
        overdue = Readiness.OVERDUE.value
        return [id_ for id_, test in self.tests.items() if self.readiness(test) == overdue]

    def next_due_utc(self, test: Test) -> datetime | None:
        """Return when the test is due next; None for now."""
        return schedule.next_due_utc(test.plan, test.past, ship_time=self._ship_time())

    def told(self, test_id: str) -> dict[str, Json]:
        """Return why a test stands as it does.

        Raises:
            RefusedError: There is no such test.
        """
        test = self._known(test_id)
        return reasons.told(
            test,
            Readiness(self.readiness(test)),
            now_utc=self.clock.utc(),
            ship_time=self._ship_time(),
            regime=self._regime(),
            waits=self.waits(test),
        )

    def other_work(self) -> list[worklist.Item]:
        """Return what there is to do beside the tests."""
        listed: list[worklist.Item] = []
        for source in self.also_to_do:
            try:
                listed += list(source())
            except Exception:  # noqa: BLE001 (one source's bug must take neither the list nor the watch along)
                self._log.exception("worklist.fault")
        return listed

    def worklist(self) -> list[dict[str, Json]]:
        """Return what SSO and Master have to see to, the worst first; of class ``sso``, with SSAS among it."""
        stands = [(test, Readiness(self.readiness(test))) for test in self.tests.values()]
        listed = worklist.items(
            stands, now_utc=self.clock.utc(), ship_time=self._ship_time(), waits=self.waits
        )
        listed += self.other_work()
        return worklist.message(worklist.worst_first(listed))

    # What falls due

    def _write_broken_off(self, *, last_seen_utc: datetime | None) -> None:
        """Say of every test that was under way when ispsd stopped that it proves nothing, or go on with it."""
        now_utc = self.clock.utc()
        for test, session, so_far in self._broken_off:
            if so_far is not None:
                self._led[test.config.id] = session
                self._conduct.resume(test, session, so_far.gathered)
                continue
            ended_utc = max(session.began_utc, min(last_seen_utc or now_utc, now_utc))
            reason = "interrupted: ispsd stopped before the test was complete"
            test.waits_for_disk = True
            found = Found(Verdict(Outcome.INCONCLUSIVE, reason))
            self._conduct.write(test, session, found, ended_utc)
        self._broken_off = []

    def _write_plan(self) -> None:
        now_utc = self.clock.utc()
        for id_, test in self.tests.items():
            if planning.is_ahead(test, now_utc):
                self._unplanned.setdefault(id_, _Change())
        if not self._unplanned:
            return
        unplanned, self._unplanned = self._unplanned, {}
        for id_, change in unplanned.items():
            planning.begin(self.tests[id_], now_utc, more_often=change.more_often, asks=change.asks)
        tests = [self.tests[id_] for id_ in unplanned]
        for draft in planning.drafts(tests, now_utc):
            self._conduct.submit(draft)
        for test in tests:
            self._on_change(test)

    def _no_event_ahead(self, test: Test) -> None:
        """Take an event that a clock wrote which was ahead, and was set back since, to be of now."""
        now_utc = self.clock.utc()
        if test.asked is not None and test.asked.at_utc > now_utc + schedule.CLOCK_DOUBT:
            test.asked = replace(test.asked, at_utc=now_utc)

    def _settle(self, test: Test) -> None:
        """Write the periods that have ended without a test."""
        if test.waits_for_disk or (test.watching is not None and test.plan.continuous):
            return  # its row is on its way
        missed = schedule.missed(
            test.plan, test.past, now_utc=self.clock.utc(), ship_time=self._ship_time()
        )
        for period in missed:
            reason = self._why_missed(test, period)
            self._conduct.submit(results.missed(test, period, reason))
            test.settled_utc = period.ends_utc
        after = schedule.missed_after(test.plan, test.past, now_utc=self.clock.utc())
        if after is not None and test.asked is not None:
            reason = f"{self._why_missed(test, after)}: asked for by {test.asked.event.value}"
            self._conduct.submit(results.missed(test, after, reason, after=test.asked.event))
            test.asked_settled_utc = after.begins_utc
        if missed or after is not None:
            self._on_change(test)

    def _why_missed(self, test: Test, period: Period) -> str:
        reason = schedule.why_missed(
            period,
            off_from_utc=self._off_from_utc,
            on_utc=self._on_utc,
            was_unset=self._was_unset,
        )
        if not reason.startswith(schedule.NOT_DONE):
            return reason  # off for the whole of it
        if self._was_elsewhere(test, period):
            where = ", ".join(each.value for each in test.config.only_in)
            return f"not testable: never in {where} in this time"
        word = test.unsigned if test.awaits_signature else None
        if word and word.ended_utc >= period.begins_utc:
            return f"{reason}; {word.reason}: signed by nobody who may"
        return reason

    def _was_elsewhere(self, test: Test, period: Period) -> bool:
        """Return whether the ship was all the time where the test cannot be done."""
        if not test.config.only_in:
            return False
        until_utc: datetime | None = None
        for held in self.occasions.held(self._regime()):
            begins_utc = held.since_utc
            is_in_it = (until_utc is None or until_utc > period.begins_utc) and (
                begins_utc is None or begins_utc < period.ends_utc
            )
            if is_in_it and held.situation in test.config.only_in:
                return False
            until_utc = begins_utc
        return True

    def _start_by_itself(self, test: Test) -> None:
        if test.waits_for_disk or self.clock.now_s() < test.not_before_s:
            return
        if test.spec.continuous:
            if test.watching is None:
                self._conduct.watch(test)
        elif (
            test.spec.mode is Mode.AUTOMATIC
            and test.session is None
            and self._is_due(test)
            and self.waits(test) is None
        ):
            self._conduct.begin(test, None, None)

    def _is_due(self, test: Test) -> bool:
        plan, past, now_utc, ship_time = test.plan, test.past, self.clock.utc(), self._ship_time()
        if past.tested_utc is not None and now_utc < past.tested_utc - schedule.CLOCK_DOUBT:
            return False
        return schedule.is_due(
            plan, past, now_utc=now_utc, ship_time=ship_time
        ) and not schedule.is_settled(plan, past, now_utc=now_utc, ship_time=ship_time)

    def _must_have_a_date(self, test_id: str) -> None:
        """Let no result of a date that nobody knows take the place of those before it.

        Raises:
            RefusedError: The clock is not set.
        """
        if self.clock.status() is ClockStatus.UNSET:
            raise RefusedError(f"{test_id} waits: the computer's clock is not set; set it first")

    def _known(self, test_id: str) -> Test:
        try:
            return self.tests[test_id]
        except KeyError:
            raise RefusedError(f"there is no test {test_id[:40]!r}") from None


def _session_in(begun: Mapping[str, Json], so_far: SoFar | None) -> Session:
    item, person = begun.get("item"), begun.get("person")
    return Session(
        forms.from_utc(str(begun["began"])),
        None if person is None else str(person),
        None if item is None else str(item),
        witness=None if so_far is None else so_far.witness,
    )


def _moment(body: Mapping[str, Json] | None, name: str) -> datetime | None:
    return None if body is None else forms.from_utc(str(body[name]))


def _from_entry(body: Mapping[str, Json]) -> LastResult:
    return LastResult(
        Outcome(str(body["outcome"])),
        forms.from_utc(str(body["ended"])),
        0,
        str(body["reason"]),
        _moment(body, "sent") if "sent" in body else None,
        schedule.day_of(body),
    )
