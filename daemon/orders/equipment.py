"""What can be out of service, on which terms, and whose word that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError
from daemon.model import Role
from daemon.record.entry import Proof

if TYPE_CHECKING:
    from daemon.people.claims import By

LONGEST_H: Final = 30 * 24
"""A month; what is broken for longer is a defect, and the SSP says what then."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """Something that can be taken out of service.

    Attributes:
        vital: It needs the Master too: a door of class V, what belongs to one, or a unit that has one.
        covert: SSAS; it needs him as well.
    """

    id: str
    name: str
    vital: bool = False
    covert: bool = False

    @property
    def needs_master(self) -> bool:
        return self.vital or self.covert


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long, why, and what instead."""

    reason: str
    measure: str
    hours: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the sensor says just before it is back in service."""

    words: str
    is_healthy: bool


def must_be_whole(terms: Terms) -> None:
    """Refuse what lacks its reason, its measure or a sensible end.

    Raises:
        RefusedError: It does.
    """
    if not terms.reason.strip() or not terms.measure.strip():
        raise RefusedError("the reason is wanted, and the measure: what is done instead")
    if not 1 <= terms.hours <= LONGEST_H:
        raise RefusedError(f"equipment is out of service for 1 to {LONGEST_H} h, not {terms.hours}")


def must_be_proven(item: Equipment, by: By, master: By | None) -> None:
    """Refuse what is vital, or SSAS, without the Master, or without the proof of both.

    Raises:
        RefusedError: It lacks one of them.
    """
    persons = [by] if master is None else [by, master]
    if not any(Role.MASTER in each.person.roles for each in persons):
        raise RefusedError(f"{item.name} needs the Master too: at ispsd's computer, --by twice")
    if master is not None and master.person.name == by.person.name:
        raise RefusedError("two different persons are wanted")
    if any(each.proof is Proof.NONE for each in persons):
        raise RefusedError(f"{item.name} is taken out of service with a PIN, at ispsd's computer")
