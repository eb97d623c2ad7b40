"""The daemon's side of an export: who may, what is written down, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import stat
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, Person, Role
from daemon.papers import desk
from daemon.papers.desk import ExportDesk
from daemon.people.claims import By
from daemon.people.people import People
from daemon.people.proofs import Proofs
from daemon.record import snapshot
from daemon.record.entry import Proof
from daemon.record.log import Record
from daemon.record.reader import Query, Reader
from tests.clocks import FixedEntropy, ManualClock
from tests.papers.rig import KEY, MASTER, MATE, ORIGIN, PARTICULARS, result
from tests.pins import FAST, PIN, give_pins
from tests.soon import PATIENCE_S, soon

PERSONS = (
    Person(MATE, "C/O", frozenset({Role.OFFICER, Role.SSO})),
    Person(MASTER, "Master", frozenset({Role.MASTER})),
    Person("M. Petrov", "3/O", frozenset({Role.OFFICER})),
)
BEGIN = {
    "do": "export.begin",
    "what": "test-log",
    "format": "pdf",
    "from": "2026-11-01T00:00Z",
    "to": "2026-12-01T00:00Z",
    "to_whom": "J. Doe, PSC",
    "by": MATE,
}
DONE = {"do": "export.done", "sha256": "ab" * 32, "bytes": 4711, "pages": 6, "verdict": "PASS"}


class Rig:
    def __init__(self, folder, clock, *, announces=False):
        self.folder = folder
        self.clock = clock
        self.record = Record(
            folder / "record",
            origin=ORIGIN,
            key=KEY,
            clock=clock,
            entropy=FixedEntropy(),
            software="26.1",
            configuration="c0" * 32,
        )
        self.held = "a note that the broker holds\n"
        give_pins(folder / "persons.json", [person.name for person in PERSONS])
        self.proofs = Proofs(
            folder / "persons.json", clock=clock, entropy=FixedEntropy(), hardness=FAST
        )
        self.desk = ExportDesk(
            record=self.record,
            directory=folder / "record",
            public_key=folder / "record-key.pub",
            people=People(PERSONS, proofs=self.proofs, journal=self.record if announces else None),
            particulars=lambda: PARTICULARS,
            held_head=self.head,
            digest=self.digest,
            clock=clock,
            entropy=FixedEntropy(),
        )

    async def digest(self):
        return {"v": 1}

    async def head(self):
        return self.held

    async def ask(self, request):
        given = {"pin": PIN} if "by" in request else {}
        return await self.desk.requests()[request["do"]]({**given, **request})

    async def newest(self, count=1):
        await self.record.drained()
        return await self.record.entries(Query(newest_first=True, limit=count))

    async def until(self, type_):
        """Return the newest entry as soon as it is of a type."""
        async with asyncio.timeout(PATIENCE_S):
            while (newest := (await self.newest())[0]).type != type_:  # noqa: ASYNC110 (a file has no event to give)
                await asyncio.sleep(0)
        return newest

    def left(self):
        place = self.folder / desk.FOLDER
        return sorted(each.name for each in place.iterdir()) if place.exists() else []


@asynccontextmanager
async def rig(folder, clock=None, *, announces=False):
    """Give a desk; ``announces``: the record is told whose key is whose, as a whole ship's is."""
    made = Rig(folder, clock or ManualClock(), announces=announces)
    await made.record.start()
    await made.proofs.open()
    try:
        yield made
    finally:
        await made.record.stop()


async def test_an_export_is_an_entry_before_it_begins_and_another_when_it_is_written(tmp_path):
    async with rig(tmp_path) as ship:
        lent = await ship.ask({**BEGIN, "what": "psc", "consent": MASTER})
        [begun] = await ship.newest()
        assert begun.seq == lent["recorded"]
        assert (begun.type, begun.actor.person, begun.bseq) == ("record.exported", MATE, None)
        assert begun.actor.proof is Proof.SIGNATURE
        beside = {"signed", "said_at"}
        assert beside <= begun.open.keys()
        assert {k: v for k, v in begun.open.items() if k not in beside} == {
            "what": "psc",
            "format": "pdf",
            "profile": "psc",
            "from": "2026-11-01T00:00:00.000Z",
            "to": "2026-12-01T00:00:00.000Z",
            "test": None,
            "to_whom": "J. Doe, PSC",
            "consent": MASTER,
            "consent_stated_by": MATE,
        }
        private = await ship.record.part(begun.seq, Classification.SSO)
        assert private == {"particulars": PARTICULARS}
        assert lent["anchors"] == [ship.held]
        answer = await ship.ask({**DONE, "id": lent["id"]})
        [written] = await ship.newest()
        assert (written.seq, written.type, written.actor.person) == (
            answer["recorded"],
            "export.written",
            MATE,
        )
        assert written.open == {
            "export": begun.seq, "sha256": "ab" * 32, "bytes": 4711, "pages": 6, "verdict": "PASS",
        }  # fmt: skip
        assert ship.left() == []


