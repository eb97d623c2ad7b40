"""Whatever a witness answers, the ship has read a bounded part of it and is done in time."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from daemon.errors import LinkError
from daemon.witness import post
from daemon.witness.post import LARGEST_ANSWER, Place, place
from tests.witness.served import answering, whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8970", Place("127.0.0.1", 8970, "", tls=False)),
        ("http://localhost:1/", Place("localhost", 1, "", tls=False)),
        ("http://192.168.4.2/w1/", Place("192.168.4.2", 80, "/w1", tls=False)),
        ("http://[fd00::2]:8970", Place("fd00::2", 8970, "", tls=False)),
        ("https://witness.example/w1", Place("witness.example", 443, "/w1", tls=True)),
    ],
)
def test_an_address_is_read(url: str, expected: Place):
    assert place(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://witness.example",
        "http://8.8.8.8",
        "http://0.0.0.0",
        "http://169.254.1.1",
        "http://172.32.0.1",
        "ftp://127.0.0.1",
        "https://user:word@witness.example",
        "https://witness.example/?q",
        "//127.0.0.1",
        "127.0.0.1:8970",
        "",
    ],
)
def test_an_address_where_the_answer_could_be_read_by_others_is_refused(url: str):
    with pytest.raises(ValueError, match=r"https|takes no"):
        place(url)


async def endless(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


async def huge(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(whole(200, "x" * LARGEST_ANSWER))
    await writer.drain()


async def endless_body(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await endless(writer)


async def endless_head(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    await endless(writer)


async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silence(_: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hangs_up(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def no_http(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")


async def cut(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(whole(200, "whole")[:-1])


async def no_text(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xff")


@pytest.mark.parametrize(
    "answer",
    [huge, endless_body, endless_head, drip, silence, hangs_up, no_http, cut, no_text],
    ids=lambda answer: answer.__name__,
)
async def test_every_bad_answer_is_a_link_error(
    answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]],
):
    async with answering(answer) as at:
        with pytest.raises(LinkError):
            await post.ask(at, "/add-checkpoint", b"old 0\n\n", limit_s=0.5)


async def test_nobody_there_is_a_link_error():
    async with answering(silence) as at:
        pass
    with pytest.raises(LinkError):
        await post.ask(at, "/add-checkpoint", b"old 0\n\n")


async def test_a_chunked_answer_is_read():
    async def chunked(_: bytes, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head + b"1\r\n4\r\n2\r\n2\n\r\n0\r\n\r\n")

    async with answering(chunked) as at:
        assert await post.ask(at, "/add-checkpoint", b"old 0\n\n") == (409, "42\n")


def certificate(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "witness.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return path


async def test_https_is_asked_only_where_its_certificate_is_vouched_for(tmp_path: Path):
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    async def answers(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(whole(200, "signed"))

    async with answering(answers, tls=context) as at:
        assert await post.ask(at, "/add-checkpoint", b"x", ca_file=pem) == (200, "signed")
        with pytest.raises(LinkError, match=r"SSL|Cert"):
            await post.ask(at, "/add-checkpoint", b"x")
        with pytest.raises(LinkError, match=r"SSL|Cert"):
            await post.ask(replace(at, host="localhost"), "/add-checkpoint", b"x", ca_file=pem)
        with pytest.raises(LinkError):
            await post.ask(at, "/add-checkpoint", b"x", ca_file=tmp_path / "none.pem")


async def test_the_request_says_its_length_and_where_it_goes():
    heard: list[bytes] = []

    async def listens(request: bytes, writer: asyncio.StreamWriter) -> None:
        heard.append(request)
        writer.write(whole(200, "ok"))

    async with answering(listens) as at:
        to = Place(at.host, at.port, "/w1", tls=False)
        assert await post.ask(to, "/add-checkpoint", b"old 0\n\n") == (200, "ok")
    assert heard[0].startswith(b"POST /w1/add-checkpoint HTTP/1.1\r\nHost: 127.0.0.1:")
    assert heard[0].endswith(b"Content-Length: 7\r\n\r\nold 0\n\n")
