"""Does the test lamp of an SSAS unit answer to its test button, with nothing sent?

Source: the makers' manuals (``config/ssas/``), as only a unit whose maker says that a short press sends nothing may be
tested so: SAILOR 6194 and JRC JUE-95SA, less than 30 s. The test button alone is pressed, never an alert button.
That nothing was received ashore is said by a named person. It runs only inside a test window, and nothing of it is
class watch (invariant 1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from daemon.checks.api import Answer, CheckConfig, CheckContext, CheckSpec, Expects, Mode
from daemon.checks.lamp_patterns import LampProfile, Phase
from daemon.checks.ssas_units import UnitName, load_lamp, load_unit
from daemon.checks.ssas_watch import LampWatch, message_until
from daemon.model import Classification, LampState, Outcome, Reading, Verdict

if TYPE_CHECKING:
    from typing import Self

STEPS = 4
HOLD_S = 5.0
"""How long the person is asked to hold the button, in seconds."""
SAFE_TIMES = 4
"""A press that sends is at least so many times as long: nobody counts seconds well."""
SHOWN_WITHIN_S = 10.0
"""How long the lamp is given to show rest, in seconds; a steady lamp is clear after 2."""


class SsasLampConfig(CheckConfig):
    """The test button and lamp of one SSAS unit."""

    kind: Literal["ssas_lamp"]
    unit_profile: UnitName
    """The maker's procedure that this test follows: ``sailor-6194``."""
    lamp: Annotated[str, Field(min_length=1)]
    """The point of the unit's test lamp."""
    message: str = ""
    """The point of the unit's text, or "" where the unit has none."""
    watch_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """How long after the press no message may come, in seconds."""
    answer_s: Annotated[float, Field(ge=1, le=900)] = 600.0
    """How long each answer of a person is waited for, in seconds."""

    @model_validator(mode="after")
    def _sends_nothing(self) -> Self:
        unit = load_unit(self.unit_profile)
        if unit.test.quiet_s is None or unit.test.quiet_s < SAFE_TIMES * HOLD_S:
            raise ValueError(
                f"the maker of {self.unit_profile} does not say that a press of less than "
                f"{SAFE_TIMES * HOLD_S:.0f} s sends nothing: no lamp check of this unit"
            )
        load_lamp(self.unit_profile)
        if self.message and not unit.tells_by_port:
            raise ValueError(f'{self.unit_profile} knows of no text port: say message = ""')
        return self


@dataclass(frozen=True, slots=True)
class Seen:
    """What was gathered, in the order of the steps; None where it was not.

    Attributes:
        done: The person who says that the button was pressed and let go.
        blinked: The lamp blinked, as it does when an alert button is pressed too.
        states: Every state that the lamp was seen in.
        in_sight: The lamp was in sight the whole time.
        port_was_there: So was the text port, where the unit has one.
        ashore: Who says that nothing was received, and by which reference.
    """

    at_rest: Reading | None = None
    done: Answer | None = None
    pressed: Reading | None = None
    blinked: Reading | None = None
    rest_again: Reading | None = None
    states: frozenset[LampState] = frozenset()
    in_sight: bool = True
    message: Reading | None = None
    port_was_there: bool = True
    ashore: Answer | None = None


def judge(seen: Seen) -> Verdict:
    """Judge the lamp against what its maker says; whatever was sent is a failure."""
    outcome, reason = _fault(seen) or (Outcome.PASSED, "lamp as the maker says, nothing sent")
    by_lamp = (seen.at_rest, seen.pressed, seen.blinked, seen.rest_again, seen.message)
    readings = tuple(reading for reading in by_lamp if reading is not None)
    nothing_ashore = "not said"
    if seen.ashore is not None:
        nothing_ashore = f"said by {seen.ashore.person}: {seen.ashore.text}"
    details = {
        "at_rest": _where(seen.at_rest),
        "pressed": _where(seen.pressed),
        "rest_again": _where(seen.rest_again),
        "pressed_by": "not said" if seen.done is None else f"said by {seen.done.person}",
        "nothing_ashore": nothing_ashore,
    }
    return Verdict(outcome, reason, readings, details)


def _fault(seen: Seen) -> tuple[Outcome, str] | None:
    if seen.message is not None:
        return Outcome.FAILED, "a message was sent"
    if seen.blinked is not None:
        return Outcome.FAILED, "the lamp blinked, as when an alert button is pressed too"
    return _lamp_fault(seen) or _silence_fault(seen)


