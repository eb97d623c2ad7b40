"""What does one loop check cover, what was seen in it, and how is that told? Pure: ``loopcheck`` begins and ends it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.model import ContactState, Json, OpeningKind
from daemon.mqtt.contract import value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.people.claims import By
    from daemon.points.points import Change

TOLD: Final = 10
"""The newest changes that stand in each message: none is missed where two come at once."""
KEPT: Final = 200
"""The newest changes that are kept for whoever asks."""
MOST_NAMES: Final = 500
GUARDED: Final = frozenset(
    {OpeningKind.DOOR, OpeningKind.SEAL, OpeningKind.MOTION, OpeningKind.TAMPER}
)
"""What alerts when no loop check is on."""
OPEN: Final = ("number", "name", "kind", "state", "up")
"""What the watch reads of a change; tags, inputs and places are the SSO's alone."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One thing that a loop check covers.

    Attributes:
        inputs: As the module prints them where that is known; empty for what is wired to no input.
    """

    point: str
    name: str
    kind: str
    device: str
    place: str = ""
    inputs: str = ""
    wiring: str = ""


@dataclass(slots=True)
class LoopRun:
    """One loop check, from the moment that it was asked for."""

    scope: str
    tags: Mapping[str, Tag]
    by: By
    minutes: int
    waits_until_s: float
    agreed_by: By | None = None
    ends_s: float = 0.0
    number: int = 0
    newest: deque[dict[str, Json]] = field(default_factory=lambda: deque(maxlen=KEPT))
    seen: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_on(self) -> bool:
        return self.agreed_by is not None

    def take(self, change: Change) -> bool:
        """Take a change of a point that it covers; return whether it is one to tell."""
        reading, before = change.reading, change.previous
        if before is not None and before.value == reading.value:
            return False
        is_contact = isinstance(reading.value, ContactState)
        if not is_contact and reading.value is not None and not change.baseline:
            return False  # a measured value that goes on: that it came, and that it went, is told
        tag = self.tags[reading.point]
        is_seen = reading.value is not None
        words = str(value_of(reading.value)) if is_contact else "seen"
        said = words if is_seen else "not_seen"
        states = self.seen.setdefault(tag.point, [])
        if said not in states:
            states.append(said)
        self.number += 1
        self.newest.appendleft(
            {
                "number": self.number,
                "tag": tag.point,
                "name": tag.name,
                "kind": tag.kind,
                "state": said,
                "device": tag.device,
                "inputs": tag.inputs,
                "wiring": tag.wiring,
                "place": tag.place,
                "up": forms.milliseconds(reading.received_s),
            }
        )
        return True

    def not_guarded(self) -> list[str]:
        """Return the names of what raises no alert while it is on."""
        names = (tag.name for tag in self.tags.values() if tag.kind in GUARDED)
        return [*dict.fromkeys(names)][:MOST_NAMES]

    # How it is told

    def message(self) -> dict[str, Json]:
        """Return how it stands, without its changes."""
        return {
            "state": "on" if self.is_on else "waiting",
            "scope": self.scope,
            "by": self.by.person.name,
            "agreed_by": None if self.agreed_by is None else self.agreed_by.person.name,
            "ends_up": forms.milliseconds(self.ends_s if self.is_on else self.waits_until_s),
            "not_guarded": list(self.not_guarded()),
            "number": self.number,
        }

    def for_the_watch(self) -> dict[str, Json]:
        """Return what the watch reads: short names."""
        short: list[Json] = [{name: each[name] for name in OPEN} for each in self._told()]
        return {**self.message(), "changes": short}

    def for_the_sso(self) -> dict[str, Json]:
        """Return what the SSO reads: tags, inputs and places too."""
        return {**self.message(), "changes": [*self._told()]}

    def _told(self) -> list[dict[str, Json]]:
        return list(self.newest)[:TOLD]

    def started(self) -> dict[str, Json]:
        """Return what is written when it begins."""
        return {
            "scope": self.scope,
            "minutes": self.minutes,
            "by": self.by.person.name,
            "agreed_by": None if self.agreed_by is None else self.agreed_by.person.name,
            "not_guarded": [*self.not_guarded()],
        }

    def ended(self, reason: str) -> dict[str, Json]:
        """Return what is written when it ends."""
        seen: dict[str, Json] = {
            state: sorted(self.tags[p].name for p, states in self.seen.items() if state in states)[
                :MOST_NAMES
            ]
            for state in (*ContactState, "seen", "not_seen")
        }
        return {
            "scope": self.scope,
            "reason": reason,
            "by": self.by.person.name,
            "agreed_by": None if self.agreed_by is None else self.agreed_by.person.name,
            "changes": self.number,
            "seen": {state: names for state, names in seen.items() if names},
            "not_moved": sorted(t.name for t in self.tags.values() if t.point not in self.seen)[
                :MOST_NAMES
            ],
        }

    def wiring(self, is_proved: Callable[[str], bool | None]) -> list[Json]:
        """Return for the SSO how each thing is wired and what was seen of it, and whether a contact is proved."""
        return [
            {
                "tag": tag.point,
                "device": tag.device,
                "inputs": tag.inputs,
                "wiring": tag.wiring,
                "seen": list(self.seen.get(tag.point, ())),
                **({} if (proved := is_proved(tag.point)) is None else {"proved": proved}),
            }
            for tag in self.tags.values()
        ]
