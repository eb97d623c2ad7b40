"""Does a motion detector see somebody who walks in front of it, and does the station say so in time?

The detector must be at rest first: what it saw before nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from daemon.checks.api import (
    CheckConfig,
    CheckSpec,
    Expects,
    Gathered,
    ItemsVerdict,
    Mode,
    answer_in,
    fact_of,
)
from daemon.model import ContactState, Outcome, Verdict

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext, Inbox
    from daemon.model import Json, Reading

PointId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]


class WalkTestConfig(CheckConfig):
    """Motion detectors that are walked past one after the other."""

    kind: Literal["walk_test"]
    detectors: Annotated[tuple[PointId, ...], Field(min_length=1, max_length=20)]
    within_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How soon after the first step it must see somebody, in seconds."""
    answer_s: Annotated[float, Field(ge=10, le=3600)] = 900.0
    """How long each answer of a person is waited for, in seconds."""


def judge(config: WalkTestConfig, gathered: Gathered) -> Verdict:
    """Judge all detectors; the worst counts."""
    found = {id_: _judge_one(id_, config, gathered) for id_ in config.detectors}
    outcomes = {outcome for outcome, _ in found.values()}
    worst = next(
        (o for o in (Outcome.FAILED, Outcome.INCONCLUSIVE) if o in outcomes), Outcome.PASSED
    )
    reason = "; ".join(
        f"{id_}: {text}" for id_, (outcome, text) in found.items() if outcome is worst
    )
    items = {id_: {"outcome": o.value, "reason": text} for id_, (o, text) in found.items()}
    return ItemsVerdict(worst, reason, items=items)


def _judge_one(id_: str, config: WalkTestConfig, gathered: Gathered) -> tuple[Outcome, str]:
    walk = gathered.facts[id_]
    if answer_in(walk["begun"]) is None:
        return Outcome.INCONCLUSIVE, "nobody walked"
    if gathered.newest(id_, ContactState.CLOSED) is None:
        return Outcome.INCONCLUSIVE, "not at rest before"
    seen, began_s = gathered.newest(id_, ContactState.OPEN), walk["began_s"]
    if seen is None or seen.received_s - began_s > config.within_s:
        return Outcome.FAILED, f"saw nobody in {config.within_s:g} s"
    after_s = max(0.0, seen.received_s - began_s)
    told = answer_in(walk["told"])
    if told is None:
        return Outcome.INCONCLUSIVE, "nobody answered for the station"
    if not told.is_yes:
        return Outcome.FAILED, f"saw in {after_s:.1f} s, the station did not show it"
    return Outcome.PASSED, f"saw in {after_s:.1f} s"


def points(config: WalkTestConfig) -> tuple[str, ...]:
    """Return the detectors."""
    return config.detectors


async def run(config: WalkTestConfig, ctx: CheckContext) -> Gathered:
    """Lead a person past one detector after the other."""
    facts: dict[str, Json] = {}
    readings: list[Reading] = []
    for place, id_ in enumerate(config.detectors):
        facts[id_], seen = await _walk(config, ctx, id_, 2 * place + 1)
        readings += seen
    return Gathered(tuple(readings), facts)


async def _walk(
    config: WalkTestConfig, ctx: CheckContext, id_: str, step: int
) -> tuple[dict[str, Json], tuple[Reading, ...]]:
    """Return what was said of one detector, and the readings that show it at rest and seeing somebody."""
    text = f"{id_.upper()}: keep still until it is at rest, press, and walk in front of it."
    begun = await ctx.prompt(step, text, expects=Expects.DONE, for_s=config.answer_s)
    began_s = ctx.clock.now_s()
    said: dict[str, Json] = {"begun": fact_of(begun), "began_s": began_s, "told": None}
    rest = ctx.newest(id_)
    if begun is None or rest is None or not ctx.accepts(rest):
        return said, ()
    if rest.value is not ContactState.CLOSED:
        return said, (rest,)
    with ctx.listen((id_,)) as inbox:
        seen = await _opened(inbox, ctx, until_s=began_s + config.within_s)
    if seen is None:
        return said, (rest,)
    text = f"{id_.upper()}: did the attended station show it? yes or no"
    told = await ctx.prompt(step + 1, text, expects=Expects.YES_OR_NO, for_s=config.answer_s)
    return {**said, "told": fact_of(told)}, (rest, seen)


async def _opened(inbox: Inbox, ctx: CheckContext, *, until_s: float) -> Reading | None:
    while (reading := await inbox.next(until_s=until_s)) is not None:
        if ctx.accepts(reading) and reading.value is ContactState.OPEN:
            return reading
    return None


CHECK = CheckSpec(
    kind="walk_test",
    config=WalkTestConfig,
    run=run,
    judge=judge,
    points=points,
    mode=Mode.ASSISTED,
    count_steps=lambda config: 2 * len(config.detectors),
)
