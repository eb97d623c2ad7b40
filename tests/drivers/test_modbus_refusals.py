"""Exceptions 1 to 6 and 10, 11: each costs what it says and no more, and says so in plain words."""

import pytest

from daemon.drivers.api import Contact, Wiring
from daemon.drivers.modbus_frames import MEANINGS, Refusal
from daemon.drivers.modbus_poll import RETRY_S
from daemon.drivers.modbus_trouble import BUSY_POLLS, GATEWAY_TRIES
from daemon.errors import LinkError
from daemon.model import ContactState
from tests.drivers.modbus_gateway import Gateway, Tables
from tests.drivers.modbus_rig import Rig, told

CLOSED, OPEN = ContactState.CLOSED, ContactState.OPEN
FIRST = Contact("d01", (0,), Wiring.NC)
LAST = Contact("d15", (15,), Wiring.NC)
ACROSS = Contact("d11", (11, 12), Wiring.DOUBLE)


def with_inputs(count):
    tables = Tables.of_inputs(count)
    tables.bits[2][0] = True
    return tables


async def test_a_map_shorter_than_asked_costs_only_the_inputs_that_are_not_there():
    async with (
        Gateway({1: with_inputs(12)}).serving() as unit,
        Rig(unit.port, contacts=(FIRST, ACROSS, LAST)).running() as rig,
    ):
        assert told(rig.emitted) == [("d01", None), ("d11", None), ("d15", None)]
        assert told(await rig.poll()) == [("d01", CLOSED)]
        await rig.poll(6)
        assert rig.driver.health.remark == (
            "not told: d11, d15: it does not have all inputs (exception 2)"
        )
        before = len(unit.asked)
        assert await rig.poll(10) == []
        assert unit.asked[before:] == [(1, 2, 0, 12)] * 10, "what was found is kept"


async def test_inputs_that_are_not_there_are_asked_for_again_after_a_new_connection():
    tables = with_inputs(12)
    async with Gateway({1: tables}).serving() as unit:
        rig = Rig(unit.port, contacts=(FIRST, LAST))
        async with rig.running():
            await rig.poll(6)
        tables.add_bits(2, 12, 4)
        async with rig.running():
            assert told(rig.emitted[-2:]) == [("d01", CLOSED), ("d15", OPEN)]
            assert rig.driver.health.remark is None


async def test_inputs_that_come_back_on_the_same_connection_are_read_within_a_minute():
    tables = with_inputs(12)
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(FIRST, LAST)).running() as rig,
    ):
        await rig.poll(6)
        await rig.clock.advance(RETRY_S)
        await rig.slept()
        assert told(await rig.poll(6)) == [], "in vain, and nothing flickers"
        tables.add_bits(2, 12, 4)
        await rig.clock.advance(RETRY_S)
        await rig.slept()
        before = len(unit.asked)
        await rig.poll(4)
        assert told(rig.emitted[-1:]) == [("d15", OPEN)]
        assert rig.driver.health.remark is None
        assert unit.asked[before:][-1:] == [(1, 2, 0, 16)], "in one request, as at first"


async def test_a_unit_that_takes_short_requests_only_is_found_out():
    tables = with_inputs(16)
    tables.longest = 8  # exception 3
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(FIRST, LAST)).running() as rig,
    ):
        assert told(await rig.poll()) == [("d01", CLOSED), ("d15", OPEN)]
        assert rig.driver.health.dropped == {"exception 3": 1}


async def test_a_busy_unit_keeps_its_states_for_some_polls_and_is_asked_again_soon():
    tables = with_inputs(16)
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(FIRST,), poll_s=10.0).running() as rig,
    ):
        tables.busy = BUSY_POLLS - 1
        assert await rig.poll(every_s=10.0) == []
        assert rig.clock.asked_for[-1] < 0.5, "not only at the next poll"
        assert await rig.poll(every_s=0.25) == []
        assert told(await rig.poll(every_s=0.25)) in ([], [("d01", CLOSED)])
        assert rig.driver.health.remark is None


@pytest.mark.parametrize("code", [5, 6])
async def test_a_unit_that_is_busy_for_long_tells_nothing(code):
    tables = with_inputs(16)
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(FIRST,)).running() as rig,
    ):
        tables.busy, tables.busy_code = 1000, code
        assert await rig.poll(BUSY_POLLS - 1) == []
        assert told(await rig.poll()) == [("d01", None)]
        assert MEANINGS[code] in rig.driver.health.remark
        tables.busy = 0
        assert told(await rig.poll()) == [("d01", CLOSED)]
        assert rig.driver.health.remark is None


async def test_a_unit_that_does_not_know_the_function_says_so():
    async with (
        Gateway({1: Tables.of_inputs(16, function=1)}).serving() as unit,
        Rig(unit.port, contacts=(FIRST,)).running() as rig,
    ):
        assert rig.driver.health.remark == (
            "refuses: it does not know this function: is it the right profile? (exception 1)"
        )


async def test_a_unit_lost_behind_its_gateway_is_lost_at_the_third_refusal_and_tried_seldom():
    tables = with_inputs(16)
    async with Gateway({7: tables}).serving() as unit:
        rig = Rig(unit.port, contacts=(FIRST,), unit=7)
        async with rig.running():
            tables.is_dead = True
            assert told(await rig.poll()) == [("d01", None)]
            await rig.poll(GATEWAY_TRIES - 2)
            error = await rig.fails()
        assert isinstance(error, LinkError)
        assert str(error) == "unit 7: the gateway gets no answer from it (exception 11)"
        assert error.costs_others


@pytest.mark.parametrize("code", [*MEANINGS, 99])
def test_every_exception_has_plain_words_and_its_number(code):
    said = Refusal(code).meaning
    assert said.endswith(f"(exception {code if code in MEANINGS else 'other'})")
    assert len(said) > 20
