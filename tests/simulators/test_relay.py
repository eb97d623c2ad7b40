"""A cable with a speed: bytes come out no faster than their bits, and a bus works through it."""

from __future__ import annotations

import asyncio
import os

import pytest

from daemon.computer.clock import SystemClock
from daemon.drivers.links import SerialLink
from daemon.drivers.modbus_frames import Question
from daemon.drivers.modbus_rtu_line import BusLine, NoAnswerError
from simulators.relay import Relay, build
from simulators.rtu_line import RtuLine, Unit
from tests.clocks import ManualClock
from tests.soon import soon


def heard(port):
    try:
        return os.read(port, 4096)
    except BlockingIOError:
        return b""


async def test_characters_come_out_one_by_one_each_in_its_time():
    clock = ManualClock()
    relay = Relay(300, clock=clock)  # a character takes 1/30 s
    await relay.start()
    near, far = (
        os.open(p, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for p in (relay.endpoint, relay.far)
    )
    os.write(near, b"abc")
    await soon(lambda: clock.next_due_s() is not None)
    got = b""
    for count in range(1, 4):
        await clock.advance(0.9 / 30)
        assert relay.carried["far"] == count - 1
        await clock.advance(0.1 / 30 + 1e-6)
        assert relay.carried["far"] == count
        while len(got) < count:
            await asyncio.sleep(0)
            got += heard(far)
    assert got == b"abc"
    os.close(near)
    os.close(far)
    await relay.stop()


async def test_the_rate_is_that_of_the_wire_and_both_ways_at_once():
    clock = ManualClock()
    relay = Relay(115200, clock=clock)
    await relay.start()
    near, far = (
        os.open(p, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for p in (relay.endpoint, relay.far)
    )
    began_s = clock.now_s()
    os.write(near, b"x" * 1152)
    os.write(far, b"y" * 1152)
    while relay.carried != {"near": 1152, "far": 1152}:
        await soon(lambda: clock.next_due_s() is not None)
        await clock.advance(0.001)
    # 1152 characters of ten bits are 0.1 s of 115200 baud; how much later they were taken is the kernel's affair.
    assert clock.now_s() - began_s >= 0.099
    os.close(near)
    os.close(far)
    await relay.stop()


async def test_a_modbus_bus_answers_through_a_cable_of_its_own_speed_and_not_at_another(tmp_path):
    bus = RtuLine([Unit(5, [n in {0, 3} for n in range(8)])], link=tmp_path / "bus")
    await bus.start()
    relay = Relay(19200, link=tmp_path / "near", to=tmp_path / "bus")
    await relay.start()
    line = BusLine("rtu", SerialLink(kind="serial", port=relay.endpoint, baud=19200), SystemClock())
    line.join()
    question = Question(transaction=1, unit=5, function=2, address=0, count=8)
    assert await line.ask(question, timeout_s=1.0) == b"\x09"
    await relay.do({"do": "baud", "read_baud": 9600})
    with pytest.raises(NoAnswerError):  # the unit does not even understand the question
        await line.ask(question, timeout_s=0.05)
    line.leave()
    await relay.do({"do": "unplug"})
    assert not (tmp_path / "near").exists()
    await relay.stop()
    await bus.stop()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"baud": 10}, "baud is a whole number"),
        ({"link": "near"}, "link is an absolute path"),
        ({"speed": 1}, "unknown speed"),
    ],
)
def test_a_wrong_cable_is_refused_with_its_reason(settings, reason):
    with pytest.raises(ValueError, match=reason):
        build("cable", settings)
