"""Answer for the equipment test log: a sheet of rows, or one test with its evidence, of the record that is written now.

Nothing of it scans the record: the index of the record leads to the rows, and every answer is bounded.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from daemon import forms
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.papers import glance
from daemon.papers.beside import Ship
from daemon.papers.particulars import Particulars
from daemon.papers.view import View
from daemon.testing.results import MISSED, RESULT
from daemon.testlog import exhibit, past, period, sheet
from daemon.testlog.exhibit import Episode, Kept
from daemon.testlog.sheet import Now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from daemon.acts.requests import Handler
    from daemon.config import Config
    from daemon.model import Json, Person
    from daemon.papers.source import Found
    from daemon.record.log import Record
    from daemon.record.reader import Reader
    from daemon.testing.readiness import Tests

_T = TypeVar("_T")
SHEET: Final = "testlog"
ONE: Final = "testlog.one"
PERIOD: Final = "testlog.period"
PAST: Final = "testlog.past"
WATCHING: Final = "gnss"
"""The kind of the test that watches the receivers all day."""


class TestLog:
    """Answers the pages that show the log."""

    __test__ = False

    def __init__(
        self,
        config: Config,
        *,
        record: Record,
        tests: Tests,
        persons: Callable[[], Iterable[Person]],
        defects: Callable[[], Sequence[object]],
    ) -> None:
        """Touch nothing yet.

        Args:
            config: The ship, and what her tests are called.
            record: What is read.
            tests: Which are overdue now.
            persons: The crew list.
            defects: Those that are open.
        """
        self._config = config
        self._record = record
        self._tests = tests
        self._persons = persons
        self._defects = defects

    def requests(self) -> Mapping[str, Handler]:
        """Return who answers which request of the control socket."""
        return {
            SHEET: self.sheet,
            ONE: self.one,
            PERIOD: self.period,
            PAST: self.past,
        }

    async def sheet(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return a sheet of the log.

        Raises:
            RefusedError: A field that is wrong, or a record that cannot be read.
        """
        asked, now = sheet.read(request), self._now()
        found = await self._read(partial(glance.take, wish=asked.wish(now), ship=self._ship()))
        listed = [] if asked.view is View.PSC else self._equipment()
        return {**await _apart(sheet.told, asked, found, now), "equipment": listed}

    async def one(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return one test with its evidence.

        Raises:
            RefusedError: There is no such test, or the record cannot be read.
        """
        seq = fields.number(request, "seq")
        found = await self._read(partial(glance.one, seq=seq, ship=self._ship()))
        if found is None or found.rows[0].entry.type not in {RESULT, MISSED}:
            raise RefusedError(f"entry {seq} is no test that was done, or missed")
        head = await self._read(lambda reader: reader.head_over(seq))
        kept = await self._kept(found.rows[0])
        episodes = [
            Episode(each, await self._kept(each)) for each in await self._episodes(found.rows[0])
        ]
        try:
            return await _apart(exhibit.shown, found, kept, head, episodes)
        except RecordError as err:  # the head that stands in the file is none
            raise RefusedError(f"entry {seq} cannot be shown: {err}") from err

    async def period(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return what nobody has reviewed yet, and what of it wants looking at.

        Raises:
            RefusedError: The record cannot be read.
        """
        return await _apart(period.told, await self._read(partial(period.read, ship=self._ship())))

    async def past(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return what was tested on which day of a period, and about how long each test takes.

        Raises:
            RefusedError: A period that is none, or the record cannot be read.
        """
        asked, ship = past.period(request), self._ship()
        led = [
            (test.config.id, test.config.equipment)
            for test in self._config.tests
            if not test.spec.continuous or test.spec.lead is not None
        ]
        found = await self._read(lambda reader: past.read(reader, asked, led, ship))
        return await _apart(past.told, found)

    async def _read(self, question: Callable[[Reader], _T]) -> _T:
        """Return what the record says.

        Raises:
            RefusedError: It cannot be read.
        """
        try:
            await self._studied()
            return await self._record.ask(question)
        except RecordError as err:
            raise RefusedError(f"the record cannot be read now: {err}") from err

    async def _episodes(self, found: Found) -> list[Found]:
        """Return the suspect positions of the time in which the receivers were watched."""
        kinds = {test.config.id: test.spec.kind for test in self._config.tests}
        watched = exhibit.watched(found)
        if watched is None or kinds.get(str(found.open.get("test"))) != WATCHING:
            return []
        return await self._read(partial(glance.episodes, period=watched))

    async def _kept(self, found: Found) -> Kept:
        bodies: dict[str, bytes | None] = {}
        faults: dict[str, str] = {}
        for each in exhibit.opened(found):
            try:
                bodies[each.sha256] = await self._record.evidence(each.sha256)
            except RecordError as err:
                faults[each.sha256] = str(err)
        return Kept(bodies, faults)

    async def _studied(self) -> None:
        """Let the index have all entries: after a start it takes a moment, a few milliseconds at a time."""
        while await self._record.study():
            pass

    def _ship(self) -> Ship:
        config = self._config
        return Ship(
            Particulars(
                ship=config.ship.name,
                kinds={test.config.id: test.spec.kind for test in config.tests},
                ranks={each.name: each.rank for each in self._persons()},
            ),
            forms.offset_min(config.ship_time),
        )

    def _now(self) -> Now:
        overdue = set(self._tests.overdue())
        equipment = {test.config.equipment for test in self._config.tests}
        return Now(overdue=overdue, defects=len(self._defects()), equipment=equipment)

    def _equipment(self) -> list[Json]:
        """Return what is tested, for whoever looks for one thing."""
        names: dict[str, str] = {}
        for test in self._config.tests:
            names.setdefault(test.config.equipment, test.config.name)
        return [{"id": id_, "name": name} for id_, name in sorted(names.items())]


async def _apart(tell: Callable[..., dict[str, Json]], *found: object) -> dict[str, Json]:
    """Make an answer apart from the loop: a sheet may be full and evidence long, and alerts do not wait."""
    return await asyncio.to_thread(tell, *found)
