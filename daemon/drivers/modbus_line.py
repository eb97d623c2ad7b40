"""One TCP connection to a Modbus unit on which a wrong answer cannot pass for a right one.

One question at a time. Whatever is not its answer, or comes unasked, or too late, ends the
connection for good: what a socket still holds dies with it, and the supervisor opens another.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from daemon.drivers.modbus_frames import MismatchError, Question, Refusal, read_answer
from daemon.drivers.system_words import reason
from daemon.errors import LinkError

if TYPE_CHECKING:
    from typing import Self

CONNECT_TIMEOUT_S = 2.0
"""Long enough for one lost SYN, which Linux sends again after 1 s."""
STOOD_STILL_S = 0.1
"""A timer that rings so much too late, in seconds, tells that this computer stood still: no unit is to blame for it."""


class TcpLine(asyncio.Protocol):
    """The connection; ``open`` makes it, ``close`` ends it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._question: Question | None = None
        self._answer: asyncio.Future[bytes | Refusal] | None = None
        self._received = b""
        self._broken: LinkError | None = None
        self.is_hung_up = False
        """The other side has closed the connection, and not within an answer."""

    @property
    def is_broken(self) -> bool:
        """Whether it has failed, so that nothing can be asked on it."""
        return self._broken is not None

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connect.

        Raises:
            LinkError: Nobody there, or not in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, line = await loop.create_connection(cls, host, port)
        except TimeoutError as err:
            raise LinkError(f"{host}:{port}: no connection in {CONNECT_TIMEOUT_S:g} s") from err
        except OSError as err:
            raise LinkError(f"{host}:{port}: {reason(err)}") from err
        return line

    async def ask(self, question: Question, *, timeout_s: float) -> bytes | Refusal:
        """Return the answer to the question.

        Raises:
            LinkError: None came in time, or the connection is lost; it is closed now.
            MismatchError: Something else came; the connection is closed now.
        """
        if self._broken is not None:
            raise self._broken
        transport = cast("asyncio.Transport", self._transport)
        self._question, self._received = question, b""
        self._answer = asyncio.get_running_loop().create_future()
        transport.write(question.frame())
        try:
            if not await _came(self._answer, timeout_s):
                self._answer.cancel()
                late = LinkError(f"no answer in {timeout_s:g} s")
                self._break(late)
                raise late
            return self._answer.result()
        finally:
            self._question = self._answer = None

    def close(self) -> None:
        """Close the connection; whatever is still on it is lost."""
        self._break(LinkError("closed by us"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # type: ignore[explicit-override]
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:  # type: ignore[explicit-override]
        if self._question is None or self._answer is None or self._answer.done():
            self._break(MismatchError("unasked", f"{len(data)} bytes, not 0"))
            return
        self._received += data
        try:
            answer = read_answer(self._question, self._received)
        except MismatchError as err:
            self._break(err)
            return
        if answer is not None:
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:  # type: ignore[explicit-override]
        is_within_answer = self._question is not None and bool(self._received)
        self.is_hung_up = self._broken is None and not is_within_answer
        self._break(LinkError(f"the connection was lost: {exc or 'closed by the unit'}"))

    def _break(self, reason: LinkError) -> None:
        """End the connection; the first reason is the one that is told."""
        if self._broken is not None:
            return
        self._broken = reason
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(reason)
        if self._transport is not None:
            self._transport.abort()


async def _came(answer: asyncio.Future[bytes | Refusal], timeout_s: float) -> bool:
    """Return whether the answer came in time, or its failure; once more so long where this computer stood still."""
    loop = asyncio.get_running_loop()
    due_s = loop.time() + timeout_s
    await asyncio.wait({answer}, timeout=timeout_s)
    if not answer.done() and loop.time() - due_s >= STOOD_STILL_S:
        await asyncio.wait({answer}, timeout=timeout_s)
    return answer.done()
