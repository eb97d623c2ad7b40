"""Does a ship security alert, sent as a test from one activation point, arrive ashore?

Source: MSC.147(77) annex 7 (must be capable of being tested), MSC/Circ.1155 annex II; how long a press lasts and what
the lamp shows is the maker's (``config/ssas/``), how long before the flag is told is the flag's (``config/flags/``).
The proof has three legs: activation seen, transmitter accepted, shore confirmation attached; a leg that the unit
cannot show is supplied by a named person, and the result says which. It runs only inside a test window, and nothing
of it is class watch (invariant 1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from daemon.checks.api import Answer, CheckConfig, CheckContext, CheckSpec, Expects, Mode
from daemon.checks.flags import FlagName, judge_notices, load_flag
from daemon.checks.lamp_patterns import Phase
from daemon.checks.ssas_units import UnitName, UnitProfile, load_lamp, load_unit
from daemon.checks.ssas_watch import LampWatch, message_until
from daemon.model import Classification, Outcome, Reading, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Self

    from daemon.checks.flags import Notice

STEPS = 5
UNKNOWN_SENDING_S = 1020.0
"""How long sending is waited for where neither the ship nor the maker says."""


class SsasEndToEndConfig(CheckConfig):
    """One activation point of one SSAS unit."""

    kind: Literal["ssas_end_to_end"]
    activation_point: Annotated[str, Field(pattern=r"^P[1-9]$")]
    """An opaque id; where it is stands in the SSP only (A/9.4.17)."""
    flag_profile: FlagName
    """The flag whose rule this test follows: ``singapore``."""
    unit_profile: UnitName
    """The maker's procedure that this test follows: ``jrc-jue-95sa-text``."""
    message: str
    """The point of the unit's text, or "" where the unit has none."""
    lamp: str
    """The point of the unit's test lamp, or "" where none is wired."""
    addressees: Annotated[int, Field(ge=1, le=9)] | None = None
    """To how many the unit sends, which says how long it takes; where not given, to the most that it can."""
    activation_s: Annotated[float, Field(ge=1, le=600)] = 120.0
    """How long the lamp is waited for, in seconds."""
    sending_s: Annotated[float, Field(ge=1, le=5400)] | None = None
    """How long sending is waited for, in seconds; where not given, as the maker says for so many addressees."""
    answer_s: Annotated[float, Field(ge=1, le=3600)] = 900.0
    """How long each answer of a person is waited for, in seconds."""

    @model_validator(mode="after")
    def _fits_the_unit(self) -> Self:
        unit = load_unit(self.unit_profile)
        unit.sending_s(self.addressees)
        if self.lamp:
            load_lamp(self.unit_profile)
        if self.message and not unit.tells_by_port:
            raise ValueError(f'{self.unit_profile} knows of no text port: say message = ""')
        return self


def may_start(
    config: SsasEndToEndConfig, notices: Iterable[Notice], now_utc: datetime
) -> str | None:
    """Return why the test may not start now, with the flag's rule quoted; None where notice was given in time."""
    return judge_notices(config.flag_profile, notices, now_utc)


@dataclass(frozen=True, slots=True)
class Legs:
    """What was gathered; None where a leg was not seen by the unit or not said by a person.

    Attributes:
        watched: What shows the sending was in sight the whole time, so that nothing seen is a finding and not a gap.
        at_rest: The lamp, where there is one, was seen at rest before.
    """

    activation: Reading | Answer | None
    acceptance: Reading | Answer | None
    shore: Answer | None
    text_set_back: Answer | None
    watched: bool = True
    at_rest: bool = True


def judge(legs: Legs) -> Verdict:
    """Judge the three legs and the text set back."""
    readings = tuple(r for r in (legs.activation, legs.acceptance) if isinstance(r, Reading))
    details = {
        "activation": _seen_by(legs.activation),
        "acceptance": _seen_by(legs.acceptance),
        "shore": _seen_by(legs.shore),
        "text_set_back": _seen_by(legs.text_set_back),
    }
    if legs.activation is None:
        why = "" if legs.at_rest else ": the lamp was not seen at rest first"
        return Verdict(Outcome.INCONCLUSIVE, f"activation not seen{why}", readings, details)
    unproven = isinstance(legs.acceptance, Answer) and not legs.acceptance.text
    if unproven or (legs.acceptance is None and not legs.watched):
        return Verdict(
            Outcome.INCONCLUSIVE, "activation seen; sending was not seen", readings, details
        )
    if legs.acceptance is None:
        return Verdict(
            Outcome.FAILED, "activation seen; no test message was sent in time", readings, details
        )
    if legs.shore is None or not legs.shore.text:
        return Verdict(Outcome.INCONCLUSIVE, "sent; no confirmation from ashore", readings, details)
    if legs.text_set_back is None:
        return Verdict(
            Outcome.INCONCLUSIVE, "confirmed; text not confirmed as set back", readings, details
        )
    return Verdict(Outcome.PASSED, "activation seen, sent, confirmed ashore", readings, details)


