"""Does the test lamp of an SSAS unit answer to its test button, with nothing sent?

Source: the makers' manuals (``config/ssas/``), as only a unit whose maker says that a short press sends nothing may be
tested so: SAILOR 6194 and JRC JUE-95SA, less than 30 s. The test button alone is pressed, never an alert button.
That nothing was received ashore is said by a named person. It runs only inside a test window, and nothing of it is
class watch (invariant 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from daemon.checks.api import CheckSpec, Expects, Gathered, Mode
from daemon.checks.lamp_patterns import Phase
from daemon.checks.ssas_facts import backed, fact, is_no, said, seen, text, who
from daemon.checks.ssas_settings import SsasConfig
from daemon.checks.ssas_units import load_lamp, load_unit
from daemon.checks.ssas_watch import LampWatch, message_until
from daemon.model import Classification, Outcome, Reading, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from daemon.checks.api import CheckContext
    from daemon.checks.ssas_facts import Fact
    from daemon.model import Json

STEPS = 5
HOLD_S = 5.0
"""How long the person is asked to hold the button, in seconds."""
SAFE_TIMES = 4
"""A press that sends is at least so many times as long: nobody counts seconds well."""
WALK_S = 300.0
"""How long the walk to the button and back may take, where a window's length is reckoned, in seconds."""
SHOWN_WITHIN_S = 10.0
"""How long the lamp is given to show rest, in seconds; a steady lamp is clear after 2."""


class SsasLampConfig(SsasConfig):
    """The test button and lamp of one SSAS unit."""

    kind: Literal["ssas_lamp"]
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


def needs_s(config: SsasLampConfig) -> float:
    """Return how much of a test window the test needs, in seconds: somebody walks to the button meanwhile."""
    return SHOWN_WITHIN_S + WALK_S + SHOWN_WITHIN_S + config.watch_s


def judge(_: SsasLampConfig, gathered: Gathered) -> Verdict:
    """Judge the lamp against what its maker says; whatever was sent is a failure."""
    facts = backed(gathered, "at_rest", "pressed", "rest_again")
    outcome, reason = _fault(facts) or (Outcome.PASSED, "lamp as the maker says, nothing sent")
    done, received, ashore = fact(facts, "done"), fact(facts, "received"), fact(facts, "ashore")
    details = {
        "at_rest": who(fact(facts, "at_rest")),
        "pressed": who(fact(facts, "pressed")),
        "rest_again": who(fact(facts, "rest_again")),
        "pressed_by": "not said" if done is None else f"said by {done['person']}",
        "ashore": _ashore_words(received, ashore),
    }
    return Verdict(outcome, reason, details=details)


def _is_yes(found: Fact | None) -> bool:
    return text(found).lower() == "yes"


def _ashore_words(received: Fact | None, ashore: Fact | None) -> str:
    if received is None:
        return "not said"
    what = "something" if _is_yes(received) else "nothing"
    return f"{what}, {'not said by whom' if ashore is None else who(ashore)}"


