"""Links: what comes out of a port, and what happens when it goes away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import tty
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from daemon.drivers.links import (
    DISCARD_READS,
    OVERLONG,
    READ_BYTES,
    LineSplitter,
    Link,
    SerialLink,
    TcpLink,
    UdpLink,
    opened,
)
from daemon.errors import LinkError
from tests.soon import PATIENCE_S


class Device(BaseModel):
    model_config = ConfigDict(extra="forbid")

    link: Link


def tcp_to(listener: socket.socket) -> TcpLink:
    return TcpLink(kind="tcp", host="127.0.0.1", port=listener.getsockname()[1])


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def sender():
    """A device that sends datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind(("127.0.0.1", 0))
        yield device


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def udp():
    return UdpLink(kind="udp", port=free_udp_port(), host="127.0.0.1")


@pytest.fixture
def pty():
    """The two ends of a line: the device's, and the one that holds the port's name."""
    device, port = os.openpty()
    tty.setraw(port)
    yield device, port
    for descriptor in (device, port):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def times_open(path: str) -> int:
    """Count how many descriptors of this process lead to a file."""
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            count += str(entry.readlink()) == path
    return count


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r\n"])
def test_cr_lf_and_crlf_end_a_line(end):
    assert LineSplitter().feed(b"one" + end + b"two" + end) == [b"one", b"two"]


def test_a_line_is_held_until_its_end_comes():
    lines = LineSplitter()
    assert lines.feed(b"$GPG") == []
    assert lines.is_within_line
    assert lines.feed(b"GA\r") == [b"$GPGGA"]
    assert not lines.is_within_line
    assert lines.feed(b"\n") == []


@pytest.mark.parametrize("cut", range(1, 14))
def test_a_line_of_the_longest_length_passes_wherever_it_is_cut(cut):
    lines = LineSplitter(longest_bytes=10)
    text = b"0123456789\r\nx\n"
    assert lines.feed(text[:cut]) + lines.feed(text[cut:]) == [b"0123456789", b"x"]


@pytest.mark.parametrize("cut", range(1, 15))
def test_one_byte_more_is_skipped_to_its_end_and_told_in_its_place(cut):
    lines = LineSplitter(longest_bytes=10)
    text = b"0123456789A\r\nx\n"
    assert lines.feed(text[:cut]) + lines.feed(text[cut:]) == [OVERLONG, b"x"]


def test_an_endless_line_is_told_once_and_takes_no_memory():
    lines = LineSplitter(longest_bytes=10)
    out = [line for _ in range(1000) for line in lines.feed(b"x" * 100)]
    assert out == [OVERLONG]
    assert lines._pending == b""
    assert lines.feed(b"\r\nback\n") == [b"back"]


@given(st.lists(st.binary(max_size=40)), st.integers(1, 20))
def test_how_bytes_are_cut_into_reads_changes_nothing(chunks, longest):
    whole = LineSplitter(longest).feed(b"".join(chunks) + b"\n")
    lines = LineSplitter(longest)
    pieces = [line for chunk in [*chunks, b"\n"] for line in lines.feed(chunk)]
    assert pieces == whole
    assert all(len(line) <= longest for line in pieces)


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ({"kind": "tcp", "host": "10.0.0.1"}, "port"),
        ({"kind": "tcp", "host": "10.0.0.1", "port": 0}, "port"),
        ({"kind": "tcp", "host": "10.0.0.1", "port": 65536}, "port"),
        ({"kind": "tcp", "host": "", "port": 1}, "host"),
        ({"kind": "serial", "port": "ttyS0"}, "port"),
        ({"kind": "serial", "port": "/dev/ttyS0", "baud": 4801}, "baud"),
        ({"kind": "serial", "port": "/dev/ttyS0", "parity": "X"}, "parity"),
        ({"kind": "serial", "port": "/dev/ttyS0", "host": "a"}, "host"),
        ({"kind": "udp"}, "port"),
        ({"kind": "udp", "port": 0}, "port"),
        ({"kind": "udp", "port": 65536}, "port"),
        ({"kind": "udp", "port": 10110, "host": "bridge"}, "host"),
        ({"kind": "udp", "port": 10110, "host": "::"}, "host"),
        ({"kind": "udp", "port": 10110, "sender": "10.0.0.300"}, "sender"),
        ({"kind": "udp", "port": 60004, "group": "10.0.0.1"}, "group"),
        ({"kind": "ftp"}, "link"),
    ],
)
def test_a_wrong_link_names_its_place(link, place):
    with pytest.raises(ValidationError) as caught:
        Device.model_validate({"link": link})
    assert caught.value.errors()[0]["loc"][-1] == place


