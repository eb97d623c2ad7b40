"""A form is what a named person says."""

from __future__ import annotations

from daemon.checks.manual import CHECK
from tests.checks.uniform.stage import Stage, Uniform


async def sat(stage: Stage) -> None:
    await stage.begins()
    await stage.answers(1, "SAT found 3 of 3")


async def unsat(stage: Stage) -> None:
    await stage.begins()
    await stage.answers(1, "UNSAT found 2 of 3")


async def nobody_answers(stage: Stage) -> None:
    await stage.begins()
    await stage.passes(3600.0)


UNIFORM = Uniform(
    check=CHECK,
    config={"what": "Test piece found 3 of 3 times"},
    sat=sat,
    unsat={"found 2 of 3": unsat},
    unproven={"nobody answers": nobody_answers},
)
