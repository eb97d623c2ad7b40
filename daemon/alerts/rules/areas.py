"""Where do other ships come too near, stay too long, or come in numbers? Settings, slots, and who is inside.

What ``other_ships`` judges with. Off until the ship's file has a section for it; what it asks of a target is in that
section, and which letter the alert has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said
from daemon.model import Priority, Situation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from daemon.alerts.rules.api import Holds
    from daemon.model import AisTarget, Regime

SLOTS: Final = 3
"""Targets that have an alert of their own at once; of more the number is said."""
LEAVES_TIMES: Final = 1.2
"""Who is inside is out again beyond so many times the radius: fixes scatter."""


@dataclass(frozen=True, slots=True)
class Area:
    """A circle around own ship in which one rule judges.

    Attributes:
        radius_m: How far it reaches, in metres.
        situations: Where it is on.
        threat: Whether it is on in a threat area too, whatever the situation.
        priority: What its alert is.
    """

    radius_m: float
    situations: frozenset[Situation]
    threat: bool
    priority: Priority

    def is_on(self, regime: Regime) -> bool:
        """Return whether it is judged now."""
        return regime.situation in self.situations or (self.threat and regime.threat)

    def letters(self) -> dict[str, str]:
        """Return the letters that the catalogue's row of its alert takes."""
        of = {
            "sea": {Situation.SEA, Situation.MANOEUVRING},
            "anchor": {Situation.ANCHOR},
            "port": {Situation.PORT},
        }
        letter = self.priority.value
        letters = {
            column: letter * 3 if self.situations & which else "---" for column, which in of.items()
        }
        return {**letters, "threat": letter if self.threat else "-"}


@dataclass(frozen=True, slots=True)
class GuardZone(Area):
    """Whoever comes in."""


@dataclass(frozen=True, slots=True)
class Loitering(Area):
    """Whoever stays: for so long, and where a speed is given not faster."""

    for_s: float = 1200.0
    slower_than_kn: float | None = None


@dataclass(frozen=True, slots=True)
class Swarm(Area):
    """So many under way that came in within so long."""

    targets: int = 4
    within_s: float = 600.0
    faster_than_kn: float = 3.0


@dataclass(frozen=True, slots=True)
class AisRules:
    """What the ship's file says of other ships; None is off."""

    guard_zone: GuardZone | None = None
    loitering: Loitering | None = None
    swarm: Swarm | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """A target as it is seen from own ship."""

    target: AisTarget
    off_m: float
    bearing_deg: float

    def words(self) -> str:
        """Return who it is and where to look: ``KESTREL 299000101 0.4 NM, bearing 045``."""
        who = f"{self.target.name} {self.target.mmsi}".strip()
        return f"{who} {self.off_m / 1852.0:.1f} NM, bearing {self.bearing_deg % 360.0:03.0f}"


@dataclass(slots=True)
class Inside:
    """Who is inside a circle, and since when."""

    since_s: dict[int, float] = field(default_factory=dict)

    def update(
        self,
        nears: Sequence[Near],
        radius_m: float,
        now_s: float,
        *,
        awaited: Collection[int] = (),
    ) -> list[Near]:
        """Return who is inside now, in the order given; who was not before came at ``now_s``.

        Of those awaited nobody knows whether they have left: when they came stays known.
        """
        inside = [
            near
            for near in nears
            if near.off_m <= radius_m
            or (near.off_m <= radius_m * LEAVES_TIMES and near.target.mmsi in self.since_s)
        ]
        kept = {mmsi: came_s for mmsi, came_s in self.since_s.items() if mmsi in awaited}
        self.since_s = kept | {
            near.target.mmsi: self.since_s.get(near.target.mmsi, now_s) for near in inside
        }
        return inside

    def for_s(self, near: Near, now_s: float) -> float:
        """Return how long somebody who is inside has been there, in seconds."""
        return now_s - self.since_s[near.target.mmsi]


@dataclass(slots=True)
class _Slot:
    source: Source
    mmsi: int | None = None
    detail: str = ""
    freed_s: float = 0.0
    is_restored: bool = False
    """It stood when the daemon last stopped, and nobody knows yet whether its target is still there."""


class Slots:
    """One alert for each of the nearest few, so that the next who comes is news though the first was acknowledged."""

    def __init__(self, key: str, device: str, *, holds: Holds) -> None:
        self._key = key
        self._slots = [_Slot(source) for source in sources(device)]
        for slot in self._slots:
            # After a restart who comes first takes up what stood, so that it does not alarm again.
            slot.is_restored = holds(key, slot.source.id)
            slot.freed_s = float("-inf") if slot.is_restored else 0.0

    def update(
        self,
        found: Sequence[tuple[int, str]],
        now_s: float,
        *,
        awaited: Collection[int] = (),
        is_new: bool = False,
    ) -> None:
        """Give each of the nearest few, nearest first, its slot; who has one, or is awaited, keeps it.

        While the feed is new, what stood before the daemon started goes on standing.
        """
        details = dict(found)
        for slot in self._slots:
            if slot.mmsi is not None and slot.mmsi not in details and slot.mmsi not in awaited:
                slot.mmsi, slot.freed_s = None, now_s
        taken = {slot.mmsi for slot in self._slots}
        waiting = [mmsi for mmsi, _ in found if mmsi not in taken]
        free = sorted((s for s in self._slots if s.mmsi is None), key=lambda slot: slot.freed_s)
        for slot, mmsi in zip(free, waiting, strict=False):
            slot.mmsi, slot.is_restored = mmsi, False
        for slot in self._slots:
            slot.is_restored &= is_new
        more = len(found) - sum(slot.mmsi in details for slot in self._slots)
        for slot in self._slots:
            if slot.mmsi in details:
                slot.detail = details[slot.mmsi] + (f"; and {more} more" if more else "")

    @property
    def restored(self) -> int:
        """How many stood when the daemon last stopped and have no target yet."""
        return sum(slot.is_restored for slot in self._slots)

    def clear(self, now_s: float) -> None:
        """Nobody is there any more."""
        self.update((), now_s)

    def said(self) -> Iterator[Said]:
        for slot in self._slots:
            is_active = slot.mmsi is not None or slot.is_restored
            yield Said(self._key, slot.source, is_active, slot.detail)


def sources(device: str) -> list[Source]:
    """Return what the alerts of single targets are about."""
    return [
        Source(f"{device}.target{number}", f"AIS TARGET {number}", device)
        for number in range(1, SLOTS + 1)
    ]
