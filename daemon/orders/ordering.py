"""What has every order at hand? The watch that it counts for, the openings that it may name, where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.errors import RefusedError
from daemon.model import Classification, OpeningKind
from daemon.people import authority
from daemon.people.authority import COMMAND, Act
from daemon.record.entry import Draft

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping

    from daemon.alerts.policy import Policy
    from daemon.computer.clock import Clock
    from daemon.model import DoorClass, Json, Opening
    from daemon.people.claims import By
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal
    from daemon.watch.watch import Watch

OFFICERS = authority.roles(Act.SITUATION)
MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
HOUR_MIN: Final = 60
PERMITTED: Final = frozenset({OpeningKind.DOOR, OpeningKind.SIDE_DOOR})
"""What is opened under a permit: a side door too, though its own system watches it."""


class Ordering:
    """The parts of the ship that orders work on."""

    def __init__(
        self,
        *,
        watch: Watch,
        openings: Iterable[Opening],
        clock: Clock,
        journal: Journal,
        policy: Policy | None = None,
    ) -> None:
        """Put the parts together; without a ``policy`` nobody can tell what an order relaxes."""
        self.watch = watch
        self.ship = watch.ship
        self.openings = {o.id: o for o in openings}
        self.doors = {o.id: o for o in self.openings.values() if o.kind in PERMITTED}
        self.policy = policy
        self.clock = clock
        self.journal = journal

    def door(self, door: str) -> Opening:
        """Return a door.

        Raises:
            RefusedError: There is none of that id.
        """
        try:
            return self.doors[door]
        except KeyError:
            raise RefusedError(f"there is no door {door!r}") from None

    def door_class(self, id_: str) -> DoorClass | None:
        """Return the class of a door, by its id or by that of its lock; None for what is none."""
        opening = self.openings.get(id_)
        if opening is not None and opening.of is not None:
            opening = self.openings.get(opening.of)
        return None if opening is None else opening.door_class

    def ordered(
        self,
        type_: str,
        by: By,
        said: Mapping[str, Json],
        *,
        subject: str = "ship",
        kind: str = "system",
    ) -> asyncio.Future[Entry]:
        """Let an order count at once, then write it."""
        self.watch.reconsider()
        return self.journal.submit(
            Draft(
                kind=kind,
                type=type_,
                subject=subject,
                classification=Classification.WATCH,
                actor=by.actor(),
                open=said,
            )
        )


def kind_of_level(by: By) -> str:
    """Return the kind of an entry on security levels: A/10.1.4 wants the SSO or the Master by name."""
    return ".4" if by.person.roles & COMMAND else "system"
