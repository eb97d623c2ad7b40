"""Does an SSAS unit stay up on its alternative source of power?

Source: MSC.147(77) annex 3 (main and alternative power); the hours are the maker's or the class's rating. With the
radio survey, limit 15 months. A tracker that loses its main supply may tell the shore (MSC/Circ.1072 annex 3): notice
is given as for a test that sends. All is said by a named person: nothing of the unit is read, so no window is needed,
and nothing of it is class watch (invariant 1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, model_validator

from daemon.checks.api import CheckSpec, Expects, Gathered, Mode
from daemon.checks.asking import LimitDays  # noqa: TC001 (pydantic reads it at run time)
from daemon.checks.ssas_facts import fact, is_no, said, text, who
from daemon.checks.ssas_settings import FlagTestConfig
from daemon.model import Classification, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from daemon.checks.api import CheckContext
    from daemon.model import Json

LIMIT_DAYS: Final = 456
"""15 months: with the yearly radio survey, which has a window of three months."""
_HOURS: Final = re.compile(
    r"(?<![\d.,:])(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:h|hrs?|hours?)\b", re.IGNORECASE
)


class SsasPowerConfig(FlagTestConfig):
    """The reserve power of one SSAS unit."""

    kind: Literal["ssas_power"]
    limit_days: LimitDays = (LIMIT_DAYS,) * 3
    rated_h: Annotated[float, Field(gt=0, le=200)]
    """For how long the battery must carry the unit, in hours, as class or maker rate it."""
    answer_s: Annotated[float, Field(ge=1, le=3600)] = 3600.0
    """How long each answer is waited for, in seconds."""

    @model_validator(mode="after")
    def _is_done_with_the_survey(self) -> Self:
        if self.limit_days is None or max(self.limit_days) > LIMIT_DAYS:
            raise ValueError(f"limit_days: at most {LIMIT_DAYS}, 15 months")
        return self


_STEPS: Final = (
    ("isolated", "Isolate the main supply of the unit; say done.", Expects.DONE),
    ("stayed_up", "Unit still up, by what it shows, and no fault? yes or no", Expects.YES_OR_NO),
    (
        "hours",
        "For how many hours does the battery carry it, rated {rated} h? Such as: {rated} h, service report of "
        "March; or test of today.",
        Expects.REFERENCE,
    ),
    ("restored", "Main supply back, unit as before? yes or no", Expects.YES_OR_NO),
)


def _carries_h(words: str) -> float | None:
    """Return for how many hours a battery carries a unit, by what was typed; the fewest of several, None of none."""
    hours = [float(each.replace(",", ".")) for each in _HOURS.findall(words)]
    return min(hours, default=None)


def judge(config: SsasPowerConfig, gathered: Gathered) -> Verdict:
    """Judge what was said against the rating."""
    facts = gathered.facts
    details: dict[str, Json] = {key: who(fact(facts, key)) for key, _, _ in _STEPS}
    outcome, reason = _fault(config, facts) or (
        Outcome.PASSED,
        f"stayed up without the main supply, battery at least {config.rated_h:g} h",
    )
    return Verdict(outcome, reason, details=details)


def _fault(config: SsasPowerConfig, facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    if fact(facts, "isolated") is None:
        return Outcome.INCONCLUSIVE, "nobody said that the main supply was isolated"
    hours = _carries_h(text(fact(facts, "hours")))
    wrong = None
    if is_no(fact(facts, "stayed_up")):
        wrong = "the unit did not stay up without its main supply"
    elif is_no(fact(facts, "restored")):
        wrong = "the unit is not as before with its main supply back"
    elif hours is not None and hours < config.rated_h:
        wrong = f"the battery carries it {hours:g} h, rated {config.rated_h:g} h"
    if wrong is not None:
        return Outcome.FAILED, wrong
    if fact(facts, "stayed_up") is None or hours is None:
        return Outcome.INCONCLUSIVE, "nobody said whether it stayed up, and for how many hours"
    if fact(facts, "restored") is None:
        return Outcome.INCONCLUSIVE, "nobody said that the main supply is back"
    return None


async def run(config: SsasPowerConfig, ctx: CheckContext) -> Gathered:
    """Lead a person through it; that the supply is back is asked whatever went wrong before."""
    facts: dict[str, Json] = {}
    for step, (key, prompt, expects) in enumerate(_STEPS, start=1):
        until_s = ctx.clock.now_s() + config.answer_s
        asked = prompt.format(rated=f"{config.rated_h:g}")
        answer = await ctx.prompt(step, asked, expects=expects, for_s=config.answer_s)
        while key == "hours" and answer is not None and _carries_h(answer.text) is None:
            again = f"No hours in that: {asked}"
            left_s = until_s - ctx.clock.now_s()
            answer = await ctx.prompt(step, again, expects=expects, for_s=left_s)
        facts[key] = said(answer)
        if key == "isolated" and answer is None:
            break
    return Gathered(facts=facts)


CHECK = CheckSpec(
    kind="ssas_power",
    config=SsasPowerConfig,
    run=run,
    points=lambda _: (),
    mode=Mode.ASSISTED,
    classification=Classification.SSO,
    steps=len(_STEPS),
    judge=judge,
)
