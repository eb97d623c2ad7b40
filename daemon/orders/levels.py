"""At which security level is the ship? Told, acknowledged, in force; and the port's level beside it.

A ship acknowledges a change to level 2 or 3, and says when the measures of its plan are in force (ISPS A/7.5, A/7.6).
Her level is never below that of the port that she is in (SOLAS XI-2/4.3); where it is, people are told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.alerts.alert import Source
from daemon.errors import RefusedError
from daemon.model import Situation
from daemon.orders import times
from daemon.orders.ordering import kind_of_level
from daemon.people import authority
from daemon.people.authority import COMMAND, Act
from daemon.ship.ordered import LevelCommand
from daemon.testing.worklist import Item, ItemState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Mapping

    from daemon.model import Json, SecurityLevel
    from daemon.orders.ordering import Ordering
    from daemon.people.claims import By
    from daemon.record.entry import Entry

NOT_IN_FORCE: Final = "level.not_in_force"
BELOW_PORT: Final = "level.below_port"
SHIP: Final = Source("ispsd", "SHIP", "ispsd")
NOBODY_TOLD: Final = "who told the ship is wanted: flag, port facility, company"


class Levels:
    """Carries out what is ordered about security levels, and says what is still owed."""

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering
        self._ship = ordering.ship

    def level(
        self, level: SecurityLevel, by: By, *, told_by: str, notified: str | None = None
    ) -> asyncio.Future[Entry]:
        """Set the security level; an officer may raise it at once, only SSO and Master lower it.

        Who tells her once more of the level that she is at puts off nothing: its hour runs from when she took it.

        Args:
            level: The new one.
            by: Who sets it; with that the ship has acknowledged it.
            told_by: Who told the ship.
            notified: When, as ``02:10Z``, within the last day (``times.last``); None where nobody noted it.

        Raises:
            RefusedError: The person may not, nobody is named who told, or there is no such time.
        """
        by.must_be(authority.roles(Act.LEVEL), "set the security level")
        if level < self._ship.level:
            by.must_be(COMMAND, "lower the security level")
        if not told_by:
            raise RefusedError(NOBODY_TOLD)
        now_s, now_utc = self._ordering.clock.now_s(), self._ordering.clock.utc()
        notified_utc = None if notified is None else times.last(notified, now_utc)
        before, known = self._ship.level, self._ship.level_command
        command = LevelCommand(level, told_by, now_utc, now_s, notified_utc)
        if known is not None and level is before:
            command = replace(known, told_by=told_by, notified_utc=notified_utc)
        else:
            # Measures of this level are owed from now on, whatever was owed before: that is over before the new level
            # counts, or its alert would go on at the new level's priority, without the new level's hour.
            self._ordering.watch.engine.condition(NOT_IN_FORCE, SHIP, active=False, now_s=now_s)
            self._ordering.watch.advance()
        self._ship.level, self._ship.level_command = level, command
        self.look()
        said: Mapping[str, Json] = {
            "from": int(before),
            "to": int(level),
            "told_by": told_by,
            "notified": None if notified_utc is None else forms.utc(notified_utc),
            "acknowledged": forms.utc(command.acknowledged_utc),
        }
        return self._ordering.ordered("level.changed", by, said, kind=kind_of_level(by))

    def in_force(self, level: SecurityLevel | None, by: By) -> asyncio.Future[Entry]:
        """Say that the measures of the level that the ship is at are in force; None: whichever that is.

        Raises:
            RefusedError: The person may not, she is at another level, or somebody has said so already.
        """
        by.must_be(authority.roles(Act.IN_FORCE), Act.IN_FORCE.value)
        command = self._ship.level_command
        if level not in {None, self._ship.level}:
            raise RefusedError(f"the ship is at security level {self._ship.level}, not {level}")
        if command is None:
            raise RefusedError("the security level has not been changed: nothing is to be said")
        if command.in_force_utc is not None:
            raise RefusedError(f"in force since {command.in_force_utc:%H%M} UTC already")
        now_utc = self._ordering.clock.utc()
        self._ship.level_command = replace(command, in_force_utc=now_utc)
        self.look()
        said: Mapping[str, Json] = {
            "level": int(self._ship.level),
            "told_by": command.told_by,
            "notified": None if command.notified_utc is None else forms.utc(command.notified_utc),
            "acknowledged": forms.utc(command.acknowledged_utc),
            "in_force": forms.utc(now_utc),
        }
        return self._ordering.ordered("level.in_force", by, said, kind=kind_of_level(by))

    def port_level(self, level: SecurityLevel, by: By, *, told_by: str) -> asyncio.Future[Entry]:
        """Enter the security level of the port; at sea it is forgotten.

        Raises:
            RefusedError: The person may not, nobody is named who told, or she is at sea.
        """
        by.must_be(authority.roles(Act.PORT_LEVEL), Act.PORT_LEVEL.value)
        if not told_by:
            raise RefusedError(NOBODY_TOLD)
        if self._ship.situation is Situation.SEA:
            raise RefusedError("at sea there is no port whose level counts")
        before, self._ship.port_level = self._ship.port_level, level
        self.look()
        said: Mapping[str, Json] = {
            "from": None if before is None else int(before),
            "to": int(level),
            "ship": int(self._ship.level),
            "told_by": told_by,
        }
        return self._ordering.ordered("port_level.changed", by, said, kind=kind_of_level(by))

    def look(self) -> None:
        """Say what is owed: measures that nobody said are in force, a level below the port's."""
        engine, now_s = self._ordering.watch.engine, self._ordering.clock.now_s()
        command, port, level = self._ship.level_command, self._ship.port_level, self._ship.level
        owed = self.owed()
        detail = ""
        if owed and command is not None:
            detail = f"level {level}, told by {command.told_by}"
        # The catalogue's hour runs from the change, also over a restart.
        since_s = command.set_s if owed and command is not None else now_s
        engine.condition(NOT_IN_FORCE, SHIP, active=owed, now_s=since_s, detail=detail)
        is_below = self._ship.situation is Situation.PORT and port is not None and level < port
        detail = f"port at level {port}, ship at {level}" if is_below else ""
        engine.condition(BELOW_PORT, SHIP, active=is_below, now_s=now_s, detail=detail)

    def owed(self) -> bool:
        """Return whether measures of level 2 or 3 are not said to be in force."""
        command = self._ship.level_command
        return command is not None and command.is_owed

    def to_do(self) -> Iterator[Item]:
        """Yield the measures that are owed."""
        command = self._ship.level_command
        if command is not None and self.owed():
            text = (
                f"SECURITY LEVEL {command.level}: told by {command.told_by}; say when its measures "
                "are in force: ispsd level in-force"
            )
            yield Item("level", "ship", text, ItemState.DUE, command.acknowledged_utc, None)
