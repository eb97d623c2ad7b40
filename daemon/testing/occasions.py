"""What has happened, as the record tells it, that makes tests due; and how careful the ship had to be since when?

Read from the entries of a few types, at the start and as they are written, so that no restart moves a due date.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon.checks import intervals
from daemon.checks.asking import Event
from daemon.model import SecurityLevel, Situation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from daemon.checks.api import CheckConfig
    from daemon.model import Json, Regime

SITUATION, LEVEL, THREAT = "situation.changed", "level.changed", "threat.changed"
STARTED, REPLACED, BACK = "daemon.started", "unit.replaced", "out_of_service.ended"
TYPES: Final = (SITUATION, LEVEL, THREAT, STARTED, REPLACED, BACK)
"""The entries that tell of it."""
MOST: Final = 400
"""Entries of a type that are looked at; of what lies further back the tests were done, or are overdue anyway."""
MOST_STARTS: Final = 10_000
"""Starts that are looked at: most tell of no change, and a computer that restarts all the time writes many."""
BERTHED: Final = frozenset({Situation.PORT, Situation.ANCHOR, Situation.YARD})


_RUNS: Final = {"software": Event.SOFTWARE, "ship": Event.SHIP, "flag": Event.FLAG}
"""What a start says of itself, and the event that another word than at the start before is."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event.

    Attributes:
        of: The equipment, devices and points that it is about; none: the ship.
    """

    event: Event
    at_utc: datetime
    of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """What the ship was doing from a moment on; None: as far back as is known."""

    since_utc: datetime | None
    situation: Situation
    level: SecurityLevel


@dataclass(slots=True)
class Occasions:
    """What has happened so far, the oldest first."""

    happened: list[Happened] = field(default_factory=list)
    _changes: list[tuple[datetime, Situation | SecurityLevel]] = field(default_factory=list)
    """When situation or level changed, and what it was before."""
    _runs: Mapping[str, Json] | None = None
    """What the newest start said of ship and software."""

    def take(self, type_: str, said: Mapping[str, Json], at_utc: datetime) -> tuple[Happened, ...]:
        """Take an entry, which is newer than those before; return what it tells of."""
        match type_:
            case "situation.changed":
                found = self._moved(str(said["from"]), str(said["to"]), at_utc)
            case "level.changed":
                found = self._level(said, at_utc)
            case "threat.changed":
                found = (Happened(Event.THREAT, at_utc),) if said.get("on") is True else ()
            case "daemon.started":
                found = self._started(said, at_utc)
            case "unit.replaced":
                found = (Happened(Event.REPAIR, at_utc, _unit(said)),)
            case "out_of_service.ended":
                of = frozenset({str(said["equipment"])}) if "equipment" in said else frozenset()
                found = (Happened(Event.REPAIR, at_utc, of),) if of else ()
            case _:
                found = ()
        self.happened += found
        del self.happened[: -MOST * len(TYPES)]
        return found

    def newest(self, config: CheckConfig, concerns: Collection[str]) -> Happened | None:
        """Return the newest event that makes a test due; ``concerns`` is what the test is about."""
        return max(
            (
                each
                for each in self.happened
                if each.event in config.after and (not each.of or each.of & set(concerns))
            ),
            key=lambda each: each.at_utc,
            default=None,
        )

    def held(self, now: Regime) -> Iterator[Held]:
        """Yield what the ship was doing, the newest first."""
        situation, level = now.situation, now.level
        for at_utc, before in reversed(self._changes):
            yield Held(at_utc, situation, level)
            if isinstance(before, Situation):
                situation = before
            else:
                level = before
        yield Held(None, situation, level)

    def stands_utc(self, config: CheckConfig, now: Regime) -> datetime | None:
        """Return since when a test has been asked for at least as often as it is now; None: as far back as is known."""
        often = intervals.usual_days(config.every_at(now.situation, now.level))
        since_utc = None
        for held in self.held(now):
            if intervals.usual_days(config.every_at(held.situation, held.level)) > often:
                return since_utc
            since_utc = held.since_utc
        return None

    def _moved(self, before: str, after: str, at_utc: datetime) -> tuple[Happened, ...]:
        if before == after:
            return ()
        self._changed(at_utc, Situation(before))
        was_berthed, is_berthed = Situation(before) in BERTHED, Situation(after) in BERTHED
        if was_berthed == is_berthed:
            return ()
        return (Happened(Event.ARRIVAL if is_berthed else Event.DEPARTURE, at_utc),)

    def _level(self, said: Mapping[str, Json], at_utc: datetime) -> tuple[Happened, ...]:
        before = said["from"]
        if before == said["to"] or not isinstance(before, int):
            return ()
        self._changed(at_utc, SecurityLevel(before))
        return (Happened(Event.LEVEL, at_utc),)

    def _changed(self, at_utc: datetime, before: Situation | SecurityLevel) -> None:
        self._changes.append((at_utc, before))
        del self._changes[: -2 * MOST]

    def _started(self, said: Mapping[str, Json], at_utc: datetime) -> tuple[Happened, ...]:
        before, self._runs = self._runs, said
        if before is None:
            return ()
        return tuple(
            Happened(event, at_utc)
            for name, event in _RUNS.items()
            # Versions before this one did not say all of it.
            if before.get(name) is not None
            and said.get(name) is not None
            and before[name] != said[name]
        )


def in_order(moments: Sequence[datetime], *, now_utc: datetime, doubt: timedelta) -> list[datetime]:
    """Return when entries were written, as far as a wrong clock can be told by their order, the oldest first.

    One that lies ahead of now, or long before an earlier one, was written no later than the next that does not.
    Where that errs a test is asked for that was done already, and none is forgotten.
    """
    newest: datetime | None = None
    found: list[datetime | None] = []
    for at_utc in moments:
        is_odd = at_utc > now_utc + doubt or (newest is not None and at_utc < newest - doubt)
        found.append(None if is_odd else at_utc)
        newest = newest if is_odd else at_utc
    later_utc = now_utc
    ordered: list[datetime] = []
    for each in reversed(found):
        later_utc = each or later_utc
        ordered.append(later_utc)
    return ordered[::-1]


def _unit(said: Mapping[str, Json]) -> frozenset[str]:
    contacts = said.get("contacts")
    points = [str(each["point"]) for each in contacts] if isinstance(contacts, list) else []
    return frozenset({str(said["device"]), *points})
