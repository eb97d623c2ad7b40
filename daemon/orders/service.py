"""Which equipment is out of service, why, until when, and what is done instead? Class ``sso`` beyond the bare fact.

The electro-technical officer proposes and the SSO takes it; what is vital, and the SSAS, needs the Master too, each
with his PIN. Ten minutes before it ends the sensor is looked at once more, so that nobody is surprised by its alert. Of
the SSAS nothing leaves ``sso/`` (invariant 1): to a watch station that equipment does not exist.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.errors import RefusedError
from daemon.model import Classification, Role
from daemon.orders.equipment import Terms, must_be_proven, must_be_whole
from daemon.orders.ordering import HOUR_S
from daemon.people import authority
from daemon.people.authority import Act, Only
from daemon.record.entry import SYSTEM, Draft
from daemon.record.waiting import let_go
from daemon.ship.ordered import OutOfService, Proposal
from daemon.testing.worklist import Item, ItemState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping

    from daemon.model import Json
    from daemon.orders.equipment import Equipment, Found
    from daemon.orders.ordering import Ordering
    from daemon.people.claims import By
    from daemon.record.entry import Actor, Entry

RECHECK_S: Final = 600.0
"""So long before it ends the sensor is looked at."""
BEGINS_TO_SEE_S: Final = 10.0
"""After a start a sensor is not said to be unseen before devices have had so long to answer."""
MOST_PROPOSALS: Final = 20
BEGUN, ENDED = "out_of_service.begun", "out_of_service.ended"
PROPOSED, DROPPED = "out_of_service.proposed", "out_of_service.dropped"
CHECKED: Final = "out_of_service.checked"


class Service:
    """Takes equipment out of service, and back."""

    def __init__(
        self,
        ordering: Ordering,
        *,
        equipment: Mapping[str, Equipment],
        look_at: Callable[[Equipment], Found],
    ) -> None:
        """Put the parts together; ``look_at`` says how a piece of equipment is now."""
        self._ordering = ordering
        self._ship = ordering.ship
        self._equipment = equipment
        self._look_at = look_at
        self._checked: dict[str, tuple[OutOfService, Found]] = {}
        self._sees_s: float | None = None

    def equipment(self, id_: str, *, open_only: bool) -> Equipment:
        """Return a piece of equipment; with ``open_only`` there is none that only the SSO may know of.

        Raises:
            RefusedError: There is none.
        """
        found = self._equipment.get(id_)
        if found is None or (open_only and found.covert):
            raise RefusedError(f"there is no equipment {id_[:40]!r}")
        return found

    def propose(self, item: Equipment, by: By, terms: Terms) -> asyncio.Future[Entry]:
        """Propose to take it out of service; that changes nothing yet.

        Raises:
            RefusedError: The person may not even propose, something is missing, or too much waits already.
        """
        if authority.cell(Act.OUT_OF_SERVICE, by.person.roles) is None:
            by.must_be(authority.roles(Act.OUT_OF_SERVICE), Act.OUT_OF_SERVICE.value)
        must_be_whole(terms)
        # Each kind has its own number: whoever counts on the watch must not find one taken by the SSAS (invariant 1).
        alike = sum(p.covert is item.covert for p in self._ship.proposals.values())
        if item.id not in self._ship.proposals and alike >= MOST_PROPOSALS:
            raise RefusedError(f"{MOST_PROPOSALS} proposals wait already")
        at_utc = self._ordering.clock.utc()
        self._ship.proposals[item.id] = Proposal(
            item.id,
            item.name,
            terms.reason,
            terms.measure,
            terms.hours,
            by.person.name,
            at_utc,
            item.covert,
        )
        said: Mapping[str, Json] = {
            "equipment": item.id,
            "name": item.name,
            "reason": terms.reason,
            "measure": terms.measure,
            "hours": terms.hours,
            "by": by.person.name,
            "at": forms.utc(at_utc),
        }
        self._ordering.watch.show_ordered()
        return self._write(PROPOSED, item.id, said, by.actor())

    def terms_of(self, item: Equipment) -> Terms:
        """Return what is proposed for it.

        Raises:
            RefusedError: Nothing is.
        """
        if (proposal := self._ship.proposals.get(item.id)) is None:
            raise RefusedError("reason, measure and hours are wanted: nothing is proposed for it")
        return Terms(proposal.reason, proposal.measure, proposal.hours)

    def take_out(
        self, item: Equipment, by: By, terms: Terms, *, master: By | None = None
    ) -> asyncio.Future[Entry]:
        """Take it out of service for a time.

        Args:
            item: What.
            by: The SSO, or the Master alone.
            terms: For how long, why, and what instead.
            master: The Master, beside the SSO.

        Raises:
            RefusedError: The person may not, not alone, not without proof, or something is missing.
        """
        by.must_be(authority.roles(Act.OUT_OF_SERVICE), Act.OUT_OF_SERVICE.value)
        must_be_whole(terms)
        if item.needs_master:
            must_be_proven(item, by, master)
        if master is not None and Role.MASTER not in master.person.roles:
            raise RefusedError(f"{master.person.name} is not the Master")
        seconds, clock = terms.hours * HOUR_S, self._ordering.clock
        taken = OutOfService(
            equipment=item.id,
            name=item.name,
            reason=terms.reason,
            measure=terms.measure,
            hours=terms.hours,
            ends_utc=clock.utc() + timedelta(seconds=seconds),
            ends_s=clock.now_s() + seconds,
            by=by.person.name,
            with_master=None if master is None else master.person.name,
            covert=item.covert,
        )
        self._ship.out_of_service[item.id] = taken
        self._ship.proposals.pop(item.id, None)
        self._checked.pop(item.id, None)
        self._changed(taken)
        return self._write(BEGUN, item.id, _body(taken), by.actor())

    def put_back(self, item: Equipment, by: By) -> asyncio.Future[Entry]:
        """Put it back into service before its time, or drop what is proposed for it.

        Raises:
            RefusedError: The person may not, or it is neither.
        """
        taken = self._ship.out_of_service.get(item.id)
        if taken is None and item.id in self._ship.proposals:
            if authority.cell(Act.OUT_OF_SERVICE, by.person.roles) is None:
                by.must_be(authority.roles(Act.OUT_OF_SERVICE), Act.OUT_OF_SERVICE.value)
            del self._ship.proposals[item.id]
            self._ordering.watch.show_ordered()
            said: Mapping[str, Json] = {"equipment": item.id, "name": item.name}
            return self._write(DROPPED, item.id, said, by.actor())
        by.must_be(authority.roles(Act.OUT_OF_SERVICE), Act.OUT_OF_SERVICE.value)
        if taken is None:
            raise RefusedError(f"{item.name} is not out of service")
        return self._end(taken, f"by {by.person.name}", by.actor())

    def look(self) -> None:
        """Look at what ends soon, and end what is over."""
        now_s = self._ordering.clock.now_s()
        if self._sees_s is None:
            self._sees_s = now_s + BEGINS_TO_SEE_S
        for taken in list(self._ship.out_of_service.values()):
            if taken.ends_s <= now_s:
                let_go(self._end(taken, "its time is over", SYSTEM))
            elif taken.ends_s - now_s <= RECHECK_S and self._found(taken) is None:
                self._check(taken, is_sure=now_s >= self._sees_s)

    def to_do(self) -> Iterator[Item]:
        """Yield what is out of service, what of it is not whole though it ends soon, and what is proposed."""
        for taken in self._ship.out_of_service.values():
            text = (
                f"{taken.name}: {taken.equipment} out of service by {taken.by} "
                f"until {taken.ends_utc:%d %b %H%MZ}: {taken.reason}; instead: {taken.measure}"
            )
            state = ItemState.OUT_OF_SERVICE
            found = self._found(taken)
            if found is not None and not found.is_healthy:
                text = f"{taken.name}: {taken.equipment} is back in service soon and {found.words}"
                state = ItemState.NOT_PROVEN
            yield Item(taken.equipment, taken.equipment, text[:300], state, None, taken.ends_utc)
        for proposed in self._ship.proposals.values():
            text = (
                f"{proposed.name}: {proposed.by} proposes to take {proposed.equipment} out of service "
                f"for {proposed.hours} h: {proposed.reason}; instead: {proposed.measure}"
            )
            at_utc = proposed.at_utc
            yield Item(
                proposed.equipment, proposed.equipment, text[:300], ItemState.DUE, at_utc, None
            )

    def _found(self, taken: OutOfService) -> Found | None:
        """Return what was found of it just before this end; None where it was not looked at yet."""
        known = self._checked.get(taken.equipment)
        return None if known is None or known[0] is not taken else known[1]

    def _check(self, taken: OutOfService, *, is_sure: bool) -> None:
        found = self._look_at(self._equipment[taken.equipment])
        if not found.is_healthy and not is_sure:
            return
        self._checked[taken.equipment] = taken, found
        said: Mapping[str, Json] = {
            "equipment": taken.equipment,
            "name": taken.name,
            "found": found.words,
            "healthy": found.is_healthy,
            "ends": forms.utc(taken.ends_utc),
        }
        let_go(self._write(CHECKED, taken.equipment, said, SYSTEM))
        self._ordering.watch.show_ordered()

    def _end(self, taken: OutOfService, how: str, by: Actor) -> asyncio.Future[Entry]:
        del self._ship.out_of_service[taken.equipment]
        self._checked.pop(taken.equipment, None)
        self._changed(taken)
        said: Mapping[str, Json] = {"equipment": taken.equipment, "name": taken.name, "how": how}
        return self._write(ENDED, taken.equipment, said, by)

    def _changed(self, taken: OutOfService) -> None:
        """Let it count; no alert hangs on what is covert, and no open topic is told anything."""
        if taken.covert:
            self._ordering.watch.show_ordered()
        else:
            self._ordering.watch.reconsider()

    def _write(
        self, type_: str, subject: str, said: Mapping[str, Json], by: Actor
    ) -> asyncio.Future[Entry]:
        return self._ordering.journal.submit(
            Draft(
                kind=".10",
                type=type_,
                subject=subject,
                classification=Classification.SSO,
                actor=by,
                open=said,
            )
        )


def may_only_propose(by: By) -> bool:
    """Return whether all that a person may do is propose."""
    cell = authority.cell(Act.OUT_OF_SERVICE, by.person.roles)
    return cell is not None and cell.only is Only.PROPOSES


def _body(taken: OutOfService) -> dict[str, Json]:
    return {
        "equipment": taken.equipment,
        "name": taken.name,
        "reason": taken.reason,
        "measure": taken.measure,
        "hours": taken.hours,
        "ends": forms.utc(taken.ends_utc),
        "by": taken.by,
        "with_master": taken.with_master,
    }
