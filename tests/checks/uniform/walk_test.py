"""A motion detector sees whoever walks in front of it, and the station shows it."""

from __future__ import annotations

from daemon.checks.walk_test import CHECK
from daemon.model import ContactState
from tests.checks.uniform.stage import Stage, Uniform


async def sat(stage: Stage) -> None:
    await _walks(stage, told="yes")


async def not_shown(stage: Stage) -> None:
    await _walks(stage, told="no")


async def sees_nobody(stage: Stage) -> None:
    stage.says("m01", ContactState.CLOSED)
    await stage.begins()
    await stage.answers(1)
    await stage.passes(900.0)


async def nobody_answers_for_the_station(stage: Stage) -> None:
    await _walks(stage, told=None)


async def _walks(stage: Stage, *, told: str | None) -> None:
    stage.says("m01", ContactState.CLOSED)
    await stage.begins()
    await stage.answers(1)
    await stage.passes(1.0)
    stage.says("m01", ContactState.OPEN)
    await stage.passes(0.0)
    if told is None:
        await stage.passes(900.0)
    else:
        await stage.answers(2, told)


UNIFORM = Uniform(
    check=CHECK,
    config={"detectors": ["m01"]},
    sat=sat,
    unsat={"the station does not show it": not_shown, "sees nobody": sees_nobody},
    unproven={"nobody answers for the station": nobody_answers_for_the_station},
)
