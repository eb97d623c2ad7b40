"""Does a ship security alert, sent as a test from one activation point, arrive ashore?

Source: MSC.147(77) annex 7 (must be capable of being tested), MSC/Circ.1155 annex II; the press of 30 s and the
lamp are JRC's and SAILOR's (``config/ssas/``). The proof has three legs: activation seen, transmitter accepted, shore
confirmation attached; a leg that the unit cannot show is supplied by a named person, and the result says which.
It runs only inside a test window, and nothing of it is class watch (invariant 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from daemon.checks.api import Answer, CheckConfig, CheckContext, CheckSpec, Expects, Inbox, Mode
from daemon.model import Classification, LampState, Outcome, Reading, SsasMessage, Verdict

STEPS = 5


class SsasEndToEndConfig(CheckConfig):
    """One activation point of one SSAS unit."""

    kind: Literal["ssas_end_to_end"]
    activation_point: Annotated[str, Field(pattern=r"^P[1-9]$")]
    """An opaque id; where it is stands in the SSP only (A/9.4.17)."""
    flag_profile: Annotated[str, Field(min_length=1, max_length=40)]
    """The flag's rule that this test follows, with its date: ``SG 2024-10``."""
    unit_profile: Annotated[str, Field(min_length=1, max_length=60)]
    """The maker's procedure that this test follows: ``jrc-jue-95sa-text``."""
    message: str
    """The point of the unit's text, or "" where the unit has none."""
    lamp: str
    """The point of the unit's test lamp, or "" where none is wired."""
    activation_s: Annotated[float, Field(ge=1, le=600)] = 120.0
    """How long the lamp is waited for, in seconds."""
    sending_s: Annotated[float, Field(ge=1, le=3600)] = 1020.0
    """How long the message is waited for, in seconds; JRC: 5 to 53 min, by number of addressees."""
    answer_s: Annotated[float, Field(ge=1, le=3600)] = 900.0
    """How long each answer of a person is waited for, in seconds."""


@dataclass(frozen=True, slots=True)
class Legs:
    """What was gathered; None where a leg was not seen by the unit or not said by a person.

    Attributes:
        watched: The unit's port was read the whole time, so that no message is a finding and not a gap.
    """

    activation: Reading | Answer | None
    acceptance: Reading | Answer | None
    shore: Answer | None
    text_set_back: Answer | None
    watched: bool = True


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
        return Verdict(Outcome.INCONCLUSIVE, "activation not seen", readings, details)
    if legs.acceptance is None and not legs.watched:
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


async def _lamp_lit(inbox: Inbox, ctx: CheckContext, *, for_s: float) -> Reading | None:
    """Return the reading that shows the lamp change to lit; lit from the start is not a press."""
    until_s = ctx.clock.now_s() + for_s
    was_dark = False
    while (reading := await inbox.next(until_s=until_s)) is not None:
        if not ctx.accepts(reading):
            continue
        if reading.value is LampState.DARK:
            was_dark = True
        elif reading.value is LampState.LIT and was_dark:
            return reading
    return None


async def _test_message(
    inbox: Inbox, ctx: CheckContext, point: str, *, for_s: float
) -> tuple[Reading | None, bool]:
    """Return the reading that carries the unit's test message, and whether its port was there all the time."""
    until_s = ctx.clock.now_s() + for_s
    watched = True
    while (reading := await inbox.next(until_s=until_s)) is not None:
        if isinstance(reading.value, SsasMessage) and ctx.accepts(reading):
            return reading, True
        watched &= reading.point != point or reading.value is not None
    return None, watched


def points(config: SsasEndToEndConfig) -> tuple[str, ...]:
    """Return the points of message and lamp, as far as the unit has them."""
    return tuple(point for point in (config.lamp, config.message) if point)


async def run(config: SsasEndToEndConfig, ctx: CheckContext) -> Verdict:
    """Lead a person through the test."""
    with ctx.listen(points(config)) as inbox:
        activation: Reading | Answer | None
        press = (
            f"At {config.activation_point}: hold TEST and press ALERT for more than 30 s. "
            "Real alert by mistake? Open the false alert card now."
        )
        if config.lamp:
            await ctx.prompt(1, press, expects=Expects.NOTHING, for_s=0)
            activation = await _lamp_lit(inbox, ctx, for_s=config.activation_s)
        else:
            activation = await ctx.prompt(1, press, expects=Expects.DONE, for_s=config.activation_s)
        acceptance: Reading | Answer | None = None
        watched = bool(config.message)
        # A message before the lamp is not this test's: the contact counts only after the lamp.
        if activation is not None and config.message:
            await ctx.prompt(2, "Wait: the unit is sending.", expects=Expects.NOTHING, for_s=0)
            acceptance, watched = await _test_message(
                inbox, ctx, config.message, for_s=config.sending_s
            )
        elif activation is not None:
            acceptance = await ctx.prompt(
                2, "Sent? Name the proof.", expects=Expects.REFERENCE, for_s=config.sending_s
            )
    if acceptance is None:
        return judge(Legs(activation, acceptance, None, None, watched=watched))
    shore = await ctx.prompt(
        3,
        "Confirmed from ashore? Give reference and time.",
        expects=Expects.REFERENCE,
        for_s=config.answer_s,
    )
    reset = None
    if shore is not None:
        await ctx.prompt(
            4, "Release all buttons, ALERT first.", expects=Expects.DONE, for_s=config.answer_s
        )
        reset = await ctx.prompt(
            5, "Message text set back to the real one?", expects=Expects.DONE, for_s=config.answer_s
        )
    return judge(Legs(activation, acceptance, shore, reset))


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
