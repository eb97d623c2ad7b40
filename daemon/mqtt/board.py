"""What does the ship's state look like to the broker: the mirror with a clock and its waiters.

The rest of ispsd writes here at any time, connected or not; a session takes from it. While the curtain is down what is
written under an open topic goes on under ``citadel/``, and nobody who writes has to know.
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

    from daemon.computer.clock import Clock
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
        self.turns = 0
        """How often the curtain has moved."""
        self.turned = Pulse()
        self._citadel = self.topics.citadel()
        self._curtain: Mapping[str, Json] | None = None
        self._introduced = False
        self._wanted: tuple[State, tuple[str, ...]] = ("starting", ())
        self._put_status("starting", ())  # before all others, so that it goes first in a session

    @property
    def introduced(self) -> bool:
        """Return whether the broker has been told everything in this session."""
        return self._introduced

    @property
    def now(self) -> Topics:
        """Return the topics under which the ship is told at present."""
        return self.topics if self._curtain is None else self._citadel

    @property
    def is_curtained(self) -> bool:
        """Return whether the curtain is down."""
        return self._curtain is not None

    def hides(self, topic: str) -> bool:
        """Return whether nothing may stand in the open under a topic, since the curtain is down."""
        if self._curtain is None:
            return False
        name = self.topics.parse(topic)
        return name is not None and name.is_curtained

    def curtain(self, body: Mapping[str, Json] | None) -> None:
        """Let the curtain down, with what open screens may know meanwhile, or with None raise it.

        Down, everything that is open is cleared at once, before anything else is told, and goes on under ``citadel/``.
        """
        now_s, was_down = self._clock.now_s(), self._curtain is not None
        self._curtain = body
        if body is not None:
            self.mirror.put(self.topics.curtain(), body, now_s, at_s=now_s)
        if was_down is not (body is not None):
            self._turn(now_s)
        self.changed.fire()

    def _turn(self, now_s: float) -> None:
        """Let what is told go on under its other name; the snapshot comes when all of it has been told there."""
        # An open one counts what is told behind the curtain, and must not be taken for the whole ship.
        self.mirror.hide(self.topics.snapshot(), at_s=now_s)
        if self._curtain is not None:
            self.mirror.move(self._inside, at_s=now_s, first=True)
        else:
            self.mirror.remove(self.topics.curtain(), at_s=now_s)
            for topic in (self._citadel.status(), self._citadel.snapshot()):
                self.mirror.remove(topic, at_s=now_s)
            self.mirror.move(self._outside, at_s=now_s, first=False)
        self._put_status(*(self._wanted if self._introduced else ("starting", ())))
        self.turns += 1
        self.turned.fire()

    def _inside(self, topic: str) -> str | None:
        name = self.topics.parse(topic)
        return self.topics.inside(topic) if name is not None and name.is_curtained else None

    def _outside(self, topic: str) -> str | None:
        name = self._citadel.parse(topic)
        return self._citadel.outside(topic) if name is not None and name.is_curtained else None

    def _placed(self, topic: str) -> str:
        """Return the name under which an open topic is told at present."""
        return self.topics.inside(topic) if self.hides(topic) else topic

    async def cleared(self) -> None:
        """Wait until the broker has the curtain, and has forgotten what is behind it."""
        while not self.mirror.hidden():
            await self.progressed.wait()

    def put(self, topic: str, body: Mapping[str, Json], up_s: float, *, last: bool = False) -> None:
        """Set a retained topic to what was true ``up_s`` seconds after boot.

        Raises:
            ValueError: No such retained topic in the contract, or a body that cannot be JSON.
        """
        name = self.topics.parse(topic)
        if name is None or not name.retained:
            raise ValueError(f"{topic} is no retained topic of this ship")
        self.mirror.put(self._placed(topic), body, up_s, at_s=self._clock.now_s(), last=last)
        self.changed.fire()

    def remove(self, topic: str) -> None:
        """Clear a retained topic."""
        self.mirror.remove(self._placed(topic), at_s=self._clock.now_s())
        self.changed.fire()

    def bury(self, topic: str) -> None:
        """Clear a topic that somebody else left under our name."""
        self.mirror.bury(topic, at_s=self._clock.now_s())
        self.changed.fire()

    def hide(self, topic: str) -> None:
        """Clear before all else what somebody has left behind the curtain."""
        self.mirror.hide(topic, at_s=self._clock.now_s())
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
        for topics in (self.topics, self._citadel):
            self.mirror.forget(topics.snapshot())
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
        if self._curtain is not None:
            self._put_snapshot(self._citadel)
        self._put_snapshot(self.topics)
        await self.told()

    def _put_snapshot(self, topics: Topics) -> None:
        # Class sso is not counted: an open topic must not change when SSAS topics come or go.
        count = self.mirror.count(Classification.WATCH, citadel=topics is self._citadel)
        count -= sum(self.mirror.holds(topic) for topic in (topics.status(), topics.snapshot()))
        self.put(topics.snapshot(), {"count": count}, self._clock.now_s())

    async def told(self) -> None:
        """Wait until the broker has everything that was put so far, or something newer."""
        revision = self.mirror.revision
        while not self.mirror.has_settled(revision):
            await self.progressed.wait()

    def hear_head(self, payload: bytes) -> None:
        """Keep a head of the record that came from the broker: what it held, or what somebody else has put there."""
        if payload and payload != self.mirror.payload(self.now.record_head()):
            self.foreign_head = payload
            self.head_heard.fire()

    def will(self, session: str) -> bytes:
        """Return the payload of ``status`` that the broker is to publish when we are lost."""
        return sealed(
            render(self._status("offline", ())), session=session, up_s=self._clock.now_s()
        )

    def _put_status(self, state: State, reasons: Sequence[str]) -> None:
        now_s = self._clock.now_s()
        if self._curtain is not None:
            self.put(self._citadel.status(), self._status(state, reasons), now_s)
            # That something is not in order, and what, is not for whoever stands at an open screen.
            state, reasons = ("ready" if state == "degraded" else state), ()
        self.put(self.topics.status(), self._status(state, reasons), now_s)

    def _status(self, state: State, reasons: Sequence[str]) -> dict[str, Json]:
        ship = self._identity.ship
        return {
            "state": state,
            "version": self._identity.version,
            "ship": {"name": ship.name, "imo": ship.imo_number},
            "reasons": list(reasons),
        }
