"""What the page is served with, and what the server refuses."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from importlib.resources import files

import aiohttp
import pytest
from pydantic import ValidationError

from daemon.web import server as serving
from daemon.web.pages import built
from daemon.web.settings import WebSection
from tests.brokers import free_port
from tests.web.rig import FACTS, NO_SOCKET

SCRIPT_OR_STYLE = re.compile(
    r"<script(?![^>]*src=)|<style|style=|\son\w+=|javascript:", re.IGNORECASE
)


@asynccontextmanager
async def asked(**section):
    """Serve, and yield what asks it."""
    section = {"port": free_port(), **section}
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = serving.PageServer(WebSection(**section), FACTS, control=NO_SOCKET)
    task = asyncio.ensure_future(server.run(started=started.set_result))
    base = await started
    try:
        async with aiohttp.ClientSession(base_url=base) as session:
            yield session
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_page_may_load_from_here_and_speak_to_the_broker_and_nothing_else():
    async with asked(broker="ws://127.0.0.1:9001") as session, session.get("/") as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert "default-src 'self'" in policy
        assert "connect-src 'self' ws://127.0.0.1:9001" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert not any("unsafe" in rule or "*" in rule for rule in policy)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "ispsd"


def test_no_script_and_no_style_stands_in_the_page_itself():
    assert SCRIPT_OR_STYLE.search(built()["/"].content.decode()) is None


async def test_settings_are_kept_nowhere_and_hold_no_secret():
    async with asked() as session, session.get("/settings.json") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert json.loads(await answer.read()) == {
            "ship": {"name": "KESTREL STRAIT", "imo": 9999993},
            "stations": list(FACTS.stations),
            "broker": "ws://127.0.0.1:9001",
            "demo": True,
        }


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:1", 200),
        ("[::1]:8080", 200),
        ("bridge-pc", 200),
        ("BRIDGE-PC:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("bridge-pc:x", 421),
        ("", 421),
    ],
)
async def test_only_who_calls_it_by_its_own_name_is_answered(host, status):
    async with (
        asked(names=["bridge-pc"]) as session,
        session.get("/settings.json", headers={"Host": host}) as answer,
    ):
        assert answer.status == status


@pytest.mark.parametrize(
    "path",
    ["/../settings.py", "/%2e%2e/server.py", "/static//etc/passwd", "/static/page.js", "/page.js/"],
)
async def test_what_is_asked_for_names_no_file(path):
    async with asked() as session, session.get(path) as answer:
        assert answer.status == 404


async def test_nothing_can_be_sent():
    async with asked() as session:
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            async with session.request(method, "/") as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        async with session.request("GET", "/", data=b"x") as answer:
            assert answer.status == 400


async def test_a_browser_that_has_it_is_not_sent_it_again():
    async with asked() as session:
        async with session.get("/page.js") as answer:
            mark = answer.headers["ETag"]
        async with session.get("/page.js", headers={"If-None-Match": mark}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")


async def test_who_asks_nothing_whole_is_cut_off_and_one_too_many_is_turned_away(monkeypatch):
    monkeypatch.setattr(serving, "REQUEST_S", 0.2)
    monkeypatch.setattr(serving, "MOST_PEERS", 2)
    async with asked() as session:
        host, port = str(session._base_url.host), session._base_url.port
        slow = [await asyncio.open_connection(host, port) for _ in range(2)]
        reader, writer = await asyncio.open_connection(host, port)
        assert await reader.read() == b"", "turned away"
        writer.close()
        for reader, writer in slow:
            writer.write(b"GET / HTTP/1.1\r\nHost: ")
            assert await reader.read() == b"", "cut off"
            writer.close()
        async with session.get("/") as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"host": "192.168.60.5"}, "TLS is needed"),
        ({"host": "0.0.0.0"}, "TLS is needed"),
        ({"certificate_file": "/a"}, "go together"),
        ({"broker": "wss://bridge:secret@h:1"}, "is not ws://"),
        ({"broker": "ws://h:1; script-src *"}, "is not ws://"),
        (
            {"broker": "ws://h:1", "certificate_file": "/c", "key_file": "/k"},
            "wss:// is needed",
        ),
        ({"names": ["a b"]}, "is not a host name"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"password": "x"}, "Extra inputs"),
    ],
)
def test_a_section_that_cannot_be_is_refused(section, why):
    with pytest.raises(ValidationError, match=why):
        WebSection(**section)


def test_the_broker_is_where_init_puts_it_unless_something_else_is_said():
    tls = {"certificate_file": "/c", "key_file": "/k"}
    far = WebSection(host="192.168.60.5", names=("bridge-pc",), **tls)
    assert far.broker_for("bridge-pc") == "wss://bridge-pc:8084"
    assert (far.answers_to("192.168.60.5"), far.answers_to("localhost")) == (True, False)
    assert WebSection().broker_for("::1") == "ws://[::1]:9001"
    assert not WebSection(host="0.0.0.0", **tls).answers_to("0.0.0.0")


def test_the_bundle_is_small_and_names_whose_work_is_in_it():
    import gzip

    whole = b"".join(page.content for path, page in built().items() if path != "/")
    assert len(gzip.compress(whole)) < 300_000
    notices = built()["/notices.txt"].content.decode()
    for name in ("OpenBridge", "mqtt 5", "readable-stream", "buffer"):
        assert name in notices


def test_no_registry_is_named_in_what_is_kept():
    front = files("daemon.web") / "front"
    for name in ("package.json", "package-lock.json", ".npmrc"):
        text = (front / name).read_text("utf-8")
        assert "registry." not in text
        assert '"resolved"' not in text
