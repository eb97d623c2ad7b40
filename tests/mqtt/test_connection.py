"""One connection: each trap of paho 2.2, and each way in which a broker can end it."""

from __future__ import annotations

import asyncio
import gc
import re
import struct
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt.client import Client

from daemon.errors import LinkError
from daemon.mqtt.connection import WINDOW, Connection
from daemon.mqtt.wire import Broker, PublishRefusedError, Will
from tests.brokers import address, free_port
from tests.mqtt.harness import Dashboard, connected
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from daemon.mqtt.embedded import EmbeddedBroker

    Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CONNACK = bytes.fromhex("2003000000")
DESCRIPTORS = Path("/proc/self/fd")


@asynccontextmanager
async def scripted(talk: Talk) -> AsyncIterator[Broker]:
    """A broker that does exactly what a test says, after it has read the CONNECT."""
    visitors = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append(asyncio.current_task())
        try:
            await packet(reader)
            await talk(reader, writer)
            await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Broker(port=server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for visitor in visitors:
            visitor.cancel()
        await asyncio.gather(*visitors, return_exceptions=True)


async def packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a packet of less than 128 bytes, or of two length bytes."""
    head, length = await reader.readexactly(2)
    if length & 0x80:
        length = (length & 0x7F) + 128 * (await reader.readexactly(1))[0]
    return head, await reader.readexactly(length)


def message_id(publish: bytes) -> bytes:
    (topic_length,) = struct.unpack_from("!H", publish)
    return publish[2 + topic_length : 4 + topic_length]


async def test_nothing_is_taken_before_or_after_the_connection_so_nothing_is_sent_late(
    broker: EmbeddedBroker,
) -> None:
    async with connected(address(broker), "watch") as watch:
        page = Dashboard(watch)
        collecting = asyncio.create_task(page.collect())
        await watch.subscribe("t/#")
        connection = Connection(address(broker), client_id="c")
        with pytest.raises(LinkError, match="not connected"):
            connection.publish("t/before", b"stale", qos=1, retain=True)
        await connection.connect()
        await connection.deliver("t/during", b"x")
        await connection.abort()
        for refused in (
            connection.deliver("t/after", b"stale"),
            connection.subscribe("x"),
            connection.room(),
        ):
            with pytest.raises(LinkError, match="not connected"):
                await refused
        await watch.deliver("t/end", b"x")
        await page.until(lambda: any(m.topic == "t/end" for m in page.seen))
        assert [m.topic for m in page.seen] == ["t/during", "t/end"]
        collecting.cancel()


async def test_what_is_in_flight_when_the_broker_dies_is_not_sent(broker: EmbeddedBroker) -> None:
    connection = Connection(address(broker), client_id="c")
    await connection.connect()
    await broker.kill()
    async with asyncio.timeout(PATIENCE_S):
        assert await connection.closed == "connection lost"
    with pytest.raises(LinkError):
        await connection.deliver("t", b"x")
    await connection.abort()


async def test_each_acknowledgement_is_for_the_publication_that_it_names() -> None:
    async def backwards(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        ids = [message_id((await packet(reader))[1]) for _ in range(3)]
        writer.write(b"\x40\x03" + ids[2] + b"\x00")
        writer.write(b"\x40\x03" + ids[0] + b"\x87")
        writer.write(b"\x40\x03" + ids[1] + b"\x10")  # no matching subscribers: it is sent

    async with scripted(backwards) as broker, connected(broker) as connection:
        sent = [connection.publish(f"t/{n}", b"x", qos=1, retain=False) for n in range(3)]
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(PublishRefusedError, match=r"t/0: Not authorized"):
                await sent[0]
            await sent[1]
            await sent[2]


async def test_no_more_than_a_window_is_in_flight_and_room_comes_with_an_acknowledgement() -> None:
    go_on = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        first = message_id((await packet(reader))[1])
        await go_on.wait()
        writer.write(b"\x40\x02" + first)

    async with scripted(slow) as broker, connected(broker) as connection:
        for number in range(WINDOW):
            await connection.room()
            connection.publish(f"t/{number}", b"x", qos=1, retain=False)
        with pytest.raises(LinkError, match="in flight already"):
            connection.publish("t/more", b"x", qos=1, retain=False)
        waiting = asyncio.create_task(connection.room())
        assert connection.oldest_flight_s() >= 0.0
        go_on.set()
        async with asyncio.timeout(PATIENCE_S):
            await waiting
        connection.publish("t/more", b"x", qos=1, retain=False)


async def test_a_broker_that_takes_less_at_once_gets_less() -> None:
    async def narrow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes.fromhex("2006000003210002"))  # receive maximum 2

    async with scripted(narrow) as broker, connected(broker) as connection:
        for number in range(2):
            connection.publish(f"t/{number}", b"x", qos=1, retain=False)
        with pytest.raises(LinkError, match="2 publications in flight"):
            connection.publish("t/2", b"x", qos=1, retain=False)


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(b"\x30\x05\x00\x01t\x00", id="cut short"),
        pytest.param(b"\x30\x04\x00\x09tt", id="topic longer than packet"),
        pytest.param(b"\x40\x01\x00", id="half an acknowledgement"),
        pytest.param(b"\x30\x06\x00\x01t\x02\xff\x00", id="unknown property"),
        pytest.param(b"\xf0\x00" * 3, id="unknown packets"),
        pytest.param(b"\x90\x03\x00\x01\x00", id="SUBACK nobody asked for"),
    ],
)
async def test_nonsense_from_a_broker_ends_the_connection_and_never_leaves_it_dead_but_open(
    nonsense: bytes,
) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK + nonsense)
        await writer.drain()
        writer.write_eof()

    async with scripted(babble) as broker:
        connection = Connection(broker, client_id="c")
        try:
            await connection.connect()
            async with asyncio.timeout(PATIENCE_S):
                assert await connection.closed
        except LinkError:
            pass
        assert not connection.is_open()
        await connection.abort()


async def test_a_failure_inside_paho_is_the_end_of_the_connection_and_is_told(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(address(broker)) as connection:

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(connection._paho._client, "on_message", fail)
        await connection.subscribe("t")
        sent = connection.publish("t", b"x", qos=1, retain=False)
        async with asyncio.timeout(PATIENCE_S):
            assert await connection.closed == "paho failed: ZeroDivisionError()"
        await asyncio.wait({sent})


async def test_what_arrives_is_bounded_in_size_and_number(broker: EmbeddedBroker) -> None:
    async with connected(address(broker)) as sender:
        connection = Connection(
            address(broker), client_id="small", payload_limit_bytes=10, inbox_limit=2
        )
        await connection.connect()
        await connection.subscribe("t/#")
        for payload in (b"x" * 10, b"x" * 11, b"x", b"x"):
            await sender.deliver("t/a", payload, expiry_s=7)
        await sender.deliver("t/a", b"end")
        async with asyncio.timeout(PATIENCE_S):
            await connection.deliver("fence", b"")
        await connection.disconnect()
        seen = [message async for message in connection.messages()]
        assert [(m.payload, m.too_long) for m in seen] == [(b"x" * 10, False), (b"", True)]
        assert seen[0].expiry_s == 7
        assert 1 <= connection.dropped <= 3


async def test_a_broker_that_is_not_there_is_a_link_error_with_its_place() -> None:
    port = free_port()
    connection = Connection(Broker(port=port), client_id="c")
    with pytest.raises(LinkError, match=f"broker 127.0.0.1:{port}"):
        await connection.connect()
    assert not connection.is_open()


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".ship", "", "a\x00b"])
async def test_a_host_that_no_name_server_is_asked_for_is_a_link_error_with_its_place(host) -> None:
    """Whatever a ship's file says there, it is the broker that is not reached, and no end of the watch."""
    connection = Connection(Broker(host=host), client_id="c")
    with pytest.raises(LinkError, match=f"^broker {re.escape(host)}:1883: "):
        await connection.connect()
    assert not connection.is_open()


async def test_a_broker_that_accepts_and_says_nothing_is_given_up_in_time_without_a_thread() -> (
    None
):
    async def silent(*_: object) -> None:
        pass

    before = threading.active_count()
    async with scripted(silent) as broker:
        connection = Connection(broker, client_id="c", connect_s=0.2)
        with pytest.raises(LinkError, match=r"no answer within 0\.2 s"):
            await connection.connect()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if "paho" in name], (before, names)