async def test_the_snapshot_holds_its_own_entry_sealed_and_nobody_else_may_read_it(tmp_path):
    async with rig(tmp_path) as ship:
        await ship.record.rotate("a test")
        lent = await ship.ask(BEGIN)
        folder = ship.folder / desk.FOLDER / ship.left()[0]
        assert str(folder) == lent["folder"]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert [each.name for each in sorted(folder.iterdir())] == [
            "segment-0001.db",
            "segment-0002.db",
        ]
        reader = Reader(folder)
        [newest] = reader.entries(Query(newest_first=True, limit=1))
        reader.close()
        assert newest.seq == lent["recorded"]
        head = snapshot.head(folder)
        assert head.first_seq + head.size - 1 == newest.seq
        await ship.ask({"do": "export.failed", "id": lent["id"], "reason": "x"})


@pytest.mark.parametrize("what", ["psc", "rso"])
async def test_a_pack_leaves_the_ship_only_with_the_masters_consent(tmp_path, what):
    async with rig(tmp_path) as ship:
        before = await ship.newest()
        for consent, words in (
            (None, "Master's consent only"),
            (MATE, "is not the Master"),
            ("Nobody", "not on the crew list"),
        ):
            asked = {**BEGIN, "what": what} | ({"consent": consent} if consent else {})
            with pytest.raises(RefusedError, match=words):
                await ship.ask(asked)
        assert await ship.newest() == before
        lent = await ship.ask({**BEGIN, "what": what, "by": MASTER})
        assert lent["consent"] == MASTER, "he who may consent does so by doing it"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"by": "M. Petrov"}, "may not export the record"),
        ({"by": "Nobody"}, "not on the crew list"),
        ({"by": None}, "by is wanted"),
        ({"what": "secrets"}, "what is one of"),
        ({"format": "docx"}, "format one of"),
        ({"to_whom": ""}, "to_whom is wanted"),
        ({"to_whom": "x" * (fields.LONGEST_TEXT + 1)}, "at most 400"),
        ({"from": "2026-12-01T00:00Z"}, "from must be earlier than to"),
        ({"from": "2026-11-01"}, "a moment with its zone"),
        ({"what": "test"}, "seq is wanted"),
    ],
)
async def test_what_is_not_asked_for_rightly_is_refused_and_leaves_nothing(tmp_path, change, words):
    async with rig(tmp_path) as ship:
        before = await ship.newest()
        with pytest.raises(RefusedError, match=words):
            await ship.ask(BEGIN | change)
        assert await ship.newest() == before
        assert ship.left() == []


async def test_the_anchor_is_what_others_held_before_the_export_was_written_and_sealed(tmp_path):
    async with rig(tmp_path) as ship:
        await ship.record.submit(result("t-a", ship.clock.utc()).draft)
        ship.held = (await ship.record.seal()).note
        seen = []

        async def head():
            seen.append((await ship.newest())[0].type)
            return ship.held

        ship.desk._held_head = head
        lent = await ship.ask(BEGIN)
        assert seen == ["test.result"]
        assert lent["anchors"] == [ship.held]
        assert snapshot.head(Path(lent["folder"])).note != ship.held


