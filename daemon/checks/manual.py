"""What did a named person find who tested a thing that ispsd cannot see: a metal detector, a UHF set, a searchlight?

The form of the record's own columns (``reference/record-columns.md``): result and remark; who, when, at which security
level and by which paragraph of the plan stand in every entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from daemon.checks.api import (
    CheckConfig,
    CheckSpec,
    Expects,
    Gathered,
    Mode,
    answer_in,
    fact_of,
    result_of,
)
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext

OUTCOMES: Final = {
    "SAT": Outcome.PASSED,
    "UNSAT": Outcome.FAILED,
    "NOT DONE": Outcome.SKIPPED,
}


class ManualConfig(CheckConfig):
    """One thing that a person tests."""

    kind: Literal["manual"]
    what: Annotated[str, Field(min_length=1, max_length=200)]
    """What is done, and when it is SAT: ``Test piece found 3 of 3 times``."""
    answer_s: Annotated[float, Field(ge=60, le=7200)] = 3600.0
    """How long the form stays open, in seconds."""


def judge(_: ManualConfig, gathered: Gathered) -> Verdict:
    """Judge by what the person says."""
    answer = answer_in(gathered.facts["result"])
    if answer is None:
        return Verdict(Outcome.INCONCLUSIVE, "no result was entered")
    word, remark = result_of(answer.text)
    if word not in OUTCOMES:
        return Verdict(Outcome.INCONCLUSIVE, f"{answer.text[:40]!r} is no result")
    said = f"said by {answer.person}"
    return Verdict(OUTCOMES[word], f"{said}: {remark}" if remark else said)


def points(_: ManualConfig) -> tuple[str, ...]:
    """Return none: nobody sees it but the person."""
    return ()


async def run(config: ManualConfig, ctx: CheckContext) -> Gathered:
    """Ask for the result."""
    text = f"{config.name}: {config.what}. SAT, UNSAT or NOT DONE, and a remark."
    answer = await ctx.prompt(1, text, expects=Expects.RESULT, for_s=config.answer_s)
    return Gathered(facts={"result": fact_of(answer)})


CHECK = CheckSpec(
    kind="manual",
    config=ManualConfig,
    run=run,
    judge=judge,
    points=points,
    mode=Mode.MANUAL,
    steps=1,
)
