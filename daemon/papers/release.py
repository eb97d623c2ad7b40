"""Who gives this paper to whom, and may he? It stands on every page and in the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WHATS: Final = ("test-log", "psc", "rso", "test", "drills", "gnss")
FORMATS: Final = ("pdf", "csv", "jsonl")
CONSENTED: Final = frozenset({"psc", "rso"})
"""What leaves the ship only with the Master's consent."""
PROFILE: Final[Mapping[str, str]] = {"psc": "psc", "test": "excerpt"}
"""How much of the entries goes along as JSON lines; anything else: full."""
FULL: Final = "full"
EXCERPT: Final = "excerpt"
OFFLINE: Final = "Made offline from the record's files: this release is not an entry in it."


def profile(what: str) -> str:
    """Return how much of the entries goes along with a paper as JSON lines."""
    return PROFILE.get(what, FULL)


@dataclass(frozen=True, slots=True)
class Release:
    """One release.

    Attributes:
        consent: The Master who consented; None where none is asked for.
        seq: The entry of this release; None: made offline, so there is none.
    """

    to_whom: str
    by: str
    consent: str | None
    seq: int | None

    def line(self) -> str:
        """Return the release line of a page."""
        words = f"Released to {self.to_whom} by {self.by}"
        if self.consent:
            words += f" · consent Master {self.consent}"
        return f"{words} · entry no. {self.seq}" if self.seq is not None else f"{words} · {OFFLINE}"
