"""Where a unit's talk goes: real sockets and a real pty."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from simulators.outlets import MOST_DATAGRAM_BYTES, outlet_of
from tests.soon import PATIENCE_S

TALK = [b"$GPZDA,1*70", b"$GPZDA,2*73"]


@pytest.fixture
def listener():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        port.settimeout(20)
        yield port


async def test_lines_of_one_turn_are_one_datagram(listener):
    outlet = outlet_of({"to": f"127.0.0.1:{listener.getsockname()[1]}"})
    await outlet.start()
    outlet.send(TALK)
    outlet.send([])
    outlet.drop()
    outlet.send(TALK[:1])
    assert listener.recv(9000) == b"$GPZDA,1*70\r\n$GPZDA,2*73\r\n"
    assert listener.recv(9000) == b"$GPZDA,1*70\r\n"
    await outlet.stop()
    await outlet.stop()


async def test_what_is_too_much_for_one_datagram_goes_in_several(listener):
    outlet = outlet_of({"to": f"127.0.0.1:{listener.getsockname()[1]}"})
    await outlet.start()
    outlet.send([b"x" * 80] * 40)
    datagrams = [listener.recv(9000) for _ in range(3)]
    assert b"".join(datagrams) == (b"x" * 80 + b"\r\n") * 40
    assert max(map(len, datagrams)) <= MOST_DATAGRAM_BYTES
    await outlet.stop()


async def test_a_free_udp_port_is_named_by_the_endpoint_and_stays_over_a_restart():
    outlet = outlet_of({"to": "127.0.0.1:0"})
    await outlet.start()
    endpoint = outlet.endpoint
    assert endpoint.startswith("udp://127.0.0.1:")
    assert not endpoint.endswith(":0")
    await outlet.stop()
    await outlet.start()
    assert outlet.endpoint == endpoint
    await outlet.stop()


async def test_talk_that_nobody_hears_is_lost(tmp_path):
    for settings in ({"to": "127.0.0.1:0"}, {"serial": True}, {}):
        outlet = outlet_of(settings)
        outlet.send(TALK)  # not started
        await outlet.start()
        for _ in range(1000):
            outlet.send(TALK)
        await outlet.stop()


async def test_a_serial_line_is_a_pty_and_its_link_goes_with_it(tmp_path):
    link = tmp_path / "g1"
    outlet = outlet_of({"link": str(link)})
    for _ in range(2):
        await outlet.start()
        assert outlet.endpoint == str(link)
        line = os.open(link, os.O_RDWR | os.O_NOCTTY)
        outlet.send(TALK)
        assert os.read(line, 4096) == b"$GPZDA,1*70\r\n$GPZDA,2*73\r\n"
        os.close(line)
        await outlet.stop()
        await outlet.stop()
        assert not link.is_symlink()


async def test_a_serial_line_without_a_link_is_named_by_its_pty():
    outlet = outlet_of({"serial": True})
    with pytest.raises(RuntimeError, match="once it is started"):
        outlet.endpoint  # noqa: B018
    await outlet.start()
    assert outlet.endpoint.startswith("/dev/pts/")
    outlet.drop()
    await outlet.stop()


async def test_a_tcp_server_serves_whoever_connects():
    outlet = outlet_of({})
    await outlet.start()
    host, _, port = outlet.endpoint.removeprefix("tcp://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    async with asyncio.timeout(PATIENCE_S):
        while not outlet.visits:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0)
        outlet.send(TALK)
        assert await reader.readline() == b"$GPZDA,1*70\r\n"
        await outlet.stop()
    writer.close()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"to": "127.0.0.1"}, "to is an address"),
        ({"to": ":10110"}, "to is an address"),
        ({"to": "127.0.0.1:65536"}, "to is an address"),
        ({"to": "127.0.0.1:x"}, "to is an address"),
        ({"to": 10110}, "to is an address"),
        ({"to": "127.0.0.1:0", "port": 1}, "not by tcp and udp"),
        ({"serial": True, "host": "127.0.0.1"}, "not by tcp and serial"),
        ({"serial": False}, "serial is true"),
        ({"link": "g1"}, "link is an absolute path"),
        ({"port": 65536}, "port is a whole number"),
    ],
)
def test_a_setting_that_cannot_be_says_why(settings, reason):
    with pytest.raises(ValueError, match=reason):
        outlet_of(settings)
