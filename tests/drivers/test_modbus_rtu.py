"""Units on one RTU bus: real bytes over a real pty, on a clock that the test moves."""

import pytest

from daemon.model import ContactState, Provenance, Quality
from simulators.rtu_line import Unit
from tests.drivers.modbus_rig import told
from tests.drivers.modbus_rtu_rig import POLL_S, Bus

CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
STEERING, POOP = 5, 6


def inputs(*on):
    return [number in on for number in range(8)]


@pytest.fixture
async def bus():
    bus = Bus([Unit(STEERING, inputs(0, 3)), Unit(POOP, inputs(1))])
    async with bus.started():
        yield bus


async def test_every_contact_of_a_unit_is_told_at_the_first_poll(bus):
    async with bus.running(bus.driver(STEERING)):
        assert told(bus.emitted) == [("d11", CLOSED), ("d12", CLOSED)]
        first = bus.emitted[0]
        assert (first.quality, first.provenance) == (Quality.GOOD, Provenance.LIVE)
        assert first.source == "rtu5"


async def test_a_change_is_told_within_a_poll_and_nothing_else_is(bus):
    async with bus.running(bus.driver(STEERING)):
        assert await bus.pass_time(4 * POLL_S) == []
        await bus.simulator.do({"do": "set", "id": STEERING, "input": 3, "on": False})
        assert told(await bus.pass_time(POLL_S)) == [("d12", OPEN)]
