"""What every exporter offers: its kind, its settings, and a task that tells another system what the open topics say.

An exporter sees what the broker is told in the open and nothing else (``feed``): of class ``sso`` it cannot know, and
while the curtain is down there is nothing. One new file in this folder is one new exporter; the registry finds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.exporters.feed import Feed
    from daemon.model import Ship
    from daemon.mqtt.topics import Topics
    from daemon.mqtt.wire import Broker


class ExporterConfig(BaseModel):
    """What every exporter's section has; each kind adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str


@dataclass(frozen=True, slots=True)
class ExporterContext:
    """What an exporter is built with.

    Attributes:
        name: Of its section in the ship's file.
        demo: Whether this is a demonstration, which may never look like a ship's.
        broker: The ship's broker, entered as ispsd itself.
        objects: Every point and device of class ``watch`` that the ship has, by id.
    """

    name: str
    ship: Ship
    demo: bool
    software: str
    broker: Broker
    topics: Topics
    objects: frozenset[str]
    feed: Feed
    clock: Clock
    entropy: Entropy


@dataclass(slots=True)
class Tally:
    """What an exporter has done since it was built.

    Attributes:
        sent: Messages that left.
        refused: Messages that the other side, or this computer, would not take.
    """

    sent: int = 0
    refused: int = 0
    told_s: float | None = None
    """When the newest left, in seconds since boot."""

    def count(self, now_s: float) -> None:
        """Count one that left."""
        self.sent += 1
        self.told_s = now_s


class Exporter(Protocol):
    """One exporter. Its constructor touches nothing."""

    tally: Tally

    async def run(self) -> None:
        """Tell until cancelled.

        Raises:
            LinkError: The other system cannot be reached; worth another try.
        """
        ...


@dataclass(frozen=True, slots=True)
class Rights:
    """What an exporter needs at the broker, as lines of the access list.

    Attributes:
        owner: For ispsd itself.
        readers: By user: for others who read what is open, and this beside it.
    """

    owner: tuple[str, ...] = ()
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NO_RIGHTS = Rights()


@dataclass(frozen=True, slots=True)
class ExporterSpec:
    """One kind of exporter.

    Attributes:
        build: Returns the exporter; validates and touches nothing.
        rights: What it needs at the broker, by its settings and the ship's id.
    """

    kind: str
    config: type[ExporterConfig]
    build: Callable[[Any, ExporterContext], Exporter]
    rights: Callable[[Any, str], Rights] = lambda _config, _ship: NO_RIGHTS
