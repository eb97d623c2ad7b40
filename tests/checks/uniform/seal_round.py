"""Seals carry the numbers of the register, and the wired loops are whole."""

from __future__ import annotations

from daemon.checks.api import Services
from daemon.checks.seal_round import CHECK
from daemon.model import ContactState
from tests.checks.uniform.stage import Stage, Uniform


async def sat(stage: Stage) -> None:
    stage.says("s02", ContactState.CLOSED)
    await stage.begins()
    await stage.answers(1, "a1001, B7")


async def unsat(stage: Stage) -> None:
    stage.says("s02", ContactState.CLOSED)
    await stage.begins()
    await stage.answers(1, "A1001 A1002")


async def nobody_enters_numbers(stage: Stage) -> None:
    stage.says("s02", ContactState.CLOSED)
    await stage.begins()
    await stage.passes(1800.0)


UNIFORM = Uniform(
    check=CHECK,
    config={
        "groups": [
            {"name": "HOLD ACC", "numbers": {"n01": "A1001", "n02": "A1002"}, "loops": ["s02"]}
        ]
    },
    services=lambda _: Services(seal_numbers=lambda: {"n02": "B7"}),
    sat=sat,
    unsat={"a number of before": unsat},
    unproven={"nobody enters numbers": nobody_enters_numbers},
)
