"""What does the ship's state look like to the broker: the mirror with a clock and its waiters.

The rest of ispsd writes here at any time, connected or not; a session takes from it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from daemon.model import Classification
from daemon.mqtt.mirror import Mirror, render, sealed
from daemon.mqtt.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.clock import Clock
    from daemon.model import Json, Ship

State: TypeAlias = Literal["starting", "ready", "degraded", "stopped", "offline"]


class Pulse:
    """Wakes whoever waits at this moment."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        await self._event.wait()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who publishes.

    Attributes:
        id: The ship's part of every topic.
    """

    id: str
    ship: Ship
    version: str


class Board:
    """The retained state of the ship, and who waits for it to change or to arrive."""

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self.topics = Topics(identity.id)
        self.mirror = Mirror()
        self.changed = Pulse()
        self.progressed = Pulse()
        self.foreign_head: bytes | None = None
        """The newest head of the record that the broker told us of and that this session did not put there."""
        self.head_heard = Pulse()
        self._identity = identity
        self._clock = clock
        self._introduced = False
        self._wanted: tuple[State, tuple[str, ...]] = ("starting", ())
        self._put_status("starting", ())  # before all others, so that it goes first in a session

    @property
    def introduced(self) -> bool:
        """Return whether the broker has been told everything in this session."""
        return self._introduced

    def put(self, topic: str, body: Mapping[str, Json], up_s: float, *, last: bool = False) -> None:
        """Set a retained topic to what was true ``up_s`` seconds after boot.

        Raises:
            ValueError: No such retained topic in the contract, or a body that cannot be JSON.
        """
        name = self.topics.parse(topic)
        if name is None or not name.retained:
            raise ValueError(f"{topic} is no retained topic of this ship")
        self.mirror.put(topic, body, up_s, at_s=self._clock.now_s(), last=last)
        self.changed.fire()

    def remove(self, topic: str) -> None:
        """Clear a retained topic."""
        self.mirror.remove(topic, at_s=self._clock.now_s())
        self.changed.fire()

    def bury(self, topic: str) -> None:
        """Clear a topic that somebody else left under our name."""
        self.mirror.bury(topic, at_s=self._clock.now_s())
        self.changed.fire()

    def touch(self, topic: str) -> None:
        """Send a topic again as it is."""
        self.mirror.touch(topic, at_s=self._clock.now_s())
        self.changed.fire()

    def touch_all(self) -> None:
        """Send everything again as it is."""
        self.mirror.touch_all(at_s=self._clock.now_s())
        self.changed.fire()

    def set_status(self, state: State, reasons: Sequence[str] = ()) -> None:
        """Say how ispsd is; it stays ``starting`` to the broker until that has everything."""
        self._wanted = (state, tuple(reasons))
        if self._introduced or state == "stopped":
            self._put_status(*self._wanted)

    def begin(self, session: str) -> None:
        """Begin a session: everything is to be told, ``status`` first, and no snapshot yet."""
        self._introduced = False
        self.mirror.forget(self.topics.snapshot())
        self._put_status("starting", ())
        self.mirror.begin(session, at_s=self._clock.now_s())
        self.changed.fire()

    def end(self) -> None:
        """End a session."""
        self._introduced = False

    async def introduce(self) -> None:
        """Wait until all state is told, say so, and only then say how ispsd is."""
        await self.told()
        await self.tell_snapshot()
        self._introduced = True
        self._put_status(*self._wanted)
        self.progressed.fire()

    async def tell_snapshot(self) -> None:
        """Say how many topics of class watch were told; return when the broker knows."""
        # Class sso is not counted: an open topic must not change when SSAS topics come or go.
        uncounted = (self.topics.status(), self.topics.snapshot())
        count = self.mirror.count(Classification.WATCH)
        count -= sum(self.mirror.holds(topic) for topic in uncounted)
        self.put(self.topics.snapshot(), {"count": count}, self._clock.now_s())
        await self.told()

    async def told(self) -> None:
        """Wait until the broker has everything that was put so far, or something newer."""
        revision = self.mirror.revision
        while not self.mirror.has_settled(revision):
            await self.progressed.wait()

    def hear_head(self, payload: bytes) -> None:
        """Keep a head of the record that came from the broker: what it held, or what somebody else has put there."""
        if payload and payload != self.mirror.payload(self.topics.record_head()):
            self.foreign_head = payload
            self.head_heard.fire()

    def will(self, session: str) -> bytes:
        """Return the payload of ``status`` that the broker is to publish when we are lost."""
        return sealed(
            render(self._status("offline", ())), session=session, up_s=self._clock.now_s()
        )

    def _put_status(self, state: State, reasons: Sequence[str]) -> None:
        self.put(self.topics.status(), self._status(state, reasons), self._clock.now_s())

    def _status(self, state: State, reasons: Sequence[str]) -> dict[str, Json]:
        ship = self._identity.ship
        return {
            "state": state,
            "version": self._identity.version,
            "ship": {"name": ship.name, "imo": ship.imo_number},
            "reasons": list(reasons),
        }
