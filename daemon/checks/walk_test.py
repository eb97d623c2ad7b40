"""Does a motion detector see somebody who walks in front of it, and does the station say so in time?

The detector must be at rest first: what it saw before nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

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
from daemon.checks.telling import telling
from daemon.model import ContactState, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import CheckContext, Inbox
    from daemon.model import Json, Reading

PointId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]


class WalkTestConfig(CheckConfig):
    """Motion detectors that are walked past one after the other."""

    kind: Literal["walk_test"]
    detectors: Annotated[tuple[PointId, ...], Field(min_length=1, max_length=20)]
    within_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How soon after the first step it must see somebody, in seconds."""
    tampers: dict[PointId, PointId] = Field(default_factory=dict)
    """Whose case is opened as well, and the point of its tamper loop: ``{ m01 = "m01.tamper" }``."""
    answer_s: Annotated[float, Field(ge=10, le=3600)] = 900.0
    """How long each answer of a person is waited for, in seconds."""

    @model_validator(mode="after")
    def _tampers_are_of_its_detectors(self) -> Self:
        if strange := self.tampers.keys() - set(self.detectors):
            raise ValueError(f"tampers: {', '.join(sorted(strange))} is none of its detectors")
        return self


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
    if seen is None and walk["heard"] is False:
        return Outcome.INCONCLUSIVE, "not seen any more"
    if seen is None or seen.received_s - began_s > config.within_s:
        return Outcome.FAILED, f"saw nobody in {config.within_s:g} s"
    words = f"saw in {max(0.0, seen.received_s - began_s):.1f} s"
    against = _of_station(walk, words, config) or _of_tamper(
        config.tampers.get(id_), config, gathered
    )
    return against or (Outcome.PASSED, words)


def _of_station(
    walk: Mapping[str, Any], words: str, config: WalkTestConfig
) -> tuple[Outcome, str] | None:
    """Judge whether the station told of it in time; None where there is nothing against it."""
    told, sounded = answer_in(walk["told"]), walk["sounded"]
    if told is not None and not told.is_yes:
        return Outcome.FAILED, f"{words}, the station did not show it"
    if told is None and not sounded:
        return Outcome.INCONCLUSIVE, "nobody answered for the station"
    late_s = sounded["at_s"] - walk["began_s"] if sounded else 0.0
    if late_s > config.within_s:
        return Outcome.FAILED, f"{words}, the station sounded after {late_s:.1f} s"
    return None


def _of_tamper(
    loop: str | None, config: WalkTestConfig, gathered: Gathered
) -> tuple[Outcome, str] | None:
    """Judge the tamper loop of a detector; None where there is nothing against it."""
    if loop is None:
        return None
    said = gathered.facts.get(loop)
    if not said or answer_in(said["opened"]) is None:
        return Outcome.INCONCLUSIVE, "nobody opened its case"
    if gathered.newest(loop, ContactState.CLOSED) is None:
        return Outcome.INCONCLUSIVE, "its case was not seen shut before"
    tripped = gathered.newest(loop, ContactState.OPEN)
    if tripped is None or tripped.received_s - said["opened_s"] > config.within_s:
        if said["heard"] is False:
            return Outcome.INCONCLUSIVE, "its tamper loop is not seen"
        return Outcome.FAILED, f"its tamper loop said nothing in {config.within_s:g} s"
    return None


def points(config: WalkTestConfig) -> tuple[str, ...]:
    """Return the detectors and the tamper loops."""
    return (*config.detectors, *config.tampers.values())


async def run(config: WalkTestConfig, ctx: CheckContext) -> Gathered:
    """Lead a person past one detector after the other."""
    facts: dict[str, Json] = {}
    readings: list[Reading] = []
    step = 1
    for id_ in config.detectors:
        facts[id_], seen = await _walk(config, ctx, id_, step)
        readings += seen
        step += 2
        if (loop := config.tampers.get(id_)) is not None:
            facts[loop], seen = await _tamper(config, ctx, id_, loop, step)
            readings += seen
            step += 1
    return Gathered(tuple(readings), facts)


async def _walk(
    config: WalkTestConfig, ctx: CheckContext, id_: str, step: int
) -> tuple[dict[str, Json], tuple[Reading, ...]]:
    """Return what was said of one detector, and the readings that show it at rest and seeing somebody."""
    text = f"{id_.upper()}: keep still until it is at rest, press, and walk in front of it."
    begun = await ctx.prompt(step, text, expects=Expects.DONE, for_s=config.answer_s)
    began_s = ctx.clock.now_s()
    said: dict[str, Json] = {"begun": fact_of(begun), "began_s": began_s, "told": None}
    said["sounded"], said["heard"] = None, True
    rest = ctx.newest(id_)
    if begun is None or rest is None or not ctx.accepts(rest):
        return said, ()
    if rest.value is not ContactState.CLOSED:
        return said, (rest,)
    async with telling(ctx, id_) as telling_of_it:
        with ctx.listen((id_,)) as inbox:
            seen = await _opened(inbox, ctx, until_s=began_s + config.within_s)
        if seen is None:
            return {**said, "heard": _is_heard(ctx, id_)}, (rest,)
        ctx.saw(f"{id_.upper()} saw in {max(0.0, seen.received_s - began_s):.1f} s")
        text = f"{id_.upper()}: did the attended station show it? yes or no"
        told = await ctx.prompt(step + 1, text, expects=Expects.YES_OR_NO, for_s=config.answer_s)
    return {**said, "told": fact_of(told), "sounded": telling_of_it.first}, (rest, seen)


async def _tamper(
    config: WalkTestConfig, ctx: CheckContext, id_: str, loop: str, step: int
) -> tuple[dict[str, Json], tuple[Reading, ...]]:
    """Return what was said of a detector's case, and the readings that show its loop shut and open."""
    text = f"{id_.upper()}: open its case, and press at once."
    with ctx.listen((loop,)) as inbox:
        before = ctx.newest(loop)
        opened = await ctx.prompt(step, text, expects=Expects.DONE, for_s=config.answer_s)
        opened_s = ctx.clock.now_s()
        said: dict[str, Json] = {"opened": fact_of(opened), "opened_s": opened_s, "heard": True}
        readings = [] if before is None or not ctx.accepts(before) else [before]
        if opened is None:
            return said, tuple(readings)
        tripped = await _opened(inbox, ctx, until_s=opened_s + config.within_s)
    if tripped is None:
        return {**said, "heard": _is_heard(ctx, loop)}, tuple(readings)
    ctx.saw(f"{id_.upper()} tamper {max(0.0, tripped.received_s - opened_s):.1f} s")
    return said, (*readings, tripped)


def _is_heard(ctx: CheckContext, point: str) -> bool:
    """Return whether a point says something that counts now, by a device that answers."""
    newest, answers = ctx.newest(point), ctx.services.answers
    counts = newest is not None and ctx.accepts(newest)
    return counts and (answers is None or answers(point))


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
    count_steps=lambda config: 2 * len(config.detectors) + len(config.tampers),
)
