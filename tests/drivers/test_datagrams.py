"""Datagrams of a shipboard network: headers, system function ids, groups, and silence with a reason."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address

import pytest

from daemon.drivers.api import Health
from daemon.drivers.datagrams import MOST_SFIS, SFI_MEMORY_S, Sfis, unwrap
from daemon.drivers.links import UdpLink, opened
from daemon.drivers.tally import Refused
from tests.soon import PATIENCE_S

IP_MULTICAST_ALL = 49
LINE = rb"\s:GP0001,n:1*33\$GPGGA,1*67"


@pytest.mark.parametrize(
    ("datagram", "wanted", "optional"),
    [
        (b"UdPbC\0$GPGGA\r\n", b"$GPGGA\r\n", b"$GPGGA\r\n"),
        (b"$GPGGA\r\n", Refused.NO_HEADER, b"$GPGGA\r\n"),
        (b"UdPbC$GPGGA\r\n", Refused.NO_HEADER, b"UdPbC$GPGGA\r\n"),
        (b"RaUdP\0\1\2\3", Refused.BINARY, Refused.BINARY),
        (b"RrUdP\0\1\2\3", Refused.BINARY, Refused.BINARY),
        (b"NkPgN\0\1\2\3", Refused.BINARY, Refused.BINARY),
        (b"UdPbC\0", b"", b""),
        (b"", b"", b""),
    ],
)
def test_a_header_is_taken_off_and_binary_datagrams_are_refused(datagram, wanted, optional):
    assert unwrap(datagram, header_required=True) == wanted
    assert unwrap(datagram, header_required=False) == optional


def counted(*said: tuple[str, float], line: bytes = LINE) -> list[int]:
    sfis = Sfis()
    return [sfis.duplicates(line, address, at_s) for address, at_s in said]


def test_one_id_from_two_addresses_by_turns_is_noticed():
    assert counted(("a", 0.0), ("b", 1.0), ("a", 2.0), ("b", 3.0), ("b", 4.0)) == [0, 0, 1, 1, 0]


def test_a_device_that_was_given_another_address_is_no_duplicate():
    assert counted(("a", 0.0), ("b", 1.0), ("b", 2.0), ("b", 3.0)) == [0, 0, 0, 0]


def test_an_address_that_comes_back_after_long_is_no_duplicate():
    assert counted(("a", 0.0), ("b", 1.0), ("a", SFI_MEMORY_S + 0.1)) == [0, 0, 0]
    assert counted(("a", 0.0), ("b", 1.0), ("a", SFI_MEMORY_S)) == [0, 0, 1]


def test_other_ids_have_their_own_senders():
    sfis = Sfis()
    other = LINE.replace(b"GP0001", b"GP0002")
    said = [(LINE, "a"), (other, "b"), (LINE, "a"), (other, "b"), (LINE + b"\r\n" + other, "a")]
    assert [sfis.duplicates(line, who, at) for at, (line, who) in enumerate(said)] == [0] * 5
    assert sfis.duplicates(LINE + b"\r\n" + other, "b", 6.0) == 1


@pytest.mark.parametrize(
    "line",
    [rb"\g:1-2-73,s:AI0001,n:157*2b\!AIVDM,1*00", rb"\s:AI0001*2b\!AIVDM,1*00", b"x\r\n" + LINE],
)
def test_the_id_is_found_wherever_it_stands_in_the_tag_block(line):
    assert counted(("a", 0.0), ("b", 1.0), ("a", 2.0), line=line) == [0, 0, 1]


def test_a_flood_of_ids_is_forgotten_from_the_oldest():
    sfis = Sfis()
    for number in range(MOST_SFIS + 10):
        sfis.duplicates(rb"\s:%d*00\x" % number, "a", 0.0)
        sfis.duplicates(rb"\s:%d*00\x" % number, "b", 0.0)
    assert len(sfis._senders) == MOST_SFIS
    for number in range(100):
        sfis.duplicates(LINE, str(number), 1.0)
    assert max(map(len, sfis._senders.values())) == 2


@pytest.fixture
def udp() -> UdpLink:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return UdpLink(kind="udp", port=probe.getsockname()[1], host="127.0.0.1")


def device(address: str = "127.0.0.1") -> socket.socket:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((address, 0))
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    return sender


async def heard(source) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await source.read()


async def test_what_a_port_hands_to_nobody_is_counted(udp):
    health = Health()
    link = udp.model_copy(update={"header": "required"})
    async with opened(link, health) as source:
        with device() as sender:
            for datagram in (b"RaUdP\0x", b"RrUdP\0x", b"$GPGGA", b"UdPbC\0one\r\ntwo\r\n"):
                sender.sendto(datagram, ("127.0.0.1", link.port))
            assert await heard(source) == b"one\r\ntwo\r\n\n"
    assert (health.dropped, health.noticed) == ({"binary": 2, "no_header": 1}, {})


async def test_two_devices_with_one_system_function_id_are_noticed_and_read(udp):
    health = Health()
    async with opened(udp, health) as source:
        with device() as one, device("127.0.0.2") as other:
            for sender in (one, other, one):
                sender.sendto(b"UdPbC\0" + LINE, ("127.0.0.1", udp.port))
                assert await heard(source) == LINE + b"\n"
    assert health.noticed == {"duplicate_sfi": 1}


async def test_a_group_that_never_spoke_says_what_to_look_at(udp):
    link = udp.model_copy(update={"group": IPv4Address("239.192.0.4")})
    async with opened(link) as source:
        assert "239.192.0.4 at all: check IGMP snooping" in source.silence()
        with device() as sender:
            sender.sendto(b"UdPbC\0x", ("239.192.0.4", udp.port))
            await heard(source)
        assert source.silence() is None


async def test_a_port_where_only_others_send_says_so(udp):
    link = udp.model_copy(update={"sender": IPv4Address("127.0.0.2")})
    async with opened(link) as source:
        assert source.silence() == "no datagram has come to the port"
        reading = asyncio.ensure_future(source.read())
        with device() as stranger, device("127.0.0.2") as ours:
            stranger.sendto(b"x", ("127.0.0.1", udp.port))
            async with asyncio.timeout(PATIENCE_S):
                while "none from 127.0.0.2" not in source.silence():  # noqa: ASYNC110 (nothing tells)
                    await asyncio.sleep(0)
            ours.sendto(b"y", ("127.0.0.1", udp.port))
            async with asyncio.timeout(PATIENCE_S):
                assert await reading == b"y\n"
        assert source.silence() is None


async def test_a_group_that_another_program_joined_elsewhere_is_not_heard(udp):
    """Linux gives a port what any program on the computer has joined, on any network, unless told not to."""
    async with opened(udp.model_copy(update={"group": IPv4Address("239.192.0.4")})) as source:
        option = socket.socket(fileno=socket.dup(source._descriptor))
        with option:
            assert option.getsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL) == 0
