"""A feed over every link, real ones all: what it hears, when it is lost, and how it comes back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tty
from contextlib import asynccontextmanager
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from daemon.drivers.api import DriverContext, Shared
from daemon.drivers.links import opened
from daemon.drivers.nmea import DRIVER, NmeaConfig
from daemon.drivers.ports import KEEPALIVE_AFTER_S, KEEPALIVE_EVERY_S, KEEPALIVE_TRIES
from daemon.drivers.ssas_text import DRIVER as SSAS_DRIVER
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import LinkState, Provenance, Quality, Reading, SsasMessage
from daemon.supervision.supervise import DeviceStatus, Supervisor
from simulators.ships import OWN_SHIP
from simulators.vessel_ais import ais, static_data
from simulators.vessel_gnss import gga, rmc
from tests.clocks import FixedEntropy, ManualClock
from tests.drivers.nmea_rig import framed
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SILENT_AFTER_S = 10.0
TEST_MESSAGE = (
    b"SHIP SECURITY MESSAGE\r\nShip name :KESTREL STRAIT\r\nCall sign :9VKS0\r\nMMSI :299000019\r\n\r\n"
    b"TEST TEST\r\nMES NO, 429900001\r\nLAT,N12 34.56LON,E123 45.56,UTC,07.01.2004 12:34,SOG,\r\n"
    b"10.0KT,COG,20DEG\r\n"
)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def until(holds: Callable[[], object], do: Callable[[], object] = lambda: None) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            do()
            await asyncio.sleep(0.001)


class Watch:
    """One supervised feed."""

    def __init__(self, link: dict[str, Any], **config: Any) -> None:
        self.clock = ManualClock()
        self.readings: list[Reading] = []
        self.statuses: list[DeviceStatus] = []
        given = {"kind": "nmea", "feed": "nav", "link": link, **config}
        context = DriverContext(
            "gps1", self.clock, CovertGate(self.clock), Provenance.LIVE, shared=Shared()
        )
        self.driver = DRIVER.build(NmeaConfig.model_validate(given), context)
        self.supervisor = Supervisor(
            device="gps1",
            driver=self.driver,
            spec=DRIVER,
            silent_after_s=SILENT_AFTER_S,
            lost_alert="feed.nav",
            provenance=Provenance.LIVE,
            clock=self.clock,
            entropy=FixedEntropy(),
            emit=self.readings.append,
            on_status=self.statuses.append,
        )

    @property
    def status(self) -> DeviceStatus:
        return self.supervisor.status

    def line(self) -> bytes:
        return f"{gga(OWN_SHIP, self.clock.utc())}\r\n".encode("ascii")

    def fixes(self) -> int:
        return sum(each.point == "gps1.fix" and each.value is not None for each in self.readings)


@asynccontextmanager
async def watching(link: dict[str, Any], **config: Any) -> AsyncIterator[Watch]:
    watch = Watch(link, **config)
    task = asyncio.create_task(watch.supervisor.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def talking(
    kind: str, tmp_path: Any
) -> AsyncIterator[tuple[dict[str, Any], Callable[[bytes], object]]]:
    """Give a link, and what says something on its other side."""
    with contextlib.ExitStack() as closing:
        port = free_port()
        match kind:
            case "serial":
                device, other = os.openpty()
                tty.setraw(other)
                os.set_blocking(device, False)
                closing.callback(os.close, device)
                closing.callback(os.close, other)
                yield {"kind": kind, "port": os.ttyname(other)}, lambda data: os.write(device, data)
            case "tcp":
                server = closing.enter_context(socket.create_server(("127.0.0.1", port)))
                server.setblocking(False)
                clients: list[socket.socket] = []

                def serve(data: bytes) -> None:
                    with contextlib.suppress(BlockingIOError):
                        clients.append(closing.enter_context(server.accept()[0]))
                    for client in clients:
                        with contextlib.suppress(OSError):  # we have left that one
                            client.sendall(data)

                yield {"kind": kind, "host": "127.0.0.1", "port": port}, serve
            case "udp" | "group":
                port = free_port(socket.SOCK_DGRAM)
                sender = closing.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sender.setsockopt(
                    socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1")
                )
                link = {"kind": "udp", "port": port, "host": "127.0.0.1"}
                to = ("239.192.0.4" if kind == "group" else "127.0.0.1", port)
                link |= {"group": to[0], "header": "required"} if kind == "group" else {}
                header = b"UdPbC\0" if kind == "group" else b""
                yield link, lambda data: sender.sendto(header + data, to)
            case "tcp_server":
                client = closing.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))

                def connect(data: bytes) -> None:
                    with contextlib.suppress(OSError):  # not open yet
                        client.connect(("127.0.0.1", port))
                    client.sendall(data)

                yield {"kind": kind, "port": port}, connect
            case "replay":
                path = tmp_path / "log"
                clock = ManualClock()
                path.write_text(f"{gga(OWN_SHIP, clock.utc())}\n" * 1000, "ascii")
                yield {"kind": kind, "path": str(path)}, lambda _: None


LINKS = ("serial", "tcp", "udp", "group", "tcp_server", "replay")


@pytest.mark.parametrize("kind", LINKS)
async def test_a_feed_is_read_over_any_link(kind, tmp_path):
    async with talking(kind, tmp_path) as (link, say), watching(link) as watch:

        def speak() -> None:
            with contextlib.suppress(OSError):  # nobody is there yet, or the line is full
                say(watch.line())

        await until(watch.fixes, speak)
    assert watch.status.link is LinkState.UP
    assert watch.readings[0].quality is Quality.GOOD


@pytest.mark.parametrize("kind", ["tcp", "tcp_server"])
async def test_peers_8_5_a_peer_that_vanishes_without_a_word_is_noticed_by_its_deadline(
    kind, tmp_path
):
    """OpenCPN 1142, AIS-catcher 647: no FIN comes and none will; the next message never does either."""
    async with talking(kind, tmp_path) as (link, say), watching(link) as watch:

        def speak() -> None:
            with contextlib.suppress(OSError):
                say(watch.line())

        await until(watch.fixes, speak)
        # From here on the other side is silent, and its socket stays as it is.
        await watch.clock.advance(SILENT_AFTER_S - 1)
        assert watch.status.link is LinkState.UP
        await watch.clock.advance(2.1)
        assert (watch.status.link, watch.status.reason) == (
            LinkState.DOWN,
            "nothing good heard for 10 s",
        )
        assert watch.readings[-1].value is None
        before = watch.fixes()
        await watch.clock.advance(1.5)
        if kind == "tcp":  # we have connected anew
            await until(lambda: watch.fixes() > before, speak)
        else:  # the device has connected anew, its old connection as it was
            with socket.create_connection(("127.0.0.1", link["port"])) as again:
                await until(lambda: watch.fixes() > before, lambda: again.sendall(watch.line()))
        assert watch.status.link is LinkState.UP


async def test_the_system_too_asks_a_silent_peer_whether_it_is_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = NmeaConfig.model_validate(
            {
                "kind": "nmea",
                "feed": "nav",
                "link": {"kind": "tcp", "host": "127.0.0.1", "port": server.getsockname()[1]},
            }
        ).link
        async with opened(link) as source:
            with socket.socket(fileno=os.dup(source._descriptor)) as connection:
                assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                found = [
                    connection.getsockopt(socket.IPPROTO_TCP, option)
                    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
                ]
    assert found == [KEEPALIVE_AFTER_S, KEEPALIVE_EVERY_S, KEEPALIVE_TRIES]


async def test_peers_8_6_a_new_connection_begins_anew_and_there_is_nothing_to_send_again():
    """AIS-catcher 635: there the peer had to be told again who speaks. Here nobody is ever told anything:
    the connection is received only, and what the last one said in part is not joined with what this one says."""
    first, second = (
        f"{line}\r\n".encode("ascii") for line in ais("VDO", "A", static_data(OWN_SHIP))
    )
    written: list[bytes] = []
    visits: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.put_nowait(writer)
        written.append(await reader.read())  # to the end of the connection

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    link = {"kind": "tcp", "host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
    async with asyncio.timeout(PATIENCE_S), watching(link, feed="ais") as watch:
        connection = await visits.get()
        connection.write(first)
        await connection.drain()
        await until(lambda: watch.driver.health.good == 1)
        connection.close()
        await until(lambda: watch.status.link is LinkState.DOWN)
        await watch.clock.advance(1.5)
        connection = await visits.get()
        connection.write(second)
        await until(lambda: watch.driver.health.dropped == {"incomplete": 1})
        assert all(reading.value is None for reading in watch.readings)
        connection.write(first + second)
        await until(lambda: watch.readings[-1].point == "gps1.own_identity")
        await until(lambda: watch.readings[-1].value is not None)
        connection.close()
    server.close()
    await until(lambda: len(written) == 2)
    assert written == [b"", b""]


async def test_a_silent_group_says_in_its_reason_what_to_look_at():
    port = free_port(socket.SOCK_DGRAM)
    link = {"kind": "udp", "port": port, "host": "127.0.0.1", "group": "239.192.0.4"}
    async with watching(link) as watch:
        await watch.clock.advance(SILENT_AFTER_S + 1.1)
    [down] = [each for each in watch.statuses if each.link is LinkState.DOWN]
    assert down.reason is not None
    assert down.reason.startswith("nothing good heard for 10 s; no traffic of group 239.192.0.4")
    assert "IGMP snooping" in down.reason


async def test_a_port_that_nobody_connects_to_says_so_and_stays_open_meanwhile():
    port = free_port()
    async with watching({"kind": "tcp_server", "port": port}) as watch:
        await watch.clock.advance(SILENT_AFTER_S + 1.1)
        assert watch.status.reason == (
            f"nothing good heard for 10 s; nobody has connected to tcp_server 127.0.0.1:{port}"
        )
        with socket.create_connection(("127.0.0.1", port)) as device:
            await watch.clock.advance(1.5)
            await until(watch.fixes, lambda: device.sendall(watch.line()))


async def test_sources_of_one_group_are_told_apart():
    port = free_port(socket.SOCK_DGRAM)
    link = {"kind": "udp", "port": port, "host": "127.0.0.1", "group": "239.192.0.4"}
    async with watching(link, sources=["GP0001"]) as watch:
        await watch.clock.advance(0.1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(
                socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1")
            )
            for source, line in (
                ("GP0002", rmc(OWN_SHIP, watch.clock.utc())),
                ("GP0001", gga(OWN_SHIP, watch.clock.utc())),
            ):
                block = framed(f"s:{source},c:1780000000123")[1:]
                datagram = f"UdPbC\0\\{block}\\{line}\r\n".encode("ascii")
                sender.sendto(datagram, ("239.192.0.4", port))
            await until(watch.fixes)
    assert {each.point for each in watch.readings if each.value is not None} == {"gps1.fix"}


async def test_a_text_is_counted_and_is_no_sign_of_life():
    port = free_port(socket.SOCK_DGRAM)
    async with watching({"kind": "udp", "port": port, "host": "127.0.0.1"}) as watch:
        await watch.clock.advance(0.1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            text = framed("GPTXT,01,01,02,ANTSTATUS=SHORT").encode("ascii")
            sender.sendto(text, ("127.0.0.1", port))
            await until(lambda: watch.driver.health.noticed)
    assert watch.driver.health.noticed == {"TXT": 1}
    assert (watch.driver.health.good, watch.driver.health.last_good_s) == (0, None)


async def test_an_ssas_unit_that_connects_is_heard_inside_a_window_and_refused_outside():
    """Invariant 1: outside a test window the port is not open, whichever link it is."""
    clock, port = ManualClock(), free_port()
    gate = CovertGate(clock)
    config = SSAS_DRIVER.config.model_validate(
        {
            "kind": "ssas_text",
            "profile": "jrc-jue-95sa-text",
            "link": {"kind": "tcp_server", "port": port},
        }
    )
    readings: list[Reading] = []
    driver = SSAS_DRIVER.build(config, DriverContext("ssas1", clock, gate, Provenance.LIVE))
    task = asyncio.create_task(driver.run(readings.append))
    await clock.advance(1.0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    gate.open(duration_s=600.0, opened_by=("A. Master", "B. Officer"))
    await clock.advance(0.1)
    with socket.create_connection(("127.0.0.1", port)) as unit:
        unit.sendall(TEST_MESSAGE)  # kept by the unit from before: it comes while the port settles
        await until(lambda: (clock.next_due_s() or inf) <= clock.now_s() + config.settle_s)
        await clock.advance(1.0)
        assert readings == []
        await until(lambda: readings, lambda: unit.sendall(TEST_MESSAGE))
        assert isinstance(readings[0].value, SsasMessage)
        await clock.advance(601.0)
        unit.settimeout(20)
        assert await asyncio.to_thread(unit.recv, 1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert (driver.health.dropped, driver.health.noticed) == ({}, {})
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, LinkError):
        await task
