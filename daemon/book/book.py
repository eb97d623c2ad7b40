"""The book as one part of the daemon: its requests, its lines on the worklist, and what keeps both up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.book import defects, duties, registers
from daemon.book.amending import Amending
from daemon.book.attaching import Attaching
from daemon.book.defectlist import DefectList
from daemon.book.desk import Desk
from daemon.book.entering import Entering
from daemon.book.pages import Pages
from daemon.book.retests import Retests
from daemon.book.reviewing import Reviewing
from daemon.book.standing import Standing
from daemon.errors import RecordError
from daemon.model import ClockStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import timezone
    from typing import Any

    from daemon.book.defects import Relied
    from daemon.book.desk import Records
    from daemon.book.forms import Forms
    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.people.people import People
    from daemon.record.entry import Entry
    from daemon.testing.worklist import Item

    Handler = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]

LOOK_S: Final = 60.0
"""How often the calendar is asked."""


class Book:
    """What people write into the record, and what it asks of them."""

    def __init__(
        self,
        forms: Forms,
        *,
        people: People,
        record: Records,
        clock: Clock,
        entropy: Entropy,
        ship_time: Callable[[], timezone],
        first_ship_time: timezone,
        relied: Relied,
        level: Callable[[], int],
        tests: Mapping[str, Sequence[str]] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Put the parts together.

        Args:
            forms: Which there are.
            people: Who may write.
            record: Where it is written.
            clock: When.
            entropy: Names of files on their way in.
            ship_time: Ship's time now.
            first_ship_time: The one that held before anybody changed it.
            relied: Which security levels rely on what.
            level: The ship's security level now.
            tests: Those of the ship's file, with their items; None where nobody knows them.
            on_change: Told when the worklist may be another.
        """
        self._record = record
        self._clock = clock
        self._ship_time = ship_time
        self._on_change = on_change
        self._standing = Standing()
        desk = Desk(people=people, record=record, clock=clock)
        self._relied, self._level = relied, level
        self._retests = Retests(record, self._standing, relied)
        entering = Entering(forms, desk, self._standing, tests, ship_time)
        self._list = DefectList(desk, self._standing, relied)
        attaching = Attaching(desk, entropy)
        reviewing = Reviewing(desk, self._standing)
        pages = Pages(record, first_ship_time)
        self.requests: Mapping[str, Handler] = {
            "log": pages.answer,
            "entry": pages.one,
            "forms": entering.list_forms,
            "enter": entering.enter,
            "enter.many": entering.enter_many,
            "seals": self._seals,
            "defects": self._list.show,
            "defect.removed": self._list.remove,
            "raise": entering.raise_detection,
            "amend": Amending(forms, desk).amend,
            "attach.begin": attaching.begin,
            "attach.chunk": attaching.chunk,
            "attach.end": attaching.end,
            "evidence": attaching.evidence,
            "review": reviewing.review,
            "countersign": reviewing.verify,
        }

    async def take_up(self) -> None:
        """Take up what stands in the record.

        Raises:
            RecordError: It cannot be read now; ``run`` tries again.
        """
        await self._standing.take_up(self._record)
        await self._retests.catch_up()

    def told(self, entry: Entry) -> None:
        """Take an entry that came on disk."""
        differs = self._standing.told(entry)
        self._retests.told(entry)
        if differs:
            self._on_change()

    def defects(self) -> list[dict[str, Json]]:
        """Return the open defects as they stand, by number."""
        return self._list.open_now()

    def is_defective(self, test: str, equipment: str) -> bool:
        """Return whether a person entered a defect of this test or equipment; a test knows its own UNSAT."""
        return any(
            each.get("result") is None
            and (each.get("test") == test if each.get("test") else each["equipment"] == equipment)
            for each in self._standing.defects().values()
        )

    def level_lacks_equipment(self) -> bool:
        """Return whether the level relies on what is broken with nothing instead, and the watch may know of it."""
        level = self._level()
        return any(
            defects.is_relied_on(each, level) and defects.may_be_shown(each, self._relied)
            for each in self.defects()
        )

    async def _seals(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return the register of numbered seals."""
        return {"seals": [*registers.register(self._standing)]}

    def items(self) -> list[Item]:
        """Return the lines of the worklist; with a clock that cannot be right, only those that need none."""
        return duties.items(
            self._standing,
            defects=self.defects(),
            level=self._level(),
            evidence=self._record.evidence_used(),
            now_utc=self._clock.utc(),
            ship_time=self._ship_time(),
            by_calendar=self._clock.status() is not ClockStatus.UNSET,
        )

    async def run(self) -> None:
        """Keep the worklist up to date with the calendar, and the record easy to search, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_S)
            try:
                if not self._standing.is_known:
                    await self.take_up()
                elif self._retests.is_behind:
                    await self._retests.catch_up()
                while await self._record.study():
                    pass
            except RecordError:
                continue  # an alert of its own says so
            self._on_change()
