"""How long does a page of the record take, whatever is asked for, when a million entries stand in it?

Each filter of ``ispsd log`` and the worst pairs of them, asked of a record that is open for writing, as the control
socket asks: what comes back is one page, and a search that is not at its end says where it goes on. So there are two
figures: the answer, which must not keep anybody waiting, and all answers until the search is at its end.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.told import below
from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.model import Classification
from daemon.papers import glance
from daemon.papers.beside import Ship
from daemon.papers.moments import Period
from daemon.papers.particulars import Particulars
from daemon.papers.view import View
from daemon.record.entry import Actor, Draft
from daemon.record.log import Record
from daemon.record.reader import Query
from daemon.testlog import past, period, sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.told import Told
    from daemon.model import Json
    from daemon.record.reader import Reader

ORIGIN: Final = "demo/9999993"
BEGINS: Final = datetime(2020, 1, 1, tzinfo=UTC)
STEP_S: Final = 120
"""Between two entries: a million of them are not quite four years."""
BLOCK: Final = 5_000
BUDGET: Final = below(100)
"""In ms."""
PERSONS: Final = ("A. Lindqvist", "R. Menon", "J. Santos", "M. Petrov", "D. Kovac", "L. Tupou")
RARE: Final = 250_007
"""One of so many is a rare one."""


class Calendar(SystemClock):
    """The computer's clock with a calendar that is moved on by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def utc(self) -> datetime:
        return BEGINS + timedelta(seconds=STEP_S * self.number)


def draft(number: int) -> Draft:
    """Return an entry of a ship's life: half are alerts, a tenth are for the SSO alone."""
    kind, type_, subject, said = _what(number)
    person = PERSONS[number % 6] if number % 8 == 0 else None
    if kind == ".1":
        person = "R. Menon"
    if type_ == "clock.stepped":
        person = "N. Rare"
    private = type_ == "maintenance.done"
    return Draft(
        kind=kind,
        type=type_,
        subject=subject,
        classification=Classification.SSO if private else Classification.WATCH,
        actor=Actor(person="D. Kovac" if private else person),
        open={**said, "detail": f"entry {number} of many", "device": "io1"},
    )


def _what(number: int) -> tuple[str, str, str, dict[str, Json]]:
    if number % RARE == RARE - 1:
        return "system", "clock.stepped", "clock", {"step_s": 3}
    if number % 20_011 == 0:
        ended = f"2020-01-01T00:00:00.{number % 1000:03d}Z"
        return ".1", "drill.held", "r-drill", {"scenario": "stowaway search", "ended": ended}
    match number % 10:
        case 0 | 1 | 2 | 3 | 4 | 5:
            id_ = f"open.d{number % 60}"
            said: dict[str, Json] = {"id": id_, "state": "VAN"[number % 3], "instance": number}
            return "system", "alert.changed", f"d{number % 60:02d}", said
        case 6 | 7:
            said = {"test": f"t-{number % 20}", "outcome": "passed", "reason": "as it should be"}
            return ".10", "test.result", f"e{number % 20}", said
        case 8:
            said = {"door": f"d{number % 60}", "person": "R. dela Cruz"}
            return "system", "permit.ended", f"d{number % 60:02d}", said
        case _:
            return ".10", "maintenance.done", "ssas", {"text": "checked"}


