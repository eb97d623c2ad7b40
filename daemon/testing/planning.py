"""What is in the plan: how often is each test done by the ship's file, since when, and since when so often?

The record keeps what was planned. Nobody is late by a plan that was not the plan yet: where the ship's file asks more
often than the plan before it, or after an event that asked for nothing, that counts from when it came in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.checks import intervals
from daemon.checks.asking import LEVELS, Event
from daemon.model import Classification, Situation
from daemon.record.entry import Draft
from daemon.testing.schedule import CLOCK_DOUBT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from daemon.checks.api import CheckConfig
    from daemon.model import Json
    from daemon.testing.standing import Test

PLANNED: Final = "tests.planned"
MOST_PLANNED = 100
"""Tests in one entry: it must stay far below the longest entry."""


def take_up(test: Test, body: Mapping[str, Json]) -> None:
    """Take up since when the plan that the record keeps of a test counts."""
    test.planned_utc = forms.from_utc(str(body["since"]))
    if "stands" in body:
        test.often_utc = forms.from_utc(str(body["stands"]))
    counts = body.get("after_since")
    if isinstance(counts, dict):
        for event in test.config.after:
            if event.value in counts:
                test.asks_utc[event] = forms.from_utc(str(counts[event.value]))


def is_as_planned(test: Test, body: Mapping[str, Json]) -> bool:
    """Return whether the plan that is written is the plan of the ship's file."""
    return all(body.get(key) == said for key, said in _interval(test).items())


def asks_anew(test: Test, body: Mapping[str, Json]) -> frozenset[Event]:
    """Return the events that make a test due by the ship's file, and did not by the plan that is written."""
    before = body.get("after")
    known = before if isinstance(before, list) else []
    return frozenset(event for event in test.config.after if event.value not in known)


def is_more_often(test: Test, body: Mapping[str, Json]) -> bool:
    """Return whether the ship's file asks more often than the plan that is written, in any situation, at any level."""
    return any(
        intervals.usual_days(test.config.every_at(situation, level))
        < intervals.usual_days(_every_before(body, situation, level))
        for situation in Situation
        for level in range(1, LEVELS + 1)
    )


def is_ahead(test: Test, now_utc: datetime) -> bool:
    """Return whether a clock that was ahead wrote since when a test is in the plan: no result is of that time."""
    marks = (test.planned_utc, test.often_utc, *test.asks_utc.values())
    latest_utc = now_utc + CLOCK_DOUBT
    if not any(mark is not None and mark > latest_utc for mark in marks):
        return False
    tested_utc = test.past.tested_utc
    return tested_utc is None or tested_utc <= latest_utc


def begin(test: Test, now_utc: datetime, *, more_often: bool, asks: Iterable[Event]) -> None:
    """Let the plan of the ship's file count from now on, as far as it asks for more than the one before.

    Args:
        test: The test; what of its plan lies ahead of now counts from now on, too.
        now_utc: When the plan is written.
        more_often: Whether it asks more often.
        asks: The events that asked for nothing before.
    """
    test.planned_utc = min(test.planned_utc or now_utc, now_utc)
    if more_often:
        test.often_utc = now_utc
    elif test.often_utc is not None:
        test.often_utc = min(test.often_utc, now_utc)
    test.asks_utc |= dict.fromkeys(asks, now_utc)
    test.asks_utc = {event: min(since, now_utc) for event, since in test.asks_utc.items()}


def drafts(tests: Iterable[Test], now_utc: datetime) -> list[Draft]:
    """Return the entries that put tests into the plan, few of them, and those of class ``sso`` apart."""
    by_class: dict[Classification, list[Json]] = {}
    for test in tests:
        said: dict[str, Json] = {
            "test": test.config.id,
            "equipment": test.config.equipment,
            "since": forms.utc(test.planned_utc or now_utc),
            **_interval(test),
        }
        if test.often_utc is not None:
            said["stands"] = forms.utc(test.often_utc)
        if test.asks_utc:
            said["after_since"] = {
                event.value: forms.utc(since) for event, since in test.asks_utc.items()
            }
        by_class.setdefault(test.classification, []).append(said)
    return [
        Draft(
            kind="system",
            type=PLANNED,
            subject="tests",
            classification=kind,
            open={"tests": each[begin : begin + MOST_PLANNED]},
        )
        for kind, each in by_class.items()
        for begin in range(0, len(each), MOST_PLANNED)
    ]


def _interval(test: Test) -> dict[str, Json]:
    """Return how often it is done; what the ship's file does not say is left out."""
    config = test.config
    said: dict[str, Json] = {
        "every": config.every[0],
        "at": config.at,
        "limit_days": _limit_days(config),
        "ssp_paragraph": config.ssp_paragraph,
    }
    more: dict[str, Json] = {
        "use": config.use,
        "every_by_level": _by_level(config.every),
        "every_in": {situation.value: list(each) for situation, each in config.every_in.items()},
        "limit_by_level": _by_level(config.limit_days or ()),
        "grace_days": config.grace_days,
        "after": [event.value for event in config.after],
        "approved_by": config.approved_by,
        "approved_on": None if config.approved_on is None else f"{config.approved_on:%Y-%m-%d}",
    }
    return said | {name: each for name, each in more.items() if each}


def _every_before(body: Mapping[str, Json], situation: Situation, level: int) -> str:
    """Return how often the plan that is written asks."""
    in_situations = body.get("every_in")
    each = in_situations.get(situation.value) if isinstance(in_situations, dict) else None
    each = each or body.get("every_by_level")
    return str(each[level - 1] if isinstance(each, list) else body["every"])


def _limit_days(config: CheckConfig) -> Json:
    """Return the limit at security level 1; the other levels' stand beside it where they differ."""
    limits = config.limit_days
    return intervals.limit_days(config.every[0]) if limits is None else limits[0]


def _by_level(said: Sequence[str] | Sequence[int]) -> list[Json]:
    """Return what counts at each security level; nothing where it is the same at all."""
    return [] if len(set(said)) <= 1 else list(said)
