"""Is the security record still what the ship signed?

The verifier, which shares no code with the daemon, reads a copy of the record against the newest checkpoint that
somebody else holds (ISPS A/10.3; invariant 12). Segments that were closed, read in full within the week and not touched
since are not read again each day; a pass that leaves them out says so, and when they were read. INCONCLUSIVE is not a
pass: it says what is missing.
"""

from __future__ import annotations

from datetime import datetime
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
    """Judge by the verifier's word; of a pass, by what it has read."""
    said = gathered.facts["said"]
    if said is None:
        return Verdict(Outcome.INCONCLUSIVE, "this daemon cannot verify its record")
    outcome = OUTCOMES.get(str(said["word"]), Outcome.INCONCLUSIVE)
    reason = f"{said['word']}: {said['sentence']}"
    first, last, before = said["first"], said["last"], said["before"]
    if outcome is Outcome.PASSED:
        if first is None or (first > 1 and before is None):
            return Verdict(Outcome.INCONCLUSIVE, f"{reason}; not the whole record was read")
        reason += f"; no. {first} to {last} read"
        if first > 1:
            reason += f", those before on {datetime.fromisoformat(before):%Y-%m-%d}"
    return Verdict(outcome, reason[:LONGEST_REASON])


def points(_: RecordVerifyConfig) -> tuple[str, ...]:
    """Return none: it listens to no sensor."""
    return ()


async def run(_: RecordVerifyConfig, ctx: CheckContext) -> Gathered:
    """Let the verifier read the record."""
    if ctx.services.verify_record is None:
        return Gathered(facts={"said": None})
    said = await ctx.services.verify_record()
    before = None if said.before_utc is None else said.before_utc.isoformat()
    return Gathered(
        facts={
            "said": {
                "word": said.word,
                "sentence": said.sentence,
                "first": said.first,
                "last": said.last,
                "before": before,
            }
        }
    )


CHECK = CheckSpec(
    kind="record_verify",
    config=RecordVerifyConfig,
    run=run,
    judge=judge,
    points=points,
    limit_s=LONGEST_S,
)
