"""Each step is answered and seen as the ship's file has it, in time and in the right order."""

from __future__ import annotations

from daemon.checks.guided import CHECK
from daemon.model import ContactState
from tests.checks.uniform.stage import Stage, Uniform


async def sat(stage: Stage) -> None:
    await _goes(stage, after_s=1.0, told="yes")


async def too_late(stage: Stage) -> None:
    await _goes(stage, after_s=None, told="yes")


async def not_told(stage: Stage) -> None:
    await _goes(stage, after_s=1.0, told="no")


async def nobody_presses(stage: Stage) -> None:
    stage.says("d10", ContactState.CLOSED)
    await stage.begins()
    await stage.passes(600.0)


async def nobody_answers(stage: Stage) -> None:
    await _goes(stage, after_s=1.0, told=None)


async def wrong_order(stage: Stage) -> None:
    stage.says("d10", ContactState.OPEN)
    await stage.begins()
    await stage.answers(1)
    await stage.passes(2.0)
    await stage.answers(3, "yes")


async def _goes(stage: Stage, *, after_s: float | None, told: str | None) -> None:
    stage.says("d10", ContactState.CLOSED)
    await stage.begins()
    await stage.answers(1)
    if after_s is not None:
        await stage.passes(after_s)
        stage.says("d10", ContactState.OPEN)
    await stage.passes(2.0)
    if told is None:
        await stage.passes(600.0)
    else:
        await stage.answers(3, told)


UNIFORM = Uniform(
    check=CHECK,
    config={
        "steps": [
            {"text": "Press, and open it at once."},
            {"text": "Wait.", "expects": "point", "point": "d10", "state": "open", "max_s": 2},
            {"text": "Was it told?", "expects": "yes_or_no"},
        ]
    },
    sat=sat,
    unsat={"seen too late": too_late, "not told": not_told},
    unproven={
        "nobody presses": nobody_presses,
        "nobody answers": nobody_answers,
        "in the wrong order": wrong_order,
    },
)
