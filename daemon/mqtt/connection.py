"""How is one MQTT 5 connection held, from its CONNECT to its end?

Nothing is ever handed to paho while there is no connection, and never more than a window of
publications: paho would queue both, in memory and without end, and deliver the stale ones later.
"Sent" means a PUBACK whose reason is below 0x80 (OASIS MQTT Version 5.0, 3.4.2.1).
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.errors import LinkError
from daemon.mqtt.paho_client import PahoClient
from daemon.mqtt.wire import Message, PublishRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from paho.mqtt.client import MQTTMessage

    from daemon.mqtt.wire import Broker, Will

WINDOW = 20
"""Publications in flight at most; Mosquitto's default receive maximum."""
GOODBYE_S = 1.0
"""How long a DISCONNECT may take before the socket is shut."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """A publication that the broker has not acknowledged."""

    topic: str
    done: asyncio.Future[None]
    began_s: float


class Connection:
    """One connection to a broker; made, opened, used and closed once, in one event loop."""

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        will: Will | None = None,
        keepalive_s: int = 5,
        connect_s: float = 5.0,
        payload_limit_bytes: int = 16 * 1024,
        inbox_limit: int = 1000,
    ) -> None:
        self.dropped = 0
        """Messages that arrived while the inbox was full, or under a name that is no UTF-8."""
        self._broker = broker
        self._keepalive_s = keepalive_s
        self._connect_s = connect_s
        self._payload_limit_bytes = payload_limit_bytes
        self._inbox_limit = inbox_limit
        self._window = WINDOW
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[str] = self._loop.create_future()
        """Done when the connection is over; the reason in words."""
        self._open = False
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._flights: dict[int, _Flight] = {}
        self._subscriptions: dict[int, asyncio.Future[None]] = {}
        self._freed = asyncio.Event()
        self._inbox: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._paho = PahoClient(self, client_id=client_id, will=will, connect_s=connect_s)

    async def connect(self) -> None:
        """Connect and wait for the broker's CONNACK.

        Raises:
            LinkError: No broker there, none that answers in time, or it refuses us.
        """
        dialling = asyncio.ensure_future(
            asyncio.to_thread(self._paho.dial, self._broker, self._keepalive_s)
        )
        try:
            async with asyncio.timeout(self._connect_s):
                await asyncio.shield(dialling)
                self._paho.attach()
                await self._connected
        except TimeoutError as err:
            raise LinkError(
                f"{self._broker.place}: no answer within {self._connect_s:g} s"
            ) from err
        except (OSError, ValueError) as err:  # ValueError: a host name that DNS cannot carry
            raise LinkError(f"{self._broker.place}: {err}") from err
        finally:
            if not self.is_open():
                dialling.add_done_callback(_read)
                await self.abort()

    def is_open(self) -> bool:
        """Return whether something can be published now."""
        return self._open

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        expiry_s: int | None = None,
    ) -> asyncio.Future[None]:
        """Hand over a publication; return what is done when the broker has it.

        With QoS 0 it is done when it is on the wire. It raises ``PublishRefusedError`` where the
        broker's PUBACK says no, ``LinkError`` where the connection ends first.

        Raises:
            LinkError: There is no connection, or the window is full (wait for ``room``).
        """
        if not self.is_open():
            raise LinkError(f"{self._broker.place}: not connected")
        if len(self._flights) >= self._window:
            raise LinkError(f"{self._broker.place}: {self._window} publications in flight already")
        mid = self._paho.publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)
        done: asyncio.Future[None] = self._loop.create_future()
        self._flights[mid] = _Flight(topic, done, self._loop.time())
        return done

    async def room(self) -> None:
        """Return when the window has room for one more publication.

        Raises:
            LinkError: The connection is over.
        """
        while self.is_open():
            if len(self._flights) < self._window:
                return
            self._freed.clear()
            await self._freed.wait()
        raise LinkError(f"{self._broker.place}: not connected")

    async def deliver(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
    ) -> None:
        """Publish and wait until the broker has it.

        Raises:
            LinkError: The connection is over; whether the broker has it is not known.
            PublishRefusedError: The broker said no.
        """
        await self.room()
        await self.publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)

    def oldest_flight_s(self) -> float:
        """Return how long the oldest publication has waited for the broker; 0 where none waits."""
        oldest = next(iter(self._flights.values()), None)
        return 0.0 if oldest is None else self._loop.time() - oldest.began_s

    async def subscribe(
        self,
        topic_filter: str,
        *,
        qos: int = 1,
        no_local: bool = False,
        retain_as_published: bool = True,
    ) -> None:
        """Subscribe and wait for the broker's SUBACK.

        Raises:
            LinkError: The connection is over.
            PublishRefusedError: The broker said no.
        """
        if not self.is_open():
            raise LinkError(f"{self._broker.place}: not connected")
        options = {
            "qos": qos,
            "noLocal": no_local,
            "retainAsPublished": retain_as_published,
            "retainHandling": 0,
        }
        mid = self._paho.subscribe(topic_filter, options)
        self._subscriptions[mid] = granted = self._loop.create_future()
        await granted

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what arrives, until the connection is over and nothing is left."""
        while True:
            while self._inbox:
                yield self._inbox.popleft()
            if self.closed.done():
                return
            self._arrived.clear()
            await self._arrived.wait()

    async def disconnect(self) -> None:
        """Say goodbye, so that no will is published; leave no socket behind."""
        if self.is_open():
            self._paho.say_goodbye()
            await asyncio.wait({self.closed}, timeout=GOODBYE_S)
        await self.abort()

    async def abort(self) -> None:
        """Break the connection without a word: the broker publishes the will."""
        self.give_up("closed here")

    def give_up(self, reason: str) -> None:
        """Treat the connection as lost, whatever the other end thinks."""
        self._paho.shut()
        self.on_ended(reason)

    # Called by PahoClient, in the event loop.

    def on_connected(self, refusal: str | None, receive_maximum: int | None) -> None:
        if self._connected.done():
            return
        if refusal is not None:
            self._connected.set_exception(LinkError(f"{self._broker.place}: refused: {refusal}"))
            return
        self._window = min(WINDOW, receive_maximum or WINDOW)
        self._connected.set_result(None)
        self._open = True

    def on_published(self, mid: int, refusal: str | None) -> None:
        flight = self._flights.pop(mid, None)
        self._freed.set()
        if flight is not None:
            _settle(flight.done, flight.topic, refusal)

    def on_subscribed(self, mid: int, refusal: str | None) -> None:
        granted = self._subscriptions.pop(mid, None)
        if granted is not None:
            _settle(granted, "subscription", refusal)

    def on_message(self, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if not topic or len(self._inbox) >= self._inbox_limit:
            self.dropped += 1
            return
        too_long = len(message.payload) > self._payload_limit_bytes
        self._inbox.append(
            Message(
                topic=topic,
                payload=b"" if too_long else bytes(message.payload),
                retained=message.retain,
                qos=message.qos,
                expiry_s=getattr(message.properties, "MessageExpiryInterval", None),
                too_long=too_long,
            )
        )
        self._arrived.set()

    def on_ended(self, reason: str) -> None:
        if self.closed.done():
            return
        self._open = False
        self.closed.set_result(reason)
        waiting = [flight.done for flight in self._flights.values()]
        for future in (self._connected, *self._subscriptions.values(), *waiting):
            if not future.done():
                future.set_exception(LinkError(f"{self._broker.place}: {reason}"))
                _read(future)
        self._flights.clear()
        self._subscriptions.clear()
        self._freed.set()
        self._arrived.set()


def _settle(future: asyncio.Future[None], subject: str, refusal: str | None) -> None:
    if future.done():
        return
    if refusal is None:
        future.set_result(None)
    else:
        future.set_exception(PublishRefusedError(f"{subject}: {refusal}"))
        _read(future)


def _read(future: asyncio.Future[None]) -> None:
    """Look at a failure, so that nobody must: who is interested waits for the future."""
    if not future.cancelled():
        future.exception()
