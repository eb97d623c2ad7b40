"""Does a ship security alert, sent as a test from one activation point, arrive ashore?

Source: MSC.147(77) annex 7 (must be capable of being tested), MSC/Circ.1155 annex II; how long a press lasts and what
the lamp shows is the maker's (``config/ssas/``), how long before the flag is told is the flag's (``config/flags/``).
The proof has three legs: activation seen, transmitter accepted, shore confirmation attached; a leg that the unit
cannot show is supplied by a named person, and the result says which. It is begun only inside a test window, needs it
until the unit is reset, and nothing of it is class watch (invariant 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from daemon.checks.api import CheckSpec, Expects, Gathered, Mode
from daemon.checks.flags import judge_notices, load_flag
from daemon.checks.lamp_patterns import Phase
from daemon.checks.ssas_confirming import STEPS_ASHORE, confirm, note_place
from daemon.checks.ssas_facts import fact, is_no, said, seen
from daemon.checks.ssas_legs import judge_legs
from daemon.checks.ssas_settings import FlagTestConfig
from daemon.checks.ssas_units import UnitProfile, load_lamp, load_unit
from daemon.checks.ssas_watch import LampWatch, message_until
from daemon.model import Classification, Reading, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Self

    from daemon.checks.api import CheckContext
    from daemon.checks.flags import Notice
    from daemon.model import Json

STEPS_ON_BOARD = 5
UNKNOWN_SENDING_S = 1020.0
"""How long sending is waited for where neither the ship nor the maker says."""
RELEASE_S = 120.0
"""How long a person may take to release the buttons and say so, where a window's length is reckoned."""
LONGEST_S = 4 * 86_400.0
"""Some flags confirm in office hours only: over a long weekend that is so long."""


class SsasEndToEndConfig(FlagTestConfig):
    """One activation point of one SSAS unit."""

    kind: Literal["ssas_end_to_end"]
    activation_point: Annotated[str, Field(pattern=r"^P[1-9]$")]
    """An opaque id; where it is stands in the SSP only (A/9.4.17)."""
    message: str
    """The point of the unit's text, or "" where the unit has none."""
    lamp: str
    """The point of the unit's test lamp, or "" where none is wired."""
    activation_s: Annotated[float, Field(ge=1, le=600)] = 120.0
    """How long the lamp is waited for, in seconds."""
    sending_s: Annotated[float, Field(ge=1, le=5400)] | None = None
    """How long sending is waited for, in seconds; where not given, as the maker says for so many addressees."""
    reset_s: Annotated[float, Field(ge=1, le=600)] = 30.0
    """How long after the release the lamp may take to show rest, in seconds."""
    quiet_s: Annotated[float, Field(ge=1, le=3600)] = 120.0
    """How long after the release no further message may come: longer than the unit repeats, in seconds."""
    answer_s: Annotated[float, Field(ge=1, le=3600)] = 900.0
    """How long each answer of a person on board is waited for, in seconds."""
    confirmation_h: Annotated[float, Field(gt=0, le=72)] = 12.0
    """How long the confirmations from ashore are waited for, in hours: the window may close meanwhile."""
    position_within_m: Annotated[float, Field(ge=50, le=20_000)] = 1852.0
    """How far the position in the copy may lie from ours, in metres."""
    two_persons: bool = True
    """Somebody who has done no step of the test says that the text is set back."""
    fix_age_min: Annotated[float, Field(ge=1, le=1440)] = 60.0
    """How old the position in the copy may have been when the test was sent, in minutes."""

    @model_validator(mode="after")
    def _fits_the_unit(self) -> Self:
        unit = load_unit(self.unit_profile)
        unit.sending_s(len(self.addressees))
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


def sending_s(config: SsasEndToEndConfig) -> float:
    """Return how long sending is waited for, in seconds."""
    told = load_unit(config.unit_profile).sending_s(len(config.addressees))
    return config.sending_s or told or UNKNOWN_SENDING_S


def needs_s(config: SsasEndToEndConfig) -> float:
    """Return how much of a test window the test needs, in seconds: from the press to the proof of the reset."""
    reset_s = RELEASE_S + config.reset_s + (config.quiet_s if config.message else 0.0)
    return config.activation_s + sending_s(config) + reset_s


