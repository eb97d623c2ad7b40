"""How does one test of the ship stand: its plan, its past, and what of it runs now?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import TYPE_CHECKING, Final

from daemon.checks.wording import kind_of
from daemon.model import Outcome, Regime, SecurityLevel, Situation
from daemon.testing import schedule
from daemon.testing.schedule import LastResult, Past, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timezone

    from daemon.checks.api import CheckConfig, CheckSpec
    from daemon.checks.asking import Event
    from daemon.model import Classification
    from daemon.testing.occasions import Happened
    from daemon.testing.session import Session

DECISIVE = frozenset({Outcome.PASSED, Outcome.FAILED})
"""What proves something. A test that failed is a defect until it passes, whatever was not proven in between."""


MOST_AGAIN: Final = 6
"""How often an automatic test is written again in one period though its outcome is the same."""

AT_REST = Regime(Situation.SEA, SecurityLevel.ONE)
"""Until anybody tells what the ship is doing."""


@dataclass(slots=True)
class Test:
    """One test of the ship and how it stands."""

    __test__ = False

    config: CheckConfig
    spec: CheckSpec
    regime: Callable[[], Regime] = lambda: AT_REST
    """What the ship is doing now: how often it is done hangs on that."""
    ship_time: Callable[[], timezone] = lambda: UTC
    """The zone in which its days are counted now."""
    last: LastResult | None = None
    proven: LastResult | None = None
    """The newest result that passed or failed."""
    items: dict[str, LastResult] = field(default_factory=dict)
    """The same of each item, where it has several."""
    sent_utc: datetime | None = None
    """When it sent something ashore last, however it ended; None: never, or nobody saw it go."""
    planned_utc: datetime | None = None
    """Since when it is in the plan, as the record has it."""
    settled_utc: datetime | None = None
    """Until when missed periods are written."""
    asked_settled_utc: datetime | None = None
    """When the newest event happened of which it is written that the test was missed."""
    unsigned: LastResult | None = None
    """Somebody's word that it cannot be done, which the SSO or the Master has not signed: it settles nothing."""
    asked: Happened | None = None
    """The newest event that makes it due."""
    stands_utc: datetime | None = None
    """Since when situation and level have asked for it at least as often as now; None: as far back as is known."""
    often_utc: datetime | None = None
    """Since when the ship's file has asked for it as often as it does; None: since it is in the plan."""
    asks_utc: dict[Event, datetime] = field(default_factory=dict)
    """Since when an event makes it due by the ship's file, of those that did not from the beginning."""
    session: Session | None = None
    watching: Session | None = None
    """The day that a continuous check watches."""
    said: Outcome | None = None
    """The outcome that was written last, on disk or on its way there."""
    waits_for_disk: bool = False
    """It has ended, and its result is not on disk yet: nobody is told (invariant 4)."""
    not_before_s: float = 0.0
    """Seconds since boot before which it is not run by itself again."""
    since_utc: dict[str, datetime] = field(default_factory=dict)
    """From when on a pass counts as proof, by item, under the empty name of the whole: its unit was replaced then."""
    told_again: int = 0
    """How often in this period an automatic test was written again though its outcome was the same."""
    shown: str = ""
    """The readiness that was shown last: it also changes with the calendar alone."""

    @property
    def classification(self) -> Classification:
        """Return who may read of it."""
        return self.spec.classification_of(self.config)

    @property
    def plan(self) -> Plan:
        """Return how often it is done."""
        return schedule.plan_of(self.config, self.spec, self.regime())

    @property
    def concerns(self) -> frozenset[str]:
        """Return what it is about: its equipment, its items, the device or the points that it listens to."""
        device = getattr(self.config, "device", None)
        return frozenset(
            {self.config.equipment, *self.spec.items(self.config), *self.spec.points(self.config)}
            | ({device} if isinstance(device, str) else set())
        )

    @property
    def past(self) -> Past:
        """Return what the record says of it."""
        last, proof = self.last, self._proof()
        stands_utc = max(filter(None, (self.stands_utc, self.often_utc)), default=None)
        asked_utc, asked_by = None, None
        # What happened before it was in the plan asks for nothing.
        if self.asked is not None and self.asked.at_utc > (self.planned_utc or self.asked.at_utc):
            asked_utc, asked_by = self.asked.at_utc, self.asked.event
        skipped = last is not None and last.outcome is Outcome.SKIPPED
        zone = self.ship_time()
        results = self._by_item() if self.spec.items(self.config) else None
        if results is not None:
            done = [each.placed_utc(zone) for each in results if each is not None]
            passed = [
                each.placed_utc(zone)
                for each in results
                if each is not None and each.outcome is Outcome.PASSED
            ]
            return Past(
                planned_utc=self.planned_utc,
                passed_utc=min(passed) if len(passed) == len(results) else None,
                tested_utc=min(done) if len(done) == len(results) else None,
                skipped_utc=last.ended_utc if last is not None and skipped else None,
                defect=any(r is not None and r.outcome is Outcome.FAILED for r in results),
                settled_utc=self.settled_utc,
                asked_utc=asked_utc,
                asked_by=asked_by,
                asked_settled_utc=self.asked_settled_utc,
                stands_utc=stands_utc,
            )
        has_passed = proof is not None and proof.outcome is Outcome.PASSED
        return Past(
            planned_utc=self.planned_utc,
            passed_utc=proof.placed_utc(zone) if proof is not None and has_passed else None,
            tested_utc=None if last is None else last.placed_utc(zone),
            skipped_utc=last.ended_utc if last is not None and skipped else None,
            defect=proof is not None and not has_passed,
            settled_utc=self.settled_utc,
            asked_utc=asked_utc,
            asked_by=asked_by,
            asked_settled_utc=self.asked_settled_utc,
            stands_utc=stands_utc,
        )

    @property
    def newest_word(self) -> LastResult | None:
        """Return how it ended last, also where that settles nothing."""
        words = [each for each in (self.last, self.unsigned) if each is not None]
        return max(words, key=lambda each: each.ended_utc, default=None)

    @property
    def awaits_signature(self) -> bool:
        """Whether the SSO or the Master has to say whether it may be left out."""
        return self.unsigned is not None and self.newest_word is self.unsigned

    @property
    def is_proven(self) -> bool:
        """Whether its newest word is a pass, and younger than its units; of items the calendar says what is missing."""
        if self.spec.items(self.config):
            return not any(self._is_older(self.items.get(item), item) for item in self.since_utc)
        has_passed = self.last is not None and self.last.outcome is Outcome.PASSED
        return has_passed and not self._is_older(self.last, "")

    def only_since(self, moment_utc: datetime, items: Sequence[str]) -> None:
        """Let no pass before a moment count as proof of these items, or of the whole where there are none."""
        self.since_utc |= dict.fromkeys(items or ("",), moment_utc)

    def _is_older(self, result: LastResult | None, item: str) -> bool:
        since_utc = self.since_utc.get(item)
        return since_utc is not None and (result is None or result.ended_utc <= since_utc)

    def take(self, result: LastResult, items: Mapping[str, Outcome]) -> None:
        """Take a result that is on disk."""
        self.last = result
        self.sent_utc = result.sent_utc or self.sent_utc
        if result.outcome in DECISIVE:
            self.proven = result
        for item, outcome in items.items():
            if outcome in DECISIVE:
                self.items[item] = replace(result, outcome=outcome, sent_utc=None)

    def finds_other(self, outcome: Outcome, reason: str, items: Mapping[str, Outcome]) -> bool:
        """Return whether an outcome like the last is another finding: of another item, or for another reason.

        What is better, and other reasons, are told a few times in a period only; an item that has failed always is.
        """
        other = {
            found
            for item, found in items.items()
            if found in DECISIVE
            and ((last := self.items.get(item)) is None or last.outcome is not found)
        }
        if Outcome.FAILED in other:
            return True
        if not items and outcome is Outcome.FAILED and self.last is not None:
            is_other = kind_of(reason) != kind_of(self.last.reason)
        else:
            is_other = bool(other)
        return is_other and self.told_again < MOST_AGAIN

    def in_question(self, since_utc: datetime) -> frozenset[str]:
        """Return the items that their use since a moment does not prove.

        What failed when somebody tested it was in use before, too, and its use says nothing of what failed.
        """
        items = frozenset(self.spec.items(self.config))
        if self.asked is not None and self.asked.at_utc > since_utc:
            return items
        return frozenset(
            item
            for item in items
            if self.since_utc.get(item, since_utc) > since_utc
            or ((last := self.items.get(item)) is not None and last.outcome is Outcome.FAILED)
        )

    def remaining(self, since_utc: datetime) -> tuple[str, ...]:
        """Return the items that have not passed since then."""
        return tuple(
            item
            for item in self.spec.items(self.config)
            if (done := self.items.get(item)) is None
            or done.outcome is not Outcome.PASSED
            or done.placed_utc(self.ship_time()) < since_utc
            or self._is_older(done, item)
        )

    def _by_item(self) -> list[LastResult | None]:
        return [self.items.get(item) for item in self.spec.items(self.config)]

    def _proof(self) -> LastResult | None:
        if self.last is not None and self.last.outcome in DECISIVE:
            return self.last
        return self.proven
