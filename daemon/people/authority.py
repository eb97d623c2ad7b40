"""Who may do what? The table of acts by role, as it hangs in the ship's office.

Source: the ship's own order of duties as in ISPS A/12 (SSO) and A/6.1 (Master); companies change it in their SSP.
CSO and port state control do nothing on board: they have no column here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from daemon.model import DoorClass, Person, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR_MIN: Final = 60


class Act(StrEnum):
    """What is done, in the words of a refusal: *may not …*."""

    # To the record
    ENTER = "make an entry in the security record"
    AMEND = "amend an entry"
    ATTACH = "attach a file to an entry"
    REVIEW = "review the record"
    VERIFY = "verify the record"
    EXPORT = "export the record"
    CREW = "change the crew list"
    SEGMENT = "begin a new segment"
    KEY = "change the key of the record"
    READ = "read what is for SSO and Master"

    # To people
    RESET_PIN = "reset a person's PIN"
    HAND_OVER = "hand over the duty of SSO or Master"
    ENVELOPE = "make the sealed envelope"

    # On the watch
    ACKNOWLEDGE = "acknowledge an alert"
    SILENCE = "silence what sounds"
    VISITOR_VIEW = "set the visitor view"
    CURTAIN_DOWN = "let the curtain down"
    CURTAIN_UP = "raise the curtain"
    PERMIT = "give a permit"
    INHIBIT = "inhibit an alert"
    OUT_OF_SERVICE = "take equipment out of service"
    SITUATION = "set the situation"
    THREAT = "enter or leave a threat area"
    LEVEL = "set the security level"
    SHIP_TIME = "change ship's time"
    IN_FORCE = "say that measures are in force"
    PORT_LEVEL = "enter the port's security level"
    BLACKOUT = "plan a blackout"
    AIS_OFF = "enter the Master's order"
    INTERFERENCE = "enter a known GNSS interference area"

    # Tests
    START_TEST = "start a test"
    WITNESS_TEST = "confirm a test as its witness"
    ABORT_TEST = "abort a test that another has begun"
    NOT_DONE = "say that a test is not done"
    LOOP_CHECK = "start a loop check"
    NOTICE = "enter the notice of an SSAS test"
    WINDOW = "open the SSAS test window"
    START_SSAS = "start an SSAS test"
    WITNESS_SSAS = "confirm an SSAS test as its second person"


class Ask(IntEnum):
    """What an act asks for beside a name, the least first."""

    NOTHING = 0
    PIN = 1
    SIGNATURE = 2
    """The PIN, with which the person's own key signs what is entered."""


class Only(StrEnum):
    """What a *yes* of the table is limited to, the words of a refusal behind *may …*."""

    MACHINERY = "only for the doors of manned machinery spaces"
    ENGINE_SPACES = "only for the doors of machinery and vital spaces"
    OWN_WORK = "only for his own work"
    OWN_DOORS = "only for the doors of machinery and vital spaces, one by one"
    IN_THREAT = "only in a threat area or at security level 2 or 3"
    PIN_OUTSIDE_THREAT = "without a PIN only in a threat area or at security level 2 or 3"
    PROPOSES = "only propose it"
    MASTER_TOO = "for vital spaces and SSAS only with the Master"
    ASKED_TWICE = "what relaxes the watch only when asked twice"
    RAISE = "only raise it"
    LEVELS_1_AND_2 = "only at security level 1 and 2"
    HELPS = "only help"
    BOTH = "only with both PINs"
    AGREES = "only agree to it"
    OTHERS = "only of others"
    OF_THE_SSO = "only of the SSO; the Master's own is in the sealed envelope"


@dataclass(frozen=True, slots=True)
class Cell:
    """A *yes* of the table; where there is none, it is *no*.

    Attributes:
        limit_min: For how long at most, in minutes.
        only: What it is limited to.
    """

    ask: Ask = Ask.NOTHING
    limit_min: int | None = None
    only: Only | None = None