def judge(_: SsasEndToEndConfig, gathered: Gathered) -> Verdict:
    """Judge the legs, the reset and the text set back."""
    return judge_legs(gathered)


def points(config: SsasEndToEndConfig) -> tuple[str, ...]:
    """Return the points of message and lamp, as far as the unit has them."""
    return tuple(point for point in (config.lamp, config.message) if point)


def steps(config: SsasEndToEndConfig) -> int:
    """Return the number of steps: each addressee has one."""
    return STEPS_ON_BOARD + len(config.addressees) + STEPS_ASHORE


async def run(config: SsasEndToEndConfig, ctx: CheckContext) -> Gathered:
    """Lead a person through the test."""
    found = _Found(config, ctx, load_unit(config.unit_profile))
    await found.on_board()
    ctx.done_with_window()
    if found.is_sent and "reset" in found.facts:
        found.facts["asked"] = ctx.clock.utc().isoformat()
        so_far = Gathered(tuple(found.readings), found.facts)
        ctx.keep(so_far)
        return await resume(config, ctx, so_far)
    found.facts["ended"] = ctx.clock.utc().isoformat()
    return Gathered(tuple(found.readings), found.facts)


async def resume(config: SsasEndToEndConfig, ctx: CheckContext, so_far: Gathered) -> Gathered:
    """Ask ashore, from what was found on board and answered so far; the unit is at rest and is read no more."""
    facts = dict(so_far.facts)
    await confirm(
        config,
        ctx,
        facts,
        first_step=STEPS_ON_BOARD + 1,
        keep=lambda: ctx.keep(Gathered(so_far.readings, facts)),
    )
    facts["ended"] = ctx.clock.utc().isoformat()
    return Gathered(so_far.readings, facts)