async def test_a_refused_connection_says_why() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes.fromhex("2003008700"))

    async with scripted(refuse) as broker:
        with pytest.raises(LinkError, match=r"Not authorized|lost"):
            await Connection(broker, client_id="c").connect()


async def test_a_refused_subscription_says_so() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        _, body = await packet(reader)
        writer.write(b"\x90\x04" + body[:2] + b"\x00\x87")

    async with scripted(refuse) as broker, connected(broker) as connection:
        with pytest.raises(PublishRefusedError, match="Not authorized"):
            await connection.subscribe("t")


async def test_the_will_is_published_when_we_break_off_and_not_when_we_say_goodbye(
    broker: EmbeddedBroker,
) -> None:
    async with connected(address(broker), "watch") as watch:
        page = Dashboard(watch)
        collecting = asyncio.create_task(page.collect())
        await watch.subscribe("w/#")
        for name, polite in (("polite", True), ("rude", False)):
            connection = Connection(address(broker), client_id=name, will=Will(f"w/{name}", b"{}"))
            await connection.connect()
            await (connection.disconnect() if polite else connection.abort())
        await page.until(lambda: page.seen)
        assert [m.topic for m in page.seen] == ["w/rude"]
        collecting.cancel()


def test_a_password_needs_a_user_and_never_crosses_a_network_in_the_clear(tmp_path: Path) -> None:
    file = tmp_path / "password"
    with pytest.raises(ValueError, match="needs user"):
        Broker(password_file=file)
    with pytest.raises(ValueError, match="needs TLS"):
        Broker(host="192.168.1.2", user="ispsd", password_file=file)
    Broker(host="192.168.1.2", user="ispsd", password_file=file, ca_file=tmp_path / "ca.pem")


