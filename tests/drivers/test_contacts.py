import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.api import Wiring
from daemon.drivers.contacts import LoopBands, contact_state, inputs_needed, loop_state
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