class _Found:
    """What is found on board, step by step."""

    def __init__(self, config: SsasEndToEndConfig, ctx: CheckContext, unit: UnitProfile) -> None:
        self.readings: list[Reading] = []
        opened_by = () if ctx.services.window_opened_by is None else ctx.services.window_opened_by()
        self.facts: dict[str, Json] = {
            "authorized_by": list(opened_by),
            "procedure": f"{unit.maker} {unit.model}, {unit.as_of}",
            "two_persons": config.two_persons,
        }
        self._config = config
        self._ctx = ctx
        self._unit = unit

    @property
    def is_sent(self) -> bool:
        """Whether there is something to be confirmed."""
        accepted = fact(self.facts, "acceptance")
        return accepted is not None and not is_no(accepted)

    async def on_board(self) -> None:
        clear = await self._ctx.prompt(
            1,
            "No distress, urgency or security matter in hand, and the terminal free? yes or no",
            expects=Expects.YES_OR_NO,
            for_s=self._config.answer_s,
        )
        self.facts["clear"] = said(clear)
        if clear is None or is_no(said(clear)):
            return
        await self._press_and_send()
        note_place(self._ctx, self.facts)
        self.facts["sent"] = self._ctx.clock.utc().isoformat()
        if self.facts["activation"] is not None:
            await self._reset()

    def _keep(self, key: str, reading: Reading | None) -> None:
        self.facts[key] = seen(reading, self.readings)

    async def _press_and_send(self) -> None:
        config, ctx = self._config, self._ctx
        says = " and ".join(load_flag(config.flag_profile).message_says)
        press = (
            f"At {config.activation_point}: {self._unit.test.press}. The message must say {says}. "
            "Real alert by mistake? Open the false alert card now."
        )
        if not config.lamp:
            done = await ctx.prompt(2, press, expects=Expects.DONE, for_s=config.activation_s)
            self.facts["activation"] = said(done)
            if done is not None:
                await self._sent(None)
            return
        with ctx.listen((config.lamp,)) as inbox:
            profile = load_lamp(config.unit_profile)
            lamp = LampWatch(inbox, ctx, profile)
            await ctx.prompt(2, press, expects=Expects.NOTHING, for_s=0)
            until_s = ctx.clock.now_s() + config.activation_s
            at_rest = await lamp.until(Phase.REST, until_s=until_s)
            pressed = await lamp.until(Phase.PRESSED, until_s=until_s)
            self.facts["lamp_at_rest"] = at_rest is not None
            self._keep("activation", pressed)
            tells = not config.message and profile.when_sent is not None
            if pressed is not None and tells:
                await self._sent(lamp)
        if self.facts["activation"] is not None and not tells:
            await self._sent(None)

    async def _sent(self, lamp: LampWatch | None) -> None:
        """Find that the transmitter accepted: by text, by lamp, or by a person."""
        note_place(self._ctx, self.facts)
        config, ctx = self._config, self._ctx
        for_s = sending_s(config)
        until_s = ctx.clock.now_s() + for_s
        if not config.message and lamp is None:
            answer = await ctx.prompt(
                3, "Sent? Name the proof.", expects=Expects.REFERENCE, for_s=for_s
            )
            self.facts["acceptance"], self.facts["watched"] = said(answer), False
            return
        wait = f"Wait, at most {for_s / 60:.0f} min: the unit is sending."
        if lamp is not None:
            await ctx.prompt(3, wait, expects=Expects.NOTHING, for_s=0)
            self._keep("acceptance", await lamp.until(Phase.SENT, until_s=until_s))
            self.facts["watched"] = lamp.was_in_sight()
            return
        # From now on only: a message from before the lamp is not this test's.
        with ctx.listen((config.message,)) as inbox:
            await ctx.prompt(3, wait, expects=Expects.NOTHING, for_s=0)
            message, watched = await message_until(
                inbox, ctx, config.message, since_s=ctx.clock.now_s(), until_s=until_s
            )
        self._keep("acceptance", message)
        self.facts["watched"] = watched

    async def _reset(self) -> None:
        """Have the buttons released, and see that the unit rests and sends no more."""
        config, ctx = self._config, self._ctx
        if not self.is_sent:
            ctx.done_with_window()  # what was found stands, however long the release takes
        released = await ctx.prompt(
            4, self._unit.test.release, expects=Expects.DONE, for_s=config.answer_s
        )
        self.facts["released"] = said(released)
        if released is None or not self.is_sent:
            return
        await self._see_it_rest()
        if config.lamp or self.facts["further_message"] is not None:
            return
        answer = await ctx.prompt(
            5,
            "Unit at rest and reset? Name what shows it, or no.",
            expects=Expects.REFERENCE,
            for_s=config.answer_s,
        )
        # Where there is a port, it was there all the time, or nobody's word helps.
        in_doubt = config.message and not self.facts["reset_watched"]
        self.facts["reset"] = None if in_doubt else said(answer)
        if answer is None:
            self.facts["reset_watched"] = False

    async def _see_it_rest(self) -> None:
        config, ctx = self._config, self._ctx
        began_s = ctx.clock.now_s()
        watched, message, rest = True, None, None
        with ctx.listen((config.message,) if config.message else ()) as messages:
            if config.lamp:
                with ctx.listen((config.lamp,)) as inbox:
                    lamp = LampWatch(inbox, ctx, load_lamp(config.unit_profile))
                    step = "Wait: the unit is watched until it rests."
                    await ctx.prompt(5, step, expects=Expects.NOTHING, for_s=0)
                    rest = await lamp.until(Phase.REST, until_s=began_s + config.reset_s)
                    watched = lamp.was_in_sight()
            if config.message:
                await ctx.prompt(
                    5, "Wait: no further message may come.", expects=Expects.NOTHING, for_s=0
                )
                message, was_there = await message_until(
                    messages,
                    ctx,
                    config.message,
                    since_s=began_s,
                    until_s=began_s + config.quiet_s,
                )
                watched &= was_there
        self._keep("further_message", message)
        if config.lamp:
            self._keep("reset", rest)
        self.facts["reset_watched"] = watched


CHECK = CheckSpec(
    kind="ssas_end_to_end",
    config=SsasEndToEndConfig,
    run=run,
    points=points,
    mode=Mode.ASSISTED,
    classification=Classification.SSO,
    count_steps=steps,
    needs_window=True,
    window_s=needs_s,
    limit_s=LONGEST_S,
    resume=resume,
    judge=judge,
)
