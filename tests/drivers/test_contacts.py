import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.api import Wiring
from daemon.drivers.contacts import (
    LINES,
    LineBands,
    LoopBands,
    contact_state,
    inputs_needed,
    line_state,
    loop_state,
)
from daemon.model import ContactState

CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT

TRUTH = {
    (Wiring.NC, (True,)): CLOSED,
    (Wiring.NC, (False,)): OPEN,
    (Wiring.NO, (True,)): OPEN,
    (Wiring.NO, (False,)): CLOSED,
    (Wiring.DOUBLE, (True, False)): CLOSED,
    (Wiring.DOUBLE, (False, True)): OPEN,
    (Wiring.DOUBLE, (True, True)): FAULT,
    (Wiring.DOUBLE, (False, False)): FAULT,
    (Wiring.NAMUR, (True, False)): CLOSED,
    (Wiring.NAMUR, (False, False)): OPEN,
    (Wiring.NAMUR, (True, True)): FAULT,
    (Wiring.NAMUR, (False, True)): FAULT,
}


@pytest.mark.parametrize(("wired", "state"), TRUTH.items())
def test_every_combination_says_one_thing(wired, state):
    wiring, inputs = wired
    assert contact_state(inputs, wiring) is state


def test_the_table_above_leaves_nothing_out():
    every = {
        (wiring, inputs)
        for wiring in set(Wiring) - {Wiring.LOOP_4_20_MA, Wiring.RESISTANCE}
        for inputs in itertools.product([False, True], repeat=inputs_needed(wiring))
    }
    assert set(TRUTH) == every


@pytest.mark.parametrize("cut", [0, 1])
def test_a_cut_or_shorted_wire_of_a_double_contact_is_never_closed(cut):
    for intact in ((True, False), (False, True)):
        broken = list(intact)
        broken[cut] = not broken[cut]
        assert contact_state(broken, Wiring.DOUBLE) is FAULT


@pytest.mark.parametrize(
    ("wiring", "inputs"),
    [(Wiring.NC, ()), (Wiring.NC, (True, False)), (Wiring.NO, ()), (Wiring.DOUBLE, (True,))],
)
def test_a_wrong_number_of_inputs_is_refused(wiring, inputs):
    with pytest.raises(ValueError, match=f"got {len(inputs)}"):
        contact_state(inputs, wiring)


BANDS = LoopBands(closed_ma=(15.0, 17.0), open_ma=(7.0, 9.0))


@pytest.mark.parametrize(
    ("current_ma", "state"),
    [
        (0.0, FAULT),
        (3.6, FAULT),
        (4.0, FAULT),
        (6.99, FAULT),
        (7.0, OPEN),
        (9.0, OPEN),
        (9.01, FAULT),
        (12.0, FAULT),
        (14.99, FAULT),
        (15.0, CLOSED),
        (17.0, CLOSED),
        (17.01, FAULT),
        (20.0, FAULT),
        (21.0, FAULT),
        (float("nan"), FAULT),
        (float("inf"), FAULT),
    ],
)
def test_a_current_in_neither_band_is_a_line_fault(current_ma, state):
    assert loop_state(current_ma, BANDS) is state


@given(st.floats(max_value=3.6) | st.floats(min_value=21.0))
def test_what_ne43_calls_a_fault_is_one_whatever_the_bands(current_ma):
    widest = LoopBands(closed_ma=(3.61, 12.0), open_ma=(12.1, 20.99))
    assert loop_state(current_ma, widest) is FAULT


