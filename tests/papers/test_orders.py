"""A paper that is ordered on a page: made apart, told step by step, fetched in its own login, gone after an hour."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from daemon.errors import IspsdError, RefusedError
from daemon.papers import apart, desk, orders
from daemon.papers.orders import Orders
from daemon.papers.steps import Part, Step
from daemon.record import keys, snapshot
from tests.clocks import ManualClock
from tests.papers.rig import KEY, MASTER, MATE, ORIGIN, flat, result, text_of
from tests.papers.test_desk import BEGIN
from tests.papers.test_desk import rig as desk_rig
from tests.pins import PIN
from tests.soon import PATIENCE_S, soon

ORDER = {**BEGIN, "do": "export.order", "login": "a login", "pin": PIN}
BODY = b"%PDF a paper\n" * 200_000
"""More than two pieces."""
SAID = {
    "files": [{"name": "paper.pdf", "bytes": len(BODY), "sha256": sha256(BODY).hexdigest()}],
    "sha256": sha256(BODY).hexdigest(),
    "bytes": len(BODY),
    "pages": 6,
    "verdict": "PASS",
    "sentence": "Entries 1-7 of this record verified unaltered.",
}


class Maker:
    """Stands in for the process that makes papers."""

    def __init__(self) -> None:
        self.asked = []
        self.may_end = asyncio.Event()
        self.fails = None
        self.say = None

    async def __call__(self, asked, *, say):
        self.asked.append(asked)
        self.say = say
        await self.may_end.wait()
        if self.fails:
            raise self.fails
        with open(asked["out"], "wb") as file:  # noqa: ASYNC230, PTH123
            file.write(BODY)
        name = os.path.basename(asked["out"])  # noqa: PTH119
        return {**SAID, "files": [{**SAID["files"][0], "name": name}]}


@asynccontextmanager
async def rig(folder, make=None, clock=None):
    """Give a desk with a test in its record, and the orders over it."""
    async with desk_rig(folder, clock, announces=True) as ship:
        keys.write_public(folder / "record-key.pub", name=ORIGIN, key=KEY.public_key())
        await ship.record.submit(result("t-door", ship.clock.utc(), person=MATE).draft)
        ship.held = (await ship.record.seal()).note
        ship.orders = Orders(ship.desk, clock=ship.clock, make=make or apart.made)
        running = asyncio.ensure_future(ship.orders.run())
        await soon(lambda: ship.clock.next_due_s() is not None)
        try:
            yield ship
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def one(ship, **more):
    """Return how the only order of a login stands."""
    asked = {"login": "a login", "by": MATE, **more}
    [found] = (await ship.orders.progress(asked))["orders"]
    return found


async def ended(ship):
    async with asyncio.timeout(PATIENCE_S):
        while (found := await one(ship))["state"] == "running":  # noqa: ASYNC110 (it is asked as the page asks)
            await asyncio.sleep(0)
    return found


async def fetched(ship, id_, **more):
    """Return a file as a page fetches it, and the hash that its last piece names."""
    body, asked = b"", {"login": "a login", "by": MATE, "id": id_, **more}
    while True:
        piece = await ship.orders.fetch({**asked, "offset": len(body)})
        found = base64.b64decode(piece["body"])
        assert len(found) <= orders.PIECE
        body += found
        if "sha256" in piece:
            assert len(body) == piece["size"]
            return body, piece


async def test_a_real_pack_is_made_apart_and_is_the_one_that_its_entry_names(tmp_path):
    async with rig(tmp_path) as ship:
        seen = []
        make = ship.orders._make

        async def watched(asked, *, say):
            def both(step):
                seen.append(step)
                say(step)

            return await make(asked, say=both)

        ship.orders._make = watched
        ordered = await ship.orders.order({**ORDER, "what": "psc", "consent": MASTER})
        [begun] = await ship.newest()
        assert (begun.type, begun.seq) == ("record.exported", ordered["recorded"])
        done = await ended(ship)
        assert (done["state"], done["reason"], done["verdict"]) == ("ready", "", "PASS")
        body, last = await fetched(ship, ordered["id"])
        [written] = await ship.newest()
        assert (written.type, written.seq) == ("export.written", done["written"])
        assert written.open == {
            "export": begun.seq,
            "sha256": sha256(body).hexdigest(),
            "bytes": len(body),
            "pages": done["pages"],
            "verdict": "PASS",
        }
        assert (last["name"], last["media"]) == (f"psc-{begun.seq}.pdf", "application/pdf")
        assert last["sha256"] == sha256(body).hexdigest()
        assert flat(f"Released to J. Doe, PSC by C/O {MATE}") in flat(text_of(body))
        parts = [
            part
            for at, part in enumerate(each.part for each in seen)
            if at == 0 or part != seen[at - 1].part
        ]
        assert parts == [Part.READING, Part.VERIFYING, Part.SETTING, Part.WRITING]
        lists = [step.done for step in seen if step.part is Part.READING and step.done]
        assert lists == sorted(lists)
        assert lists[-1] == next(step.of for step in seen if step.of)


async def test_what_the_process_tells_is_what_the_page_is_told(tmp_path):
    maker = Maker()
    async with rig(tmp_path, maker) as ship:
        ordered = await ship.orders.order(ORDER)
        assert (await one(ship))["words"] == "taking a snapshot of the record"
        await soon(lambda: maker.say)
        maker.say(Step(Part.READING, 4, 34, 1200))
        found = await one(ship)
        assert (found["words"], found["done"], found["of"]) == (
            "reading the record: 1200 entries, list 4 of 34", 4, 34,
        )  # fmt: skip
        with pytest.raises(RefusedError, match="no such paper"):
            await fetched(ship, ordered["id"])
        maker.may_end.set()
        assert (await ended(ship))["state"] == "ready"
        assert (await fetched(ship, ordered["id"]))[0] == BODY
        assert [name.startswith("made-") for name in ship.left()] == [True]


@pytest.mark.parametrize("whose", [{"login": "another login"}, {"by": MASTER}])
async def test_nobody_else_and_no_other_login_sees_or_fetches_it(tmp_path, whose):
    maker = Maker()
    maker.may_end.set()
    async with rig(tmp_path, maker) as ship:
        ordered = await ship.orders.order(ORDER)
        await ended(ship)
        other = {"login": "a login", "by": MATE, "id": ordered["id"], "offset": 0, **whose}
        assert await ship.orders.progress(other) == {"orders": []}
        for refused in (ship.orders.fetch, ship.orders.cancel):
            with pytest.raises(RefusedError, match="no such paper in this login"):
                await refused(other)
        assert (await fetched(ship, ordered["id"]))[0] == BODY


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"offset": -1}, "offset is 0"),
        ({"offset": len(BODY) + 1}, "offset is 0"),
        ({"file": 1}, "file is 0 to 0"),
        ({"file": "../x"}, "file is 0 to 0"),
        ({"file": True}, "file is 0 to 0"),
    ],
)
async def test_only_pieces_of_its_own_files_are_handed_out(tmp_path, more, words):
    maker = Maker()
    maker.may_end.set()
    async with rig(tmp_path, maker) as ship:
        ordered = await ship.orders.order(ORDER)
        await ended(ship)
        with pytest.raises(RefusedError, match=words):
            await ship.orders.fetch(
                {"login": "a login", "by": MATE, "id": ordered["id"], "offset": 0, **more}
            )


async def test_a_paper_that_fails_says_why_and_is_an_entry(tmp_path):
    maker = Maker()
    maker.fails = IspsdError("/x/log.pdf: cannot be written: No space left on device\n")
    maker.may_end.set()
    async with rig(tmp_path, maker) as ship:
        ordered = await ship.orders.order(ORDER)
        found = await ended(ship)
        assert found["state"] == "failed"
        assert found["reason"] == "/x/log.pdf: cannot be written: No space left on device "
        [failed] = await ship.newest()
        assert (failed.type, failed.open) == (
            "export.failed", {"export": ordered["recorded"], "reason": found["reason"]},
        )  # fmt: skip
        assert found["written"] == failed.seq
        assert ship.left() == []


async def test_a_fault_of_our_own_is_no_paper_that_never_ends(tmp_path):
    maker = Maker()
    maker.fails = ZeroDivisionError("a bug")
    maker.may_end.set()
    async with rig(tmp_path, maker) as ship:
        await ship.orders.order(ORDER)
        assert (await ended(ship))["reason"] == "a fault of ispsd: ZeroDivisionError"
        assert (await ship.newest())[0].type == "export.failed"


@asynccontextmanager
async def held_process(monkeypatch):
    """Give the process of the next paper, stopped before it can end."""
    begun, processes = apart._started, []

    async def started():
        processes.append(await begun())
        os.kill(processes[-1].pid, signal.SIGSTOP)
        return processes[-1]

    monkeypatch.setattr(apart, "_started", started)
    yield processes
    for process in processes:
        assert process.returncode is not None, "it lives on"


async def test_a_process_that_is_killed_is_a_failed_export(tmp_path, monkeypatch):
    async with held_process(monkeypatch) as processes, rig(tmp_path) as ship:
        ordered = await ship.orders.order(ORDER)
        await soon(lambda: processes)
        os.kill(processes[0].pid, signal.SIGKILL)
        found = await ended(ship)
        assert found["reason"] == "the process that made it was killed (SIGKILL)"
        [failed] = await ship.newest()
        assert (failed.type, failed.open["export"]) == ("export.failed", ordered["recorded"])
        assert ship.left() == []


async def test_who_ordered_it_can_break_it_off_and_nothing_of_it_goes_on(tmp_path, monkeypatch):
    async with held_process(monkeypatch) as processes, rig(tmp_path) as ship:
        ordered = await ship.orders.order(ORDER)
        await soon(lambda: processes)
        answer = await ship.orders.cancel({"id": ordered["id"], "login": "a login", "by": MATE})
        [failed] = await ship.newest()
        assert (failed.seq, failed.type) == (answer["recorded"], "export.failed")
        assert failed.open["reason"] == f"cancelled by {MATE}"
        assert (await one(ship))["state"] == "cancelled"
        assert ship.left() == []


async def test_a_finished_paper_is_deleted_by_who_ordered_it_or_after_an_hour(tmp_path):
    maker = Maker()
    maker.may_end.set()
    async with rig(tmp_path, maker) as ship:
        first = await ship.orders.order(ORDER)
        await ended(ship)
        assert await ship.orders.cancel({"id": first["id"], "login": "a login", "by": MATE}) == {}
        assert ship.left() == []
        second = await ship.orders.order(ORDER)
        await ended(ship)
        await ship.clock.advance(desk.LENT_S)
        await fetched(ship, second["id"])
        await ship.clock.advance(orders.SWEPT_EVERY_S)
        await soon(lambda: ship.left() == [])
        with pytest.raises(RefusedError, match="its hour is over"):
            await fetched(ship, second["id"])


async def test_a_stop_kills_the_process_and_the_next_start_says_that_it_was_broken_off(
    tmp_path, monkeypatch
):
    async with held_process(monkeypatch) as processes, rig(tmp_path) as ship:
        ordered = await ship.orders.order(ORDER)
        await soon(lambda: processes)
    (tmp_path / desk.FOLDER / "made-7-abc").mkdir()
    later = ManualClock()
    later._utc = ship.clock.utc()
    async with rig(tmp_path, Maker(), later) as again:
        sweeping = asyncio.ensure_future(again.desk.run())
        failed = await again.until("export.failed")
        assert failed.open == {
            "export": ordered["recorded"],
            "reason": "ispsd was stopped before it was written",
        }
        await soon(lambda: again.left() == [])
        assert (await again.orders.progress({"login": "a login", "by": MATE}))["orders"] == []
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


async def test_no_loop_waits_for_the_disk_where_an_earlier_run_may_have_left_something(
    tmp_path, monkeypatch
):
    looked = []
    listed = Path.iterdir

    def watched(path):
        looked.append((path.name, threading.current_thread() is threading.main_thread()))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", watched)
    async with rig(tmp_path) as ship:
        sweeping = asyncio.ensure_future(ship.desk.run())
        await soon(lambda: (desk.FOLDER, False) in looked)
        assert (desk.FOLDER, True) not in looked
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


async def test_one_is_made_at_a_time_in_their_order_and_no_hour_counts_for_what_waits(tmp_path):
    maker = Maker()
    async with rig(tmp_path, maker) as ship:
        sweeping = asyncio.ensure_future(ship.desk.run())
        asked = {"login": "a login", "by": MATE}

        async def stand():
            told = (await ship.orders.progress(asked))["orders"]
            return [(each["state"], each["part"]) for each in reversed(told)]

        first, second, third = [await ship.orders.order(ORDER) for _ in range(3)]
        waiting = ("running", "waiting")
        async with asyncio.timeout(PATIENCE_S):
            while not maker.asked or (await stand())[1:] != [waiting, waiting]:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0)
        assert len(ship.left()) == 4, "a snapshot each, and the folder of the one that is made"
        assert [each["release"]["seq"] for each in maker.asked] == [first["recorded"]]
        await ship.clock.advance(2 * desk.LENT_S)
        assert (await stand())[1:] == [waiting, waiting]
        await ship.orders.cancel({**asked, "id": second["id"]})
        maker.may_end.set()
        async with asyncio.timeout(PATIENCE_S):
            while "running" in [state for state, _ in await stand()]:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0)
        assert [state for state, _ in await stand()] == ["ready", "cancelled", "ready"]
        assert [e["release"]["seq"] for e in maker.asked] == [first["recorded"], third["recorded"]]
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


async def test_the_first_is_made_first_though_its_snapshot_is_the_last_to_be_there(
    tmp_path, monkeypatch
):
    maker = Maker()
    maker.may_end.set()
    async with rig(tmp_path, maker) as ship:
        lend, lent, may_go_on = ship.desk.lend, [], asyncio.Event()

        async def slow_at_first(id_):
            if id_ == first["id"]:
                await may_go_on.wait()
            await lend(id_)
            lent.append(id_)

        monkeypatch.setattr(ship.desk, "lend", slow_at_first)
        first = await ship.orders.order(ORDER)
        second = await ship.orders.order(ORDER)
        await soon(lambda: lent == [second["id"]])
        assert maker.asked == []
        may_go_on.set()
        await soon(lambda: len(maker.asked) == 2)
        assert [e["release"]["seq"] for e in maker.asked] == [first["recorded"], second["recorded"]]


async def test_only_three_and_then_ones_own_finished_papers_give_way(tmp_path):
    maker = Maker()
    async with rig(tmp_path, maker) as ship:
        for _ in range(desk.MOST_AT_ONCE):
            await ship.orders.order(ORDER)
        with pytest.raises(RefusedError, match="3 papers are being made"):
            await ship.orders.order(ORDER)
        maker.may_end.set()
        asked = {"login": "a login", "by": MATE}

        async def states():
            return [each["state"] for each in (await ship.orders.progress(asked))["orders"]]

        async with asyncio.timeout(PATIENCE_S):
            while "running" in await states():  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0)
        with pytest.raises(RefusedError, match="wait for somebody else"):
            await ship.orders.order({**ORDER, "by": MASTER})
        before = (await ship.orders.progress(asked))["orders"]
        newest = await ship.orders.order({**ORDER, "login": "his next login"})
        assert [each["id"] for each in (await ship.orders.progress(asked))["orders"]] == [
            each["id"] for each in before[:2]
        ]
        assert (await one(ship, login="his next login"))["id"] == newest["id"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"by": "M. Petrov"}, "may not export"),
        ({"pin": "0000"}, "wrong"),
        ({"what": "psc"}, "consent"),
        ({"what": "gnss", "format": "csv"}, "is a form"),
        ({"seq": 7}, "the other papers none"),
        ({"login": None}, "login is wanted"),
    ],
)
async def test_what_may_not_be_ordered_leaves_nothing(tmp_path, change, words):
    async with rig(tmp_path, Maker()) as ship:
        with pytest.raises(RefusedError, match=words):
            await ship.orders.order(ORDER | change)
        assert (await ship.newest())[0].type != "record.exported"
        assert ship.left() == []


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("os.abort()", "it takes more memory than a paper may have: choose a shorter period"),
        ("os.kill(os.getpid(), 9)", "the process that made it was killed (SIGKILL)"),
        ("os._exit(7)", "the process that made it broke off (exit code 7)"),
        ("print('no JSON')", "the process that makes papers said what cannot be read"),
        ("print('[]')", "the process that makes papers said what cannot be read"),
    ],
)
async def test_however_the_process_ends_its_end_has_words(monkeypatch, end, words):
    plain = asyncio.create_subprocess_exec

    async def other(*_, **more):
        return await plain(sys.executable, "-I", "-c", f"import os; {end}", **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", other)
    with pytest.raises(IspsdError) as of:
        await apart.made({}, say=lambda _: None)
    assert str(of.value) == words


async def test_a_process_that_takes_too_long_is_killed(monkeypatch):
    async with held_process(monkeypatch):
        with pytest.raises(IspsdError, match="it took more than 0 minutes"):
            await apart.made({}, say=lambda _: None, within_s=0.0)


@pytest.mark.parametrize("asked", [b"", b"{}\n", b"[]\n", b'{"out": 7}\n'])
def test_the_program_refuses_what_is_no_order_in_a_line_of_its_own(asked):
    ran = program(asked)
    assert ran.returncode == 1
    assert list(json.loads(ran.stdout)) == ["failed"]


def test_the_program_fills_no_disk_beyond_what_it_may(tmp_path):
    record = asyncio.run(written(tmp_path))
    asked = {**order_of(record, tmp_path), "form": "jsonl"}

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    ran = program(json.dumps(asked).encode() + b"\n", preexec_fn=small)
    *_, last = map(json.loads, ran.stdout.splitlines())
    assert last == {"failed": f"{tmp_path / 'paper.jsonl'}: cannot be written: File too large"}
    assert not list(tmp_path.glob("*paper*"))


def test_nobody_reads_in_the_list_of_processes_who_receives_what(tmp_path, monkeypatch):
    started = []

    async def exec_(*words, **more):
        started.append((words, more))
        raise OSError("not now")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", exec_)
    with pytest.raises(IspsdError, match="cannot be started"):
        asyncio.run(apart.made({"release": {"to_whom": "J. Doe"}}, say=lambda _: None))
    [(words, more)] = started
    assert "J. Doe" not in repr((words, more))
    assert words[-4:] == (sys.executable, "-I", "-m", "daemon.papers.maker")
    assert set(more["env"]) <= set(apart.PASSED_ON)


def program(asked, **more):
    return subprocess.run(
        [sys.executable, "-I", "-m", "daemon.papers.maker"],
        input=asked,
        stdout=subprocess.PIPE,
        check=False,
        timeout=PATIENCE_S,
        **more,
    )


async def written(folder):
    async with desk_rig(folder) as ship:
        await ship.record.submit(result("t-door", ship.clock.utc(), person=MATE).draft)
        await ship.record.seal()
        snapshot.take(folder / "record", folder / "snapshot")
    return folder / "snapshot"


def order_of(record, folder):
    return {
        "what": "test-log",
        "form": "pdf",
        "seq": None,
        "from": BEGIN["from"],
        "to": BEGIN["to"],
        "folder": str(record),
        "keys": [],
        "anchors": [],
        "profile": "full",
        "release": {"to_whom": "J. Doe", "by": MATE, "consent": None, "seq": None},
        "out": str(folder / "paper.jsonl"),
    }
