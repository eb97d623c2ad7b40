"""What must the broker's retained memory look like, and what of it is not there yet?

The retained topics are a mirror of now: only the newest value of each waits, nothing is kept of the
one before. Pure: the publisher asks ``take`` what to send next and tells ``acknowledged`` what
arrived. One publication of a topic is in flight at most, so a topic that changes faster than the
broker answers costs one message a round trip.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.mqtt.topics import CITADEL, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.model import Classification, Json

    Listener = Callable[[str, bytes | None, float], None]

URGENT = frozenset({"status", "alert"})
"""Kinds of topics that wait for no others: a dead bus changes ten thousand points, and an alert is told before them."""
FOREMOST = frozenset({"curtain"})
"""Goes before even those: until it is told, an open screen shows the ship."""
ENVELOPE = frozenset({"session", "up"})
"""Members that are added to every body."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def render(body: Mapping[str, Json]) -> bytes:
    """Return a body as compact JSON, its members in the order given.

    Raises:
        ValueError: It cannot be JSON (NaN, a cycle), is empty, or names a member of the envelope.
    """
    if not body or ENVELOPE & body.keys():
        raise ValueError(f"a body has members of its own, beside {sorted(ENVELOPE)}: {list(body)}")
    return _ENCODER.encode(body).encode()


def sealed(body: bytes, *, session: str, up_s: float) -> bytes:
    """Return a rendered body with the envelope: the session, and when it was true, to the ms."""
    return b'%b,"session":"%b","up":%.3f}' % (body[:-1], session.encode(), up_s)


@dataclass(frozen=True, slots=True)
class Change:
    """A retained publication that is to be sent; an empty payload clears the topic."""

    topic: str
    payload: bytes
    revision: int


@dataclass(slots=True)
class _Slot:
    """One retained topic.

    Attributes:
        urgent: It goes before those that are not.
        foremost: It tells of the curtain.
        first: It goes before everything: it tells of the curtain, or is cleared because of it.
        body: None where the topic is to be cleared.
        revision: Of the newest change.
        waiting: Revision and time of the oldest change that was not sent.
        flying: Revision and time of the oldest change in what is in flight.
        sent: The revision that is in flight.
        closing: Clear the topic as soon as the broker has the body.
    """

    urgent: bool
    foremost: bool = False
    first: bool = False
    body: bytes | None = None
    up_s: float = 0.0
    revision: int = 0
    waiting: tuple[int, float] | None = None
    flying: tuple[int, float] | None = None
    sent: int | None = None
    closing: bool = False

    @property
    def owed(self) -> tuple[int, float] | None:
        """Return revision and time of the oldest change that the broker does not have."""
        return self.flying or self.waiting


