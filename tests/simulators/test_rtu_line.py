"""The RTU bus simulator, asked in the bytes of the standard."""

import asyncio
import contextlib
import json
import os
import sys

import pytest

from simulators.misread import misread
from simulators.rtu_line import MOST_UNITS, SIMULATOR, RtuLine, Unit, build
from simulators.rtu_line_wire import FAULTS, NOISE, TALKER, crc
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S, soon


def framed(text):
    words = bytes.fromhex(text)
    return words + crc(words)


READ_ALL = framed("05 02 0000 0008")
RIGHT = framed("05 02 01 09")


@pytest.fixture
async def line():
    line = RtuLine([Unit(5, [n in {0, 3} for n in range(8)]), Unit(6, [False] * 8)])
    await line.start()
    yield line
    await line.stop()


class Asker:
    """Our end of the line."""

    def __init__(self, endpoint):
        self._port = os.open(endpoint, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.heard = b""

    def say(self, frame):
        os.write(self._port, frame)

    def hear(self):
        with contextlib.suppress(BlockingIOError):
            self.heard += os.read(self._port, 4096)
        return self.heard

    async def hears(self, answer):
        await soon(lambda: len(self.hear()) >= len(answer))
        assert self.heard == answer
        self.heard = b""

    def close(self):
        os.close(self._port)


@pytest.fixture
async def asker(line):
    asker = Asker(line.endpoint)
    yield asker
    asker.close()


def test_the_crc_is_that_of_the_standard():
    """MODBUS over Serial Line V1.02, 6.2.2: low byte first."""
    assert crc(bytes.fromhex("02 07")) == bytes.fromhex("41 12")


async def test_each_unit_answers_for_itself(line, asker):
    asker.say(READ_ALL)
    await asker.hears(RIGHT)
    asker.say(framed("06 02 0000 0008"))
    await asker.hears(framed("06 02 01 00"))
    assert dict(line.asked) == {5: 1, 6: 1}
    assert line.unanswered.total() == 0


async def test_a_question_in_pieces_and_after_noise_is_taken(line, asker):
    asker.say(b"\x05\x02\x00")
    asker.say(READ_ALL)
    await asker.hears(RIGHT)
    for byte in READ_ALL:
        asker.say(bytes([byte]))
    await asker.hears(RIGHT)


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("05 02 0000 0009", "05 82 02"),
        ("05 01 0000 0001", "05 81 01"),
        ("05 05 0000 ff00", "05 85 01"),
        ("05 02 0003 0001", "05 02 01 01"),
    ],
)
async def test_answers_are_those_of_the_standard(asker, question, reply):
    asker.say(framed(question))
    await asker.hears(framed(reply))


async def test_nobody_answers_for_a_unit_that_is_not_there_or_to_a_broken_question(line, asker):
    asker.say(framed("07 02 0000 0008"))
    asker.say(READ_ALL[:-1] + b"\x00")
    asker.say(READ_ALL)
    await asker.hears(RIGHT)
    assert line.asked.total() == 1


WRONG = {
    "bad_crc": RIGHT[:-1] + bytes([RIGHT[-1] ^ 1]),
    "other_unit": framed("06 02 01 09"),
    "wrong_function": framed("05 01 01 09"),
    "wrong_byte_count": framed("05 02 00 09"),
    "short_frame": framed("05 02 00"),
    "cut_frame": RIGHT[:-1],
    "twice": RIGHT * 2,
    "noise": NOISE,
    "noise_before": NOISE[:1] + RIGHT,
    "talker": TALKER,
    "baud": misread(RIGHT, sent_baud=19200, read_baud=9600),
}


@pytest.mark.parametrize(("fault", "reply"), WRONG.items())
async def test_a_fault_bends_one_thing_of_one_unit_and_is_cleared_again(line, asker, fault, reply):
    await line.do({"do": "fault", "id": 5, "fault": fault})
    asker.say(READ_ALL)
    await asker.hears(reply)
    assert line.unanswered == {5: 1}
    asker.say(framed("06 02 0000 0008"))
    await asker.hears(framed("06 02 01 00"))
    await line.do({"do": "clear", "id": 5})
    asker.say(READ_ALL)
    await asker.hears(RIGHT)


