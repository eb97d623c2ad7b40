"""What a check concluded is judged again from its record alone: ``ispsd rejudge``."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon import cli
from daemon.checks import manual
from daemon.checks.api import Answer
from daemon.config import registry
from daemon.model import Classification, Outcome, Verdict
from daemon.record import export
from daemon.record.export import Profile
from daemon.record.reader import Query
from daemon.testing.evidence import BASIS
from daemon.testing.rejudging import Rejudging
from daemon.testing.session import Aborted
from tests import test_cli
from tests.checks.uniform import door_contacts, seal_round
from tests.checks.uniform import manual as manual_plays
from tests.record.ship import alert, record
from tests.ship import sailing

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.entry import Draft

PEOPLE = {"performer": "J. Santos", "witness": "A. Lindqvist"}
MANUAL = manual_plays.UNIFORM[0]
FORM, ROUND, DOOR, OLD, CRASHED = 2, 3, 4, 5, 6
"""Numbers of the entries of ``kept``; 1 opens the segment, 7 is an alert."""
LAST = 7


async def drafts() -> list[Draft]:
    found = []
    for uniform in (MANUAL, seal_round.UNIFORM, door_contacts.UNIFORM[1]):
        found += await written(uniform.stage(), uniform.sat)
    old = replace(found[0], evidence=())
    hung = MANUAL.broken(judge=_crash)
    return [*found, old, *await written(hung, manual_plays.sat), alert("d1")]


async def written(stage, play) -> list[Draft]:
    await play(stage)
    await stage.leave()
    return stage.written()


def _crash(_config, _gathered):
    raise ZeroDivisionError


async def keep(folder: Path, *more: Draft, **options) -> None:
    made = record(folder, **options)
    await made.start()
    for draft in [*await drafts(), *more]:
        await made.submit(draft)
    await made.stop()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    asyncio.run(keep(tmp_path / "record"))
    return tmp_path / "record"


def rejudge(where: Path, *words: object) -> int:
    return cli.main(["rejudge", *map(str, words), "--record", str(where)])


def segment(folder: Path) -> Path:
    (path,) = folder.glob("segment-*.db")
    return path


def test_one_result_is_said_as_it_was_and_as_it_is_judged_today(kept, capsys):
    assert rejudge(kept, ROUND) == 0
    first, recorded, today, agreement, software, *evidence = capsys.readouterr().out.splitlines()
    assert first == "no. 3  2026-11-22 02:10Z  THING t-1"
    assert recorded == "  recorded: SAT · HOLD ACC: 2 as the register; HOLD ACC: 1 loop whole"
    assert today == recorded.replace("recorded:", "today:   ")
    assert agreement == "  SAME"
    assert software == "  judged by ispsd not said then, by ispsd 26.1 today"
    assert [line.split(",")[0] for line in evidence] == [
        "  evidence: application/jsonl",
        "  evidence: application/json",
    ]
    assert all(line.endswith(": is what the entry names") for line in evidence)


@pytest.mark.parametrize("seq", [FORM, ROUND, DOOR])
def test_folder_segment_and_export_say_the_same(kept, tmp_path, capsys, seq):
    path = tmp_path / "full.jsonl"
    path.write_bytes(b"".join(export.lines(segment(kept), profile=Profile.FULL)))
    said = set()
    for where in (kept, segment(kept), path):
        assert rejudge(where, seq, "--json") == 0
        said.add(capsys.readouterr().out)
    assert len(said) == 1


def test_nothing_is_put_beside_a_record_that_is_closed(kept):
    assert rejudge(kept, "--all") == 2
    assert [each.name for each in kept.iterdir()] == [segment(kept).name]


def test_an_export_without_evidence_proves_nothing(kept, tmp_path, capsys):
    path = tmp_path / "redacted.jsonl"
    path.write_bytes(b"".join(export.lines(segment(kept), profile=Profile.REDACTED)))
    assert rejudge(path, FORM) == 2
    assert "NOT PROVEN: evidence" in capsys.readouterr().out


@pytest.mark.parametrize("seq", [OLD, CRASHED])
def test_an_entry_without_facts_says_so(kept, capsys, seq):
    assert rejudge(kept, seq) == 2
    assert "NOT PROVEN: the entry holds no facts" in capsys.readouterr().out


def test_evidence_that_had_no_room_proves_nothing(tmp_path, capsys):
    asyncio.run(keep(tmp_path, evidence_quota_bytes=1))
    assert rejudge(tmp_path, FORM) == 2
    assert "NOT PROVEN: evidence not kept" in capsys.readouterr().out


def test_evidence_that_was_altered_is_refused(kept, capsys):
    with sqlite3.connect(segment(kept)) as db:
        db.execute("DROP TRIGGER evidence_no_update")
        rows = db.execute("SELECT sha256, body FROM evidence WHERE media = ?", (BASIS,))
        for sha256, body in rows.fetchall():
            altered = zlib.compress(zlib.decompress(body).replace(b"3 of 3", b"0 of 3"))
            db.execute("UPDATE evidence SET body = ? WHERE sha256 = ?", (altered, sha256))
    db.close()
    assert rejudge(kept, FORM) == 1
    said = capsys.readouterr().out
    assert "REFUSED: evidence " in said
    assert "today:" not in said
    assert "NOT USED" in said


def test_what_is_said_to_the_sso_alone_is_held_against_its_salted_hash(kept, tmp_path, capsys):
    with sqlite3.connect(segment(kept)) as db:
        db.execute("DROP TRIGGER part_no_update")
        db.execute("UPDATE part SET body = replace(body, 'J. Santos', 'J. Sartos')")
    db.close()
    path = tmp_path / "full.jsonl"
    path.write_bytes(b"".join(export.lines(segment(kept), profile=Profile.FULL)))
    for where in (kept, path):
        assert rejudge(where, FORM) == 1
        said = capsys.readouterr().out
        assert "REFUSED: what it says to the SSO alone has been altered" in said
        assert "today:" not in said


def test_without_what_is_said_to_the_sso_alone_nothing_is_proven(kept, capsys):
    with sqlite3.connect(segment(kept)) as db:
        db.execute("DROP TRIGGER part_no_delete")
        db.execute("DELETE FROM part")
    db.close()
    assert rejudge(kept, FORM) == 2
    assert "NOT PROVEN: what the entry says to the SSO alone is not in this rec" in (
        capsys.readouterr().out
    )


async def test_a_test_that_was_broken_off_says_that_nothing_was_judged(tmp_path, capsys):
    made = record(tmp_path)
    await made.start()
    stage = MANUAL.stage()
    await stage.begins()
    stage.rig.tests.abort("t-1", Aborted("J. Santos", 0, "called away"))
    await stage.passes(0.0)
    await stage.leave()
    (draft,) = stage.written()
    assert draft.open["outcome"] == "inconclusive"
    await made.submit(draft)
    await made.stop()
    assert rejudge(tmp_path, FORM) == 2
    assert "nothing was judged (it was left out, broken off," in capsys.readouterr().out


@pytest.mark.parametrize(
    "today",
    [
        Verdict(Outcome.FAILED, "said by J. Santos: found 3 of 3"),
        Verdict(Outcome.PASSED, "in other words"),
        Verdict(Outcome.PASSED, "said by J. Santos: found 3 of 3", details={"and": "more"}),
    ],
)
async def test_a_judge_that_says_otherwise_today_is_told(tmp_path, today):
    made = record(tmp_path)
    await made.start()
    plays = MANUAL
    (draft,) = await written(plays.stage(), plays.sat)
    own = draft.parts.get(Classification.SSO, {})
    await made.submit(replace(draft, parts={Classification.SSO: {**own, **PEOPLE}}))
    other = replace(manual.CHECK, judge=lambda _config, _gathered: today)
    desk = registry.checks() | {"manual": other}
    said = await Rejudging(made, desk, software="27.1").answer({"seq": FORM})
    assert said["agreement"] == "DIFFERENT"
    assert said["software_now"] == "27.1"
    same = await Rejudging(made, registry.checks(), software="27.1").answer({"seq": FORM})
    assert same["agreement"] == "SAME", "who performed it is not the judge's"
    await made.stop()


def test_what_this_version_does_not_know_is_not_proven(kept, capsys, monkeypatch):
    known = {kind: spec for kind, spec in registry.checks().items() if kind != "manual"}
    monkeypatch.setattr(registry, "checks", lambda: known)
    assert rejudge(kept, FORM) == 2
    assert "this ispsd knows no check 'manual'" in capsys.readouterr().out


def test_many_are_summed_up_and_only_what_is_not_the_same_is_shown(kept, capsys):
    assert rejudge(kept, "--all") == 2, "a pass of before cannot be judged again"
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "5 results judged again: 3 SAME, 2 NOT PROVEN"
    assert [line[:5] for line in out.splitlines() if line.startswith("no.")] == ["no. 5", "no. 6"]
    assert rejudge(kept, "--since", "2026-11-23") == 0
    assert capsys.readouterr().out == "0 results judged again: none\n"


def test_what_proved_nothing_then_takes_nothing_away_now(tmp_path, capsys):
    async def only_crashed() -> None:
        made = record(tmp_path)
        await made.start()
        await made.submit((await drafts())[CRASHED - 2])
        await made.stop()

    asyncio.run(only_crashed())
    assert rejudge(tmp_path, "--all") == 0
    assert rejudge(tmp_path, 2) == 2
    assert capsys.readouterr().out.count("1 results judged again: 1 NOT PROVEN") == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "say which"),
        ((FORM, "--all"), "say which"),
        ((99,), "no result of a test has the number 99"),
        ((LAST,), "entry 7 is alert.changed, not the result of a test"),
        (("--since", "yesterday"), "want 2026-11-22"),
        (("--since", "2026-11-22T02:10"), "in UTC"),
    ],
)
def test_what_cannot_be_judged_again_is_refused_in_words(kept, capsys, words, reason):
    assert rejudge(kept, *words) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nothing", "other.jsonl", "other.db"])
def test_what_is_no_record_is_refused(tmp_path, capsys, name):
    (tmp_path / "other.jsonl").write_text('{"format":"another"}\n', "utf-8")
    (tmp_path / "other.db").write_text("x" * 4096, "utf-8")
    assert rejudge(tmp_path / name, 1) == 1
    assert capsys.readouterr().err.startswith("ispsd: ")


FORM_OF_THE_SHIP = """
[[test]]
kind = "manual"
id = "t-form"
equipment = "metal-detector"
name = "METAL DETECTOR"
ssp_paragraph = "7.9"
every = "week"
what = "Test piece found 3 of 3 times"
"""


async def test_a_running_ship_judges_her_own_record_again(tmp_path, capsys):
    async with sailing(tmp_path, edit=lambda text: text + FORM_OF_THE_SHIP) as ship:
        ship.daemon.tests.start("t-form", "R. Menon")
        await ship.pass_time(1.0)
        ship.daemon.tests.answer("t-form", 1, Answer("R. Menon", "UNSAT found 2 of 3"))
        await ship.pass_time(1.0)
        (entry,) = await ship.daemon.record.entries(Query(type="test.result"))
        assert await test_cli.typed(ship, "rejudge", entry.seq, "--json") == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["seq"], said["agreement"]) == (entry.seq, "SAME")
        assert said["today"]["outcome"] == "failed"
        assert said["software_then"] == said["software_now"] != ""
        assert await test_cli.typed(ship, "rejudge", "--all") == 0
        assert capsys.readouterr().out == "1 results judged again: 1 SAME\n"
        assert await test_cli.typed(ship, "rejudge", 1) == 1
        assert "entry 1 is segment.opened" in capsys.readouterr().err
