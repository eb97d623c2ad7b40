"""The record on the terminal: words for people, and new entries as they come, through every restart."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import sys
from contextlib import asynccontextmanager

import pytest

from daemon.console import line, log
from daemon.control import control
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S, soon


def entry(seq: int = 7, **more) -> dict:
    return {
        "seq": seq,
        "at": "2026-11-22T20:10:05.999Z",
        "kind": ".14",
        "type": "other.entered",
        "actor": {"person": "R. Menon", "station": None, "proof": "none"},
        "open": {"what": "x"},
        **more,
    }


def shown(said: dict, *, colour: bool = False, offset_min: int = 480, **more) -> str:
    given = {"amended_by": {}, "attached": {}, **more}
    return line.line(said, offset_min=offset_min, colour=colour, **given)


@pytest.mark.parametrize(
    ("offset_min", "there"),
    [
        (480, "23 04:10 +8 "),
        (0, "22 20:10 +0 "),
        (-210, "22 16:40 -3:30"),
        (345, "23 01:55 +5:45"),
        (-720, "22 08:10 -12"),
    ],
)
def test_ships_time_stands_beside_utc(offset_min, there):
    assert shown(entry(), offset_min=offset_min) == (
        f"     7  2026-11-22 20:10:05Z  {there}  .14     other.entered    what: x  [R. Menon]"
    )


def test_an_amended_entry_is_struck_with_the_number_that_counts():
    assert "~~what: x~~ amended: no. 9  [" in shown(entry(), amended_by={"7": 9})
    told = shown(entry(), amended_by={"7": 9}, colour=True)
    assert "\x1b[9mwhat: x\x1b[0m amended: no. 9" in told
    assert "amended" not in shown(entry(8), amended_by={"7": 9})


def test_files_are_named_and_late_is_late():
    assert "what: x · file: no. 9  [" in shown(entry(), attached={"7": [9]})
    assert "what: x · files: no. 9, 11  [" in shown(entry(), attached={"7": [9, 11]})
    frame = {"late": True, "done_at": "2026-11-20T08:00:00.000Z", "entered_at": "x"}
    assert "LATE (done 2026-11-20 08:00Z) what: x  [" in shown(entry(open={"what": "x", **frame}))
    assert "LATE" not in shown(entry(open={"what": "x", **frame, "late": False}))


def test_evidence_that_had_no_room_is_said():
    result = {"name": "UHF", "test": "t-uhf", "outcome": "passed", "reason": "heard"}
    left_out = {**result, "evidence_left_out": {"pieces": 1, "bytes": 7}}
    told = shown(entry(type="test.result", open=left_out))
    assert "UHF t-uhf · SAT · heard · EVIDENCE LEFT OUT, no room  [" in told


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"on": True, "off": False, "by_whom": "A"}, "on: yes; off: no; by whom: A"),
        ({"a": None, "b": [], "c": {}, "d": "", "e": 0}, "e: 0"),
        ({"list": ["a", 2]}, "list: a, 2"),
        (
            {"told": [{"who": "CSO", "at": "2026-11-22T02:10:00.000Z"}]},
            "told: (who: CSO; at: 2026-11-22 02:10Z)",
        ),
        ({"to": {"seq": 4, "a": {"b": {"x": 1}}}}, "to: (seq: 4; a: (b: (1 things)))"),
        ({"to": [[[1, 2]]]}, "to: 2 things"),
        ({"simulated": True, "signed": {"key": "x"}, "x": 1}, "x: 1"),
    ],
)
def test_a_rare_type_is_told_in_words(said, words):
    assert line.in_words(said) == words


@pytest.mark.parametrize(
    ("type_", "said", "words"),
    [
        (
            "record.exported",
            {
                "what": "psc",
                "format": "pdf",
                "profile": "psc",
                "to_whom": "PSC inspector",
                "from": "2026-11-01T00:00:00.000Z",
                "to": "2026-11-22T00:00:00.000Z",
                "test": None,
                "consent": "A. Lindqvist",
                "particulars": {"kinds": [1, 2]},
            },
            "psc for PSC inspector · 2026-11-01 00:00Z to 2026-11-22 00:00Z · as pdf · consent of A. Lindqvist",
        ),
        (
            "breach.reported",
            {
                "what": "hatch",
                "raised_from": {"seq": 9, "leaf": "ab" * 32, "type": "alert.changed"},
            },
            "what: hatch; raised from no. 9",
        ),
        (
            "crew.listed",
            {"persons": [{"name": "A", "rank": "C/O"}, {"name": "B", "rank": "AB"}]},
            "2 persons on board",
        ),
        (
            "person.key",
            {"person": "R. Menon", "key": "BB9NzDDd4CaTDg"},
            "the key with which R. Menon signs from now on",
        ),
        (
            "permit.ended",
            {"door": "d12", "name": "STRG GEAR ESC", "person": "D. Kovac"},
            "STRG GEAR ESC · D. Kovac",
        ),
        ("permit.ended", {"door": "d12", "person": "D. Kovac"}, "d12 · D. Kovac"),
        (
            "segment.opened",
            {"origin": "ispsd/9999993/2", "reason": "dry dock", "key": "ispsd/9999993+aa+bb"},
            "segment 2 begins · dry dock",
        ),
    ],
)
def test_what_is_long_in_the_record_is_one_short_line(type_, said, words):
    assert f" {words}  [R. Menon]" in shown(entry(type=type_, open=said))


@pytest.mark.parametrize(
    ("type_", "said", "words"),
    [
        ("threat.changed", {"on": True}, "threat area entered"),
        ("threat.changed", {"on": False}, "threat area left"),
        ("ais.order", {"off": True, "by_order_of": "A"}, "AIS off by order of A"),
        ("ais.order", {"off": False, "by_order_of": None}, "AIS on again"),
        ("interference_area.changed", {"area": "X", "hours": 24}, "interference area X · 24 h"),
        ("interference_area.changed", {"area": "X", "hours": 0}, "interference area X · ended"),
    ],
)
def test_what_a_person_ordered_is_told_in_words(type_, said, words):
    assert f" {words}  [" in shown(entry(type=type_, open=said))


@pytest.mark.parametrize(
    ("priority", "words"), [("C", "active (condition true)"), ("W", "acknowledged (acknowledge)")]
)
def test_a_caution_that_came_is_not_said_to_be_acknowledged(priority, words):
    """Nobody acknowledges a caution: an auditor who reads otherwise asks who it was."""
    event = "condition_true" if priority == "C" else "acknowledge"
    said = {"title": "T", "name": "N", "priority": priority, "state": "A", "event": event}
    assert f"T · N · {words}  [" in shown(entry(type="alert.changed", open=said))


def test_nothing_that_a_device_said_reaches_the_terminal_as_a_command():
    told = shown(
        entry(open={"what": "\x1b[2Jgone\x07"}, actor={"person": None, "station": "\x1bA"})
    )
    assert "\x1b" not in told
    assert "what: ?[2Jgone?  [?A]" in told


@pytest.mark.parametrize("type_", sorted(line._WORDS))
def test_an_entry_of_another_version_says_what_it_holds(type_):
    assert "colour: red" in shown(entry(type=type_, open={"colour": "red"}))


def test_a_long_entry_is_one_line_of_bounded_length():
    assert len(shown(entry(open={"what": "x" * 60_000}))) < 450


class Ship:
    """A daemon's answers to ``log``, with a record that grows."""

    def __init__(self) -> None:
        self.newest = 0
        self.page = 1000

    async def handle(self, request):
        assert request["do"] == "log"
        seqs = [n for n in range(1, self.newest + 1) if n > request["after"]][: self.page]
        more = bool(seqs) and seqs[-1] < self.newest
        return {
            "entries": [json.dumps(entry(seq)) for seq in seqs],
            "next": seqs[-1] if more else None,
            "newest": self.newest,
            "amended_by": {},
            "attached": {},
            "offset_min": [0] * len(seqs),
        }


