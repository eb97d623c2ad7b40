"""Topics as the broker is told them, and an exporter fed from them without a ship."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.exporters.api import ExporterContext
from daemon.exporters.feed import Feed, Shown
from daemon.model import Ship
from daemon.mqtt.mirror import Mirror
from daemon.mqtt.topics import Topics
from daemon.mqtt.wire import Broker
from tests.clocks import FixedEntropy, ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.computer.clock import Clock

SHIP = Ship("KESTREL STRAIT", 9999993, 299000019, "9VKS0")
TOPICS = Topics("9999993")
AT = "2026-11-22T02:10:00.000Z"
STATUS = {"state": "ready", "version": "26.1", "ship": {"name": "K", "imo": 9999993}, "reasons": []}
DOOR = {
    "value": "closed",
    "unit": None,
    "quality": "good",
    "provenance": "live",
    "valid_for": 15.0,
    "source": "io1",
    "name": "STRG GEAR ESC",
    "proved": True,
    "kind": "door",
    "word": "closed",
}
VOLTAGE = {
    **DOOR,
    "value": 24.6,
    "unit": "V",
    "name": "UPS",
    "proved": None,
    "kind": None,
    "word": None,
}
DRIVER = {"link": "up", "since_up": 1.0, "good": 3}
ALERT = {
    "id": "door.escape.open.d12",
    "title": "ESC HATCH OPEN",
    "name": "STRG GEAR ESC",
    "priority": "W",
    "state": "V",
    "state_words": "active – unacknowledged",
    "sounding": True,
    "sounds_at": ["gangway"],
    "action": "Send two to check.",
}


def shown(kind: str, id_: str = "", body: Mapping[str, Any] | None = None) -> Shown:
    return Shown(kind, id_, body, 1000.0)


class Told:
    """What the broker is told, and a feed that hears it."""

    def __init__(self, clock: Clock | None = None, *, limit: int = 5000) -> None:
        self.clock = clock or ManualClock()
        self.mirror = Mirror()
        self.feed = Feed(TOPICS, self.clock, limit=limit)
        self.mirror.on_set(self.feed.hear)

    def put(self, topic: str, body: Mapping[str, Any]) -> None:
        self.mirror.put(topic, body, self.clock.now_s(), at_s=self.clock.now_s())

    def remove(self, topic: str) -> None:
        self.mirror.remove(topic, at_s=self.clock.now_s())

    def whole(self) -> None:
        """Say that everything has been told."""
        self.put(TOPICS.snapshot(), {"count": 3})

    def curtain(self, *, down: bool) -> None:
        topic = TOPICS.curtain()
        self.feed.hear(topic, b'{"state":"down"}' if down else None, self.clock.now_s())

    def context(self, broker: Broker | None = None, *, demo: bool = False) -> ExporterContext:
        return context(self.feed, self.clock, broker, demo=demo)


def context(
    feed: Feed, clock: Clock, broker: Broker | None = None, *, demo: bool = False
) -> ExporterContext:
    return ExporterContext(
        name="x",
        ship=SHIP,
        demo=demo,
        software="26.1",
        broker=broker or Broker(),
        topics=TOPICS,
        objects=frozenset({"d12", "d13", "d05.lock", "u1.voltage", "io1"}),
        feed=feed,
        clock=clock,
        entropy=FixedEntropy(),  # type: ignore[arg-type]
    )
