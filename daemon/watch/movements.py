"""How often was each door used today? Counted beside the record, written as one entry a ship's day.

Door movements without an alert are no entries (they would flood the record, and crew have a right not to be followed):
only counts per door with first and last time, class ``sso``, at ship's midnight and when ispsd stops. After a restart
the day's counts go on from there; what a power cut takes away needs another use of the door. Of what else moves in
service, such as a lock, only when it moved last is kept: a contact that never does may be stuck.

Clocks that are retarded after midnight show the end of yesterday again: the day that has begun goes on, as the check
does that rests on its counts (``daemon.testing.conduct``). A clock that was wrong by more than a day goes back; then a
day goes on from what was counted in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.checks.api import Movement, counts_as_evidence
from daemon.model import Classification, ContactState, Provenance
from daemon.record.entry import Draft
from daemon.record.waiting import let_go
from daemon.testing import schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, timezone

    from daemon.computer.clock import Clock
    from daemon.model import Json, Reading
    from daemon.points.inbox import Inboxes
    from daemon.record.journal import Journal

COUNTED = "doors.counted"
LOOK_S: Final = 30.0
"""The calendar is asked again so often, in seconds: somebody may step the clock."""
ONE_DAY: Final = timedelta(days=1)
"""No change of ship's time brings a date back by more."""
MOST_DAYS: Final = 3
"""Days before this one whose counts are remembered."""
_CLEAR = frozenset({ContactState.CLOSED, ContactState.OPEN})


class Door:
    """What one door did in a day; pure."""

    def __init__(self, moved: Movement | None = None) -> None:
        self.moved = moved or Movement()
        self._state: ContactState | None = None
        self._is_away = False

    def take(self, reading: Reading, *, counts: bool) -> None:
        """Take what its contact says; a cycle is leaving a state and coming back to it, seen all the while."""
        state = reading.value if counts and isinstance(reading.value, ContactState) else None
        if state not in _CLEAR:
            if self._state is not None:
                self.moved = replace(self.moved, faults=self.moved.faults + 1)
            self._state, self._is_away = None, False
            return
        before, self._state = self._state, state
        if before is None or before is state:
            return
        self.moved = replace(
            self.moved,
            cycles=self.moved.cycles + self._is_away,
            first_utc=self.moved.first_utc or reading.received_utc,
            last_utc=reading.received_utc,
        )
        self._is_away = not self._is_away

    def count_from(self, moved: Movement) -> None:
        """Count for another day, in which it has moved so far like this; how it stands goes on."""
        self.moved = moved


