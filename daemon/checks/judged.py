"""What does a check's judge say of what was gathered? The one way to a verdict, on the day and from the record.

No check goes past its judge: it gathers, and is judged here. A pass rests on readings that count, all of them
(invariant 2); one that does not makes it inconclusive, whatever the judge says.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.checks.api import Gathered, counts_as_evidence
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from daemon.checks.api import CheckConfig, CheckSpec


def judged(spec: CheckSpec, config: CheckConfig, gathered: Gathered, *, demo: bool) -> Verdict:
    """Return what the judge says."""
    verdict = spec.judge(config, gathered)
    if verdict.outcome is not Outcome.PASSED:
        return verdict
    for reading in gathered.readings:
        if not counts_as_evidence(reading, demo=demo):
            what = f"{reading.provenance.value} and {reading.quality.value}"
            return Verdict(
                Outcome.INCONCLUSIVE, f"{reading.point} was {what}: no evidence in this record"
            )
    return verdict


def as_kept(gathered: Gathered) -> Gathered:
    """Return it as it comes out of the record again, so that it is judged on the day as it will be ever after.

    Raises:
        ValueError: A fact that no record can hold.
        TypeError: The same.
    """
    return replace(gathered, facts=json.loads(json.dumps(gathered.facts, allow_nan=False)))
