"""One connection: once it has failed, nothing more can be asked on it."""

import asyncio

import pytest

from daemon.drivers.modbus_frames import MismatchError, Question
from daemon.drivers.modbus_line import TcpLine
from daemon.errors import LinkError
from simulators.io_unit import IoUnit
from tests.clocks import StandingTimers
from tests.soon import soon


def question(transaction):
    return Question(transaction=transaction, unit=1, function=2, address=0, count=16)


@pytest.fixture
async def unit():
    unit = IoUnit()
    await unit.start()
    yield unit
    await unit.stop()


@pytest.fixture
async def line(unit):
    line = await TcpLine.open("127.0.0.1", unit.port)
    yield line
    line.close()


async def test_it_asks_and_is_answered(unit, line):
    await unit.set_input(8, True)
    assert await line.ask(question(1), timeout_s=2.0) == b"\x00\x01"
    assert await line.ask(question(2), timeout_s=2.0) == b"\x00\x01"


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("hang", LinkError, "no answer in 0.05 s"),
        ("cut_frame", LinkError, "no answer in 0.05 s"),
        ("wrong_unit", MismatchError, "unit mismatch: got 2, not 1"),
    ],
)
async def test_after_a_failure_it_is_closed_and_says_the_same_to_whoever_asks_again(
    unit, line, fault, error, says
):
    await unit.misbehave(fault)
    with pytest.raises(error, match=says):
        await line.ask(question(1), timeout_s=0.05)
    await soon(lambda: unit.visitors == 0)
    await unit.misbehave(None)
    with pytest.raises(error, match=says):
        await line.ask(question(2), timeout_s=2.0)
    assert unit.asked.total() == 1


async def test_closed_by_us_it_can_not_be_asked(unit, line):
    line.close()
    line.close()
    with pytest.raises(LinkError, match="closed by us"):
        await line.ask(question(1), timeout_s=2.0)
    await soon(lambda: unit.visitors == 0)


async def test_closed_by_the_unit_while_asking_it_fails_at_once(unit, line):
    await unit.misbehave("late", by_s=60.0)

    async def hang_up():
        await soon(lambda: unit.asked)
        await unit.drop()

    hanging_up = asyncio.create_task(hang_up())
    with pytest.raises(LinkError, match="the connection was lost"):
        await line.ask(question(1), timeout_s=5.0)
    await hanging_up


async def test_a_unit_is_not_to_blame_for_a_computer_that_stood_still(unit, line, monkeypatch):
    await unit.set_input(8, True)
    timers = StandingTimers(monkeypatch)
    asking = asyncio.ensure_future(line.ask(question(1), timeout_s=2.0))
    await asyncio.sleep(0)
    await timers.move(30.0)
    assert await asking == b"\x00\x01"
    assert not line.is_broken


async def test_a_unit_that_says_nothing_is_late_on_a_computer_that_stood_still_too(
    unit, line, monkeypatch
):
    await unit.misbehave("hang")
    timers = StandingTimers(monkeypatch)
    asking = asyncio.ensure_future(line.ask(question(1), timeout_s=0.05))
    await asyncio.sleep(0)
    await timers.move(30.0)
    assert not asking.done(), "once more so long"
    await timers.move(0.05)
    with pytest.raises(LinkError, match=r"no answer in 0\.05 s"):
        await asking
