import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.api import Contact, TestLamp, Wiring
from daemon.drivers.modbus_plan import InputPlan, plan_inputs, see_nothing
from daemon.drivers.modbus_profile import load_profile
from daemon.model import ContactState, LampState
from tests.drivers.modbus_rig import DOORS, LAMP

E1210 = load_profile("moxa-iologik-e1210")
CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
lamp_sides = st.booleans()


def payload(*on: int) -> bytes:
    return sum(1 << number for number in on).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("on", "states"),
    [
        ((0, 4), (CLOSED, CLOSED, CLOSED)),
        ((1, 5), (OPEN, OPEN, OPEN)),
        ((0, 4, 5), (CLOSED, CLOSED, FAULT)),
        ((0,), (CLOSED, CLOSED, FAULT)),
    ],
)
def test_each_contact_reads_its_own_inputs(on, states):
    seen = plan_inputs(E1210, DOORS, ()).see(payload(*on), lamps_admitted=False)
    assert seen.contacts == states


@given(st.binary(min_size=2, max_size=2), lamp_sides)
def test_covert_what_is_seen_without_admittance_does_not_depend_on_the_lamp(inputs, lit_when):
    plan = plan_inputs(E1210, DOORS, (TestLamp("p1_lamp", LAMP.input, lit_when=lit_when),))
    other = (int.from_bytes(inputs, "little") ^ 1 << LAMP.input).to_bytes(2, "little")
    seen = plan.see(inputs, lamps_admitted=False)
    assert seen == plan.see(other, lamps_admitted=False)
    assert seen.lamps is None


def test_covert_a_lamp_is_cleared_before_any_contact_is_read():
    """Even of a plan that no builder would make, with a door on the lamp's own input."""
    door = Contact("d99", (LAMP.input,), Wiring.NC)
    plan = InputPlan(2, (door,), (LAMP,), contact_bits=0, lamp_bits=1 << LAMP.input)
    assert plan.see(payload(LAMP.input), lamps_admitted=False).contacts == (OPEN,)


@given(st.binary(min_size=2, max_size=2), lamp_sides)
def test_an_admitted_lamp_is_seen_and_changes_no_contact(inputs, lit_when):
    plan = plan_inputs(E1210, DOORS, (TestLamp("p1_lamp", LAMP.input, lit_when=lit_when),))
    on = bool(int.from_bytes(inputs, "little") >> LAMP.input & 1)
    seen = plan.see(inputs, lamps_admitted=True)
    assert seen.lamps == (LampState.LIT if on is lit_when else LampState.DARK,)
    assert seen.contacts == plan.see(inputs, lamps_admitted=False).contacts


def test_a_unit_that_refuses_tells_nothing_of_anything():
    plan = plan_inputs(E1210, DOORS, (LAMP,))
    assert see_nothing(plan, lamps_admitted=False).contacts == (None, None, None)
    assert see_nothing(plan, lamps_admitted=False).lamps is None
    assert see_nothing(plan, lamps_admitted=True).lamps == (None,)


@pytest.mark.parametrize(
    ("contacts", "lamps", "says"),
    [
        (DOORS, (TestLamp("p1", 5, lit_when=True),), "p1: input 5 is already that of d04"),
        ((Contact("d1", (3,), Wiring.NC), Contact("d2", (3,), Wiring.NC)), (), "d2: input 3"),
        ((Contact("d1", (3, 3), Wiring.DOUBLE),), (), "d1: input 3 is already that of d1"),
        ((), (LAMP, TestLamp("p2", 14, lit_when=False)), "p2: input 14 is already"),
        ((Contact("d1", (16,), Wiring.NC),), (), "d1: no input 16; .* 0 to 15"),
        ((Contact("d1", (-1,), Wiring.NC),), (), "d1: no input -1"),
        ((), (TestLamp("p1", 16, lit_when=True),), "p1: no input 16"),
        ((Contact("d1", (1, 2), Wiring.NC),), (), "d1: wiring nc takes 1 input, got 2"),
        ((Contact("d1", (1,), Wiring.DOUBLE),), (), "d1: wiring double takes 2 inputs, got 1"),
        ((Contact("d1", (), Wiring.NO),), (), "d1: wiring no takes 1 input, got 0"),
    ],
)
def test_wiring_that_cannot_be_is_refused_by_name(contacts, lamps, says):
    with pytest.raises(ValueError, match=says):
        plan_inputs(E1210, contacts, lamps)


E1242 = load_profile("moxa-iologik-e1242-loops")
HATCH = Contact("d12", (0,), Wiring.LOOP_4_20_MA)
ROPE_LOCKER = Contact("d16", (3,), Wiring.LOOP_4_20_MA)