def test_every_fault_is_tested():
    assert FAULTS.keys() == WRONG.keys() | {"dead", "flaky", "late", "slow", "exception"}


async def test_an_exception_has_the_code_that_was_asked_for(line, asker):
    await line.do({"do": "fault", "id": 5, "fault": "exception", "code": 4})
    asker.say(READ_ALL)
    await asker.hears(framed("05 82 04"))
    assert line.unanswered.total() == 0


async def test_a_dead_unit_is_silent_and_a_flaky_one_nearly(line, asker):
    await line.do({"do": "fault", "id": 5, "fault": "dead"})
    asker.say(READ_ALL)
    await soon(lambda: line.unanswered[5] == 1)
    await line.do({"do": "fault", "id": 5, "fault": "flaky", "every": 3})
    asker.say(READ_ALL)
    await soon(lambda: line.asked[5] == 2)
    assert line.unanswered[5] == 2
    asker.say(READ_ALL)
    await asker.hears(RIGHT)


async def test_a_late_answer_comes_when_its_time_has_come():
    clock = ManualClock()
    line = RtuLine([Unit(5, [n in {0, 3} for n in range(8)])], clock=clock)
    await line.start()
    asker = Asker(line.endpoint)
    try:
        await line.do({"do": "fault", "id": 5, "fault": "late", "by_s": 3})
        asker.say(READ_ALL)
        await soon(lambda: line.asked[5])
        await clock.advance(2.9)
        assert asker.hear() == b""
        await clock.advance(0.1)
        await asker.hears(RIGHT)
    finally:
        asker.close()
        await line.stop()


async def test_inputs_are_set_one_by_one_or_all_at_once(line, asker):
    await line.do({"do": "set", "id": 5, "input": 7, "on": True})
    asker.say(READ_ALL)
    await asker.hears(framed("05 02 01 89"))
    await line.do({"do": "inputs", "id": 5, "on": [1]})
    asker.say(READ_ALL)
    await asker.hears(framed("05 02 01 02"))


async def test_noise_comes_unasked(line, asker):
    await line.do({"do": "noise"})
    await asker.hears(NOISE)


async def test_unplugged_the_name_is_gone_and_plugged_in_it_is_back(tmp_path):
    link = tmp_path / "rtu1"
    line = SIMULATOR.build("rtu1", {"link": str(link), "units": [{"id": 5}]})
    await line.start()
    try:
        assert line.endpoint == str(link)
        await line.do({"do": "unplug"})
        assert not link.is_symlink()
        with pytest.raises(ValueError, match="unplugged"):
            await line.do({"do": "noise"})
        with pytest.raises(RuntimeError, match="not started"):
            _ = line.endpoint
        await line.do({"do": "plug"})
        await line.do({"do": "plug"})
        asker = Asker(line.endpoint)
        asker.say(READ_ALL)
        await asker.hears(framed("05 02 01 00"))
        asker.close()
    finally:
        await line.stop()
        await line.stop()