@asynccontextmanager
async def running(path, ship: Ship):
    task = asyncio.ensure_future(control.ControlServer(path, ship.handle).run())
    while not await control.answers(path):  # noqa: ASYNC110
        await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def following(path, *, after: int):
    """Follow until the block ends; what is shown and said is in the two lists."""
    clock, stop, err = ManualClock(), asyncio.Event(), io.StringIO()
    seen: list[int] = []

    def show(answer) -> None:
        seen.extend(json.loads(body)["seq"] for body in answer["entries"])

    task = asyncio.ensure_future(
        log.follow(path, {}, show, after=after, clock=clock, stop=stop, err=err)
    )

    async def until(condition) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await clock.advance(log.ASK_S)
                assert not task.done()

    try:
        yield seen, err, until
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE_S):
            while not task.done():
                await clock.advance(log.ASK_S)
        await task


async def test_new_entries_are_shown_once_each_through_a_restart(tmp_path):
    path, ship = tmp_path / "s", Ship()
    ship.newest = 3
    async with following(path, after=3) as (seen, err, until):
        async with running(path, ship):
            await until(
                lambda: "no running ispsd" not in err.getvalue() or "again" in err.getvalue()
            )
            ship.newest = 5
            await until(lambda: seen == [4, 5])
        await until(lambda: err.getvalue().count("waiting for it") >= 1)
        ship.newest = 7
        said = err.getvalue().count("waiting for it")
        async with running(path, ship):
            await until(lambda: seen == [4, 5, 6, 7])
            assert err.getvalue().count("waiting for it") <= said + 1, "an outage is said once"
            assert err.getvalue().endswith("ispsd: it answers again\n")
            ship.page = 2
            ship.newest = 12
            await until(lambda: seen == [*range(4, 13)])


