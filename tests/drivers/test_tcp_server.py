"""A device that connects to us: who may, one at a time, and what when it comes back."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections import Counter
from contextlib import asynccontextmanager

import pytest
from pydantic import TypeAdapter, ValidationError

from daemon.drivers.api import Health, Shared
from daemon.drivers.links import Link, TcpServerLink, opened
from daemon.drivers.party_line import party_line
from daemon.drivers.ports import KEEPALIVE_AFTER_S
from daemon.drivers.tcp_server import BACKLOG
from daemon.errors import LinkError
from tests.soon import PATIENCE_S

LINK = TypeAdapter(Link)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def link() -> TcpServerLink:
    return LINK.validate_python({"kind": "tcp_server", "port": free_port()})


def connected(link: TcpServerLink, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), 5, (address, 0))


async def heard(source) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await source.read()


async def until(holds) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)


@asynccontextmanager
async def reading(source):
    """Read in the background, as a driver does."""
    task = asyncio.create_task(source.read())
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_a_device_that_connects_says_is_read(link):
    async with opened(link) as source:
        assert source.silence() == f"nobody has connected to tcp_server 127.0.0.1:{link.port}"
        async with reading(source) as task:
            with connected(link) as device:
                device.sendall(b"$GPGGA\r\n")
                async with asyncio.timeout(PATIENCE_S):
                    assert await task == b"$GPGGA\r\n"
        assert source.silence() is None


async def test_a_device_that_goes_is_a_link_error(link):
    async with opened(link) as source:
        with connected(link) as device:
            device.sendall(b"x")
            assert await heard(source) == b"x"
        with pytest.raises(LinkError, match=f"{link.port}: closed by the other side"):
            await heard(source)


async def test_only_the_senders_may_connect_and_the_others_are_counted(link):
    link = link.model_copy(
        update={
            "senders": LINK.validate_python({**link.model_dump(), "senders": ["127.0.0.2"]}).senders
        }
    )
    health = Health()
    async with opened(link, health) as source:
        with connected(link) as stranger:
            stranger.settimeout(20)
            assert await asyncio.to_thread(stranger.recv, 1) == b""
        assert health.dropped == {"client": 1}
        with connected(link, "127.0.0.2") as device:
            device.sendall(b"mine")
            assert await heard(source) == b"mine"


async def test_who_knocks_again_and_again_gets_little_of_our_time(link, monkeypatch):
    link = link.model_copy(update={"senders": (link.host + 1,)})
    later = []
    loop = asyncio.get_running_loop()
    health = Health()
    async with opened(link, health):
        monkeypatch.setattr(
            loop,
            "call_later",
            lambda *given: later.append(given) or asyncio.Handle(print, (), loop),
        )
        strangers = [connected(link) for _ in range(3)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(later) == 1
        counted = health.dropped["client"]
        strangers += [connected(link) for _ in range(3)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert health.dropped["client"] == counted
        monkeypatch.undo()
        later[0][1]()  # the pause is over
        await until(lambda: health.dropped["client"] == len(strangers))
        for stranger in strangers:
            stranger.close()


async def test_whoever_connects_last_is_read_and_the_first_is_told_nothing(link):
    """A device that lost its power comes back while its old connection still looks alive."""
    health = Health()
    line = party_line(link, Shared())
    with connected_later() as old, connected_later() as new:
        async with line.listened(health) as ear:
            old.connect(("127.0.0.1", link.port))
            old.sendall(b"old")
            assert await heard(ear) == b"old"
            async with reading(ear) as task:
                new.connect(("127.0.0.1", link.port))
                with pytest.raises(LinkError, match="another connection took its place"):
                    async with asyncio.timeout(PATIENCE_S):
                        await task
        assert health.noticed == {"client_replaced": 1}
        async with line.listened(health) as ear:
            new.sendall(b"new")
            assert await heard(ear) == b"new"


def connected_later() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


async def test_between_two_runs_the_port_stays_open_and_what_was_said_meanwhile_is_old(link):
    line = party_line(link, Shared())
    async with line.listened():
        pass
    with connected(link) as device:
        device.sendall(b"$OLD\r\n")
        async with line.listened() as ear, reading(ear) as task:
            device.sendall(b"$NEW\r\n")
            async with asyncio.timeout(PATIENCE_S):
                assert await task == b"$NEW\r\n"


async def test_the_link_of_one_reader_alone_is_closed_with_it(link):
    """So an SSAS unit's port is not open outside a test window."""
    async with opened(link):
        connected(link).close()
    with pytest.raises(ConnectionRefusedError):
        connected(link)


