"""How is a station heard, so that one that floods costs itself and nobody else?

Each station's commands come over a connection of their own. The broker keeps a queue for each connection, and what is
beyond it is lost without a word: with one connection for everything, a station that sends without end drowns the
acknowledgements of all others and the broker's own answers to us. Whoever sends far more than he may is not listened
to for a while: his connection is closed, and what he sends meanwhile goes to nobody.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.errors import LinkError
from daemon.mqtt.connection import Connection
from daemon.mqtt.desk import BURST_S, LONGEST_BURST

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.mqtt.session import Timing
    from daemon.mqtt.topics import Topics
    from daemon.mqtt.wire import Broker, Message

FLOOD = 10 * LONGEST_BURST
"""So many in a burst's time are no impatient finger, and no page that catches up."""
DEAF_S = 10.0
"""As long as a command may live: what was sent meanwhile is not wanted any more."""
INBOX_LIMIT = 2 * FLOOD
KEEPALIVE_S = 30
"""A broker that hangs is noticed on the connection of the state."""
LOG = logs.get("mqtt.command_link")


class CommandLink:
    """One station's commands, for as long as a session lasts.

    Args:
        topic_filter: What it subscribes to.
        connect: Makes the connection; called again after each flood.
        hear: Told every message.
    """

    def __init__(
        self,
        topic_filter: str,
        *,
        connect: Callable[[], Connection],
        hear: Callable[[Message], None],
        clock: Clock,
    ) -> None:
        self._filter = topic_filter
        self._connect = connect
        self._hear = hear
        self._clock = clock
        self._connection: Connection | None = None

    async def open(self) -> None:
        """Connect and subscribe.

        Raises:
            LinkError: The broker takes no further connection.
            PublishRefusedError: It does not let us listen.
        """
        self._connection = connection = self._connect()
        await connection.connect()
        await connection.subscribe(self._filter, no_local=True)

    async def run(self) -> None:
        """Hear the station until the connection is lost.

        Raises:
            LinkError: It is.
            PublishRefusedError: The broker does not let us listen any more.
        """
        while True:
            await self._until_it_floods()
            LOG.warning("commands.flood", topic=self._filter, deaf_s=DEAF_S)
            await self.close()
            await self._clock.sleep(DEAF_S)
            await self.open()

    async def close(self) -> None:
        """Break the connection; nothing is owed on it."""
        if (connection := self._connection) is not None:
            await connection.abort()

    async def _until_it_floods(self) -> None:
        connection = self._connection
        if connection is None:
            raise LinkError(f"{self._filter}: not connected")
        came_s: deque[float] = deque(maxlen=FLOOD)
        async for message in connection.messages():
            self._hear(message)
            came_s.append(now_s := self._clock.now_s())
            if len(came_s) == FLOOD and now_s - came_s[0] < BURST_S:
                return
        raise LinkError(f"{self._filter}: {connection.closed.result()}")


def command_links(
    broker: Broker,
    topics: Topics,
    *,
    stations: Collection[str],
    hear: Callable[[Message], None],
    timing: Timing,
    clock: Clock,
    entropy: Entropy,
) -> list[CommandLink]:
    """Return what hears each station, and last what hears those that are not configured."""

    def connect() -> Connection:
        return Connection(
            broker,
            client_id=f"ispsd-commands-{entropy.token()}",
            keepalive_s=KEEPALIVE_S,
            connect_s=timing.connect_s,
            inbox_limit=INBOX_LIMIT,
        )

    def hear_strangers(message: Message) -> None:
        topic = topics.parse(message.topic)
        if topic is None or topic.id not in stations:
            hear(message)

    return [
        CommandLink(topics.commands_of(station), connect=connect, hear=listener, clock=clock)
        for station, listener in (*((each, hear) for each in stations), ("+", hear_strangers))
    ]
