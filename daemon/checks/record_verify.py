"""Is the security record still what the ship signed?

The verifier, which shares no code with the daemon, reads a copy of the record against the newest checkpoint that
somebody else holds (ISPS A/10.3; invariant 12). INCONCLUSIVE is not a pass: it says what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from daemon.checks.api import CheckConfig, CheckSpec, Gathered
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext

OUTCOMES: Final = {"PASS": Outcome.PASSED, "FAIL": Outcome.FAILED}
LONGEST_S: Final = 3600.0
LONGEST_REASON: Final = 400


class RecordVerifyConfig(CheckConfig):
    """The record."""

    kind: Literal["record_verify"]


def judge(_: RecordVerifyConfig, gathered: Gathered) -> Verdict:
    """Judge by the verifier's word."""
    word, sentence = gathered.facts["word"], gathered.facts["sentence"]
    if word is None:
        return Verdict(Outcome.INCONCLUSIVE, "this daemon cannot verify its record")
    outcome = OUTCOMES.get(str(word), Outcome.INCONCLUSIVE)
    return Verdict(outcome, f"{word}: {sentence}"[:LONGEST_REASON])


def points(_: RecordVerifyConfig) -> tuple[str, ...]:
    """Return none: it listens to no sensor."""
    return ()


async def run(_: RecordVerifyConfig, ctx: CheckContext) -> Gathered:
    """Let the verifier read the record."""
    if ctx.services.verify_record is None:
        return Gathered(facts={"word": None, "sentence": None})
    word, sentence = await ctx.services.verify_record()
    return Gathered(facts={"word": word, "sentence": sentence})


CHECK = CheckSpec(
    kind="record_verify",
    config=RecordVerifyConfig,
    run=run,
    judge=judge,
    points=points,
    limit_s=LONGEST_S,
)
