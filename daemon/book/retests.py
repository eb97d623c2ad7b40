"""Every UNSAT has its defect, and every defect its re-test: entries that ispsd makes by itself, of kind .10.

A result counts when it is on disk. Whatever happens between a result and its defect's entry (power lost, disk full) is
caught up with from the record alone, so that no UNSAT stays without a defect and none has two.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon.book import defects
from daemon.book.desk import naming
from daemon.book.standing import number_of
from daemon.computer import logs
from daemon.errors import RecordError
from daemon.model import Outcome
from daemon.record import fold
from daemon.record.entry import EntryError
from daemon.record.reader import MOST_ENTRIES, Query
from daemon.testing import results

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import Any

    from daemon.book.defects import Relied, Seen
    from daemon.book.desk import Records
    from daemon.book.standing import Standing
    from daemon.model import Json
    from daemon.record.entry import Draft, Entry

KEPT: Final = (fold.RESULT, fold.PROVEN, fold.ITEM, fold.DEFECT_FOUND)
MOST_READS: Final = 5
MOST_PAGES: Final = 20
"""Of results that are looked through for the one that passed."""


class Retests:
    """Opens and closes the defects of tests."""

    def __init__(self, record: Records, standing: Standing, relied: Relied) -> None:
        self._record = record
        self._standing = standing
        self._relied = relied
        self._opening: dict[str, Mapping[str, Json]] = {}
        """By number, what is on its way to the disk."""
        self._closing: set[str] = set()
        self.is_behind = True
        """Whether the record has to be looked through: at the start, and when an entry was lost."""
        self._log = logs.get("defects")

    def told(self, entry: Entry) -> None:
        """Take an entry that came on disk, after ``Standing`` has."""
        if entry.type == defects.OPENED:
            self._opening.pop(str(entry.open["defect"]), None)
        elif entry.type == defects.CLOSED:
            self._closing.discard(str(entry.open["defect"]))
        elif entry.type == results.RESULT and self._standing.is_known:
            for found in defects.seen(entry, naming(entry)):
                self._take(found, is_new=True)

    async def catch_up(self) -> None:
        """Open and close what the record lacks.

        Raises:
            RecordError: It cannot be read now; try again.
        """
        kept = await self._kept()
        tests = set(self._relied.kinds)
        found = [*_proven(kept, tests)]
        until = kept[fold.DEFECT_FOUND]
        missing = [
            each
            for each in found
            if each.is_fault
            and str(until.get(each.place, {}).get("until", "")) < each.ended
            and not self._numbers(each)
        ]
        passed = [each for each in found if not each.is_fault and self._older(each)]
        named = [await self._named(each) for each in (*missing, *passed)]
        self.is_behind = False
        for each in named:
            self._take(each, is_new=False)

    async def _kept(self) -> dict[str, Mapping[str, Mapping[str, Json]]]:
        """Return what stands of tests, all as of one moment."""
        for _ in range(MOST_READS):
            newest = self._standing.newest_seq
            kept = {kind: await self._record.state(kind) for kind in KEPT}
            if self._standing.newest_seq == newest:
                return dict(kept)
        raise RecordError("the record grows faster than it is read")

    def _take(self, found: Seen, *, is_new: bool) -> None:
        if found.in_service:
            return
        numbers = self._numbers(found)
        if not found.is_fault:
            for number in numbers:
                if defects.is_answered(self._open_now()[number], found, is_new=is_new):
                    self._close(found, number)
        elif not numbers:
            self._open(found)
        elif is_new:
            self._add(found, numbers[0])

    def _older(self, passed: Seen) -> bool:
        open_now = self._open_now()
        found = (defects.found_utc(open_now[number]) for number in self._numbers(passed))
        return any(at is not None and at < passed.ended for at in found)

    def _numbers(self, found: Seen) -> list[str]:
        """Return the numbers of the open defects of a test or item, the oldest first."""
        return [number for number, said in self._open_now().items() if defects.is_of(said, found)]

    def _open_now(self) -> dict[str, Mapping[str, Json]]:
        known = {**self._standing.defects(), **self._opening}
        return {number: said for number, said in known.items() if number not in self._closing}

    def _open(self, found: Seen) -> None:
        value = self._standing.take_number()
        number = number_of(value)
        draft = defects.opening(found, number, self._relied.of(found.test))
        self._opening[number] = draft.open

        def take_back() -> None:
            self._opening.pop(number, None)
            self._standing.give_back(value)

        self._submit(draft, take_back)

    def _add(self, found: Seen, number: str) -> None:
        said = self._standing.of(fold.DEFECT_SAID).get(f"{number}/again")
        newest: Any = None if said is None else said["value"]
        times = newest["times"] + 1 if isinstance(newest, dict) else 2
        self._submit(defects.again(found, number, times), lambda: None)

    def _close(self, passed: Seen, number: str) -> None:
        draft = defects.closing(passed, number, self._open_now()[number])
        self._closing.add(number)
        self._submit(draft, lambda: self._closing.discard(number))

    def _submit(self, draft: Draft, take_back: Callable[[], None]) -> None:
        """Give it to the record; what was noted of it on its way is taken back where it does not come on disk."""
        try:
            written = self._record.submit(draft)
        except EntryError:
            # What no entry can hold must not end the commit of the others, nor is it better the next time.
            self._log.exception("defect.not_written", type=draft.type)
            take_back()
            return

        def ended(future: asyncio.Future[Entry]) -> None:
            if future.cancelled() or future.exception() is not None:
                take_back()
                self.is_behind = True

        written.add_done_callback(ended)

    async def _named(self, each: Seen) -> Seen:
        """Return it with what its entry says; as it is where that is not in reach, in an archive or damaged."""
        before: int | None = None
        for _ in range(MOST_PAGES):
            query = Query(
                type=results.RESULT,
                subject=each.equipment,
                before=before,
                newest_first=True,
                limit=MOST_ENTRIES,
            )
            page = await self._record.entries(query)
            for entry in page:
                if entry.open.get("test") == each.test and entry.open.get("ended") == each.ended:
                    in_service = defects.is_in_service(entry)
                    return replace(each, named=naming(entry), in_service=in_service)
            if len(page) < MOST_ENTRIES:
                return each
            before = page[-1].seq
        return each


def _proven(
    kept: Mapping[str, Mapping[str, Mapping[str, Json]]], tests: Collection[str]
) -> Iterator[Seen]:
    """Yield how every test and item of the ship's file ended last, where that proves something."""
    for test, body in kept[fold.PROVEN].items():
        if test in tests and not body.get("items"):
            yield _seen(test, None, body, body)
    for place, body in kept[fold.ITEM].items():
        test, _, item = place.partition("/")
        newest = kept[fold.RESULT].get(test)
        if test in tests and newest is not None:
            yield _seen(test, item, body, newest)


def _seen(test: str, item: str | None, body: Mapping[str, Json], of: Mapping[str, Json]) -> Seen:
    # An older record need not say what a test was of; the watch starts all the same.
    equipment = str(of.get("equipment", test))
    return defects.Seen(
        test=test,
        item=item,
        equipment=equipment,
        name=str(of.get("name", equipment)),
        reason=str(body["reason"]),
        ended=str(body["ended"]),
        is_fault=body["outcome"] == Outcome.FAILED.value,
        simulated=of.get("simulated") is True,
    )
