"""Receivers that agree, without jump or gap."""

from __future__ import annotations

from daemon.checks.api import Services
from daemon.checks.gnss import CHECK
from daemon.model import Fix, Motion, Position
from tests.checks.uniform.stage import Stage, Uniform

METRE_DEG = 1 / 111_195
"""Of latitude."""


async def sat(stage: Stage, apart_m: float = 12.0) -> None:
    await stage.begins()
    for _ in range(29):
        await stage.passes(1.0)
        for receiver, north_m in (("g1", 0.0), ("g2", apart_m)):
            stage.says(f"{receiver}.motion", Motion(0.0, None))
            where = Position(1.2 + north_m * METRE_DEG, 103.8)
            stage.says(f"{receiver}.fix", Fix(where, 1, 9, 0.9))
        await stage.passes(0.0)
    await stage.day_ends()


async def disagree(stage: Stage) -> None:
    await sat(stage, apart_m=90.0)


async def suspect(stage: Stage) -> None:
    stage.world["doubt"] = "receivers part"
    await sat(stage)


UNIFORM = Uniform(
    check=CHECK,
    config={"receivers": ["g1", "g2"], "antennas_apart_m": 11, "watch_s": 10, "disagree_s": 10},
    world={"doubt": None},
    services=lambda stage: Services(
        position_doubt=lambda: stage.world["doubt"], position_odd=lambda: ("812 m apart",)
    ),
    sat=sat,
    unsat={"they disagree": disagree, "the position is suspect": suspect},
    needs=("g1.fix", "g2.fix"),
    minutes=0.5,
)
