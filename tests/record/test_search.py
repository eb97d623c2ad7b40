"""A search finds exactly what was asked for, however little of it one answer may look at."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from daemon.model import Classification
from daemon.record import reader, search
from daemon.record.codec import utc_text
from daemon.record.entry import Actor
from daemon.record.reader import Query, Reader
from tests.clocks import ManualClock
from tests.record.ship import alert, breach, record, result

PERSONS = (None, "R. Menon", "J. Santos")


BACK_AND_FORTH = (1, 5, 60, 0, -30, -900)


async def written(folder, steps: tuple[int, ...], *, entries: int = 120) -> list:
    """Write a record of three segments by a clock that is set; return its entries."""
    luck = random.Random(4)
    clock = ManualClock()
    made = record(folder, clock)
    await made.start()
    for number in range(entries):
        clock.step_utc(luck.choice(steps if number % 20 == 0 else (0, 1, 5, 60)))
        draft = luck.choice(
            (
                alert(f"d{luck.randrange(3)}"),
                alert(f"d{luck.randrange(3)}"),
                result(f"t{luck.randrange(2)}"),
                result("t-ssas", sso=True),
                breach(),
            )
        )
        person = luck.choice(PERSONS)
        if person is not None:
            draft = replace(draft, actor=Actor(person=person))
        await made.submit(draft)
        if number in {40, 80}:
            await made.rotate("full")
    await made.stop()
    made = record(folder, clock)
    await made.start()
    found = await made.entries(Query(limit=1000))
    await made.stop()
    return found


def holds(query: Query, entry) -> bool:
    shown = query.classification
    return all(
        (
            query.after is None or entry.seq > query.after,
            query.before is None or entry.seq < query.before,
            query.since is None or entry.stamp.at >= query.since,
            query.until is None or entry.stamp.at < query.until,
            query.kind is None or entry.kind == query.kind,
            query.type is None or entry.type == query.type,
            query.subject is None or entry.subject == query.subject,
            query.person is None or entry.actor.person == query.person,
            shown is None or entry.classification is shown,
        )
    )


def paged(look: Reader, query: Query) -> tuple[list[int], int]:
    """Return all that a query finds page by page, and how many pages that took."""
    found, pages = [], 0
    while True:
        page = look.page(query)
        found += [entry.seq for entry in page.entries]
        pages += 1
        assert pages < 2000, "it does not come to an end"
        if page.next is None:
            return found, pages
        side = "before" if query.newest_first else "after"
        query = replace(query, **{side: page.next})


@pytest.fixture(scope="module", params=["steady", "set back"])
def voyage(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("voyage")
    steps = (1, 60) if request.param == "steady" else BACK_AND_FORTH
    return folder, asyncio.run(written(folder, steps))


def questions(entries, luck: random.Random):
    times = [entry.stamp.at for entry in entries]
    seqs = [entry.seq for entry in entries]
    maybe = partial(lambda choices: luck.choice((None, None, *choices)))
    for _ in range(400):
        yield Query(
            after=maybe((luck.choice(seqs), 0, 10_000)),
            before=maybe((luck.choice(seqs), 1, 10_000)),
            since=maybe((luck.choice(times), "1970", "9999")),
            until=maybe((luck.choice(times), "1970", "9999")),
            kind=maybe((".10", "system", ".3", ".7")),
            type=maybe(("alert.changed", "test.result", "breach.reported", "none.such")),
            subject=maybe(("d1", "t0", "d3", "nobody")),
            person=maybe(("R. Menon", "M. Okafor", "Nobody")),
            classification=maybe(tuple(Classification)),
            newest_first=luck.random() < 0.5,
            limit=luck.choice((1, 3, 100)),
        )


@pytest.mark.parametrize("studied", [1, 50, search.MOST_STUDIED])
@pytest.mark.parametrize("budget", [1, 7, search.MOST_EXAMINED])
def test_pages_together_are_what_was_asked_for(voyage, monkeypatch, budget, studied):
    """Every filter and every two of them, both ways round, over segments, with times out of order."""
    folder, entries = voyage
    is_whole = budget == search.MOST_EXAMINED
    monkeypatch.setattr(search, "MOST_EXAMINED", budget)
    monkeypatch.setattr(search, "MOST_STUDIED", studied)
    look = Reader(folder)
    try:
        for query in questions(entries, random.Random(budget)):
            wanted = [entry.seq for entry in entries if holds(query, entry)]
            if query.newest_first:
                wanted.reverse()
            found, pages = paged(look, query)
            assert found == wanted, query
            whole = [e.seq for e in look.entries(replace(query, limit=1000))]
            assert whole == wanted, query
            if is_whole and query.limit == 100 and len(wanted) < 100:
                assert pages == 1, query
    finally:
        look.close()


def test_a_page_is_bounded_in_bytes(voyage, monkeypatch):
    folder, entries = voyage
    monkeypatch.setattr(reader, "PAGE_BYTES", 2000)
    look = Reader(folder)
    try:
        page = look.page(Query(limit=1000))
        size = sum(len(entry.body.encode()) for entry in page.entries)
        assert size - len(page.entries[-1].body.encode()) < 2000 <= size
        assert paged(look, Query(limit=1000))[0] == [entry.seq for entry in entries]
    finally:
        look.close()


def test_an_entry_larger_than_a_page_is_a_page(voyage, monkeypatch):
    folder, entries = voyage
    monkeypatch.setattr(reader, "PAGE_BYTES", 1)
    look = Reader(folder)
    try:
        assert paged(look, Query())[0] == [entry.seq for entry in entries]
    finally:
        look.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(type="test.result"), "entry_by_type"),
        (Query(subject="d1"), "entry_by_subject"),
        (Query(kind=".10"), "entry_by_kind"),
        (Query(classification=Classification.SSO), "entry_of_sso"),
        (Query(since="2026", type="test.result"), "entry_by_type"),
        (Query(until="2027", subject="d1", newest_first=True), "entry_by_subject"),
    ],
)
def test_the_schemas_own_indexes_lead_to_what_is_asked(voyage, query, index):
    folder, _ = voyage
    look = Reader(folder)
    try:
        _, db = look._segments[0]
        plans = []

        def explain(_, sql, bindings):
            if sql.startswith(("EXPLAIN", "SELECT (SELECT")):
                return True
            told = "\n".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", bindings))
            plans.append((sql, told))
            return True

        db.exec_trace = explain
        look.page(query)
        db.exec_trace = None
        searches = [told for sql, told in plans if "candidate" in sql]
        assert searches
        assert all(f"INDEX {index} (" in told for told in searches)
        assert all("TEMP B-TREE" not in told for told in searches), "no sorting"
    finally:
        look.close()


async def test_a_clock_that_was_set_back_hides_nothing(tmp_path):
    clock = ManualClock()
    made = record(tmp_path, clock)
    await made.start()
    early = await made.submit(alert("d1"))
    clock.step_utc(timedelta(days=900).total_seconds())
    future = await made.submit(alert("d2"))
    clock.step_utc(-timedelta(days=900).total_seconds() + 60)
    late = await made.submit(alert("d3"))
    since = utc_text(clock.utc())
    page = await made.page(Query(since=since))
    assert [entry.seq for entry in page.entries] == [future.seq, late.seq]
    page = await made.page(Query(until=since, type="alert.changed", newest_first=True))
    assert [entry.seq for entry in page.entries] == [early.seq]
    await made.stop()


def statements(look: Reader, query: Query) -> list[str]:
    """Return what the first segment is asked for a page."""
    _, db = look._segments[0]
    asked: list[str] = []
    db.exec_trace = lambda _, sql, __: asked.append(sql) or True
    look.page(query)
    db.exec_trace = None
    return asked


@pytest.mark.parametrize("step", [10, 1000])
async def test_once_the_times_are_known_to_be_in_order_a_time_leads_to_its_number_at_once(
    tmp_path, monkeypatch, step
):
    monkeypatch.setattr(search, "MOST_STUDIED", step)
    clock = ManualClock()
    made = record(tmp_path, clock)
    await made.start()
    for _ in range(29):
        clock.step_utc(60)
        await made.submit(alert("d1"))
    middle = utc_text(clock.utc() - timedelta(seconds=600))
    query = Query(since=middle, until="9999")
    look = Reader(tmp_path)
    try:
        scans = [sql for sql in statements(look, query) if "min(seq) FROM entry INDEXED" in sql]
        assert bool(scans) is (step < 30), (
            "before all is known, the slow way, which is right as well"
        )
        while look.study():
            pass
        assert not look.study()
        assert not [sql for sql in statements(look, query) if "min(seq) FROM entry IND" in sql]
        assert len(look.page(query).entries) == 11
        clock.step_utc(-3600)
        late = await made.submit(alert("d1"))
        assert [sql for sql in statements(look, query) if "min(seq) FROM entry INDEXED" in sql]
        assert late.seq not in [entry.seq for entry in look.page(query).entries]
        early = Query(until=utc_text(clock.utc() + timedelta(seconds=1)), newest_first=True)
        assert look.page(early).entries[0].seq == late.seq, "found although it is out of order"
    finally:
        look.close()
    await made.stop()