async def test_who_has_a_key_signs_that_he_exports_and_nothing_that_he_did_not_say(tmp_path):
    class Signing(By):
        def sign(self, draft):
            return replace(draft, actor=self.actor(), open={**draft.open, "signed": "by hand"})

    async with rig(tmp_path) as ship:

        async def prove(claim, act):
            return Signing(PERSONS[0], None, Proof.PIN)

        ship.desk._people.prove = prove
        lent = await ship.ask(BEGIN)
        await ship.ask({**DONE, "id": lent["id"]})
        ended, begun = await ship.newest(2)
        assert (begun.actor.proof, begun.open["signed"]) == (Proof.PIN, "by hand")
        assert (ended.actor.person, ended.actor.proof) == (MATE, Proof.NONE)
        assert "signed" not in ended.open


async def test_a_failed_export_is_an_entry_too(tmp_path):
    async with rig(tmp_path) as ship:
        lent = await ship.ask(BEGIN)
        await ship.ask(
            {"do": "export.failed", "id": lent["id"], "reason": "disk full at the stick"}
        )
        [failed] = await ship.newest()
        assert (failed.type, failed.open) == (
            "export.failed", {"export": lent["recorded"], "reason": "disk full at the stick"},
        )  # fmt: skip
        assert ship.left() == []
        with pytest.raises(RefusedError, match="no such export"):
            await ship.ask({**DONE, "id": lent["id"]})


async def test_no_room_for_a_snapshot_is_refused_and_recorded(tmp_path, monkeypatch):
    async with rig(tmp_path) as ship:
        monkeypatch.setattr(snapshot, "ROOM_BYTES", 2**62)
        with pytest.raises(RefusedError, match="the record needs the room itself"):
            await ship.ask(BEGIN)
        begun, failed = await ship.newest(2)
        assert {begun.type, failed.type} == {"record.exported", "export.failed"}
        assert ship.left() == []


async def test_a_disk_that_takes_no_entry_lends_nothing(tmp_path, monkeypatch):
    async with rig(tmp_path) as ship:

        def lost(_):
            future = asyncio.get_running_loop().create_future()
            future.set_exception(RecordError("no room left"))
            return future

        monkeypatch.setattr(ship.record, "submit", lost)
        with pytest.raises(RefusedError, match="an export is an entry first"):
            await ship.ask(BEGIN)
        assert ship.left() == []


async def test_only_three_at_once(tmp_path):
    async with rig(tmp_path) as ship:
        lent = [await ship.ask(BEGIN) for _ in range(desk.MOST_AT_ONCE)]
        with pytest.raises(RefusedError, match="3 exports are being made now"):
            await ship.ask(BEGIN)
        await ship.ask({**DONE, "id": lent[0]["id"]})
        await ship.ask(BEGIN)


async def test_only_three_at_once_also_where_all_ask_at_the_same_moment(tmp_path):
    async with rig(tmp_path) as ship:
        answers = await asyncio.gather(*(ship.ask(BEGIN) for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in answers].count(RefusedError) == 5 - desk.MOST_AT_ONCE
        assert len(ship.left()) == desk.MOST_AT_ONCE


@asynccontextmanager
async def sweeping(ship):
    task = asyncio.ensure_future(ship.desk.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_who_does_not_come_back_within_the_hour_loses_the_snapshot(tmp_path):
    async with rig(tmp_path) as ship, sweeping(ship):
        await soon(lambda: ship.clock.next_due_s() is not None)
        lent = await ship.ask(BEGIN)
        await ship.clock.advance(desk.LENT_S)
        assert len(ship.left()) == 1
        await ship.clock.advance(desk.SWEPT_EVERY_S)
        await soon(lambda: ship.left() == [])
        failed = await ship.until("export.failed")
        assert failed.open["reason"] == "nobody came back within an hour"
        with pytest.raises(RefusedError, match="its hour is over"):
            await ship.ask({**DONE, "id": lent["id"]})


async def test_what_a_stopped_daemon_left_is_cleared_and_recorded_at_the_next_start(tmp_path):
    async with rig(tmp_path) as ship:
        lent = await ship.ask(BEGIN)
        assert len(ship.left()) == 1
    (tmp_path / desk.FOLDER / "notes of the mate").mkdir()
    later = ManualClock(utc=ManualClock().utc() + timedelta(hours=1))
    async with rig(tmp_path, later) as ship, sweeping(ship):
        await soon(lambda: ship.clock.next_due_s() is not None)
        failed = await ship.until("export.failed")
        assert failed.open["export"] == lent["recorded"]
        assert failed.actor.person is None
        assert ship.left() == ["notes of the mate"], "what is not ours is left alone"