def test_a_serial_port_is_4800_8n1_where_nothing_is_said():
    link = Device.model_validate({"link": {"kind": "serial", "port": "/dev/ttyS0"}}).link
    assert link == SerialLink(
        kind="serial", port="/dev/ttyS0", baud=4800, data_bits=8, parity="N", stop_bits=1
    )


async def test_tcp_bytes_come_and_the_end_is_a_link_error(listener):
    async with opened(tcp_to(listener)) as source:
        device, _ = listener.accept()
        with device:
            device.sendall(b"$GPGGA\r\n")
            async with asyncio.timeout(PATIENCE_S):
                assert await source.read() == b"$GPGGA\r\n"
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(LinkError, match="closed by the other side"):
                await source.read()


async def test_a_reset_is_a_link_error(listener):
    async with opened(tcp_to(listener)) as source:
        device, _ = listener.accept()
        device.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        device.close()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(LinkError, match="reset"):
                await source.read()


async def test_a_refused_connection_names_the_link():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        link = tcp_to(gone)
    with pytest.raises(LinkError, match=rf"tcp 127\.0\.0\.1:{link.port}: Connect"):
        async with opened(link):
            raise AssertionError("nobody is there")


async def test_an_unknown_host_is_a_link_error(monkeypatch):
    async def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(LinkError, match="tcp moxa:1: Name or service not known"):
        async with opened(TcpLink(kind="tcp", host="moxa", port=1)):
            raise AssertionError("nobody is there")


async def test_a_host_that_can_be_no_name_is_a_link_error():
    with pytest.raises(LinkError, match=r"tcp a{64}:1: .*too long"):
        async with opened(TcpLink(kind="tcp", host="a" * 64, port=1)):
            raise AssertionError("nobody is there")


