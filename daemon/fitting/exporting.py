"""Let other systems hear what the broker is told in the open; nothing where the ship's file names none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.config import broker
from daemon.exporters.api import ExporterContext
from daemon.exporters.feed import Feed
from daemon.exporters.fitted import Exporters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.config import Config
    from daemon.mqtt.publisher import Publisher


def exporters(
    config: Config,
    *,
    publisher: Publisher,
    points_of: Mapping[str, Sequence[str]],
    software: str,
    clock: Clock,
    entropy: Entropy,
) -> Exporters:
    """Return them; each hears from now on what is set on the board."""
    objects = frozenset([*points_of, *(id_ for ids in points_of.values() for id_ in ids)])
    built = []
    for each in config.exporters:
        feed = Feed(publisher.topics, clock)
        context = ExporterContext(
            name=each.name,
            ship=config.ship,
            demo=config.is_demo,
            software=software,
            broker=broker(config.mqtt),
            topics=publisher.topics,
            objects=objects,
            feed=feed,
            clock=clock,
            entropy=entropy,
        )
        built.append((each.name, each.spec.build(each.config, context), feed))
        publisher.on_set(feed.hear)
    return Exporters(built, clock=clock, entropy=entropy)
