"""Invariant 1 on a unit that carries doors and an SSAS test lamp: outside a window there is no lamp."""

import asyncio
import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from daemon.drivers.api import TestLamp
from daemon.gate import CovertGate
from daemon.model import Classification, LampState, Quality
from simulators.io_unit import IoUnit
from simulators.rtu_line import Unit
from tests.drivers import modbus_rtu_rig
from tests.drivers.modbus_rig import DOORS, LAMP, POLL_S, PollClock, Rig, told
from tests.drivers.modbus_rtu_rig import Bus

LIT, DARK = LampState.LIT, LampState.DARK
WINDOW_S = 10.0
OFFICERS = ("R. Menon", "A. Lindqvist")


class OpenGate:
    """A gate that is none: the covert tests must fail behind it."""

    def __init__(self, clock):
        pass

    def admits(self, *, began_s, ended_s, is_test):
        return True


@pytest.fixture
async def unit():
    unit = IoUnit()
    await unit.start()
    yield unit
    await unit.stop()


async def watch(unit, lamp, *, gate_kind=CovertGate, fault_at=None):
    """Poll once for each position of the lamp, doors moving alike; return all that can be told."""
    clock = PollClock()
    await unit.misbehave(None)
    await unit.set_input(0, False)
    await unit.set_input(LAMP.input, lamp[0])
    rig = Rig(unit.port, lamps=(LAMP,), gate=gate_kind(clock), clock=clock)
    with capture_logs() as logs:
        async with rig.running():
            for number, on in enumerate(lamp):
                await unit.set_input(LAMP.input, on)
                await unit.set_input(0, number % 3 == 0)
                await unit.misbehave("exception" if number == fault_at else None, code=2)
                await rig.poll()
    return (
        tuple(repr(reading) for reading in rig.emitted),
        repr(dataclasses.asdict(rig.driver.health)),
        repr(logs),
        tuple(clock.asked_for),
    )


async def test_covert_outside_a_window_nothing_depends_on_the_lamp(unit):
    dark = await watch(unit, [False] * 60, fault_at=20)
    lit = await watch(unit, [True] * 60, fault_at=20)
    flashing = await watch(unit, [n % 2 == 0 for n in range(60)], fault_at=20)
    assert dark == lit == flashing
    assert "d01" in "".join(dark[0])
    assert LAMP.point not in "".join(dark[0])


async def test_covert_the_test_above_would_notice_a_gate_that_lets_all_through(unit):
    dark = await watch(unit, [False] * 5, gate_kind=OpenGate)
    lit = await watch(unit, [True] * 5, gate_kind=OpenGate)
    assert dark != lit


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lamp=st.lists(st.booleans(), min_size=1, max_size=12))
async def test_covert_no_play_of_the_lamp_makes_a_difference(unit, lamp):
    assert await watch(unit, lamp) == await watch(unit, [False] * len(lamp))


async def test_inside_a_window_the_lamp_is_read_for_the_sso_only(unit):
    clock = PollClock()
    gate = CovertGate(clock)
    async with Rig(unit.port, contacts=(), lamps=(LAMP,), gate=gate, clock=clock).running() as rig:
        assert rig.emitted == []
        gate.open(duration_s=WINDOW_S, opened_by=OFFICERS)
        assert told(await rig.poll()) == [(LAMP.point, DARK)]
        await unit.set_input(LAMP.input, True)
        seen = await rig.poll()
        assert told(seen) == [(LAMP.point, LIT)]
        assert seen[0].classification is Classification.SSO
        assert seen[0].quality is Quality.GOOD
        gate.close()
        assert await rig.poll(5) == []


async def test_a_window_ends_by_itself_and_the_lamp_with_it(unit):
    clock = PollClock()
    gate = CovertGate(clock)
    async with Rig(unit.port, contacts=(), lamps=(LAMP,), gate=gate, clock=clock).running() as rig:
        gate.open(duration_s=2 * POLL_S, opened_by=OFFICERS)
        assert len(await rig.poll()) == 1
        # The next poll is on the stroke of the end, and so no longer inside.
        assert await rig.poll() == []


