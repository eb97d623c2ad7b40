"""May this person look at the SSO's pages? Name and PIN, asked for so that an answer tells neither which was wrong.

A refusal comes in the same words and no sooner than ``REFUSED_AFTER_S``, whoever was named: a name that nobody has, one
who may not, one without a PIN, a locked one, and a wrong PIN are one and the same to whoever guesses. Where he guesses
he is bounded by the place that he is at (``floodgate``, ``daemon.people.knocks``), so that others log in elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.control import fields
from daemon.errors import RefusedError
from daemon.people import authority, knocks
from daemon.people.authority import Act
from daemon.people.lockout import LOCKED_FOR_S, TRIES
from daemon.review.floodgate import Floodgate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.computer.clock import Clock
    from daemon.model import Person
    from daemon.people.people import People

PAGE: Final = "sso-page"
"""The station that an entry names, as of a wrong PIN."""
REFUSED_AFTER_S: Final = 2.0
"""Longer than a PIN takes to be held against its hash on a slow computer."""
LONGEST_NAME: Final = 80
REFUSAL: Final = (
    "Not logged in: the name or the PIN is not right, or this person may not read these pages. "
    f"After {TRIES} wrong PINs in a row at one screen a PIN is locked there for {int(LOCKED_FOR_S // 60)} minutes."
)


class Login:
    """Looks at names and PINs."""

    def __init__(self, people: People, clock: Clock) -> None:
        self._people = people
        self._clock = clock
        self._gate = Floodgate(clock.now_s())

    async def person(self, request: Mapping[str, Any]) -> Person:
        """Return who has proven to be himself, and may look.

        Raises:
            RefusedError: He has not, or may not; always in the same words.
        """
        asked_s = self._clock.now_s()
        place = knocks.place(request.get("place"))
        if not self._gate.lets_in(place, asked_s):
            raise RefusedError("Too many logins are tried now: wait a minute.")
        if not self._people.are_known:
            raise RefusedError("The crew list has not been read from the record yet: try again.")
        name, pin = _typed(request)
        if (found := await self._proven(name, pin, place)) is not None:
            self._gate.welcome(place)
            return found
        if (left_s := asked_s + REFUSED_AFTER_S - self._clock.now_s()) > 0:
            await self._clock.sleep(left_s)
        raise RefusedError(REFUSAL)

    async def _proven(self, name: str, pin: str, place: str) -> Person | None:
        proofs = self._people.proofs
        if proofs is None or not pin:
            return None
        person = self._named(name)
        may = person is not None and authority.cell(Act.READ, person.roles) is not None
        known = person.name if person is not None and may and proofs.has(person.name) else None
        try:
            is_right = await proofs.knock(known, pin, place=place, station=PAGE)
        except RefusedError:
            return None
        if not is_right:
            return None
        # While it was checked, duties may have changed hands.
        return person if person is not None and self._people.find(person.name) == person else None

    def _named(self, name: str) -> Person | None:
        """Return the person of a name, however he writes it on this keyboard."""
        folded = " ".join(name.split()).casefold()
        found = [each for each in self._people.persons() if each.name.casefold() == folded]
        return found[0] if len(found) == 1 else self._people.find(name)


def _typed(request: Mapping[str, Any]) -> tuple[str, str]:
    """Return name and PIN; an empty PIN for what can be none."""
    name, pin = request.get("name"), request.get("pin")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return "", ""
    try:
        return name, fields.pin(pin, "pin") or ""
    except RefusedError:
        return name, ""
