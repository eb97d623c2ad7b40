"""What does an order relax, and is it meant? What relaxes the watch is asked twice of an officer."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from daemon.alerts.policy import Must
from daemon.errors import RefusedError
from daemon.model import DoorClass
from daemon.people import authority
from daemon.people.authority import Only

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.alerts.policy import DoorRule, Policy
    from daemon.model import Opening, Regime
    from daemon.orders.ordering import Ordering
    from daemon.people.authority import Act
    from daemon.people.claims import By

MOST_NAMED: Final = 6
"""Doors that a refusal names; the rest is counted."""


def ask_twice(ordering: Ordering, act: Act, by: By, **changed: Any) -> None:
    """Refuse an officer once what relaxes the watch, and say what that is.

    Raises:
        RefusedError: With what would be relaxed; ``wants`` is the word that confirms it.
    """
    cell = authority.cell(act, by.person.roles)
    if ordering.policy is None or cell is None or cell.only is not Only.ASKED_TWICE:
        return
    now = ordering.watch.engine.regime
    relaxed = relaxes(ordering.policy, ordering.doors.values(), now, replace(now, **changed))
    if relaxed:
        raise RefusedError(
            f"this relaxes the watch on {named(relaxed)}; if it is meant, say so once more (confirm)",
            wants={"confirm": True},
        )


def named(doors: list[str]) -> str:
    """Return the first few of a list of names, and how many there are more."""
    shown = doors[:MOST_NAMED]
    if len(doors) > len(shown):
        shown.append(f"{len(doors) - len(shown)} more")
    return ", ".join(shown)


def relaxes(policy: Policy, doors: Iterable[Opening], before: Regime, after: Regime) -> list[str]:
    """Return the doors that may stand open longer than before, by their short names.

    Side doors are not among them: their own system watches them, whatever the policy asks of people.
    """
    return [
        door.name
        for door in doors
        if door.door_class is not None
        and door.door_class is not DoorClass.SIDE
        and _may_stand_open_s(policy.rule(door.door_class, after))
        > _may_stand_open_s(policy.rule(door.door_class, before))
    ]


def _may_stand_open_s(rule: DoorRule) -> float:
    match rule.must:
        case Must.FREE | Must.MIRROR:
            return math.inf
        case Must.SHUT:
            return math.inf if rule.held_open_s is None else rule.held_open_s
        case _:
            return 0.0
