"""What is kept of one fault, from outside of the daemon: what a subscriber heard, what people did, what the disk has.

Plain data, so that the judge can be shown what never was. All times are seconds since boot, as the daemon's ``up``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came.

    Attributes:
        name: The topic without the ship.
    """

    at_s: float
    name: str
    payload: bytes
    retained: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """Return what it says; empty where the topic is cleared."""
        found: dict[str, Any] = json.loads(self.payload) if self.payload else {}
        return found

    @property
    def entry(self) -> bytes:
        """Return the bytes of the entry that an event carries."""
        return self.payload[
            self.payload.index(b'"entry":') + 8 : self.payload.rindex(b',"session":"')
        ]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a sensor really was from some moment on; None while its unit tells nobody.

    Attributes:
        begins_s: When it began to change.
        done_s: When it had changed for certain.
    """

    point: str
    state: str | None
    begins_s: float
    done_s: float


@dataclass(slots=True)
class Round:
    """A door opened, its alert acknowledged, the door shut again; None for what did not come in time."""

    alert: str
    by: str
    opened_s: float
    when: str
    told_s: float | None = None
    asked_s: float | None = None
    answered_s: float | None = None
    accepted: bool = False
    recorded: int | None = None
    quiet_s: float | None = None
    """When the alert was seen as acknowledged."""
    shut_s: float | None = None
    gone_s: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What the ship's own computer showed: ``ispsd status``; ``alerts`` is None where it did not answer."""

    at_s: float
    alerts: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process holds."""

    pid: int
    descriptors: int
    threads: int
    resident_kib: int


@dataclass(slots=True)
class Capture:
    """Everything about one fault.

    Attributes:
        begins_s: When the fault began.
        ends_s: When it was over.
        normal_s: When everything was as before; None: never in time.
        usual: Alerts that stood before it.
        left: What was not as before when patience ended, in words.
        dead: From when to when there was no daemon.
        asked_again: Events, by ``bseq``, that the page missed and asked for (rule 5 of docs/mqtt.md).
        confirmed: Entries that the control socket confirmed: number, and what was asked.
        attempts: What a hostile station tried: what, its command's id, what the broker said of it.
        spoilt: How many calls of the process were spoilt.
        cut_off: From when to when the fault let nothing of the daemon through to the page.
        cleared: Topics that were cleared behind the daemon's back, and from when on.
        entries: The record afterwards: each entry's bytes by its number.
        verdict: Exit code and words of the stand-alone verifier, with anchors that the subscriber kept.
        notes: What the fault itself has to say.
        log: What the daemon wrote to its log.
    """

    begins_s: float = 0.0
    ends_s: float = 0.0
    normal_s: float | None = None
    usual: frozenset[str] = frozenset()
    left: str = ""
    heard: list[Heard] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    dead: list[tuple[float, float]] = field(default_factory=list)
    asked_again: set[int] = field(default_factory=set)
    confirmed: list[tuple[int, str]] = field(default_factory=list)
    attempts: list[tuple[str, str, str]] = field(default_factory=list)
    spoilt: int = 0
    cut_off: list[tuple[float, float]] = field(default_factory=list)
    cleared: dict[str, float] = field(default_factory=dict)
    before: Resources | None = None
    after: Resources | None = None
    entries: dict[int, bytes] = field(default_factory=dict)
    verdict: tuple[int, str] = (2, "not asked")
    notes: list[str] = field(default_factory=list)
    log: str = ""

    def named(self, prefix: str) -> Iterator[Heard]:
        """Yield what was heard below a name."""
        return (each for each in self.heard if each.name.startswith(prefix))

    def written(self) -> list[dict[str, Any]]:
        """Return the entries of the record, read."""
        return [json.loads(body) for _, body in sorted(self.entries.items())]
