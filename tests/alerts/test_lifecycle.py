"""MSC.302(87) 7.3: every row of the table, and everything that is not a row."""

from __future__ import annotations

import pytest

from daemon.alerts import lifecycle
from daemon.alerts.lifecycle import Event
from daemon.model import AlertState as State
from daemon.model import Priority

ROWS = [
    (1, "N", Event.CONDITION_TRUE, "V", True),
    (2, "V", Event.SILENCE, "S", False),
    (3, "S", Event.SILENCE_ENDED, "V", True),
    (4, "V", Event.ACKNOWLEDGE, "A", False),
    (4, "S", Event.ACKNOWLEDGE, "A", False),
    (6, "V", Event.TRANSFER, "O", False),
    (6, "S", Event.TRANSFER, "O", False),
    (7, "O", Event.HAND_BACK, "V", True),
    (8, "A", Event.CONDITION_FALSE, "N", False),
    (8, "O", Event.CONDITION_FALSE, "N", False),
    (9, "V", Event.CONDITION_FALSE, "U", False),
    (9, "S", Event.CONDITION_FALSE, "U", False),
    (10, "U", Event.ACKNOWLEDGE, "N", False),
    (11, "U", Event.CONDITION_TRUE, "V", True),
]
OWN_ROWS = {
    Priority.ALARM: [(14, "V", Event.ESCALATE, "V", True)],
    Priority.WARNING: [
        (12, "V", Event.REPEAT, "V", True),
        (13, "V", Event.PROMOTE, "V", True),
    ],
}


@pytest.mark.parametrize("priority", [Priority.ALARM, Priority.WARNING])
def test_each_row_of_the_table(priority):
    for number, state, event, to, sounds in [*ROWS, *OWN_ROWS[priority]]:
        row = lifecycle.step(State(state), priority, event)
        assert row is not None, number
        assert (row.number, row.to, row.sounds) == (number, State(to), sounds)
        assert row.escalates is (number in {12, 13, 14})
        assert row.promotes is (number == 13)


@pytest.mark.parametrize("priority", [Priority.ALARM, Priority.WARNING])
def test_what_is_no_row_changes_nothing(priority):
    rows = {(state, event) for _, state, event, _, _ in [*ROWS, *OWN_ROWS[priority]]}
    for state in State:
        for event in Event:
            stepped = lifecycle.step(state, priority, event)
            assert (stepped is not None) is ((state.value, event) in rows)


def test_a_caution_is_active_or_not_and_never_sounds():
    for state in State:
        for event in Event:
            row = lifecycle.step(state, Priority.CAUTION, event)
            wanted = {
                ("N", Event.CONDITION_TRUE): State.ACTIVE_ACKNOWLEDGED,
                ("A", Event.CONDITION_FALSE): State.NORMAL,
            }.get((state.value, event))
            assert (row.to if row is not None else None) is wanted
            assert row is None or not row.sounds


@pytest.mark.parametrize(("before", "after"), [(1, 2), (98, 99), (99, 1)])
def test_revision_counts_1_to_99_and_begins_again(before, after):
    assert lifecycle.next_revision(before) == after


@pytest.mark.parametrize(("before", "after"), [(0, 1), (8, 9), (9, 1)])
def test_escalation_counts_to_9_and_begins_again_at_1(before, after):
    assert lifecycle.next_escalation(before) == after


def test_a_caution_reads_as_active_not_as_acknowledged():
    assert lifecycle.words(State.ACTIVE_ACKNOWLEDGED, Priority.CAUTION) == "active"
    assert lifecycle.words(State.ACTIVE_ACKNOWLEDGED, Priority.ALARM) == "active – acknowledged"
