"""A station's sound is heard by whoever stands there."""

from __future__ import annotations

from daemon.checks.station_sound import CHECK
from tests.checks.uniform.stage import Stage, Uniform


async def sat(stage: Stage) -> None:
    await stage.begins()
    await stage.answers(1, "yes")
    await stage.answers(2, "Yes")


async def unsat(stage: Stage) -> None:
    await stage.begins()
    await stage.answers(1, "yes")
    await stage.answers(2, "no")


async def nobody_at_one(stage: Stage) -> None:
    await stage.begins()
    await stage.answers(1, "yes")
    await stage.passes(600.0)


UNIFORM = Uniform(
    check=CHECK,
    config={"stations": ["bridge", "gangway"]},
    sat=sat,
    unsat={"not heard at one": unsat},
    unproven={"nobody at one": nobody_at_one},
)
