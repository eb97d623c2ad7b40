"""Cameras give a new picture by the right clock, and the recorder keeps them."""

from __future__ import annotations

from daemon.checks.api import Services
from daemon.checks.cctv import CHECK
from daemon.model import CameraState, CameraView
from tests.checks.uniform.stage import Stage, Uniform

UP = {"up": True, "for_s": 3600.0, "reason": ""}
DOWN = {"up": False, "for_s": 1200.0, "reason": "DESCRIBE: it hung up"}
WAIT_S = 150.0


def view(state: CameraState = CameraState.LIVE) -> CameraView:
    return CameraView(state, "jpeg", 640, 480, 100.0, 30.0, 2, 0.1)


def services(stage: Stage) -> Services:
    return Services(link=lambda device: stage.world["links"].get(device, UP))


async def see(stage: Stage, **other: object) -> None:
    """All is well, but for what is other."""
    well = {
        "c01.view": view(),
        "c01.clock_offset": 0.4,
        "c02.view": view(),
        "nvr.newest_age": 70.0,
        "nvr.days_stored": 31.0,
    }
    for point, value in {
        **well,
        **{key.replace("_of_", "."): v for key, v in other.items()},
    }.items():
        stage.says(point, value)
    await stage.begins()
    await stage.passes(WAIT_S)


async def sat(stage: Stage) -> None:
    await see(stage)


async def lost(stage: Stage) -> None:
    stage.world["links"] = {"c02": DOWN}
    await see(stage, c02_of_view=None)


async def frozen(stage: Stage) -> None:
    await see(stage, c02_of_view=view(CameraState.FROZEN))


async def covered(stage: Stage) -> None:
    await see(stage, c02_of_view=view(CameraState.COVERED))


async def clock_is_ahead(stage: Stage) -> None:
    await see(stage, c01_of_clock_offset=2.1)


async def recorder_stands(stage: Stage) -> None:
    await see(stage, nvr_of_newest_age=601.0)


async def recorder_keeps_too_little(stage: Stage) -> None:
    await see(stage, nvr_of_days_stored=29.9)


async def recorder_is_lost(stage: Stage) -> None:
    stage.world["links"] = {"nvr": DOWN}
    await see(stage)


async def night(stage: Stage) -> None:
    await see(stage, c02_of_view=view(CameraState.NIGHT))


async def not_decoded(stage: Stage) -> None:
    await see(stage, c02_of_view=view(CameraState.NOT_DECODED))


async def just_lost(stage: Stage) -> None:
    stage.world["links"] = {"c02": {**DOWN, "for_s": 59.0}}
    await see(stage, c02_of_view=None)


UNIFORM = Uniform(
    check=CHECK,
    config={
        "cameras": ["c01", "c02"],
        "clock_by_eye": ["c02"],
        "recorder": "nvr",
        "days_stored": 30,
        "wait_s": WAIT_S,
    },
    world={"links": {}},
    services=services,
    sat=sat,
    unsat={
        "a lost camera": lost,
        "a frozen one": frozen,
        "a covered one": covered,
        "a clock that is ahead": clock_is_ahead,
        "a recorder that stands": recorder_stands,
        "a recorder that keeps too little": recorder_keeps_too_little,
        "a lost recorder": recorder_is_lost,
    },
    unproven={"night": night, "no decoder": not_decoded, "lost just now": just_lost},
)
