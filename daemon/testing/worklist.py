"""What is there to do for SSO and Master? What is due, overdue, missed, not proven or defect; never an alert.

Class ``sso``: it names SSAS tests and what is not proven, so it stands under ``sso/worklist`` and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.checks.intervals import NEVER
from daemon.model import Outcome, Readiness
from daemon.testing import schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime, timezone

    from daemon.model import Json
    from daemon.testing.standing import Test

LONGEST_TEXT: Final = 300


class ItemState(StrEnum):
    """Why something is on the list, the worst first."""

    DEFECT = "defect"
    OVERDUE = "overdue"
    OUT_OF_SERVICE = "out of service"
    INHIBITED = "inhibited"
    NOT_TESTABLE = "not testable"
    MISSED = "missed"
    NOT_PROVEN = "not proven"
    NOT_DONE = "not done"
    DUE = "due"


_SAID: Final = frozenset({ItemState.DEFECT, ItemState.NOT_PROVEN, ItemState.NOT_DONE})
"""What the newest result explains."""
_ORDER: Final = {state: place for place, state in enumerate(ItemState)}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list.

    Attributes:
        test: The test, or a short name of what else is to be done: ``review``.
        since_utc: Since when it is so; None where nobody can tell.
        limit_utc: When it is, or was, overdue.
        first: It stands before the others of its state.
        defect_of: The line is a defect of this test, or this equipment, whose own line then says nothing more.
    """

    test: str
    equipment: str
    what: str
    state: ItemState
    since_utc: datetime | None
    limit_utc: datetime | None
    first: bool = False
    defect_of: str | None = None


def items(
    tests: Iterable[tuple[Test, Readiness]],
    *,
    now_utc: datetime,
    ship_time: timezone,
    waits: Callable[[Test], str | None] = lambda _: None,
) -> list[Item]:
    """Return what is to be done of tests; each is given with its readiness. ``waits`` says what stands in the way."""
    found = [_item(test, stands, now_utc, ship_time, waits(test)) for test, stands in tests]
    return [item for item in found if item is not None]


def worst_first(listed: Iterable[Item]) -> list[Item]:
    """Return the lines in the order in which they are read, each defect once."""
    every = list(listed)
    told = {item.defect_of for item in every}
    return sorted(
        (item for item in every if not _is_told(item, told)),
        key=lambda item: (_ORDER[item.state], not item.first, item.what),
    )


def _is_told(item: Item, told: Collection[str | None]) -> bool:
    """Return whether a test's line says nothing but the defect that has a line of its own."""
    of_a_test = item.state is ItemState.DEFECT and item.defect_of is None
    return of_a_test and (item.test in told or item.equipment in told)


def message(listed: Iterable[Item]) -> list[dict[str, Json]]:
    """Return the list as it stands in ``sso/worklist`` and in the answer to a request."""
    return [
        {
            "id": item.test,
            "equipment": item.equipment,
            "text": item.what,
            "state": item.state.value,
            "due_utc": None if item.since_utc is None else forms.utc(item.since_utc),
            "limit_utc": None if item.limit_utc is None else forms.utc(item.limit_utc),
        }
        for item in listed
    ]


def _item(
    test: Test, stands: Readiness, now_utc: datetime, ship_time: timezone, waits: str | None
) -> Item | None:
    state = _state(test, stands)
    if state is None:
        return None
    past = test.past
    due_utc = schedule.next_due_utc(test.plan, past, ship_time=ship_time) or past.planned_utc
    if state in {ItemState.DEFECT, ItemState.NOT_PROVEN, ItemState.NOT_DONE}:
        word = test.newest_word if state is ItemState.NOT_DONE else test.last
        since_utc = None if word is None else word.ended_utc
    elif schedule.is_asked(past):
        since_utc = past.asked_utc
    else:
        since_utc = due_utc
    begins_utc = schedule.begins_utc(test.plan, past, now_utc=now_utc, ship_time=ship_time)
    return Item(
        test.config.id,
        test.config.equipment,
        _what(test, state, test.remaining(begins_utc), waits),
        state,
        since_utc,
        schedule.overdue_utc(test.plan, past),
    )


def _state(test: Test, stands: Readiness) -> ItemState | None:
    match stands:
        case Readiness.DEFECT:
            return ItemState.DEFECT
        case Readiness.OVERDUE:
            return ItemState.OVERDUE
        case Readiness.NOT_TESTABLE:
            # What nothing asks for here is nothing to do.
            return None if test.plan.every == NEVER else ItemState.NOT_TESTABLE
        case Readiness.TEST_DUE:
            return _why_due(test)
        case _:
            return None


def _why_due(test: Test) -> ItemState:
    last, past = test.last, test.past
    if test.awaits_signature:
        return ItemState.NOT_DONE
    if last is not None and last.outcome is Outcome.INCONCLUSIVE:
        return ItemState.NOT_PROVEN
    if last is not None and last.outcome is Outcome.SKIPPED:
        return ItemState.NOT_DONE
    settled_utc = past.settled_utc
    if settled_utc is not None and (past.tested_utc is None or past.tested_utc < settled_utc):
        return ItemState.MISSED
    return ItemState.DUE


def _what(test: Test, state: ItemState, remaining: tuple[str, ...], waits: str | None) -> str:
    config, last, past = test.config, test.last, test.past
    what = f"{config.name}: {config.id}, SSP {config.ssp_paragraph}"
    if test.unsigned is not None and test.awaits_signature and state is not ItemState.DEFECT:
        what += f": {test.unsigned.reason}; to be signed: ispsd not-done {config.id}"
    elif state in _SAID and last is not None:
        what += f": {last.reason}"
    elif schedule.is_asked(past) and past.asked_by is not None:
        what += f": after {past.asked_by.value}"
    if remaining:
        count = len(test.spec.items(config))
        what += f"; {len(remaining)} of {count} to do: {', '.join(remaining)}"
    if waits is not None:
        what += f"; waits: {waits}"
    if state is ItemState.NOT_TESTABLE:
        what += ": the computer's clock is wrong"
    return what if len(what) <= LONGEST_TEXT else what[: LONGEST_TEXT - 1] + "…"
