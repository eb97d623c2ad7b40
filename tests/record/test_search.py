"""A search finds exactly what was asked for, however little of it one answer may look at."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from dataclasses import replace
from datetime import timedelta
from functools import partial

import apsw
import pytest

from daemon.model import Classification
from daemon.record import index, reader, schema, search
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


@pytest.mark.parametrize("studied", [1, 50, index.MOST_FOLLOWED])
@pytest.mark.parametrize("budget", [1, 7, search.MOST_EXAMINED])
def test_pages_together_are_what_was_asked_for(voyage, monkeypatch, budget, studied):
    """Every filter and every two of them, both ways round, over segments, with times out of order."""
    folder, entries = voyage
    is_whole = budget == search.MOST_EXAMINED
    monkeypatch.setattr(search, "MOST_EXAMINED", budget)
    monkeypatch.setattr(index, "MOST_FOLLOWED", studied)
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
    "query",
    [
        Query(type="test.result"),
        Query(subject="d1"),
        Query(kind=".10"),
        Query(person="R. Menon"),
        Query(classification=Classification.SSO),
        Query(type="alert.changed", subject="d1"),
        Query(type="breach.reported", newest_first=True),
    ],
)
def test_the_index_leads_to_what_is_asked_and_to_little_else(voyage, query):
    folder, entries = voyage
    look = Reader(folder)
    try:
        while look.study():
            pass
        for path, db in look._segments:
            found = search.search(
                db, look._indexes[path], query, limit=1000, most_bytes=10**6, budget=5000
            )
            inside = [each for each in entries if each.segment == int(path.stem[-4:])]
            wanted = [each for each in inside if holds(query, each)]
            assert len(found.bodies) == len(wanted)
            assert found.examined == len(wanted) < len(inside), "no other entry was looked at"
    finally:
        look.close()


def test_an_index_that_says_something_else_than_the_entries_shows_nothing_that_was_not_asked_for(
    voyage,
):
    folder, _ = voyage
    look = Reader(folder)
    try:
        while look.study():
            pass
        for index_ in look._indexes.values():
            index_._by["subject", "d1"] = index_._by["subject", "d2"]
        assert look.page(Query(subject="d1")).entries == []
        assert look.about(["d1"], after=0) == []
    finally:
        look.close()


async def test_an_index_is_used_again_only_for_the_same_segment(tmp_path):
    made = record(tmp_path)
    await made.start()
    await asyncio.gather(*[made.submit(alert(f"d{number}")) for number in range(9)])
    await made.stop()
    indexes = {}
    look = Reader(tmp_path, indexes=indexes)
    [(path, _)] = look._segments
    look.study()
    look.close()
    kept = indexes[path]
    look = Reader(tmp_path, indexes=indexes)
    assert indexes[path] is kept
    look.close()
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER entry_no_delete")
    db.execute("DELETE FROM entry WHERE seq = 10")
    db.commit()
    db.close()
    look = Reader(tmp_path, indexes=indexes)
    assert indexes[path] is not kept
    assert look.page(Query(subject="d8")).entries == []
    look.close()


def test_what_is_no_segment_of_ours_has_no_index(tmp_path):
    """A hole in the numbers, or a time that is none: entries are looked at one by one, and found."""
    db = sqlite3.connect(tmp_path / "segment-0001.db")
    for statement in schema.STATEMENTS:
        db.execute(statement)
    for seq in (1, 2, 5):
        db.execute(
            "INSERT INTO entry (seq, body) VALUES (?, ?)",
            (
                seq,
                json.dumps(
                    {"at": "?", "bseq": seq, "kind": "system", "type": "a.b", "subject": "x"}
                ),
            ),
        )
    db.commit()
    db.close()
    connection = apsw.Connection(str(tmp_path / "segment-0001.db"))
    made = index.Index()
    assert not made.follow(connection)
    assert not made.is_whole(1)
    found = search.search(
        connection, made, Query(subject="x"), limit=10, most_bytes=10**6, budget=100
    )
    assert len(found.bodies) == 3
    connection.close()


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
    page = await made.page(Query(since=since, type="alert.changed"))  # it may begin a segment, too
    assert [entry.seq for entry in page.entries] == [future.seq, late.seq]
    page = await made.page(Query(until=since, type="alert.changed", newest_first=True))
    assert [entry.seq for entry in page.entries] == [early.seq]
    await made.stop()


@pytest.mark.parametrize("step", [10, 1000])
async def test_a_time_leads_to_its_number_at_once(tmp_path, monkeypatch, step):
    monkeypatch.setattr(index, "MOST_FOLLOWED", step)
    clock = ManualClock()
    made = record(tmp_path, clock)
    await made.start()
    for _ in range(29):
        clock.step_utc(60)
        await made.submit(alert("d1"))
    middle = utc_text(clock.utc() - timedelta(seconds=600))
    query = Query(since=middle, until="9999", limit=1000)
    look = Reader(tmp_path)

    def examined() -> int:
        [(path, db)] = look._segments
        return search.search(
            db, look._indexes[path], query, limit=1000, most_bytes=10**6, budget=5000
        ).examined

    try:
        if step < 30:
            assert examined() == 30, "before all is known, the slow way, which is right as well"
        while look.study():
            pass
        assert examined() == len(look.page(query).entries) == 11
        clock.step_utc(-3600)
        late = await made.submit(alert("d1"))
        assert examined() == 12
        assert late.seq not in [entry.seq for entry in look.page(query).entries]
        early = Query(until=utc_text(clock.utc() + timedelta(seconds=1)), newest_first=True)
        assert look.page(early).entries[0].seq == late.seq, "found although it is out of order"
    finally:
        look.close()
    await made.stop()
