"""Write the demo's fourteen months into a record that does not exist yet.

The record is the real one, written with a clock of its own whose UTC and seconds since boot move together through the
past: so every entry stands where it belongs, no step of the clock has to be explained, and the verifier has nothing to
wonder at. The boot is named as the history's, the clock as undisciplined, and the first entry says that all of it was
generated. A ship's record never gets one.
"""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from daemon.computer.entropy import Entropy
from daemon.demo import papers, past
from daemon.errors import IspsdError, RecordError
from daemon.model import ClockStatus
from daemon.record import keys
from daemon.record.events import RecordEvents
from daemon.record.log import Record
from daemon.record.schema import SEGMENT_GLOB

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from daemon.config import Config
    from daemon.demo.papers import Event
    from daemon.record.entry import Entry

SINCE_BOOT_S = 3600.0
"""What the history's clock shows as seconds since boot when it begins."""
AT_ONCE = 400
"""Entries that are given to the disk in one go, then the progress is told."""
NOT_REVIEWED = timedelta(days=4)
"""How far back the last days reach that nobody has reviewed yet."""


class PastClock:
    """A clock that stands where the history stands; nobody's waiting moves it."""

    def __init__(self, begins_utc: datetime) -> None:
        self._begins_utc = self._utc = begins_utc

    def move_to(self, moment: datetime) -> None:
        """Go on to a moment, on both clocks."""
        self._utc = moment.astimezone(self._utc.tzinfo)

    def utc(self) -> datetime:
        return self._utc

    def now_s(self) -> float:
        return SINCE_BOOT_S + (self._utc - self._begins_utc).total_seconds()

    def status(self) -> ClockStatus:
        return ClockStatus.HOLDOVER

    def boot_id(self) -> str:
        return "generated"

    async def sleep(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)

    async def pause(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        del seconds  # there is no time to wait for: the next entry moves it
        return await event.wait()


async def write_history(
    config: Config,
    *,
    until_utc: datetime,
    software: str,
    left_due: Collection[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Write it and return how many entries it has; 0 where the record exists already.

    Args:
        config: The demo's own configuration: where its record and key are, its doors and its tests.
        until_utc: Now.
        software: The version that writes.
        left_due: Tests that the demo itself is going to do.
        say: Told how far it has come.

    Raises:
        IspsdError: It is not a demo's record, or it cannot be written; then there is none of it.
    """
    section = config.record
    if not config.is_demo:
        raise IspsdError(f"{section.directory}: a ship's record gets no generated history")
    if any(section.directory.glob(SEGMENT_GLOB)):
        return 0
    events = past.plan(config, until_utc=until_utc, left_due=left_due)
    # Whole or not at all: what was broken off lies in a folder that nobody opens.
    fresh = section.directory.with_name(f"{section.directory.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    clock = PastClock(events[0].at.astimezone(until_utc.tzinfo))
    record = Record(
        fresh,
        origin=f"{section.origin}/{config.ship.imo_number}",
        key=keys.load_or_create(section.key_file, record=section.directory),
        clock=clock,
        entropy=Entropy(),
        software=software,
        configuration=config.sha256,
    )
    await record.start()
    try:
        written = await _write(record, clock, events, say)
    finally:
        await record.stop()
    fresh.replace(section.directory)
    return written


async def _write(
    record: Record, clock: PastClock, events: Sequence[Event], say: Callable[[str], None]
) -> int:
    reviewed, written = 0, 0
    for batch in _batches(events):
        waiting = []
        for event in batch:
            clock.move_to(event.at)
            waiting.append(record.submit(event.draft))
        await record.drained()
        if reason := record.health().reason:
            raise RecordError(f"the history cannot be written: {reason}")
        written += len(batch)
        say(f"{written} of {len(events)} entries, until {batch[-1].at:%d %b %Y}")
        if written < len(events):  # what happened lately is for whoever plays the demo to review
            reviewed = await _review(record, reviewed + 1, await waiting[-1])
    # No station is told of it as if it had just happened; the last entry says where the demo begins.
    ended = await record.submit(papers.ENDING)
    record.set_cursor(RecordEvents.CURSOR, (ended.bseq or 1) - 1)
    await record.seal()
    return ended.seq


def _batches(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Yield what is written in one go and then reviewed; the last few days stand alone."""
    lately = events[-1].at - NOT_REVIEWED
    before = sum(event.at < lately for event in events)
    yield from (events[begin : min(begin + AT_ONCE, before)] for begin in range(0, before, AT_ONCE))
    yield events[before:]


async def _review(record: Record, begin: int, last: Entry) -> int:
    """Let the SSO review what was written and the Master verify it; return up to where."""
    head = await record.seal()
    kinds, outcomes = await record.counts(begin, last.seq)
    review = await record.submit(papers.review(begin, last, head, kinds, outcomes))
    await record.submit(papers.countersigned(begin, last, head, review))
    return last.seq
