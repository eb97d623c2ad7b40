"""The judge of the simulated day finds what is too much, too loud, missing or left, and stories are read strictly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak import story
from tests.soak.judge_day import MOST_CHANGES, MOST_ROWS, Sample, Seen, report
from tests.soak.told import Told

HERE = Path(__file__).parent
DAY = story.read(HERE / "day.toml")
AS_IT_SHOULD = [
    Told(
        each.title, each.name, each.priority, sum(each.raised_s) / 2, each.sounds_at,
        None if each.ended_s is None else sum(each.ended_s) / 2, list(each.then), each.detail,
    )
    for each in DAY.alerts
]  # fmt: skip
ROW = {
    "test": "t-uhf", "equipment": "uhf", "name": "UHF", "mode": "manual", "outcome": "passed", "reason": "x",
    "began": "2026-11-22T01:00:00Z", "ended": "2026-11-22T01:01:00Z",
}  # fmt: skip


EPISODE = 'lasts = "00:10:00"\n[[episode]]\nat = "00:01:00"\ntitle = "x"\n'


def samples(**grows):
    usual = {"objects": 130_000, "rss_kib": 80_000, "descriptors": 94, "tasks": 156, "threads": 23}
    return [
        Sample(
            n * 2400.0,
            **{name: value + int(n * grows.get(name, 0.0)) for name, value in usual.items()},
        )
        for n in range(37)
    ]


def day(**otherwise):
    entries = {**DAY.entries, "defect.opened": 3, "defect.closed": 3}
    usual = {
        "alerts": list(AS_IT_SHOULD), "entries": entries, "rows": [ROW], "samples": samples(), "verifier": (0, "PASS"),
        "numbers": [(float(n), n) for n in range(1, 40)],
    }  # fmt: skip
    return report(Seen(DAY, **(usual | otherwise)))


def test_a_day_as_the_story_has_it_is_as_it_should_be():
    assert day().faults == []


@pytest.mark.parametrize(
    ("otherwise", "words"),
    [
        ({"alerts": AS_IT_SHOULD[1:]}, "expected: "),
        ({"alerts": [*AS_IT_SHOULD, AS_IT_SHOULD[0]]}, "not expected: "),
        ({"alerts": [*AS_IT_SHOULD, replace(AS_IT_SHOULD[0], title="TEST DUE", priority="C")]}, "is paperwork"),
        ({"untold": ["told to nobody: x"]}, "told to nobody"),
        ({"numbers": [(1.0, 1), (2.0, 3)]}, "were not told"),
        ({"numbers": []}, "no event was told"),
        ({"covert": ["entry alert.changed"]}, "after a real security alert"),
        ({"verifier": (2, "INCONCLUSIVE")}, "the record"),
        ({"entries": {**DAY.entries, "defect.opened": 1}}, "a defect stands"),
        ({"entries": {**DAY.entries, "login.failed": 1}}, "1 entries login.failed, not 0"),
        ({"rows": [{**ROW, "reason": ""}]}, "a row without reason"),
        ({"rows": [{**ROW, "outcome": "SAT"}]}, "an outcome 'SAT'"),
        ({"rows": [ROW] * (MOST_ROWS + 1)}, f"{MOST_ROWS + 1} rows of 2026-11-22"),
        ({"rows": [{**ROW, "day": "2026-11-22"}] * (MOST_CHANGES + 2)}, "changed its outcome 7 times"),
        ({"samples": samples(objects=125)}, "objects: "),
        ({"samples": samples(rss_kib=260)}, "rss_kib: "),
        ({"samples": samples(descriptors=0.1)}, "descriptors: "),
        ({"samples": samples(tasks=0.1)}, "tasks: "),
        ({"samples": []}, "NOT FLAT"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_is_said(otherwise, words):
    faults = day(**otherwise).faults
    assert any(words in fault for fault in faults), faults


def test_life_on_board_has_a_budget_of_sounding_alerts_and_faults_are_outside_of_it():
    hatch = next(each for each in AS_IT_SHOULD if each.title == "ESC HATCH OPEN")
    often = [replace(hatch, raised_s=hatch.raised_s + 300.0 * n) for n in range(3)]
    assert any("3 alerts sounded in the watch" in fault for fault in day(alerts=often).faults)
    faults = [each for each in DAY.alerts if each.is_fault and each.priority == "W"]
    assert len(faults) > 3
    assert not any("sounded in the watch" in fault for fault in day().faults)


def test_a_story_that_is_cut_begins_nothing_that_it_cannot_end():
    cut = DAY.up_to(2.6 * 3600)
    assert {step.episode for step in cut.steps} < {step.episode for step in DAY.steps}
    assert max(step.at_s for step in cut.steps) <= cut.lasts_s
    assert [each.title for each in cut.alerts] == ["ESC HATCH OPEN"]
    assert DAY.up_to(DAY.lasts_s).alerts == DAY.alerts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('lasts = "24"', "hh:mm:ss"),
        ('lasts = "00:10:00"\nepisodes = 1', "no part of a story"),
        ('lasts = "00:10:00"\n[[episode]]\nat = "00:01:00"\ntitle = "x"\nuntil = 1', "no part of an episode"),
        (EPISODE + '[[episode.alert]]\ntitle = "y"', "an alert without"),
        (EPISODE + '[[episode.step]]\nafter_s = 541\nact = "y"', "after its end"),
    ],
)  # fmt: skip
def test_a_story_that_is_not_in_order_says_where(tmp_path, text, words):
    path = tmp_path / "story.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(story.StoryError, match=words):
        story.read(path)