async def test_stopped_it_leaves_no_task_and_no_name(line, asker):
    before = asyncio.all_tasks()
    await line.do({"do": "fault", "id": 5, "fault": "late", "by_s": 60})
    asker.say(READ_ALL)
    await soon(lambda: line.asked[5])
    await line.stop()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({}, "do is set, .* not None"),
        ({"do": "set", "id": 7, "input": 0, "on": True}, "no unit 7; known are 5, 6"),
        ({"do": "set", "input": 0, "on": True}, "id is a whole number from 1 to 247, not None"),
        ({"do": "set", "id": 5, "input": 8, "on": True}, "input is a whole number from 0 to 7"),
        ({"do": "set", "id": 5, "input": 1, "on": 1}, "on is true or false"),
        ({"do": "inputs", "id": 5, "on": [8]}, "from 0 to 7"),
        ({"do": "fault", "id": 5}, "fault is one of bad_crc"),
        ({"do": "fault", "id": 5, "fault": "gremlin"}, "not 'gremlin'"),
        ({"do": "fault", "id": 5, "fault": "flaky", "every": 1}, "every is a whole number from 2"),
        ({"do": "fault", "id": 5, "fault": "late", "by_s": 61}, "by_s is a time from 0 to 60 s"),
        ({"do": "clear", "id": 5, "all": True}, "unknown all"),
    ],
)
async def test_a_wrong_command_is_refused_with_its_reason(line, asker, command, says):
    with pytest.raises(ValueError, match=says):
        await line.do(command)
    asker.say(READ_ALL)
    await asker.hears(RIGHT)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "units is a list of 1 to 32"),
        ({"units": []}, "units is a list"),
        ({"units": [{"id": n + 1} for n in range(MOST_UNITS + 1)]}, "units is a list"),
        ({"units": [5]}, "a unit is a table"),
        ({"units": [{"id": 0}]}, "id is a whole number from 1 to 247"),
        ({"units": [{"id": 5}, {"id": 5}]}, "two units have the same id"),
        ({"units": [{"id": 5, "function": 5}]}, "function is a whole number from 1 to 4"),
        ({"units": [{"id": 5, "input": 8}]}, "unknown input"),
        ({"units": [{"id": 5}], "link": "rtu1"}, "link is an absolute path"),
        ({"units": [{"id": 5}], "port": 1}, "unknown port"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_reason(settings, says):
    with pytest.raises(ValueError, match=says):
        build("rtu1", settings)


async def test_a_line_that_nobody_reads_loses_words_and_goes_on(line, asker):
    for _ in range(20_000):
        await line.do({"do": "noise"})
    while asker.hear():
        asker.heard = b""
        await asyncio.sleep(0)
    asker.say(READ_ALL)
    await soon(lambda: asker.hear().endswith(RIGHT))


async def test_alone_it_is_a_program(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulators.rtu_line", "--ids", "5", "6", "--link", str(tmp_path / "rtu1")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            ready = json.loads(await process.stdout.readline())
            assert ready == {"ready": "rtu_line", "endpoint": str(tmp_path / "rtu1")}
            assert json.loads(await process.stdout.readline()) == {"ready": "all"}
            process.stdin.write(b'{"do": "set", "id": 6, "input": 3, "on": true}\n')
            assert json.loads(await process.stdout.readline()) == {"done": 1}
            process.stdin.close()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_slow_unit_says_the_second_half_later():
    clock = ManualClock()
    line = RtuLine([Unit(5, [n in {0, 3} for n in range(8)])], clock=clock)
    await line.start()
    asker = Asker(line.endpoint)
    await line.do({"do": "fault", "id": 5, "fault": "slow", "by_s": 0.5})
    asker.say(READ_ALL)
    await asker.hears(RIGHT[: len(RIGHT) // 2])
    await clock.advance(0.5)
    await asker.hears(RIGHT[len(RIGHT) // 2 :])
    asker.close()
    await line.stop()


async def test_one_point_alone_is_refused(line, asker):
    await line.do({"do": "fault", "id": 5, "fault": "exception", "code": 6, "input": 3})
    asker.say(framed("05 02 0003 0001"))
    await asker.hears(framed("05 82 06"))
    asker.say(framed("05 02 0004 0001"))
    await asker.hears(framed("05 02 01 00"))


async def test_a_contact_of_a_unit_can_flap(line):
    await line.do({"do": "flap", "id": 5, "input": 0, "times": 1, "every_s": 0})
    await soon(lambda: not line._units[5].inputs[0])
    with pytest.raises(ValueError, match="input is a whole number from 0 to 7"):
        await line.do({"do": "flap", "id": 5, "input": 8})


async def test_a_talker_on_the_bus_speaks_unasked(line, asker):
    await line.do({"do": "talker"})
    await asker.hears(TALKER)