async def test_a_slow_answer_that_began_before_the_window_has_no_lamp(unit):
    unit_clock, clock = PollClock(), PollClock()
    slow = IoUnit(clock=unit_clock)
    await slow.set_input(LAMP.input, True)
    await slow.start()
    try:
        gate = CovertGate(clock)
        rig = Rig(slow.port, contacts=(), lamps=(LAMP,), gate=gate, clock=clock, timeout_s=2.0)
        async with rig.running():
            await slow.misbehave("late", by_s=1.0)
            await clock.advance(POLL_S)
            await unit_clock.slept.acquire()  # the unit has the question
            await clock.advance(0.5)
            gate.open(duration_s=WINDOW_S, opened_by=OFFICERS)
            await clock.advance(0.55)
            await slow.misbehave(None)
            await unit_clock.advance(1.0)
            await rig.slept()
            assert rig.emitted == []
            assert told(await rig.poll()) == [(LAMP.point, LIT)]
    finally:
        await slow.stop()


@pytest.mark.parametrize("lit_when", [True, False])
async def test_makers_differ_in_what_a_lit_lamp_is(unit, lit_when):
    clock = PollClock()
    gate = CovertGate(clock)
    lamp = dataclasses.replace(LAMP, lit_when=lit_when)
    gate.open(duration_s=WINDOW_S, opened_by=OFFICERS)
    async with Rig(unit.port, contacts=(), lamps=(lamp,), gate=gate, clock=clock).running() as rig:
        assert told(rig.emitted) == [(lamp.point, DARK if lit_when else LIT)]


async def test_a_refusal_makes_the_lamp_unknown_inside_a_window_and_nothing_outside(unit):
    clock = PollClock()
    gate = CovertGate(clock)
    await unit.misbehave("exception", code=2)
    async with Rig(unit.port, contacts=(), lamps=(LAMP,), gate=gate, clock=clock).running() as rig:
        assert rig.emitted == []
        gate.open(duration_s=WINDOW_S, opened_by=OFFICERS)
        assert told(await rig.poll()) == [(LAMP.point, None)]


async def test_doors_are_told_alike_inside_and_outside_a_window(unit):
    clock = PollClock()
    gate = CovertGate(clock)
    async with Rig(unit.port, lamps=(LAMP,), gate=gate, clock=clock).running() as rig:
        gate.open(duration_s=WINDOW_S, opened_by=OFFICERS)
        await unit.set_input(LAMP.input, True)
        await unit.set_input(0, True)
        assert [point for point, _ in told(await rig.poll())] == ["d01", LAMP.point]
        assert [point for point, _ in told(await rig.poll())] == [LAMP.point]


def test_the_lamp_is_a_point_of_class_sso_and_the_doors_are_not():
    points = Rig(502, lamps=(LAMP,), gate=OpenGate(None), clock=object()).driver.points()
    assert {point.id: point.classification for point in points} == {
        **{door.point: Classification.WATCH for door in DOORS},
        LAMP.point: Classification.SSO,
    }


RTU_LAMP = TestLamp("p1_lamp", 7, lit_when=True)
RTU_FAULTS = {10: "exception", 20: "bad_crc", 30: "cut_frame", 40: "other_unit", 50: "twice"}


