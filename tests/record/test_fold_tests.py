"""What the record keeps of tests is a consequence of their entries, also over a new segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon.model import Classification
from daemon.record import fold
from daemon.record.entry import Draft, EntryError
from tests.record.ship import record

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.model import Json


def draft(type_: str, **said: Json) -> Draft:
    kind = ".10" if type_.startswith("test.") else "system"
    return Draft(kind=kind, type=type_, subject="x", classification=Classification.WATCH, open=said)


def result(outcome: str, ended: str, **more: Json) -> Draft:
    return draft(
        "test.result", test="t-1", outcome=outcome, ended=ended, reason=f"said {outcome}", **more
    )


ITEMS: list[Json] = [
    {"item": "d01", "outcome": "passed"},
    {"item": "d02", "outcome": "failed"},
    {"item": "d03", "outcome": "inconclusive"},
]


async def test_a_defect_an_item_a_missed_period_and_the_plan_outlive_a_new_segment(tmp_path: Path):
    ship = record(tmp_path)
    await ship.start()
    for each in (
        draft(
            "tests.planned", tests=[{"test": "t-1", "since": "S"}, {"test": "t-2", "since": "S"}]
        ),
        result("failed", "1", items=ITEMS),
        result("inconclusive", "2"),
        draft("test.missed", test="t-2", period_ends="3"),
        draft("test.missed", test="t-2", period_begins="3", period_ends="4", after="departure"),
        draft("doors.counted", day="2026-11-22", doors=[]),
    ):
        ship.submit(each)
    await ship.rotate("test")
    assert (await ship.state(fold.RESULT))["t-1"]["outcome"] == "inconclusive"
    assert (await ship.state(fold.PROVEN))["t-1"]["outcome"] == "failed"
    assert await ship.state(fold.ITEM) == {
        "t-1/d01": {"outcome": "passed", "ended": "1", "reason": "said failed"},
        "t-1/d02": {"outcome": "failed", "ended": "1", "reason": "said failed"},
    }
    assert await ship.state(fold.MISSED) == {
        "t-2": {"until": "3"},
        "t-2/after": {"until": "4", "asked": "3"},
    }
    assert set(await ship.state(fold.PLANNED)) == {"t-1", "t-2"}
    assert (await ship.state(fold.COUNTED))["doors"]["day"] == "2026-11-22"
    await ship.stop()


async def test_a_day_of_use_keeps_its_day(tmp_path: Path):
    ship = record(tmp_path)
    await ship.start()
    ship.submit(result("passed", "1", items=ITEMS, day="2026-11-22"))
    await ship.rotate("test")
    kept = await ship.state(fold.ITEM)
    assert {body["day"] for body in kept.values()} == {"2026-11-22"}
    await ship.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        result("passed", "1", items={}),
        result("passed", "1", items=["d01"]),
        result("passed", "1", items=[{"item": 1, "outcome": "passed"}]),
        result("passed", "1", items=[{"item": "d01"}]),
        draft("test.missed", test="t-1"),
        draft("test.missed", test="t-1", period_ends=3),
        draft("test.missed", test="t-1", period_ends="3", after="departure"),
        draft("tests.planned", tests={}),
        draft("tests.planned", tests=[{"since": "S"}]),
        draft("doors.counted", doors=[]),
    ],
)
def test_an_entry_without_what_its_type_must_have_is_refused(wrong):
    with pytest.raises(EntryError):
        fold.project(wrong)
