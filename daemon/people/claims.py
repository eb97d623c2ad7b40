"""Who says that he acts, and who is found to act: a claim, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from daemon.errors import RefusedError
from daemon.record.entry import Actor, Draft, Proof

if TYPE_CHECKING:
    from daemon.model import Person, Role
    from daemon.people.personkey import Signer


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
    """Who acts, where, and how it was proven.

    Attributes:
        signer: This person's own key, opened with the PIN for this one act.
    """

    person: Person
    station: str | None = None
    proof: Proof = Proof.NONE
    signer: Signer | None = field(default=None, repr=False, compare=False)

    def actor(self) -> Actor:
        return Actor(self.station, self.person.name, self.proof)

    def sign(self, draft: Draft) -> Draft:
        """Return the draft as this person's act, with his signature over what it says.

        On a ship without PINs an act that merely asks for one comes back without: its proof is then ``none``.

        Raises:
            EntryError: What it says cannot stand in an entry.
        """
        mine = replace(draft, actor=self.actor())
        return mine if self.signer is None else self.signer.signed(mine)

    def must_be(self, roles: frozenset[Role], what: str) -> None:
        """Refuse who may not.

        Raises:
            RefusedError: The person has none of these roles.
        """
        if not self.person.roles & roles:
            known = ", ".join(sorted(role.value for role in roles))
            raise RefusedError(f"{self.person.name} may not {what}; that is for: {known}")
