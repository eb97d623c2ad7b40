"""What does the broker know in the open, and what of it has an exporter not told yet?

The newest of each topic waits and nothing else, so an exporter that hangs costs a bounded piece of memory and delays
nobody. The feed is open once the ship has told everything in the open, and shut while the curtain is down: whoever has
told something then takes it back, and says no more.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.computer.clock import Clock
    from daemon.mqtt.topics import Topics

KINDS: Final = frozenset({"status", "ship", "point", "driver", "alert"})
"""What may be exported at all. What is not named here stays on the ship's broker."""
SNAPSHOT: Final = "snapshot"
CURTAIN: Final = "curtain"
LIMIT: Final = 5000
"""Topics that are kept; a ship has some hundreds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One topic as it stands.

    Attributes:
        kind: ``point``, ``alert``, …: of ``KINDS``.
        id: What it is about; empty where there is only one.
        body: What it says, without the envelope; None: it is gone, or may not be seen.
        up_s: When it was true, in seconds since boot.
    """

    kind: str
    id: str
    body: Mapping[str, Any] | None
    up_s: float


class Feed:
    """What one exporter is fed from."""

    def __init__(self, topics: Topics, clock: Clock, *, limit: int = LIMIT) -> None:
        self.dropped = 0
        """Topics for which there was no room."""
        self._topics = topics
        self._clock = clock
        self._limit = limit
        self._now: dict[tuple[str, str], tuple[bytes, float]] = {}
        self._waiting: dict[tuple[str, str], None] = {}
        self._told_whole = False
        self.is_curtained = False
        """Whether the curtain is down."""
        self._news = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Return whether anything may be told now."""
        return self._told_whole and not self.is_curtained

    def hear(self, topic: str, body: bytes | None, up_s: float) -> None:
        """Take what the broker is told under a topic; None: it is cleared. Never waits, never raises."""
        if (name := self._topics.parse(topic)) is None:
            return
        if name.kind in {SNAPSHOT, CURTAIN}:
            self._turn(name.kind, there=body is not None)
        elif name.kind in KINDS:
            self._put((name.kind, name.id), body, up_s)

    def take(self) -> list[Shown]:
        """Return what is news since the last time; everything, as gone, where the feed was shut meanwhile."""
        self._news.clear()
        waiting, self._waiting = self._waiting, {}
        return [self._shown(key) for key in waiting]

    def everything(self) -> Iterator[Shown]:
        """Yield everything as it stands now; nothing while the feed is shut."""
        if self.is_open:
            yield from (self._shown(key) for key in self._now)

    async def news(self, within_s: float | None = None) -> bool:
        """Wait until there is news, at most so long; return whether there is."""
        return await self._clock.wait(self._news, within_s)

    def _put(self, key: tuple[str, str], body: bytes | None, up_s: float) -> None:
        if body is None:
            self._now.pop(key, None)
        elif key in self._now or len(self._now) < self._limit:
            self._now[key] = (body, up_s)
        else:
            self.dropped += 1
            return
        if self.is_open:
            self._waiting[key] = None
            self._news.set()

    def _turn(self, kind: str, *, there: bool) -> None:
        was_open = self.is_open
        if kind == CURTAIN:
            self.is_curtained = there
        else:
            self._told_whole = self._told_whole or there
        if self.is_open is not was_open:
            self._waiting |= dict.fromkeys(self._now)
            self._news.set()

    def _shown(self, key: tuple[str, str]) -> Shown:
        kind, id_ = key
        if not self.is_open or key not in self._now:
            return Shown(kind, id_, None, self._clock.now_s())
        body, up_s = self._now[key]
        return Shown(kind, id_, json.loads(body), up_s)
