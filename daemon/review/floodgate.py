"""How often may somebody try to log in, and from where? Nothing here waits; whoever is turned away costs nothing.

Each place has a number of tries a minute of its own. Places from which nobody ever logged in share one more number, so
that whoever has many addresses gains little; from the others people log in as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TRIES_A_MINUTE: Final = 12
"""From one place, of all names together; more are a flood, of which no PIN is looked at."""
STRANGERS_A_MINUTE: Final = 30
"""From all places together where nobody was let in since ispsd began. Holding a PIN against its hash takes a tenth of a
second on a small computer."""
MOST_PLACES: Final = 256


@dataclass(slots=True)
class _Room:
    left: float
    counted_s: float

    def has(self, a_minute: int, now_s: float) -> bool:
        """Return whether there is room for one more, and take it."""
        passed_s, self.counted_s = now_s - self.counted_s, now_s
        self.left = min(float(a_minute), self.left + passed_s * a_minute / 60)
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Floodgate:
    """Counts tries by place."""

    def __init__(self, now_s: float) -> None:
        """Begin with room for all."""
        self._rooms: dict[str, _Room] = {}
        self._strange = _Room(float(STRANGERS_A_MINUTE), now_s)
        self._known: dict[str, None] = {}

    def lets_in(self, place: str, now_s: float) -> bool:
        """Return whether a try from a place is looked at now."""
        room = self._rooms.pop(place, None) or _Room(float(TRIES_A_MINUTE), now_s)
        self._rooms[place] = room
        if len(self._rooms) > MOST_PLACES:
            del self._rooms[next(iter(self._rooms))]
        if not room.has(TRIES_A_MINUTE, now_s):
            return False
        return place in self._known or self._strange.has(STRANGERS_A_MINUTE, now_s)

    def welcome(self, place: str) -> None:
        """Take down that somebody was let in from there."""
        self._known.pop(place, None)
        self._known[place] = None
        if len(self._known) > MOST_PLACES:
            del self._known[next(iter(self._known))]
