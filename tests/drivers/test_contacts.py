import itertools

import pytest

from daemon.drivers.api import Wiring
from daemon.drivers.contacts import contact_state, inputs_needed
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
}


@pytest.mark.parametrize(("wired", "state"), TRUTH.items())
def test_every_combination_says_one_thing(wired, state):
    wiring, inputs = wired
    assert contact_state(inputs, wiring) is state


def test_the_table_above_leaves_nothing_out():
    every = {
        (wiring, inputs)
        for wiring in Wiring
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
