"""What does a sounder know of the ship, from what the broker has told it?

The rules are those of every page (docs/mqtt.md): the session is that of the newest ``status`` that is not *offline*;
what bears another is of no account; ages are reckoned from the newest heartbeat and an own clock. Pure: it is told the
time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.alerts.annunciation import Voice
from daemon.sound.conductor import Sounding
from daemon.sound.tones import FULL, PITCHES_HZ, Signal
from daemon.wording.terminal import printable

if TYPE_CHECKING:
    from daemon.mqtt.topics import Topics
    from daemon.mqtt.wire import Message

STALE_S: Final = 15.0
"""Without a heartbeat for so long nothing is known any more: three of them were lost."""
TEST_WITHIN_S: Final = 10.0
"""A test sound that was asked for longer ago is not played: nobody waits for it any more."""
SIGNALS: Final = {"A": Signal.ALARM, "W": Signal.WARNING}
"""A caution has none."""
MOST_ALERTS: Final = 2000
LONGEST_UP_S: Final = 1e10
"""Three centuries: what is beyond is no time since a boot."""
SHORTEST_S, LONGEST_S = 30.0, 300.0
"""Between these a warning sounds again (MSC.302(87), IEC 62923-1: at most five minutes)."""


LONGEST_TEXT: Final = 80
"""Of a title, a name and an action: as much as the catalogue allows."""
LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that sounds at this station, as much of it as is wanted.

    Attributes:
        session: Of whoever told it; it counts while that is the present one.
    """

    session: str
    sounding: Sounding
    words: str


