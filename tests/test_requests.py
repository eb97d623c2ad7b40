"""Every request of the control socket is answered, or refused with the field that is wrong."""

from __future__ import annotations

import asyncio
import json

import pytest

from daemon.errors import RecordError, RefusedError
from daemon.model import Situation
from daemon.record.log import Record
from daemon.record.reader import MOST_ENTRIES
from tests.ship import Ship, sailing

START = {"do": "test.start", "test": "t-ssas-e-p1", "by": "R. Menon"}
ANSWER = {"do": "test.answer", "test": "t-ssas-e-p1", "step": 1, "by": "R. Menon"}
SEAL = {"do": "seal", "alert": "seal.broken.s01", "number": "SG 1", "by": "R. Menon"}
RELEASE = {"do": "release", "alert": "door.forced.d11", "note": "looked at", "by": "R. Menon"}
ORDER = {"do": "order", "verb": "situation", "said": {"situation": "sea"}, "by": "R. Menon"}
OUT_AS_PROPOSED = {"do": "out_of_service", "equipment": "d12", "by": ["R. Menon"]}
OUT = {**OUT_AS_PROPOSED, "reason": "loose", "measure": "patrol", "hours": 8}
WRITABLE = "has at most 400 characters, all of them printable"
REFUSED = [
    ({"do": "launch"}, "there is no request 'launch'"),
    ({"do": "x" * 50}, f"there is no request {'x' * 40!r}"),
    ({"do": "log", "count": 0}, f"count is 1 to {MOST_ENTRIES}"),
    ({"do": "log", "count": -1}, f"count is 1 to {MOST_ENTRIES}"),
    ({"do": "log", "count": MOST_ENTRIES + 1}, f"count is 1 to {MOST_ENTRIES}"),
    ({"do": "log", "count": "20"}, f"count is 1 to {MOST_ENTRIES}"),
    ({"do": "log", "before": "7"}, "before is an entry's number, type a text"),
    ({"do": "log", "type": 7}, "before is an entry's number, type a text"),
    ({"do": "window.open"}, "by is wanted: 2 persons, by name"),
    ({"do": "window.open", "by": "R. Menon"}, "by is wanted: 2 persons, by name"),
    ({"do": "window.open", "by": ["R. Menon", 7]}, "by is wanted: 2 persons, by name"),
    (
        {"do": "window.open", "by": ["R. Menon", "A. Lindqvist"], "pins": ["314159"]},
        "pins has as many as by, in the same order",
    ),
    (
        {"do": "window.open", "by": ["R. Menon", "A. Lindqvist"], "pins": ["314159", 314159]},
        "pins has 4 to 64 printable characters",
    ),
    ({**START, "pin": 314159}, "pin has 4 to 64 printable characters"),
    ({**START, "pin": "314"}, "pin has 4 to 64 printable characters"),
    ({**START, "pin": "x" * 65}, "pin has 4 to 64 printable characters"),
    ({"do": "pin.set", "by": "R. Menon", "new_pin": 7}, "new_pin has 4 to 64 printable characters"),
    ({"do": "crew.import", "by": "R. Menon"}, "csv is wanted: the text of the crew list"),
    ({"do": "window.close", "by": []}, "by is wanted: one person, by name"),
    ({**START, "test": None}, "test is wanted, as text"),
    ({**START, "by": ""}, "by is wanted, as text"),
    ({**START, "test": "t-9"}, "there is no test 't-9'"),
    ({**ANSWER, "step": "1"}, "step is wanted, as a number"),
    ({**ANSWER, "step": True}, "step is wanted, as a number"),
    ({**SEAL, "alert": None}, "alert is wanted, as text"),
    ({**SEAL, "number": 4711}, "number is wanted, as text"),
    ({**SEAL, "number": "x" * 401}, f"number {WRITABLE}"),
    ({**SEAL, "number": "SG\n1"}, f"number {WRITABLE}"),
    ({**ANSWER, "text": "x" * 401}, f"text {WRITABLE}"),
    ({**RELEASE, "alert": None}, "alert is wanted, as text"),
    ({**RELEASE, "note": ""}, "note is wanted, as text"),
    ({**RELEASE, "note": "x" * 401}, f"note {WRITABLE}"),
    (RELEASE, "there is no latched alert 'door.forced.d11'"),
    ({**ORDER, "verb": None}, "verb is wanted, as text"),
    ({**ORDER, "verb": "launch"}, "launch: no such order"),
    ({**ORDER, "verb": "silence"}, "silence: no such order"),
    ({**ORDER, "said": None}, "said is wanted"),
    ({**ORDER, "said": ["sea"]}, "said is wanted"),
    ({**ORDER, "said": {}}, "situation is missing"),
    ({**ORDER, "said": {"situation": 7}}, "situation must be text of 1 to 80 characters"),
    ({**ORDER, "said": {"situation": "a\nb"}}, "situation must be text of 1 to 80 characters"),
    (
        {**ORDER, "said": {"situation": "moon"}},
        "'moon' is none of sea, manoeuvring, anchor, port, yard",
    ),
    ({**ORDER, "said": {"situation": "sea", "person": "x"}}, "'person' is not known"),
    ({**ORDER, "by": None}, "by is wanted, as text"),
    ({**ORDER, "by": "A. Nobody"}, "'A. Nobody' is not on the crew list"),
    (
        {**ORDER, "by": "L. Tupou"},
        "L. Tupou may not set the situation; that is for: master, officer, sso",
    ),
    (
        {**ORDER, "verb": "level", "said": {"level": 4, "told_by": "flag"}},
        "4 is none of 1, 2, 3",
    ),
    (OUT | {"by": []}, "by is wanted: one person, by name"),
    (OUT | {"by": ["R. Menon", 7]}, "by is wanted: 2 persons, by name"),
    (OUT | {"by": ["A. Nobody"]}, "'A. Nobody' is not on the crew list"),
    (OUT | {"equipment": None}, "equipment is wanted, as text"),
    (OUT | {"equipment": "d99"}, "there is no equipment 'd99'"),
    (OUT | {"hours": "8"}, "hours is wanted, as a number"),
    (OUT | {"hours": -1}, "equipment is out of service for 1 to 720 h, not -1"),
    (OUT | {"reason": "a\nb"}, f"reason {WRITABLE}"),
    (OUT | {"measure": "x" * 401}, f"measure {WRITABLE}"),
    (OUT | {"measure": None}, "measure is wanted"),
    ({**OUT_AS_PROPOSED}, "reason, measure and hours are wanted: nothing is proposed for it"),
    ({**OUT_AS_PROPOSED, "hours": 0}, "STRG GEAR ESC is not out of service"),
    (
        OUT | {"by": ["J. Santos"]},
        "J. Santos may not take equipment out of service; that is for: master, sso",
    ),
    ({"do": "ready_to_secure", "level": 4}, "4 is none of 1, 2, 3"),
    ({"do": "ready_to_secure", "level": ["3"]}, "['3'] is none of 1, 2, 3"),
    (
        {**ORDER, "verb": "inhibit", "said": {"alert": "door.forced.d12", "minutes": -1}},
        "minutes must be a whole number, not negative",
    ),
    (
        {**ORDER, "verb": "inhibit", "said": {"alert": "door.forced.d12", "minutes": 5}},
        "a reason is wanted",
    ),
    (
        {**ORDER, "verb": "blackout", "said": {"minutes": 5, "begins": "noon"}},
        "'noon' is no time of day in UTC: 02:10Z",
    ),
]