class Mirror:
    """The retained state of one ship."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}
        self._dirty: dict[str, None] = {}  # in the order of first change
        self._urgent: dict[str, None] = {}  # the same, of those that wait for no others
        self._first: dict[str, None] = {}  # and of those that go before everything
        self._listeners: list[Listener] = []
        self._revision = 0
        self._session = ""

    @property
    def revision(self) -> int:
        """Return the number of the newest change."""
        return self._revision

    def on_set(self, listener: Listener) -> None:
        """Let somebody hear what each topic is set to, rendered and without the envelope; None: it is cleared.

        He hears first how all of them stand. He may neither wait nor raise.
        """
        for topic, slot in self._slots.items():
            listener(topic, slot.body, slot.up_s)
        self._listeners.append(listener)

    def put(
        self, topic: str, body: Mapping[str, Json], up_s: float, *, at_s: float, last: bool = False
    ) -> None:
        """Set a topic to a body that was true ``up_s`` after boot; ``at_s`` is now.

        With ``last`` the topic is cleared once the broker has the body: an ending is told, then
        forgotten.

        Raises:
            ValueError: The body cannot be sent.
        """
        self._set(topic, render(body), up_s, at_s, closing=last)

    def remove(self, topic: str, *, at_s: float) -> None:
        """Clear a topic; nothing happens where it is not held."""
        if topic in self._slots:
            self._set(topic, None, at_s, at_s)

    def bury(self, topic: str, *, at_s: float) -> None:
        """Clear a topic that is not ours but stands under our name."""
        if topic not in self._slots:
            self._set(topic, None, at_s, at_s)

    def hide(self, topic: str, *, at_s: float) -> None:
        """Clear a topic before anything else is sent, whether it is ours or not."""
        self._set(topic, None, at_s, at_s, first=True)

    def move(self, renamed: Callable[[str], str | None], *, at_s: float, first: bool) -> None:
        """Let topics go on under other names, and clear them under the old ones; None: it keeps its name.

        With ``first`` they are cleared before anything else is sent.
        """
        for topic, slot in list(self._slots.items()):
            if (name := renamed(topic)) is None:
                continue
            body, up_s, closing = slot.body, slot.up_s, slot.closing
            if body is not None:
                self._set(name, body, up_s, at_s, closing=closing)
            self._set(topic, None, at_s, at_s, first=first)

    def hidden(self) -> bool:
        """Return whether the broker has everything that goes before all else."""
        return not any(slot.first and slot.owed is not None for slot in self._slots.values())

    def touch(self, topic: str, *, at_s: float) -> None:
        """Send a topic again as it is."""
        if (slot := self._slots.get(topic)) is not None:
            self._set(topic, slot.body, slot.up_s, at_s, closing=slot.closing, first=slot.first)

    def touch_all(self, *, at_s: float) -> None:
        """Send everything again as it is."""
        for topic in self._slots:
            self.touch(topic, at_s=at_s)

    def begin(self, session: str, *, at_s: float) -> None:
        """Begin a session: whatever the broker was told before, all must be told again."""
        self._session = session
        for waiting in self._waiting():
            waiting.clear()
        for topic, slot in self._slots.items():
            slot.waiting, slot.flying, slot.sent = slot.owed, None, None
            self.touch(topic, at_s=at_s)

    def forget(self, topic: str) -> None:
        """Drop a topic without clearing it at the broker."""
        self._slots.pop(topic, None)
        for waiting in self._waiting():
            waiting.pop(topic, None)

    def take(self) -> Change | None:
        """Return what to send next: the topic that changed first, alerts before others; None where nothing can be."""
        for dirty in self._waiting():
            for topic in dirty:
                slot = self._slots[topic]
                if slot.sent is None:
                    del dirty[topic]
                    slot.flying, slot.waiting, slot.sent = slot.waiting, None, slot.revision
                    return Change(topic, self._payload(slot), slot.revision)
        return None

    def settled(self, change: Change, *, at_s: float) -> None:
        """Note that the broker has answered for a change, with yes or with a no that is final."""
        slot = self._slots.get(change.topic)
        if slot is None or slot.sent != change.revision:
            return  # of an earlier session, or of a topic that was dropped since
        slot.flying, slot.sent = None, None
        if slot.waiting is not None:
            return
        if slot.closing:
            self._set(change.topic, None, at_s, at_s)
        elif slot.body is None:
            self.forget(change.topic)

    def has_settled(self, revision: int) -> bool:
        """Return whether the broker has everything up to a revision, or something newer instead."""
        return all(
            owed[0] > revision for slot in self._slots.values() if (owed := slot.owed) is not None
        )

    def oldest_waiting_s(self, *, at_s: float) -> float:
        """Return for how long the oldest change has waited; 0 where none waits."""
        since = [owed[1] for slot in self._slots.values() if (owed := slot.owed) is not None]
        return max(at_s - min(since, default=at_s), 0.0)

    def holds(self, topic: str) -> bool:
        """Return whether a topic is ours and has a body."""
        return (slot := self._slots.get(topic)) is not None and slot.body is not None

    def is_pending(self, topic: str) -> bool:
        """Return whether a topic waits to be sent or acknowledged."""
        return (slot := self._slots.get(topic)) is not None and slot.owed is not None

    def payload(self, topic: str) -> bytes:
        """Return what the broker should hold under a topic; empty where nothing."""
        return self._payload(slot) if (slot := self._slots.get(topic)) is not None else b""

    def count(self, classification: Classification, *, citadel: bool = False) -> int:
        """Return how many topics of a class have a body, in the open or in the citadel."""
        return sum(
            slot.body is not None
            and (name := parse(topic)) is not None
            and name.classification is classification
            and name.is_citadel is citadel
            for topic, slot in self._slots.items()
        )

    def _set(
        self,
        topic: str,
        body: bytes | None,
        up_s: float,
        at_s: float,
        *,
        closing: bool = False,
        first: bool = False,
    ) -> None:
        self._revision += 1
        if (slot := self._slots.get(topic)) is None:
            kind = "" if (name := parse(topic)) is None else name.kind
            urgent = kind.removeprefix(f"{CITADEL}/") in URGENT
            slot = self._slots[topic] = _Slot(urgent, foremost=kind in FOREMOST)
        slot.body, slot.up_s, slot.closing = body, up_s, closing
        slot.first = first or slot.foremost
        slot.revision = self._revision
        slot.waiting = slot.waiting or (self._revision, at_s)
        mine = self._first if slot.first else self._urgent if slot.urgent else self._dirty
        for waiting in self._waiting():
            if waiting is mine:
                waiting.setdefault(topic)
            else:
                waiting.pop(topic, None)
        for listener in self._listeners:
            listener(topic, body, up_s)

    def _waiting(self) -> tuple[dict[str, None], ...]:
        """Return what waits, in the order in which it is sent."""
        return self._first, self._urgent, self._dirty

    def _payload(self, slot: _Slot) -> bytes:
        if slot.body is None:
            return b""
        return sealed(slot.body, session=self._session, up_s=slot.up_s)