@pytest.mark.parametrize(
    ("closed_ma", "open_ma", "says"),
    [
        ((9.0, 7.0), (15.0, 17.0), "closed_ma is a band from low to high"),
        ((7.0, 9.0), (15.0, 15.0), "open_ma is a band"),
        ((3.6, 9.0), (15.0, 17.0), "between 3.6 and 21 mA, not 3.6 to 9"),
        ((7.0, 9.0), (15.0, 21.0), "not 15 to 21"),
        ((7.0, 9.0), (9.0, 17.0), "the bands meet: closed 7 to 9 mA, open 9 to 17 mA"),
        ((8.0, 16.0), (7.0, 9.0), "the bands meet"),
        ((float("nan"), 9.0), (15.0, 17.0), "closed_ma"),
    ],
)
def test_bands_that_cannot_tell_are_refused(closed_ma, open_ma, says):
    with pytest.raises(ValueError, match=says):
        LoopBands(closed_ma=closed_ma, open_ma=open_ma)


def test_a_loop_is_never_read_as_an_input_that_is_on_or_off():
    with pytest.raises(ValueError, match="told by a current"):
        contact_state([True], Wiring.LOOP_4_20_MA)


CUT, SHORT = math.inf, 0.0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        # Nominal values as the makers print them; a gap between two bands is a fault, never a guess.
        (
            "rosslare-nc-single",
            {2200: CLOSED, CUT: OPEN, 40_000: OPEN, SHORT: FAULT, 10_400: FAULT},
        ),
        ("rosslare-nc-double", {2200: CLOSED, 10_400: OPEN, CUT: FAULT, SHORT: FAULT, 5000: FAULT}),
        (
            "tyco-rm-nc",
            {
                1000: CLOSED,
                2000: OPEN,
                CUT: FAULT,
                31_000: FAULT,
                SHORT: FAULT,
                500: FAULT,
                1500: FAULT,
            },
        ),
        (
            "tyco-rm-no",
            {1000: CLOSED, 500: OPEN, CUT: FAULT, SHORT: FAULT, 2000: FAULT, 750: FAULT},
        ),
    ],
)
def test_each_makers_resistors_say_what_the_maker_says(line, told):
    assert {ohm: line_state(ohm, LINES[line]) for ohm in told} == told


@pytest.mark.parametrize("line", LINES)
def test_a_band_ends_where_it_says(line):
    bands = LINES[line]
    for band, state in ((bands.closed_ohm, CLOSED), (bands.open_ohm, OPEN)):
        low, high = band
        assert line_state(low, bands) is state
        assert line_state(high, bands) is state
        assert line_state(math.nextafter(low, 0), bands) is FAULT
        if not math.isinf(high):
            assert line_state(math.nextafter(high, math.inf), bands) is FAULT
    assert bands.source


@given(st.sampled_from(sorted(LINES)), st.floats())
def test_no_resistance_is_both_and_what_is_neither_is_a_line_fault(line, ohm):
    bands = LINES[line]
    in_closed = bands.closed_ohm[0] <= ohm <= bands.closed_ohm[1]
    in_open = bands.open_ohm[0] <= ohm <= bands.open_ohm[1]
    assert not (in_closed and in_open)
    said = CLOSED if in_closed else OPEN if in_open else FAULT
    assert line_state(ohm, bands) is said


def test_with_resistors_a_short_is_never_closed_and_with_two_a_cut_is_neither():
    for bands in LINES.values():
        assert line_state(SHORT, bands) is FAULT
    for name in set(LINES) - {"rosslare-nc-single"}:
        assert line_state(CUT, LINES[name]) is FAULT


@pytest.mark.parametrize(
    ("closed_ohm", "open_ohm", "says"),
    [
        ((0.0, 100.0), (200.0, 300.0), "closed_ohm is a band"),
        ((100.0, 200.0), (300.0, 250.0), "open_ohm is a band"),
        ((100.0, 200.0), (200.0, 300.0), "meet"),
        ((100.0, math.nan), (200.0, 300.0), "closed_ohm"),
    ],
)
def test_bands_of_resistance_that_cannot_tell_are_refused(closed_ohm, open_ohm, says):
    with pytest.raises(ValueError, match=says):
        LineBands(closed_ohm, open_ohm, "nobody")


def test_a_resistance_is_never_read_as_an_input_that_is_on_or_off():
    with pytest.raises(ValueError, match="told by its ohms"):
        contact_state([True], Wiring.RESISTANCE)
