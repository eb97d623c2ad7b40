"""What falls due next? Names with a time each, the earliest at once, however many there are."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

Name = TypeVar("Name")

FEW = 64
"""So many outdated places are never worth sorting out."""


class Dues(Generic[Name]):
    """Each name is due at one time or at none.

    A heap whose outdated places are dropped when they come up, and all together when they are more than half of it.
    """

    def __init__(self) -> None:
        self._due: dict[Name, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, Name]] = []
        self._count = 0

    def put(self, name: Name, due_s: float) -> None:
        """Let a name be due then, and not when it was."""
        self._count += 1
        self._due[name] = due_s, self._count
        heapq.heappush(self._heap, (due_s, self._count, name))
        if len(self._heap) > 2 * len(self._due) + FEW:
            self._heap = [(*place, each) for each, place in self._due.items()]
            heapq.heapify(self._heap)

    def drop(self, name: Name) -> None:
        """Let a name be due at no time."""
        self._due.pop(name, None)

    def next_s(self) -> float | None:
        """Return when the next one is due; None for never."""
        self._tidy()
        return self._heap[0][0] if self._heap else None

    def take(self, now_s: float) -> list[Name]:
        """Return what is due by now, the earliest first; it is due no more."""
        due: list[Name] = []
        while self._heap and self._heap[0][0] <= now_s:
            due_s, count, name = heapq.heappop(self._heap)
            if self._due.get(name) == (due_s, count):
                del self._due[name]
                due.append(name)
        return due

    def _tidy(self) -> None:
        """Drop the outdated places at the top."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][:2]:
            heapq.heappop(self._heap)