def words(*currents_ma: float) -> bytes:
    counts = [round(current_ma / 20 * 65535) for current_ma in currents_ma]
    return struct.pack(f">{len(counts)}H", *counts)


@pytest.mark.parametrize(
    ("currents_ma", "states"),
    [
        ((16.0, 0.0, 0.0, 8.0), (CLOSED, OPEN)),
        ((8.0, 16.0, 16.0, 16.0), (OPEN, CLOSED)),
        ((0.0, 8.0, 8.0, 3.6), (FAULT, FAULT)),
        ((20.0, 8.0, 8.0, 12.0), (FAULT, FAULT)),
        ((4.0, 8.0, 8.0, 17.01), (FAULT, FAULT)),
    ],
)
def test_each_loop_is_told_by_its_own_current(currents_ma, states):
    plan = plan_inputs(E1242, (HATCH, ROPE_LOCKER), ())
    assert plan.see(words(*currents_ma), lamps_admitted=False).contacts == states
    assert plan.see(words(*currents_ma), lamps_admitted=False).lamps is None
    assert plan.see(words(*currents_ma), lamps_admitted=True).lamps == ()


def test_a_word_beyond_the_full_scale_is_no_current():
    """Makers put error codes there."""
    loops = E1242.loops.model_copy(update={"counts_full": 27648})
    profile = E1242.model_copy(update={"loops": loops})
    plan = plan_inputs(profile, (HATCH,), ())
    right = round(16 / 20 * 27648)
    for counts, state in ((right, CLOSED), (27649, FAULT), (0x7FFF, FAULT), (0xFFFF, FAULT)):
        payload = struct.pack(">4H", counts, 0, 0, 0)
        assert plan.see(payload, lamps_admitted=False).contacts == (state,)


def test_a_range_that_begins_at_4_ma_is_reckoned_from_there():
    loops = E1242.loops.model_copy(update={"ma_at_zero": 4.0})
    plan = plan_inputs(E1242.model_copy(update={"loops": loops}), (HATCH,), ())
    for current_ma, state in ((4.0, FAULT), (8.0, OPEN), (16.0, CLOSED), (20.0, FAULT)):
        counts = round((current_ma - 4) / 16 * 65535)
        payload = struct.pack(">4H", counts, 0, 0, 0)
        assert plan.see(payload, lamps_admitted=False).contacts == (state,)


@pytest.mark.parametrize(
    ("profile", "contacts", "lamps", "says"),
    [
        (E1210, (HATCH,), (), "d12: wiring loop_4_20_ma cannot be; .* E1210 are on or off"),
        (E1242, (Contact("d1", (0,), Wiring.NC),), (), "d1: wiring nc .* E1242 are analogue"),
        (E1242, (), (TestLamp("p1", 1, lit_when=True),), "p1: a test lamp wants"),
        (E1242, (Contact("d1", (0, 1), Wiring.LOOP_4_20_MA),), (), "takes 1 input, got 2"),
        (E1242, (Contact("d1", (4,), Wiring.LOOP_4_20_MA),), (), "d1: no input 4; .* 0 to 3"),
    ],
)
def test_wiring_of_the_wrong_kind_is_refused_by_name(profile, contacts, lamps, says):
    with pytest.raises(ValueError, match=says):
        plan_inputs(profile, contacts, lamps)


@given(st.binary(min_size=2, max_size=2), lamp_sides)
def test_an_inverted_unit_tells_what_a_straight_one_tells_of_the_opposite(inputs, lit_when):
    lamps = (TestLamp("p1_lamp", LAMP.input, lit_when=lit_when),)
    opposite = bytes(byte ^ 0xFF for byte in inputs)
    straight = plan_inputs(E1210, DOORS, lamps)
    inverted = plan_inputs(E1210.model_copy(update={"inverted": True}), DOORS, lamps)
    for admitted in (False, True):
        assert inverted.see(opposite, lamps_admitted=admitted) == straight.see(
            inputs, lamps_admitted=admitted
        )


@given(st.binary(min_size=2, max_size=2))
def test_covert_the_lamp_of_an_inverted_unit_is_masked_like_any(inputs):
    plan = plan_inputs(E1210.model_copy(update={"inverted": True}), DOORS, (LAMP,))
    other = (int.from_bytes(inputs, "little") ^ 1 << LAMP.input).to_bytes(2, "little")
    assert plan.see(inputs, lamps_admitted=False) == plan.see(other, lamps_admitted=False)


def test_the_last_input_of_a_unit_can_be_wired():
    plan = plan_inputs(E1210, (Contact("d1", (15,), Wiring.NC),), ())
    assert plan.see(payload(15), lamps_admitted=False).contacts == (CLOSED,)
