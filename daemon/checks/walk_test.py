"""Does a motion detector see somebody who walks in front of it, and does the station say so in time?

The detector must be at rest first: what it saw before nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckSpec, Expects, ItemsVerdict, Mode
from daemon.model import ContactState, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import Answer, CheckContext, Inbox
    from daemon.model import Reading

PointId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]


class WalkTestConfig(CheckConfig):
    """Motion detectors that are walked past one after the other."""

    kind: Literal["walk_test"]
    detectors: Annotated[tuple[PointId, ...], Field(min_length=1, max_length=20)]
    within_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How soon after the first step it must see somebody, in seconds."""
    answer_s: Annotated[float, Field(ge=10, le=3600)] = 900.0
    """How long each answer of a person is waited for, in seconds."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What came of walking past one detector.

    Attributes:
        rest: The detector at rest before, None where it was not, or not seen.
        seen: The reading that shows somebody.
        after_s: How long after the first step that was.
        told: Whether the attended station showed it.
    """

    begun: Answer | None
    rest: Reading | None = None
    seen: Reading | None = None
    after_s: float = 0.0
    told: Answer | None = None


def judge(walks: Mapping[str, Walk], *, within_s: float) -> Verdict:
    """Judge all detectors; the worst counts."""
    found = {id_: judge_one(walk, within_s=within_s) for id_, walk in walks.items()}
    readings = tuple(r for walk in walks.values() for r in (walk.rest, walk.seen) if r is not None)
    worst = next(
        (o for o in (Outcome.FAILED, Outcome.INCONCLUSIVE) if o in {f[0] for f in found.values()}),
        Outcome.PASSED,
    )
    reason = "; ".join(
        f"{id_}: {text}" for id_, (outcome, text) in found.items() if outcome is worst
    )
    items = {id_: {"outcome": o.value, "reason": text} for id_, (o, text) in found.items()}
    return ItemsVerdict(worst, reason, readings, items=items)


def judge_one(walk: Walk, *, within_s: float) -> tuple[Outcome, str]:
    """Judge one detector."""
    if walk.begun is None:
        return Outcome.INCONCLUSIVE, "nobody walked"
    if walk.rest is None:
        return Outcome.INCONCLUSIVE, "not at rest before"
    if walk.seen is None:
        return Outcome.FAILED, f"saw nobody in {within_s:g} s"
    if walk.told is None:
        return Outcome.INCONCLUSIVE, "nobody answered for the station"
    if walk.told.text.strip().lower() != "yes":
        return Outcome.FAILED, f"saw in {walk.after_s:.1f} s, the station did not show it"
    return Outcome.PASSED, f"saw in {walk.after_s:.1f} s"


def points(config: WalkTestConfig) -> tuple[str, ...]:
    """Return the detectors."""
    return config.detectors


async def run(config: WalkTestConfig, ctx: CheckContext) -> Verdict:
    """Lead a person past one detector after the other."""
    walks = {
        id_: await _walk(config, ctx, id_, 2 * place + 1)
        for place, id_ in enumerate(config.detectors)
    }
    return judge(walks, within_s=config.within_s)


async def _walk(config: WalkTestConfig, ctx: CheckContext, id_: str, step: int) -> Walk:
    text = f"{id_.upper()}: keep still until it is at rest, press, and walk in front of it."
    begun = await ctx.prompt(step, text, expects=Expects.DONE, for_s=config.answer_s)
    rest = ctx.newest(id_)
    if (
        begun is None
        or rest is None
        or not ctx.accepts(rest)
        or rest.value is not ContactState.CLOSED
    ):
        return Walk(begun)
    began_s = ctx.clock.now_s()
    with ctx.listen((id_,)) as inbox:
        seen = await _opened(inbox, ctx, until_s=began_s + config.within_s)
    if seen is None:
        return Walk(begun, rest)
    text = f"{id_.upper()}: did the attended station show it? yes or no"
    told = await ctx.prompt(step + 1, text, expects=Expects.YES_OR_NO, for_s=config.answer_s)
    return Walk(begun, rest, seen, max(0.0, seen.received_s - began_s), told)


async def _opened(inbox: Inbox, ctx: CheckContext, *, until_s: float) -> Reading | None:
    while (reading := await inbox.next(until_s=until_s)) is not None:
        if ctx.accepts(reading) and reading.value is ContactState.OPEN:
            return reading
    return None


CHECK = CheckSpec(
    kind="walk_test",
    config=WalkTestConfig,
    run=run,
    points=points,
    mode=Mode.ASSISTED,
    count_steps=lambda config: 2 * len(config.detectors),
)
