"""Who is this, and may he? Every act of a person goes through here before it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.errors import RefusedError
from daemon.people.authority import MAY, Act
from daemon.people.claims import By, Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.model import Person


class People:
    """Everybody who may act on board."""

    def __init__(self, persons: Iterable[Person]) -> None:
        self._persons = {person.name: person for person in persons}

    def known(self, name: str) -> Person:
        """Return the person of that name.

        Raises:
            RefusedError: Nobody of that name is on the crew list.
        """
        try:
            return self._persons[name]
        except KeyError:
            raise RefusedError(f"{name!r} is not on the crew list") from None

    async def prove(self, claim: Claim, act: Act) -> By:
        """Return who acts, once he is known, may do this, and has proven himself as the act asks for.

        Raises:
            RefusedError: Unknown, may not, or not proven; the message is for that person.
        """
        by = By(self.known(claim.name), claim.station)
        by.must_be(MAY[act], act.value)
        return by
