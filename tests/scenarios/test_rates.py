"""The ship's own look at her alerts: quiet days keep the goal, floods are noticed, and nobody else is told."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon import cli
from tests.papers.rig import text_of
from tests.scenarios import life
from tests.voyage import sailing

HOUR_S = 3600.0
DOORS = ("d01", "d02", "d03", "d05", "d06", "d07", "d08", "d09", "d10", "d12", "d13", "d14", "d17")
"""At level 3 in port none of them may be open."""
WORDS = ("alert-rates", "per_hour", "per_watch", "flood", "administrative", "answered", "chattered")
"""What rates are told in, and nothing else."""


async def asked(ship, days: int = 2) -> dict:
    return await ship.ask({"do": "rates", "days": days})


@pytest.mark.timeout(480)
async def test_a_quiet_day_of_the_sample_ship_stays_below_the_goal(tmp_path, monkeypatch):
    start = tmp_path / "start.toml"
    start.write_text('[start]\nsituation = "port"\nsecurity_level = 1\n', "utf-8")
    change = life.slow(monkeypatch.setattr)
    topics = tuple(f"ispsd/+/v1/{name}" for name in ("reply/#", "status", "ship", "alert/#"))
    async with sailing(tmp_path, start, change=change, topics=(*topics, "barrier")) as ship:
        ship.coarse_s, ship.keeps_messages = life.SLOW_S, False
        await life.live(ship, 12 * HOUR_S, life.IN_PORT, seed=11)
        await ship.order("situation", "R. Menon", situation="sea")
        await ship.type("ais status value=0")
        await life.live(ship, 12 * HOUR_S, life.AT_SEA, seed=12)
        said = await asked(ship)
    goals = {row["situation"]: (row["goal"], row["within"]) for row in said["situations"]}
    assert goals == {"port": (2.0, True), "sea": (1.0, True)}
    assert (said["administrative"], said["floods"], said["chattering"]) == (0, [], [])
    assert said["hours"] == pytest.approx(24.0, abs=0.1)
    hours = {row["station"]: row["hours"] for row in said["stations"]}
    assert hours["gangway"] == pytest.approx(12.0, abs=0.2)
    assert hours["bridge"] == pytest.approx(12.0, abs=0.2)


async def flooded(ship) -> dict:
    """Open every door within a minute at level 3; return the rates when all is over."""
    await ship.order("level", "R. Menon", level=3, told_by="port facility")
    for door in DOORS:
        await ship.move("open", door)
        await ship.sail(2.0, grain_s=0.5)
    in_flood = await asked(ship)
    ((began, ended),) = [(row["began"], row["ended"]) for row in in_flood["floods"]]
    assert ended is None
    for door in DOORS:
        await ship.move("close", door)
    await ship.sail(700.0)
    after = await asked(ship)
    assert [row["began"] for row in after["floods"]] == [began]
    return after


def _typed(*words: str) -> int:
    """Type a command in a thread of its own: it runs a loop of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(cli.main, words).result()


@pytest.mark.timeout(120)
async def test_a_flood_is_noticed_as_begin_and_end_and_nobody_but_the_sso_is_told(tmp_path, capsys):
    async with sailing(tmp_path) as ship:
        said = await flooded(ship)
        ((began, ended, alerts),) = [tuple(row.values()) for row in said["floods"]]
        assert began < ended
        assert alerts >= 11
        assert sum(row["share"] for row in said["top"]) <= 1.0
        assert len(said["top"]) == 10
        heard = b"\n".join(m.topic.encode() + b" " + m.payload for m in ship.heard).decode()
        entries = "\n".join(json.dumps(e.open, default=str) for e in ship.entries)
        log = ship.log.getvalue()
    assert "ESC HATCH OPEN" in heard, "the alerts themselves are told"
    for word in WORDS:
        assert word not in heard
        assert word not in entries
        assert word not in log
    folder = tmp_path / "alert-rates"
    assert [path.name for path in folder.iterdir()] == ["2026-11-22.json"]
    assert not [p for p in (tmp_path / "record").rglob("*") if "rates" in p.name]
    kept = (folder / "2026-11-22.json").read_text("utf-8")
    for person in (*ship.crew.values(), "R. Menon"):
        assert person not in kept
    for what, out in (("psc", "pack.pdf"), ("rso", "rso.pdf"), ("test-log", "log.jsonl")):
        words = ["--record", tmp_path / "record", "--key", tmp_path / "record-key.pub"]
        words += ["--by", "R. Menon", "--to-whom", "X", "--consent", "A. Lindqvist"]
        words += ["--from", "2026-11-01", "--to", "2026-11-30", "--out", tmp_path / out]
        words += ["--format", "jsonl"] if out.endswith("jsonl") else []
        assert _typed("export", what, *map(str, words)) == 0, capsys.readouterr().err
        raw = (tmp_path / out).read_bytes()
        text = raw.decode() if out.endswith("jsonl") else text_of(raw)
        for word in WORDS:
            assert word not in text, (what, word)
