"""Units on one RTU bus: real bytes over a real pty, on a clock that the test moves."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from daemon.config import registry
from daemon.drivers.api import Contact, Wiring
from daemon.drivers.links import SerialLink
from daemon.drivers.modbus_frames import MismatchError
from daemon.drivers.modbus_rtu import DRIVER
from daemon.drivers.modbus_rtu_line import NoAnswerError
from daemon.errors import LinkError
from daemon.model import ContactState, LinkState, Provenance, Quality
from simulators.rtu_line import FAULTS, Unit
from tests.drivers.modbus_rig import told
from tests.drivers.modbus_rtu_rig import DOORS, POLL_S, TIMEOUT_S, Bus, config_for
from tests.soon import soon

CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
STEERING, POOP = 5, 6
HATCH = (Contact("d12", (3,), Wiring.NC),)
LIFEBOAT = (Contact("d14", (3,), Wiring.NC),)


def inputs(*on):
    return [number in on for number in range(8)]


@pytest.fixture
async def bus():
    bus = Bus([Unit(STEERING, inputs(0, 3)), Unit(POOP, inputs(1))])
    async with bus.started():
        yield bus


async def misbehave(bus, fault, unit=STEERING, **how):
    await bus.simulator.do({"do": "fault", "id": unit, "fault": fault, **how})


async def set_input(bus, unit, number, *, on):
    await bus.simulator.do({"do": "set", "id": unit, "input": number, "on": on})


async def ended(bus, task):
    """Let time pass until a driver has ended; return what ended it."""
    await bus.until(task.done)
    return task.exception()


async def test_every_contact_of_a_unit_is_told_at_the_first_poll(bus):
    async with bus.running(bus.driver(STEERING)):
        assert told(bus.emitted) == [("d11", CLOSED), ("d12", CLOSED)]
        first = bus.emitted[0]
        assert (first.quality, first.provenance) == (Quality.GOOD, Provenance.LIVE)
        assert first.source == "rtu5"


async def test_a_change_is_told_within_a_poll_and_nothing_else_is(bus):
    async with bus.running(bus.driver(STEERING)):
        assert await bus.pass_time(4 * POLL_S) == []
        await set_input(bus, STEERING, 3, on=False)
        assert told(await bus.pass_time(POLL_S)) == [("d12", OPEN)]


async def test_units_of_one_bus_keep_their_own_inputs(bus):
    other = (Contact("d13", (0, 1), Wiring.DOUBLE),)
    steering, poop = bus.driver(STEERING), bus.driver(POOP, contacts=other)
    async with bus.running(steering, poop):
        assert dict(told(bus.emitted)) == {"d11": CLOSED, "d12": CLOSED, "d13": OPEN}
        await set_input(bus, POOP, 0, on=True)
        assert told(await bus.pass_time(POLL_S)) == [("d13", FAULT)]
    assert times_open(bus.simulator.endpoint) == 1  # the simulator's own hold


async def test_the_first_answer_after_opening_may_be_an_old_one_and_is_thrown_away(bus):
    driver = bus.driver(STEERING)
    async with bus.running(driver):
        assert (bus.simulator.asked[STEERING], driver.health.good) == (2, 1)
        await bus.pass_time(10 * POLL_S)
        assert (bus.simulator.asked[STEERING], driver.health.good) == (12, 11)


async def test_a_refusal_makes_the_points_unknown_and_keeps_the_link(bus):
    driver = bus.driver(STEERING)
    async with bus.running(driver) as (task,):
        await misbehave(bus, "exception", code=4)
        refused = await bus.pass_time(POLL_S)
        assert told(refused) == [("d11", None), ("d12", None)]
        assert {reading.quality for reading in refused} == {Quality.UNKNOWN}
        assert driver.health.dropped == {"exception 4": 1}
        await bus.simulator.do({"do": "clear", "id": STEERING})
        assert told(await bus.pass_time(POLL_S)) == [("d11", CLOSED), ("d12", CLOSED)]
        assert not task.done()


async def test_a_dead_unit_is_a_lost_link_after_one_more_question(bus):
    driver = bus.driver(STEERING)
    async with bus.running(driver) as (task,):
        await misbehave(bus, "dead")
        asked = bus.simulator.asked[STEERING]
        error = await ended(bus, task)
        assert isinstance(error, NoAnswerError)
        assert "no answer in 0.25 s" in str(error)
        assert bus.simulator.asked[STEERING] == asked + 2
        assert driver.health.dropped == {"no answer": 1}
        assert len(bus.emitted) == 2


async def test_a_unit_that_was_never_there_takes_one_time_out(bus):
    await misbehave(bus, "dead")
    task = asyncio.create_task(bus.driver(STEERING).run(bus.emitted.append))
    assert isinstance(await ended(bus, task), NoAnswerError)
    assert bus.simulator.asked[STEERING] == 1


async def test_a_frame_lost_now_and_then_is_counted_and_costs_no_state(bus):
    driver = bus.driver(STEERING)
    async with bus.running(driver) as (task,):
        await misbehave(bus, "dead")
        await bus.until(lambda: bus.simulator.unanswered[STEERING] == 1)
        await bus.simulator.do({"do": "clear", "id": STEERING})
        await set_input(bus, STEERING, 3, on=False)
        assert told(await bus.pass_time(2 * POLL_S)) == [("d12", OPEN)]
        assert driver.health.dropped == {"no answer": 1}
        assert not task.done()


async def test_a_unit_that_answers_every_second_question_never_tells_an_old_state(bus):
    driver = bus.driver(STEERING, contacts=HATCH)
    async with bus.running(driver) as (task,):
        await misbehave(bus, "flaky", every=2)
        await set_input(bus, STEERING, 3, on=False)
        error = await ended(bus, task)
        assert isinstance(error, LinkError)
        assert CLOSED not in {reading.value for reading in bus.emitted[1:]}


ANSWERS = {"flaky", "late", "slow", "exception", "dead"}
"""What is right on the wire though seldom, late or in pieces, or a refusal, or nothing: each has tests of its own."""


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - ANSWERS))
async def test_anything_but_the_answer_is_never_a_state(bus, fault):
    async with bus.running(bus.driver(STEERING)) as (task,):
        await set_input(bus, STEERING, 3, on=False)  # what it would tell, were it believed
        await misbehave(bus, fault)
        assert isinstance(await ended(bus, task), MismatchError | NoAnswerError)
        assert len(bus.emitted) == 2
    await bus.simulator.do({"do": "clear", "id": STEERING})
    async with bus.running(bus.driver(STEERING)):  # what the supervisor does next
        assert told(bus.emitted[2:]) == [("d11", CLOSED), ("d12", OPEN)]


async def test_an_answer_in_two_halves_is_believed_within_its_time_and_not_after_it(bus):
    async with bus.running(bus.driver(STEERING, contacts=HATCH)) as (task,):
        await misbehave(bus, "slow", by_s=0.1)
        await set_input(bus, STEERING, 3, on=False)
        await bus.until(lambda: OPEN in {reading.value for reading in bus.emitted}, within_s=5)
        await misbehave(bus, "slow", by_s=1.0)
        await set_input(bus, STEERING, 3, on=True)
        assert isinstance(await ended(bus, task), MismatchError | NoAnswerError)
        assert bus.emitted[-1].value is OPEN


MISMATCHES = {
    "bad_crc": "crc",
    "other_unit": "unit",
    "wrong_function": "function",
    "wrong_byte_count": "length",
    "cut_frame": "crc",
    "twice": "crc",
    "noise": "crc",
    "noise_before": "crc",
}


@pytest.mark.parametrize(("fault", "field"), MISMATCHES.items())
async def test_what_is_wrong_with_an_answer_is_counted_by_name(bus, fault, field):
    driver = bus.driver(STEERING)
    async with bus.running(driver):
        await misbehave(bus, fault)
        await bus.until(lambda: driver.health.dropped)
        assert driver.health.dropped == {f"{field} mismatch": 1}


async def test_noise_between_polls_is_thrown_away(bus):
    driver = bus.driver(STEERING)
    async with bus.running(driver):
        await bus.simulator.do({"do": "noise"})
        await soon(bus.unread_bytes)
        assert await bus.pass_time(2 * POLL_S) == []
        assert (driver.health.good, driver.health.dropped) == (3, {})


async def test_a_line_that_is_never_silent_is_lost_and_not_waited_for(bus):
    async with bus.running(bus.driver(STEERING)) as (task,):
        asked = bus.simulator.asked.total()
        began_s = bus.clock.now_s()
        while not task.done():
            await bus.simulator.do({"do": "noise"})
            await soon(lambda: bus.unread_bytes() or task.done())
            await bus.step(0.002)
        assert "bus rtu1: the line is never silent" in str(task.exception())
        assert bus.clock.now_s() - began_s < POLL_S + 1.0
        assert bus.simulator.asked.total() == asked


async def test_a_late_answer_is_not_that_of_the_next_unit(bus):
    """Both have the same shape; only the unit id tells them apart."""
    steering = bus.driver(STEERING, contacts=HATCH)
    poop = bus.driver(POOP, contacts=LIFEBOAT)
    async with bus.running(steering, poop) as (late, in_time):
        assert dict(told(bus.emitted)) == {"d12": CLOSED, "d14": OPEN}
        await misbehave(bus, "late", by_s=TIMEOUT_S + 0.15)
        await bus.pass_time(60.0)
        assert isinstance(late.exception(), NoAnswerError | MismatchError)
        assert not in_time.done()
        assert {value for point, value in told(bus.emitted) if point == "d14"} == {OPEN}
        assert {value for point, value in told(bus.emitted) if point == "d12"} == {CLOSED}


async def test_a_late_answer_is_not_that_to_the_next_question(bus):
    """Late by more than the back-off: it comes while the same unit is asked the same again."""
    driver = bus.driver(STEERING, contacts=HATCH)
    async with bus.running(driver) as (task,):
        await misbehave(bus, "late", by_s=5.0)
        await ended(bus, task)  # two answers that say closed are on their way
    await set_input(bus, STEERING, 3, on=False)
    await bus.simulator.do({"do": "clear", "id": STEERING})
    before = len(bus.emitted)
    statuses = []
    supervised = asyncio.create_task(bus.supervised(driver, statuses).run())
    try:
        await bus.pass_time(20.0)
    finally:
        supervised.cancel()
        await asyncio.gather(supervised, return_exceptions=True)
    states = [value for _, value in told(bus.emitted[before:]) if value is not None]
    assert states
    assert set(states) == {OPEN}


async def test_an_answer_that_comes_in_the_time_of_the_question_after_its_own_is_thrown_away(bus):
    driver = bus.driver(STEERING, contacts=HATCH)
    async with bus.running(driver) as (task,):
        await misbehave(bus, "late", by_s=TIMEOUT_S + 0.2)
        await set_input(bus, STEERING, 3, on=False)
        await bus.until(lambda: bus.simulator.unanswered[STEERING] == 1)
        await set_input(bus, STEERING, 3, on=True)
        await bus.until(lambda: bus.simulator.unanswered[STEERING] == 2)
        # The answer to the first question, open, comes now as if it were one to the second.
        await bus.simulator.do({"do": "clear", "id": STEERING})
        good = driver.health.good
        await bus.pass_time(4 * POLL_S)
        assert not task.done()
        assert driver.health.good > good
        assert set(told(bus.emitted)) == {("d12", CLOSED)}


async def test_peers_2_one_of_eight_units_dead_leaves_the_others_their_rate():
    """Invariant 6; Telegraf and Node-RED lost the whole bus to one unit that was switched off."""
    units = range(1, 9)
    bus = Bus([Unit(unit, inputs()) for unit in units])
    statuses = []
    async with bus.started():
        supervisors = [
            bus.supervised(
                bus.driver(unit, contacts=(Contact(f"d{unit}", (0,), Wiring.NC),), poll_s=0.25),
                statuses,
            )
            for unit in units
        ]
        tasks = [asyncio.create_task(supervisor.run()) for supervisor in supervisors]
        try:
            await bus.pass_time(5.0)
            good = counted(supervisors)
            await bus.pass_time(30.0)
            nominal = [now - before for now, before in zip(counted(supervisors), good, strict=True)]
            await misbehave(bus, "dead", unit=3)
            good = counted(supervisors)
            await bus.pass_time(30.0)
            left = [now - before for now, before in zip(counted(supervisors), good, strict=True)]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    assert min(nominal) >= 118  # 30 s at 4 polls a second, all eight
    assert left[2] == 0
    assert min(left[:2] + left[3:]) >= 0.9 * min(nominal)
    assert [(s.device, s.link) for s in statuses if s.link is LinkState.DOWN][:1] == [
        ("d3", LinkState.DOWN)
    ]
    assert {s.device for s in statuses if s.link is LinkState.DOWN} == {"d3"}


def counted(supervisors):
    return [supervisor.health.good for supervisor in supervisors]


async def test_turns_are_given_in_the_order_in_which_they_were_asked_for(bus):
    """A unit with a short poll cannot keep another from its turn."""
    greedy = bus.driver(STEERING, poll_s=0.05)
    modest = bus.driver(POOP, contacts=LIFEBOAT, poll_s=0.5)
    async with bus.running(greedy, modest):
        await bus.pass_time(10.0)
    assert modest.health.good >= 20
    assert greedy.health.good >= 190


async def test_a_cable_pulled_and_plugged_in_again_comes_back_under_the_same_name(tmp_path):
    bus = Bus([Unit(STEERING, inputs(3)), Unit(POOP, inputs())], path=tmp_path / "rtu1")
    async with bus.started():
        statuses = []
        drivers = [
            bus.driver(STEERING, contacts=HATCH),
            bus.driver(POOP, contacts=LIFEBOAT),
        ]
        tasks = [asyncio.create_task(bus.supervised(d, statuses).run()) for d in drivers]
        try:
            await bus.until(lambda: links(statuses) == {"d12": "up", "d14": "up"})
            await bus.simulator.do({"do": "unplug"})
            await bus.until(lambda: links(statuses) == {"d12": "down", "d14": "down"})
            assert told(bus.emitted[-1:])[0][1] is None
            await bus.simulator.do({"do": "plug"})
            await set_input(bus, STEERING, 3, on=False)
            plugged_s = bus.clock.now_s()
            await bus.until(lambda: links(statuses) == {"d12": "up", "d14": "up"})
            assert bus.clock.now_s() - plugged_s <= 10.0
            assert ("d12", OPEN) in told(bus.emitted[-3:])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def links(statuses):
    return {status.device: status.link.value for status in statuses}


async def test_a_port_that_cannot_be_opened_fails_for_all_units_at_once(tmp_path, monkeypatch):
    openings = []

    async def refuse(link):
        openings.append(link.name)
        raise LinkError(f"{link.name}: No such file or directory")

    monkeypatch.setattr("daemon.drivers.modbus_rtu_line.open_port", refuse)
    bus = Bus()
    bus.link = SerialLink(kind="serial", port=str(tmp_path / "none"), baud=9600)
    drivers = [bus.driver(unit) for unit in range(1, 9)]

    async def fail_all():
        return await asyncio.gather(
            *(driver.run(bus.emitted.append) for driver in drivers), return_exceptions=True
        )

    errors = await fail_all()
    assert {type(error) for error in errors} == {LinkError}
    assert {str(error) for error in errors} == {
        f"bus rtu1: serial {tmp_path / 'none'}: No such file or directory"
    }
    assert len(openings) == 1
    await bus.clock.advance(0.9)
    await fail_all()
    assert len(openings) == 1
    await bus.clock.advance(0.2)
    await fail_all()
    assert len(openings) == 2
    await bus.clock.advance(1.5)
    await fail_all()
    assert len(openings) == 2  # backs off
    await bus.clock.advance(3600.0)
    await fail_all()
    await bus.clock.advance(5.0)
    await fail_all()
    assert len(openings) == 4  # and never for more than five seconds


async def test_a_port_that_is_not_there_names_it(tmp_path):
    bus = Bus()
    bus.link = SerialLink(kind="serial", port=str(tmp_path / "none"), baud=9600)
    with pytest.raises(LinkError, match=r"bus rtu1: serial .*none: No such file"):
        await bus.driver().run(bus.emitted.append)


async def test_the_port_is_ours_alone_and_given_back_after_the_last_unit(bus):
    rival = Bus()
    rival.link = SerialLink(kind="serial", port=bus.simulator.endpoint, baud=9600)
    async with bus.running(bus.driver(STEERING)):
        with pytest.raises(LinkError, match="bus rtu1: serial"):
            await rival.driver(POOP).run(rival.emitted.append)
        assert times_open(bus.simulator.endpoint) == 2
    assert times_open(bus.simulator.endpoint) == 1


@pytest.mark.parametrize("moment", ["between polls", "while asking", "while opening"])
async def test_cancelled_it_gives_the_port_back_and_leaves_no_task(bus, moment):
    before = asyncio.all_tasks()
    driver = bus.driver(STEERING)
    if moment == "while opening":
        task = asyncio.create_task(driver.run(bus.emitted.append))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with bus.running(driver) as (task,):
            if moment == "while asking":
                await misbehave(bus, "dead")
                await bus.until(bus.simulator.unanswered.total)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    await soon(lambda: times_open(bus.simulator.endpoint) == 1)
    await soon(lambda: asyncio.all_tasks() <= before)


async def test_the_answer_to_a_question_that_was_cancelled_is_waited_out(bus):
    """Somebody stops one unit while it is asked: its answer is not that of the next."""
    poop = bus.driver(POOP, contacts=LIFEBOAT, poll_s=0.05)
    async with bus.running(poop) as (other,), bus.running(bus.driver(STEERING)) as (task,):
        await misbehave(bus, "late", by_s=0.2)
        await misbehave(bus, "late", unit=POOP, by_s=0.12)
        await bus.until(lambda: bus.simulator.unanswered[STEERING])
        task.cancel()
        await bus.pass_time(4 * POLL_S)
        assert poop.health.dropped == {}
        assert not other.done()


async def test_only_reads_of_discrete_inputs_ever_go_over_the_wire(bus, monkeypatch):
    sent = []
    write = os.write

    def spy(descriptor, data):
        sent.append(bytes(data))
        return write(descriptor, data)

    monkeypatch.setattr("daemon.drivers.modbus_rtu_port.os.write", spy)
    async with bus.running(bus.driver(STEERING)):
        await bus.pass_time(5.0)
        await misbehave(bus, "exception", code=1)
        await bus.pass_time(5.0)
    ours = [frame for frame in sent if len(frame) == 8]
    assert len(ours) > 20
    assert {frame[1] for frame in ours} == {2}


async def test_nothing_is_logged_of_a_bus_that_works(bus):
    with capture_logs() as logs:
        async with bus.running(bus.driver(STEERING)):
            await bus.pass_time(5.0)
    assert logs == []


def test_the_registry_finds_the_driver_and_its_facts():
    spec = registry.drivers()["modbus_rtu"]
    assert spec is DRIVER
    config = config_for(5)
    assert spec.bus(config) == "rtu1"
    assert spec.inputs is not None
    assert spec.inputs(config) == 8
    assert spec.silent_after_s(config) == 10.0
    assert spec.lost_alert(config) == "io.unit_lost"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"unit": 0}, "unit"),
        ({"unit": 248}, "unit"),
        ({"bus": ""}, "bus"),
        ({"profile": "no-such-unit"}, "no-such-unit"),
        ({"poll_s": 0.01}, "poll_s"),
        ({"timeout_s": 3}, "timeout_s"),
        ({"poll_s": 4, "silent_after_s": 12}, "at least 12.75 s"),
        ({"inputs": 4}, r"a Waveshare Modbus RTU Relay \(D\) always has 8"),
        ({"closed_ma": [15, 17]}, "has no loops"),
        ({"host": "10.0.0.1"}, "host"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_reason(fields, says):
    with pytest.raises(ValidationError, match=says):
        config_for(fields.pop("unit", 5), **fields)


async def test_a_bus_that_is_not_there_is_refused_when_the_driver_is_built(bus):
    with pytest.raises(ValueError, match="bus 'rtu9' has to be a serial or tcp link"):
        bus.driver(STEERING, bus="rtu9")


def times_open(path: str) -> int:
    """Count how many descriptors of this process lead to a file."""
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            count += str(entry.readlink()) == path
    return count


def test_the_points_of_a_unit_are_its_contacts():
    bus = Bus()
    bus.link = SerialLink(kind="serial", port="/dev/none", baud=9600)
    assert [point.id for point in bus.driver().points()] == [door.point for door in DOORS]