class Movements:
    """Counts the movements of doors."""

    def __init__(
        self,
        doors: Iterable[str],
        *,
        others: Iterable[str] = (),
        demo: bool,
        ship_time: Callable[[], timezone],
        clock: Clock,
        inboxes: Inboxes,
        journal: Journal,
    ) -> None:
        self._doors = {door: Door() for door in doors}
        self._others = {other: Door() for other in others}
        self._demo = demo
        self._ship_time = ship_time
        self._clock = clock
        self._inboxes = inboxes
        self._journal = journal
        self._day = self._today()
        self._before: dict[date, dict[str, Movement]] = {}
        self._moved: dict[str, datetime] = {}

    def moved_utc(self, point: str) -> datetime | None:
        """Return when a door, or what else is followed, moved last, as far as this was ever seen."""
        return self._moved.get(point)

    def take_up(self, body: Mapping[str, Json] | None) -> None:
        """Go on from the newest ``doors.counted`` of the record, where it is of a day that is not over."""
        self._day = self._today()
        if body is None:
            return
        for point, at in _moved_in(body.get("moved")):
            if point in self._doors or point in self._others:
                self._moved[point] = forms.from_utc(at)
        if body["day"] not in {str(self._day), str(self._day + ONE_DAY)}:
            return
        self._day = date.fromisoformat(str(body["day"]))
        doors = body["doors"]
        for said in doors if isinstance(doors, list) else ():
            if isinstance(said, dict) and said.get("door") in self._doors:
                self._doors[str(said["door"])] = Door(_from_entry(said))

    def of_day(self, day: date) -> dict[str, Movement] | None:
        """Return what moved in a ship's day; None where that is long ago."""
        return self._counted() if day == self._day else self._before.get(day)

    async def answer(self, _: Mapping[str, object]) -> Mapping[str, Json]:
        """Return what moved today so far."""
        return {"day": str(self._day), "doors": self._used()}

    async def run(self) -> None:
        """Count until cancelled; write at each midnight, and at the end."""
        with self._inboxes.listen((*self._doors, *self._others)) as inbox:
            try:
                while True:
                    now_s = self._clock.now_s()
                    ends = schedule.day_after(self._local(), ship_time=self._ship_time())
                    left_s = (ends - self._clock.utc()).total_seconds()
                    reading = await inbox.next(until_s=now_s + min(LOOK_S, max(left_s, 0.0)))
                    if self._is_over():
                        self._turn()
                    if reading is not None:
                        # What a loop check moves on purpose is no use in service.
                        counts = (
                            counts_as_evidence(reading, demo=self._demo)
                            and reading.provenance is not Provenance.TEST
                        )
                        self._take(reading, counts=counts)
            except asyncio.CancelledError:
                others = (other.moved for other in self._others.values())
                if any(moved != Movement() for moved in (*self._counted().values(), *others)):
                    self._write()
                raise

    def _take(self, reading: Reading, *, counts: bool) -> None:
        door = self._doors.get(reading.point) or self._others[reading.point]
        door.take(reading, counts=counts)
        if door.moved.last_utc is not None:
            self._moved[reading.point] = door.moved.last_utc

    def _turn(self) -> None:
        """Write the day that is over and begin the next."""
        self._write()
        self._before[self._day] = self._counted()
        self._day = self._today()
        counted = self._before.pop(self._day, {})
        while len(self._before) > MOST_DAYS:
            del self._before[next(iter(self._before))]
        for id_, each in (*self._doors.items(), *self._others.items()):
            each.count_from(counted.get(id_, Movement()))

    def _is_over(self) -> bool:
        today = self._today()
        return today > self._day or self._day - today > ONE_DAY

    def _counted(self) -> dict[str, Movement]:
        return {id_: door.moved for id_, door in self._doors.items()}

    def _used(self) -> list[Json]:
        return [
            {
                "door": id_,
                "cycles": moved.cycles,
                "faults": moved.faults,
                "first": None if moved.first_utc is None else forms.utc(moved.first_utc),
                "last": None if moved.last_utc is None else forms.utc(moved.last_utc),
            }
            for id_, moved in self._counted().items()
            if moved != Movement()
        ]

    def _write(self) -> None:
        draft = Draft(
            kind="system",
            type=COUNTED,
            subject="doors",
            classification=Classification.SSO,
            open={
                "day": str(self._day),
                "doors": self._used(),
                # A list: an id, as d05.lock or bridge-inner, may have what no key of an entry has.
                "moved": [
                    {"point": point, "at": forms.utc(at)} for point, at in self._moved.items()
                ],
            },
        )
        let_go(self._journal.submit(draft))

    def _local(self) -> datetime:
        return self._clock.utc().astimezone(self._ship_time())

    def _today(self) -> date:
        return self._local().date()


def _moved_in(said: Json) -> Iterator[tuple[str, str]]:
    """Yield when each point moved last, as an entry has it; older ones have a table."""
    if isinstance(said, Mapping):
        yield from ((point, at) for point, at in said.items() if isinstance(at, str))
    for each in said if isinstance(said, list) else ():
        if isinstance(each, dict) and isinstance(at := each.get("at"), str):
            yield str(each.get("point")), at


def _from_entry(said: Mapping[str, Json]) -> Movement:
    cycles, faults = said["cycles"], said["faults"]
    first, last = said["first"], said["last"]
    return Movement(
        cycles if isinstance(cycles, int) else 0,
        faults if isinstance(faults, int) else 0,
        forms.from_utc(first) if isinstance(first, str) else None,
        forms.from_utc(last) if isinstance(last, str) else None,
    )