def _seen_by(leg: Reading | Answer | None) -> str:
    match leg:
        case None:
            return "not seen"
        case Reading():
            return f"seen by ispsd on {leg.point}"
        case Answer():
            return f"said by {leg.person}: {leg.text}" if leg.text else f"said by {leg.person}"


def points(config: SsasEndToEndConfig) -> tuple[str, ...]:
    """Return the points of message and lamp, as far as the unit has them."""
    return tuple(point for point in (config.lamp, config.message) if point)


async def run(config: SsasEndToEndConfig, ctx: CheckContext) -> Verdict:
    """Lead a person through the test."""
    unit = load_unit(config.unit_profile)
    legs = await _on_board(config, ctx, unit)
    if legs.acceptance is None:
        return judge(legs)
    shore = await ctx.prompt(
        3,
        "Confirmed from ashore? Give reference and time.",
        expects=Expects.REFERENCE,
        for_s=config.answer_s,
    )
    reset = None
    if shore is not None:
        await ctx.prompt(4, unit.test.release, expects=Expects.DONE, for_s=config.answer_s)
        reset = await ctx.prompt(
            5, "Message text set back to the real one?", expects=Expects.DONE, for_s=config.answer_s
        )
    return judge(replace(legs, shore=shore, text_set_back=reset))


async def _on_board(config: SsasEndToEndConfig, ctx: CheckContext, unit: UnitProfile) -> Legs:
    """Return the two legs that are seen on board: activation, and that the transmitter accepted it."""
    says = " and ".join(load_flag(config.flag_profile).message_says)
    press = (
        f"At {config.activation_point}: {unit.test.press}. The message must say {says}. "
        "Real alert by mistake? Open the false alert card now."
    )
    if not config.lamp:
        done = await ctx.prompt(1, press, expects=Expects.DONE, for_s=config.activation_s)
        return await _sent(config, ctx, unit, Legs(done, None, None, None))
    with ctx.listen((config.lamp,)) as inbox:
        profile = load_lamp(config.unit_profile)
        lamp = LampWatch(inbox, ctx, profile)
        await ctx.prompt(1, press, expects=Expects.NOTHING, for_s=0)
        until_s = ctx.clock.now_s() + config.activation_s
        at_rest = await lamp.until(Phase.REST, until_s=until_s)
        pressed = await lamp.until(Phase.PRESSED, until_s=until_s)
        legs = Legs(pressed, None, None, None, at_rest=at_rest is not None)
        if not config.message and profile.when_sent is not None:
            return await _sent(config, ctx, unit, legs, lamp)
    return await _sent(config, ctx, unit, legs)


async def _sent(
    config: SsasEndToEndConfig,
    ctx: CheckContext,
    unit: UnitProfile,
    legs: Legs,
    lamp: LampWatch | None = None,
) -> Legs:
    """Return the legs with the one that says that the transmitter accepted: by text, by lamp, or by a person."""
    if legs.activation is None:
        return legs
    for_s = config.sending_s or unit.sending_s(config.addressees) or UNKNOWN_SENDING_S
    until_s = ctx.clock.now_s() + for_s
    if not config.message and lamp is None:
        said = await ctx.prompt(2, "Sent? Name the proof.", expects=Expects.REFERENCE, for_s=for_s)
        return replace(legs, acceptance=said, watched=False)
    wait = f"Wait, at most {for_s / 60:.0f} min: the unit is sending."
    if lamp is not None:
        await ctx.prompt(2, wait, expects=Expects.NOTHING, for_s=0)
        sent = await lamp.until(Phase.SENT, until_s=until_s)
        return replace(legs, acceptance=sent, watched=lamp.was_in_sight())
    # From now on only: a message from before the lamp is not this test's.
    with ctx.listen((config.message,)) as inbox:
        await ctx.prompt(2, wait, expects=Expects.NOTHING, for_s=0)
        message, watched = await message_until(inbox, ctx, until_s=until_s)
    return replace(legs, acceptance=message, watched=watched)


CHECK = CheckSpec(
    kind="ssas_end_to_end",
    config=SsasEndToEndConfig,
    run=run,
    points=points,
    mode=Mode.ASSISTED,
    classification=Classification.SSO,
    steps=STEPS,
    needs_window=True,
)
