"""Show the tests: how each piece of equipment stands, the assisted test that is under way, and what is to be done.

Results are shown when they are on disk, never before. A test of class ``sso`` is shown under ``sso/…`` only, by a
name that says nothing (A/9.8.1). Of several tests of one piece of equipment the worst counts, and all reasons stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.checks.api import LED, Expects
from daemon.model import Classification, Outcome, Readiness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.mqtt.showing import Board
    from daemon.mqtt.topics import Topics
    from daemon.testing.readiness import Test, Tests

MOST_ITEMS = 500
"""Lines of the list that are published; the schema says so."""
WORST_FIRST: Final = tuple(
    readiness.value
    for readiness in (
        Readiness.DEFECT,
        Readiness.OVERDUE,
        Readiness.OUT_OF_SERVICE,
        Readiness.NOT_TESTABLE,
        Readiness.TEST_DUE,
        Readiness.UNDER_TEST,
        Readiness.IN_ORDER,
    )
)


class TestBoard:
    """Puts tests on the board."""

    __test__ = False

    def __init__(self, *, topics: Topics, board: Board, clock: Clock, entropy: Entropy) -> None:
        self._topics = topics
        self._board = board
        self._clock = clock
        self._entropy = entropy
        self._names: dict[str, str] = {}
        self._listed: list[dict[str, Json]] | None = None

    def show(self, tests: Tests, test: Test) -> None:
        """Show a test as it stands now, and with it its equipment and the list of what is to be done."""
        now_s = self._clock.now_s()
        kind = test.classification
        test.shown = tests.readiness(test)
        same = _of_the_same(tests, test)
        body = self._equipment(tests, same)
        if kind is Classification.WATCH:
            # What an item of an SSAS test is called is in the secret file, and stays there.
            body["tests"] = [_startable(tests, each) for each in same]
        self._board.put(
            self._topics.equipment(test.config.equipment, classification=kind), body, now_s
        )
        if test.session is not None and test.session.progress is not None:
            self._board.put(self._topic(test), self._progress(test, now_s), now_s)
        elif test.session is None and test.config.id in self._names:
            self._board.put(self._topic(test), self._done(test), now_s, last=True)
            del self._names[test.config.id]
        self.show_worklist(tests)

    def show_worklist(self, tests: Tests) -> None:
        """Show what is to be done, where it is another than was shown last."""
        listed = tests.worklist()[:MOST_ITEMS]
        if listed != self._listed:
            self._listed = listed
            self._board.put(self._topics.worklist(), {"items": listed}, self._clock.now_s())

    def _topic(self, test: Test) -> str:
        kind = test.classification
        if test.config.id not in self._names:
            private = kind is Classification.SSO
            self._names[test.config.id] = self._entropy.token() if private else test.config.id
        return self._topics.test(self._names[test.config.id], classification=kind)

    @staticmethod
    def _equipment(tests: Tests, same: Sequence[Test]) -> dict[str, Json]:
        stands = [tests.readiness(test) for test in same]
        results = [test.last for test in same if test.last is not None]
        last = max(results, key=lambda result: result.ended_utc, default=None)
        due = [tests.next_due_utc(test) for test in same]
        known = [moment for moment in due if moment is not None]
        return {
            "name": same[0].config.name,
            "readiness": min(stands, key=WORST_FIRST.index),
            "last": None
            if last is None
            else {
                "outcome": last.outcome.value,
                "at_utc": forms.utc(last.ended_utc),
                "seq": last.seq,
                "reason": last.reason,
            },
            "next_due_utc": forms.utc(min(known)) if len(known) == len(due) else None,
            "reasons": [r.reason for r in results if r.outcome is not Outcome.PASSED],
        }

    @staticmethod
    def _progress(test: Test, now_s: float) -> dict[str, Json]:
        progress = test.session.progress if test.session is not None else None
        if progress is None:
            raise ValueError(f"{test.config.id} shows no step")
        assert test.session is not None  # noqa: S101 (whose progress it is)
        session, ends_s = test.session, progress.ends_s
        return {
            "test": test.config.id,
            "equipment": test.config.equipment,
            "step": progress.step,
            "steps": test.spec.steps_of(test.config),
            "prompt": progress.prompt,
            "expects": progress.expects.value,
            "seconds_left": None if ends_s is None else max(0, round(ends_s - now_s)),
            "state": "running" if progress.expects is Expects.NOTHING else "waiting",
            "outcome": None,
            "reason": None,
            "item": session.item,
            "items_left": len(session.queue),
            "tester": session.person,
            "witness": session.witness,
            "who": progress.who.value,
            "seen": list(session.seen),
        }

    @staticmethod
    def _done(test: Test) -> dict[str, Json]:
        word = test.newest_word
        return {
            "test": test.config.id,
            "equipment": test.config.equipment,
            "step": test.spec.steps_of(test.config),
            "steps": test.spec.steps_of(test.config),
            "prompt": "",
            "expects": None,
            "seconds_left": None,
            "state": "done",
            "outcome": None if word is None else word.outcome.value,
            "reason": None if word is None else word.reason,
            "item": None,
            "items_left": 0,
            "tester": None,
            "witness": None,
            "who": None,
            "seen": [],
        }


def _startable(tests: Tests, test: Test) -> dict[str, Json]:
    """Return what a station has to know to have a test started: who may, and whether it waits, is asked then."""
    led = test.spec.mode in LED or test.spec.lead is not None
    return {
        "test": test.config.id,
        "led": led,
        "items": list(test.spec.items(test.config)),
        "remaining": list(tests.remaining(test.config.id)),
    }


def _of_the_same(tests: Tests, test: Test) -> list[Test]:
    """Return the tests of the same equipment that the same people may read, in the order of the ship's file."""
    return [
        other
        for other in tests.tests.values()
        if other.config.equipment == test.config.equipment
        and other.classification is test.classification
    ]
