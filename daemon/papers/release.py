"""Who gives this paper to whom, and may he? It stands on every page and in the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError
from daemon.model import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.model import Person
    from daemon.papers.particulars import Particulars

DIGEST: Final = "digest"
"""The week for the company: what it says stands in the entry of its export, and the excerpt of that entry proves it."""
MOST_DIGEST_BYTES: Final = 10_000
"""Of its file: a ship mails it over a thin link."""
WHATS: Final = ("test-log", "psc", "rso", "test", "drills", "gnss", DIGEST)
FORMATS: Final = ("pdf", "csv", "jsonl")
CONSENTED: Final = frozenset({"psc", "rso"})
"""What leaves the ship only with the Master's consent."""
PROFILE: Final[Mapping[str, str]] = {"psc": "psc", "test": "excerpt", DIGEST: "excerpt"}
"""How much of the entries goes along as JSON lines; anything else: full."""
FULL: Final = "full"
EXCERPT: Final = "excerpt"
OFFLINE: Final = "Made offline from the record's files: this release is not an entry in it."


def profile(what: str) -> str:
    """Return how much of the entries goes along with a paper as JSON lines."""
    return PROFILE.get(what, FULL)


def stated_by(consent: str | None, by: str | None) -> str | None:
    """Return who says that the Master consents, where it is not the Master himself."""
    return None if consent is None or consent == by else by


def consenting(what: str, named: object, by: Person, known: Callable[[str], Person]) -> str | None:
    """Return the Master who consented, where somebody must have; of a paper that the daemon has made.

    Raises:
        RefusedError: Nobody is named, or it is not the Master.
    """
    if named is None:
        if what not in CONSENTED:
            return None
        if Role.MASTER in by.roles:
            return by.name
        raise RefusedError(f"{what} leaves the ship with the Master's consent only: name him")
    master = known(str(named))
    if Role.MASTER not in master.roles:
        raise RefusedError(f"{master.name} is not the Master, whose consent is wanted")
    return master.name


def allowed(what: str, by: str, consent: str | None, people: Particulars) -> str | None:
    """Return the Master who consented, where somebody must have; of a paper that no daemon makes.

    Raises:
        RefusedError: By the record this person may not release it, or no Master consented.
    """
    if not people.may_release(by, Role.SSO, Role.MASTER):
        raise RefusedError(f"{by} is neither SSO nor Master as this record ends: only they release")
    if consent is None and what in CONSENTED and people.may_release(by, Role.MASTER):
        return by
    if consent is None and what in CONSENTED:
        raise RefusedError(f"{what} leaves the ship with the Master's consent only: --consent")
    if consent is not None and not people.may_release(consent, Role.MASTER):
        raise RefusedError(f"{consent} is not the Master as this record ends")
    return consent


@dataclass(frozen=True, slots=True)
class Release:
    """One release.

    Attributes:
        consent: The Master who consented; None where none is asked for.
        seq: The entry of this release; None: made offline, so there is none.
        ranked: Who releases it, as paper has him.
    """

    to_whom: str
    by: str
    consent: str | None
    seq: int | None
    ranked: str = ""

    def line(self) -> str:
        """Return the release line of a page."""
        by = self.ranked or self.by
        words = f"Released to {self.to_whom} by {by}"
        if self.consent:
            words += f" · consent of the Master {self.consent}"
        if stated_by(self.consent, self.by):
            words += f", as stated by {by}"
        return f"{words} · entry no. {self.seq}" if self.seq is not None else f"{words} · {OFFLINE}"
