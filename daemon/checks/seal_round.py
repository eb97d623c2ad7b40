"""Do the seals carry the numbers that they were given, and are the wired loops whole?

Numbers are typed as they are found and held against the register: the ship's file, and what was sealed anew since.
They are class ``sso``; the result says only how many do not match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from daemon.checks.api import (
    CheckConfig,
    CheckSpec,
    Expects,
    Gathered,
    Mode,
    answer_in,
    fact_of,
)
from daemon.model import ContactState, Outcome, Verdict
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.checks.api import Answer, CheckContext
    from daemon.model import Json, Reading

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]
Number = Annotated[str, Field(pattern=r"^[A-Za-z0-9/-]{1,20}$")]


class SealGroup(BaseModel):
    """Seals that are seen together, at one place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=40), LINE]
    numbers: dict[Id, Number] = {}
    """The numbered seals: each id with the number it had when the file was written."""
    loops: tuple[Id, ...] = ()
    """The points of the wired seals."""

    @model_validator(mode="after")
    def _is_not_empty(self) -> SealGroup:
        if not self.numbers and not self.loops:
            raise ValueError(f"{self.name}: a group has numbered seals, loops, or both")
        return self


class SealRoundConfig(CheckConfig):
    """The seals of a round."""

    kind: Literal["seal_round"]
    groups: Annotated[tuple[SealGroup, ...], Field(min_length=1, max_length=30)]
    answer_s: Annotated[float, Field(ge=10, le=7200)] = 1800.0
    """How long each group is waited for, in seconds."""


def judge(config: SealRoundConfig, gathered: Gathered) -> Verdict:
    """Judge the whole round; the worst counts, and all of it is named."""
    facts = gathered.facts
    groups, register = facts["groups"], facts["register"]
    found: list[tuple[Outcome, str]] = []
    for group, said in zip(config.groups, groups, strict=True):
        answer = answer_in(said["answer"])
        if group.numbers:
            found.append(_judge_numbers(group, answer, register))
        elif answer is None:
            found.append((Outcome.INCONCLUSIVE, f"{group.name}: nobody looked"))
        if group.loops:
            found.append(_judge_loops(group, gathered))
    outcomes = {outcome for outcome, _ in found}
    worst = next(
        (o for o in (Outcome.FAILED, Outcome.INCONCLUSIVE) if o in outcomes), Outcome.PASSED
    )
    reason = "; ".join(text for outcome, text in found if outcome is worst)
    typed = [
        {"group": group.name, "typed": said["answer"] and said["answer"]["text"]}
        for group, said in zip(config.groups, groups, strict=True)
        if group.numbers
    ]
    seals = {
        id_: outcome.value
        for group, said in zip(config.groups, groups, strict=True)
        for id_, outcome in _each(group, answer_in(said["answer"]), register, gathered)
    }
    details: dict[str, Json] = {"seals": seals}
    return Verdict(worst, reason, details=details | ({"typed": typed} if typed else {}))


def _each(
    group: SealGroup, answer: Answer | None, register: Mapping[str, str], gathered: Gathered
) -> Iterator[tuple[str, Outcome]]:
    """Yield how each seal of a group is: whose number was not found, or whose loop is not whole, is UNSAT by itself."""
    found = set() if answer is None else _numbers(answer)
    for id_, number in group.numbers.items():
        is_there = register.get(id_, number).upper() in found
        known = Outcome.PASSED if is_there else Outcome.FAILED
        yield id_, Outcome.INCONCLUSIVE if answer is None else known
    for id_ in group.loops:
        reading = gathered.newest(id_)
        if reading is None:
            yield id_, Outcome.INCONCLUSIVE
        else:
            whole = reading.value is ContactState.CLOSED
            yield id_, Outcome.PASSED if whole else Outcome.FAILED


def _numbers(answer: Answer) -> set[str]:
    return {word.upper() for word in answer.text.replace(",", " ").split()}


def _judge_numbers(
    group: SealGroup, answer: Answer | None, register: Mapping[str, str]
) -> tuple[Outcome, str]:
    """Judge what was typed; order, case and what stands between numbers do not matter."""
    if answer is None:
        return Outcome.INCONCLUSIVE, f"{group.name}: no numbers were entered"
    wanted = {register.get(id_, number).upper() for id_, number in group.numbers.items()}
    found = _numbers(answer)
    missing, strange = len(wanted - found), len(found - wanted)
    if missing or strange:
        return Outcome.FAILED, f"{group.name}: {missing} not found, {strange} not in the register"
    return Outcome.PASSED, f"{group.name}: {len(wanted)} as the register"


def _judge_loops(group: SealGroup, gathered: Gathered) -> tuple[Outcome, str]:
    """Judge the wired loops; of one that was not seen there is no reading."""
    loops = {id_: gathered.newest(id_) for id_ in group.loops}
    broken = [
        id_
        for id_, reading in loops.items()
        if reading is not None and reading.value is not ContactState.CLOSED
    ]
    if broken:
        return Outcome.FAILED, f"{group.name}: loop {', '.join(broken)} not whole"
    if unseen := [id_ for id_, reading in loops.items() if reading is None]:
        return Outcome.INCONCLUSIVE, f"{group.name}: loop {', '.join(unseen)} not seen"
    return Outcome.PASSED, f"{group.name}: {len(loops)} loop{'s' if len(loops) != 1 else ''} whole"


def points(config: SealRoundConfig) -> tuple[str, ...]:
    """Return the points of the wired seals."""
    return tuple(id_ for group in config.groups for id_ in group.loops)


async def run(config: SealRoundConfig, ctx: CheckContext) -> Gathered:
    """Lead a person from group to group."""
    numbers = ctx.services.seal_numbers
    register = {} if numbers is None else dict(numbers())
    readings: list[Reading] = []
    groups: list[Json] = []
    for step, group in enumerate(config.groups, start=1):
        if group.numbers:
            text = f"{group.name}: enter the {len(group.numbers)} numbers as found on the seals."
            answer = await ctx.prompt(step, text, expects=Expects.NUMBER, for_s=config.answer_s)
        else:
            text = f"{group.name}: look at the loops and press when they are seen."
            answer = await ctx.prompt(step, text, expects=Expects.DONE, for_s=config.answer_s)
        groups.append({"group": group.name, "answer": fact_of(answer)})
        loops = (_counting(ctx, id_) for id_ in group.loops)
        readings += [reading for reading in loops if reading is not None]
    return Gathered(tuple(readings), {"register": register, "groups": groups})


def _counting(ctx: CheckContext, id_: str) -> Reading | None:
    reading = ctx.newest(id_)
    return reading if reading is not None and ctx.accepts(reading) else None


CHECK = CheckSpec(
    kind="seal_round",
    config=SealRoundConfig,
    run=run,
    judge=judge,
    points=points,
    mode=Mode.ASSISTED,
    count_steps=lambda config: len(config.groups),
)
