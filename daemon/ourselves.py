"""How is ispsd itself? What it must confess of record, broker and provenance, and to whom it proves to be alive."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from daemon import systemd
from daemon.record import selfcheck

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.alerts.engine import Engine
    from daemon.clock import Clock
    from daemon.config import Config
    from daemon.mqtt.publisher import Publisher
    from daemon.record.log import Record
    from daemon.watch import Watch

PENDING_TOO_LONG_S = 1.0
"""A healthy disk takes an entry in milliseconds."""
DEGRADING = (
    "station.none",
    "record.not_saved",
    "record.check",
    "io.unit_lost",
    "io.bus_lost",
    "feed.ais",
    "feed.nav",
)
"""Alerts that make ``status`` degraded."""
STATUS_S = 1.0
BROKER_LIMIT_S = 5.0
"""What has not come back from the broker by then never does."""


class Ourselves:
    """Looks at ispsd from inside."""

    def __init__(
        self,
        config: Config,
        *,
        record: Record,
        publisher: Publisher,
        engine: Engine,
        clock: Clock,
        of_office: Callable[[], Mapping[str, bool]] = dict,
    ) -> None:
        """Look at these; ``of_office`` says which conditions hold around the record, by catalogue key."""
        self._config = config
        self._record = record
        self._publisher = publisher
        self._engine = engine
        self._clock = clock
        self._of_office = of_office
        self._record_is_altered = False

    def faults(self) -> Mapping[str, bool]:
        """Return which conditions of ispsd itself hold, by catalogue key."""
        health = self._record.health()
        oldest_s = health.oldest_pending_s
        waits_s = 0.0 if oldest_s is None else self._clock.now_s() - oldest_s
        around = self._of_office()
        return {
            **around,
            "record.not_saved": not health.writable or waits_s > PENDING_TOO_LONG_S,
            "record.check": self._record_is_altered or around.get("record.check", False),
            "path.fault": not self._publisher.facts().connected,
            "data.simulated": self._config.is_demo,
        }

    async def verify_record(self) -> tuple[str, str]:
        """Verify our own record, anchored on what witnesses signed and on the head that the broker holds.

        Return the word and a sentence.
        """
        head = await self._publisher.head_at_broker(limit_s=BROKER_LIMIT_S)
        word, sentence = await selfcheck.verified(
            self._config.record.directory,
            public_key=self._config.record.public_key_file,
            anchors=() if head is None else (head,),
            witnesses=[witness.key.line() for witness in self._config.witnesses],
        )
        self._record_is_altered = word == "FAIL"
        return word, sentence

    async def alert_path(self) -> float | None:
        """Return after how many seconds a synthetic alert came back from the broker; None: never."""
        return await self._publisher.round_trip_s(limit_s=BROKER_LIMIT_S)

    async def tell_status(self) -> None:
        """Say on ``status`` what degrades the watch, until cancelled."""
        said: list[str] | None = None
        while True:
            reasons = [a.title for a in self._engine.alerts() if a.key in DEGRADING]
            if reasons != said:
                self._publisher.set_status("degraded" if reasons else "ready", reasons)
                said = reasons
            await self._clock.sleep(STATUS_S)

    async def feed_watchdog(self, watch: Watch) -> None:
        """Feed systemd's watchdog while watch and publisher make progress, never from a bare timer."""
        period_us = int(os.environ.get("WATCHDOG_USEC", "0"))
        if not period_us:
            await asyncio.Event().wait()
        seen: Sequence[int] = (-1, -1)
        while True:
            now = (watch.looks, self._publisher.facts().progress)
            if all(new > old for new, old in zip(now, seen, strict=True)):
                systemd.notify("WATCHDOG=1")
                seen = now
            await self._clock.sleep(period_us / 1e6 / 4)