async def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    broker = Broker(user="ispsd", password_file=tmp_path / "no-password")
    with pytest.raises(LinkError, match="no-password"):
        await Connection(broker, client_id="c").connect()


async def test_a_connection_can_be_given_up_while_it_is_dialled_and_is_closed_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dialled, go_on, over = threading.Event(), threading.Event(), asyncio.Event()
    dial = Client.connect

    def slow(client: Client, *arguments: Any, **options: Any) -> Any:
        done = dial(client, *arguments, **options)
        dialled.set()
        assert go_on.wait(PATIENCE_S)
        return done

    async def until_it_ends(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        over.set()

    monkeypatch.setattr(Client, "connect", slow)
    async with scripted(until_it_ends) as broker:
        connection = Connection(broker, client_id="c")
        connecting = asyncio.create_task(connection.connect())
        assert await asyncio.to_thread(dialled.wait, PATIENCE_S)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        go_on.set()
        async with asyncio.timeout(PATIENCE_S):
            await over.wait()


async def test_what_the_socket_does_not_take_at_once_follows_when_it_does() -> None:
    read_on, all_there = asyncio.Event(), asyncio.Event()
    payload, count = b"x" * 2_000_000, 10

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        await read_on.wait()
        left = count * len(payload)
        while left > 0:
            left -= len(await reader.read(65536))
        all_there.set()

    async with scripted(slow) as broker, connected(broker) as connection:
        for _ in range(count):
            connection.publish("t", payload, qos=1, retain=False)
        assert connection._paho._client.want_write(), "more than a socket holds"
        read_on.set()
        async with asyncio.timeout(PATIENCE_S):
            await all_there.wait()


async def test_a_connection_has_no_thread_and_a_silent_broker_is_pinged_and_then_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 0.0
    monkeypatch.setattr("paho.mqtt.client.time_func", lambda: now_s)
    pinged = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        assert (await reader.readexactly(2)) == b"\xc0\x00"
        pinged.set()

    async with scripted(deaf) as broker:
        connection = Connection(broker, client_id="c", keepalive_s=1)
        await connection.connect()
        assert not [each.name for each in threading.enumerate() if "paho" in each.name]
        async with asyncio.timeout(PATIENCE_S):
            now_s += 1.0
            await pinged.wait()
            now_s += 1.0
            assert await connection.closed in ("Keep alive timeout", "connection lost")


async def test_a_connection_that_has_ended_holds_no_descriptor(broker: EmbeddedBroker) -> None:
    """Python's collector comes when it likes; a broker that comes and goes does not wait for it."""
    gc.collect()
    gc.disable()
    try:
        async with connected(address(broker), "first"):
            pass
        before = len(list(DESCRIPTORS.iterdir()))
        for number in range(3):
            async with connected(address(broker), f"c{number}"):
                pass
        assert len(list(DESCRIPTORS.iterdir())) == before
    finally:
        gc.enable()