def _lamp_fault(seen: Seen) -> tuple[Outcome, str] | None:
    if seen.at_rest is None or seen.done is None:
        unsaid = "nobody said that TEST was pressed"
        unseen = "the lamp was not seen at rest first"
        return Outcome.INCONCLUSIVE, unseen if seen.at_rest is None else unsaid
    if seen.pressed is not None and seen.rest_again is not None:
        return None
    if not seen.in_sight:
        return Outcome.INCONCLUSIVE, "the lamp was out of sight for a while"
    if seen.pressed is not None:
        return Outcome.FAILED, "the lamp did not go back to rest"
    if len(seen.states) == 1:
        return Outcome.FAILED, f"TEST was pressed and the lamp stayed {min(seen.states)}"
    return Outcome.INCONCLUSIVE, "the lamp did not show a press of some seconds clearly"


def _silence_fault(seen: Seen) -> tuple[Outcome, str] | None:
    if not seen.port_was_there:
        return Outcome.INCONCLUSIVE, "the text port was lost: a message may have been missed"
    if seen.ashore is None or not seen.ashore.text:
        return Outcome.INCONCLUSIVE, "nobody said that nothing was received ashore"
    return None


def _where(reading: Reading | None) -> str:
    return "not seen" if reading is None else f"seen by ispsd on {reading.point}"


def points(config: SsasLampConfig) -> tuple[str, ...]:
    """Return the points of lamp and message, as far as the unit has them."""
    return tuple(point for point in (config.lamp, config.message) if point)


async def run(config: SsasLampConfig, ctx: CheckContext) -> Verdict:
    """Lead a person through the press; listen for a message from before it to the last answer."""
    profile = load_lamp(config.unit_profile)
    with ctx.listen((config.message,) if config.message else ()) as messages:
        seen = await _pressed(config, ctx, profile)
        message, was_there = None, True
        if seen.rest_again is not None:
            await ctx.prompt(3, "Wait: nothing may be sent.", expects=Expects.NOTHING, for_s=0)
            until_s = ctx.clock.now_s() + config.watch_s
            message, was_there = await message_until(messages, ctx, until_s=until_s)
        ashore = None
        if seen.rest_again is not None and message is None:
            ashore = await ctx.prompt(
                4,
                "Nothing received ashore? Name who says so, and when.",
                expects=Expects.REFERENCE,
                for_s=config.answer_s,
            )
        if message is None:
            message, still_there = await message_until(messages, ctx, until_s=ctx.clock.now_s())
            was_there &= still_there
    return judge(replace(seen, message=message, port_was_there=was_there, ashore=ashore))


async def _pressed(config: SsasLampConfig, ctx: CheckContext, profile: LampProfile) -> Seen:
    """Return what the lamp showed before, during and after the press."""
    with ctx.listen((config.lamp,)) as inbox:
        lamp = LampWatch(inbox, ctx, profile)
        await ctx.prompt(
            1, "Press nothing: the lamp is looked at.", expects=Expects.NOTHING, for_s=0
        )
        at_rest = await lamp.until(Phase.REST, until_s=ctx.clock.now_s() + SHOWN_WITHIN_S)
        if at_rest is None:
            return Seen()
        done = await ctx.prompt(
            2,
            f"Hold TEST alone for {HOLD_S:.0f} s and let go; touch no alert button. Then say done. "
            "Real alert by mistake? Open the false alert card now.",
            expects=Expects.DONE,
            for_s=config.answer_s,
        )
        # What the lamp showed meanwhile waits in the inbox.
        until_s = ctx.clock.now_s() + SHOWN_WITHIN_S
        pressed = await lamp.until(Phase.PRESSED, until_s=until_s)
        after = None
        if pressed is not None:
            after = await lamp.until(Phase.REST, Phase.BLINKING, until_s=until_s)
        blinked = after
        if lamp.phase is not Phase.BLINKING:
            blinked = await lamp.until(Phase.BLINKING, until_s=ctx.clock.now_s())
        return Seen(
            at_rest=at_rest,
            done=done,
            pressed=pressed,
            blinked=blinked,
            rest_again=None if after is blinked else after,
            states=frozenset(lamp.states),
            in_sight=lamp.was_in_sight(),
        )


CHECK = CheckSpec(
    kind="ssas_lamp",
    config=SsasLampConfig,
    run=run,
    points=points,
    mode=Mode.ASSISTED,
    classification=Classification.SSO,
    steps=STEPS,
    needs_window=True,
)
