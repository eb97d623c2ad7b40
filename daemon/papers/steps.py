"""How far has a paper come? The steps that making one really has, for a terminal and for a page alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from daemon.model import Json

    Say: TypeAlias = Callable[["Step"], None]

MADE, FAILED = 0, 1
"""Exit codes of the process that makes one."""
TOO_LARGE: Final = "it takes more memory than a paper may have: choose a shorter period"


class Part(StrEnum):
    """One part of the work, in the order in which it is done."""

    SNAPSHOT = "snapshot"
    WAITING = "waiting"
    READING = "reading"
    VERIFYING = "verifying"
    SETTING = "setting"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class Step:
    """Where the work stands.

    Attributes:
        done: How much of this part is done; of: of how much. None where it has no measure.
        entries: How many entries have been read so far.
    """

    part: Part
    done: int | None = None
    of: int | None = None
    entries: int | None = None

    def words(self) -> str:
        """Return it for people."""
        if self.done is None and self.part in _WORDS:
            return _WORDS[self.part]
        if self.part is Part.READING:
            return f"{_WORDS[self.part]}: {self.entries} entries, list {self.done} of {self.of}"
        if self.part is Part.VERIFYING:
            return f"verifying {self.of} entries"
        return f"{_WORDS[self.part]}: {self.done} of {self.of} entries"

    def said(self) -> dict[str, Json]:
        """Return it as one process tells it to another."""
        return {
            "part": self.part.value,
            "done": self.done,
            "of": self.of,
            "entries": self.entries,
        }


_WORDS: Final = {
    Part.SNAPSHOT: "taking a snapshot of the record",
    Part.WAITING: "waiting for its turn: one paper is made at a time",
    Part.READING: "reading the record",
    Part.SETTING: "setting pages",
    Part.WRITING: "writing",
}


def read(said: Mapping[str, Any]) -> Step:
    """Return the step that a process told.

    Raises:
        ValueError: It is none; KeyError likewise.
    """
    counts = {name: said[name] for name in ("done", "of", "entries")}
    if not all(count is None or type(count) is int for count in counts.values()):
        raise ValueError("a step is counted in whole numbers")
    return Step(Part(said["part"]), **counts)
