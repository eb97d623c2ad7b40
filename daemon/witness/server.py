"""How is a witness asked over a network? HTTP, as little of it as https://c2sp.org/tlog-witness needs.

``POST /add-checkpoint`` and, beyond the protocol, ``GET /head/<origin>``: the newest head of a log, or of a ship, that
was cosigned, so that a ship whose computer was restored from a copy learns what she has forgotten. Whoever asks is not
authenticated, since a request counts by the ship's signature in it; so every request is bounded in size and time, and
so are all of them.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from daemon.computer import logs
from daemon.errors import IspsdError, RecordError
from daemon.model import ClockStatus
from daemon.record import cosignature, witness
from daemon.record.witness_store import PLAIN, Answer
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.computer.clock import Clock
    from daemon.record.witness_store import Store

ADD: Final = "/add-checkpoint"
HEAD: Final = "/head/"
REQUEST_S: Final = 10.0
"""The longest that one request takes to arrive, or one connection idles, in seconds."""
LONGEST_HEAD: Final = 8 * 1024
MOST_PEERS: Final = 32
QUIET_S: Final = 60.0
"""What is refused is told in the log at most so often, with its count."""

_FIRST_LINE: Final = re.compile(r"(GET|POST) (/[!-~]{0,200}) HTTP/1\.[01]")
_WORDS: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    422: "Unprocessable Content",
    503: "Service Unavailable",
}


class WitnessServer:
    """Answers ships; one request after the other reaches the store."""

    def __init__(self, store: Store, *, clock: Clock, request_s: float = REQUEST_S) -> None:
        self._store = store
        self._clock = clock
        self._request_s = request_s
        self._worker = Worker("witness")
        self._peers: set[asyncio.Task[None]] = set()
        self._refused, self._told_s = 0, -QUIET_S
        self._log = logs.get("witness")

    async def run(self, host: str, port: int, *, started: Callable[[str, int], None]) -> None:
        """Serve until cancelled.

        Raises:
            IspsdError: It cannot listen there.
        """
        try:
            server = await asyncio.start_server(self._accept, host, port, limit=LONGEST_HEAD)
        except OSError as err:
            raise IspsdError(f"{host}:{port}: {err.strerror or err}") from err
        try:
            started(*server.sockets[0].getsockname()[:2])
            await asyncio.Event().wait()
        finally:
            server.close()
            for task in tuple(self._peers):
                task.cancel()
            await asyncio.gather(*self._peers, return_exceptions=True)
            self._worker.finish()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._peers.add(task)
        task.add_done_callback(self._peers.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            goes_on = len(self._peers) <= MOST_PEERS
            while goes_on:
                async with asyncio.timeout(self._request_s):
                    head = await reader.readuntil(b"\r\n\r\n")
                    method, path, fields = _head(head)
                    body = await _body(reader, method, fields)
                answer = await self._answered(method, path, body)
                goes_on = fields.get("connection", "").lower() != "close"
                await self._send(writer, answer, goes_on=goes_on)
        except _BadRequestError as err:
            with suppress(OSError, TimeoutError):
                await self._send(writer, Answer(err.status, f"{err}\n", str(err)), goes_on=False)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # gone, too slow, or no end of its head: the ship asks again
        finally:
            writer.close()

    async def _answered(self, method: str, path: str, body: bytes) -> Answer:
        try:
            if method == "POST" and path == ADD:
                return await self._sign(body)
            if method == "GET" and path.startswith(HEAD):
                return await self._worker.call(partial(self._head, path.removeprefix(HEAD)))
        except RecordError as err:
            self._log.error("witness.unable", reason=str(err))
            return Answer(503, "this witness cannot sign now\n", str(err))
        known = path == ADD or path.startswith(HEAD)
        return Answer(405 if known else 404, "there is POST /add-checkpoint\n", "no such request")

    async def _sign(self, body: bytes) -> Answer:
        if self._clock.status() is ClockStatus.UNSET:
            # A cosignature says when; one of 1970 would say it wrongly for ever.
            raise RecordError("the clock of this computer is not set")
        utc = self._clock.utc()
        answer = await self._worker.call(partial(self._store.answer, body, utc=utc))
        if answer.status == witness.Status.SIGNED:
            self._log.debug("witness.signed", reason=answer.reason)
        else:
            self._tell_refusal(answer)
        return answer

    def _head(self, origin: str) -> Answer:
        known = self._store.newest(origin)
        if known is None:
            return Answer(404, "no such log\n", "no such log")
        return Answer(200, known.note, "head shown")

    def _tell_refusal(self, answer: Answer) -> None:
        self._refused += 1
        if self._clock.now_s() - self._told_s >= QUIET_S:
            self._log.info(
                "witness.not_signed",
                status=int(answer.status),
                reason=answer.reason,
                count=self._refused,
            )
            self._refused, self._told_s = 0, self._clock.now_s()

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer, *, goes_on: bool) -> None:
        body = answer.body.encode()
        lines = [
            f"HTTP/1.1 {int(answer.status)} {_WORDS.get(int(answer.status), 'Refused')}",
            f"Content-Type: {answer.content_type or PLAIN}",
            f"Content-Length: {len(body)}",
            f"Connection: {'keep-alive' if goes_on else 'close'}",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        async with asyncio.timeout(self._request_s):
            await writer.drain()


class _BadRequestError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(reason)


def _head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    match = _FIRST_LINE.fullmatch(first)
    if match is None:
        raise _BadRequestError(400, "want GET or POST, a path and HTTP/1.1")
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _BadRequestError(400, "a header field is malformed")
        if fields.setdefault(name.lower(), value.strip()) != value.strip():
            raise _BadRequestError(400, "a header field stands there twice")
    return match[1], match[2], fields


async def _body(reader: asyncio.StreamReader, method: str, fields: dict[str, str]) -> bytes:
    """Return the body; its length is given beforehand, or it is none (RFC 9112 section 6)."""
    if "transfer-encoding" in fields:
        raise _BadRequestError(411, "Content-Length is wanted")
    length = fields.get("content-length")
    if length is None:
        if method == "POST":
            raise _BadRequestError(411, "Content-Length is wanted")
        return b""
    if not length.isascii() or not length.isdigit() or len(length) > 9:  # noqa: PLR2004 (more is too long anyhow)
        raise _BadRequestError(400, "Content-Length is no number")
    if int(length) > cosignature.LARGEST_REQUEST:
        raise _BadRequestError(413, f"at most {cosignature.LARGEST_REQUEST} bytes")
    return await reader.readexactly(int(length))