async def test_a_record_that_ends_earlier_than_before_is_said_and_followed(tmp_path):
    path, ship = tmp_path / "s", Ship()
    ship.newest = 9
    async with running(path, ship), following(path, after=9) as (seen, err, until):
        ship.newest = 4
        await until(lambda: "the record ends at no. 4 now, before no. 9" in err.getvalue())
        ship.newest = 5
        await until(lambda: seen == [5])


def test_what_came_while_it_was_asked_is_not_asked_for_twice():
    answer = {"newest": 5, "entries": [json.dumps(entry(6))]}
    assert log.reached(answer) == 6
    assert log.reached({**answer, "newest": 8}) == 8
    assert log.reached({"newest": 5, "entries": []}) == 5


async def test_following_ends_when_it_is_told_to(tmp_path):
    path, ship = tmp_path / "s", Ship()
    async with running(path, ship), following(path, after=0) as (seen, _, __):
        await soon(lambda: seen == [])


async def test_ctrl_c_ends_a_follower_in_good_order(tmp_path):
    """The real command, in a process of its own."""
    path, ship = tmp_path / "s", Ship()
    ship.newest = 2
    async with running(path, ship):
        words = ("-m", "daemon", "log", "--after", "0", "--follow", "--json", "--socket", str(path))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            seqs = [json.loads(await process.stdout.readline())["seq"] for _ in range(2)]
            ship.newest = 3
            seqs.append(json.loads(await process.stdout.readline())["seq"])
            process.send_signal(signal.SIGINT)
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert (seqs, out, err, process.returncode) == ([1, 2, 3], b"", b"", 0)


async def test_who_reads_no_further_ends_it_without_a_word(tmp_path):
    path, ship = tmp_path / "s", Ship()
    ship.newest = 1000
    async with running(path, ship):
        command = f"{sys.executable} -m daemon log --after 0 -n 1000 --socket {path} | head -n 1"
        process = await asyncio.create_subprocess_shell(
            f"set -o pipefail; {command}",
            executable="/bin/bash",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert (len(out.splitlines()), err, process.returncode) == (1, b"", 0)
