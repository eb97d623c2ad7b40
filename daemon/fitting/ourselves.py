"""How is ispsd itself? What it must confess of record, broker and provenance, and to whom it proves to be alive."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from daemon.checks.api import RecordVerified
from daemon.computer import systemd
from daemon.errors import RecordError
from daemon.mqtt.publisher import BROKER_LIMIT_S
from daemon.record import selfcheck

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from daemon.alerts.engine import Engine
    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.mqtt.publisher import Publisher
    from daemon.record.log import Record
    from daemon.watch.watch import Watch

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


WHOLE_EVERY_S = 6.5 * 86_400.0
"""So long after all of the record passed it is all read again: each week, where it is asked each day."""
Segments: TypeAlias = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Passed:
    """When all of the record passed, and what its closed segments were then."""

    closed: Segments
    at_utc: datetime
    at_s: float


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
        self._passed: Passed | None = None

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

    async def verify_record(self) -> RecordVerified:
        """Verify our own record, anchored on what witnesses signed and on the head that the broker holds.

        Where all of it passed within the week, and no closed segment is another file since, the newest is enough; where
        that proves less than a pass, all of it is read.
        """
        head = await self._publisher.head_at_broker(limit_s=BROKER_LIMIT_S)
        closed = await asyncio.to_thread(self._closed)
        passed, now_s = self._passed, self._clock.now_s()
        found: RecordVerified | None = None
        if closed and passed and passed.closed == closed and now_s - passed.at_s < WHOLE_EVERY_S:
            part = await self._verify(head, newest_only=True)
            if part.word != "INCONCLUSIVE":
                found = RecordVerified(
                    part.word, part.sentence, part.first, part.last, passed.at_utc
                )
        if found is None:
            at_utc = self._clock.utc()
            whole = await self._verify(head, newest_only=False)
            found = RecordVerified(whole.word, whole.sentence, whole.first, whole.last)
            self._passed = Passed(closed, at_utc, now_s) if whole.word == "PASS" else None
        self._record_is_altered = found.word == "FAIL"
        return found

    async def _verify(self, head: str | None, *, newest_only: bool) -> selfcheck.Answer:
        return await selfcheck.answer(
            self._config.record.directory,
            public_key=self._config.record.public_key_file,
            anchors=() if head is None else (head,),
            witnesses=[witness.key.line() for witness in self._config.witnesses],
            newest_only=newest_only,
        )

    def _closed(self) -> Segments:
        """Return the closed segments as they are now; none where that cannot be seen, so that all is read."""
        try:
            return selfcheck.closed_segments(self._config.record.directory)
        except RecordError:
            return ()

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
                with suppress(OSError):  # it has patience for three turns more
                    systemd.notify("WATCHDOG=1")
                    seen = now
            await self._clock.sleep(period_us / 1e6 / 4)
