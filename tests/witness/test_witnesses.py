"""The ship asks her witnesses, keeps what they sign, tells what they refuse, and never waits for one."""

from __future__ import annotations

import asyncio
import base64
import io
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from daemon.computer import logs
from daemon.errors import RecordError
from daemon.record import cosignature, fold, selfcheck
from daemon.record.checkpoint import opened
from daemon.record.proofs import Leaves
from daemon.record.reader import Query
from daemon.record.witness import Status
from daemon.testing.worklist import ItemState
from daemon.witness.heads import HELD_S
from daemon.witness.witnesses import LONGEST_BACK_OFF_S, REFUSED_S
from tests.clocks import ManualClock
from tests.record.heads import NOON, WITNESS_KEY
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert
from tests.witness.aboard import Aboard, aboard, witness
from tests.witness.served import answering, made, served, true_utc, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.record.reader import Reader
    from daemon.record.witness_store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return made(tmp_path / "witness")


def rows(folder: Path) -> list[tuple[int, str, str]]:
    db = apsw.Connection(str(folder / "segment-0001.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(db.execute("SELECT size, name, line FROM cosignature ORDER BY size"))
    finally:
        db.close()


async def test_every_new_head_is_signed_and_kept_with_the_record(tmp_path: Path, store: Store):
    async with served(store.folder) as at:
        async with aboard(tmp_path / "record", witness(store, at)) as ship:
            for count in (1, 5, 30):
                head = await ship.grow(count)
                await ship.until_signed(head)
            await ship.until(lambda: ship.shown and ship.shown[-1].size == head.size)
            shown = ship.shown[-1]
            assert opened(shown.note, KEY.public_key(), origin=head.origin).size == head.size
            line, _ = cosignature.own_line(
                shown.note, store.name(), text=cosignature.body_of(head.note)
            )
        assert (head.size, store.name().name, line) in rows(tmp_path / "record")
        assert store.heads()[head.origin].size == head.size
    assert not store.refused()


async def test_what_a_witness_signed_anchors_the_daily_check_and_a_forged_line_fails_it(
    tmp_path: Path, store: Store
):
    folder, public = tmp_path / "record", tmp_path / "record-key.pub"
    public.write_text(VKEY + "\n")
    async with (
        served(store.folder) as at,
        aboard(folder, witness(store, at)) as ship,
    ):
        await ship.until_signed(await ship.grow(3))

    async def checked(*witnesses: str) -> tuple[str, str]:
        return await selfcheck.verified(folder, public_key=public, witnesses=witnesses)

    line = store.name().line()
    assert (await checked(line))[0] == "PASS"
    assert (await checked())[0] == "INCONCLUSIVE"
    other = made(tmp_path / "other").name().line()
    assert (await checked(other))[0] == "INCONCLUSIVE"
    db = apsw.Connection(str(folder / "segment-0001.db"))
    [trigger] = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'cosignature_no_update'")
    db.execute("DROP TRIGGER cosignature_no_update")
    forged = cosignature.cosign(WITNESS_KEY, name=store.name().name, text="x", time_s=1)
    own_id = base64.b64encode(store.name().id() + bytes(72)).decode()
    db.execute("UPDATE cosignature SET line = ?", (forged.replace(forged.split()[2], own_id),))
    db.execute(str(trigger[0]))
    db.close()
    word, sentence = await checked(line)
    assert word == "FAIL", sentence


async def test_after_a_restart_of_both_the_ship_goes_on_where_she_was(tmp_path: Path, store: Store):
    for count in (3, 4):
        async with (
            served(store.folder) as at,
            aboard(tmp_path / "record", witness(store, at)) as ship,
        ):
            await ship.until_signed(await ship.grow(count))
    assert not store.refused()
    sizes = [size for size, _, _ in rows(tmp_path / "record")]
    assert sizes == sorted(set(sizes))
    assert store.heads()[f"{ORIGIN}/1"].size == sizes[-1]


async def test_a_ship_that_forgot_what_the_witness_knows_is_told_and_goes_on(
    tmp_path: Path, store: Store
):
    async with served(store.folder) as at, aboard(tmp_path / "record", witness(store, at)) as ship:
        await ship.until_signed(await ship.grow(3))
        each = ship.witnesses.standings[0]
        each.known.clear()
        head = await ship.grow(3)
        await ship.until_signed(head)
        assert each.down_since_s is None
    assert not store.refused()


async def test_the_end_of_a_segment_and_the_begin_of_the_next_are_both_signed(
    tmp_path: Path, store: Store
):
    async with served(store.folder) as at, aboard(tmp_path / "record", witness(store, at)) as ship:
        await ship.until_signed(await ship.grow(2))
        await ship.record.submit(alert("d2"))
        await ship.record.rotate("for a test")
        head = await ship.grow()
        assert head.origin == f"{ORIGIN}/2"
        each = ship.witnesses.standings[0]
        await ship.until_after(lambda: each.signed.get(head.origin, 0) >= head.size)
        first = store.heads()[f"{ORIGIN}/1"]
        assert first.size == max(
            entry.seq for entry in await ship.record.entries(Query(limit=99)) if entry.segment == 1
        )


async def test_an_end_that_cannot_be_signed_does_not_hold_up_what_is_written_now(
    tmp_path: Path, store: Store
):
    """The witness knows another end of the segment before, or does not trust its key any more."""
    async with (
        served(store.folder) as at,
        aboard(tmp_path / "record", witness(store, at)) as ship,
    ):
        await ship.until_signed(await ship.grow(2))
        path = store.folder / "heads" / "demo_9999993_1.note"
        path.write_text("damaged")  # from now on it answers 503 for this ship
        await ship.record.submit(alert("d2"))
        await ship.record.rotate("for a test")
        head = await ship.grow()
        each = ship.witnesses.standings[0]
        await ship.until_after(lambda: each.put_off)
        path.unlink()
        await ship.until_after(lambda: each.signed.get(head.origin, 0) >= head.size)


async def test_a_record_that_opens_late_is_signed_then(tmp_path: Path, store: Store):
    clock = ManualClock(utc=true_utc())
    async with served(store.folder) as at:
        ship = Aboard(tmp_path / "record", clock, witness(store, at))
        running = asyncio.ensure_future(ship.witnesses.run())
        try:
            await ship.until(clock.next_due_s)
            await ship.record.start()
            head = await ship.grow()
            each = ship.witnesses.standings[0]
            await ship.until_after(lambda: each.signed.get(head.origin, 0) >= head.size)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await ship.record.stop()


async def test_an_unreachable_witness_costs_two_lines_and_is_asked_again(
    tmp_path: Path, store: Store
):
    async with answering(lambda *_: asyncio.sleep(0)) as dead:
        pass
    lines = io.StringIO()
    clock = ManualClock(utc=true_utc())
    logs.configure(json=True, utc=clock.utc, stream=lines)
    async with aboard(tmp_path / "record", witness(store, dead), clock=clock) as ship:
        head = await ship.grow()
        each = ship.witnesses.standings[0]
        for _ in range(20):
            await ship.until(lambda: each.down_since_s is not None and clock.next_due_s())
            await clock.advance(LONGEST_BACK_OFF_S)
        async with served(store.folder, port=dead.port):
            await ship.until_after(lambda: each.signed.get(head.origin, 0) >= head.size)
            await ship.until(lambda: each.down_since_s is None)
        assert lines.getvalue().count('"witness.down"') == 1
        assert lines.getvalue().count('"witness.up"') == 1


async def test_a_dead_witness_does_not_hold_up_the_living(tmp_path: Path, store: Store):
    other = made(tmp_path / "other", name="shore.example")

    async def silent(_: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with (
        answering(silent) as dead,
        served(store.folder) as at,
        aboard(tmp_path / "record", witness(other, dead, "shore"), witness(store, at)) as ship,
    ):
        for _ in range(3):
            await ship.until_signed(await ship.grow(), by=1)
        assert ship.witnesses.standings[0].signed == {}


async def test_a_wrong_signature_is_not_kept(tmp_path: Path, store: Store):
    forged: list[bytes] = []

    async def lies(request: bytes, writer: asyncio.StreamWriter) -> None:
        note = request.decode().partition("\r\n\r\n")[2].partition("\n\n")[2]
        text = cosignature.body_of(note)
        line = cosignature.cosign(OTHER_KEY, name=store.name().name, text=text, time_s=1)
        forged.append(request)
        writer.write(whole(200, line))

    async with (
        answering(lies) as at,
        aboard(tmp_path / "record", witness(store, at)) as ship,
    ):
        await ship.grow()
        await ship.until(lambda: ship.witnesses.standings[0].down_since_s is not None)
        assert forged
        assert not ship.witnesses.standings[0].signed
        assert not ship.shown
        assert not ship.witnesses.refused
    assert rows(tmp_path / "record") == []


@pytest.mark.parametrize(
    "answer",
    [(409, "x\n"), (409, "0\n"), (409, "999999\n"), (409, ""), (404, "who?"), (403, ""), (500, "")],
)
async def test_an_answer_that_proves_nothing_is_an_outage_and_no_accusation(
    tmp_path: Path, store: Store, answer: tuple[int, str]
):
    heard: list[bytes] = []

    async def says(request: bytes, writer: asyncio.StreamWriter) -> None:
        heard.append(request)
        writer.write(whole(*answer))

    async with (
        answering(says) as at,
        aboard(tmp_path / "record", witness(store, at)) as ship,
    ):
        await ship.grow()
        await ship.until(lambda: ship.witnesses.standings[0].down_since_s is not None)
        assert not ship.witnesses.refused
        assert not ship.heads.parted
        assert "witness.refused" not in await ship.types()
        assert len(heard) <= 8  # it is not asked in a tight loop


async def test_a_witness_that_shows_an_old_head_and_claims_more_is_not_asked_in_a_loop(
    tmp_path: Path, store: Store
):
    heard: list[bytes] = []
    note = ""

    async def says(request: bytes, writer: asyncio.StreamWriter) -> None:
        heard.append(request)
        writer.write(whole(200, note) if request.startswith(b"GET") else whole(409, "999999\n"))

    async with (
        answering(says) as at,
        aboard(tmp_path / "record", witness(store, at)) as ship,
    ):
        note = (await ship.grow()).note
        await ship.until(lambda: ship.witnesses.standings[0].down_since_s is not None)
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert len(heard) <= 6
        assert not ship.witnesses.refused


def another_history(store: Store, ship: Aboard, size: int) -> None:
    """Have the witness sign another history of the ship, as if her key had signed it ashore."""
    other = Leaves(f"other {number}".encode() for number in range(size))
    from daemon.record import checkpoint
    from daemon.record.cosignature import Request

    head = checkpoint.sign(KEY, origin=f"{ORIGIN}/1", size=size, root=other.root(size))
    assert store.answer(Request(0, (), head.note).encode(), utc=NOON).status == Status.SIGNED


@pytest.mark.parametrize("size", [2, 3])
async def test_a_ship_with_two_histories_is_refused_and_says_so_once(
    tmp_path: Path, store: Store, size: int
):
    clock = ManualClock(utc=true_utc())
    async with (
        served(store.folder) as at,
        aboard(tmp_path / "record", witness(store, at), clock=clock) as ship,
    ):
        await ship.until(lambda: ship.witnesses.standings[0].signed)
        shutil.rmtree(store.folder / "heads")
        (store.folder / "heads").mkdir()
        another_history(store, ship, size)
        head = await ship.grow(2)
        assert head.size == 3
        await ship.until(lambda: ship.witnesses.refused)
        await ship.until(lambda: ship.heads.parted)
        for _ in range(3):
            await clock.advance(REFUSED_S)
        types = await ship.types()
        assert types.count("witness.refused") == 1
        assert types.count("record.behind") == 1
        [entry] = await ship.record.entries(Query(type="record.behind"))
        assert entry.open["found"] == "of another history"
        # Both notes, the witness's here and our own there, are signed by the ship's key.
        assert opened(str(entry.open["note"]), KEY.public_key(), origin=head.origin).size == size
        assert [item.state for item in ship.witnesses.to_do()] == [ItemState.DEFECT]
        assert [held_by for _, held_by in ship.lost] == ["the witness wheelhouse"]
    assert store.refused()


async def test_a_refusal_outlives_a_restart_and_ends_when_the_witness_signs_again(
    tmp_path: Path, store: Store
):
    async with served(store.folder) as at:
        other = store.folder.with_name("aside")
        another_history(store, None, 2)  # type: ignore[arg-type]
        async with aboard(tmp_path / "record", witness(store, at)) as ship:
            await ship.grow(2)
            await ship.until(lambda: ship.heads.parted)
        async with aboard(tmp_path / "record", witness(store, at)) as ship:
            await ship.until(lambda: ship.witnesses.refused and ship.heads.parted)
            (store.folder / "heads").replace(other)  # a person put the witness right
            (store.folder / "heads").mkdir()
            await ship.until_after(lambda: not ship.witnesses.refused)
            assert "witness.agreed" in await ship.types()
            assert (
                ship.heads.parted
            )  # the other head is still there: a new segment must say what of it
            await ship.record.rotate("after two histories were found")
            await ship.until(lambda: not ship.heads.parted)


async def test_a_restored_copy_learns_what_it_has_forgotten(tmp_path: Path, store: Store):
    folder, copy = tmp_path / "record", tmp_path / "copy"
    async with served(store.folder) as at:
        async with aboard(folder, witness(store, at)) as ship:
            await ship.until_signed(await ship.grow(3))
        shutil.copytree(folder, copy)
        async with aboard(folder, witness(store, at)) as ship:
            newest = await ship.grow(3)
            await ship.until_signed(newest)
        async with aboard(copy, witness(store, at)) as ship:
            await ship.grow()
            await ship.until(lambda: ship.lost)
            await ship.record.drained()
            [(note, held_by)] = ship.lost
            assert note.startswith(newest.note)
            assert held_by == "the witness wheelhouse"
            [entry] = await ship.record.entries(Query(type="record.behind"))
            assert entry.open["found"] == "newer than ours"
            assert entry.open["held_by"] == "the witness wheelhouse"


async def test_a_head_that_a_new_segment_has_settled_stands_no_more_after_a_restart(
    tmp_path: Path, store: Store
):
    """The entry about it stands in the new segment, behind the entry that settles it."""
    folder, copy = tmp_path / "record", tmp_path / "copy"
    async with served(store.folder) as at:
        async with aboard(folder, witness(store, at)) as ship:
            await ship.until_signed(await ship.grow(3))
        shutil.copytree(folder, copy)
        async with aboard(folder, witness(store, at)) as ship:
            await ship.until_signed(await ship.grow(3))
        async with aboard(copy, witness(store, at), parts=True) as ship:
            await ship.until(lambda: ship.lost)
            head = await ship.grow()
            assert head.origin == f"{ORIGIN}/2"
            [entry] = await ship.record.entries(Query(type="record.behind"))
            assert entry.segment == 2
            assert await ship.record.state(fold.BEHIND)
            await ship.clock.advance(HELD_S)
            assert not ship.heads.parted
    async with aboard(copy, witness(store, None)) as ship:
        await ship.heads.take_up()
        assert not ship.heads.parted


@pytest.mark.parametrize("ahead_s", [None, 2 * 24 * 3600, 2**62], ids=["1970", "two days", "2^62"])
async def test_a_signature_of_a_time_that_cannot_be_is_not_kept_and_told_once(
    tmp_path: Path, store: Store, ahead_s: int | None
):
    log = io.StringIO()
    logs.configure(json=True, utc=ManualClock().utc, stream=log)
    clock = ManualClock()
    time_s = 1 if ahead_s is None else int(clock.utc().timestamp()) + ahead_s
    asked: list[bytes] = []

    async def signs(request: bytes, writer: asyncio.StreamWriter) -> None:
        if not request.startswith(b"POST"):
            writer.write(whole(404, ""))
            return
        note = request.decode().partition("\r\n\r\n")[2].partition("\n\n")[2]
        asked.append(request)
        text = cosignature.body_of(note)
        name = store.name().name
        writer.write(
            whole(200, cosignature.cosign(WITNESS_KEY, name=name, text=text, time_s=time_s))
        )

    key = cosignature.Verifier(store.name().name, WITNESS_KEY.public_key(), cosignature.COSIGNATURE)
    async with (
        answering(signs) as at,
        aboard(tmp_path / "record", replace(witness(store, at), key=key), clock=clock) as ship,
    ):
        await ship.grow()
        await ship.until_after(lambda: len(asked) > 2)
        each = ship.witnesses.standings[0]
        assert each.down_since_s is not None
        assert not each.signed
        assert not ship.shown
        if ahead_s is not None:  # when that time has nearly come, it is one that can be
            time_s = int(clock.utc().timestamp()) + 24 * 3600
            await ship.until_after(lambda: each.signed)
    assert bool(rows(tmp_path / "record")) is (ahead_s is not None)
    assert log.getvalue().count("signed at a time that cannot be") == 1


async def test_the_head_that_is_shown_never_goes_back(tmp_path: Path, store: Store):
    """A newer head is sealed while the lines below an older one are fetched."""
    async with (
        served(store.folder) as at,
        aboard(tmp_path / "record", witness(store, at)) as ship,
    ):
        first = await ship.grow()
        await ship.until_signed(first)
        await ship.until(lambda: ship.shown and ship.shown[-1].size == first.size)
        ask, newer = ship.record.ask, []

        async def overtaken(question: Callable[[Reader], Any]) -> Any:
            found = await ask(question)
            if not newer:
                newer.append(replace(first, size=first.size + 1))
                ship.witnesses.keeping.newest[first.origin] = newer[0]
            return found

        shown = len(ship.shown)
        ship.record.ask = overtaken  # type: ignore[method-assign]
        await ship.witnesses.keeping.show()
        del ship.record.ask
        assert newer
        assert len(ship.shown) == shown


async def test_a_day_without_a_signature_is_a_line_on_the_list(tmp_path: Path, store: Store):
    clock = ManualClock()
    async with aboard(tmp_path / "record", witness(store, None), clock=clock) as ship:
        await ship.grow()
        await clock.advance(24 * 3600)
        assert ship.witnesses.to_do() == []
        await clock.advance(1)
        [item] = ship.witnesses.to_do()
        assert item.state is ItemState.OVERDUE
        assert item.what == (
            "no witness has signed the record since 2026-11-22T02:10:00.000Z (wheelhouse)"
        )
    async with aboard(tmp_path / "record", witness(store, None), clock=clock) as ship:
        await ship.until(ship.witnesses.to_do)  # over a restart too
    async with aboard(tmp_path / "record", clock=clock) as ship:
        await clock.advance(0)
        assert ship.witnesses.to_do() == []  # who has no witness is not told of it every day


async def test_a_signature_counts_from_when_it_was_given_over_a_restart(
    tmp_path: Path, store: Store
):
    clock = ManualClock(utc=true_utc() - timedelta(hours=1))
    async with (
        served(store.folder) as at,
        aboard(tmp_path / "record", witness(store, at), clock=clock) as ship,
    ):
        await ship.until_signed(await ship.grow())
    # The witness's own clock is ahead: what it says is never in the future.
    async with aboard(tmp_path / "record", witness(store, None), clock=clock) as ship:
        await ship.until(lambda: ship.witnesses.standings[0].last_s is not None)
        assert ship.witnesses.standings[0].last_s <= clock.now_s()
        await clock.advance(24 * 3600)
        assert ship.witnesses.to_do() == []
        await clock.advance(1)
        assert ship.witnesses.to_do()


async def test_a_disk_that_fails_is_not_the_witness_s_fault(tmp_path: Path, store: Store):
    async with (
        served(store.folder) as at,
        aboard(tmp_path / "record", witness(store, at)) as ship,
    ):
        await ship.until_signed(await ship.grow())

        async def fails(*_: object) -> bool:
            raise RecordError("disk")

        ship.record.cosigned = fails  # type: ignore[method-assign]
        head = await ship.grow()
        await ship.until(lambda: store.heads()[head.origin].size == head.size)
        await ship.until(ship.clock.next_due_s)
        del ship.record.cosigned
        each = ship.witnesses.standings[0]
        assert each.down_since_s is None
        await ship.until_after(lambda: each.signed.get(head.origin, 0) >= head.size)
    assert [row[0] for row in rows(tmp_path / "record")][-1] == head.size


async def test_a_signature_by_another_key_of_the_same_name_is_not_this_witness_s(
    tmp_path: Path, store: Store
):
    other = made(tmp_path / "other")
    async with (
        served(store.folder) as at,
        aboard(tmp_path / "record", witness(store, at)) as ship,
    ):
        await ship.until_signed(await ship.grow())
    for key, counts in ((other.name(), False), (store.name(), True)):
        known = replace(witness(store, None), key=key)
        async with aboard(tmp_path / "record", known) as ship:
            await (
                ship.witnesses._take_up()
            )  # nobody is reached: that all were asked tells nothing of it
            each = ship.witnesses.standings[0]
            assert (each.last_s is not None) is counts
            assert bool(each.signed) is counts
