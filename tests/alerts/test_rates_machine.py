"""Counts are the same however often they are taken away to be kept, and nothing is counted that did not sound."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.alerts.alert import AlertChange, Source
from daemon.alerts.rates import FLOOD_ABOVE, Counter, Day
from tests.alerts.test_rates import Watch

SOURCES = [Source(f"d{number}", f"DOOR {number}", "io1") for number in range(14)]
STEPS = st.one_of(
    st.tuples(st.just("open"), st.sampled_from(SOURCES)),
    st.tuples(st.just("shut"), st.sampled_from(SOURCES)),
    st.tuples(st.just("acknowledge"), st.sampled_from(SOURCES)),
    st.tuples(st.just("level"), st.sampled_from([1, 2, 3])),
    st.tuples(st.just("pass"), st.sampled_from([1.0, 61.0, 700.0])),
    st.tuples(st.just("storm"), st.just(None)),
    st.tuples(st.just("take"), st.just(None)),
)


class Twice(Watch):
    """Two counters hear the same; one of them is emptied from time to time."""

    def __init__(self) -> None:
        super().__init__()
        self.emptied, self.kept = Counter(), Day()
        self.emptied.tick(self.around)
        self.loud = 0

    def _hear(self, changes) -> None:
        changes = list(changes)
        super()._hear(changes)
        for change in changes:
            if isinstance(change, AlertChange):
                self.emptied.hear(change, self.around)
                self.loud += change.alert.sounding

    def tick(self) -> None:
        super().tick()
        self.emptied.tick(self.around)

    def do(self, verb: str, what) -> None:
        match verb:
            case "open" | "shut":
                self.says(verb == "open", source=what)
            case "level":
                self.become(what)
            case "pass":
                self.pass_time(what)
            case "storm":
                for source in SOURCES:
                    self.says(True, source=source)
            case "take":
                self.take()
            case "acknowledge":
                alert = self.engine.find("door.escape.open", what.id)
                if alert is not None and (alert.sounding or alert.rectified):
                    self.acknowledge(source=what)

    def take(self) -> None:
        for day in self.emptied.taken().values():
            self.kept.add(day)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_taking_counts_away_changes_none_of_them(steps):
    watch = Twice()
    for verb, what in steps:
        watch.do(verb, what)
    watch.take()
    whole = Day()
    for day in watch.counter.counted().values():
        whole.add(day)
    kept = watch.kept
    assert (kept.sources, kept.sounded_in, kept.answered) == (
        whole.sources,
        whole.sounded_in,
        whole.answered,
    )
    assert kept.floods == whole.floods
    assert kept.situation_s == pytest.approx(whole.situation_s)
    assert (kept.promoted, kept.inhibited) == (whole.promoted, whole.inhibited)
    by_source = sum(s.alarms + s.warnings for s in whole.sources.values())
    assert by_source == whole.sounded() <= watch.loud
    assert sum(whole.answered) <= whole.sounded()
    assert all(flood.alerts > FLOOD_ABOVE for flood in whole.floods.values())
