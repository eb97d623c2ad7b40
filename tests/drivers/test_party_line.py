"""Several devices on one port: each hears everything, and none holds up another."""

from __future__ import annotations

import asyncio
import socket

import pytest

from daemon.drivers.api import Shared
from daemon.drivers.links import TcpLink, UdpLink
from daemon.drivers.party_line import MOST_UNREAD, party_line
from daemon.errors import LinkError
from tests.soon import PATIENCE_S


@pytest.fixture
def sender():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        yield device


@pytest.fixture
def link():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return UdpLink(kind="udp", port=port, host="127.0.0.1")


def to(link):
    return "127.0.0.1", link.port


async def both(*reads):
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.gather(*reads)


def test_devices_with_the_same_link_have_the_same_line_and_others_their_own(link):
    shared = Shared()
    line = party_line(link, shared)
    assert party_line(link.model_copy(), shared) is line
    assert party_line(link.model_copy(update={"port": 1}), shared) is not line
    assert party_line(link, Shared()) is not line


async def test_every_listener_hears_every_datagram_in_order(link, sender):
    line = party_line(link, Shared())
    async with line.listened() as first, line.listened() as second:
        for number in range(3):
            sender.sendto(b"%d" % number, to(link))
        heard = await both(*(first.read() for _ in range(3)), *(second.read() for _ in range(3)))
    assert heard == [b"0\n", b"1\n", b"2\n"] * 2


async def test_one_who_leaves_while_he_reads_for_all_leaves_the_others_hearing(link, sender):
    line = party_line(link, Shared())

    async def listen():
        async with line.listened() as ear:
            await ear.read()

    leader = asyncio.create_task(listen())
    async with line.listened() as other:
        waiting = asyncio.create_task(other.read())
        while not line._turn.locked():  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0)
        leader.cancel()
        await asyncio.gather(leader, return_exceptions=True)
        sender.sendto(b"x", to(link))
        assert await both(waiting) == [b"x\n"]


async def test_the_last_one_closes_the_port_and_the_next_one_opens_it_again(link, sender):
    line = party_line(link, Shared())
    async with line.listened() as first:
        async with line.listened():
            pass
        sender.sendto(b"still open", to(link))
        assert await both(first.read()) == [b"still open\n"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(to(link))
    async with line.listened() as again:
        sender.sendto(b"new", to(link))
        assert await both(again.read()) == [b"new\n"]


async def test_one_who_does_not_keep_up_loses_his_oldest_and_holds_up_nobody(link, sender):
    line = party_line(link, Shared())
    async with line.listened() as slow, line.listened() as quick:
        for number in range(MOST_UNREAD + 2):
            sender.sendto(b"%d" % number, to(link))
            assert await both(quick.read()) == [b"%d\n" % number]
        assert await both(slow.read()) == [b"2\n"]


async def test_each_listener_is_told_that_the_other_side_has_gone():
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = TcpLink(kind="tcp", host="127.0.0.1", port=server.getsockname()[1])
        line = party_line(link, Shared())
        async with line.listened() as first, line.listened() as second:
            device, _ = server.accept()
            device.close()
            for ear in (first, second):
                with pytest.raises(LinkError, match="closed by the other side"):
                    await both(ear.read())


async def test_a_port_that_cannot_be_opened_is_told_to_each_who_tries(link):
    line = party_line(link, Shared())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(to(link))
        for _ in range(2):
            with pytest.raises(LinkError, match="Address already in use"):
                async with line.listened():
                    pass
    async with line.listened():
        pass
