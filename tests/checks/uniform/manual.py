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


async def witnessed(stage: Stage, word: str = "yes") -> None:
    await sat(stage)
    await stage.answers(2, "MD-4711")
    await stage.answers(3, word, by="A. Lindqvist")


async def not_witnessed(stage: Stage) -> None:
    await witnessed(stage, "no")


async def witnessed_unsat(stage: Stage) -> None:
    await unsat(stage)
    await stage.answers(2, "MD-4711")
    await stage.answers(3, "yes", by="A. Lindqvist")


UNIFORM = (
    Uniform(
        check=CHECK,
        config={"what": "Test piece found 3 of 3 times"},
        sat=sat,
        unsat={"found 2 of 3": unsat},
        unproven={"nobody answers": nobody_answers},
    ),
    Uniform(
        check=CHECK,
        config={"what": "Test piece found", "serial": "test piece", "witnessed": True},
        sat=witnessed,
        unsat={"found 2 of 3": witnessed_unsat},
        unproven={"the witness does not confirm it": not_witnessed},
    ),
)