OFFICER, GANGWAY, ENGINEER, ETO = Role.OFFICER, Role.GANGWAY, Role.ENGINEER, Role.ETO
SSO, DEPUTY, MASTER = Role.SSO, Role.DEPUTY_SSO, Role.MASTER
COMMAND: Final = frozenset({SSO, MASTER})
ASHORE: Final = frozenset({Role.CSO, Role.PSC})
"""Who reads and receives, and does nothing on board."""
HANDED_OVER: Final = {"sso": Role.SSO, "master": Role.MASTER}
"""Duties that one person hands over to another, by the word of a request."""
ENGINE_DOORS: Final = frozenset({DoorClass.MACHINERY, DoorClass.VITAL})

YES: Final = Cell()
PIN: Final = Cell(Ask.PIN)
SIGNED: Final = Cell(Ask.SIGNATURE)
_HELPS: Final = Cell(only=Only.HELPS)
_IN_THREAT: Final = Cell(only=Only.IN_THREAT)
_WATCH: Final = {OFFICER: YES, GANGWAY: YES, ENGINEER: YES, SSO: YES, MASTER: YES}


def at_his_post(person: Person, *, has_watch: bool) -> Person:
    """Return whom the table knows: who was given no duty, and has the watch, is the watch that it names."""
    if has_watch and not person.roles:
        return replace(person, roles=frozenset({Role.GANGWAY}))
    return person


def _command(cell: Cell) -> dict[Role, Cell]:
    return {SSO: cell, MASTER: cell}


TABLE: Final[Mapping[Act, Mapping[Role, Cell]]] = MappingProxyType(
    {
        Act.ENTER: _command(PIN),
        Act.AMEND: _command(SIGNED),
        Act.ATTACH: {OFFICER: PIN, ETO: PIN, **_command(PIN)},
        Act.REVIEW: {SSO: SIGNED},
        Act.VERIFY: {MASTER: SIGNED},
        Act.EXPORT: _command(SIGNED),
        Act.CREW: _command(PIN),
        Act.SEGMENT: _command(SIGNED),
        Act.KEY: _command(SIGNED),
        # No row of the paper: whom the plan names to stand in for the SSO reads what the SSO reads.
        Act.READ: {DEPUTY: PIN, **_command(PIN)},
        Act.RESET_PIN: {
            SSO: Cell(Ask.PIN, only=Only.OTHERS),
            MASTER: Cell(Ask.PIN, only=Only.OF_THE_SSO),
        },
        Act.HAND_OVER: _command(SIGNED),
        Act.ENVELOPE: {MASTER: PIN},
        Act.ACKNOWLEDGE: {**_WATCH, ENGINEER: Cell(only=Only.MACHINERY)},
        Act.SILENCE: _WATCH,
        Act.VISITOR_VIEW: _WATCH,
        Act.CURTAIN_DOWN: {
            OFFICER: Cell(only=Only.PIN_OUTSIDE_THREAT),
            GANGWAY: _IN_THREAT,
            ENGINEER: _IN_THREAT,
            **_command(PIN),
        },
        Act.CURTAIN_UP: {OFFICER: PIN, **_command(PIN)},
        Act.PERMIT: {
            OFFICER: Cell(limit_min=60),
            ENGINEER: Cell(limit_min=60, only=Only.ENGINE_SPACES),
            ETO: Cell(limit_min=60, only=Only.OWN_WORK),
            **_command(Cell(limit_min=12 * HOUR_MIN)),
        },
        Act.INHIBIT: {
            OFFICER: Cell(limit_min=60, only=Only.LEVELS_1_AND_2),
            **_command(Cell(limit_min=8 * HOUR_MIN, only=Only.LEVELS_1_AND_2)),
        },
        Act.OUT_OF_SERVICE: {
            ETO: Cell(only=Only.PROPOSES),
            SSO: Cell(only=Only.MASTER_TOO),
            MASTER: YES,
        },
        Act.SITUATION: {OFFICER: Cell(only=Only.ASKED_TWICE), **_command(YES)},
        Act.THREAT: {OFFICER: Cell(only=Only.ASKED_TWICE), **_command(YES)},
        Act.LEVEL: {OFFICER: Cell(only=Only.RAISE), **_command(YES)},
        Act.SHIP_TIME: {OFFICER: YES, **_command(YES)},
        Act.AIS_OFF: {OFFICER: YES, **_command(YES)},
        # No rows of the paper: its alert table names SSO and OOW, and the Master may what they may. Who raises the
        # level says what came of it, and who has the bridge answers for a blackout.
        Act.INTERFERENCE: {OFFICER: YES, **_command(YES)},
        Act.IN_FORCE: {OFFICER: YES, **_command(YES)},
        Act.PORT_LEVEL: {OFFICER: YES, **_command(YES)},
        Act.BLACKOUT: {OFFICER: YES, **_command(YES)},
        Act.START_TEST: {
            OFFICER: PIN,
            GANGWAY: _HELPS,
            ENGINEER: Cell(only=Only.OWN_DOORS),
            ETO: YES,
            # Where an officer is asked for his PIN, so are these: nobody gets further by typing another's name.
            **_command(PIN),
        },
        # No rows of the paper. Whoever is asked for his PIN to start a test is asked for it to confirm one, so that one
        # person is no two; whoever began a test breaks it off by his name alone.
        Act.WITNESS_TEST: {
            OFFICER: PIN,
            GANGWAY: YES,
            ENGINEER: YES,
            ETO: YES,
            **_command(PIN),
        },
        Act.ABORT_TEST: _command(PIN),
        Act.NOT_DONE: _command(PIN),
        Act.LOOP_CHECK: {
            OFFICER: Cell(only=Only.AGREES),
            ETO: YES,
            **_command(YES),
        },
        Act.NOTICE: _command(PIN),
        Act.WINDOW: {ETO: _HELPS, **_command(Cell(Ask.PIN, only=Only.BOTH))},
        # Behind a window that two persons opened with their PINs.
        Act.START_SSAS: {DEPUTY: YES, **_command(YES)},
        # Whoever it is, with his PIN: a name alone the tester could type himself.
        Act.WITNESS_SSAS: {
            OFFICER: PIN,
            ENGINEER: PIN,
            ETO: PIN,
            DEPUTY: PIN,
            **_command(PIN),
        },
    }
)
INSISTS: Final = frozenset(
    {
        *(Act.WINDOW, Act.WITNESS_SSAS, Act.REVIEW, Act.VERIFY, Act.EXPORT, Act.KEY, Act.READ),
        *(Act.RESET_PIN, Act.HAND_OVER, Act.ENVELOPE),
    }
)
"""What nobody does on a ship without PINs; what merely asks for a PIN goes on there, without proof."""


