"""Who is logged in on the SSO's pages? Decided by clocks that nobody can set: idle 15 minutes, or eight hours, ends it.

The daemon holds them and nobody else, so a page's server has nothing worth stealing, and a restart ends them all. Of a
token only its hash is kept: whoever could read this memory could not log in with it, and how long a search takes tells
nothing of it.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.model import Json, Person

IDLE_S: Final = 15 * 60.0
LONGEST_S: Final = 8 * 3600.0
MOST: Final = 16
"""Logins at once; one more ends the one that was idle for longest."""
MOST_SEEN: Final = 1000
"""Documents of one login."""


@dataclass(slots=True)
class Session:
    """One login.

    Attributes:
        id: What entries call it; it opens nothing.
        person: As the crew list had him then.
        csrf: What each form of this login carries.
        began_s: Seconds since boot.
        used_s: When it was last used.
        is_psc: Port state control is shown something: nothing can be done, and what A/9.8.1 protects is left out.
        seen: Documents whose reading is an entry already.
        flash: What is said once on the next page: what an act came to.
    """

    id: str
    person: Person
    csrf: str
    began_s: float
    used_s: float
    is_psc: bool = False
    seen: set[str] = field(default_factory=set)
    flash: dict[str, Json] = field(default_factory=dict)

    def ended(self, now_s: float) -> str | None:
        """Return why it is over; None while it lasts."""
        if now_s - self.began_s >= LONGEST_S:
            return "eight hours"
        return "idle" if now_s - self.used_s >= IDLE_S else None

    def may_act(self, csrf: object) -> bool:
        """Return whether a form is this login's own."""
        return isinstance(csrf, str) and hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """Every login."""

    def __init__(self, salt: Callable[[], bytes]) -> None:
        """Begin with none; ``salt`` returns bytes that nobody can guess."""
        self._salt = salt
        self._held: dict[bytes, Session] = {}

    def begin(self, person: Person, now_s: float) -> tuple[str, Session, list[Session]]:
        """Return a new token, its login, and whom it has put out."""
        put_out = []
        while len(self._held) >= MOST:
            oldest = min(self._held, key=lambda key: self._held[key].used_s)
            put_out.append(self._held.pop(oldest))
        token = self._random()
        session = Session(self._random()[:8], person, self._random(), now_s, now_s)
        self._held[_key(token)] = session
        return token, session, put_out

    def find(self, token: object, now_s: float) -> Session | None:
        """Return whose login it is, which is used now; None where there is none."""
        session = self._held.get(_key(token)) if isinstance(token, str) else None
        if session is None or session.ended(now_s) is not None:
            return None
        session.used_s = now_s
        return session

    def end(self, token: object) -> Session | None:
        """End a login and return it."""
        return self._held.pop(_key(token), None) if isinstance(token, str) else None

    def of(self, name: str) -> list[Session]:
        """Return every login of a person."""
        return [each for each in self._held.values() if each.person.name == name]

    def drop(self, session: Session) -> None:
        """End a login that is known."""
        self._held = {key: each for key, each in self._held.items() if each is not session}

    def sweep(self, now_s: float) -> list[tuple[Session, str]]:
        """End what is over; return it with the reason."""
        over = [(each, why) for each in self._held.values() if (why := each.ended(now_s))]
        for session, _ in over:
            self.drop(session)
        return over

    def _random(self) -> str:
        return base64.urlsafe_b64encode(self._salt() + self._salt()).decode().rstrip("=")


def _key(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
