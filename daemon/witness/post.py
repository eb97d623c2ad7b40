"""How does the ship ask a witness over HTTP, and trust nothing that comes back before it is checked?

One connection a question, an answer of bounded size, and one deadline over all of it: a witness that says nothing,
everything or one byte a minute costs the ship nothing but that.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import ipaddress
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from daemon.errors import LinkError

if TYPE_CHECKING:
    from pathlib import Path

ANSWER_S: Final = 20.0
"""The longest that one question takes, satellite link included, in seconds."""
LARGEST_ANSWER: Final = 32 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where a witness is asked.

    Attributes:
        path: What stands before ``/add-checkpoint``; empty or begins with a slash, without one at its end.
    """

    host: str
    port: int
    path: str
    tls: bool


def place(url: str) -> Place:
    """Read the address of a witness.

    Raises:
        ValueError: Not http or https, or http to where the answer crosses other people's networks.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("want http://<address>:<port> or https://<name>")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("takes no user, password, query or fragment")
    tls = parts.scheme == "https"
    if not tls and not _is_near(parts.hostname):
        raise ValueError(
            "http only to this computer or to a private address (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7); "
            "to anywhere else want https"
        )
    return Place(parts.hostname, parts.port or (443 if tls else 80), parts.path.rstrip("/"), tls)


async def ask(
    to: Place,
    path: str,
    body: bytes | None,
    *,
    ca_file: Path | None = None,
    limit_s: float = ANSWER_S,
) -> tuple[int, str]:
    """Return the number and the text of a witness's answer; without a body it is a GET.

    Raises:
        LinkError: Unreachable, too slow, too much, or no answer in HTTP.
    """
    try:
        async with asyncio.timeout(limit_s):
            return _read(await _exchanged(to, _request(to, path, body), ca_file))
    except TimeoutError as err:
        raise LinkError(f"no whole answer within {limit_s:g} s") from err
    except (OSError, http.client.HTTPException, ValueError) as err:
        raise LinkError(f"{type(err).__name__}: {err}"[:200]) from err


async def _exchanged(to: Place, request: bytes, ca_file: Path | None) -> bytes:
    context = ssl.create_default_context(cafile=ca_file) if to.tls else None
    reader, writer = await asyncio.open_connection(to.host, to.port, ssl=context)
    try:
        writer.write(request)
        await writer.drain()
        answer = b""
        while piece := await reader.read(LARGEST_ANSWER + 1 - len(answer)):
            answer += piece
            if len(answer) > LARGEST_ANSWER:
                raise LinkError(f"the answer is larger than {LARGEST_ANSWER} bytes")
        return answer
    finally:
        writer.close()
        with suppress(Exception):  # the other end may be gone in any way it likes
            writer.transport.abort()


def _request(to: Place, path: str, body: bytes | None) -> bytes:
    host = f"[{to.host}]" if ":" in to.host else to.host
    lines = [
        f"{'GET' if body is None else 'POST'} {to.path}{path} HTTP/1.1",
        f"Host: {host}:{to.port}",
        "Connection: close",
        "User-Agent: ispsd",
    ]
    if body is not None:
        lines += ["Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class _Received:
    """What ``http.client`` reads an answer from, in place of a socket."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def _read(answer: bytes) -> tuple[int, str]:
    response = http.client.HTTPResponse(_Received(answer))  # type: ignore[arg-type]
    response.begin()
    return response.status, response.read().decode()


def _is_near(host: str) -> bool:
    """Tell whether an address stays on board; a name may lead anywhere, but for one."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or (
        address.is_private and not address.is_unspecified and not address.is_link_local
    )
