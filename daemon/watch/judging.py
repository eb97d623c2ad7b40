"""Which rule hears what, and what do the rules say? A rule's bug takes down neither driver nor watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.alerts.rules.openings import OpeningRule
from daemon.computer import logs
from daemon.model import Classification
from daemon.points.points import Change
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from daemon.alerts.engine import Engine
    from daemon.alerts.rules.api import Moment, Rule
    from daemon.model import Reading
    from daemon.points.points import Points
    from daemon.record.journal import Journal


class Judging:
    """The rules of the ship."""

    def __init__(self, *, engine: Engine, points: Points, journal: Journal) -> None:
        self.rules: tuple[Rule, ...] = ()
        self._engine = engine
        self._points = points
        self._journal = journal
        self._of_point: dict[str, list[Rule]] = {}
        self._of_device: dict[str, list[Rule]] = {}
        self._resting: frozenset[int] = frozenset()
        self._at_rest: set[int] = set()
        """Doors that were asked since they shut or were lost: of ten thousand, few are another matter each second."""
        self._failed: set[int] = set()
        self._log = logs.get("watch")

    def follow(self, rules: Iterable[Rule]) -> None:
        """Name the rules that judge what is seen."""
        self.rules = tuple(rules)
        for rule in self.rules:
            for point in rule.points:
                self._of_point.setdefault(point, []).append(rule)
            for device in rule.devices:
                self._of_device.setdefault(device, []).append(rule)

    def take(self, reading: Reading, change: Change | None) -> Sequence[Rule]:
        """Let the rules of a point take its reading; return them."""
        rules = [r for r in self._of_point.get(reading.point, ()) if id(r) not in self._resting]
        for rule in rules:
            if change is not None:
                self._at_rest.discard(id(rule))
            try:
                rule.take(reading, change)
            except Exception as err:  # noqa: BLE001 (see the head of this file)
                self._rule_failed(rule, err)
        return rules

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> Sequence[Rule]:
        """Tell the rules of a device that its link came or went; return them."""
        rules = self._of_device.get(device, ())
        for rule in rules:
            rule.link(device, up=up, now_s=now_s, reason=reason)
        return rules

    def say(self, rules: Iterable[Rule], moment: Moment) -> None:
        """Tell the engine what the rules say now; those that rest say nothing."""
        for rule in rules:
            if id(rule) in self._resting or id(rule) in self._at_rest:
                continue
            try:
                for said in rule.look(moment):
                    self._engine.condition(
                        said.key,
                        said.source,
                        active=said.active,
                        now_s=moment.now_s,
                        detail=said.detail,
                        at_most=said.at_most,
                    )
                if isinstance(rule, OpeningRule) and rule.is_at_rest(moment.now_s):
                    self._at_rest.add(id(rule))
            except Exception as err:  # noqa: BLE001 (as above)
                self._rule_failed(rule, err)

    def rest(self, points: Collection[str]) -> None:
        """Let the rules of these doors, seals and detectors say nothing until ``look_anew``; what stands goes on."""
        self._resting = frozenset(
            id(rule)
            for rule in self.rules
            if isinstance(rule, OpeningRule) and rule.opening.id in points
        )

    def look_anew(self) -> Sequence[Rule]:
        """Let what has rested see the points as if for the first time now; return it."""
        rules = [r for r in self.rules if id(r) in self._resting and isinstance(r, OpeningRule)]
        self._resting = frozenset()
        for rule in rules:
            self._at_rest.discard(id(rule))
            rule.begin_anew()
            # The lock last: a door that stands open now was not forced because its bolt is out.
            for point in sorted(rule.points, key=lambda each: each != rule.opening.id):
                if (reading := self._points.newest(point)) is not None:
                    rule.take(reading, Change(reading, None))
        return rules

    def _rule_failed(self, rule: Rule, err: Exception) -> None:
        """Say once that a rule has a bug; the others go on, and what it said stands."""
        if id(rule) in self._failed:
            return
        self._failed.add(id(rule))
        what = ", ".join(sorted({*rule.points, *rule.devices}))
        self._log.error("rule.fault", rule=type(rule).__name__, about=what, exc_info=err)
        self._journal.submit(
            Draft(
                kind="system",
                type="rule.fault",
                subject="ispsd",
                classification=Classification.WATCH,
                open={"rule": type(rule).__name__, "about": what, "reason": type(err).__name__},
            )
        )