async def reason(ship: Ship, request: dict) -> str | None:
    try:
        await ship.control(request)
    except RefusedError as err:
        return str(err)
    return None


async def test_what_is_wrong_is_named_and_nothing_is_written(tmp_path):
    async with sailing(tmp_path) as ship:
        before = (await ship.control({"do": "log"}))["entries"]
        said = [(request, await reason(ship, request)) for request, _ in REFUSED]
        assert said == REFUSED
        assert (await ship.control({"do": "log"}))["entries"] == before


async def test_the_sso_orders_over_the_control_socket_and_it_is_written(tmp_path):
    async with sailing(tmp_path) as ship:
        said = await ship.control(ORDER)
        assert ship.daemon.engine.regime.situation is Situation.SEA
        (entry,) = (await ship.control({"do": "log", "type": "situation.changed"}))["entries"]
        told = json.loads(entry)
        assert (told["seq"], told["open"]) == (said["recorded"], {"from": "port", "to": "sea"})
        assert told["actor"]["person"] == "R. Menon"


async def test_the_log_is_the_newest_entries_oldest_first_and_pages_backwards(tmp_path):
    async with sailing(tmp_path) as ship:
        for name in ("L. Tupou", "J. Santos", "L. Tupou"):
            await ship.ask("gangway", "take_watch", person=name)

        async def seqs(**how: object) -> list[int]:
            said = await ship.control({"do": "log", **how})
            return [json.loads(entry)["seq"] for entry in said["entries"]]

        every = await seqs()
        assert every == sorted(every)
        assert every[0] == 1
        assert len(every) >= 5
        assert await seqs(count=2) == every[-2:]
        assert await seqs(count=2, before=every[-2]) == every[-4:-2]
        assert await seqs(count=1, before=1) == []
        taken = (await ship.control({"do": "log", "type": "watch.taken"}))["entries"]
        assert [json.loads(e)["actor"]["person"] for e in taken] == [
            "L. Tupou",
            "J. Santos",
            "L. Tupou",
        ]


