"""Is the security record still what the ship signed?

The verifier, which shares no code with the daemon, reads a copy of the record against the newest checkpoint that
somebody else holds (ISPS A/10.3; invariant 12). INCONCLUSIVE is not a pass: it says what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from daemon.checks.api import CheckConfig, CheckSpec
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext

OUTCOMES: Final = {"PASS": Outcome.PASSED, "FAIL": Outcome.FAILED}
LONGEST_S: Final = 3600.0
LONGEST_REASON: Final = 400


class RecordVerifyConfig(CheckConfig):
    """The record."""

    kind: Literal["record_verify"]


def points(_: RecordVerifyConfig) -> tuple[str, ...]:
    """Return none: it listens to no sensor."""
    return ()


async def run(_: RecordVerifyConfig, ctx: CheckContext) -> Verdict:
    """Let the verifier read the record."""
    if ctx.services.verify_record is None:
        return Verdict(Outcome.INCONCLUSIVE, "this daemon cannot verify its record")
    word, sentence = await ctx.services.verify_record()
    outcome = OUTCOMES.get(word, Outcome.INCONCLUSIVE)
    return Verdict(outcome, f"{word}: {sentence}"[:LONGEST_REASON])


CHECK = CheckSpec(
    kind="record_verify", config=RecordVerifyConfig, run=run, points=points, limit_s=LONGEST_S
)
