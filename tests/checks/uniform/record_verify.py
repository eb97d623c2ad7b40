"""Only the verifier's PASS is a pass."""

from __future__ import annotations

from daemon.checks.api import Services
from daemon.checks.record_verify import CHECK
from tests.checks.uniform.stage import Stage, Uniform


def services(stage: Stage) -> Services:
    async def verify() -> tuple[str, str]:
        return stage.world["word"], "unaltered since then"

    return Services(verify_record=verify)


async def sat(stage: Stage) -> None:
    await stage.begins()


async def unsat(stage: Stage) -> None:
    stage.world["word"] = "FAIL"
    await stage.begins()


async def no_anchor(stage: Stage) -> None:
    stage.world["word"] = "INCONCLUSIVE"
    await stage.begins()


async def verifier_crashes(stage: Stage) -> None:
    del stage.world["word"]
    await stage.begins()


UNIFORM = Uniform(
    check=CHECK,
    world={"word": "PASS"},
    services=services,
    sat=sat,
    unsat={"the verifier fails": unsat},
    unproven={"no anchor": no_anchor, "the verifier crashes": verifier_crashes},
)
