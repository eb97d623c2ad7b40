"""Does a person see on each camera's picture what the plan wants seen? A machine cannot tell.

The picture is looked at where it is always looked at, on the ship's own CCTV screen: it goes on no page and over no
broker of ours. What ispsd saw of it at that moment is kept with the answer, and a small copy of it in the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

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
from daemon.model import CameraState, CameraView, Outcome, Verdict
from daemon.wording.cameras import UNPROVEN, fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import CheckContext
    from daemon.model import Json

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]
QUESTIONS: Final = {
    "picture": "Is the picture sharp, not covered, and does it show what it should?",
    "clock": "Is the time in the picture right within 2 s, or is there none?",
    "kept": "Play this camera back from the oldest day that must be kept: is it there?",
}


class CctvLookConfig(CheckConfig):
    """Cameras that a person looks at one after the other."""

    kind: Literal["cctv_look"]
    cameras: Annotated[tuple[Id, ...], Field(min_length=1, max_length=200)]
    """The devices."""
    play_back: bool = False
    """Also ask for the recording of each: where no recorder can be asked how much it keeps."""
    answer_s: Annotated[float, Field(ge=10, le=7200)] = 600.0
    """How long each answer is waited for, in seconds."""


def questions(config: CctvLookConfig) -> tuple[str, ...]:
    """Return what is asked, in its order."""
    return ("picture", "clock", "kept") if config.play_back else ("picture", "clock")


def judge(config: CctvLookConfig, gathered: Gathered) -> Verdict:
    """Judge one camera by what the person said, and by whether ispsd saw it live."""
    camera = gathered.item
    if camera is None:
        return Verdict(Outcome.INCONCLUSIVE, "no camera was looked at")
    outcome, reason = _said(config, gathered, camera)
    item: Mapping[str, Json] = {"outcome": outcome.value, "reason": reason}
    return ItemsVerdict(outcome, f"{camera} {reason}", items={camera: item})


def _said(config: CctvLookConfig, gathered: Gathered, camera: str) -> tuple[Outcome, str]:
    answers = {each: answer_in(gathered.facts["answers"].get(each)) for each in questions(config)}
    for each, answer in answers.items():
        if answer is not None and not answer.is_yes:
            return Outcome.FAILED, f"{WRONG[each]}, said {answer.person}"
    if any(answer is None for answer in answers.values()):
        return Outcome.INCONCLUSIVE, "nobody answered"
    seen = gathered.newest(f"{camera}.view")
    if seen is None or not isinstance(seen.value, CameraView):
        return Outcome.INCONCLUSIVE, "was not seen by ispsd: is it that camera?"
    if (words := fault(seen.value)) is not None:
        return Outcome.FAILED, f"{words}, though the person sees it"
    if seen.value.state is not CameraState.LIVE and seen.value.state in UNPROVEN:
        return Outcome.INCONCLUSIVE, UNPROVEN[seen.value.state]
    by = next(answer.person for answer in answers.values() if answer is not None)
    return Outcome.PASSED, f"shows what it should, said {by}"


WRONG: Final = {
    "picture": "does not show what it should",
    "clock": "has the wrong time in its picture",
    "kept": "is not kept as long as it must be",
}


def points(config: CctvLookConfig) -> tuple[str, ...]:
    """Return what is seen of each camera."""
    return tuple(f"{id_}.view" for id_ in config.cameras)


async def run(config: CctvLookConfig, ctx: CheckContext) -> Gathered:
    """Ask about one camera."""
    camera = ctx.item
    if camera is None:
        return Gathered()
    answers: dict[str, Json] = {}
    named = ctx.services.name_of(camera) if ctx.services.name_of is not None else camera
    for step, question in enumerate(questions(config), start=1):
        text = f"{camera.upper()} {named}, on the CCTV screen. {QUESTIONS[question]}"
        answer = await ctx.prompt(step, text, expects=Expects.YES_OR_NO, for_s=config.answer_s)
        answers[question] = fact_of(answer)
        if answer is None:
            break
    reading = ctx.newest(f"{camera}.view")
    readings = (reading,) if reading is not None and ctx.accepts(reading) else ()
    picture = ctx.services.picture(camera) if ctx.services.picture is not None else None
    return Gathered(
        readings,
        {"answers": answers},
        item=camera,
        pictures=() if picture is None else (picture,),
    )


CHECK = CheckSpec(
    kind="cctv_look",
    config=CctvLookConfig,
    run=run,
    judge=judge,
    points=points,
    mode=Mode.ASSISTED,
    items=lambda config: tuple(config.cameras),
    count_steps=lambda config: len(questions(config)),
)