def roles(act: Act) -> frozenset[Role]:
    """Return who may do it, perhaps within limits; helping is not doing."""
    return frozenset(
        role
        for role, cell in TABLE[act].items()
        if cell.only not in {Only.HELPS, Only.PROPOSES, Only.AGREES}
    )


def cell(act: Act, held: frozenset[Role], *, on_guard: bool = False) -> Cell | None:
    """Return the best *yes* of a person's roles; None where all of them say *no*.

    With ``on_guard`` she is in a threat area, or at security level 2 or 3.
    """
    found = [_now(said, on_guard=on_guard) for role, said in TABLE[act].items() if role in held]
    return max((said for said in found if said is not None), key=_freedom, default=None)


def _now(said: Cell, *, on_guard: bool) -> Cell | None:
    """Return what a cell says that hangs on a threat."""
    match said.only:
        case Only.IN_THREAT:
            return replace(said, only=None) if on_guard else None
        case Only.PIN_OUTSIDE_THREAT:
            return replace(said, only=None) if on_guard else PIN
        case _:
            return said


def cells(act: Act, held: frozenset[Role]) -> list[Cell]:
    """Return every *yes* of a person's roles, the best first."""
    found = [said for role, said in TABLE[act].items() if role in held]
    return sorted(found, key=_freedom, reverse=True)


def _freedom(said: Cell) -> tuple[bool, bool, int, int]:
    """Return how little a cell limits: helping last, then what is limited, then how long, then what it asks for."""
    helps = said.only in {Only.HELPS, Only.PROPOSES, Only.AGREES}
    return not helps, said.only is None, said.limit_min or 0, -said.ask
