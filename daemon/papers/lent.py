"""An export that has begun: its entry, the snapshot that is lent for it, and who works with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.model import Json
    from daemon.record.entry import Actor


@dataclass(frozen=True, slots=True)
class Lent:
    """A snapshot that somebody works with.

    Attributes:
        since_s: Since when somebody may come back for it within the hour; None: whoever holds it ends it.
    """

    seq: int
    folder: Path
    since_s: float | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class Begun:
    """An export that is an entry.

    Attributes:
        id: What it is called here.
        seq: Of its entry.
        folder: Where its snapshot is lent.
        by: Who exports.
        wish: What, as its entry says it.
        keys: Public keys that verify.
        anchors: Heads that somebody else held before.
    """

    id: str
    seq: int
    folder: Path
    by: str
    wish: Mapping[str, Json]
    keys: tuple[str, ...]
    anchors: tuple[str, ...]
