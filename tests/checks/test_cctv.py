"""What the cameras' tests say, and when a picture is kept in the record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon.checks.api import Gathered, ItemsVerdict
from daemon.checks.cctv import CctvConfig, judge
from daemon.model import CameraState, Outcome
from tests.checks.uniform import cctv, cctv_look
from tests.checks.uniform.cctv import DOWN, UP, view
from tests.makers import reading

if TYPE_CHECKING:
    from tests.checks.uniform.stage import Stage

NOW_S = 1000.0
CONFIG = CctvConfig(
    kind="cctv",
    id="t-cctv",
    equipment="cctv",
    name="CAMERAS",
    ssp_paragraph="7.5",
    every="day",
    cameras=("c01", "c02"),
)


def seen(
    *, offset_s: float = 0.0, clock: str = "synced", links: dict[str, object] | None = None
) -> Gathered:
    readings = []
    for each in CONFIG.cameras:
        readings += [reading(f"{each}.view", view()), reading(f"{each}.clock_offset", offset_s)]
    facts = {"now_s": NOW_S, "clock": clock, "links": links or {"c01": UP, "c02": UP}}
    return Gathered(tuple(readings), facts)


@pytest.mark.parametrize(
    ("offset_s", "clock", "outcome", "words"),
    [
        (2.0, "synced", Outcome.PASSED, "2 cameras live, clocks within 2 s"),
        (-2.0, "holdover", Outcome.PASSED, "2 cameras live"),
        (2.1, "synced", Outcome.FAILED, "2 of 2: c01 clock 2 s ahead; c02 clock 2 s ahead"),
        (-61.0, "synced", Outcome.FAILED, "clock 61 s behind"),
        (-61.0, "holdover", Outcome.INCONCLUSIVE, "which nothing keeps right"),
    ],
)
def test_which_clock_is_wrong_is_known_only_while_ours_is_kept_right(
    offset_s, clock, outcome, words
):
    verdict = judge(CONFIG, seen(offset_s=offset_s, clock=clock))
    assert verdict.outcome is outcome
    assert words in verdict.reason


def test_each_camera_is_an_item_with_a_word_of_its_own():
    verdict = judge(CONFIG, seen(links={"c01": UP, "c02": DOWN}))
    assert isinstance(verdict, ItemsVerdict)
    assert verdict.items["c01"] == {"outcome": "passed", "reason": "live, clock +0.0 s"}
    assert verdict.items["c02"]["outcome"] == "failed"
    assert verdict.reason == "1 of 2: c02 gives no picture for 20 min: DESCRIBE: it hung up"


@pytest.mark.parametrize("reason", ["driver fault: BlockingIOError", "password_file x: not there"])
def test_what_may_be_a_fault_of_ours_is_held_against_no_camera_and_no_recorder(reason):
    ours = {**DOWN, "reason": reason, "may_be_ours": True}
    config = CONFIG.model_copy(update={"recorder": "nvr"})
    verdict = judge(config, seen(links={"c01": UP, "c02": ours, "nvr": ours}))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason == (
        f"2 of 3: c02 was not looked at for 20 min: {reason}; nvr was not asked for 20 min: {reason}"
    )


@pytest.mark.parametrize(("age_s", "outcome"), [(180.0, "passed"), (180.1, "inconclusive")])
def test_a_picture_that_is_old_proves_nothing(age_s, outcome):
    gathered = seen()
    old = replace(gathered, facts={**gathered.facts, "now_s": NOW_S + age_s})
    assert judge(CONFIG, old).outcome.value == outcome


def test_of_many_cameras_the_first_are_named_and_the_others_counted():
    many = CONFIG.model_copy(update={"cameras": tuple(f"c{n:02}" for n in range(12))})
    links = dict.fromkeys(many.cameras, DOWN)
    verdict = judge(many, Gathered((), {"now_s": NOW_S, "clock": "synced", "links": links}))
    assert verdict.reason.startswith("12 of 12: c00 gives")
    assert verdict.reason.endswith("; 7 more")


# ---------------------------------------------------------------- pictures in the record

SMALL = b"\xff\xd8 a picture \xff\xd9"


async def kept(uniform, play) -> list[bytes]:
    """Return the pictures that the last result keeps."""
    services = uniform.services

    def with_picture(stage: Stage):
        return replace(services(stage), picture=lambda _: SMALL)

    stage = replace(uniform, services=with_picture).stage()
    try:
        await play(stage)
    finally:
        await stage.leave()
    return [each.body for each in stage.written()[-1].evidence if each.media == "image/jpeg"]


async def test_a_picture_is_kept_where_something_is_wrong_with_it_and_not_of_a_pass():
    assert await kept(cctv.UNIFORM, cctv.sat) == []
    assert await kept(cctv.UNIFORM, cctv.covered) == [SMALL]
    assert await kept(cctv.UNIFORM, cctv.recorder_stands) == []


async def test_the_picture_that_a_person_looked_at_is_kept():
    assert await kept(cctv_look.UNIFORM, cctv_look.UNIFORM.sat) == [SMALL]


async def test_after_a_start_the_first_look_is_waited_for():
    stage = cctv.UNIFORM.stage()
    try:
        await stage.begins()
        await stage.passes(30.0)
        assert stage.written() == []
        for point, value in (
            ("c01.view", view()),
            ("c01.clock_offset", 0.0),
            ("c02.view", view(CameraState.LIVE)),
            ("nvr.newest_age", 1.0),
            ("nvr.days_stored", 31.0),
        ):
            stage.says(point, value)
        await stage.passes(2.0)
        assert [each.open["outcome"] for each in stage.written()] == ["passed"]
    finally:
        await stage.leave()