@dataclass(slots=True)
class Hearing:
    """What one station's sounder has heard.

    Attributes:
        started_s: When it began to listen: it cannot have lost before what it never had.
    """

    station: str
    topics: Topics
    started_s: float
    session: str | None = None
    asked: str | None = None
    """The nonce of the newest synthetic alert of this session, until somebody has answered it."""
    curtained: bool = False
    """The curtain is down: what goes on is told in the citadel. Kept over connections, until it is told otherwise."""
    _is_curtain_told: bool = False
    """Whether this connection has told of it."""
    unreadable: int = 0
    """Messages that were no JSON object."""
    _is_told_ended: bool = False
    _beat_s: float | None = None
    """When the newest heartbeat of this session came, on the own clock, and what it said; None: none yet."""
    _beat_up: float = 0.0
    _good_s: float | None = None
    """When the newest heartbeat of any session came that was the right one then."""
    _alerts: dict[str, Told] = field(default_factory=dict)
    _own: dict[str, Any] = field(default_factory=dict)
    _played: str | None = None

    def connected_anew(self) -> None:
        """Forget what the broker had told: it tells everything again, and what it does not is no more."""
        self.session, self._beat_s, self._is_told_ended, self.asked = None, None, False, None
        self._is_curtain_told = False
        self._alerts.clear()

    def adopt_beat(self, other: Hearing) -> None:
        """Take the newest heartbeat of another, of the same session, where none has come here yet."""
        if self._beat_s is None and self.session is not None and self.session == other.session:
            self._beat_s, self._beat_up = other._beat_s, other._beat_up
            self._good_s = other._good_s

    def sounds_here(self) -> bool:
        """Return whether alerts sound at this station at once, as far as it was told in this session."""
        return self._own.get("sounds") is True and self._is_ours(self._own)

    def take(self, message: Message, now_s: float) -> None:
        """Take what the broker says."""
        topic = self.topics.parse(message.topic)
        if topic is None:
            return
        body = read(message)
        if body is None:
            self.unreadable += 1
            return
        match topic.kind:
            case "status" if body:
                self.take_status(body)
            case "heartbeat" if body.get("session") == self.session is not None:
                self._beat_s = self._good_s = now_s
                self._beat_up = _seconds(body.get("up")) or 0.0
            case "snapshot" if body:
                self.curtained &= self._is_curtain_told  # where it is down that is told first
                self._alerts = {
                    id_: told
                    for id_, told in self._alerts.items()
                    if told.session == body.get("session")
                }
            case "alert":
                self._take_alert(topic.id, body)
            case "curtain":
                self.curtained, self._is_curtain_told = bool(body), True
            case "station" if topic.id == self.station and body:
                self._own = body
            case "selftest" if body.get("synthetic") is True and self._is_ours(body):
                self.asked = None if message.retained else topic.id

    def fresh(self, now_s: float) -> bool:
        """Return whether what is known is true now."""
        beat_s = self._beat_s
        return beat_s is not None and not self._is_told_ended and now_s - beat_s <= STALE_S

    def lost(self, now_s: float) -> bool:
        """Return whether ispsd has not been heard of for too long."""
        since_s = self.started_s if self._good_s is None else self._good_s
        return now_s - since_s > STALE_S

    def stale(self, now_s: float) -> bool:
        """Return whether that is to be sounded here: where alerts sounded when it was last heard of, or nobody knows.

        A cabin is not woken because the broker is.
        """
        sounds = self._own.get("sounds", True) is not False
        return self.lost(now_s) and not self.curtained and (sounds or bool(self.sounding()))

    def sounding(self) -> frozenset[Sounding]:
        """Return what sounds at this station."""
        return frozenset(t.sounding for t in self._alerts.values() if t.session == self.session)

    def words(self, sounding: Sounding) -> str:
        """Return an alert in words, for whoever stands there: what it is, where, and what to do."""
        told = self._alerts.get(sounding.id)
        return sounding.signal.name if told is None else f"{sounding.signal.name} {told.words}"

    def test_sound(self, now_s: float) -> bool:
        """Return whether a test sound is to be played now; it is said once of each."""
        said = self._own.get("test_sound")
        if not isinstance(said, dict) or self._beat_s is None or not self._is_ours(self._own):
            return False
        nonce, asked_up = said.get("nonce"), _seconds(said.get("asked_up"))
        if not isinstance(nonce, str) or nonce == self._played or asked_up is None:
            return False
        self._played = nonce
        return self._beat_up + now_s - self._beat_s - asked_up <= TEST_WITHIN_S

    def voice(self) -> Voice:
        """Return how the ship wants it to sound; what is not known, or cannot be, is as usual."""
        tones, floor = self._own.get("tones"), self._own.get("volume_floor")
        every_s = _seconds(self._own.get("warning_every_s"))
        usual = Voice()
        return Voice(
            tones if isinstance(tones, int) and tones in PITCHES_HZ else usual.tones,
            floor if isinstance(floor, int) and 0 <= floor <= FULL else usual.volume_floor,
            every_s
            if every_s is not None and SHORTEST_S <= every_s <= LONGEST_S
            else usual.warning_every_s,
        )

    def take_status(self, body: dict[str, Any]) -> None:
        session, state = body.get("session"), body.get("state")
        if state == "offline":
            self._is_told_ended |= session == self.session
            return
        if session != self.session:
            self._beat_s = None
        self.session = session if isinstance(session, str) else None
        self._is_told_ended = state == "stopped"

    def _take_alert(self, id_: str, body: dict[str, Any]) -> None:
        """Keep an alert that sounds here; where there are too many, an alarm takes the place of a warning."""
        self._alerts.pop(id_, None)
        if (told := self._sounds_here(id_, body)) is None:
            return
        if len(self._alerts) >= MOST_ALERTS:
            quietest = min(self._alerts, key=lambda each: self._alerts[each].sounding.signal)
            if self._alerts[quietest].sounding.signal >= told.sounding.signal:
                return
            del self._alerts[quietest]
        self._alerts[id_] = told

    def _sounds_here(self, id_: str, said: dict[str, Any]) -> Told | None:
        session, instance, priority = (said.get(n) for n in ("session", "instance", "priority"))
        sounds_at = said.get("sounds_at")
        if (
            said.get("sounding") is not True
            or not isinstance(sounds_at, list)
            or self.station not in sounds_at
            or not isinstance(session, str)
            or not isinstance(instance, int)
            or not isinstance(priority, str)
            or priority not in SIGNALS
        ):
            return None
        words = " · ".join(shown(said.get(part, "")) for part in ("title", "name", "action"))
        return Told(session, Sounding(id_, instance, SIGNALS[priority]), words)

    def _is_ours(self, said: dict[str, Any]) -> bool:
        return self.session is not None and said.get("session") == self.session


def read(message: Message) -> dict[str, Any] | None:
    """Return a message's members, none where the topic is cleared; None for what cannot be read and says nothing."""
    if message.too_long:
        return None
    if not message.payload:
        return {}
    try:
        body = json.loads(message.payload)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def shown(said: object, *, most: int = LONGEST_TEXT) -> str:
    """Return a text as a terminal may show it: what would steer it is a question mark."""
    return printable(str(said)[:most])


def _seconds(said: object) -> float | None:
    """Return a number of seconds; None for what is none, or no ship's."""
    if not isinstance(said, int | float) or not -LONGEST_UP_S < said < LONGEST_UP_S:
        return None
    return float(said)
