"""What was counted or latched between two polls, as pure functions: an opening that no poll has seen."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.api import Wiring
from daemon.drivers.contacts import MOST_TOLD, moved_between
from daemon.drivers.modbus_between import Between, Marks
from daemon.drivers.modbus_tables import Counters
from daemon.model import ContactState

CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
ON, OFF = 1, 0


def polls(*polled, edges="on", modulus=1 << 32, every_s=0.1):
    """Return what each poll of input 0 finds to have happened since the one before: states and counts."""
    between = Between(modulus=modulus, edges=edges)
    return [
        between.cycles(state, [0], Marks({} if count is None else {0: count}), number * every_s)
        for number, (state, count) in enumerate(polled)
    ]


def test_an_input_that_left_and_came_back_is_told_so_many_times():
    assert polls((ON, 10), (ON, 10), (ON, 12), (ON, 12)) == [{}, {}, {0: 2}, {}]
    assert polls((OFF, 10), (OFF, 11)) == [{}, {0: 1}]


@pytest.mark.parametrize("edges", ["on", "off", "both"])
def test_a_movement_that_the_polls_saw_is_told_by_them_alone(edges):
    counts = {"on": (5, 5, 6, 6), "off": (5, 6, 6, 7), "both": (5, 6, 7, 8)}[edges]
    states = (ON, OFF, ON, OFF)
    assert polls(*zip(states, counts, strict=True), edges=edges) == [{}, {}, {}, {}]


def test_two_edges_of_a_counter_of_both_are_one_cycle():
    assert polls((ON, 5), (ON, 9), (OFF, 12), edges="both") == [{}, {0: 2}, {0: 1}]


def test_a_movement_between_counter_and_states_is_told_once():
    """The counter is read first: the door opens right behind it and closes later, both seen by the polls."""
    assert polls((ON, 5), (OFF, 5), (OFF, 6), edges="off") == [{}, {}, {}]
    assert polls((ON, 5), (OFF, 5), (ON, 6), (ON, 6), edges="both") == [{}, {}, {}, {}]


@pytest.mark.parametrize(("modulus", "last"), [(1 << 32, 0xFFFFFFFF), (1 << 16, 0xFFFF)])
def test_a_counter_that_goes_round_counts_on(modulus, last):
    assert polls((ON, last), (ON, 1), modulus=modulus) == [{}, {0: 2}]


@pytest.mark.parametrize(("before", "after"), [(1000, 0), (0xFFFFFFFE, 5000), (7, 900_000)])
def test_a_counter_that_jumps_has_restarted_and_is_a_new_baseline(before, after):
    assert polls((ON, before), (ON, after), (ON, after + 1)) == [{}, {}, {0: 1}]


def test_a_slow_poll_may_have_more_to_tell():
    assert polls((ON, 0), (ON, 100), every_s=0.1)[1] == {}
    assert polls((ON, 0), (ON, 100), every_s=10.0)[1] == {0: 100}


def test_what_lies_before_anything_was_known_is_not_told():
    between = Between()
    assert between.cycles(ON, [0], Marks({0: 3}), 0.0) == {}
    assert between.cycles(ON, [], Marks({0: 4}), 0.1) == {}  # its input was not told
    assert between.cycles(ON, [0], Marks({0: 9}), 0.2) == {}
    assert between.cycles(ON, [0], Marks({}), 0.3) == {}  # its counter was not told
    assert between.cycles(ON, [0], Marks({0: 11}), 0.4) == {}
    assert between.cycles(ON, [0], Marks({0: 12}), 0.5) == {0: 1}


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=30),
    st.sampled_from(["on", "off", "both"]),
)
def test_every_cycle_is_told_by_the_polls_or_by_the_counter_and_never_twice(moves, edges):
    """An input that moves so many times before each poll, against a counter that counts as its module does."""
    state, count, seen, told, whole = ON, 0, 0, 0, 0
    between = Between(edges=edges)
    between.cycles(state, [0], Marks({0: count}), 0.0)
    for number, times in enumerate(moves, 1):
        before = state
        for _ in range(times):
            state ^= 1
            count += edges == "both" or (state == ON) is (edges == "on")
        whole += times
        seen += before != state
        told += between.cycles(state, [0], Marks({0: count}), number * 0.1).get(0, 0)
    assert seen + 2 * told == whole


def latched(*polled):
    between = Between()
    return [
        between.cycles(state, [0], Marks({}, on, off), number * 0.1)
        for number, (state, on, off) in enumerate(polled)
    ]


def test_a_latch_that_comes_on_tells_one_opening_and_then_no_more():
    assert latched((ON, 1, 0), (ON, 1, 0), (ON, 1, 1), (ON, 1, 1)) == [{}, {}, {0: 1}, {}]
    assert latched((OFF, 0, 1), (OFF, 1, 1)) == [{}, {0: 1}]


def test_a_latch_that_is_on_already_is_no_opening():
    assert latched((ON, 1, 1), (ON, 1, 1)) == [{}, {}]


def test_a_latch_that_somebody_cleared_can_tell_again():
    assert latched((ON, 1, 1), (ON, 0, 0), (ON, 1, 1)) == [{}, {}, {0: 1}]


def test_the_latch_of_a_movement_that_the_polls_saw_tells_nothing_more():
    assert latched((ON, 1, 0), (OFF, 1, 0), (ON, 1, 1), (ON, 1, 1)) == [{}, {}, {}, {}]


@pytest.mark.parametrize(
    ("wiring", "cycles", "before", "after", "told"),
    [
        (Wiring.NC, (1,), CLOSED, CLOSED, (OPEN, CLOSED)),
        (Wiring.NC, (2,), CLOSED, CLOSED, (OPEN, CLOSED) * 2),
        (Wiring.NC, (1,), OPEN, OPEN, (CLOSED, OPEN)),
        (Wiring.NC, (1,), CLOSED, OPEN, (OPEN, CLOSED, OPEN)),
        (Wiring.NC, (0,), CLOSED, CLOSED, ()),
        (Wiring.NC, (0,), CLOSED, OPEN, ()),
        (Wiring.NC, (1,), None, CLOSED, ()),
        (Wiring.NC, (1,), CLOSED, None, ()),
        (Wiring.DOUBLE, (1, 1), FAULT, CLOSED, ()),
        (Wiring.DOUBLE, (1, 1), CLOSED, CLOSED, (OPEN, CLOSED)),
        (Wiring.DOUBLE, (1, 0), CLOSED, CLOSED, (FAULT, CLOSED)),
        (Wiring.DOUBLE, (0, 2), OPEN, OPEN, (FAULT, OPEN)),
        (Wiring.DOUBLE, (1, 2), CLOSED, CLOSED, (FAULT, CLOSED, OPEN, CLOSED)),
        (Wiring.NAMUR, (1, 3), CLOSED, CLOSED, (OPEN, CLOSED)),
        (Wiring.NAMUR, (0, 3), CLOSED, CLOSED, ()),
        (Wiring.NC, (99,), CLOSED, CLOSED, (OPEN, CLOSED) * MOST_TOLD),
    ],
)
def test_what_a_contact_did_is_told_in_order_and_ends_as_it_is(wiring, cycles, before, after, told):
    assert moved_between(wiring, cycles, before, after) == told


@pytest.mark.parametrize("unknown", [None, FAULT])
def test_unknown_is_not_closed_whatever_was_counted(unknown):
    for wiring, state in itertools.product((Wiring.NC, Wiring.DOUBLE), (CLOSED, OPEN)):
        assert moved_between(wiring, (1, 1), unknown, state) == ()
        assert moved_between(wiring, (1, 1), state, unknown) == ()


@pytest.mark.parametrize(("first", "count"), [("high", 0x00010002), ("low", 0x00020001)])
def test_the_word_order_of_a_counter_is_its_makers(first, count):
    table = Counters(function=4, address=16, words=2, first=first)
    assert table.count((9, 9, 1, 2, 9, 9), 1) == count


def test_a_counter_of_one_word_ends_at_65535():
    table = Counters(function=3, address=0, words=1)
    assert (table.count((1, 2, 3), 2), table.modulus) == (3, 65536)
