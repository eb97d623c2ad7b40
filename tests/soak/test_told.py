"""The table of alerts and the row of events are read from what was told, and nothing is let pass."""

from __future__ import annotations

import pytest

from tests.soak.story import Expected
from tests.soak.told import Told, alerts, compared, missed, table

HATCH = Expected(
    "ESC HATCH OPEN",
    "STRG GEAR ESC",
    "W",
    ("gangway", "office"),
    (10.3, 12),
    (32, 34),
    (),
    "",
    "1. x",
)


def body(state, *, instance=1, priority="W", raised="10.5", title="ESC HATCH OPEN", detail=""):
    return {
        "title": title,
        "name": "STRG GEAR ESC",
        "priority": priority,
        "instance": instance,
        "state": state,
        "raised_utc": raised,
        "sounds_at": ["gangway", "office"],
        "detail": detail,
    }


def read(*messages):
    return alerts([(at_s, "d12", said) for at_s, said in messages], raised_s=float)


def test_an_alert_from_its_raising_to_its_end():
    (told,) = read((10.6, body("V")), (15, body("S")), (20, body("A")), (33, body("N")), (33, None))
    assert told.differs(HATCH) is None
    assert table([told], lambda at_s: f"{at_s:g}")[1] == (
        "10.5", "ESC HATCH OPEN", "STRG GEAR ESC", "W", "gangway office", "33",
    )  # fmt: skip


def test_one_that_is_rectified_has_ended_and_the_same_again_is_another():
    first, second = read(
        (10.6, body("V")),
        (20, body("U")),
        (40, body("V", raised="39.5")),
        (50, body("U")),
        (60, None),
    )
    assert (first.raised_s, first.ended_s) == (10.5, 20)
    assert (second.raised_s, second.ended_s) == (39.5, 50)


def test_one_instance_that_is_told_by_two_lives_of_the_daemon_is_one_alert():
    (told,) = read((10.6, body("V")), (20, body("A")), (30, body("A")), (33, None))
    assert told.ended_s == 33


def test_a_new_instance_without_a_word_of_the_old_ones_end_is_a_second_alert():
    first, second = read((10.6, body("V")), (50, body("V", instance=2, raised="49")))
    assert (first.ended_s, second.ended_s) == (50, None)


def test_what_stands_in_every_simulation_is_left_out():
    assert read((1, body("A", title="SIMULATED DATA"))) == []


def seen(**otherwise):
    usual = {"raised_s": 10.5, "sounds_at": ("gangway", "office"), "ended_s": 33.0}
    return Told(
        "ESC HATCH OPEN",
        otherwise.pop("name", "STRG GEAR ESC"),
        otherwise.pop("priority", "W"),
        **(usual | otherwise),
    )


@pytest.mark.parametrize(
    "otherwise",
    [
        {"name": "ER ESC TRUNK"}, {"priority": "C"}, {"raised_s": 12.1}, {"raised_s": 10.2}, {"ended_s": 34.1},
        {"ended_s": None}, {"sounds_at": ("office",)}, {"sounds_at": ()}, {"then": ["A"]},
    ],
)  # fmt: skip
def test_an_alert_that_is_otherwise_is_missed_and_not_expected(otherwise):
    assert compared([seen()], [HATCH]) == []
    faults = compared([seen(**otherwise)], [HATCH])
    assert [fault.partition(":")[0] for fault in faults] == ["expected", "not expected"]


def test_one_alert_too_many_and_one_too_few_are_said():
    assert len(compared([seen(), seen()], [HATCH])) == 1
    assert len(compared([], [HATCH])) == 1
    assert len(compared([seen()], [])) == 1


@pytest.mark.parametrize(
    ("numbers", "faults"),
    [((4, 5, 6), 0), ((4, 6), 1), ((4, 5, 5), 1), ((4, 6, 5), 2), ((), 0)],
)
def test_events_are_dense(numbers, faults):
    assert len(missed([(float(n), number) for n, number in enumerate(numbers)])) == faults


def test_only_what_was_told_while_the_broker_was_away_may_be_missing():
    numbers = [(10.0, 1), (50.0, 5)]
    assert missed(numbers, [(20.0, 40.0)]) == []
    assert len(missed(numbers, [(60.0, 90.0)])) == 1
    assert len(missed([*numbers, (70.0, 9)], [(20.0, 40.0)])) == 1


def test_what_a_daemon_tells_again_after_it_began_anew_is_no_fault_and_what_it_leaves_out_is():
    assert missed([(10.0, 1), (50.0, 1), (51.0, 2)], begun=[40.0]) == []
    assert len(missed([(10.0, 1), (50.0, 1)], begun=[60.0])) == 1
    assert len(missed([(10.0, 1), (50.0, 3)], begun=[40.0])) == 1
    late = [(10.0, 1), (11.0, 2), (50.0, 2), (51.0, 3), (52.0, 2)]
    assert missed(late[:-1], begun=[40.0]) == []
    assert len(missed(late, begun=[40.0])) == 1
