"""A unit of the network is there when it answers: real servers, asked over real sockets, and nothing but asked."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from daemon.drivers.api import DriverContext
from daemon.drivers.reach import ANSWERS, DRIVER, ReachConfig, build
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import Provenance, Quality
from simulators.web_unit import WebUnit
from tests.clocks import ManualClock
from tests.soon import soon
from tests.witness.test_post import certificate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from daemon.drivers.reach import Reach
    from daemon.model import Reading

HERE = "127.0.0.1"


class Page(BaseHTTPRequestHandler):
    """The standard library's own server, which shares nothing with ours."""

    seen: list[str]
    status = 200

    def do_HEAD(self) -> None:
        self.seen.append(self.requestline)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[type[Page]]:
    """A server of the standard library; ``page.port`` is where."""
    kind = type("OnePage", (Page,), {"seen": []})
    server = HTTPServer((HERE, 0), kind)
    kind.port = server.server_address[1]  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kind
    server.shutdown()
    thread.join()
    server.server_close()


def driver(clock: ManualClock, port: int, **said: object) -> Reach:
    config = ReachConfig.model_validate({"kind": "reach", "host": HERE, "port": port, **said})
    ctx = DriverContext("acs", clock, CovertGate(clock), Provenance.LIVE)
    return build(config, ctx)


@asynccontextmanager
async def asking(reach: Reach, heard: list[Reading]) -> AsyncIterator[asyncio.Future[None]]:
    task = asyncio.ensure_future(reach.run(heard.append))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def fails(reach: Reach, *, seconds: float = 0.0) -> str:
    clock = reach._ctx.clock
    async with asking(reach, []) as task:
        if seconds:
            await soon(lambda: clock.next_due_s() is not None)  # type: ignore[attr-defined]
            await clock.advance(seconds)  # type: ignore[attr-defined]
        with pytest.raises(LinkError) as raised:
            await task
    return str(raised.value)


async def test_a_page_is_asked_for_and_changed_by_nothing(page):
    clock, heard = ManualClock(), []
    async with asking(driver(clock, page.port, ask="http", path="/status", every_s=5), heard):
        await soon(lambda: len(heard) == 1)
        await clock.advance(5.0)
        await soon(lambda: len(heard) == 2)
    assert page.seen == ["HEAD /status HTTP/1.1"] * 2
    (first, _) = heard
    assert (first.point, first.value, first.quality) == ("acs.reached", ANSWERS, Quality.GOOD)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(200, None), (302, None), (401, None), (404, None), (500, "HTTP 500"), (503, "HTTP 503")],
)
async def test_whoever_asks_for_a_password_is_there_and_whoever_has_failed_is_not(
    page, status, reason
):
    page.status = status
    reach, heard = driver(ManualClock(), page.port, ask="http"), []
    async with asking(reach, heard) as task:
        await soon(lambda: heard or task.done())
        failure = task.exception() if task.done() else None
    assert (reason is None) is bool(heard)
    if reason is not None:
        assert isinstance(failure, LinkError)
        assert reason in str(failure)
        assert reach.health.dropped == {"server error": 1}


async def test_a_port_that_takes_a_connection_is_enough_where_nothing_else_is_known():
    visits = []

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(visit, HERE, 0)
    heard: list[Reading] = []
    async with asking(driver(ManualClock(), server.sockets[0].getsockname()[1]), heard):
        await soon(lambda: heard and visits)
    server.close()
    await server.wait_closed()
    assert visits == [b""], "not a byte is sent"


async def test_nobody_there_is_a_lost_link():
    server = await asyncio.start_server(lambda *_: None, HERE, 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert "refused" in (await fails(driver(ManualClock(), port))).lower()


async def test_a_unit_that_takes_the_connection_and_says_nothing_is_lost():
    unit = WebUnit(status=0)
    await unit.start()
    reach = driver(ManualClock(), unit.port, ask="http", timeout_s=3)
    try:
        assert await fails(reach, seconds=3.0) == "no answer within 3 s"
    finally:
        await unit.stop()


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP"),
        (b"x" * 9000, "no HTTP"),
        (b"HTTP/1.1 \r\n", "no HTTP"),
        (b"", "hung up"),
    ],
)
async def test_what_is_no_http_is_no_answer(says, reason):
    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(says)
        writer.close()

    server = await asyncio.start_server(visit, HERE, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        assert reason in await fails(driver(ManualClock(), port, ask="http"))
    finally:
        server.close()
        await server.wait_closed()


async def test_https_takes_any_certificate_unless_told_whose(tmp_path):
    own, other = certificate(tmp_path), tmp_path / "other"
    other.mkdir()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(visit, HERE, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        for more in ({}, {"ca_file": str(own)}):
            heard: list[Reading] = []
            async with asking(driver(ManualClock(), port, ask="https", **more), heard) as task:
                await soon(lambda heard=heard, task=task: heard or task.done())
            assert heard, more
        for ca_file in (certificate(other), tmp_path / "none.pem"):
            reach = driver(ManualClock(), port, ask="https", ca_file=str(ca_file))
            assert await fails(reach)
    finally:
        server.close()
        await server.wait_closed()


async def test_a_unit_that_answers_and_never_says_goodbye_in_tls_has_answered(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    never = asyncio.Event()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()
        writer.transport.pause_reading()
        await never.wait()
        writer.transport.abort()

    server = await asyncio.start_server(visit, HERE, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    heard: list[Reading] = []
    clock = ManualClock()
    try:
        async with asking(driver(clock, port, ask="https", every_s=5), heard) as task:
            for count in (1, 2):
                await soon(lambda count=count: len(heard) == count or task.done())
                assert len(heard) == count
                await clock.advance(5.0)
    finally:
        never.set()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "port"),
        ({"host": "acs.local"}, "host"),
        ({"port": 80, "ca_file": "/etc/ca.pem"}, "ca_file is for https"),
        ({"ask": "http", "path": "status"}, "path"),
        ({"ask": "http", "path": "/ HTTP/1.1\r\nX: y"}, "path"),
        ({"port": 80, "method": "POST"}, "method"),
        ({"ask": ["http"]}, "ask"),
        ({"ask": {}}, "ask"),
    ],
)
def test_what_cannot_be_asked_is_refused(said, reason):
    with pytest.raises(ValidationError, match=reason):
        ReachConfig.model_validate({"kind": "reach", "host": HERE, **said})


def test_the_alert_hangs_on_what_the_unit_is():
    def alert(**said: object) -> str | None:
        return DRIVER.lost_alert(ReachConfig(kind="reach", host=HERE, port=80, **said))  # type: ignore[arg-type]

    assert alert(unit_is="access_controller") == "access.lost"
    assert alert(unit_is="recorder") == "cctv.recording"
    assert alert() is None


def test_the_usual_ports_need_not_be_said():
    ports = [
        ReachConfig.model_validate({"kind": "reach", "host": HERE, "ask": ask}).port
        for ask in ("http", "https")
    ]
    assert ports == [80, 443]


@pytest.mark.parametrize("command", [{"do": "status", "code": 700}, {"do": "reboot"}])
async def test_the_stand_in_refuses_what_it_does_not_know(command):
    with pytest.raises(ValueError, match=r"code is|do is"):
        await WebUnit().do(command)