async def test_a_device_that_does_not_answer_is_a_link_error_within_its_time(monkeypatch):
    async def never(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    link = TcpLink(kind="tcp", host="127.0.0.1", port=1, connect_timeout_s=0.01)
    with pytest.raises(LinkError, match=r"no answer within 0\.01 s"):
        async with opened(link):
            raise AssertionError("nobody is there")


async def test_bytes_that_come_while_nobody_reads_wait_for_the_next_read(listener):
    async with opened(tcp_to(listener)) as source:
        device, _ = listener.accept()
        with device:
            device.sendall(b"1")
            async with asyncio.timeout(PATIENCE_S):
                await source.read()
            device.sendall(b"2")
            async with asyncio.timeout(PATIENCE_S):
                while source._is_watched:  # noqa: ASYNC110 (what the loop stops by itself)
                    await asyncio.sleep(0)
            async with asyncio.timeout(PATIENCE_S):
                assert await source.read() == b"2"


async def test_discard_takes_what_has_come_and_nothing_later(listener):
    async with opened(tcp_to(listener)) as source:
        device, _ = listener.accept()
        with device:
            device.sendall(b"old")
            await readable(source)
            source.discard()
            device.sendall(b"new")
            async with asyncio.timeout(PATIENCE_S):
                assert await source.read() == b"new"


async def readable(source) -> None:
    """Return when bytes have come, without taking them."""
    came = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(source._descriptor, came.set)
    async with asyncio.timeout(PATIENCE_S):
        await came.wait()
    loop.remove_reader(source._descriptor)


async def test_discard_does_not_wait_for_a_flood_to_end(listener, monkeypatch):
    async with opened(tcp_to(listener)) as source:
        reads = []
        monkeypatch.setattr(os, "read", lambda *_: reads.append(1) or b"x" * READ_BYTES)
        source.discard()
        monkeypatch.undo()
        assert len(reads) == DISCARD_READS


async def test_discard_leaves_the_news_of_a_lost_link_to_the_next_read(listener, pty):
    async with opened(tcp_to(listener)) as source:
        listener.accept()[0].close()
        await readable(source)
        source.discard()
        with pytest.raises(LinkError):
            await source.read()


async def test_a_serial_port_is_read_exclusive_and_closed_after(pty):
    device, port = pty
    path = os.ttyname(port)
    link = SerialLink(kind="serial", port=path)
    async with opened(link) as source:
        assert times_open(path) == 2
        os.write(device, b"hello")
        async with asyncio.timeout(PATIENCE_S):
            assert await source.read() == b"hello"
        with pytest.raises(LinkError, match=f"serial {path}: Resource temporarily unavailable"):
            async with opened(link):
                raise AssertionError("it is ours")
    assert times_open(path) == 1


async def test_a_serial_port_that_hangs_up_is_a_link_error(pty):
    device, port = pty
    async with opened(SerialLink(kind="serial", port=os.ttyname(port))) as source:
        os.close(device)
        source.discard()  # of a line that has gone: no error here
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(LinkError):
                await source.read()


async def test_a_flushed_serial_port_starts_with_what_comes_after(pty):
    device, port = pty
    async with opened(SerialLink(kind="serial", port=os.ttyname(port))) as source:
        os.write(device, b"old")
        await readable(source)
        source.discard()
        os.write(device, b"new")
        async with asyncio.timeout(PATIENCE_S):
            assert await source.read() == b"new"


async def test_seven_bit_characters_lose_a_parity_bit_that_a_converter_left(pty):
    device, port = pty
    link = SerialLink(kind="serial", port=os.ttyname(port), data_bits=7, parity="E")
    async with opened(link) as source:
        even = bytes(code | (code.bit_count() % 2) << 7 for code in b"SECURITY")
        assert even != b"SECURITY"
        os.write(device, even)
        async with asyncio.timeout(PATIENCE_S):
            assert await source.read() == b"SECURITY"


async def test_no_such_port_is_a_link_error_with_its_path(tmp_path):
    path = str(tmp_path / "ttyUSB0")
    with pytest.raises(LinkError, match=f"serial {path}: No such file or directory"):
        async with opened(SerialLink(kind="serial", port=path)):
            raise AssertionError("there is none")


async def test_a_file_that_is_no_port_is_a_link_error(tmp_path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(LinkError, match=f"serial {path}: "):
        async with opened(SerialLink(kind="serial", port=str(path))):
            raise AssertionError("it is a file")


@pytest.mark.parametrize("fails", [False, True])
async def test_a_port_that_opens_after_nobody_waits_is_closed_again(pty, monkeypatch, fails):
    _, port = pty
    path = os.ttyname(port)
    entered, go_on = threading.Event(), threading.Event()
    real_open = serial.Serial.open

    def slow_open(self):
        entered.set()
        go_on.wait(5)
        if fails:
            raise serial.SerialException("unplugged")
        real_open(self)

    monkeypatch.setattr(serial.Serial, "open", slow_open)

    async def open_it():
        async with opened(SerialLink(kind="serial", port=path)):
            raise AssertionError("nobody waits for it")

    task = asyncio.create_task(open_it())
    await asyncio.to_thread(entered.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    for _ in range(5):
        await asyncio.sleep(0)
    assert times_open(path) == 1


def test_a_udp_port_listens_on_every_address_where_nothing_is_said():
    link = Device.model_validate({"link": {"kind": "udp", "port": 10110}}).link
    assert (str(link.host), link.sender, link.name) == ("0.0.0.0", None, "udp 0.0.0.0:10110")


async def read_one(source) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await source.read()


async def test_each_datagram_comes_by_itself_and_ends_its_last_line(udp, sender):
    async with opened(udp) as source:
        for datagram in (b"$GPGGA\r\n$GPRMC\r\n", b"$GPG", b"$GPZDA\r\n"):
            sender.sendto(datagram, ("127.0.0.1", udp.port))
        lines = LineSplitter()
        read = [lines.feed(await read_one(source)) for _ in range(3)]
    assert read == [[b"$GPGGA", b"$GPRMC"], [b"$GPG"], [b"$GPZDA"]]


async def test_the_header_of_a_shipboard_network_is_skipped_once(udp, sender):
    async with opened(udp) as source:
        sender.sendto(b"UdPbC\0UdPbC\0x\r\n", ("127.0.0.1", udp.port))
        assert await read_one(source) == b"UdPbC\0x\r\n\n"


async def test_empty_datagrams_are_no_end_of_the_link(udp, sender):
    async with opened(udp) as source:
        for datagram in (b"", b"UdPbC\0", b"x"):
            sender.sendto(datagram, ("127.0.0.1", udp.port))
        assert await read_one(source) == b"x\n"


async def test_datagrams_of_other_hosts_are_not_read_where_a_sender_is_named(udp, sender):
    link = udp.model_copy(update={"sender": IPv4Address("127.0.0.2")})
    async with opened(link) as source:
        sender.sendto(b"from 127.0.0.1", ("127.0.0.1", link.port))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            device.bind(("127.0.0.2", 0))
            device.sendto(b"from 127.0.0.2", ("127.0.0.1", link.port))
        assert await read_one(source) == b"from 127.0.0.2\n"


async def test_a_datagram_that_is_too_long_is_cut_and_the_next_one_is_read(udp, sender):
    async with opened(udp) as source:
        sender.sendto(b"x" * (READ_BYTES + 1000), ("127.0.0.1", udp.port))
        sender.sendto(b"next", ("127.0.0.1", udp.port))
        assert await read_one(source) == b"x" * (READ_BYTES - 1) + b"\n"
        assert await read_one(source) == b"next\n"


async def test_discarding_leaves_no_datagram_though_one_is_empty(udp, sender):
    async with opened(udp) as source:
        for datagram in (b"old", b"", *[b"older"] * (DISCARD_READS + 1)):
            sender.sendto(datagram, ("127.0.0.1", udp.port))
        source.discard()
        sender.sendto(b"new", ("127.0.0.1", udp.port))
        assert await read_one(source) == b"new\n"


async def test_a_udp_port_that_is_taken_is_a_link_error_and_is_free_after(udp):
    async with opened(udp):
        with pytest.raises(LinkError, match=f"udp 127.0.0.1:{udp.port}: Address already in use"):
            async with opened(udp):
                pass
    async with opened(udp):
        pass


async def test_a_multicast_group_is_joined_and_others_may_listen_too(udp, sender):
    link = udp.model_copy(update={"group": IPv4Address("239.192.0.4")})
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, udp.host.packed)
    async with opened(link) as source, opened(link) as other:
        sender.sendto(b"to this computer alone", ("127.0.0.1", udp.port))
        sender.sendto(b"UdPbC\0to the group", ("239.192.0.4", udp.port))
        assert await read_one(source) == await read_one(other) == b"to the group\n"


async def test_a_group_on_a_network_that_is_not_there_is_a_link_error(udp):
    link = udp.model_copy(
        update={"group": IPv4Address("239.192.0.4"), "host": IPv4Address("192.0.2.1")}
    )
    with pytest.raises(LinkError, match=f"udp 239.192.0.4:{udp.port}: No such device"):
        async with opened(link):
            pass
