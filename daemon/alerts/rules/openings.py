"""What do the contacts of doors, seals and detectors mean?

Unknown is not closed (invariant 3): an open door whose sensor is lost stays open for us, a door first seen open after
nobody could see it is a caution of its own, and a line fault is neither open nor closed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from daemon.alerts.alert import Source
from daemon.alerts.policy import DoorRule, Must
from daemon.alerts.rules.api import Deaf, Said, duration
from daemon.model import ContactState, DoorClass, Opening, OpeningKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.alerts.policy import Policy
    from daemon.alerts.rules.api import Holds, Moment
    from daemon.model import Reading, Regime
    from daemon.points.points import Change

OPEN_KEYS = {
    DoorClass.BRIDGE: "door.bridge.open",
    DoorClass.MACHINERY: "door.machinery.open",
    DoorClass.VITAL: "door.vital.open",
    DoorClass.PERIMETER: "door.perimeter.open",
    DoorClass.GANGWAY: "door.perimeter.open",
    DoorClass.STORE: "door.store.open",
    DoorClass.ESCAPE: "door.escape.open",
}
"""The gangway door is a perimeter door for its alert; only its policy differs."""

HELD_OPEN = "door.held_open"
FORCED = "door.forced"
BLIND = "door.blind_open"
UNKNOWN = "door.unknown"
LINE_FAULT = "sensor.line_fault"
CHATTER = "sensor.chatter"
TAMPER = "sensor.tamper"
PERMIT_EXPIRED = "permit.expired"
SEAL = "seal.broken"
INTRUSION = "intrusion.detected"

OPENED = frozenset({OpeningKind.DOOR, OpeningKind.SEAL, OpeningKind.MOTION, OpeningKind.TAMPER})
"""What has an alert when it is found open: a lock is watched by its door, a side door is mirrored, the rest is ruled
elsewhere."""
WHEN_OPEN = frozenset({*OPEN_KEYS.values(), SEAL, TAMPER, INTRUSION})
"""Each comes of one kind or class of opening alone."""
CHATTER_OPENINGS = 3
CHATTER_WITHIN_S = 60.0
SEAL_CUT_S = 2.0
"""A seal whose line is in fault for so long counts as broken: who cuts the loop has cut the seal."""
CLOSED = DoorRule(Must.CLOSED)


def open_key(opening: Opening) -> str:
    """Return the key of the alert when this opening is found open."""
    if opening.kind is OpeningKind.DOOR and opening.door_class is not None:
        return OPEN_KEYS[opening.door_class]
    return {
        OpeningKind.SEAL: SEAL,
        OpeningKind.MOTION: INTRUSION,
        OpeningKind.TAMPER: TAMPER,
    }[opening.kind]


def when_open(opening: Opening | None) -> str | None:
    """Return the key of the alert when this is found open; None for what has none."""
    return open_key(opening) if opening is not None and opening.kind in OPENED else None


class OpeningRule(Deaf):
    """One door, seal, motion detector or tamper loop."""

    def __init__(
        self, opening: Opening, *, bus: str | None, lock: str | None, policy: Policy, holds: Holds
    ) -> None:
        """Watch one opening.

        Args:
            opening: Neither a lock, which its door watches, nor a side door, which is mirrored.
            bus: The bus that its device hangs on.
            lock: The point of its lock contact; None where it has none.
            policy: What a door must be.
            holds: Which alerts stood when the daemon last stopped.
        """
        self.opening = opening
        self._source = Source(opening.id, opening.name, opening.device, bus)
        self._lock = lock
        self._policy = policy
        self._holds = holds
        self._key = open_key(opening)
        self.points = frozenset({opening.id} | ({lock} if lock is not None else set()))
        of_door = {PERMIT_EXPIRED, HELD_OPEN} if opening.kind is OpeningKind.DOOR else set()
        of_lock = {FORCED} if of_door and lock is not None else set()
        keys = {UNKNOWN, LINE_FAULT, CHATTER, BLIND, self._key} | of_door | of_lock
        self.says = frozenset((key, opening.id) for key in keys)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Know nothing of what was seen so far, as at the start."""
        self._state: ContactState | None = None
        self._is_seen = False
        self._is_open = False
        self._faulty_s = 0.0
        self._opened_s = 0.0
        self._blind_from_s: float | None = None
        """Since when it was not seen, until it is seen closed or open again; a line fault is neither."""
        self._is_held = False
        """It was held open when the daemon last stopped, and open still."""
        self._found = ""
        """How it was found open when it was seen again; empty where the opening itself was seen."""
        self._is_forced = False
        self._is_locked = False
        self._openings: deque[float] = deque(maxlen=CHATTER_OPENINGS)

    def take(self, reading: Reading, change: Change | None) -> None:
        if reading.point == self._lock:
            self._is_locked = reading.value is ContactState.CLOSED
            if reading.value is ContactState.OPEN and reading.received_s <= self._opened_s:
                self._is_forced = False  # one reply said both: it was unlocked and opened
            return
        if change is None:
            return
        self._is_seen = True
        if change.baseline:
            self._blind_from_s = reading.received_s - change.blind_s
        if reading.value is ContactState.CLOSED:
            self._is_open = self._is_forced = self._is_held = False
            self._found, self._blind_from_s = "", None
        elif reading.value is ContactState.OPEN:
            if not self._is_open:
                self._opens(reading.received_s)
            self._blind_from_s = None
        if reading.value is ContactState.LINE_FAULT and self._state is not ContactState.LINE_FAULT:
            self._faulty_s = reading.received_s
        self._state = reading.value if isinstance(reading.value, ContactState) else None

    def _opens(self, now_s: float) -> None:
        self._is_open, self._opened_s = True, now_s
        if self._blind_from_s is None:
            self._openings.append(now_s)
            self._is_forced = self._is_locked
            return
        self._is_held = self._holds(HELD_OPEN, self.opening.id)
        if not self._holds(self._key, self.opening.id):
            self._found = f"was blind {duration(now_s - self._blind_from_s)}, found open"

    def look(self, moment: Moment) -> Iterator[Said]:
        if not self._is_seen:
            return
        yield self._say(UNKNOWN, self._state is None)
        if self._state is None:
            return
        is_faulty = self._state is ContactState.LINE_FAULT
        yield self._say(LINE_FAULT, is_faulty)
        if is_faulty:
            # Whether a door is open cannot be told, so what stood goes on standing; but the loop of a seal is the seal.
            if (
                self.opening.kind is OpeningKind.SEAL
                and moment.now_s - self._faulty_s >= SEAL_CUT_S
            ):
                yield self._say(self._key, is_faulty, "its line is cut or shorted")
            return
        chatters = self._chatters(moment.now_s)
        yield self._say(CHATTER, chatters)
        if not chatters:  # one alert for all; how it stands is said as soon as it rests
            yield from self._open(moment)

    def is_at_rest(self, now_s: float) -> bool:
        """Whether it is shut, or not seen: it says the same at any time, level and permit until its contact speaks."""
        if self._state is ContactState.CLOSED:
            return not self._chatters(now_s)
        return self._state is None

    def _open(self, moment: Moment) -> Iterator[Said]:
        rule = self._must(moment.regime)
        permit = moment.permits.get(self.opening.id)
        is_over = permit is not None and moment.now_s >= permit.ends_s
        open_unpermitted = self._is_open and permit is None
        must_be_closed = rule.must is Must.CLOSED
        if not must_be_closed:
            self._found = ""  # it may stand open, so this is no longer news
        yield self._say(BLIND, open_unpermitted and bool(self._found), self._found)
        yield self._say(self._key, open_unpermitted and must_be_closed and not self._found)
        if self.opening.kind is not OpeningKind.DOOR:
            return
        whose = f"permit of {permit.person}, {permit.work}" if permit is not None else ""
        yield self._say(PERMIT_EXPIRED, self._is_open and is_over, whose)
        open_s = moment.now_s - self._opened_s
        too_long = rule.held_open_s is not None and (self._is_held or open_s >= rule.held_open_s)
        yield self._say(HELD_OPEN, open_unpermitted and too_long, f"open {duration(open_s)}")
        if self._lock is not None:
            yield self._say(FORCED, self._is_open and self._is_forced, "opened while locked")

    def _must(self, regime: Regime) -> DoorRule:
        door_class = self.opening.door_class
        return CLOSED if door_class is None else self._policy.rule(door_class, regime)

    def _chatters(self, now_s: float) -> bool:
        if self.opening.kind is OpeningKind.MOTION or len(self._openings) < CHATTER_OPENINGS:
            return False
        return now_s - self._openings[0] <= CHATTER_WITHIN_S

    def _say(self, key: str, active: bool, detail: str = "") -> Said:  # noqa: FBT001
        return Said(key, self._source, active, detail)