async def test_the_record_is_sealed_on_request_over_all_of_it(tmp_path):
    async with sailing(tmp_path) as ship:
        said = await ship.control({"do": "seal.record"})
        size = len((await ship.control({"do": "log"}))["entries"])
        assert said["origin"] == "demo/9999993/1"
        assert said["size"] == size
        assert said["note"].startswith(f"{said['origin']}\n{size}\n")
        assert ship.state("record/head")["note"] == said["note"]


async def test_a_record_that_cannot_be_read_or_sealed_is_said_in_words(tmp_path, monkeypatch):
    async def dead(*_args):
        raise RecordError("disk I/O error")

    async with sailing(tmp_path) as ship:
        with monkeypatch.context() as broken:
            broken.setattr(Record, "entries", dead)
            broken.setattr(Record, "seal", dead)
            log, seal = await reason(ship, {"do": "log"}), await reason(ship, {"do": "seal.record"})
        assert log == "the record cannot be read now: disk I/O error"
        assert seal == "the record cannot be sealed now: disk I/O error"


ROW = (
    "test",
    "equipment",
    "name",
    "mode",
    "readiness",
    "outcome",
    "reason",
    "seq",
    "running",
    "step",
    "prompt",
)
"""How a test stands; why it does is beside it (``daemon.testing.reasons``)."""


async def test_every_test_is_listed_with_how_it_stands(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        (row,) = (await ship.control({"do": "tests"}))["tests"]
        shown = {name: row[name] for name in ROW}
        assert shown == {
            "test": "t-ssas-e-p1",
            "equipment": "ssas",
            "name": "SSAS P1",
            "mode": "assisted",
            "readiness": "test due",
            "outcome": None,
            "reason": None,
            "seq": None,
            "running": False,
            "step": None,
            "prompt": None,
        }
        await ship.give_notice()
        await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
        assert (await ship.control(START))["steps"] == 10
        (row,) = (await ship.control({"do": "tests"}))["tests"]
        assert (row["readiness"], row["running"], row["step"]) == ("under test", True, 1)
        assert row["prompt"].startswith("No distress, urgency")
        await ship.control({"do": "window.close", "by": ["R. Menon"]})
        await ship.pass_time(1.0)
        (row,) = (await ship.control({"do": "tests"}))["tests"]
        assert (row["running"], row["outcome"], row["seq"] > 0) == (False, "inconclusive", True)


async def test_half_a_character_is_refused_before_it_can_hurt(tmp_path):
    """JSON lets a lone surrogate through; no entry can hold one."""
    async with sailing(tmp_path) as ship:
        reader, writer = await asyncio.open_unix_connection(ship.folder / "control.sock")
        for request, field in ((ANSWER, "text"), (SEAL, "number"), (START, "by")):
            writer.write(json.dumps({**request, field: "\ud800"}).encode() + b"\n")
            answer = json.loads(await reader.readline())
            assert answer == {"error": f"{field} {WRITABLE}"}
        half = {**ORDER, "said": {"situation": "\ud800"}}
        writer.write(json.dumps(half).encode() + b"\n")
        answer = json.loads(await reader.readline())
        assert answer == {"error": "situation must be text of 1 to 80 characters"}
        writer.close()


async def test_only_the_sso_and_the_master_leave_a_test_out_with_a_reason_and_a_pin(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        skip = {"do": "test.skip", "test": "t-ssas-e-p1", "reason": "unit ashore"}
        with pytest.raises(RefusedError, match="say that a test is not done"):
            await ship.control({**skip, "by": "J. Santos"})
        with pytest.raises(RefusedError, match="reason"):
            await ship.control({**skip, "reason": " ", "by": "R. Menon"})
        with pytest.raises(RefusedError, match="PIN"):
            await ship.control({**skip, "by": "R. Menon", "pin": "00000000"})
        assert (await ship.control({"do": "tests"}))["tests"][0]["outcome"] is None
        assert (await ship.control({**skip, "by": "R. Menon"}))["recorded"]
        await ship.pass_time(1.0)
        (row,) = (await ship.control({"do": "tests"}))["tests"]
        assert (row["outcome"], row["why"]) == (
            "skipped",
            "NOT DONE on 22 Nov 2026 1010: unit ashore",
        )
