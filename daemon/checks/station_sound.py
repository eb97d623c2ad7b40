"""Is an alert's sound heard where people keep the watch?

A speaker that is unplugged says nothing of it: somebody must stand there and hear it, once a week (ISPS B/9.43).
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
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext
    from daemon.model import Json

StationId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]


class StationSoundConfig(CheckConfig):
    """The stations that must be heard."""

    kind: Literal["station_sound"]
    stations: Annotated[tuple[StationId, ...], Field(min_length=1, max_length=20)]
    answer_s: Annotated[float, Field(ge=10, le=3600)] = 600.0
    """How long each station is waited for, in seconds."""


def judge(config: StationSoundConfig, gathered: Gathered) -> Verdict:
    """Judge what was answered at each station; silence of a person is no answer of the station."""
    heard = {station: answer_in(gathered.facts.get(station)) for station in config.stations}
    outcomes = {
        station: Outcome.INCONCLUSIVE
        if answer is None
        else Outcome.PASSED
        if answer.is_yes
        else Outcome.FAILED
        for station, answer in heard.items()
    }
    items = {
        station: {"outcome": outcomes[station].value, "by": answer.person if answer else None}
        for station, answer in heard.items()
    }
    for outcome, words in (
        (Outcome.FAILED, "not heard at"),
        (Outcome.INCONCLUSIVE, "nobody answered at"),
    ):
        if where := [station for station, found in outcomes.items() if found is outcome]:
            return ItemsVerdict(outcome, f"{words} {', '.join(where)}", items=items)
    return ItemsVerdict(Outcome.PASSED, f"heard at {', '.join(outcomes)}", items=items)


def points(_: StationSoundConfig) -> tuple[str, ...]:
    """Return none: only ears can tell."""
    return ()


async def run(config: StationSoundConfig, ctx: CheckContext) -> Gathered:
    """Ask at one station after the other; whoever hears it has made the heard-test of that station too."""
    heard: dict[str, Json] = {}
    for step, station in enumerate(config.stations, start=1):
        if ctx.services.play_test_sound is not None:
            ctx.services.play_test_sound(station)
        text = f"Station {station}: play the test sound there. Was it heard? yes or no"
        answer = await ctx.prompt(step, text, expects=Expects.YES_OR_NO, for_s=config.answer_s)
        heard[station] = fact_of(answer)
        if answer is not None and answer.is_yes and ctx.services.sound_heard is not None:
            ctx.services.sound_heard(station, answer.person)
    return Gathered(facts=heard)


CHECK = CheckSpec(
    kind="station_sound",
    config=StationSoundConfig,
    run=run,
    judge=judge,
    points=points,
    mode=Mode.ASSISTED,
    count_steps=lambda config: len(config.stations),
)
