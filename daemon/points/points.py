"""What does each sensor say now, since when, and how long was it not seen?

Points hold the newest reading of each named signal. They tell a change from a repetition, notice a value that
has outlived its validity, and keep how long nothing was seen: unknown is not closed (invariant 3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from daemon.model import Quality, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A point that says something else than before.

    Attributes:
        baseline: This is the first usable value after none: what lies between was not seen.
        blind_s: How long nothing was seen before a baseline, in seconds; 0 otherwise.
    """

    reading: Reading
    previous: Reading | None
    baseline: bool = False
    blind_s: float = 0.0


class Points:
    """The newest reading of every known point; readings of unknown points are refused and counted."""

    def __init__(self, valid_for_s: Mapping[str, float], *, started_s: float) -> None:
        self._valid_for_s = dict(valid_for_s)
        self._newest: dict[str, Reading] = {}
        self._blind_since_s = dict.fromkeys(valid_for_s, started_s)
        self._was_seen: set[str] = set()
        self.refused = 0

    def update(self, reading: Reading) -> Change | None:
        """Take a reading; return a change, or None where it only repeats what is known."""
        if reading.point not in self._valid_for_s:
            self.refused += 1
            return None
        previous = self._newest.get(reading.point)
        self._newest[reading.point] = reading
        if reading.value is None:
            return self._went_blind(reading, previous)
        self._was_seen.add(reading.point)
        if previous is not None and previous.value is not None:
            same = (
                previous.value == reading.value
                and previous.quality is reading.quality
                and previous.provenance is reading.provenance
            )
            return None if same else Change(reading, previous)
        blind_s = reading.received_s - self._blind_since_s[reading.point]
        return Change(reading, previous, baseline=True, blind_s=max(0.0, blind_s))

    def age(self, *, now_s: float, now_utc: datetime) -> list[Change]:
        """Return the points that have outlived their validity, now stale and without a value."""
        changes = []
        for point, reading in self._newest.items():
            if reading.value is None or now_s - reading.received_s <= self._valid_for_s[point]:
                continue
            stale = replace(
                reading, value=None, quality=Quality.STALE, received_s=now_s, received_utc=now_utc
            )
            changes.append((stale, reading))
        result = []
        for stale, reading in changes:
            self._newest[stale.point] = stale
            if change := self._went_blind(stale, reading):
                result.append(change)
        return result

    def newest(self, point: str) -> Reading | None:
        """Return the newest reading of a point; None where it was never seen."""
        return self._newest.get(point)

    def seen_s(self, point: str) -> float | None:
        """Return when a point was last seen with a value, in seconds since boot; None: not since the start."""
        reading = self._newest.get(point)
        if reading is None:
            return None
        if reading.value is not None:
            return reading.received_s
        return self._blind_since_s[point] if point in self._was_seen else None

    def forget(self, point: str) -> None:
        """Know nothing of a point any more, as at the start."""
        self._newest.pop(point, None)

    def valid_for_s(self, point: str) -> float:
        """Return how long a value of this point may be believed, in seconds."""
        return self._valid_for_s[point]

    def ids(self) -> Iterable[str]:
        """Return every known point."""
        return self._valid_for_s.keys()

    def __iter__(self) -> Iterator[Reading]:
        return iter(self._newest.values())

    def _went_blind(self, reading: Reading, previous: Reading | None) -> Change | None:
        if previous is None:
            return Change(reading, None)
        if previous.value is not None:
            # Blind from the last time it was really seen, not from when we noticed.
            self._blind_since_s[reading.point] = previous.received_s
            return Change(reading, previous)
        return None if previous.quality is reading.quality else Change(reading, previous)