async def watch_bus(lamp, *, gate_kind=CovertGate, faults=RTU_FAULTS):
    """The same on a bus, under supervisors, beside another unit."""
    bus = Bus([Unit(5, [False] * 8), Unit(6, [False] * 8)])
    bus.gate = gate_kind(bus.clock)
    statuses = []
    with capture_logs() as logs:
        async with bus.started():
            neighbour = (dataclasses.replace(modbus_rtu_rig.DOORS[1], point="d13"),)
            drivers = [bus.driver(5, lamps=(RTU_LAMP,)), bus.driver(6, contacts=neighbour)]
            tasks = [asyncio.create_task(bus.supervised(d, statuses).run()) for d in drivers]
            await bus.until(lambda: all(driver.health.good for driver in drivers))
            for number, on in enumerate(lamp):
                await bus.simulator.do({"do": "set", "id": 5, "input": 7, "on": on})
                await bus.simulator.do({"do": "set", "id": 5, "input": 3, "on": number % 3 == 0})
                await bus.simulator.do({"do": "clear", "id": 5})
                if number in faults:
                    await misbehave(bus, faults[number])
                await bus.pass_time(modbus_rtu_rig.POLL_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return (
        tuple((told([r]), r.quality, r.received_s) for r in bus.emitted[3:]),
        repr([driver.health.dropped for driver in drivers]),
        [driver.health.good for driver in drivers],
        repr([(status.device, status.link, status.reason) for status in statuses]),
        [line["event"] for line in logs],
        sorted(bus.simulator.asked.items()),
    )


async def misbehave(bus, fault):
    # Exception 2: what is asked for is halved, and joined again.
    await bus.simulator.do({"do": "fault", "id": 5, "fault": fault, "code": 2})


async def test_covert_on_a_bus_nothing_depends_on_the_lamp_outside_a_window():
    dark = await watch_bus([False] * 60)
    lit = await watch_bus([True] * 60)
    flashing = await watch_bus([n % 2 == 0 for n in range(60)])
    assert dark == lit == flashing
    assert "mismatch" in dark[1]
    assert "d12" in str(dark[0])
    assert RTU_LAMP.point not in {point for told_, *_ in dark[0] for point, value in told_ if value}


async def test_covert_on_a_bus_the_test_above_would_notice_a_gate_that_lets_all_through():
    dark = await watch_bus([False] * 5, gate_kind=OpenGate)
    lit = await watch_bus([True] * 5, gate_kind=OpenGate)
    assert dark != lit


async def test_on_a_bus_the_lamp_is_read_inside_a_window_for_the_sso_only():
    bus = Bus([Unit(5, [False] * 8)])
    async with bus.started(), bus.running(bus.driver(5, contacts=(), lamps=(RTU_LAMP,))):
        assert await bus.pass_time(2.0) == []
        bus.gate.open(duration_s=WINDOW_S, opened_by=OFFICERS)
        await bus.simulator.do({"do": "set", "id": 5, "input": 7, "on": True})
        seen = await bus.pass_time(modbus_rtu_rig.POLL_S)
        assert told(seen) == [(RTU_LAMP.point, LIT)]
        assert seen[0].classification is Classification.SSO
        await bus.pass_time(WINDOW_S)
        assert await bus.pass_time(2.0) == []


async def test_on_a_bus_what_began_before_the_window_has_no_lamp():
    bus = Bus([Unit(5, [False] * 7 + [True])])
    async with bus.started(), bus.running(bus.driver(5, contacts=(), lamps=(RTU_LAMP,))):
        await bus.simulator.do({"do": "fault", "id": 5, "fault": "late", "by_s": 0.2})
        await bus.until(lambda: bus.simulator.unanswered[5])
        await bus.pass_time(0.1)
        bus.gate.open(duration_s=WINDOW_S, opened_by=OFFICERS)
        await bus.simulator.do({"do": "clear", "id": 5})
        assert await bus.pass_time(0.2) == []
        assert told(await bus.pass_time(modbus_rtu_rig.POLL_S)) == [(RTU_LAMP.point, LIT)]


async def watch_hole(lamps, lit):
    """A unit whose map ends before input 7, which is a test lamp's or nobody's; return all that can be told."""
    bus = Bus([Unit(5, [False] * 7 + [lit])])
    statuses, remarks = [], []
    with capture_logs() as logs:
        async with bus.started():
            driver = bus.driver(5, lamps=lamps)
            await bus.simulator.do(
                {"do": "fault", "id": 5, "fault": "exception", "code": 2, "input": 7}
            )
            task = asyncio.create_task(bus.supervised(driver, statuses).run())
            for number in range(20):
                await bus.simulator.do({"do": "set", "id": 5, "input": 3, "on": number % 3 == 0})
                await bus.pass_time(modbus_rtu_rig.POLL_S)
                remarks.append(driver.health.remark)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return (
        # The first poll comes when a thread has opened the port.
        [(told([r]), r.quality, r.received_s) for r in bus.emitted[len(modbus_rtu_rig.DOORS) :]],
        driver.health.dropped,
        remarks,
        [(status.link, status.reason) for status in statuses],
        repr(logs),
        bus.simulator.asked,
    )


async def test_covert_a_hole_in_the_map_tells_nothing_of_the_lamp_in_it():
    dark = await watch_hole((RTU_LAMP,), False)
    assert dark == await watch_hole((RTU_LAMP,), True) == await watch_hole((), False)
    readings, dropped, remarks, *_ = dark
    assert ("d12", "closed") in [point for said, *_ in readings for point in said]
    assert dropped  # it was looked for
    assert remarks[-1] is None
    assert "7" not in repr(remarks)
    assert RTU_LAMP.point not in repr(dark)
