"""A feed that never stops talking is read in gathers, and any other at once."""

from __future__ import annotations

import asyncio
import os
import socket
import tty

import pytest

from daemon.drivers.byte_source import GATHERED_DATAGRAMS, READ_BYTES
from daemon.drivers.gathering import BUSY_S, FULL_BYTES, GATHER_S
from daemon.drivers.links import SerialLink, TcpLink, UdpLink, opened
from daemon.errors import LinkError
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S


class RestingClock(ManualClock):
    """A clock that tells of each rest, and lets a test say what comes during it."""

    def __init__(self):
        super().__init__()
        self.rests = []
        self.meanwhile = list

    async def pause(self, seconds):
        self.rests.append(seconds)
        self.meanwhile()
        await super().pause(seconds)


@pytest.fixture
def clock():
    return RestingClock()


@pytest.fixture
async def stream(clock):
    """What is read of a device, and the device."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = TcpLink(kind="tcp", host="127.0.0.1", port=listener.getsockname()[1])
        async with opened(link, clock=clock) as source:
            device, _ = listener.accept()
            with device:
                yield source, device


@pytest.fixture
async def datagrams(clock):
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device,
    ):
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        device.connect(("127.0.0.1", port))
        link = UdpLink(kind="udp", port=port, host="127.0.0.1")
        async with opened(link, clock=clock) as source:
            yield source, device


async def read(source):
    async with asyncio.timeout(PATIENCE_S):
        return await source.read()


async def test_a_feed_that_speaks_now_and_then_is_read_at_once(stream, clock):
    source, device = stream
    for number in range(4):
        device.sendall(b"%d" % number)
        assert await read(source) == b"%d" % number
        await clock.advance(BUSY_S + 0.001)
    assert clock.rests == []


async def test_what_a_busy_feed_says_during_a_rest_is_one_read(stream, clock):
    source, device = stream
    for word in (b"a", b"b"):
        device.sendall(word)
        assert await read(source) == word
    clock.meanwhile = lambda: [device.sendall(word) for word in (b"c", b"d", b"e")]
    assert await read(source) == b"cde"
    assert clock.rests == [GATHER_S]


async def test_nothing_wakes_a_source_that_rests(stream, clock):
    source, device = stream
    for word in (b"a", b"b"):
        device.sendall(word)
        await read(source)
    assert not asyncio.get_running_loop().remove_reader(source._descriptor)


async def test_a_feed_that_falls_silent_is_read_at_once_again(stream, clock):
    source, device = stream
    for word in (b"a", b"b"):
        device.sendall(word)
        await read(source)
    reading = asyncio.ensure_future(read(source))
    await clock.advance(10.0)
    device.sendall(b"c")
    assert await reading == b"c"
    await clock.advance(10.0)
    device.sendall(b"d")
    assert await read(source) == b"d"
    assert clock.rests == [GATHER_S]


async def test_a_serial_port_that_falls_silent_has_not_gone(clock):
    device, port = os.openpty()
    tty.setraw(port)
    link = SerialLink(kind="serial", port=os.ttyname(port))
    try:
        async with opened(link, clock=clock) as source:
            for word in (b"$GPGGA,0", b"21000.00", b",5129.00"):
                os.write(device, word)
                assert await read(source) == word
            reading = asyncio.ensure_future(read(source))
            await clock.advance(10.0)
            assert not reading.done()
            os.write(device, b"$GPRMC,0")
            assert await reading == b"$GPRMC,0"
    finally:
        os.close(device)
        os.close(port)


async def test_a_flood_is_not_waited_for_but_lets_others_have_their_turn(stream, clock):
    source, device = stream
    flood = b"x" * (4 * READ_BYTES)
    device.sendall(flood)
    heard, turns = b"", 0

    async def turn():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(turn())
    while len(heard) < len(flood):
        before = turns
        part = await read(source)
        assert turns > before
        heard += part
    other.cancel()
    assert heard == flood
    assert clock.rests
    assert set(clock.rests) == {0.0}


async def test_who_goes_during_a_rest_is_said_and_loses_nothing(stream, clock):
    source, device = stream
    for word in (b"a", b"b"):
        device.sendall(word)
        await read(source)

    def last():
        clock.meanwhile = list
        device.sendall(b"c")
        device.close()

    clock.meanwhile = last
    assert await read(source) == b"c"
    for _ in range(2):
        with pytest.raises(LinkError, match="closed by the other side"):
            await read(source)


async def test_datagrams_of_a_rest_are_one_read_each_with_its_end(datagrams, clock):
    source, device = datagrams
    for word in (b"a", b"b"):
        device.send(word)
        assert await read(source) == word + b"\n"
    clock.meanwhile = lambda: [device.send(word) for word in (b"c", b"", b"d")]
    assert await read(source) == b"c\nd\n"


async def test_datagrams_without_end_are_taken_some_at_a_time(datagrams, clock):
    source, device = datagrams
    word = b"x" * 40
    for _ in range(2):
        device.send(word)
        await read(source)
    many = GATHERED_DATAGRAMS + 64
    for _ in range(many):
        device.send(word)
    heard = b""
    while len(heard) < many * 41:
        part = await read(source)
        assert len(part) <= READ_BYTES + 41
        heard += part
    assert heard == many * (word + b"\n")
    assert GATHERED_DATAGRAMS * 41 > FULL_BYTES, "so none of these rests is one"
    assert clock.rests.count(GATHER_S) <= 2
