"""A page that stands by the broker, whatever happens: it keeps every message, and comes back by itself."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from daemon.errors import IspsdError, LinkError
from daemon.mqtt.connection import Connection
from tests.faults.capture import Heard
from tests.processes.rig import ROOT, Witness

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.mqtt.wire import Broker, Message
    from tests.faults.capture import Capture

RETRY_S = 0.2
ANSWER_S = 10.0
"""What has not been answered by then is not."""


def now_s() -> float:
    """Return seconds since boot, as the daemon counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Subscriber(Witness):
    """A subscriber to everything that an SSO's station may read, over all lives of broker and daemon."""

    def __init__(
        self, capture: Capture, listener: Callable[[], Broker], speaker: Callable[[], Broker]
    ) -> None:
        self._capture = capture
        self._listener, self._speaker = listener, speaker
        self._lines: dict[str, Connection] = {}
        super().__init__(None)  # type: ignore[arg-type]  # made anew each time: see ``stand``

    async def stand(self) -> None:
        """Listen until cancelled, over as many connections as it takes."""
        while True:
            connection = self._made(self._listener(), "page")
            self._lines.pop("speaker", None)
            with suppress(IspsdError):
                await connection.connect()
                self.newest.clear()
                self._connection = connection
                await connection.subscribe(f"{ROOT}#")
                await self.listen()
            self._changed.set()
            with suppress(IspsdError):
                await connection.abort()
            assert connection.dropped == 0
            await asyncio.sleep(RETRY_S)

    async def say(self, station: str, verb: str, **arguments: Any) -> dict[str, Any] | None:
        """Send a command and return its reply; None where there is none in time."""
        with suppress(LinkError, KeyError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                return await self._asked_through(await self._line(), station, verb, arguments)
        return None

    async def close(self) -> None:
        for line in self._lines.values():
            await line.abort()

    async def _asked_through(
        self, line: Connection, station: str, verb: str, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        id_ = uuid4().hex[:12]
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[id_] = reply
        body = {"id": id_, "session": self.newest["status"]["session"], **arguments}
        await line.deliver(f"{ROOT}cmd/{station}/{verb}", json.dumps(body).encode(), expiry_s=10)
        return await reply

    async def _line(self) -> Connection:
        line = self._lines.get("speaker")
        if line is None or not line.is_open():
            line = self._made(self._speaker(), "station")
            await line.connect()
            self._lines["speaker"] = line
        return line

    def _made(self, broker: Broker, name: str) -> Connection:
        return Connection(
            broker,
            client_id=f"{name}-{uuid4().hex}",
            inbox_limit=100_000,
            payload_limit_bytes=256 * 1024,
        )

    def _take(self, message: Message) -> None:
        name = message.topic.removeprefix(ROOT)
        self._capture.heard.append(Heard(now_s(), name, message.payload, message.retained))
        super()._take(message)