def asked(entries: int) -> Iterator[tuple[str, Query]]:
    """Yield what is asked for, with the newest first as a page shows them."""
    page = Query(newest_first=True, limit=100)
    end = BEGINS + timedelta(seconds=STEP_S * entries)

    def at(share: float) -> str:
        moment = BEGINS + (end - BEGINS) * share
        return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"

    yield "newest", page
    yield "before the middle", replace(page, before=entries // 2)
    yield "the 1000 newest", replace(page, limit=1000)
    yield "type, frequent", replace(page, type="test.result")
    yield "type, rare", replace(page, type="clock.stepped")
    yield "type, none", replace(page, type="none.such")
    yield "kind, frequent", replace(page, kind=".10")
    yield "kind, rare", replace(page, kind=".1")
    yield "subject, frequent", replace(page, subject="ssas")
    yield "subject, none", replace(page, subject="nobody")
    yield "class sso", replace(page, classification=Classification.SSO)
    yield "class watch", replace(page, classification=Classification.WATCH)
    yield "since the last week", replace(page, since=at(1 - 7 / 1400))
    yield "since the first day", replace(page, since=at(0.0001))
    yield "until the first day", replace(page, until=at(0.0001))
    yield "a day in the middle", replace(page, since=at(0.5), until=at(0.5007))
    yield "person, frequent", replace(page, person="D. Kovac")
    yield "person, rare", replace(page, person="N. Rare")
    yield "person, none", replace(page, person="Nobody")
    yield "type and until the first month", replace(page, type="test.result", until=at(0.02))
    yield "type and subject, together none", replace(page, type="test.result", subject="ssas")
    yield (
        "kind and class, together none",
        replace(page, kind="system", classification=Classification.SSO),
    )
    yield "subject and a day", replace(page, subject="d12", since=at(0.5), until=at(0.5007))


async def measure(told: Told, disk: Path, *, rounds: int, entries: int) -> None:
    """Say how long each takes."""
    clock, key = Calendar(), Ed25519PrivateKey.generate()
    await _write(_record(disk, clock, key), clock, entries)
    record = _record(disk, clock, key)
    await record.start()
    while await record.study():  # as the daemon does in its first minute
        pass
    slowest: list[float] = [0.0] * rounds
    for name, query in asked(entries):
        first, busy, whole = [], [], []
        for _ in range(rounds):
            took = await _ask(record, query)
            first.append(max(wall for wall, _ in took))
            busy.append(max(cpu for _, cpu in took))
            whole.append(sum(wall for wall, _ in took))
        slowest = [max(each) for each in zip(slowest, first, strict=True)]
        what = f"`ispsd log` at {entries:,} entries: {name}"
        told.row(what, first, unit="ms", budget=BUDGET, detail=True)
        told.row(f"{what}, processor", busy, unit="ms", detail=True)
        told.row(f"{what}, to the end of the search", whole, unit="ms", detail=True)
    told.row(
        f"`ispsd log` at {entries:,} entries: the slowest answer of all filters and pairs of them",
        slowest,
        unit="ms",
        budget=BUDGET,
    )
    await _pages(told, record, rounds, entries)
    await record.stop()


async def _pages(told: Told, record: Record, rounds: int, entries: int) -> None:
    """Say how long the pages of the test log take: what is read, and what is made of it."""
    slowest: list[float] = [0.0] * rounds
    busiest: list[float] = [0.0] * rounds
    for name, question in shown(entries):
        took, busy = [], []
        for _ in range(rounds):
            began_s = time.monotonic()
            busy.append(await record.ask(partial(_busy_ms, question)))
            took.append(1000 * (time.monotonic() - began_s))
        slowest = [max(each) for each in zip(slowest, took, strict=True)]
        busiest = [max(each) for each in zip(busiest, busy, strict=True)]
        what = f"pages of the test log at {entries:,} entries: {name}"
        told.row(what, took, unit="ms", budget=BUDGET, detail=True)
        told.row(f"{what}, processor", busy, unit="ms", detail=True)
    told.row(
        f"pages of the test log at {entries:,} entries: the slowest of all",
        slowest,
        unit="ms",
        budget=BUDGET,
    )
    told.row("the same, processor time of the busiest", busiest, unit="ms")


def _busy_ms(question: Callable[[Reader], object], reader: Reader) -> float:
    began_s = time.thread_time()
    question(reader)
    return 1000 * (time.thread_time() - began_s)


def shown(entries: int) -> Iterator[tuple[str, Callable[[Reader], object]]]:
    """Yield what the pages of the test log ask for."""
    end = BEGINS + timedelta(seconds=STEP_S * entries)
    month, ever = Period(end - timedelta(days=30), end), Period(BEGINS, end)
    now = sheet.Now(overdue={"t-3"}, defects=2)
    ship = Ship(Particulars(kinds={f"t-{number}": "manual" for number in range(20)}), 480)

    def made(asked: sheet.Asked) -> Callable[[Reader], object]:
        return lambda reader: sheet.told(asked, glance.take(reader, asked.wish(now), ship), now)

    yield "this month", made(sheet.Asked(show="all", period=month, view=View.FULL))
    yield "not SAT, this month", made(sheet.Asked(show="unsat", period=month, view=View.FULL))
    yield "overdue, this month", made(sheet.Asked(show="overdue", period=month, view=View.FULL))
    yield (
        "words that nobody wrote, all the time",
        made(sheet.Asked(show="all", period=ever, view=View.FULL, sought="no such words")),
    )
    yield (
        "one piece of equipment, for port state control",
        made(sheet.Asked(show="all", period=month, view=View.PSC, equipment="e3")),
    )
    yield "one test", lambda reader: glance.one(reader, entries // 2 // 10 * 10 + 7, ship)
    yield (
        "what nobody has reviewed: all of it",
        lambda reader: period.told(period.read(reader, ship)),
    )
    yield (
        "a month of the calendar",
        lambda reader: past.told(
            past.read(reader, month, [(f"t-{number}", f"e{number}") for number in range(20)], ship)
        ),
    )


async def _ask(record: Record, query: Query) -> list[tuple[float, float]]:
    """Return how long each answer took, by the clock and of the processor, until enough was found."""
    took, left = [], query.limit
    while True:
        began_s, busy_s = time.monotonic(), time.process_time()
        page = await record.page(replace(query, limit=left))
        took.append((1000 * (time.monotonic() - began_s), 1000 * (time.process_time() - busy_s)))
        left -= len(page.entries)
        if left <= 0 or page.next is None:
            return took
        query = replace(query, before=page.next)


async def _write(record: Record, clock: Calendar, entries: int) -> None:
    await record.start()
    for begin in range(0, entries, BLOCK):
        futures = []
        for number in range(begin, min(begin + BLOCK, entries)):
            clock.number = number
            futures.append(record.submit(draft(number)))
        await asyncio.gather(*futures)
    await record.stop()


def _record(folder: Path, clock: Calendar, key: Ed25519PrivateKey) -> Record:
    return Record(
        folder / "record",
        origin=ORIGIN,
        key=key,
        clock=clock,
        entropy=Entropy(),
        software="bench",
        configuration="c0" * 32,
    )
