"""Who says that he acts, and who is found to act: a claim, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from daemon.errors import RefusedError
from daemon.record.entry import Actor, Proof

if TYPE_CHECKING:
    from daemon.model import Person, Role


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says to be, with what would prove it.

    Attributes:
        pin: As typed; never logged, never written.
        station: The watch station that the broker authenticated; None at the ship's computer.
    """

    name: str
    pin: str | None = field(default=None, repr=False)
    station: str | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, where, and how it was proven."""

    person: Person
    station: str | None = None
    proof: Proof = Proof.NONE

    def actor(self) -> Actor:
        return Actor(self.station, self.person.name, self.proof)

    def must_be(self, roles: frozenset[Role], what: str) -> None:
        """Refuse who may not.

        Raises:
            RefusedError: The person has none of these roles.
        """
        if not self.person.roles & roles:
            known = ", ".join(sorted(role.value for role in roles))
            raise RefusedError(f"{self.person.name} may not {what}; that is for: {known}")
