"""A dashboard, a record and a running publisher, for tests over real brokers."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.model import Ship
from daemon.mqtt.board import Identity, Pulse
from daemon.mqtt.commands import Command, Ground, Reply
from daemon.mqtt.connection import Connection
from daemon.mqtt.publisher import Publisher
from daemon.mqtt.session import Timing
from daemon.mqtt.topics import Topics
from daemon.mqtt.wire import Broker
from tests.brokers import address
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from daemon.computer.clock import Clock
    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.mqtt.publisher import Facts
    from daemon.mqtt.wire import Message, Will

IDENTITY = Identity("aurora", Ship("AURORA", 9074729, 257000000, "LAAA"), "26.1")
TOPICS = Topics("aurora")
FAST = Timing(
    heartbeat_s=0.1,
    repair_s=0.05,
    first_retry_s=0.05,
    longest_retry_s=0.2,
    keepalive_s=1,
    connect_s=3.0,
)
POINT = {
    "value": "closed",
    "unit": None,
    "quality": "good",
    "provenance": "live",
    "valid_for": 2.0,
    "source": "io1",
    "name": "D12",
    "proved": None,
    "kind": "door",
    "word": None,
}


class Dashboard:
    """A plain subscriber that remembers everything, in order."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.seen: list[Message] = []
        self._news = Pulse()

    async def collect(self) -> None:
        async for message in self.connection.messages():
            self.seen.append(message)
            self._news.fire()

    async def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until something is true of what was seen."""
        async with asyncio.timeout(PATIENCE_S):
            while not (answer := holds()):
                await self._news.wait()
        return answer

    def bodies(self, topic: str) -> list[dict[str, Any]]:
        """Return what was seen under a topic; {} for a clearing."""
        return [json.loads(m.payload or b"{}") for m in self.seen if m.topic == topic]

    def newest(self, topic: str) -> dict[str, Any]:
        return (self.bodies(topic) or [{}])[-1]

    def states(self) -> list[str]:
        return [body["state"] for body in self.bodies(TOPICS.status()) if body]

    async def session(self) -> str:
        """Wait for ready; return the session that is."""
        status = TOPICS.status()
        await self.until(lambda: self.newest(status).get("state") == "ready")
        return str(self.newest(TOPICS.status())["session"])

    async def command(
        self,
        station: str,
        verb: str,
        *,
        expiry_s: int | None = 5,
        retain: bool = False,
        **body: Any,
    ) -> None:
        await self.connection.deliver(
            TOPICS.command(station, verb),
            json.dumps(body).encode(),
            retain=retain,
            expiry_s=expiry_s,
        )

    async def reply(self, station: str, id_: str, *, count: int = 1) -> dict[str, Any]:
        """Wait for so many replies to an id; return the last."""
        topic = TOPICS.reply(station)
        replies = await self.until(
            lambda: [body for body in self.bodies(topic) if body["id"] == id_][count - 1 :]
        )
        return dict(replies[0])


@asynccontextmanager
async def connected(
    broker: Broker, name: str = "page", will: Will | None = None
) -> AsyncIterator[Connection]:
    connection = Connection(
        broker, client_id=name, will=will, inbox_limit=20_000, payload_limit_bytes=128 * 1024
    )
    await connection.connect()
    try:
        yield connection
    finally:
        await connection.disconnect()


@asynccontextmanager
async def dashboard(
    broker: Broker, name: str = "page", *, fenced: bool = True
) -> AsyncIterator[Dashboard]:
    """Subscribe to everything; ``fenced``: and yield when all that was retained is there."""
    async with connected(broker, name) as connection:
        page = Dashboard(connection)
        collecting = asyncio.create_task(page.collect())
        await connection.subscribe(TOPICS.everything())
        if fenced:
            # What comes back on a topic of its own comes after everything that was retained.
            await connection.subscribe(f"fence/{name}")
            await connection.deliver(f"fence/{name}", b"")
            await page.until(lambda: any(m.topic.startswith("fence/") for m in page.seen))
            page.seen = [m for m in page.seen if not m.topic.startswith("fence/")]
        try:
            yield page
        finally:
            collecting.cancel()


class Record:
    """What stands in for the security record: events in memory, a cursor that survives."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.entries: list[bytes] = []
        self.cursor = 0

    def commit(self, count: int = 1) -> None:
        for _ in range(count):
            bseq = len(self.entries) + 1
            entry = {"v": 1, "type": "detection"}
            self.entries.append(
                json.dumps({"bseq": bseq, "seq": bseq + 100, "entry": entry}).encode()
            )
        self.wake.set()

    async def events(self, after_bseq: int, limit: int) -> Sequence[tuple[int, bytes]]:
        return list(enumerate(self.entries, 1))[after_bseq : after_bseq + limit]

    async def load_cursor(self) -> int:
        return self.cursor

    async def store_cursor(self, bseq: int) -> None:
        self.cursor = bseq


@dataclass
class App:
    """What stands in for the rest of ispsd."""

    commands: list[Command] = field(default_factory=list)
    refusals: list[tuple[str, Ground, int]] = field(default_factory=list)
    told: Pulse = field(default_factory=Pulse)

    async def handle(self, command: Command) -> Reply:
        self.commands.append(command)
        return Reply(accepted=True, recorded=len(self.commands))

    async def refused(self, station: str, ground: Ground, count: int) -> None:
        self.refusals.append((station, ground, count))
        self.told.fire()

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.told.wait()


@dataclass
class Running:
    """A publisher that runs, with what it was given."""

    publisher: Publisher
    record: Record
    app: App

    async def until(self, holds: Callable[[Facts], Any]) -> Facts:
        """Wait until something is true of the publisher's facts."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds(facts := self.publisher.facts()):
                await self.publisher.facts_changed()
        return facts

    async def drained(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.publisher.drained()


@asynccontextmanager
async def publishing(
    broker: EmbeddedBroker | Broker,
    *,
    user: str | None = None,
    timing: Timing = FAST,
    record: Record | None = None,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> AsyncIterator[Running]:
    """Run a publisher that is ready as soon as the broker has everything; stop it in good order."""
    record, app = record or Record(), App()
    publisher = Publisher(
        broker if isinstance(broker, Broker) else address(broker, user),
        IDENTITY,
        stations=("bridge", "gangway"),
        handle=app.handle,
        refused=app.refused,
        events=record,
        clock=clock or SystemClock(),
        entropy=entropy or Entropy(),
        timing=timing,
    )
    publisher.set_status("ready")
    task = asyncio.create_task(publisher.run())
    try:
        yield Running(publisher, record, app)
    finally:
        async with asyncio.timeout(PATIENCE_S):
            await publisher.stop()
            await task
