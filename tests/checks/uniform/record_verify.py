"""Only the verifier's PASS is a pass."""

from __future__ import annotations

from daemon.checks.api import RecordVerified, Services
from daemon.checks.record_verify import CHECK
from tests.checks.uniform.stage import MIDNIGHT, Stage, Uniform


def services(stage: Stage) -> Services:
    async def verify() -> RecordVerified:
        return RecordVerified(stage.world["word"], "unaltered since then", *stage.world["read"])

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


async def not_all_of_it(stage: Stage) -> None:
    stage.world["read"] = (812, 1042)
    await stage.begins()


async def nothing_of_it(stage: Stage) -> None:
    stage.world["read"] = ()
    await stage.begins()


UNIFORM = Uniform(
    check=CHECK,
    world={"word": "PASS", "read": (812, 1042, MIDNIGHT)},
    services=services,
    sat=sat,
    unsat={"the verifier fails": unsat},
    unproven={
        "no anchor": no_anchor,
        "the verifier crashes": verifier_crashes,
        "not all of it was read": not_all_of_it,
        "nothing of it was read": nothing_of_it,
    },
)
