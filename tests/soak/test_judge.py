"""The judge of the real processes finds a leak, a wrong alert, an altered record, old green, and what is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.soak import story
from tests.soak.judge import MEMORY, Sample, Seen, report
from tests.soak.proc import Cost
from tests.soak.real import noon_offset_min

STORY = replace(
    story.read(Path(__file__).with_name("real.toml")),
    alerts=(
        story.Expected(
            "ESC HATCH OPEN", "STRG GEAR ESC", "W", ("gangway",), (20, 24), (42, 46), (), "", "1. x"
        ),
    ),
)
HATCH = {
    "title": "ESC HATCH OPEN", "name": "STRG GEAR ESC", "priority": "W", "instance": 1, "raised_utc": "20.5",
    "sounds_at": ["gangway"], "detail": "",
}  # fmt: skip
MESSAGES = (
    *((float(n), "event", {"bseq": n, "seq": n, "type": "alert.changed"}) for n in range(1, 30)),
    (20.9, "alert/door.escape.open.d12", HATCH | {"state": "V"}),
    (43.0, "alert/door.escape.open.d12", HATCH | {"state": "N"}),
)


def sample(number, **otherwise):
    """Return one of a run of twenty minutes, in which nothing grows but what is said."""
    at_s = number * 5.0
    costs = [
        Cost(
            name,
            100 + place,
            50_000 + int(at_s * otherwise.get(name, 0.0)),
            40 + int(at_s * otherwise.get(f"{name} descriptors", 0.0)),
            3,
            at_s / 50,
            number * 9,
        )
        for place, name in enumerate(MEMORY)
    ]
    page = {
        "JSHeapUsedSize": 1.2e7 + at_s * otherwise.get("heap", 0.0),
        "Nodes": 1000 + at_s * otherwise.get("nodes", 0.0),
        "JSEventListeners": 80.0,
        "AudioHandlers": 2.0 + at_s * otherwise.get("audio", 0.0),
        "collected": float(number % 6 == 0),
        "worst_ms": otherwise.get("worst_ms", 0.0),
        "old_looks": otherwise.get("old_looks", 40.0),
        "green_looks": 10.0,
    }
    return Sample(at_s, tuple(costs), page)


def ran(
    *,
    messages=MESSAGES,
    topics=("status",),
    verifier=(0, "PASS"),
    left=(),
    logged=(),
    without=(),
    **grows,
):
    samples = [sample(number, **grows) for number in range(241)]
    samples = [
        replace(each, costs=tuple(cost for cost in each.costs if cost.name not in without))
        for each in samples
    ]
    return report(
        Seen(STORY, samples, messages, frozenset(topics), (), (), float, verifier, left, logged)
    )


def test_a_run_in_which_nothing_grows_and_nothing_is_left_is_as_it_should_be():
    found = ran()
    assert found.faults == []
    assert len(found.verdicts) > 3 * len(MEMORY) - 4


@pytest.mark.parametrize("name", sorted(MEMORY))
def test_a_process_that_leaks_is_found(name):
    leak = 1.2 * MEMORY[name].most / 1000.0
    (fault,) = ran(**{name: leak}).faults
    assert fault.startswith(f"{name} ")
    assert "rss_kib" in fault


@pytest.mark.parametrize(
    ("grows", "words"),
    [
        ({"daemon descriptors": 0.002}, "daemon 100 descriptors"),
        ({"heap": 1500.0}, "page JSHeapUsedSize"),
        ({"nodes": 0.3}, "page Nodes"),
        ({"audio": 0.02}, "page AudioHandlers"),
        ({"worst_ms": 6100.0}, "green that was 6.1 s old"),
        ({"old_looks": 0.0}, "nobody has looked"),
        ({"without": ("sound",)}, "sound was not watched"),
        ({"left": ("process 7: chromium",)}, "left behind: process 7"),
        ({"logged": ("daemon.log: Traceback",)}, "Traceback"),
        ({"topics": ("status", "point/ssas.lamp")}, "a topic about SSAS"),
        ({"verifier": (1, "FAIL: an entry was altered")}, "the record: exit 1"),
        ({"verifier": (2, "INCONCLUSIVE")}, "the record: exit 2"),
        ({"verifier": (0, "FAIL")}, "the record: exit 0"),
        ({"messages": MESSAGES[:4] + MESSAGES[5:]}, "events 5 to 5 were not told"),
        ({"messages": MESSAGES[29:]}, "no event was told"),
        ({"messages": MESSAGES[:-1]}, "ended at None"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_is_said(grows, words):
    found = ran(**grows)
    assert any(words in fault for fault in found.faults), found.faults


def test_what_is_told_of_ssas_to_the_sso_alone_is_none():
    assert ran(topics=("status", "sso/driver/ssas")).faults == []


def test_a_run_that_was_cut_short_proves_nothing():
    cut = [sample(number) for number in range(60)]
    found = report(Seen(STORY, cut, MESSAGES, frozenset(), (), (), float, (0, "PASS"), (), ()))
    assert len([fault for fault in found.faults if "not watched for long enough" in fault]) == len(
        MEMORY
    )


def test_on_board_it_is_noon_whatever_the_hour_of_the_computer():
    for minute in range(24 * 60):
        now = datetime(2026, 11, 30, minute // 60, minute % 60, tzinfo=UTC)
        offset_min = noon_offset_min(now)
        assert -12 * 60 <= offset_min <= 14 * 60, "what a ship's time may be"
        on_board = now + timedelta(minutes=offset_min)
        assert (on_board.hour, on_board.minute) >= (11, 45)
        assert on_board.hour < 13