def _fault(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    if fact(facts, "message") is not None:
        return Outcome.FAILED, "a message was sent"
    if fact(facts, "blinked") is not None:
        return Outcome.FAILED, "the lamp blinked, as when an alert button is pressed too"
    return _lamp_fault(facts) or _silence_fault(facts)


def _lamp_fault(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    at_rest, pressed = fact(facts, "at_rest"), fact(facts, "pressed")
    if at_rest is None or fact(facts, "done") is None:
        unsaid = "nobody said that TEST was pressed"
        unseen = "the lamp was not seen at rest first"
        return Outcome.INCONCLUSIVE, unseen if at_rest is None else unsaid
    if pressed is not None and fact(facts, "rest_again") is not None:
        return None
    if not facts.get("in_sight", False):
        return Outcome.INCONCLUSIVE, "the lamp was out of sight for a while"
    if pressed is not None:
        return Outcome.FAILED, "the lamp did not go back to rest"
    states = facts.get("states")
    if isinstance(states, list) and len(states) == 1:
        return Outcome.FAILED, f"TEST was pressed and the lamp stayed {states[0]}"
    return Outcome.INCONCLUSIVE, "the lamp did not show a press of some seconds clearly"


def _silence_fault(facts: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    if not facts.get("port_was_there", False):
        missed = (
            "the text port was lost, or not heard from the press on: a message may have been missed"
        )
        return Outcome.INCONCLUSIVE, missed
    received, ashore = fact(facts, "received"), fact(facts, "ashore")
    if _is_yes(received):
        return Outcome.FAILED, "a named person says that something was received ashore"
    if not is_no(received) or not text(ashore) or is_no(ashore):
        return Outcome.INCONCLUSIVE, "nobody said that nothing was received ashore"
    return None


def points(config: SsasLampConfig) -> tuple[str, ...]:
    """Return the points of lamp and message, as far as the unit has them."""
    return tuple(point for point in (config.lamp, config.message) if point)


async def run(config: SsasLampConfig, ctx: CheckContext) -> Gathered:
    """Lead a person through the press; listen for a message from before it to the last answer."""
    found = _Found()
    with ctx.listen((config.message,) if config.message else ()) as messages:
        await _press(config, ctx, found)
        message, was_there, received, ashore = None, True, None, None
        since_s = found.asked_s
        if found.facts.get("rest_again") is not None:
            await ctx.prompt(3, "Wait: nothing may be sent.", expects=Expects.NOTHING, for_s=0)
            until_s = ctx.clock.now_s() + config.watch_s
            message, was_there = await message_until(
                messages, ctx, config.message, since_s=since_s, until_s=until_s
            )
            if message is None:
                received = await ctx.prompt(
                    4,
                    "Was anything received ashore? yes or no",
                    expects=Expects.YES_OR_NO,
                    for_s=config.answer_s,
                )
            if received is not None:
                ashore = await ctx.prompt(
                    5,
                    "Who ashore says so, and when?",
                    expects=Expects.REFERENCE,
                    for_s=config.answer_s,
                )
        if message is None:
            message, still_there = await message_until(
                messages, ctx, config.message, since_s=since_s, until_s=ctx.clock.now_s()
            )
            was_there &= still_there
    found.keep("message", message)
    found.facts |= {
        "port_was_there": was_there,
        "received": said(received),
        "ashore": said(ashore),
    }
    return Gathered(tuple(found.readings), found.facts)


class _Found:
    """What was seen and said, in the order of the steps."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.facts: dict[str, Any] = {}
        self.asked_s = 0.0
        """When the press was asked for: from then on a message may come."""

    def keep(self, key: str, reading: Reading | None) -> None:
        self.facts[key] = seen(reading, self.readings)


async def _press(config: SsasLampConfig, ctx: CheckContext, found: _Found) -> None:
    """Find what the lamp showed before, during and after the press."""
    with ctx.listen((config.lamp,)) as inbox:
        lamp = LampWatch(inbox, ctx, load_lamp(config.unit_profile))
        await ctx.prompt(
            1, "Press nothing: the lamp is looked at.", expects=Expects.NOTHING, for_s=0
        )
        at_rest = await lamp.until(Phase.REST, until_s=ctx.clock.now_s() + SHOWN_WITHIN_S)
        found.keep("at_rest", at_rest)
        if at_rest is None:
            return
        found.asked_s = ctx.clock.now_s()
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
        found.facts["done"] = said(done)
        found.keep("pressed", pressed)
        found.keep("blinked", blinked)
        found.keep("rest_again", None if after is blinked else after)
        found.facts["states"] = sorted(state.value for state in lamp.states)
        found.facts["in_sight"] = lamp.was_in_sight()


CHECK = CheckSpec(
    kind="ssas_lamp",
    config=SsasLampConfig,
    run=run,
    points=points,
    mode=Mode.ASSISTED,
    classification=Classification.SSO,
    steps=STEPS,
    needs_window=True,
    window_s=needs_s,
    judge=judge,
)