async def test_discard_throws_away_what_the_client_has_sent_and_needs_none(link):
    async with opened(link) as source:
        source.discard()
        with connected(link) as device:
            device.sendall(b"first")
            assert await heard(source) == b"first"
            device.sendall(b"old")
            await until(lambda: peeked(source) == b"old")
            source.discard()
            device.sendall(b"new")
            assert await heard(source) == b"new"


def peeked(source) -> bytes:
    try:
        return source._client.recv(100, socket.MSG_PEEK)
    except BlockingIOError:
        return b""


async def test_several_devices_behind_one_multiplexer_hear_it_all(link):
    shared = Shared()
    first, second = party_line(link, shared), party_line(link, shared)
    async with first.listened() as gps, second.listened() as compass:
        with connected(link) as multiplexer:
            multiplexer.sendall(b"both\r\n")
            assert await asyncio.gather(heard(gps), heard(compass)) == [b"both\r\n"] * 2


async def test_a_port_that_is_taken_is_a_link_error_and_is_free_after(link):
    async with opened(link):
        with pytest.raises(
            LinkError, match=f"tcp_server 127.0.0.1:{link.port}: Address already in use"
        ):
            async with opened(link):
                pass
    async with opened(link):
        pass


async def test_a_client_that_vanishes_is_asked_whether_it_is_there(link):
    async with opened(link) as source:
        with connected(link):
            await until(lambda: source._client is not None)
            said = Counter(
                keep=source._client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                idle=source._client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            )
    assert said == {"keep": 1, "idle": KEEPALIVE_AFTER_S}


async def test_a_crowd_is_taken_in_turns_and_the_last_is_kept(link):
    health = Health()
    async with opened(link, health):
        crowd = [connected(link) for _ in range(BACKLOG)]
        await until(lambda: health.noticed.get("client_replaced") == BACKLOG - 1)
        for each in crowd:
            each.settimeout(20)
        # The first is read until the reader has heard that he was replaced; the last waits for the next.
        gone = [await asyncio.to_thread(each.recv, 1) for each in crowd[1:-1]]
        assert gone == [b""] * (BACKLOG - 2)
        for each in crowd:
            each.close()


async def test_a_port_that_nobody_closed_is_closed_with_its_line(link):
    line = party_line(link, Shared())
    async with line.listened():
        pass
    del line
    gc.collect()
    with pytest.raises(ConnectionRefusedError):
        connected(link)


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"port": 0}, "port"),
        ({"host": "0.0.0.0"}, "senders"),
        ({"host": "192.168.60.5", "senders": []}, "senders"),
        ({"senders": ["192.168.60.0/24"]}, 0),
        ({"senders": ["10.0.0.1"] * 17}, "senders"),
        ({"connect_timeout_s": 1}, "connect_timeout_s"),
    ],
)
def test_a_wrong_setting_names_its_place(changed, place):
    with pytest.raises(ValidationError) as caught:
        LINK.validate_python({"kind": "tcp_server", "port": 10110, **changed})
    assert caught.value.errors()[0]["loc"][-1] == place


def test_it_listens_to_this_computer_alone_unless_told_otherwise():
    link = LINK.validate_python({"kind": "tcp_server", "port": 10110})
    assert (str(link.host), link.senders) == ("127.0.0.1", ())
    given = {"kind": "tcp_server", "port": 1, "host": "192.168.60.5", "senders": ["192.168.60.9"]}
    assert LINK.validate_python(given).name == "tcp_server 192.168.60.5:1"
