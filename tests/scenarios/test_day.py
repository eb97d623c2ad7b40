"""A day in the life of the sample ship: port, departure, sea, with people at work; and what the record says afterwards.

Twenty-four hours in a minute: each device is heard once in 20 s (``life.slow``), finely only around what happens.
"""

from __future__ import annotations

import gc
from collections import Counter
from datetime import datetime, timedelta

import pytest

from tests.processes.rig import verified
from tests.scenarios import life
from tests.voyage import sailing

HOUR_S = 3600.0
MOST_GROWN = 5_000
"""Objects of Python in 20 hours, the entries that this test keeps among them."""
MOST_ROWS = 12
"""Of the equipment test log in a ship's day (users.md 7)."""
COLUMNS = ("test", "equipment", "name", "mode", "outcome", "reason", "began", "ended")
HEARD = ("alert/#", "event", "record/head", "equipment/#", "reply/#", "status", "test/#", "ship")
START = """
[start]
situation = "port"
security_level = 1
ship_time_offset_min = 480
utc = "2026-11-22T04:00:00Z"
"""
"""1200 ship's time."""


class Day:
    """The day's doings, told by ship's time."""

    def __init__(self, ship) -> None:
        self.ship = ship
        self.seed = 0

    async def until(self, hours: float, doors: tuple[str, ...]) -> None:
        """Let people go about their work until so many hours after noon."""
        self.seed += 1
        await life.live(self.ship, hours * HOUR_S - self.ship.at_s, doors, seed=self.seed)

    async def for_a_moment(self, verb: str, door: str) -> None:
        await self.ship.move(verb, door)
        await self.ship.sail(2 * life.SLOW_S, grain_s=1.0)

    async def under_a_permit(self) -> None:
        """The bosun gets ropes from the store."""
        said = {"worker": "R. dela Cruz", "work": "ropes", "minutes": 60}
        await self.ship.order("permit", "J. Santos", door="d17", **said)
        await self.for_a_moment("open", "d17")
        await self.ship.sail(20 * 60)
        await self.for_a_moment("close", "d17")

    async def a_hatch_is_opened(self) -> None:
        """Nobody has a permit; the gangway watch acknowledges, and it is shut."""
        await self.for_a_moment("open", "d12")
        alert = self.ship.newest["alert/door.escape.open.d12"]
        seen = {"alert": alert["id"], "instance": alert["instance"], "priority": alert["priority"]}
        assert (await self.ship.station("gangway", "ack", **seen))["accepted"]
        await self.for_a_moment("close", "d12")

    async def a_test_by_phone(self) -> None:
        said = await self.ship.lead("t-uhf", "M. Petrov", (None, "SAT all six readable"))
        assert said["outcome"] == "passed"

    async def sails(self, situation: str, status: int, kn: int) -> None:
        await self.ship.order("situation", "R. Menon", situation=situation)
        await self.ship.type(f"ais status value={status}")
        await self.makes(kn)

    async def makes(self, kn: int) -> None:
        """Go faster, by no more than a big ship does between two fixes that are 20 s apart."""
        for device in ("gps1", "gps2", "ais"):
            await self.ship.type(f"{device} sog kn={kn} cog_deg=90")


@pytest.mark.timeout(240)
async def test_a_day_in_the_life_of_the_sample_ship(tmp_path, monkeypatch):
    noon = tmp_path / "noon.toml"
    noon.write_text(START, "utf-8")
    heard = (*(f"ispsd/+/v1/{name}" for name in HEARD), "barrier")
    change = life.slow(monkeypatch.setattr)
    async with sailing(tmp_path, noon, change=change, topics=heard) as ship:
        ship.coarse_s, ship.keeps_messages = life.SLOW_S, False
        day = Day(ship)
        await day.until(1.0, life.IN_PORT)
        await day.under_a_permit()
        await day.until(2.5, life.IN_PORT)
        await day.a_hatch_is_opened()
        await day.until(4.0, life.IN_PORT)
        await day.a_test_by_phone()
        kept = ship.newest["record/head"]["note"]
        before = _objects()
        await day.sails("manoeuvring", 0, 6)
        await day.until(5.5, life.AT_SEA)
        await day.sails("sea", 0, 11)
        await day.until(6.0, life.AT_SEA)
        await day.makes(16)
        await day.until(14.0, life.AT_SEA)  # over the ship's midnight
        await day.for_a_moment("open", "d12")
        await day.for_a_moment("close", "d12")
        await day.until(24.0, life.AT_SEA)
        await ship.settle()
        grown = _objects() - before
        alerts = [(a.title, a.name, a.priority) for a in ship.alerts()]
        types = ship.entry_types()
        rows = [entry.open for entry in ship.of_type("test.result")]
        points = {spec.id for s in ship.daemon.supervisors for spec in s.driver.points()}
        assert set(ship.daemon.points.ids()) <= points
    assert alerts == [
        ("ESC HATCH OPEN", "STRG GEAR ESC", "W"),
        ("ESC HATCH OPEN", "STRG GEAR ESC", "C"),
    ]
    assert types == {
        "permit.given": 1,
        "permit.ended": 1,
        "situation.changed": 2,
        "doors.counted": 1,
        "test.begun": 1,
    }
    _judge_log(rows)
    assert grown < MOST_GROWN, grown
    code, words = await verified(tmp_path / "record", tmp_path / "record-key.pub", kept)
    assert (code, words.split()[0]) == (0, "PASS"), words


def _judge_log(rows: list) -> None:
    """Hold the equipment test log against what an inspector reads: few rows, every column, the words of the trade."""
    for row in rows:
        assert all(row[column] for column in COLUMNS), row
        assert row["outcome"] in {"passed", "failed", "inconclusive", "skipped"}
    days = Counter(row.get("day", _ships_day(row["ended"])) for row in rows)
    assert max(days.values()) <= MOST_ROWS, days
    said = {(row["test"], row["mode"], row["outcome"]) for row in rows}
    # Every continuous test has the result of its day, and what people did stands beside it.
    for test in ("t-ais", "t-gnss", "t-path", "t-sensor", "t-state", "t-computer"):
        assert (test, "automatic", "passed") in said
    assert ("t-rec", "automatic", "passed") in said
    assert ("t-uhf", "manual", "passed") in said
    assert ("t-door", "in_service", "passed") in said
    of_the_day = {row["test"]: row["reason"] for row in rows if row.get("day") == "2026-11-22"}
    assert of_the_day["t-gnss"].endswith(" m, since 11:59, no jump")
    assert of_the_day["t-ais"] == "since 11:59, 100.0 %, no gap"
    assert of_the_day["t-path"].startswith("since 11:59, 14")
    assert of_the_day["t-door"].startswith("in service: ")


def _ships_day(ended: str) -> str:
    """Return the ship's day in which a test ended."""
    return f"{datetime.fromisoformat(ended) + timedelta(hours=8):%Y-%m-%d}"


def _objects() -> int:
    """Return how many objects there are."""
    gc.collect()
    return len(gc.get_objects())
