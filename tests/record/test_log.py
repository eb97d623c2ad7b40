"""What is told as recorded is on disk, in order, and can be asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, Json
from daemon.record.checkpoint import Checkpoint, opened
from daemon.record.entry import Actor, Draft, Entry, EntryError
from daemon.record.fold import project
from daemon.record.reader import Query
from daemon.record.segment import Segment
from daemon.record.sqlite import blob, number, text
from daemon.record.trust import Identity
from tests.clocks import FixedEntropy, ManualClock
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, breach, record, result
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from daemon.record.log import Record


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def ship(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Record]:
    made = record(tmp_path, clock)
    await made.start()
    yield made
    await made.stop()


def identity() -> Identity:
    return Identity(ORIGIN, KEY, "26.1", "c0" * 32)


async def test_a_new_record_opens_with_what_it_is(ship: Record):
    [first] = await ship.entries(Query())
    assert (first.seq, first.bseq, first.segment, first.type) == (1, 1, 1, "segment.opened")
    assert first.open == {
        "first_seq": 1,
        "first_bseq": 1,
        "origin": "demo/9999993/1",
        "reason": "first start",
        "software": "26.1",
        "configuration_sha256": "c0" * 32,
        "key": VKEY,
        "endorsement": None,
        "previous": None,
    }
    assert await ship.part(1, Classification.SSO) == {"state": []}


async def test_a_submitted_entry_comes_back_numbered_and_stamped(ship: Record):
    entry = await ship.submit(alert("d1"))
    assert (entry.seq, entry.bseq, entry.segment) == (2, 2, 1)
    assert entry.stamp.at == "2026-11-22T02:10:00.000Z"
    assert (entry.stamp.up_ms, entry.stamp.boot, entry.stamp.clock) == (
        1_000_000,
        "b00t1d00",
        "synced",
    )
    assert await ship.entries(Query(after=1)) == [entry]


async def test_the_time_is_that_of_submitting(ship: Record, clock: ManualClock):
    future = ship.submit(alert("d1"))
    clock.step_utc(3600)
    assert (await future).stamp.at == "2026-11-22T02:10:00.000Z"


async def test_bseq_is_dense_over_what_watch_stations_may_read(ship: Record):
    drafts = [alert("d1"), breach(), alert("d2"), result("ssas", sso=True), alert("d3")]
    written = await asyncio.gather(*map(ship.submit, drafts))
    assert [entry.seq for entry in written] == [2, 3, 4, 5, 6]
    assert [entry.bseq for entry in written] == [2, None, 3, None, 4]
    events = await ship.events(after_bseq=1, limit=10)
    assert events == [written[0], written[2], written[4]]
    assert await ship.events(after_bseq=2, limit=1) == [written[2]]


async def test_a_refused_draft_leaves_no_trace(ship: Record):
    with pytest.raises(RefusedError):
        ship.submit(
            Draft(
                kind=".3",
                type="a.b",
                subject="",
                classification=Classification.SSO,
                actor=Actor("bridge"),
            )
        )
    with pytest.raises(EntryError, match=r"alert.changed on d1: open lacks 'state'"):
        ship.submit(
            Draft(
                kind="system",
                type="alert.changed",
                subject="d1",
                classification=Classification.WATCH,
                open={"id": "x"},
            )
        )
    assert (await ship.submit(alert("d1"))).seq == 2


async def test_callbacks_hear_every_entry_in_order_and_a_broken_one_harms_nobody(tmp_path: Path):
    heard: list[int] = []
    errors: list[object] = []
    ship = record(tmp_path)

    def broken(entry: Entry) -> None:
        raise ValueError(entry.seq)

    ship.on_commit(broken)
    ship.on_commit(lambda entry: heard.append(entry.seq))
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    await ship.start()
    await asyncio.gather(*(ship.submit(alert(f"d{number}")) for number in range(1500)))
    await ship.stop()
    assert heard == list(range(1, 1502))
    assert len(errors) == 1501


async def test_the_event_is_on_its_way_before_whoever_waits_for_his_entry_goes_on(tmp_path: Path):
    told = []
    ship = record(tmp_path)
    ship.on_commit(lambda entry: told.append(("event", entry.seq)))
    await ship.start()
    waiting = [ship.submit(alert(f"d{number}")) for number in range(3)]
    for each in waiting:
        each.add_done_callback(lambda done: told.append(("own", done.result().seq)))
    await asyncio.gather(*waiting)
    assert told[0] == ("event", 1), "the segment's own"
    assert sorted(told[1:]) == [(what, seq) for what in ("event", "own") for seq in (2, 3, 4)]
    assert all(told.index(("event", seq)) < told.index(("own", seq)) for seq in (2, 3, 4))
    await ship.stop()


async def test_reopened_it_goes_on_where_it_ended(tmp_path: Path):
    for start in range(3):
        ship = record(tmp_path)
        await ship.start()
        written = await asyncio.gather(ship.submit(alert("d1")), ship.submit(breach()))
        assert [entry.seq for entry in written] == [2 + 2 * start, 3 + 2 * start]
        assert written[0].bseq == 2 + start
        await ship.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["segment-0001.db"], (
        "whole without its log"
    )


async def test_what_stands_behind_the_last_checkpoint_is_hashed_again(tmp_path: Path):
    entropy, clock = FixedEntropy(), ManualClock()
    ship = record(tmp_path, clock, entropy=entropy)
    await ship.start()
    last = await ship.submit(alert("d1"))
    await ship.stop()
    segment = Segment.open(tmp_path / "segment-0001.db", identity(), entropy)
    assert segment is not None
    segment.append([(alert("d2"), last.stamp), (alert("d3"), last.stamp)], {})
    segment.close()
    again = Segment.open(tmp_path / "segment-0001.db", identity(), entropy)
    assert again is not None
    assert (again.unsealed, again.tree, again.next_seq, again.next_bseq) == (2, segment.tree, 5, 5)
    again.close()


async def test_a_checkpoint_is_made_within_a_minute_and_not_without_entries(
    tmp_path: Path, clock: ManualClock
):
    heads: asyncio.Queue[Checkpoint] = asyncio.Queue()
    ship = record(tmp_path, clock)
    ship.on_seal(heads.put_nowait)
    await ship.start()
    assert (await heads.get()).size == 1
    await ship.submit(alert("d1"))
    await clock.advance(30)
    await ship.submit(alert("d1"))
    await clock.advance(29)
    await ship.submit(alert("d1"))
    assert heads.empty()
    await clock.advance(1)
    async with asyncio.timeout(PATIENCE_S):
        head = await heads.get()
    assert head.size == 4
    assert opened(head.note, KEY.public_key(), origin=f"{ORIGIN}/1") == head
    await clock.advance(600)
    await ship.stop()
    assert heads.empty()


async def test_sealing_on_request_covers_what_was_recorded(ship: Record):
    heads: list[int] = []
    ship.on_seal(lambda head: heads.append(head.size))
    await ship.submit(alert("d1"))
    assert (await ship.seal()).size == 2
    assert (await ship.seal()).size == 2
    await ship.submit(alert("d1"))
    assert [head.size for head in await asyncio.gather(ship.seal(), ship.seal())] == [3, 3]
    assert heads == [2, 3]


async def test_stopping_writes_and_seals_what_was_queued(tmp_path: Path):
    ship = record(tmp_path)
    heads: list[int] = []
    ship.on_seal(lambda head: heads.append(head.size))
    await ship.start()
    future = ship.submit(alert("d1"))
    await ship.stop()
    assert (await future).seq == 2
    assert heads[-1] == 2


async def test_entries_by_every_filter(ship: Record, clock: ManualClock):
    drafts = [alert("d1"), breach(), alert("d2"), result("epirb"), alert("d1", "N")]
    written = []
    for draft in drafts:
        written.append(await ship.submit(draft))
        await clock.advance(60)

    async def seqs(**terms: object) -> list[int]:
        return [entry.seq for entry in await ship.entries(Query(**terms))]  # type: ignore[arg-type]

    assert await seqs() == [1, 2, 3, 4, 5, 6]
    assert await seqs(after=2, before=6) == [3, 4, 5]
    assert await seqs(limit=2) == [1, 2]
    assert await seqs(limit=2, newest_first=True) == [6, 5]
    assert await seqs(limit=0) == []
    assert await seqs(type="alert.changed") == [2, 4, 6]
    assert await seqs(kind=".10") == [5]
    assert await seqs(subject="d1", type="alert.changed") == [2, 6]
    assert await seqs(classification=Classification.SSO) == [3]
    assert await seqs(classification=Classification.WATCH, after=1) == [2, 4, 5, 6]
    assert await seqs(since="2026-11-22T02:11:00.000Z", until="2026-11-22T02:13:00.000Z") == [3, 4]
    assert await ship.entries(Query(after=1)) == written


async def test_parts_and_evidence_are_kept_beside_the_entry(ship: Record):
    first = await ship.submit(result("epirb", raw=b"$GPGGA" * 100))
    second = await ship.submit(result("ssas", raw=b"$GPGGA" * 100, sso=True))
    assert first.evidence == second.evidence
    assert await ship.evidence(first.evidence[0].sha256) == b"$GPGGA" * 100
    assert await ship.evidence("00" * 32) is None
    assert await ship.part(first.seq, Classification.SSO) == {
        "place": "where epirb is",
        "millivolts": 24600,
    }
    assert await ship.part(first.seq, Classification.WATCH) is None
    assert first.parts != second.parts


async def test_equal_parts_cannot_be_told_by_their_hashes(ship: Record):
    first, second = await asyncio.gather(ship.submit(result("epirb")), ship.submit(result("epirb")))
    assert first.parts["sso"] != second.parts["sso"]


async def test_a_cursor_is_kept_by_a_seal_that_has_nothing_to_sign(
    tmp_path: Path, clock: ManualClock
):
    ship = record(tmp_path, clock)
    await ship.start()
    await ship.seal()
    ship.set_cursor("event", 7)
    await ship.seal()
    await ship.stop()
    again = record(tmp_path, clock)
    await again.start()
    assert await again.cursor("event") == 7
    await again.stop()


async def test_a_cursor_is_kept_within_a_second(tmp_path: Path, clock: ManualClock):
    ship = record(tmp_path, clock)
    await ship.start()
    assert await ship.cursor("event") is None
    ship.set_cursor("event", 0)
    assert await ship.cursor("event") == 0
    ship.set_cursor("event", 7)
    assert await ship.cursor("event") == 7
    reader = Segment.open(tmp_path / "segment-0001.db", identity(), FixedEntropy())
    assert reader is not None
    assert reader.carried().cursors == ()
    await clock.advance(1.0)
    await ship.seal()  # the writer does one thing after the other
    assert reader.carried().cursors == (("event", 7),)
    reader.close()
    ship.set_cursor("event", 8)
    await ship.stop()
    again = record(tmp_path, clock)
    await again.start()
    assert await again.cursor("event") == 8
    await again.stop()


async def test_a_cursor_goes_along_with_the_next_entry(ship: Record, tmp_path: Path):
    ship.set_cursor("event", 3)
    await ship.submit(alert("d1"))
    reader = Segment.open(tmp_path / "segment-0001.db", identity(), FixedEntropy())
    assert reader is not None
    assert reader.carried().cursors == (("event", 3),)
    reader.close()


async def test_the_next_segment_goes_on_and_commits_to_the_last(tmp_path: Path):
    ship = record(tmp_path)
    heads: list[Checkpoint] = []
    ship.on_seal(heads.append)
    await ship.start()
    await asyncio.gather(
        *map(ship.submit, [alert("d1", instance=4), breach(), result("epirb"), alert("d2", "N")])
    )
    ship.set_cursor("event", 2)
    await ship.rotate("yearly")
    entry = await ship.submit(alert("d3"))
    assert (entry.segment, entry.seq, entry.bseq) == (2, 7, 6)
    [opening] = await ship.entries(Query(after=5, limit=1))
    old = next(head for head in heads if head.size == 5)
    assert opening.open["reason"] == "yearly"
    assert (opening.open["first_seq"], opening.open["first_bseq"]) == (6, 5)
    assert opening.open["previous"] == {
        "segment": 1,
        "size": 5,
        "root": old.root.hex(),
        "note_sha256": old.digest(),
        "sealed": 5,
        "lost": None,
    }
    assert set(await ship.state("alert")) == {"d1.opened", "d3.opened"}
    assert set(await ship.state("result")) == {"epirb"}
    assert await ship.state("highest") == {"instance": {"value": 4}}
    assert await ship.cursor("event") == 2
    assert [each.bseq for each in await ship.events(after_bseq=1, limit=10)] == [2, 3, 4, 5, 6]
    assert [each.seq for each in await ship.entries(Query(newest_first=True, limit=3))] == [7, 6, 5]
    assert await ship.part(4, Classification.SSO) is not None
    await ship.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "segment-0001.db",
        "segment-0002.db",
    ]


async def test_power_lost_while_a_segment_is_made_costs_nothing(tmp_path: Path):
    (tmp_path / "segment-0001.db").touch()
    ship = record(tmp_path)
    await ship.start()
    await ship.submit(alert("d1"))
    await ship.stop()
    (tmp_path / "segment-0002.db").touch()
    again = record(tmp_path)
    await again.start()
    entry = await again.submit(alert("d2"))
    assert (entry.segment, entry.seq) == (2, 4)
    assert set(await again.state("alert")) == {"d1.opened", "d2.opened"}
    await again.stop()


acts = st.lists(
    st.one_of(
        st.builds(
            alert, st.sampled_from(["d1", "d2", "d3"]), st.sampled_from("NVSAOU"), st.integers(0, 9)
        ),
        st.builds(result, st.sampled_from(["epirb", "ais"]), st.sampled_from(["passed", "failed"])),
        st.builds(
            lambda station, person: Draft(
                kind="system",
                type="watch.taken",
                subject=station,
                classification=Classification.WATCH,
                open={"station": station, "person": person},
            ),
            st.sampled_from(["bridge", "gangway"]),
            st.sampled_from(["A", "B"]),
        ),
        st.just("rotate"),
    ),
    max_size=20,
)


def expected(drafts: list[Draft]) -> dict[str, dict[str, object]]:
    """The state in the plainest words that the brief has for it."""
    state: dict[str, dict[str, object]] = {"alert": {}, "result": {}, "station": {}, "highest": {}}
    for draft in drafts:
        if draft.type == "test.result":
            state["result"][draft.subject] = draft.open
        elif draft.type == "watch.taken":
            state["station"][draft.subject] = draft.open
        else:
            state["alert"][str(draft.open["id"])] = draft.open
            if draft.open["state"] == "N":
                del state["alert"][str(draft.open["id"])]
            known = state["highest"].get("instance", {"value": -1})
            if draft.open["instance"] > known["value"]:  # type: ignore[index, operator]
                state["highest"]["instance"] = {"value": draft.open["instance"]}
    return state


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=acts, together=st.booleans())
async def test_the_state_is_what_the_entries_say_and_can_be_rebuilt(
    tmp_path_factory: pytest.TempPathFactory, acts: list[Draft | str], together: bool
):
    directory = tmp_path_factory.mktemp("record")
    ship = record(directory)
    await ship.start()
    for act in acts:
        if isinstance(act, str):
            await ship.rotate(act)
        else:
            future = ship.submit(act)
            if not together:
                await future
    await ship.drained()
    wanted = expected([act for act in acts if isinstance(act, Draft)])
    assert {kind: await ship.state(kind) for kind in wanted} == wanted
    await ship.stop()
    segment = Segment.open(max(directory.glob("*.db")), identity(), FixedEntropy())
    assert segment is not None
    stored = segment.carried().state
    segment.rebuild()
    assert segment.carried().state == stored
    segment.close()


async def test_a_second_daemon_is_refused(ship: Record, tmp_path: Path):
    other = record(tmp_path)
    with pytest.raises(RecordError, match="another ispsd is writing"):
        await other.start()
    await other.stop()
    assert (await ship.submit(alert("d1"))).seq == 2


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"key": OTHER_KEY}, "newest checkpoint cannot be trusted.*not signed by this key"),
        ({"origin": "ispsd/9999993"}, "is of demo/9999993/1, this ship writes ispsd/9999993/1"),
    ],
)
async def test_another_key_or_ship_does_not_go_on_with_a_record(
    tmp_path: Path, options: dict[str, object], reason: str
):
    ship = record(tmp_path)
    await ship.start()
    await ship.stop()
    before = (tmp_path / "segment-0001.db").read_bytes()
    other = record(tmp_path, **options)
    with pytest.raises(RecordError, match=reason):
        await other.start()
    assert not other.health().writable
    await other.stop()
    assert (tmp_path / "segment-0001.db").read_bytes() == before


async def test_asking_a_record_that_is_not_open_is_an_error(tmp_path: Path):
    ship = record(tmp_path)
    with pytest.raises(RecordError, match="not open"):
        await ship.entries(Query())
    await ship.stop()


async def test_what_is_submitted_before_the_start_is_written_first(tmp_path: Path):
    ship = record(tmp_path)
    future = ship.submit(alert("d1"))
    assert ship.health().pending == 1
    await ship.start()
    assert (await future).seq == 2
    await ship.stop()


async def test_a_closed_record_says_so_and_never_hangs(tmp_path: Path):
    ship = record(tmp_path)
    await ship.start()
    await ship.stop()
    for refused in (
        ship.submit(alert("d1")),
        ship.seal(),
        ship.rotate("test"),
        ship.cursor("event"),
    ):
        with pytest.raises(RecordError, match=r"record is (closed|not open)"):
            await refused


async def test_a_record_that_was_never_started_stops_and_tells_who_waits(tmp_path: Path):
    ship = record(tmp_path / "record")
    future = ship.submit(alert("d1"))
    await ship.stop()
    with pytest.raises(RecordError, match="never opened"):
        await future
    assert not (tmp_path / "record").exists()


async def test_what_is_asked_while_it_stops_is_answered(tmp_path: Path):
    ship = record(tmp_path)
    await ship.start()
    futures = [ship.submit(alert(f"d{number}")) for number in range(1200)]
    sealing = asyncio.ensure_future(ship.seal())
    await futures[0]
    await ship.stop()
    assert [(await future).seq for future in futures] == list(range(2, 1202))
    assert (await sealing).size > 1


async def test_damaged_evidence_is_an_error_for_the_reader(ship: Record, tmp_path: Path):
    entry = await ship.submit(result("epirb", raw=b"$GPGGA"))
    db = apsw.Connection(str(tmp_path / "segment-0001.db"))
    db.execute("DROP TRIGGER evidence_no_update; UPDATE evidence SET body = x'00'")
    db.close()
    with pytest.raises(RecordError, match="damaged"):
        await ship.evidence(entry.evidence[0].sha256)


@pytest.mark.parametrize("table", ["entry", "part", "evidence", "checkpoint"])
@pytest.mark.parametrize("act", ["DELETE FROM {}", "UPDATE {} SET {} = 1"])
async def test_a_slip_of_the_hand_is_stopped_by_the_file_itself(
    tmp_path: Path, table: str, act: str
):
    ship = record(tmp_path)
    await ship.start()
    await ship.submit(result("epirb", raw=b"$GPGGA"))
    await ship.stop()
    column = {"entry": "seq", "part": "seq", "evidence": "size", "checkpoint": "size"}[table]
    db = apsw.Connection(str(tmp_path / "segment-0001.db"))
    with pytest.raises(apsw.ConstraintError, match=f"append-only: {table}"):
        db.execute(act.format(table, column))
    db.close()


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("alert.changed", {"state": "V"}),
        ("alert.changed", {"id": 1, "state": "V"}),
        ("alert.changed", {"id": "d1", "state": "V", "instance": "1"}),
        ("test.result", {"outcome": "passed"}),
        ("watch.taken", {"station": None}),
    ],
)
def test_an_entry_of_a_known_type_has_what_the_state_needs(kind: str, shown: dict[str, Json]):
    draft = Draft(
        kind="system", type=kind, subject="x", classification=Classification.WATCH, open=shown
    )
    with pytest.raises(EntryError, match=f"{kind} on x: open lacks"):
        project(draft)


def test_an_unknown_type_changes_nothing():
    assert project(breach()) == ()
    assert project(replace(alert("d1"), open={"id": "d1", "state": "V"}))[0].id == "d1"


@pytest.mark.parametrize("read", [text, number, blob])
def test_a_value_of_another_type_in_the_file_is_an_error(read: Callable[[object], object]):
    with pytest.raises(RecordError, match="a float where the record has"):
        read(0.5)
