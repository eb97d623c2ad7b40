"""Does an alert reach whoever listens at the broker? A synthetic one is sent, and a listener of our own waits for it.

The listener is a connection of its own, as a station's is, so that what comes back has gone through the broker. The
topic is ``selftest/<nonce>``, never ``alert/``: no page can take it for an alert. Stations hear it too, and answer by a
proof of life that names the nonce (``daemon.stations.echoes``).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from daemon.errors import LinkError
from daemon.mqtt.connection import Connection
from daemon.mqtt.mirror import sealed
from daemon.mqtt.wire import PublishRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.mqtt.session import Session
    from daemon.mqtt.topics import Topics
    from daemon.mqtt.wire import Broker

INBOX_LIMIT = 10
SYNTHETIC = b'{"synthetic":true}'


class Selftest:
    """The listener, and the way to it."""

    def __init__(self, broker: Broker, topics: Topics, *, clock: Clock, entropy: Entropy) -> None:
        self._broker = broker
        self._topics = topics
        self._clock = clock
        self._entropy = entropy
        self._listener: Connection | None = None
        self._alone = asyncio.Lock()

    async def round_trip_s(
        self, session: Session, *, limit_s: float, sending: Callable[[str], None] | None = None
    ) -> float | None:
        """Return after how many seconds a synthetic alert came back; None where it did not within the limit.

        ``sending`` is told its nonce just before it goes out.
        """
        async with self._alone:
            nonce = self._entropy.token()
            topic = self._topics.selftest(nonce)
            try:
                listener = await self._listening()
                arrived = asyncio.Event()
                waiting = asyncio.ensure_future(_until(listener, topic, arrived))
                if sending is not None:
                    sending(nonce)
                began_s = self._clock.now_s()
                body = sealed(SYNTHETIC, session=session.name, up_s=began_s)
                delivery = asyncio.ensure_future(
                    session.connection.deliver(topic, body, expiry_s=max(1, round(limit_s)))
                )
                try:
                    came = await self._clock.wait(arrived, limit_s)
                finally:
                    for task in (waiting, delivery):
                        task.cancel()
                    await asyncio.gather(waiting, delivery, return_exceptions=True)
            except (LinkError, PublishRefusedError):
                return None
            return self._clock.now_s() - began_s if came else None

    async def held_by_broker(self, topic: str, *, limit_s: float) -> bytes | None:
        """Return what the broker holds as the newest of a retained topic; None where nothing comes in time."""
        async with self._alone:
            try:
                asker = await self._connected("held")
            except (LinkError, PublishRefusedError):
                return None
            arrived = asyncio.Event()
            held: list[bytes] = []

            async def first() -> None:
                async for message in asker.messages():
                    held.append(message.payload)
                    arrived.set()
                    return

            waiting = asyncio.ensure_future(first())
            try:
                await asker.subscribe(topic)
                await self._clock.wait(arrived, limit_s)
            except (LinkError, PublishRefusedError):
                return None
            finally:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                await asker.disconnect()
            return held[0] if held else None

    async def close(self) -> None:
        """Close the listener."""
        if self._listener is not None:
            await self._listener.disconnect()
            self._listener = None

    async def _listening(self) -> Connection:
        """Return the listener, connected.

        Raises:
            LinkError: The broker takes no further connection.
            PublishRefusedError: It does not let us listen.
        """
        if self._listener is not None and not self._listener.closed.done():
            return self._listener
        listener = await self._connected("selftest")
        try:
            await listener.subscribe(self._topics.selftest("+"))
        except BaseException:
            await listener.abort()
            raise
        self._listener = listener
        return listener

    async def _connected(self, role: str) -> Connection:
        """Return a connection of our own beside the session's.

        Raises:
            LinkError: The broker takes none.
        """
        connection = Connection(
            self._broker,
            client_id=f"ispsd-{role}-{self._entropy.token()}",
            inbox_limit=INBOX_LIMIT,
        )
        try:
            await connection.connect()
        except BaseException:
            with suppress(LinkError):
                await connection.abort()
            raise
        return connection


async def _until(listener: Connection, topic: str, arrived: asyncio.Event) -> None:
    async for message in listener.messages():
        if message.topic == topic and not message.retained:
            arrived.set()
            return
