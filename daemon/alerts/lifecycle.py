"""How does a bridge alert move from state to state? The table, and nothing but the table.

Source: MSC.302(87) section 7.3, MSC.252(83) 20.2, and the makers' tables for IEC 62923; rows are numbered as in
``docs/alerts.md``. A caution has three rows only: it is active or it is not, and nobody acknowledges it.
Category B throughout: an alert can be acknowledged wherever it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from daemon.model import AlertState as State
from daemon.model import Priority

SILENCE_S: Final = 30.0
"""How long silence lasts (MSC.302(87) 7.3.5)."""
NO_ROW: Final = 0
"""What the ship's regime or a person's inhibit does to an alert is no row of the table."""
LAST_REVISION: Final = 99
LAST_ESCALATION: Final = 9


class Event(StrEnum):
    """What can happen to an alert."""

    CONDITION_TRUE = "condition_true"
    CONDITION_FALSE = "condition_false"
    SILENCE = "silence"
    SILENCE_ENDED = "silence_ended"
    ACKNOWLEDGE = "acknowledge"
    TRANSFER = "transfer"
    HAND_BACK = "hand_back"
    REPEAT = "repeat"
    PROMOTE = "promote"
    ESCALATE = "escalate"
    REPRIORITISE = "reprioritise"
    """The regime changed, and with it the priority: no row of the table, the catalogue's letters."""
    MUTE = "mute"
    """A person inhibited it or took its source out of service: no row either; it is normal, and that is told once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        to: The state that follows.
        sounds: Whether the alert is audible afterwards.
        escalates: Whether the escalation counter goes up.
        promotes: Whether a warning becomes an alarm.
    """

    number: int
    to: State
    sounds: bool = False
    escalates: bool = False
    promotes: bool = False


N, V, S, A, O, U = (  # noqa: E741 (the letters of IEC 61162-1 ALF)
    State.NORMAL,
    State.ACTIVE_UNACKNOWLEDGED,
    State.ACTIVE_SILENCED,
    State.ACTIVE_ACKNOWLEDGED,
    State.RESPONSIBILITY_TRANSFERRED,
    State.RECTIFIED_UNACKNOWLEDGED,
)

_OF_BOTH: Final[dict[tuple[State, Event], Row]] = {
    (N, Event.CONDITION_TRUE): Row(1, V, sounds=True),
    (V, Event.SILENCE): Row(2, S),
    (S, Event.SILENCE_ENDED): Row(3, V, sounds=True),
    (V, Event.ACKNOWLEDGE): Row(4, A),
    (S, Event.ACKNOWLEDGE): Row(4, A),
    (V, Event.TRANSFER): Row(6, O),
    (S, Event.TRANSFER): Row(6, O),
    (O, Event.HAND_BACK): Row(7, V, sounds=True),
    (A, Event.CONDITION_FALSE): Row(8, N),
    (O, Event.CONDITION_FALSE): Row(8, N),
    (V, Event.CONDITION_FALSE): Row(9, U),
    (S, Event.CONDITION_FALSE): Row(9, U),
    (U, Event.ACKNOWLEDGE): Row(10, N),
    (U, Event.CONDITION_TRUE): Row(11, V, sounds=True),
}
TABLE: Final[dict[Priority, dict[tuple[State, Event], Row]]] = {
    Priority.ALARM: {
        **_OF_BOTH,
        (V, Event.ESCALATE): Row(14, V, sounds=True, escalates=True),
    },
    Priority.WARNING: {
        **_OF_BOTH,
        (V, Event.REPEAT): Row(12, V, sounds=True, escalates=True),
        (V, Event.PROMOTE): Row(13, V, sounds=True, escalates=True, promotes=True),
    },
    Priority.CAUTION: {
        (N, Event.CONDITION_TRUE): Row(1, A),
        (A, Event.CONDITION_FALSE): Row(8, N),
    },
}
"""What is not here is refused (row 5) or changes nothing (row 15)."""
TO_ACKNOWLEDGE: Final = frozenset(of for of, event in _OF_BOTH if event is Event.ACKNOWLEDGE)
"""States that wait to be acknowledged, also where the condition is over."""
TO_TRANSFER: Final = frozenset(of for of, event in _OF_BOTH if event is Event.TRANSFER)
"""States that wait for it while the condition stands: another function may take over."""

WORDS: Final = {
    N: "normal",
    V: "active – unacknowledged",
    S: "active – silenced",
    A: "active – acknowledged",
    O: "active – responsibility transferred",
    U: "rectified – unacknowledged",
}


def step(state: State, priority: Priority, event: Event) -> Row | None:
    """Return the row that applies; None where the event changes nothing and a command is refused."""
    return TABLE[priority].get((state, event))


def next_revision(revision: int) -> int:
    """Return the revision after this one: 1 to 99, then 1 again."""
    return revision % LAST_REVISION + 1


def next_escalation(escalation: int) -> int:
    """Return the escalation after this one: 0 to 9, then 1 again; 0 means never escalated."""
    return 1 if escalation >= LAST_ESCALATION else escalation + 1


def words(state: State, priority: Priority) -> str:
    """Return the state as an officer reads it."""
    if priority is Priority.CAUTION and state is A:
        return "active"
    return WORDS[state]
