"""A day in the life of the sample ship with all that may go wrong on it, and what the record says afterwards.

Port, departure, sea, a threat area, anchor, port again: the story and its table of alerts are ``tests/soak/day.toml``.
It is the day of ``make soak``, whole: twenty-four hours in a minute or two.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import judge_day, story
from tests.soak.day import run

DAY = Path(__file__).parents[1] / "soak" / "day.toml"
FAILED = {"t-sensor", "t-gnss", "t-ais", "t-path"}
"""What saw a cut cable, a false position, silence and a lost broker: none of that may be a pass."""


@pytest.mark.timeout(480)
async def test_a_day_in_the_life_of_the_sample_ship(tmp_path):
    seen = await run(story.read(DAY), tmp_path)
    assert judge_day.report(seen).faults == []
    _judge_log(seen.rows)


def _judge_log(rows: list) -> None:
    """Hold the equipment test log against what an inspector asks for."""
    said = {(row["test"], row["mode"], row["outcome"]) for row in rows}
    # Every continuous test has the result of its day, and what people did stands beside it.
    for test in ("t-ais", "t-path", "t-state", "t-light", "t-computer", "t-rec"):
        assert (test, "automatic", "passed") in said
    for row in (
        ("t-uhf", "manual", "passed"),
        ("t-ssas-l", "assisted", "passed"),
        ("t-door", "in_service", "passed"),
    ):
        assert row in said
    assert {test for test, _, outcome in said if outcome == "failed"} == FAILED
    of_the_day = {row["test"]: row for row in rows if row.get("day") == "2026-11-22"}
    assert of_the_day["t-gnss"]["outcome"] == "failed"
    assert "4 jumps" in of_the_day["t-gnss"]["reason"]
    assert of_the_day["t-ais"]["reason"].rpartition(" 1 gap ")[2].startswith("20:")
    assert of_the_day["t-path"]["reason"].startswith("since 00:29, 27")
    assert of_the_day["t-door"]["reason"].startswith("in service: ")
