"""A subscriber that hears everything while a soak lasts, over all lives of the broker, and keeps what is judged."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from daemon.errors import LinkError
from daemon.mqtt.connection import Connection
from daemon.mqtt.embedded import SSO_USER
from tests.brokers import address

if TYPE_CHECKING:
    from daemon.mqtt.embedded import EmbeddedBroker

AGAIN_S = 0.05
KEPT = ("alert/", "event", "record/head", "status", "station/", "reply/")
"""What is judged; of all other topics the names."""


class Capture:
    """Everything that was told.

    Attributes:
        messages: When each came in seconds after ``began_s``, its topic below the ship's, and its body.
        topics: Every topic that was ever heard.
    """

    def __init__(self, broker: EmbeddedBroker, root: str) -> None:
        self._broker = broker
        self._root = root
        self.began_s = time.monotonic()
        self.messages: list[tuple[float, str, Any]] = []
        self.topics: set[str] = set()
        self.count = 0
        self._connection: Connection | None = None

    async def run(self) -> None:
        """Hear until cancelled; a broker that is gone is come back to at once."""
        number = 0
        while True:
            number += 1
            connection = Connection(
                address(self._broker, SSO_USER), client_id=f"soak-{number}", inbox_limit=200_000,
                payload_limit_bytes=256 * 1024,
            )  # fmt: skip
            with suppress(LinkError, OSError):
                await connection.connect()
                await connection.subscribe(f"{self._root}#")
                async for message in connection.messages():
                    self._take(message.topic.removeprefix(self._root), message.payload)
            with suppress(LinkError, OSError):
                await connection.abort()
            await asyncio.sleep(AGAIN_S)

    def _take(self, name: str, payload: bytes) -> None:
        self.count += 1
        self.topics.add(name)
        if name.startswith(KEPT):
            body = json.loads(payload) if payload else None
            if name == "event" and body is not None:
                body = {"bseq": body["bseq"], "seq": body["seq"], "type": body["entry"]["type"]}
            self.messages.append((time.monotonic() - self.began_s, name, body))

    def newest(self, topic: str) -> Any:
        """Return the newest body of a topic; None where there is none."""
        return next((body for _, name, body in reversed(self.messages) if name == topic), None)
