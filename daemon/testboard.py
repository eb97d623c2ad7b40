"""Show the tests: how each piece of equipment stands, and the assisted test that is under way.

Results are shown when they are on disk, never before. A test of class ``sso`` is shown under ``sso/…`` only, by a
name that says nothing (A/9.8.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon import forms
from daemon.model import Classification, Outcome

if TYPE_CHECKING:
    from daemon.clock import Clock
    from daemon.entropy import Entropy
    from daemon.model import Json
    from daemon.mqtt.topics import Topics
    from daemon.picture import Board
    from daemon.readiness import Test, Tests


class TestBoard:
    """Puts tests on the board."""

    __test__ = False

    def __init__(self, *, topics: Topics, board: Board, clock: Clock, entropy: Entropy) -> None:
        self._topics = topics
        self._board = board
        self._clock = clock
        self._entropy = entropy
        self._names: dict[str, str] = {}

    def show(self, tests: Tests, test: Test) -> None:
        """Show a test as it stands now."""
        now_s = self._clock.now_s()
        kind = test.spec.classification
        test.shown = tests.readiness(test)
        self._board.put(
            self._topics.equipment(test.config.equipment, classification=kind),
            self._equipment(tests, test),
            now_s,
        )
        if test.session is not None and test.session.progress is not None:
            self._board.put(self._topic(test), self._progress(test, now_s), now_s)
        elif test.session is None and test.config.id in self._names:
            self._board.put(self._topic(test), self._done(test), now_s, last=True)
            del self._names[test.config.id]

    def _topic(self, test: Test) -> str:
        kind = test.spec.classification
        if test.config.id not in self._names:
            private = kind is Classification.SSO
            self._names[test.config.id] = self._entropy.token() if private else test.config.id
        return self._topics.test(self._names[test.config.id], classification=kind)

    @staticmethod
    def _equipment(tests: Tests, test: Test) -> dict[str, Json]:
        last = test.last
        due = tests.next_due_utc(test)
        return {
            "name": test.config.name,
            "readiness": test.shown,
            "last": None
            if last is None
            else {
                "outcome": last.outcome.value,
                "at_utc": forms.utc(last.ended_utc),
                "seq": last.seq,
                "reason": last.reason,
            },
            "next_due_utc": None if due is None else forms.utc(due),
            "reasons": [] if last is None or last.outcome is Outcome.PASSED else [last.reason],
        }

    @staticmethod
    def _progress(test: Test, now_s: float) -> dict[str, Json]:
        progress = test.session.progress if test.session is not None else None
        if progress is None:
            raise ValueError(f"{test.config.id} shows no step")
        ends_s = progress.ends_s
        return {
            "test": test.config.id,
            "equipment": test.config.equipment,
            "step": progress.step,
            "steps": test.spec.steps,
            "prompt": progress.prompt,
            "seconds_left": None if ends_s is None else max(0, round(ends_s - now_s)),
            "state": "running" if ends_s is None else "waiting",
            "outcome": None,
            "reason": None,
        }

    @staticmethod
    def _done(test: Test) -> dict[str, Json]:
        return {
            "test": test.config.id,
            "equipment": test.config.equipment,
            "step": test.spec.steps,
            "steps": test.spec.steps,
            "prompt": "",
            "seconds_left": None,
            "state": "done",
            "outcome": None if test.last is None else test.last.outcome.value,
            "reason": None if test.last is None else test.last.reason,
        }
