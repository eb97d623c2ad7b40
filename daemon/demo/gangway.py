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
PROOF = {"shown": True, "fresh": True, "sound_armed": True, "touched_s": 0.0}
SELFTEST = "selftest/"
EXPIRY_S = 10
WAIT_S = 30.0
CONTACTS = frozenset({"closed", "open", "line_fault"})


class Gangway:
    """One watch station."""

    STATION = "gangway"

    def __init__(self, broker: Broker, topics: Topics) -> None:
        self._broker = broker
        self._topics = topics
        self._connection: Connection
        self._listening: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()
        self._replies: dict[str, dict[str, Any] | None] = {}
        """What is waited for, by the command's id: a synthetic alert may be answered while something else is asked."""
        self.newest: dict[str, dict[str, Any]] = {}
        """The newest message of each topic, by its name behind the version."""
        self.news: list[str] = []
        """The topics of which news came, in order: no heartbeats, counters,
        positions, answers to this station and repeated values."""
        self.heads: list[str] = []
        """Every signed head that was seen: what this station can witness."""
        self.events: list[dict[str, Any]] = []
        """Every entry of the record that was told, in order."""

    async def connect(self) -> None:
        """Connect, again after the broker was lost, and listen.

        Raises:
            LinkError: There is no broker.
        """
        self._connection = Connection(self._broker, client_id="gangway")
        await self._connection.connect()
        self._listening = asyncio.ensure_future(self._listen(self._connection))
        for name in OPEN_FILTERS:
            await self._connection.subscribe(f"{self._topics.root}/{name}")

    async def disconnect(self) -> None:
        """Leave in good order."""
        tasks = [*self._answering, *([] if self._listening is None else [self._listening])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._connection.disconnect()

    async def lost(self) -> None:
        """Return when the broker is gone."""
        await self._connection.closed

    async def _listen(self, connection: Connection) -> None:
        """Take in what comes until the connection ends."""
        async for message in connection.messages():
            name = message.topic.removeprefix(f"{self._topics.root}/")
            if name.startswith(SELFTEST) and "status" in self.newest:
                self._answer(name.removeprefix(SELFTEST))
            elif not message.payload:
                self.newest.pop(name, None)
            else:
                self._take(name, json.loads(message.payload))
            self._changed.set()

    async def stay_alive(self) -> None:
        """Prove to be alive, as a page or a sounder does."""
        while True:
            with suppress(IspsdError):  # without a broker nobody hears it
                await self.ask("alive", **PROOF)
            await asyncio.sleep(ALIVE_EVERY_S)

    def _answer(self, nonce: str) -> None:
        """Answer a synthetic alert; it is shown to nobody."""
        task = asyncio.ensure_future(self._prove(nonce))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _prove(self, nonce: str) -> None:
        with suppress(IspsdError):  # the next one is answered
            await self.ask("alive", **PROOF, selftest=nonce)

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
        self._replies[id_] = None
        try:
            await self._connection.deliver(
                self._topics.command(self.STATION, verb), payload, expiry_s=EXPIRY_S
            )
            said = await self.until(f"a reply to {verb}", lambda: self._replies[id_])
        finally:
            del self._replies[id_]
        answer: dict[str, Any] = said
        if not answer["accepted"]:
            raise IspsdError(f"{verb} refused: {answer['reason']}")
        return answer

    def _take(self, name: str, body: dict[str, Any]) -> None:
        before = self.newest.get(name, {})
        news = {k: v for k, v in body.items() if k not in {"up", "session"}}
        measured = name.startswith("point/") and not _is_contact(body["value"])
        answered = name.startswith("reply/")  # to its own proofs of life
        telemetry = measured or answered or name == "heartbeat" or name.startswith("driver/")
        if not telemetry and news != {
            k: v for k, v in before.items() if k not in {"up", "session"}
        }:
            self.news.append(name)
        self.newest[name] = body
        if answered and body["id"] in self._replies:
            self._replies[body["id"]] = body
        if name == "event":
            self.events.append(body)
        if name == "record/head":
            self.heads.append(body["note"])


def _is_contact(value: object) -> bool:
    return value is None or (isinstance(value, str) and value in CONTACTS)


@asynccontextmanager
async def gangway(broker: Broker, ship: str) -> AsyncIterator[Gangway]:
    """Open the station."""
    station = Gangway(broker, Topics(ship))
    await station.connect()
    try:
        yield station
    finally:
        await station.disconnect()


OPEN_FILTERS = (
    *("status", "heartbeat", "snapshot", "event", "record/head", "ship", "permit/+"),
    *("point/+", "driver/+", "alert/+", "equipment/+", "test/+", "station/+", "reply/gangway"),
    "selftest/+",
)
"""Everything a watch station may read; ``sso/…`` is not among it."""
