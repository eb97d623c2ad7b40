"""May this be written, by whom it says? The one place that every entry passes before the record takes it.

Machines write kind .10 and ``system``; the others are the SSO's and the Master's (ISPS A/10.1), by name, and on a ship
with PINs proven. What says that it was proven must be a proof that there can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError
from daemon.people import personkey
from daemon.people.authority import COMMAND
from daemon.record.entry import MACHINE_KINDS, Proof

if TYPE_CHECKING:
    from daemon.people.people import People
    from daemon.record.entry import Draft

BY_NAME: Final = frozenset({".4"})
"""The security level is set at once, by name: the table asks nobody for a PIN there."""


def allow(people: People, draft: Draft) -> None:
    """Refuse a draft that its writer has no right to.

    Raises:
        RefusedError: It has none, or says a proof that it has not.
    """
    name, proof, proofs = draft.actor.person, draft.actor.proof, people.proofs
    if draft.kind not in MACHINE_KINDS:
        person = None if name is None else people.find(name)
        if person is None or not person.roles & COMMAND:
            raise RefusedError(
                f"an entry of kind {draft.kind} is the SSO's or the Master's, not "
                f"{'a machine' if name is None else name}'s"
            )
        if proof is Proof.NONE and people.in_use() and draft.kind not in BY_NAME:
            raise RefusedError(f"an entry of kind {draft.kind} wants the PIN of {name}")
        if proof is not Proof.NONE and (proofs is None or not proofs.has(person.name)):
            raise RefusedError(f"{name} has no PIN, and cannot have proven to be himself")
    if proof is Proof.SIGNATURE:
        public = None if proofs is None or name is None else proofs.public_key(name)
        if public is None or not personkey.is_signed(draft, public):
            raise RefusedError(f"the signature of {name} does not fit what {draft.type} says")
