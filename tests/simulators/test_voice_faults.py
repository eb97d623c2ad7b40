"""A talker that misbehaves: what comes out of its port, by name; and the same plug pulled and put back."""

from __future__ import annotations

import os
import socket

import pytest

from simulators.heading import HeadingSimulator
from simulators.misread import misread, with_even_parity
from simulators.voice_faults import FAULTS, NOISE_BYTES, OTHERS, trouble_of
from tests.clocks import ManualClock
from tests.soon import soon

LINES = [b"$HETHS,20.0,A*1F"]
SAID = LINES[0] + b"\r\n"


def spoilt(turn=1, **command):
    return trouble_of({"do": "fault", **command}).spoilt(LINES, turn)


def test_every_fault_does_what_its_name_says():
    said = {
        "slow": SAID,
        "late": SAID,
        "bad_checksum": b"$HETHS,20.0,A*10\r\n",
        "cut": LINES[0][:8] + b"\r\n",
        "no_line_ends": LINES[0],
        "baud": misread(SAID, sent_baud=38400, read_baud=4800),
        "parity": with_even_parity(SAID),
        "other": OTHERS["ais"],
    }
    for fault, words in said.items():
        assert spoilt(2, fault=fault) == words, fault
    assert len(spoilt(fault="noise")) == NOISE_BYTES
    assert spoilt(fault="noisy").endswith(b"\r\n" + SAID)
    assert said.keys() | {"noise", "noisy"} == FAULTS.keys()


def test_a_slow_talker_says_nothing_in_between():
    assert [bool(spoilt(turn, fault="slow", every=3)) for turn in range(6)] == [
        True,
        False,
        False,
    ] * 2


@pytest.mark.parametrize("as_", OTHERS)
def test_another_device_is_whole(as_):
    said = spoilt(fault="other", **{"as": as_})
    if as_ != "modbus":
        body, _, checksum = said.strip()[1:].partition(b"*")
        total = 0
        for code in body:
            total ^= code
        assert int(checksum, 16) == total


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({}, "fault is one of bad_checksum"),
        ({"fault": "gremlin"}, "fault is one of bad_checksum"),
        ({"fault": "other", "as": "radar"}, "as is one of gnss"),
        ({"fault": "baud", "read_baud": 1}, "read_baud is a whole number"),
        ({"fault": "late", "by_s": -1}, "by_s is a time"),
        ({"fault": "slow", "every": 1}, "every is a whole number"),
        ({"fault": "cut", "half": True}, "unknown half"),
    ],
)
def test_a_wrong_fault_is_refused_with_its_reason(command, reason):
    with pytest.raises(ValueError, match=reason):
        spoilt(**command)


def test_the_same_speed_is_read_right_and_characters_end_within_their_time():
    assert misread(SAID, sent_baud=9600, read_baud=9600) == SAID
    # 0x55 at 9600 is a square wave of 4800 Hz: ten bits of it are five of 4800 baud.
    assert misread(b"\x55", sent_baud=9600, read_baud=4800) != b"\x55"
    assert misread(b"", sent_baud=9600, read_baud=4800) == b""
    # A sender of twice the speed has said two characters in the time of one.
    assert len(misread(b"U" * 100, sent_baud=19200, read_baud=9600)) <= 60


def test_parity_makes_each_count_of_ones_even():
    assert all(code.bit_count() % 2 == 0 for code in with_even_parity(SAID))


async def test_a_talker_is_spoilt_late_well_again_unplugged_and_put_back(tmp_path):
    clock = ManualClock()
    unit = HeadingSimulator("gyro", {"link": str(tmp_path / "gyro")}, clock)
    await unit.start()
    port = os.open(unit.endpoint, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)

    async def said(seconds=1.0):
        await clock.advance(seconds)
        heard = b""

        def hear():
            nonlocal heard
            try:
                heard += os.read(port, 4096)
            except BlockingIOError:
                return False
            return True

        await soon(hear)
        return heard

    assert await said(0.0) == SAID
    await unit.do({"do": "fault", "fault": "bad_checksum"})
    assert await said() == b"$HETHS,20.0,A*10\r\n"
    await unit.do({"do": "fault", "fault": "late", "by_s": 0.5})
    await clock.advance(1.0)
    with pytest.raises(BlockingIOError):
        os.read(port, 1)
    assert await said(0.5) == SAID
    await unit.do({"do": "clear"})
    assert SAID in await said()
    await unit.do({"do": "unplug"})
    await unit.do({"do": "unplug"})
    assert not (tmp_path / "gyro").exists()
    os.close(port)
    await unit.do({"do": "plug"})
    await unit.do({"do": "plug"})
    port = os.open(unit.endpoint, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    assert await said() == SAID
    os.close(port)
    await unit.stop()


async def test_noise_goes_by_udp_too():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(20)
        clock = ManualClock()
        unit = HeadingSimulator("gyro", {"to": f"127.0.0.1:{listener.getsockname()[1]}"}, clock)
        await unit.start()
        await unit.do({"do": "fault", "fault": "noise"})
        await clock.advance(1.0)
        assert NOISE_BYTES in {len(listener.recv(9000)), len(listener.recv(9000))}
        await unit.stop()


async def test_a_unit_of_a_network_names_itself_in_a_tag_block():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(20)
        to = f"127.0.0.1:{listener.getsockname()[1]}"
        clock = ManualClock()
        unit = HeadingSimulator("fog", {"to": to, "source": "HE0001"}, clock)
        await unit.start()
        await clock.advance(1.0)
        assert listener.recv(9000) == b"\\s:HE0001*45\\" + SAID
        await unit.stop()
    with pytest.raises(ValueError, match="source is a word"):
        HeadingSimulator("fog", {"source": "a b"}, clock)
