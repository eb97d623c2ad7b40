"""Bytes that no browser sends: what does the page's server say, and does it go on serving everybody else?"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import AsyncExitStack, suppress

import aiohttp
import pytest

from daemon.web import server as serving
from tests.soon import PATIENCE_S
from tests.web.certified import certified
from tests.web.test_server import asked

H = b"Host: 127.0.0.1\r\n"
HIDDEN = b"GET /settings.json HTTP/1.1\r\n" + H + b"\r\n"
NO_REQUESTS = {
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303"),
    "two hosts": b"GET /settings.json HTTP/1.1\r\n" + H + b"Host: evil.example\r\n\r\n",
    "two hosts, ours last": b"GET /settings.json HTTP/1.1\r\nHost: evil.example\r\n" + H + b"\r\n",
    "host with a space": b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
    "host on two lines": b"GET / HTTP/1.1\r\nHost: evil\r\n 127.0.0.1\r\n\r\n",
    "host with a null": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\0evil\r\n\r\n",
    "length and chunks": b"POST / HTTP/1.1\r\n"
    + H
    + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "two lengths": b"POST / HTTP/1.1\r\n"
    + H
    + b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n"
    + HIDDEN,
    "odd chunks": b"POST / HTTP/1.1\r\n"
    + H
    + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "chunks with a space": b"POST / HTTP/1.1\r\n"
    + H
    + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "length below nothing": b"POST / HTTP/1.1\r\n" + H + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "length with a sign": b"POST / HTTP/1.1\r\n" + H + b"Content-Length: +5\r\n\r\nhello" + HIDDEN,
    "bare line feeds": b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
    "long line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + H + b"\r\n",
    "long field": b"GET / HTTP/1.1\r\n" + H + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
    "many fields": b"GET / HTTP/1.1\r\n" + H + b"X: a\r\n" * 20_000 + b"\r\n",
    "null in the path": b"GET /\0 HTTP/1.1\r\n" + H + b"\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\n" + H + b"\r\n",
}
REFUSED = {
    "no host": (b"GET / HTTP/1.0\r\n\r\n", 421),
    "another host, ours in the line": (
        b"GET http://127.0.0.1/settings.json HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        421,
    ),
    "another host, ours forwarded": (
        b"GET /settings.json HTTP/1.1\r\nHost: evil\r\nX-Forwarded-Host: 127.0.0.1\r\n\r\n",
        421,
    ),
    "host with a user": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1@evil.example\r\n\r\n", 421),
    "a body that hides a request": (
        b"GET / HTTP/1.1\r\n" + H + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
        400,
    ),
    "up and away": (b"GET /sso/../settings.json HTTP/1.1\r\n" + H + b"\r\n", 404),
    "up and away in code": (b"GET /sso/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + H + b"\r\n", 404),
    "another site's path": (b"GET //evil.example/%2f.. HTTP/1.1\r\n" + H + b"\r\n", 404),
    "another site behind ours": (b"GET /sso//evil.example HTTP/1.1\r\n" + H + b"\r\n", 404),
    "a header in the path": (
        b"GET /sso/%0d%0aSet-Cookie:%20x=y HTTP/1.1\r\n" + H + b"\r\n",
        404,
    ),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + H + b"\r\n", 405),
    "TRACE": (b"TRACE / HTTP/1.1\r\n" + H + b"Cookie: secret\r\n\r\n", 405),
    "a form that nobody made": (
        b"POST /sso/login HTTP/1.1\r\n" + H + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        403,
    ),
}
END = b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


async def said(session, words: bytes) -> bytes:
    """Return what is answered until the server hangs up."""
    host, port = str(session._base_url.host), session._base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    answer = b""
    writer.write(words)
    with suppress(ConnectionResetError):  # it hung up on the rest of what was sent
        async with asyncio.timeout(10):
            while some := await reader.read(65_536):
                answer += some
    writer.close()
    return answer


async def test_what_is_no_request_gets_three_words_and_no_line_of_the_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with asked() as session:
        for name, words in NO_REQUESTS.items():
            answer = await said(session, words)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.split(b"\r\n")[0].endswith(b"400 Bad Request"), name
            assert body == b"this is no request\n", name
            assert b"aiohttp" not in head, name
        async with session.get("/") as answer:
            assert answer.status == 200
    assert [each.getMessage() for each in caplog.records if each.name.startswith("aiohttp")] == []


@pytest.mark.parametrize(("words", "status"), REFUSED.values(), ids=list(REFUSED))
async def test_what_a_stranger_tries_is_refused_and_says_nothing(words, status):
    async with asked() as session:
        # Behind a request after which the server hangs up nothing more is sent: what is unread would reset the line.
        hangs_up = b"HTTP/1.0" in words or b"Expect" in words
        answer = await said(session, words if hangs_up else words + END)
        assert int(answer.split(b" ", 2)[1]) == status
        for secret in (b"stations", b"Set-Cookie", b"secret", b"root:", b"aiohttp"):
            assert secret not in answer
        assert answer.count(b"HTTP/1.1 ") <= 2, "the one that was hidden is not answered"


async def test_requests_in_one_breath_are_answered_in_order():
    async with asked() as session:
        answer = await said(session, HIDDEN * 20 + END)
        assert answer.count(b"HTTP/1.1 200 OK") == 21


async def test_a_second_request_that_never_ends_is_cut_off_too(monkeypatch):
    monkeypatch.setattr(serving, "IDLE_S", 0.2)
    async with asked() as session:
        answer = await said(session, HIDDEN + b"GET / HTTP/1.1\r\nHost: ")
        assert answer.count(b"HTTP/1.1 200 OK") == 1


async def test_who_never_reads_his_answers_is_cut_off(monkeypatch):
    monkeypatch.setattr(serving, "UNREAD_S", 0.5)
    monkeypatch.setattr(serving, "MOST_PEERS", 1)
    async with asked() as session:
        host, port = str(session._base_url.host), session._base_url.port
        _, writer = await asyncio.open_connection(host, port, limit=1024)
        writer.transport.pause_reading()
        writer.write((b"GET /page.js HTTP/1.1\r\n" + H + b"\r\n") * 40)
        async with asyncio.timeout(25):
            while True:
                try:
                    async with session.get("/") as answer:
                        assert answer.status == 200
                        break
                except (OSError, aiohttp.ClientError):
                    await asyncio.sleep(0.05)  # it is all that there may be, so far
        writer.close()


async def test_who_holds_on_to_many_connections_keeps_nobody_else_out(monkeypatch):
    monkeypatch.setattr(serving, "MOST_OF_ONE", 2)
    monkeypatch.setattr(serving, "REQUEST_S", 600.0)
    async with asked() as session, AsyncExitStack() as held:
        there = str(session._base_url.host), session._base_url.port

        async def one_more():
            reader, writer = await asyncio.open_connection(*there, local_addr=("127.0.0.2", 0))
            held.callback(writer.close)
            return reader, writer

        await one_more()
        second, asking = await one_more()
        too_many, _ = await one_more()
        async with asyncio.timeout(PATIENCE_S):
            assert await too_many.read() == b""
        async with session.get("/") as answer:
            assert answer.status == 200
        asking.write(END)
        assert (await second.read()).startswith(b"HTTP/1.1 200 OK")
        third, asking = await one_more()
        asking.write(END)
        assert (await third.read()).startswith(b"HTTP/1.1 200 OK"), "one was let go"


async def test_handshakes_that_never_end_are_counted_and_keep_nobody_else_out(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(serving, "MOST_OF_ONE", 2)
    monkeypatch.setattr(serving, "MOST_PEERS", 3)
    files = certified(tmp_path)
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    async with asked(**files) as session, AsyncExitStack() as held:
        host, port = str(session._base_url.host), session._base_url.port

        async def begun() -> asyncio.StreamReader:
            reader, writer = await asyncio.open_connection(host, port, local_addr=("127.0.0.2", 0))
            held.callback(writer.close)
            writer.write(b"\x16\x03\x01")  # the first bytes of a handshake
            return reader

        first, *_ = [await begun() for _ in range(2)]
        for _ in range(5):
            async with asyncio.timeout(PATIENCE_S):
                with suppress(ConnectionResetError):
                    assert await (await begun()).read() == b"", "turned away"
        assert not first.at_eof()
        async with session.get("/", ssl=trusting) as answer:
            assert answer.status == 200
