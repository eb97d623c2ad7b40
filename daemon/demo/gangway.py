"""The gangway station of the demo: sees what any subscriber sees, and acts as a station may."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from daemon.errors import IspsdError
from daemon.mqtt.connection import Connection
from daemon.mqtt.topics import Topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from daemon.mqtt.wire import Broker

ALIVE_EVERY_S = 10.0
"""How often a station proves that it is shown, fresh and able to sound."""
EXPIRY_S = 10
WAIT_S = 30.0


class Gangway:
    """One watch station."""

    STATION = "gangway"

    def __init__(self, connection: Connection, topics: Topics) -> None:
        self._connection = connection
        self._topics = topics
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()
        self.newest: dict[str, dict[str, Any]] = {}
        """The newest message of each topic, by its name behind the version."""
        self.news: list[str] = []
        """The topics of which news came, in order: no heartbeats, counters,
        positions and repeated values."""
        self.heads: list[str] = []
        """Every signed head that was seen: what this station can witness."""

    async def listen(self) -> None:
        """Take in what comes until the connection ends."""
        async for message in self._connection.messages():
            name = message.topic.removeprefix(f"{self._topics.root}/")
            if not message.payload:
                self.newest.pop(name, None)
            else:
                self._take(name, json.loads(message.payload))
            self._changed.set()

    async def stay_alive(self) -> None:
        """Prove to be alive, as a page or a sounder does."""
        while True:
            await self.ask("alive", shown=True, fresh=True, sound_armed=True)
            await asyncio.sleep(ALIVE_EVERY_S)

    async def until(self, what: str, holds: Callable[[], Any], *, for_s: float = WAIT_S) -> Any:
        """Return what ``holds`` returns, as soon as it is true.

        Raises:
            IspsdError: It does not come.
        """
        try:
            async with asyncio.timeout(for_s):
                while not (found := holds()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as err:
            raise IspsdError(f"waited {for_s:g} s for {what}; it did not come") from err
        return found

    async def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Send a command and return the reply.

        Raises:
            IspsdError: No reply, or refused.
        """
        id_ = f"g{next(self._ids)}"
        session = self.newest["status"]["session"]
        payload = json.dumps({"id": id_, "session": session, **arguments}).encode()
        await self._connection.deliver(
            self._topics.command(self.STATION, verb), payload, expiry_s=EXPIRY_S
        )

        def reply() -> dict[str, Any] | None:
            said = self.newest.get(f"reply/{self.STATION}")
            return said if said is not None and said["id"] == id_ else None

        answer: dict[str, Any] = await self.until(f"a reply to {verb}", reply)
        if not answer["accepted"]:
            raise IspsdError(f"{verb} refused: {answer['reason']}")
        return answer

    def _take(self, name: str, body: dict[str, Any]) -> None:
        before = self.newest.get(name, {})
        news = {k: v for k, v in body.items() if k not in {"up", "session"}}
        measured = name.startswith("point/") and not isinstance(body["value"], str)
        telemetry = measured or name == "heartbeat" or name.startswith("driver/")
        if not telemetry and news != {
            k: v for k, v in before.items() if k not in {"up", "session"}
        }:
            self.news.append(name)
        self.newest[name] = body
        if name == "record/head":
            self.heads.append(body["note"])


@asynccontextmanager
async def gangway(broker: Broker, ship: str) -> AsyncIterator[Gangway]:
    """Open the station."""
    topics = Topics(ship)
    connection = Connection(broker, client_id="gangway")
    await connection.connect()
    station = Gangway(connection, topics)
    listening = asyncio.ensure_future(station.listen())
    try:
        for name in OPEN_FILTERS:
            await connection.subscribe(f"{topics.root}/{name}")
        yield station
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await connection.disconnect()


OPEN_FILTERS = (
    *("status", "heartbeat", "snapshot", "event", "record/head", "ship", "permit/+"),
    *("point/+", "driver/+", "alert/+", "equipment/+", "test/+", "station/+", "reply/gangway"),
)
"""Everything a watch station may read; ``sso/…`` is not among it."""
