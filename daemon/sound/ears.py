"""What does a sounder hear: the ship in the open, or while the curtain is down what goes on in the citadel?

A station that is not told the latter, or is not one of those that sound there, is silent then, whatever becomes of
ispsd: its page is a clock, and a clock does not call (docs/mqtt.md, *The curtain*).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.sound.hearing import Hearing, read

if TYPE_CHECKING:
    from daemon.mqtt.topics import Topics
    from daemon.mqtt.wire import Message


class Ears:
    """Both, of one station."""

    def __init__(self, station: str, topics: Topics, now_s: float) -> None:
        self.open = Hearing(station, topics, now_s)
        self._inside = Hearing(station, topics.citadel(), now_s)
        self._sounds_inside = False
        """As the citadel told it last: who is told nothing any more has to sound that."""

    @property
    def now(self) -> Hearing:
        """Return what counts."""
        return self._inside if self.open.curtained and self._sounds_inside else self.open

    def connected_anew(self) -> None:
        """Forget what the broker had told."""
        self.open.connected_anew()
        self._inside.connected_anew()

    def take(self, message: Message, now_s: float) -> None:
        """Take what the broker says."""
        self.open.take(message, now_s)
        self._inside.take(message, now_s)
        if message.topic == self.open.topics.status():
            body = read(message) or {}
            if body.get("state") == "offline":  # the will is one, and stands in the open
                self._inside.take_status(body)
        self._inside.adopt_beat(self.open)
        if self._inside.session is not None:
            self._sounds_inside = self._inside.sounds_here()
