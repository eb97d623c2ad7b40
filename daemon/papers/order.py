"""A paper that somebody ordered on a page: how it stands, what its maker is told of it, what the page is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from daemon import forms
from daemon.papers.steps import Part, Step

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from daemon.model import Json
    from daemon.papers.lent import Begun


class State(StrEnum):
    """How an order stands."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Order:
    """One order.

    Attributes:
        login: In which it was ordered.
        folder: Where its files come to lie.
        is_ending: It was made, or was not, and the entry that says so is on its way.
        said: What the process said came of it; None before it has.
        written: The number of the entry that says how it ended; None: not yet, or the disk took none.
        ended_s: When it ended, in seconds since boot.
    """

    begun: Begun
    login: str
    folder: Path
    ordered: datetime
    state: State = State.RUNNING
    step: Step = field(default_factory=lambda: Step(Part.SNAPSHOT))
    reason: str = ""
    is_ending: bool = False
    said: Mapping[str, Any] | None = None
    written: int | None = None
    ended_s: float | None = None
    task: asyncio.Task[None] | None = None

    def note(self, step: Step) -> None:
        """Take down how far it has come."""
        self.step = step

    def asked(self) -> dict[str, Json]:
        """Return what its maker is told."""
        begun, wish = self.begun, self.begun.wish
        name = f"{wish['what']}-{begun.seq}.{wish['format']}"
        return {
            "what": wish["what"],
            "form": wish["format"],
            "seq": wish["test"],
            "from": wish["from"],
            "to": wish["to"],
            "folder": str(begun.folder),
            "keys": [*begun.keys],
            "anchors": [*begun.anchors],
            "profile": wish["profile"],
            "release": {
                "to_whom": wish["to_whom"],
                "by": begun.by,
                "consent": wish["consent"],
                "seq": begun.seq,
            },
            "out": str(self.folder / name),
        }

    def told(self) -> dict[str, Json]:
        """Return what its page is told."""
        said, wish = self.said or {}, self.begun.wish
        return {
            "id": self.begun.id,
            "recorded": self.begun.seq,
            **{name: wish[name] for name in ("what", "format", "from", "to", "to_whom")},
            "ordered": forms.utc(self.ordered),
            "state": self.state.value,
            "words": self.step.words(),
            "part": self.step.part.value,
            "done": self.step.done,
            "of": self.step.of,
            "reason": self.reason,
            "written": self.written,
            "files": said.get("files", []),
            **{
                name: said.get(name) for name in ("sha256", "bytes", "pages", "verdict", "sentence")
            },
        }
