"""Who takes which equipment out of service: from a watch station, or at ispsd's computer by one or two persons?

From a station one person acts, without a PIN, and there is no SSAS. What is vital, and the SSAS, is taken out at
ispsd's computer, each with his PIN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import Role
from daemon.orders.equipment import Terms
from daemon.orders.order import Done
from daemon.orders.service import may_only_propose
from daemon.people.authority import Act
from daemon.people.claims import By

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.orders.equipment import Equipment
    from daemon.orders.order import Said
    from daemon.orders.service import Service
    from daemon.people.claims import Claim
    from daemon.people.people import People

TERMS: Final = frozenset({"reason", "measure", "hours"})
"""What is said when equipment is taken out of service; all of it, or nothing where it was proposed."""


class Serving:
    """Reads who wants what out of service."""

    def __init__(self, service: Service, people: People) -> None:
        self._service = service
        self._people = people

    def who(self, claim: Claim) -> By:
        """Return who takes part: to propose is less than the table's *yes*.

        Raises:
            RefusedError: Nobody of that name is on board.
        """
        return By(self._people.aboard(claim.name), claim.station)

    def from_a_station(self, by: By, said: Said) -> Done:
        """Propose, take out or put back, as one person may.

        Raises:
            RefusedError: There is no such equipment for a station, or the person may not.
        """
        item = self._service.equipment(said["equipment"], open_only=True)
        return self._serve(item, [by], said)

    async def at_the_computer(self, request: Said) -> Done:
        """The same by one or two persons, with their PINs where they are wanted.

        Raises:
            RefusedError: A field is wrong, there is no such equipment, or they may not.
        """
        names = request.get("by")
        count = len(names) if isinstance(names, list) and len(names) in {1, 2} else 1
        claims = fields.claims(request, count=count)
        item = self._service.equipment(fields.text(request, "equipment"), open_only=False)
        said: dict[str, Any] = {}
        for name in ("reason", "measure"):
            if (text := fields.optional_text(request, name)) is not None:
                said[name] = text
        if "hours" in request:
            said["hours"] = fields.number(request, "hours")
        by = [self.who(claim) for claim in claims]
        # A second person is one by his PIN: the entry names him.
        are_asked = item.needs_master or len(claims) > 1
        if are_asked and said.get("hours") != 0 and not may_only_propose(by[0]):
            by = await self._people.prove_all(claims, Act.OUT_OF_SERVICE)
        return self._serve(item, by, said)

    def _serve(self, item: Equipment, by: Sequence[By], said: Said) -> Done:
        if said.get("hours") == 0:
            return Done(self._service.put_back(item, by[0]))
        if missing := TERMS - said.keys():
            if missing != TERMS:
                raise RefusedError(f"{' and '.join(sorted(missing))} is wanted")
            terms = self._service.terms_of(item)
        else:
            terms = Terms(said["reason"], said["measure"], said["hours"])
        if may_only_propose(by[0]):
            written = self._service.propose(item, by[0], terms)
            return Done(written, {"waits_for": "the SSO to take it"})
        # The Master stands beside the SSO, in whatever order they were named.
        first, *others = sorted(by, key=lambda each: Role.MASTER in each.person.roles)
        master = others[0] if others else None
        return Done(self._service.take_out(item, first, terms, master=master))
