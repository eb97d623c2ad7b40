"""The I/O unit simulator, asked in the bytes of the standard."""

import asyncio
import json
import os
import signal
import struct
import sys

import pytest

from daemon.computer.clock import SystemClock
from simulators.io_unit import SIMULATOR, IoUnit, build
from simulators.io_unit_wire import FAULTS, answer
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S, soon

READ_ALL = bytes.fromhex("0009 0000 0006 01 02 0000 0010")


@pytest.fixture
async def unit():
    unit = IoUnit()
    await unit.start()
    yield unit
    await unit.stop()


async def ask(unit, request=READ_ALL, *, wait=True):
    """Return what comes back until the unit has said one frame, or hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", unit.port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            try:
                header = await reader.readexactly(6)
                return header + await reader.readexactly(struct.unpack(">H", header[4:])[0])
            except (asyncio.IncompleteReadError, ConnectionError) as err:
                return getattr(err, "partial", b"")
    finally:
        writer.transport.abort()


async def test_the_first_input_is_the_lowest_bit_of_the_first_byte(unit):
    await unit.set_input(0, True)
    await unit.set_input(9, True)
    assert await ask(unit) == bytes.fromhex("0009 0000 0005 01 02 02 0102")


async def test_the_inputs_stand_once_more_as_a_word(unit):
    await unit.set_input(0, True)
    await unit.set_input(9, True)
    request = bytes.fromhex("0009 0000 0006 01 04 0030 0001")
    assert await ask(unit, request) == bytes.fromhex("0009 0000 0005 01 04 02 0201")


PLACES = {2: 100, 3: 7}


@pytest.mark.parametrize(
    ("pdu", "reply"),
    [
        ("02 0064 0001", "02 01 01"),
        ("02 0064 0014", "02 03 010008"),
        ("02 0066 0012", "02 03 000002"),
        ("02 0077 0001", "02 01 01"),
        ("02 0064 0015", "82 02"),
        ("02 0063 0001", "82 02"),
        ("02 0078 0001", "82 02"),
        ("02 0064 0000", "82 03"),
        ("02 0064 07d1", "82 03"),
        ("02 0064", "82 03"),
        ("02 0064 0001 00", "82 03"),
        ("03 0007 0002", "03 04 0001 0008"),
        ("03 0008 0001", "03 02 0008"),
        ("03 0007 0003", "83 02"),
        ("03 0007 007e", "83 03"),
        ("01 0064 0001", "81 01"),
        ("05 0064 ff00", "85 01"),
        ("10 0064 0001 02 0001", "90 01"),
    ],
)
def test_answers_are_those_of_the_standard(pdu, reply):
    inputs = [n in {0, 19} for n in range(20)]
    assert answer(bytes.fromhex(pdu), inputs, PLACES) == bytes.fromhex(reply)


async def test_another_unit_id_has_no_target(unit):
    request = READ_ALL[:6] + b"\x02" + READ_ALL[7:]
    assert await ask(unit, request) == bytes.fromhex("0009 0000 0003 02 82 0b")


RIGHT = bytes.fromhex("0009 0000 0005 01 02 02 0100")
WRONG = {
    "wrong_transaction": "000a 0000 0005 01 02 02 0100",
    "zero_transaction": "0000 0000 0005 01 02 02 0100",
    "wrong_protocol": "0009 0001 0005 01 02 02 0100",
    "wrong_unit": "0009 0000 0005 02 02 02 0100",
    "zero_unit": "0009 0000 0005 00 02 02 0100",
    "wrong_function": "0009 0000 0005 01 01 02 0100",
    "wrong_byte_count": "0009 0000 0005 01 02 01 0100",
    "short_frame": "0009 0000 0004 01 02 01 01",
    "exception": "0009 0000 0003 01 82 04",
}


@pytest.mark.parametrize(("fault", "reply"), WRONG.items())
async def test_a_fault_bends_one_thing_and_is_cleared_again(unit, fault, reply):
    await unit.set_input(0, True)
    await unit.do({"do": "fault", "fault": fault, "code": 4})
    assert await ask(unit) == bytes.fromhex(reply)
    await unit.do({"do": "clear"})
    assert await ask(unit) == RIGHT


BY_CONNECTION = {"dead", "slow", "closes", "half_open"}
"""What is right on the wire, or nothing: tested on their own below."""


async def test_the_faults_that_are_not_one_bent_field(unit):
    reader, writer = await asyncio.open_connection("127.0.0.1", unit.port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await unit.misbehave("hang")
            writer.write(READ_ALL)
            await unit.requests(1)
            await unit.misbehave("twice")
            writer.write(b"\x00\x0a" + READ_ALL[2:])
            right = b"\x00\x0a" + RIGHT[2:9] + b"\x00\x00"
            assert await reader.readexactly(22) == right * 2
            await unit.misbehave("previous")
            writer.write(READ_ALL)
            assert await reader.readexactly(11) == right
            await unit.misbehave("cut_frame")
            writer.write(READ_ALL)
            assert await reader.readexactly(10) == RIGHT[:9] + b"\x00"
    finally:
        writer.transport.abort()
    tested = {*WRONG, "hang", "twice", "previous", "cut_frame", "late", *BY_CONNECTION}
    assert tested == set(FAULTS)


async def test_a_late_answer_comes_when_its_time_has_come():
    clock = ManualClock()
    unit = IoUnit(clock=clock)
    await unit.start()
    try:
        await unit.do({"do": "fault", "fault": "late", "by_s": 3})
        asking = asyncio.create_task(ask(unit))
        await soon(lambda: unit.asked)
        await clock.advance(2.9)
        assert not asking.done()
        await clock.advance(0.1)
        assert await asking == RIGHT[:9] + b"\x00\x00"
    finally:
        await unit.stop()


@pytest.mark.parametrize("verb", ["drop", "unplug"])
async def test_a_connection_can_be_lost(unit, verb):
    reader, writer = await asyncio.open_connection("127.0.0.1", unit.port)
    try:
        await soon(lambda: unit.visitors)
        await unit.do({"do": verb})
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.readexactly(1)
    finally:
        writer.transport.abort()
    assert unit.visitors == 0


async def test_unplugged_nobody_is_there_and_plugged_in_it_is_where_it_was(unit):
    endpoint = unit.endpoint
    await unit.do({"do": "unplug"})
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", unit.port)
    await unit.do({"do": "plug"})
    await unit.do({"do": "plug"})
    assert unit.endpoint == endpoint
    assert await ask(unit) == RIGHT[:9] + b"\x00\x00"


async def test_two_clients_are_served_at_once(unit):
    assert await asyncio.gather(ask(unit), ask(unit)) == [RIGHT[:9] + b"\x00\x00"] * 2


@pytest.mark.parametrize(
    "noise", [b"\x00\x01\x00\x07\x00\x06\x01", b"\x00\x01\x00\x00\xff\xff\x01", b"\x00" * 7]
)
async def test_noise_ends_the_connection_and_not_the_unit(unit, noise):
    assert await ask(unit, noise) == b""
    assert await ask(unit) == RIGHT[:9] + b"\x00\x00"


async def test_stopped_it_leaves_no_task_and_can_be_stopped_again(unit):
    before = asyncio.all_tasks()
    _, writer = await asyncio.open_connection("127.0.0.1", unit.port)
    await soon(lambda: unit.visitors)
    await unit.stop()
    await unit.stop()
    await soon(lambda: asyncio.all_tasks() == before)
    writer.transport.abort()


async def test_all_inputs_are_set_at_once(unit):
    await unit.set_input(3, True)
    await unit.do({"do": "inputs", "on": [0]})
    assert await ask(unit) == RIGHT


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({}, "do is set, .* not None"),
        ({"do": "explode"}, "not 'explode'"),
        ({"do": "set", "input": 16, "on": True}, "input is a whole number from 0 to 15, not 16"),
        ({"do": "set", "input": True, "on": True}, "not True"),
        ({"do": "set", "input": 1}, "on is true or false, not None"),
        ({"do": "set", "input": 1, "on": 1}, "on is true or false, not 1"),
        ({"do": "set", "input": 1, "on": True, "unti": "x"}, "unknown unti; known are do, input"),
        ({"do": "inputs", "on": [16]}, "from 0 to 15"),
        ({"do": "inputs", "on": [True]}, "from 0 to 15"),
        ({"do": "inputs"}, "not None"),
        ({"do": "fault"}, "fault is one of closes, cut_frame"),
        ({"do": "fault", "fault": "gremlin"}, "no fault 'gremlin'; known are closes, cut_frame"),
        ({"do": "fault", "fault": "exception", "code": 0}, "code is a whole number from 1"),
        ({"do": "fault", "fault": "late", "by_s": 61}, "by_s is a time from 0 to 60 s, not 61"),
        ({"do": "fault", "fault": "late", "by_s": True}, "not True"),
    ],
)
async def test_a_wrong_command_is_refused_with_its_reason(unit, command, says):
    with pytest.raises(ValueError, match=says):
        await unit.do(command)
    assert await ask(unit) == RIGHT[:9] + b"\x00\x00"


async def test_an_input_that_is_not_there_cannot_be_set(unit):
    with pytest.raises(ValueError, match="0 to 15, not 16"):
        await unit.set_input(16, True)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"port": "1502"}, "port is a whole number"),
        ({"inputs": 0}, "inputs is a whole number from 1 to 2000"),
        ({"unit": 256}, "unit is"),
        ({"function": 5}, "function is a whole number from 1 to 4"),
        ({"address": 1}, "address needs function"),
        ({"ports": 1}, "unknown ports"),
        ({"analogue": 0}, "analogue is a whole number from 1 to 125"),
        ({"analogue_address": 0}, "analogue_address needs analogue"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_reason(settings, says):
    with pytest.raises(ValueError, match=says):
        build("io1", settings)


async def test_a_unit_whose_inputs_are_coils():
    unit = SIMULATOR.build("io3", {"inputs": 12, "function": 1, "address": 0, "unit": 3})
    await unit.start()
    try:
        await unit.do({"do": "set", "input": 11, "on": True})
        request = bytes.fromhex("0009 0000 0006 03 01 0000 000c")
        assert await ask(unit, request) == bytes.fromhex("0009 0000 0005 03 01 02 0008")
        refused = bytes.fromhex("0009 0000 0006 03 02 0000 000c")
        assert await ask(unit, refused) == bytes.fromhex("0009 0000 0003 03 82 01")
    finally:
        await unit.stop()


async def test_analogue_inputs_are_words_beside_the_digital_ones():
    unit = SIMULATOR.build("io5", {"analogue": 4})
    await unit.start()
    try:
        await unit.do({"do": "current", "input": 1, "ma": 10})
        await unit.do({"do": "current", "input": 3, "ma": 25})
        request = bytes.fromhex("0009 0000 0006 01 04 0200 0004")
        right = bytes.fromhex("0009 0000 000b 01 04 08 0000 8000 0000 ffff")
        assert await ask(unit, request) == right
        assert await ask(unit) == RIGHT[:9] + b"\x00\x00"
        word = bytes.fromhex("0009 0000 0006 01 04 0030 0001")
        assert await ask(unit, word) == bytes.fromhex("0009 0000 0005 01 04 02 0000")
        for beyond in ("0204 0001", "0200 0005", "01ff 0002", "0200 0000"):
            refused = await ask(unit, bytes.fromhex(f"0009 0000 0006 01 04 {beyond}"))
            assert refused[:8] == bytes.fromhex("0009 0000 0003 01 84")
        short = bytes.fromhex("0009 0000 0004 01 04 0200")
        assert await ask(unit, short) == bytes.fromhex("0009 0000 0003 01 84 03")
    finally:
        await unit.stop()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({"do": "current", "input": 4, "ma": 8}, "input is a whole number from 0 to 3, not 4"),
        ({"do": "current", "input": 0, "ma": 26}, "ma is a current from 0 to 25 mA, not 26"),
        ({"do": "current", "input": 0, "ma": True}, "not True"),
        ({"do": "current", "input": 0}, "not None"),
        ({"do": "current", "input": 0, "ma": float("nan")}, "not nan"),
        ({"do": "current", "input": 0, "ma": 8, "volt": 1}, "unknown volt"),
    ],
)
async def test_a_wrong_current_is_refused_with_its_reason(command, says):
    unit = build("io5", {"analogue": 4, "analogue_address": 0})
    with pytest.raises(ValueError, match=says):
        await unit.do(command)


async def test_a_unit_without_analogue_inputs_has_no_current(unit):
    with pytest.raises(ValueError, match="no analogue inputs"):
        await unit.do({"do": "current", "input": 0, "ma": 8})


async def test_alone_it_is_a_program():
    begun_s = SystemClock().now_s()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulators.io_unit", "--port", "0", "--inputs", "20"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            ready = json.loads(await process.stdout.readline())
            started_in_s = SystemClock().now_s() - begun_s
            assert ready["ready"] == "io_unit"
            assert json.loads(await process.stdout.readline()) == {"ready": "all"}
            process.stdin.write(b'{"do": "set", "input": 19, "on": true}\n')
            assert json.loads(await process.stdout.readline()) == {"done": 1}
            began_s = SystemClock().now_s()
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
            # To end is far less work than to begin, on whatever computer.
            assert SystemClock().now_s() - began_s < max(2.0, started_in_s)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_alone_with_a_wrong_setting_it_says_so():
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulators.io_unit", "--inputs", "0"),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 2
    assert b"io_unit: inputs is a whole number from 1 to 2000, not 0" in err


async def talk(unit):
    return await asyncio.open_connection("127.0.0.1", unit.port)


async def test_it_can_hang_up_after_each_answer_and_after_a_silence():
    unit = IoUnit(idle_close_s=0.02)
    await unit.start()
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await talk(unit)
        assert await reader.read() == b""  # nothing asked for so long
        writer.transport.abort()
        await unit.misbehave("closes")
        reader, writer = await talk(unit)
        writer.write(READ_ALL)
        assert len(await reader.read()) == len(RIGHT)
        writer.transport.abort()
    await unit.stop()


async def test_a_half_open_connection_is_never_answered_and_a_new_one_is(unit):
    async with asyncio.timeout(PATIENCE_S):
        before = await talk(unit)
        before[1].write(READ_ALL)
        await before[0].readexactly(len(RIGHT))
        await unit.do({"do": "fault", "fault": "half_open"})
        meanwhile = await talk(unit)
        await soon(lambda: unit.visitors == 2)
        await unit.do({"do": "clear"})
        for _, writer in (before, meanwhile):
            writer.write(READ_ALL)
        await unit.requests(2)
        after = await talk(unit)
        after[1].write(READ_ALL)
        await after[0].readexactly(len(RIGHT))
        assert before[0]._buffer == meanwhile[0]._buffer == b""
    for _, writer in (before, meanwhile, after):
        writer.transport.abort()


async def test_a_slow_unit_sends_the_second_half_later():
    clock = ManualClock()
    unit = IoUnit(clock=clock)
    await unit.start()
    reader, writer = await talk(unit)
    try:
        await unit.do({"do": "fault", "fault": "slow", "by_s": 1.0})
        writer.write(READ_ALL)
        async with asyncio.timeout(PATIENCE_S):
            half = await reader.readexactly(len(RIGHT) // 2)
            assert reader._buffer == b""
            await soon(lambda: clock.next_due_s() is not None)
            await clock.advance(1.0)
            assert len(half + await reader.readexactly(len(RIGHT) - len(half))) == len(RIGHT)
    finally:
        writer.transport.abort()
        await unit.stop()


@pytest.mark.parametrize("code", range(1, 7))
async def test_it_refuses_one_point_alone(unit, code):
    await unit.do({"do": "fault", "fault": "exception", "code": code, "input": 3})
    reader, writer = await talk(unit)
    try:
        async with asyncio.timeout(PATIENCE_S):
            for address, count, refused in (
                (0, 16, True),
                (3, 1, True),
                (4, 12, False),
                (0, 3, False),
            ):
                pdu = struct.pack(">BHH", 2, address, count)
                writer.write(struct.pack(">HHHB", 1, 0, 6, 1) + pdu)
                _, _, length, _ = struct.unpack(">HHHB", await reader.readexactly(7))
                said = await reader.readexactly(length - 1)
                assert (said == bytes([0x82, code])) is refused
    finally:
        writer.transport.abort()


async def test_a_flapping_contact_ends_as_it_was():
    clock = ManualClock()
    unit = IoUnit(clock=clock)
    await unit.do({"do": "flap", "input": 2, "times": 4, "every_s": 0.5})
    states = []
    for _ in range(5):
        await clock.advance(0.25)
        states.append(unit._inputs[2])
        await clock.advance(0.25)
    assert states == [True, False, True, False, False]
    await unit.stop()
